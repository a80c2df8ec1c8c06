//! What a singleton may be, and what its factories may give; the traits' messages say what to write instead.

use crate::error::BoxError;

/// What a singleton may be: every thread gets the same `&'static` reference to it.
pub trait SingletonValue: Send + Sync + 'static {}
impl<T: Send + Sync + 'static> SingletonValue for T {}

/// What `factory` may give: the instance itself.
#[diagnostic::on_unimplemented(
    message = "this factory gives `{Self}`, not `{T}`",
    label = "gives `{Self}`",
    note = "a factory that returns a `Result` is written `try_factory = ..`; then `try_instance()` gives the error",
    note = "a factory that is async is written `async_factory = ..`, and `try_async_factory = ..` where it returns a `Result`"
)]
pub trait FactoryOutput<T> {
    #[doc(hidden)]
    fn given(self) -> T;
}
impl<T> FactoryOutput<T> for T {
    #[inline]
    fn given(self) -> T {
        self
    }
}

/// What `try_factory` may give: a `Result` whose error can be boxed.
#[diagnostic::on_unimplemented(
    message = "this factory gives `{Self}`, not a `Result<{T}, E>`",
    label = "gives `{Self}`",
    note = "a factory that cannot fail is written `factory = ..`, or `async_factory = ..`; the error of one that can must be a `std::error::Error` \
            (`Send + Sync + 'static`), a `String`, an `anyhow::Error` or a boxed error"
)]
pub trait TryFactoryOutput<T> {
    #[doc(hidden)]
    #[allow(clippy::missing_errors_doc, reason = "not called by users")]
    fn into_result(self) -> Result<T, BoxError>;
}
impl<T, E: Into<BoxError>> TryFactoryOutput<T> for Result<T, E> {
    fn into_result(self) -> Result<T, BoxError> {
        self.map_err(Into::into)
    }
}

//! Decisions by type, where a macro sees only tokens: is this return type a `Result` (by whatever name), can its error carry a
//! refusal, has this type a `Default`? Each trait says in its message what to write.
//!
//! The pattern: an inherent method on `Outcome<Result<T, E>>` wins over a trait method of the same name on `Outcome<R>`.

use crate::breaker::Verdict;
use crate::error::{BoxError, CreateError, Rejected, SingletonError};
use std::convert::Infallible;
use std::marker::PhantomData;

pub mod failed;
mod guarded;
mod time;

pub use guarded::*;
pub use time::{Length, Time, duration, seconds};

/// A return type that can say "refused".
#[diagnostic::on_unimplemented(
    message = "a guard may refuse this call, and `{Self}` has no error to say so",
    label = "no error channel",
    note = "say what a refused call gives: `on_rejected = |rejected| ..` in the attribute (the whole value)",
    note = "or name another function with the same arguments: `fallback = path`",
    note = "or return a `Result<_, E>` with `E: From<lifecycle::Rejected>`"
)]
pub trait ErrorChannel: Sized {
    /// The refusal as a value of this type.
    fn refused(rejected: Rejected) -> Self;
}

impl<T, E: FromRejected> ErrorChannel for Result<T, E> {
    #[inline]
    fn refused(rejected: Rejected) -> Self {
        Err(E::from_rejected(rejected))
    }
}

/// An error that can carry a refusal.
#[diagnostic::on_unimplemented(
    message = "a guard may refuse this call, and the error `{Self}` cannot be made from the refusal",
    label = "`{Self}` is not `From<lifecycle::Rejected>`",
    note = "say what a refused call gives: `on_rejected = |rejected| ..` in the attribute (the error)",
    note = "or, if the type is yours, give it `impl From<lifecycle::Rejected>` (with thiserror: a variant `Rejected(#[from] lifecycle::Rejected)`)"
)]
pub trait FromRejected: Sized {
    /// The refusal as this error.
    fn from_rejected(rejected: Rejected) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Rejected>> FromRejected for E {
    #[inline]
    fn from_rejected(rejected: Rejected) -> Self {
        Self::from(rejected)
    }
}

/// What a refused call gives where nothing else was said. Inlined: a refusal that is copied just after it was written costs more
/// than the code.
#[inline]
pub fn refuse<R: ErrorChannel>(rejected: Rejected) -> R {
    R::refused(rejected)
}

/// Calls `on_rejected`; a closure's argument gets its type here.
#[cold]
pub fn ask<X>(on_rejected: impl FnOnce(Rejected) -> X, rejected: Rejected) -> X {
    on_rejected(rejected)
}

/// Questions about a return type.
#[derive(Debug)]
pub struct Outcome<R>(PhantomData<fn() -> R>);

impl<R> Outcome<R> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

impl<T, E> Outcome<Result<T, E>> {
    /// `on_rejected` gives the error of a `Result`.
    #[cold]
    pub fn __refused(self, on_rejected: impl FnOnce(Rejected) -> E, rejected: Rejected) -> Result<T, E> {
        Err(on_rejected(rejected))
    }

    /// What an `Err` means is asked of its error, by [`failed`].
    #[inline]
    pub fn __verdict(self, value: &Result<T, E>, of_error: impl FnOnce(&E) -> Verdict) -> Verdict {
        value.as_ref().err().map_or(Verdict::Success, of_error)
    }
}

/// The answers for everything that is not a `Result`.
pub trait Whole<R>: Sized {
    /// `on_rejected` gives the whole value.
    #[cold]
    fn __refused(self, on_rejected: impl FnOnce(Rejected) -> R, rejected: Rejected) -> R {
        on_rejected(rejected)
    }

    /// Whatever comes back is a success; a panic is a failure.
    #[inline]
    fn __verdict(self, _: &R, _: impl FnOnce(&Infallible) -> Verdict) -> Verdict {
        Verdict::Success
    }
}

impl<R> Whole<R> for Outcome<R> {}

/// A singleton without a factory needs a `Default`.
#[diagnostic::on_unimplemented(
    message = "nothing says how the singleton `{Self}` is made",
    label = "has no `Default`",
    note = "name the function that makes it, `#[singleton(factory = path)]` or `#[singleton(try_factory = path)]`, or implement `Default`"
)]
pub trait DefaultFactory {
    /// The instance.
    fn create() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> DefaultFactory for T {
    fn create() -> Self {
        Self::default()
    }
}

/// The instance of a type without a factory.
#[must_use]
pub fn default_of<T: DefaultFactory>() -> T {
    T::create()
}

/// Whether a type is a `Result` behind an alias: an inherent const wins over a trait's.
#[derive(Debug)]
pub struct IsResult<T>(PhantomData<T>);

impl<T, E> IsResult<Result<T, E>> {
    /// It is.
    pub const HIDDEN: bool = true;
}

/// The answer for every other type.
pub trait NotResult {
    /// It is not.
    const HIDDEN: bool = false;
}

impl<T> NotResult for IsResult<T> {}

/// How a refusal to create becomes the user's own error.
#[derive(Debug)]
pub struct Refusal<E>(PhantomData<fn() -> E>);

impl<E> Refusal<E> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

impl<E: From<SingletonError>> Refusal<E> {
    /// The factory's error, or the refusal as one.
    #[cold]
    pub fn __error(self, error: CreateError<E>) -> E {
        match error {
            CreateError::Factory(error) => error,
            CreateError::Refused(refusal) => E::from(refusal),
        }
    }
}

/// The answer for errors that cannot carry a refusal.
pub trait Panics<E>: Sized {
    /// The factory's error; a refusal panics with its reason.
    ///
    /// # Panics
    /// On a refusal.
    #[cold]
    fn __error(self, error: CreateError<E>) -> E {
        match error {
            CreateError::Factory(error) => error,
            CreateError::Refused(refusal) => panic!("{refusal}"),
        }
    }
}

impl<E> Panics<E> for Refusal<E> {}

/// The error of a function whose refusals are to be expected.
#[diagnostic::on_unimplemented(
    message = "`retry_backoff` refuses to create for a while after an error, and the error `{Self}` cannot be made from the refusal",
    label = "`{Self}` is not `From<lifecycle::SingletonError>`",
    note = "if the type is yours, give it `impl From<lifecycle::SingletonError>` (with thiserror: a variant `Singleton(#[from] lifecycle::SingletonError)`)",
    note = "or leave `retry_backoff` away: then the next call tries again at once"
)]
pub trait SaysRefusal {}

#[diagnostic::do_not_recommend]
impl<E: From<SingletonError>> SaysRefusal for E {}

/// Asks at compile time whether refusals can be said.
pub const fn says_refusal<E: SaysRefusal>() {}

/// How a factory's error is kept where its type cannot be named: as itself, by its `Debug` text, or by its type's name.
#[derive(Debug)]
pub struct Boxing<E>(PhantomData<fn() -> E>);

impl<E> Boxing<E> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

impl<E: Into<BoxError>> Boxing<E> {
    /// The error itself.
    #[cold]
    pub fn __boxed(self, error: E) -> BoxError {
        error.into()
    }
}

/// The answer for errors that are only `Debug`.
pub trait ByDebug<E> {
    /// The error's text.
    fn __boxed(self, error: E) -> BoxError;
}

impl<E: std::fmt::Debug> ByDebug<E> for Boxing<E> {
    #[cold]
    fn __boxed(self, error: E) -> BoxError {
        format!("{error:?}").into()
    }
}

/// The answer for all others.
pub trait ByName<E> {
    /// The type's name.
    fn __boxed(self, error: E) -> BoxError;
}

impl<E> ByName<E> for &Boxing<E> {
    #[cold]
    fn __boxed(self, _: E) -> BoxError {
        std::any::type_name::<E>().into()
    }
}

/// The outcome of a function singleton for those who ask by name.
///
/// # Errors
/// The factory's error, boxed and under the singleton's name, or the refusal.
#[inline]
pub fn asked<H, E>(
    name: &str,
    outcome: Result<H, CreateError<E>>,
    boxed: impl FnOnce(E) -> BoxError,
) -> Result<H, SingletonError> {
    outcome.map_err(|error| match error {
        CreateError::Factory(error) => SingletonError::factory(name, boxed(error)),
        CreateError::Refused(refusal) => refusal,
    })
}

/// An error's text: with its causes, by `Display`, by `Debug`, or its type's name, whichever of these is there first.
/// `(&&&Text(error)).__text()` tries them in this order.
pub mod text {
    /// The question.
    pub struct Text<'a, E>(pub &'a E);

    impl<E> Clone for Text<'_, E> {
        fn clone(&self) -> Self {
            *self
        }
    }
    impl<E> Copy for Text<'_, E> {}

    /// With all its causes.
    pub trait ByError {
        /// The text.
        fn __text(&self) -> String;
    }
    impl<E: std::error::Error> ByError for &&Text<'_, E> {
        #[cold]
        fn __text(&self) -> String {
            crate::error::chain(self.0)
        }
    }

    /// By `Display`; the alternate form is the one in which `anyhow` shows the causes.
    pub trait ByDisplay {
        /// The text.
        fn __text(&self) -> String;
    }
    impl<E: std::fmt::Display> ByDisplay for &Text<'_, E> {
        #[cold]
        fn __text(&self) -> String {
            format!("{:#}", self.0)
        }
    }

    /// By `Debug`.
    pub trait ByDebug {
        /// The text.
        fn __text(&self) -> String;
    }
    impl<E: std::fmt::Debug> ByDebug for Text<'_, E> {
        #[cold]
        fn __text(&self) -> String {
            format!("{:?}", self.0)
        }
    }

    /// The type's name.
    pub trait ByName {
        /// The text.
        fn __text(self) -> String;
    }
    impl<E> ByName for Text<'_, E> {
        #[cold]
        fn __text(self) -> String {
            std::any::type_name::<E>().to_owned()
        }
    }
}

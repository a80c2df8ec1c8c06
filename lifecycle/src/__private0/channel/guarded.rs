//! What the options of guards are about: errors to ignore, values that are failures, keys, functions that `execute` may call,
//! windows.

use crate::breaker::{Backoff, BreakerConfig, Verdict, Window};
use serde::Serialize;
use std::fmt::Display;
use std::future::Future;

/// A return type with an error for `ignore` to look at.
#[diagnostic::on_unimplemented(
    message = "`ignore` looks at an error, and this function returns none: use `failure_if`",
    label = "the function returns `{Self}`, which is no `Result`",
    note = "say by the whole value what a failure is: `failure_if = |value| ..`, with `value: &{Self}`"
)]
pub trait WithError {
    /// The error.
    type Error;
    /// The error, if the value is one.
    fn error(&self) -> Option<&Self::Error>;
}

impl<T, E> WithError for Result<T, E> {
    type Error = E;
    #[inline]
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

/// Whether the value is an error that is none of the breaker's business; a closure's argument gets its type here.
#[inline]
pub fn ignores<R: WithError, F: FnOnce(&R::Error) -> bool>(value: &R, ignore: F) -> bool {
    value.error().is_some_and(ignore)
}

/// What the user's own predicate says; a closure's argument gets its type here.
#[inline]
pub fn failed_if<R, F: FnOnce(&R) -> bool>(value: &R, failed: F) -> Verdict {
    if failed(value) { Verdict::Failure } else { Verdict::Success }
}

/// What a `key` may be.
#[diagnostic::on_unimplemented(
    message = "a key is known by its text, and `{Self}` has none",
    label = "`{Self}` is not `Display`",
    note = "name a part of it that is, `key = request.host`, or make a text: `key = format!(\"{{}}/{{}}\", a, b)`"
)]
pub trait Key {
    /// What shows it: the key itself.
    type Text: Display + ?Sized;
    /// Itself.
    fn text(&self) -> &Self::Text;
}

#[diagnostic::do_not_recommend]
impl<K: Display + ?Sized> Key for K {
    type Text = K;
    #[inline]
    fn text(&self) -> &K {
        self
    }
}

/// The key of a call.
#[inline]
pub fn key<K: Key + ?Sized>(key: &K) -> &K::Text {
    key.text()
}

/// What a function that `execute` called gave: its value as JSON, or its error's text.
pub type Dispatched = Result<serde_json::Value, String>;

/// A value that can be sent.
#[diagnostic::on_unimplemented(
    message = "`dispatch` sends what the function returns as JSON, and `{Self}` cannot be sent",
    label = "`{Self}` is not `serde::Serialize`",
    note = "derive `serde::Serialize` for it, or let the function return something that is"
)]
pub trait OnWire {
    /// The value as JSON.
    ///
    /// # Errors
    /// The text of the serializer's error.
    fn on_wire(&self) -> Dispatched;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> OnWire for T {
    fn on_wire(&self) -> Dispatched {
        serde_json::to_value(self).map_err(|error| error.to_string())
    }
}

/// An error that can be told.
#[diagnostic::on_unimplemented(
    message = "`dispatch` tells the function's error by its text, and `{Self}` has none",
    label = "`{Self}` is not `Display`",
    note = "implement `Display` for it (thiserror derives it)"
)]
pub trait Told {
    /// The text; the alternate form is the one in which `anyhow` shows the causes.
    fn told(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<E: Display> Told for E {
    fn told(&self) -> String {
        format!("{self:#}")
    }
}

/// What a dispatched function returned: an inherent method wins over a trait's.
#[derive(Debug)]
pub struct Dispatching<R>(pub R);

impl<T, E> Dispatching<Result<T, E>> {
    /// The value, or the error's text.
    ///
    /// # Errors
    /// The text.
    #[cold]
    pub fn __dispatched(self) -> Dispatched
    where
        T: OnWire,
        E: Told,
    {
        match self.0 {
            Ok(value) => value.on_wire(),
            Err(error) => Err(error.told()),
        }
    }
}

/// The answer for everything that is not a `Result`.
pub trait DispatchedWhole<R>: Sized {
    /// The value.
    ///
    /// # Errors
    /// The text of the serializer's error.
    fn __dispatched(self) -> Dispatched
    where
        R: OnWire;
}

impl<R> DispatchedWhole<R> for Dispatching<R> {
    #[cold]
    fn __dispatched(self) -> Dispatched
    where
        R: OnWire,
    {
        self.0.on_wire()
    }
}

/// Whether a window can hold a call, and is not larger than what a breaker keeps.
#[must_use]
pub const fn is_window(window: &Window) -> bool {
    match window {
        Window::Calls(calls) => *calls != 0 && *calls <= BreakerConfig::MAX_WINDOW_CALLS,
        Window::Time(length) => !length.is_zero(),
    }
}

/// Whether a backoff is one that a breaker can work with.
#[must_use]
pub const fn is_backoff(backoff: &Backoff) -> bool {
    backoff.fault().is_none()
}

/// Whether a window can hold so many calls.
#[must_use]
pub const fn window_holds(window: &Window, calls: u32) -> bool {
    match window {
        Window::Calls(most) => calls <= *most,
        Window::Time(_) => true,
    }
}

/// What the `fallback` of an async function gives.
#[diagnostic::on_unimplemented(
    message = "the `fallback` of an async function must be `async` as well",
    label = "this gives a `{Self}` at once, and the call awaits it",
    note = "write `async fn` for it; it takes the same arguments and gives the same value"
)]
pub trait AsyncFallback {
    /// The future.
    type Future: Future;
    /// It.
    fn future(self) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<F: Future> AsyncFallback for F {
    type Future = F;
    #[inline]
    fn future(self) -> F {
        self
    }
}

/// The future that a fallback gives.
#[inline]
pub fn fallback<F: AsyncFallback>(given: F) -> F::Future {
    given.future()
}

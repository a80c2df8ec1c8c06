//! What a declaration's hooks give, found by type: a hook may return nothing, a `Result`, a verdict, or a future of these.
//!
//! `(&outcome).__kind().run(outcome)` asks by method look-up which of them it is (the way `anyhow!` does): a method that takes
//! `&self` of the value itself is found before one that takes a reference to a reference.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

/// How a hook ended; the text is its error's.
#[doc(hidden)]
pub type HookResult = Result<(), String>;

/// A hook that is over, or that has to be awaited.
#[doc(hidden)]
pub enum HookRun<'a> {
    /// It ran.
    Done(HookResult),
    /// It goes on.
    Future(Pin<Box<dyn Future<Output = HookResult> + Send + 'a>>),
}

/// A health check that is over, or that has to be awaited.
#[doc(hidden)]
pub enum HealthRun {
    /// It ran.
    Done(Health),
    /// It goes on.
    Future(Pin<Box<dyn Future<Output = Health> + Send>>),
}

impl std::fmt::Debug for HookRun<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HookRun")
    }
}

impl std::fmt::Debug for HealthRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HealthRun")
    }
}

/// What a `health` hook says of its singleton.
///
/// ```
/// use lifecycle::{Health, singleton};
/// use std::time::Duration;
///
/// #[singleton(health = |free: &Vec<u32>| match free.len() {
///     0 => Health::Down("no connection".to_owned()),
///     1 => Health::Degraded("one connection left".to_owned()),
///     _ => Health::Up,
/// })]
/// fn pool() -> Vec<u32> {
///     vec![7]
/// }
///
/// pool();
/// let report = lifecycle::health_blocking(Duration::from_secs(10));
/// assert_eq!(report.checks[0].health, Health::Degraded("one connection left".to_owned()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "reason")]
#[non_exhaustive]
pub enum Health {
    /// All is well.
    Up,
    /// It works, though not as it should; the text says why.
    Degraded(String),
    /// It does not work; the text says why.
    Down(String),
}

/// What a hook may return.
#[diagnostic::on_unimplemented(
    message = "a hook cannot return `{Self}`",
    label = "returns `{Self}`",
    note = "a hook returns nothing, a `Result<(), E>` whose error is `Display`, or (`shutdown`, `health`, `before_snapshot` and `after_restore`) a future of these"
)]
pub trait HookOutcome {
    #[doc(hidden)]
    #[allow(clippy::missing_errors_doc, reason = "not called by users")]
    fn settle(self) -> HookResult;
}

impl HookOutcome for () {
    fn settle(self) -> HookResult {
        Ok(())
    }
}

impl<E: Display> HookOutcome for Result<(), E> {
    fn settle(self) -> HookResult {
        // The alternate form is the one in which `anyhow` shows the causes.
        self.map_err(|error| format!("{error:#}"))
    }
}

/// What a `health` hook may return.
#[diagnostic::on_unimplemented(
    message = "a health check cannot return `{Self}`",
    label = "returns `{Self}`",
    note = "a health check returns a `lifecycle::Health`, a `bool`, a `Result<_, E>` whose error is `Display`, or a future of these"
)]
pub trait HealthOutcome {
    #[doc(hidden)]
    fn settle(self) -> Health;
}

impl HealthOutcome for Health {
    fn settle(self) -> Health {
        self
    }
}

impl HealthOutcome for bool {
    fn settle(self) -> Health {
        if self { Health::Up } else { Health::Down(String::new()) }
    }
}

impl<T, E: Display> HealthOutcome for Result<T, E> {
    fn settle(self) -> Health {
        match self {
            Ok(_) => Health::Up,
            Err(error) => Health::Down(format!("{error:#}")),
        }
    }
}

/// What a `health` hook of a singleton that may be replaced may return.
#[diagnostic::on_unimplemented(
    message = "the health check of a `swap`, `keyed` or `scope = invocation` singleton cannot return `{Self}`",
    label = "returns `{Self}`",
    note = "it returns a `lifecycle::Health`, a `bool`, or a `Result<_, E>` whose error is `Display`",
    note = "it cannot be a future: the instance may be freed meanwhile"
)]
pub trait HealthAtOnce {
    #[doc(hidden)]
    fn settle_at_once(self) -> Health;
}

#[diagnostic::do_not_recommend]
impl<R: HealthOutcome> HealthAtOnce for R {
    fn settle_at_once(self) -> Health {
        self.settle()
    }
}

/// What a `pressure` hook may return.
#[diagnostic::on_unimplemented(
    message = "a pressure hook cannot return `{Self}`",
    label = "returns `{Self}`",
    note = "a pressure hook returns nothing, or the bytes it freed as a `usize`"
)]
pub trait Freed {
    #[doc(hidden)]
    fn bytes(self) -> usize;
}

impl Freed for () {
    fn bytes(self) -> usize {
        0
    }
}

impl Freed for usize {
    fn bytes(self) -> usize {
        self
    }
}

/// Calls a hook; a closure's argument gets its type here.
#[doc(hidden)]
pub fn call<A, R>(hook: impl FnOnce(A) -> R, argument: A) -> R {
    hook(argument)
}

/// Calls a hook that borrows what it is given.
#[doc(hidden)]
pub fn call_ref<A: ?Sized, R>(hook: impl FnOnce(&A) -> R, argument: &A) -> R {
    hook(argument)
}

/// Calls an `on_change` hook.
#[doc(hidden)]
pub fn changed<A: ?Sized>(hook: impl FnOnce(&A, &A), old: &A, new: &A) {
    hook(old, new);
}

/// The outcome of a `health` hook that cannot be awaited.
#[doc(hidden)]
pub fn health_at_once<R: HealthAtOnce>(outcome: R) -> Health {
    outcome.settle_at_once()
}

/// The outcome of a `reset` hook.
#[doc(hidden)]
#[allow(clippy::missing_errors_doc, reason = "not called by users")]
pub fn done<R: HookOutcome>(outcome: R) -> HookResult {
    outcome.settle()
}

/// The outcome of a `pressure` hook.
#[doc(hidden)]
pub fn freed<R: Freed>(outcome: R) -> usize {
    outcome.bytes()
}

/// The outcome is there.
#[doc(hidden)]
#[derive(Debug)]
pub struct PlainTag;

/// The outcome has to be awaited.
#[doc(hidden)]
#[derive(Debug)]
pub struct FutureTag;

/// Found for futures.
#[doc(hidden)]
pub trait FutureKind {
    /// The kind.
    fn __kind(&self) -> FutureTag {
        FutureTag
    }
}
impl<F: Future> FutureKind for F {}

/// Found for everything else.
#[doc(hidden)]
pub trait PlainKind {
    /// The kind.
    fn __kind(&self) -> PlainTag {
        PlainTag
    }
}
impl<T> PlainKind for &T {}

impl PlainTag {
    /// Of a shutdown hook.
    pub fn run<'a, R: HookOutcome>(self, outcome: R) -> HookRun<'a> {
        HookRun::Done(outcome.settle())
    }

    /// Of a health check.
    pub fn health<R: HealthOutcome>(self, outcome: R) -> HealthRun {
        HealthRun::Done(outcome.settle())
    }
}

impl FutureTag {
    /// Of a shutdown hook.
    pub fn run<'a, R: HookOutcome>(self, outcome: impl Future<Output = R> + Send + 'a) -> HookRun<'a> {
        HookRun::Future(Box::pin(async move { outcome.await.settle() }))
    }

    /// Of a health check.
    pub fn health<R: HealthOutcome>(self, outcome: impl Future<Output = R> + Send + 'static) -> HealthRun {
        HealthRun::Future(Box::pin(async move { outcome.await.settle() }))
    }
}

//! Every error of the crate. They name the component and say the way out; none is ever a panic in disguise.

mod rejected;

pub(crate) use rejected::is_refusal;
pub use rejected::{Rejected, RejectedKind};

use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A boxed error: what a factory's own error becomes where its type cannot be named.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// A time to wait, in words: to a millisecond, rounded up, so that whoever waits that long is not early. What exceeds a millisecond
/// by less than a microsecond does not count; the field is exact.
pub(crate) fn wait(time: &Duration) -> String {
    let nanos = time.as_nanos();
    let millis = nanos.saturating_sub(999).div_ceil(1_000_000).max(u128::from(nanos > 0));
    match (millis / 1000, millis % 1000) {
        (0, millis) => format!("{millis}ms"),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, millis) => format!("{}s", format!("{seconds}.{millis:03}").trim_end_matches('0')),
    }
}

/// The causes of an error, the nearest first. A chain may be a circle.
fn causes<'a>(error: &'a (dyn StdError + '_)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| (**cause).source()).take(32)
}

/// An error with all its causes.
pub(crate) fn chain(error: &(dyn StdError + '_)) -> String {
    causes(error).fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// What a panic said, if it said anything.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> Option<&str> {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str))
}

/// Runs somebody else's code; a panic is given as what it said, and goes no further, even if what it was raised with panics when
/// it is dropped.
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    // Whoever asks goes on without what the code was at: nothing half-changed of it is seen here.
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| {
        let text = panic_text(&*panic).unwrap_or("(no text)").to_owned();
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            std::mem::forget(again);
        }
        text
    })
}

/// Names given at run time may hold anything; on output control characters are escaped.
pub(crate) fn printable(name: &str) -> String {
    name.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// The outcome of a call through a breaker or limiter that did not give a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<E> {
    /// Refused: the function did not run.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The core's own operation limit refused: the function did not run.
    #[error("rate limit exceeded for {manager} operations, retry after {}", wait(.retry_after))]
    RateLimited {
        /// Which core.
        manager: &'static str,
        /// After this much time a retry can succeed.
        retry_after: Duration,
    },
    /// The call was not possible at all: an empty name, say.
    #[error("the call was not possible")]
    Invalid(#[source] Box<Error>),
    /// The function ran and gave this error.
    #[error("the guarded call failed")]
    Inner(#[source] E),
}

/// Why a singleton could not be handed out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SingletonError {
    /// Its factory failed. Nothing was stored: the next access tries again.
    #[error("singleton `{name}`: its factory failed")]
    Factory {
        /// The singleton's name.
        name: String,
        /// What the factory said.
        source: BoxError,
    },
    /// Its creation needs itself.
    #[error("singletons need each other to be created: {path}")]
    Cycle {
        /// The circle, with the place of each declaration.
        path: String,
    },
    /// Its creation took longer than its `init_timeout`; it goes on.
    #[error("singleton `{}` was not created within {}; still under way: {waiting_for}", printable(.name), wait(.waited))]
    InitTimeout {
        /// The singleton's name.
        name: String,
        /// How long was waited.
        waited: Duration,
        /// Its creation and what that waits for in turn, with the place of each declaration.
        waiting_for: String,
    },
    /// Its factory failed a short while ago, and its `retry_backoff` is not over.
    #[error("singleton `{}`: its factory failed ({last_error}), next attempt in {}", printable(.name), wait(.retry_after))]
    Backoff {
        /// The singleton's name.
        name: String,
        /// After this much time the factory runs again.
        retry_after: Duration,
        /// What the factory said.
        last_error: String,
    },
    /// `shutdown` has begun: nothing is created any more.
    #[error(
        "singleton `{}` is not created any more: the process is shutting down (what is needed then is made `eager`)",
        printable(.name)
    )]
    ShuttingDown {
        /// The singleton's name.
        name: String,
    },
    /// The test world of this context has ended: what exists there can be read, nothing is created.
    #[error("singleton `{}` is not created any more: the test world of this context has ended", printable(.name))]
    ContextEnded {
        /// The singleton's name.
        name: String,
    },
    /// It lives for an invocation, and this code runs in none.
    #[error(
        "singleton `{}` lives for an invocation, and there is none here: run this inside `lifecycle::invocation(id, ..)`, and \
         bring `Context::capture()` along to threads and tasks",
        printable(.name)
    )]
    NoInvocation {
        /// The singleton's name.
        name: String,
    },
    /// The invocation that this context came from is over, and what lived for it is gone.
    #[error("singleton `{}` is not created any more: its invocation `{}` is over", printable(.name), printable(.id))]
    InvocationEnded {
        /// The singleton's name.
        name: String,
        /// The invocation's id.
        id: String,
    },
    /// What lives as long as the process would have captured what lives for an invocation.
    #[error(
        "a process-wide singleton cannot be made from one that lives for an invocation: {name} needs {needs}; give the first \
         `scope = invocation` too, or ask for the second whenever it is used"
    )]
    OutlivesInvocation {
        /// The singleton that was being made, with the place of its declaration.
        name: String,
        /// The one that it asked for, with the place of its declaration.
        needs: String,
    },
    /// Its factory is asynchronous: await the accessor, or the core's `.._async` operations.
    #[error("singleton `{}` does not exist yet and its factory is async: await its accessor", printable(.name))]
    NeedsAsync {
        /// The singleton's name.
        name: String,
    },
    /// This process was forked while the parent was creating the singleton: the thread that does does not exist here.
    #[error("singleton `{}` was being created when this process was forked: the child cannot wait for it", printable(.name))]
    Forked {
        /// The singleton's name.
        name: String,
    },
    /// It is reached by its accessor only, which has not been called yet.
    #[error("singleton `{}` does not exist yet: {why}", printable(.name))]
    NotReachable {
        /// The singleton's name.
        name: String,
        /// Why, and what to do.
        why: &'static str,
    },
}

impl SingletonError {
    /// A factory's failure, under the singleton's name.
    #[doc(hidden)]
    #[must_use]
    pub fn factory(name: &str, source: BoxError) -> Self {
        Self::Factory { name: name.to_owned(), source }
    }
}

/// The error of an access that creates: the factory's own, or a refusal to run it.
#[doc(hidden)]
#[derive(Debug)]
pub enum CreateError<E> {
    Factory(E),
    Refused(SingletonError),
}

/// What the by-name face of the cores and the builders report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A core's limit on operations is used up.
    #[error("Rate limit exceeded: {manager} allows {limit} operations in {window:?}, retry after {}", wait(.retry_after))]
    RateLimited {
        /// Which core: `initialization`, `singleton` or `circuit_breaker`.
        manager: &'static str,
        /// Operations a window allows.
        limit: u32,
        /// The window.
        window: Duration,
        /// After this much time a retry can succeed.
        retry_after: Duration,
    },
    /// An empty name.
    #[error("{kind} name must be a non-empty string")]
    InvalidName {
        /// What was to be named: `Singleton`, `Flag`, `Circuit breaker`.
        kind: &'static str,
    },
    /// Nothing of that name is declared or stored.
    #[error("no {kind} named `{}`{}", printable(.name), printable(.hint))]
    NotFound {
        /// What was looked for.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// What may be meant: `, did you mean ..?`, or nothing.
        hint: String,
    },
    /// A function that was called by name failed, or was refused.
    #[error("`{}`: {message}", printable(.name))]
    CallFailed {
        /// The function's breaker.
        name: String,
        /// The error's text.
        message: String,
    },
    /// It is a family of components, one for each key, and no key was named.
    #[error(
        "`{}` is a family of {kind}s: name one of them, as `{}[key]`, or ask for all by `lifecycle::{look_up}`",
        printable(.name), printable(.name)
    )]
    NeedsKey {
        /// What was looked for.
        kind: &'static str,
        /// The function that finds families.
        look_up: &'static str,
        /// The name that was asked for.
        name: String,
    },
    /// The name is declared more than once.
    #[error(
        "`{}` is declared more than once: {}; ask by path, or give one of them a `name = \"..\"`",
        printable(.name), .candidates.join(", ")
    )]
    Ambiguous {
        /// The name that was asked for.
        name: String,
        /// The path and place of each.
        candidates: Vec<String>,
    },
    /// The stored value has another type.
    #[error("`{}` holds a {found}, not a {expected}", printable(.name))]
    TypeMismatch {
        /// The component.
        name: String,
        /// The type asked for, or offered in its place.
        expected: &'static str,
        /// The type found.
        found: &'static str,
    },
    /// A declared flag was set to a value of another type.
    #[error("flag `{}` is a {expected}; {found} does not fit{}", printable(.name), printable(.hint))]
    FlagType {
        /// The flag.
        name: String,
        /// The flag's type.
        expected: &'static str,
        /// The value offered.
        found: String,
        /// What may be meant: `, did you mean ..?`, or nothing.
        hint: String,
    },
    /// A flag's environment variable holds no value of its type, so its default is in force; for [`verify`](crate::verify).
    #[error("flag `{}`: the environment variable `{}` holds no {expected}, so the default is in force{}", printable(.name), printable(.variable), printable(.hint))]
    InvalidEnv {
        /// The flag.
        name: String,
        /// The variable. Its value is not shown: what stands in the wrong variable may be a secret.
        variable: String,
        /// The flag's type.
        expected: &'static str,
        /// What may be meant: `, did you mean ..?`, or nothing.
        hint: String,
    },
    /// A singleton could not be created.
    #[error(transparent)]
    Singleton(#[from] SingletonError),
    /// A step failed, so `initialize` did.
    #[error("step `{}` failed, so nothing is initialized", printable(.name))]
    Step {
        /// The step.
        name: String,
        /// Its own error, or why it was not run.
        source: BoxError,
    },
    /// Steps that `initialize` is to run are async.
    #[error("steps are async: {}; await `initialize_async(config)` instead", .names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))]
    AsyncSteps {
        /// Their names.
        names: Vec<String>,
    },
    /// `initialize` was called by what it waits for.
    #[error(
        "already initializing, and that waits for this call: {path}; steps find the configuration by `initialization().config()`"
    )]
    Initializing {
        /// The circle, with the place of each declaration.
        path: String,
    },
    /// The configuration was asked for before `initialize`.
    #[error("not initialized: call `initialize` first")]
    NotInitialized,
    /// A breaker of that name exists with another configuration; the existing one stays in force.
    #[error("circuit breaker `{}` exists with {existing}; {requested} was asked for", printable(.name))]
    BreakerConfigMismatch {
        /// The breaker.
        name: String,
        /// The configuration in force.
        existing: String,
        /// The configuration asked for.
        requested: String,
    },
    /// A configuration value that cannot work.
    #[error("`{}`: {reason}", printable(.name))]
    InvalidConfig {
        /// The component.
        name: String,
        /// What is wrong and what to write.
        reason: String,
    },
    /// Settings that cannot be used: nothing of them was applied.
    #[cfg(not(loom))]
    #[error("nothing of the settings was applied:{}", crate::settings::listed(.problems))]
    InvalidSettings {
        /// All that is wrong.
        problems: Vec<crate::settings::Problem>,
    },
    /// A setting that cannot be used and is left out, for [`verify`](crate::verify).
    #[cfg(not(loom))]
    #[error("{problem}")]
    IgnoredSetting {
        /// What is wrong.
        problem: crate::settings::Problem,
    },
    /// A bound on run-time entries is reached.
    #[error("`{}` not stored: {what} holds its {limit} entries", printable(.name))]
    Full {
        /// What is full.
        what: &'static str,
        /// The entry that found no place.
        name: String,
        /// The bound.
        limit: usize,
    },
    /// A value or name is larger than what is stored.
    #[error("`{}`: {size} bytes, at most {limit} are stored", printable(.name))]
    TooLarge {
        /// The entry, cut short.
        name: String,
        /// Its size in bytes.
        size: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// No operation of that name.
    #[error("unknown operation `{}`; there are: {}", printable(.op), .known.join(", "))]
    UnknownOperation {
        /// What was asked for.
        op: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// The operation does not take that argument.
    #[error("operation `{op}` takes no argument `{}`; it takes: {}", printable(.name), .known.join(", "))]
    UnknownArgument {
        /// The operation.
        op: &'static str,
        /// The argument.
        name: String,
        /// What it takes.
        known: Vec<&'static str>,
    },
    /// The operation needs that argument.
    #[error("operation `{op}` needs the argument `{name}`")]
    MissingArgument {
        /// The operation.
        op: &'static str,
        /// The argument.
        name: &'static str,
    },
    /// The component has no such operation.
    #[error("`{}`: {reason}", printable(.name))]
    NotPossible {
        /// The component.
        name: String,
        /// Why, and what to do.
        reason: &'static str,
    },
    /// The operation cannot be carried out from JSON arguments.
    #[error("`{}` cannot be called by name: {reason}", printable(.name))]
    NotDispatchable {
        /// The component.
        name: String,
        /// Why, and what to do.
        reason: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_reads_naturally() {
        let text = |nanos| wait(&Duration::from_nanos(nanos));
        assert_eq!(text(0), "0ms");
        assert_eq!(text(1), "1ms");
        assert_eq!(text(399_900_001), "400ms");
        assert_eq!(text(999_980_000), "1s");
        assert_eq!(text(1_000_000_001), "1s");
        assert_eq!(text(1_000_002_000), "1.001s");
        assert_eq!(text(1_040_000_000), "1.04s");
        assert_eq!(text(29_960_000_001), "29.96s");
        assert_eq!(text(3_599_999_001_000), "3600s");
    }

    #[test]
    fn a_chain_of_causes_that_is_a_circle_ends() {
        #[derive(Debug)]
        struct Own;
        impl std::fmt::Display for Own {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("own")
            }
        }
        impl StdError for Own {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&Own)
            }
        }
        assert!(chain(&Own).len() < 200);
    }
}

//! What keeps a singleton from being created.

use super::BoxError;
use super::text::{printable, wait};
use std::time::Duration;

/// What an error is about, unless it is a step.
pub(crate) const SINGLETON: &str = "singleton";
/// What it is about if it is a step, a singleton without a value.
pub(crate) const STEP: &str = "step";

/// What is said of a singleton, or of a step.
fn either<'a>(what: &&str, singleton: &'a str, step: &'a str) -> &'a str {
    if *what == STEP { step } else { singleton }
}

/// Why a singleton could not be handed out, or a step ([`init_flag`](macro@crate::init_flag) on a function) be run.
///
/// ```
/// use lifecycle::{SingletonError, singleton};
///
/// #[singleton(try_factory = Config::load)]
/// struct Config;
///
/// impl Config {
///     fn load() -> Result<Self, std::num::ParseIntError> {
///         "x".parse::<u8>().map(|_| Self)
///     }
/// }
///
/// let error = Config::try_instance().err().unwrap();
/// assert!(matches!(&error, SingletonError::Factory { .. }));
/// assert_eq!(error.to_string(), "singleton `config`: its factory failed");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SingletonError {
    /// Its factory failed. Nothing was stored: the next access tries again.
    #[error("{what} `{name}`{}", either(what, ": its factory failed", " failed"))]
    Factory {
        /// What it is: `singleton`, or `step`.
        what: &'static str,
        /// The singleton's name.
        name: String,
        /// What the factory said.
        source: BoxError,
    },
    /// Its creation needs itself.
    #[error("{what}s need each other to be {}: {path}", either(what, "created", "run"))]
    Cycle {
        /// What it is: `singleton`, or `step`.
        what: &'static str,
        /// The circle, with the place of each declaration.
        path: String,
    },
    /// Its creation took longer than its `init_timeout`; it goes on.
    #[error(
        "{what} `{}` was not {} within {}; still under way: {waiting_for}",
        printable(.name), either(what, "created", "done"), wait(.waited)
    )]
    InitTimeout {
        /// What it is: `singleton`, or `step`.
        what: &'static str,
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
        "{what} `{}` is not {} any more: the process is shutting down (what is needed then is {})", printable(.name),
        either(what, "created", "run"), either(what, "made `eager`", "run before, by `on_initialize`")
    )]
    ShuttingDown {
        /// What it is: `singleton`, or `step`.
        what: &'static str,
        /// The singleton's name.
        name: String,
    },
    /// The test world of this context has ended: what exists there can be read, nothing is created.
    #[error(
        "{what} `{}` is not {} any more: the test world of this context has ended",
        printable(.name), either(what, "created", "run")
    )]
    ContextEnded {
        /// What it is: `singleton`, or `step`.
        what: &'static str,
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
    #[error(
        "{what} `{}` {}", printable(.name),
        either(what, "does not exist yet and its factory is async: await its accessor", "has not run yet and is async: await it")
    )]
    NeedsAsync {
        /// What it is: `singleton`, or `step`.
        what: &'static str,
        /// The singleton's name.
        name: String,
    },
    /// This process was forked while the parent was creating the singleton: the thread that does does not exist here.
    #[error(
        "{what} `{}` was being {} when this process was forked: the child cannot wait for it",
        printable(.name), either(what, "created", "run")
    )]
    Forked {
        /// What it is: `singleton`, or `step`.
        what: &'static str,
        /// The singleton's name.
        name: String,
    },
    /// It is reached by its accessor only, which has not been called yet.
    #[error("{what} `{}` {} yet: {why}", printable(.name), either(what, "does not exist", "has not run"))]
    NotReachable {
        /// What it is: `singleton`, or `step`.
        what: &'static str,
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
        Self::Factory { what: SINGLETON, name: name.to_owned(), source }
    }

    /// A factory's failure, said of that.
    #[cfg(not(loom))]
    pub(crate) fn of(mut self, kind: &'static str) -> Self {
        if let Self::Factory { what, .. } = &mut self {
            *what = kind;
        }
        self
    }
}

/// The error of an access that creates: the factory's own, or a refusal to run it.
#[doc(hidden)]
#[derive(Debug)]
pub enum CreateError<E> {
    Factory(E),
    Refused(SingletonError),
}

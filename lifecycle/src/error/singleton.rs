//! What keeps a singleton from being created.

use super::BoxError;
use super::text::{printable, wait};
use std::time::Duration;

/// Why a singleton could not be handed out.
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

//! What a call through a guard gives in place of a value.

use super::text::wait;
use super::{Error, Rejected};
use std::time::Duration;

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

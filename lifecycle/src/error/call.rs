//! What a call through a guard gives in place of a value.

use super::text::wait;
use super::{Error, Rejected};
use std::time::Duration;

/// The outcome of a call through a breaker or limiter that did not give a value.
///
/// ```
/// use lifecycle::{CallError, CircuitBreaker};
///
/// fn told<E: std::fmt::Display>(outcome: Result<u8, CallError<E>>) -> String {
///     match outcome {
///         Ok(rows) => format!("{rows} rows"),
///         Err(CallError::Inner(error)) => format!("it failed: {error}"),
///         Err(refused) => refused.to_string(), // it did not run
///     }
/// }
///
/// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
/// assert_eq!(told(breaker.call(|| Ok::<_, &str>(3))), "3 rows");
/// assert_eq!(told(breaker.call(|| Err("no route"))), "it failed: no route");
/// assert!(told(breaker.call(|| Ok::<_, &str>(3))).starts_with("`db`: circuit breaker is open"));
/// # Ok::<(), lifecycle::Error>(())
/// ```
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

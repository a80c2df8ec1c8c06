//! Events of limiters.

use super::{correlation, heard, millis, record, retry_words};
use crate::error::printable;
use std::time::Duration;
use tracing::Level;

/// May anybody listen to events of level debug? Cheaper than finding out by one.
#[inline]
pub(crate) fn tells_details() -> bool {
    heard(Level::DEBUG)
}

/// The first refusal of an episode warns, the others are for debugging.
pub(crate) fn limiter_limited(name: &str, limit: u32, window: Duration, retry_after: Option<Duration>, first: bool) {
    record("lifecycle.rate_limiter.limited", name, || retry_words(retry_after));
    macro_rules! emit {
        ($level:expr) => {
            event!(
                name: "lifecycle.rate_limiter.limited", target: "lifecycle::rate_limiter", $level,
                rate_limiter.name = printable(name), limit, window_ms = millis(Some(window)),
                retry_after_ms = millis(retry_after), correlation_id = correlation(), "rate limit reached"
            )
        };
    }
    if first { emit!(Level::WARN) } else { emit!(Level::DEBUG) }
}

/// Ends an episode of refusals: how many were told at debug level only.
pub(crate) fn limiter_recovered(name: &str, suppressed: u64) {
    record("lifecycle.rate_limiter.recovered", name, || suppressed.to_string());
    event!(
        name: "lifecycle.rate_limiter.recovered", target: "lifecycle::rate_limiter", Level::INFO,
        rate_limiter.name = printable(name), suppressed, correlation_id = correlation(), "rate limit admits again"
    );
}

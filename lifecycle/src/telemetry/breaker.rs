//! Events of breakers.

use super::{correlation, heard, millis, record, retry_words};
use crate::error::printable;
use std::time::Duration;
use tracing::Level;

/// A breaker's change of state, as its events tell it.
pub(crate) struct BreakerChange<'a> {
    pub(crate) name: &'a str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) failures: u32,
    pub(crate) threshold: Option<u32>,
    pub(crate) retry_after: Option<Duration>,
}

pub(crate) fn breaker_state_changed(change: &BreakerChange<'_>) {
    const NAME: &str = "lifecycle.circuit_breaker.state_changed";
    record(NAME, change.name, || format!("{} -> {}", change.from, change.to));
    // The level is part of an event's static metadata, so the two levels are two events.
    macro_rules! emit {
        ($level:expr) => {
            event!(
                name: "lifecycle.circuit_breaker.state_changed", target: "lifecycle::circuit_breaker", $level,
                circuit_breaker.name = printable(change.name), circuit_breaker.state = change.to,
                circuit_breaker.previous_state = change.from, reason = change.reason, failures = change.failures,
                threshold = change.threshold, retry_after_ms = millis(change.retry_after),
                correlation_id = correlation(), "circuit breaker changed state"
            )
        };
    }
    if change.to == "open" { emit!(Level::WARN) } else { emit!(Level::INFO) }
}

/// Observing only, it came to what would have opened it: once, until its state is set again.
pub(crate) fn breaker_would_open(name: &str, reason: &'static str, failures: u32) {
    record("lifecycle.circuit_breaker.would_open", name, || reason.to_owned());
    event!(
        name: "lifecycle.circuit_breaker.would_open", target: "lifecycle::circuit_breaker", Level::WARN,
        circuit_breaker.name = printable(name), reason, failures, correlation_id = correlation(),
        "circuit breaker would have opened, if it did not observe only"
    );
}

pub(crate) fn breaker_listener_panicked(name: &str) {
    record("lifecycle.circuit_breaker.listener_panicked", name, String::new);
    event!(
        name: "lifecycle.circuit_breaker.listener_panicked", target: "lifecycle::circuit_breaker", Level::ERROR,
        circuit_breaker.name = printable(name), correlation_id = correlation(),
        "a listener of a circuit breaker panicked"
    );
}

#[inline]
pub(crate) fn breaker_rejected<'a>(what: impl FnOnce() -> (&'a str, Option<Duration>)) {
    if heard(Level::DEBUG) {
        let (name, retry_after) = what();
        tell_rejected(name, retry_after);
    }
}

#[cold]
fn tell_rejected(name: &str, retry_after: Option<Duration>) {
    record("lifecycle.circuit_breaker.call_rejected", name, || retry_words(retry_after));
    event!(
        name: "lifecycle.circuit_breaker.call_rejected", target: "lifecycle::circuit_breaker", Level::DEBUG,
        circuit_breaker.name = printable(name), retry_after_ms = millis(retry_after), correlation_id = correlation(),
        "circuit breaker refused a call"
    );
}

pub(crate) fn breaker_forced(name: &str, state: &'static str) {
    record("lifecycle.circuit_breaker.forced", name, || state.to_owned());
    event!(
        name: "lifecycle.circuit_breaker.forced", target: "lifecycle::circuit_breaker", Level::WARN,
        circuit_breaker.name = printable(name), circuit_breaker.state = state, by = "call", correlation_id = correlation(),
        "circuit breaker set by hand"
    );
}

pub(crate) fn breaker_created(name: &str) {
    record("lifecycle.circuit_breaker.created", name, String::new);
    event!(
        name: "lifecycle.circuit_breaker.created", target: "lifecycle::circuit_breaker", Level::DEBUG,
        circuit_breaker.name = printable(name), correlation_id = correlation(), "circuit breaker created"
    );
}

pub(crate) fn breaker_config_differs(name: &str, existing: &str, requested: &str) {
    record("lifecycle.circuit_breaker.config_differs", name, || requested.to_owned());
    event!(
        name: "lifecycle.circuit_breaker.config_differs", target: "lifecycle::circuit_breaker", Level::WARN,
        circuit_breaker.name = printable(name), existing, requested, correlation_id = correlation(),
        "circuit breaker exists with another configuration, which stays in force"
    );
}

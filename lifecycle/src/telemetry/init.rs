//! Events of the initialization and its steps.

use super::{correlation, micros, record};
use crate::error::printable;
use std::time::Duration;
use tracing::Level;

pub(super) fn step_completed(name: &str, took: Duration, order: u64) {
    record("lifecycle.init.step_completed", name, || format!("order {order}"));
    event!(
        name: "lifecycle.init.step_completed", target: "lifecycle::init", Level::DEBUG,
        step.name = printable(name), duration_us = micros(took), init.order = order, correlation_id = correlation(),
        "step done"
    );
}

pub(super) fn step_failed(name: &str, error_type: &str, message: &str, took: Duration) {
    record("lifecycle.init.step_failed", name, || message.to_owned());
    event!(
        name: "lifecycle.init.step_failed", target: "lifecycle::init", Level::ERROR,
        step.name = printable(name), error.type = error_type, error.message = message, duration_us = micros(took),
        correlation_id = correlation(), "step failed; the next call tries again"
    );
}

pub(crate) fn step_reset(name: &str, reason: &'static str) {
    record("lifecycle.init.step_reset", name, || reason.to_owned());
    event!(
        name: "lifecycle.init.step_reset", target: "lifecycle::init", Level::INFO,
        step.name = printable(name), reason, correlation_id = correlation(), "step will run again"
    );
}

pub(super) fn init_failed(error_type: &str, message: &str, took: Duration) {
    record("lifecycle.init.failed", "initialization", || message.to_owned());
    event!(
        name: "lifecycle.init.failed", target: "lifecycle::init", Level::ERROR,
        error.type = error_type, error.message = message, duration_us = micros(took), correlation_id = correlation(),
        "initialization failed; the next call tries again"
    );
}

pub(crate) fn init_completed(took: Duration) {
    record("lifecycle.init.completed", "initialization", String::new);
    event!(
        name: "lifecycle.init.completed", target: "lifecycle::init", Level::INFO, duration_us = micros(took),
        correlation_id = correlation(), "initialized"
    );
}

pub(crate) fn init_config_ignored(keys: &[String]) {
    // Names are short or long, few or many, as the caller likes.
    let keys = printable(&keys.iter().take(32).map(String::as_str).collect::<Vec<_>>().join(", "));
    record("lifecycle.init.config_ignored", "initialization", || keys.clone());
    event!(
        name: "lifecycle.init.config_ignored", target: "lifecycle::init", Level::WARN, keys,
        correlation_id = correlation(), "already initialized; the differing configuration of a later call is ignored"
    );
}

pub(crate) fn init_reset(was_initialized: bool) {
    record("lifecycle.init.reset", "initialization", String::new);
    event!(
        name: "lifecycle.init.reset", target: "lifecycle::init", Level::INFO, was_initialized,
        correlation_id = correlation(), "initialization reset"
    );
}

//! Events of singletons.

use super::{correlation, micros, record};
use crate::error::printable;
use std::time::Duration;
use tracing::Level;

pub(super) fn singleton_initialized(name: &str, took: Duration, order: u64) {
    record("lifecycle.singleton.initialized", name, || format!("order {order}"));
    event!(
        name: "lifecycle.singleton.initialized", target: "lifecycle::singleton", Level::DEBUG,
        singleton.name = printable(name), duration_us = micros(took), init.order = order, correlation_id = correlation(),
        "singleton created"
    );
}

pub(super) fn singleton_init_failed(name: &str, error_type: &str, message: &str, took: Duration) {
    record("lifecycle.singleton.init_failed", name, || message.to_owned());
    event!(
        name: "lifecycle.singleton.init_failed", target: "lifecycle::singleton", Level::ERROR,
        singleton.name = printable(name), error.type = error_type, error.message = message, duration_us = micros(took),
        correlation_id = correlation(), "singleton factory failed; the next access tries again"
    );
}

pub(crate) fn singleton_reset(name: &str, reason: &'static str) {
    record("lifecycle.singleton.reset", name, || reason.to_owned());
    event!(
        name: "lifecycle.singleton.reset", target: "lifecycle::singleton", Level::INFO,
        singleton.name = printable(name), reason, correlation_id = correlation(), "singleton instance taken away"
    );
}

pub(crate) fn singleton_hook_failed(name: &str, hook: &'static str, message: &str) {
    record("lifecycle.singleton.hook_failed", name, || format!("{hook}: {message}"));
    event!(
        name: "lifecycle.singleton.hook_failed", target: "lifecycle::singleton", Level::ERROR,
        singleton.name = printable(name), hook, error.message = message, correlation_id = correlation(),
        "singleton hook failed"
    );
}

/// A keyed singleton is full: from now on new keys get instances of their own that nobody keeps.
pub(crate) fn singleton_full(name: &str, max_keys: usize) {
    record("lifecycle.singleton.full", name, || max_keys.to_string());
    event!(
        name: "lifecycle.singleton.full", target: "lifecycle::singleton", Level::WARN,
        singleton.name = printable(name), max_keys, correlation_id = correlation(),
        "keyed singleton is full; new keys get a fresh instance each time"
    );
}

pub(crate) fn singleton_retired(name: &str, count: u64, bytes: usize) {
    record("lifecycle.singleton.retired", name, || count.to_string());
    event!(
        name: "lifecycle.singleton.retired", target: "lifecycle::singleton", Level::WARN,
        singleton.name = printable(name), retired = count, bytes,
        "replaced instances of a `&'static` singleton stay allocated; for values that change use a swap singleton"
    );
}

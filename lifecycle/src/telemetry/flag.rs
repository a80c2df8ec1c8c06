//! Events of flags.

use super::{correlation, record};
use crate::error::printable;
use tracing::Level;

pub(crate) fn flag_changed(key: &str, old: &str, new: &str, by: &'static str) {
    record("lifecycle.flag.changed", key, || format!("{old} -> {new}"));
    event!(
        name: "lifecycle.flag.changed", target: "lifecycle::flag", Level::INFO,
        feature_flag.key = printable(key), old, new, by, correlation_id = correlation(), "flag changed"
    );
}

pub(crate) fn flag_listener_panicked(key: &str) {
    record("lifecycle.flag.listener_panicked", key, String::new);
    event!(
        name: "lifecycle.flag.listener_panicked", target: "lifecycle::flag", Level::ERROR,
        feature_flag.key = printable(key), correlation_id = correlation(), "a listener of the flag panicked"
    );
}

pub(crate) fn flag_env_invalid(key: &str, variable: &str, expected: &'static str) {
    record("lifecycle.flag.env_invalid", key, || variable.to_owned());
    // The value itself is not logged: what stands in the wrong variable may be a secret.
    event!(
        name: "lifecycle.flag.env_invalid", target: "lifecycle::flag", Level::WARN,
        feature_flag.key = printable(key), variable, expected, correlation_id = correlation(),
        "environment variable does not hold a value of the flag's type; the default stays in force"
    );
}

pub(crate) fn flag_type_mismatch(key: &str, expected: &'static str) {
    record("lifecycle.flag.type_mismatch", key, || expected.to_owned());
    event!(
        name: "lifecycle.flag.type_mismatch", target: "lifecycle::flag", Level::WARN,
        feature_flag.key = printable(key), expected, correlation_id = correlation(),
        "flag holds a value of another type; the caller's default was given"
    );
}

//! Events of settings.

use super::{correlation, record};
use crate::error::printable;
use tracing::Level;

/// Numbers of a component are others by now: `by` says where the change came from.
pub(crate) fn settings_changed(kind: &'static str, name: &str, by: &'static str, old: &str, new: &str) {
    record("lifecycle.settings.changed", name, || format!("{old} -> {new}"));
    event!(
        name: "lifecycle.settings.changed", target: "lifecycle::settings", Level::INFO,
        component.kind = kind, component.name = printable(name), by, old, new, correlation_id = correlation(),
        "settings changed"
    );
}

/// The text of a problem never holds what stood in a variable.
#[cfg(not(loom))]
pub(crate) fn settings_ignored(problem: &crate::settings::Problem) {
    record("lifecycle.settings.ignored", &problem.name, || problem.to_string());
    event!(
        name: "lifecycle.settings.ignored", target: "lifecycle::settings", Level::WARN,
        component.name = printable(&problem.name), option = problem.option.as_deref(),
        variable = problem.variable.as_deref(), reason = problem.to_string(), correlation_id = correlation(),
        "settings that cannot be used; what holds without them stays in force"
    );
}

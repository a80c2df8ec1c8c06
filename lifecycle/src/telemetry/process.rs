//! Events of the process's life, and of the cores.

use super::{correlation, micros, record};
use crate::error::printable;
use std::time::Duration;
use tracing::Level;

#[cfg(not(loom))]
pub(crate) fn memory_short(resident: u64, threshold: u64, freed: u64) {
    record("lifecycle.memory.short", "memory", || format!("{resident} over {threshold}, {freed} freed"));
    event!(
        name: "lifecycle.memory.short", target: "lifecycle::memory", Level::WARN, memory.resident = resident,
        memory.threshold = threshold, memory.freed = freed, correlation_id = correlation(),
        "memory is short; pressure hooks ran"
    );
}

#[cfg(not(loom))]
pub(crate) fn restored(hooks: usize, clean: bool, took: Duration) {
    record("lifecycle.snapshot.restored", "process", || format!("{hooks} hooks"));
    event!(
        name: "lifecycle.snapshot.restored", target: "lifecycle::snapshot", Level::INFO, hooks, clean,
        duration_us = micros(took), correlation_id = correlation(), "restored from a snapshot; time begins anew"
    );
}

/// The hooks of a shutdown run while its factory goes on.
#[cfg(not(loom))]
pub(crate) fn creation_abandoned(name: &str) {
    record("lifecycle.shutdown.abandoned", name, String::new);
    event!(
        name: "lifecycle.shutdown.abandoned", target: "lifecycle::shutdown", Level::WARN,
        singleton.name = printable(name), correlation_id = correlation(),
        "creation did not end before the hooks of the shutdown: what it still gives is dropped"
    );
}

pub(crate) fn shut_down(hooks: usize, clean: bool, took: Duration) {
    record("lifecycle.shutdown.completed", "process", || format!("{hooks} hooks"));
    event!(
        name: "lifecycle.shutdown.completed", target: "lifecycle::shutdown", Level::INFO,
        hooks, clean, duration_us = micros(took), correlation_id = correlation(), "shut down"
    );
}

pub(crate) fn core_reset(core: &'static str) {
    record("lifecycle.core.reset", core, String::new);
    event!(
        name: "lifecycle.core.reset", target: "lifecycle::core", Level::INFO, core, correlation_id = correlation(),
        "core reset"
    );
}

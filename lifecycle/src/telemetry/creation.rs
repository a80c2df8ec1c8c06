//! Runs of the users' code that create: singletons, steps, the initialization.

use super::{
    correlation, emitting,
    init::{init_failed, step_completed, step_failed},
    singleton::{singleton_init_failed, singleton_initialized},
};
use crate::error::printable;
use std::time::Duration;

/// What a run of the users' code creates: that decides in whose name it is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Creates {
    Singleton,
    Step,
    /// The initialization itself, which has events of its own.
    Initialization,
}

/// The span of a run; its parent is whatever span the one who asked is in.
pub(crate) fn creation_span(
    creates: Creates,
    name: &str,
    type_name: &'static str,
    source: (&'static str, u32),
) -> tracing::Span {
    let Some(_emitting) = emitting() else {
        return tracing::Span::none();
    };
    match creates {
        Creates::Singleton => tracing::info_span!(
            target: "lifecycle::singleton", "singleton.init",
            singleton.name = printable(name), singleton.type = type_name,
            singleton.source = format_args!("{}:{}", source.0, source.1), correlation_id = correlation(),
        ),
        Creates::Step => tracing::info_span!(
            target: "lifecycle::init", "init.step", step.name = printable(name),
            step.source = format_args!("{}:{}", source.0, source.1), correlation_id = correlation(),
        ),
        Creates::Initialization => {
            tracing::info_span!(target: "lifecycle::init", "init", correlation_id = correlation())
        }
    }
}

/// A run ended well; `order` is the place of what it created.
pub(crate) fn created(creates: Creates, name: &str, took: Duration, order: u64) {
    match creates {
        Creates::Singleton => singleton_initialized(name, took, order),
        Creates::Step => step_completed(name, took, order),
        Creates::Initialization => {}
    }
}

/// A run failed: the next access tries again.
pub(crate) fn creation_failed(creates: Creates, name: &str, error_type: &str, message: &str, took: Duration) {
    match creates {
        Creates::Singleton => singleton_init_failed(name, error_type, message, took),
        Creates::Step => step_failed(name, error_type, message, took),
        Creates::Initialization => init_failed(error_type, message, took),
    }
}

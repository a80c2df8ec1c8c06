//! Every tracing event of the crate, in one place. Nothing here is called with a lock held: a subscriber may call back.
//!
//! Names and fields are listed for users in [`events`](crate::events); the static message says the same to people.
//! In a test world each event is recorded too ([`testing::events`](crate::testing::events)).

use crate::error::wait;
use crate::scope;
use std::time::Duration;
use tracing::Level;

thread_local! {
    /// This thread is telling a subscriber of something. No destructor: legal in other destructors.
    static EMITTING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Held while a subscriber is told. `None` inside it: what a subscriber does through this crate is not told in turn, else one
/// that throttles itself with a limiter would be told of its own refusals without end.
struct Emitting(());

fn emitting() -> Option<Emitting> {
    // The subscriber of a model is loom's own.
    (!cfg!(loom) && !EMITTING.replace(true)).then(|| Emitting(()))
}

impl Drop for Emitting {
    fn drop(&mut self) {
        EMITTING.set(false);
    }
}

macro_rules! event {
    ($($event:tt)*) => {
        if let Some(_emitting) = $crate::telemetry::emitting() {
            tracing::event!($($event)*);
        }
    };
}

// After the macro, which they use.
mod breaker;
mod creation;
mod flag;
mod init;
#[cfg(not(loom))]
mod invocation;
mod limiter;
mod process;
mod settings;
mod singleton;

#[cfg(not(loom))]
pub(crate) use invocation::*;
pub(crate) use {breaker::*, creation::*, flag::*, init::*, limiter::*, process::*, settings::*, singleton::*};

/// May somebody hear an event of that level? Asked before those that hot paths tell of. (The `log` crate has a filter of its own.)
#[inline]
fn heard(level: Level) -> bool {
    cfg!(feature = "log") || level <= tracing::level_filters::LevelFilter::current() || !scope::quiet()
}

/// An event as a test world recorded it; from [`testing::events`](crate::testing::events). What there is: [`events`](crate::events).
///
/// ```
/// use lifecycle::{Rejected, circuit_breaker, testing};
///
/// #[circuit_breaker(name = "recorded")]
/// fn recorded() -> Result<(), Rejected> {
///     Ok(())
/// }
///
/// testing::isolated(|| {
///     lifecycle::breaker("recorded").unwrap().force_open();
///     let told = testing::events();
///     let changed = told.iter().find(|event| event.name == "lifecycle.circuit_breaker.state_changed").unwrap();
///     assert_eq!((changed.component.as_str(), changed.detail.as_str()), ("recorded", "closed -> forced_open"));
/// });
/// ```
#[cfg_attr(not(feature = "testing"), allow(dead_code, unreachable_pub, reason = "read through `testing` only"))]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventRecord {
    /// The event's name, such as `lifecycle.circuit_breaker.state_changed`.
    pub name: &'static str,
    /// The component it is about.
    pub component: String,
    /// What happened, in words: `closed -> open`.
    pub detail: String,
}

fn record(name: &'static str, component: &str, detail: impl FnOnce() -> String) {
    if scope::quiet() {
        return;
    }
    if let Some(universe) = scope::universe() {
        universe.record(EventRecord { name, component: component.to_owned(), detail: detail() });
    }
}

/// The correlation id as a field value; events outside any correlation do not have the field.
fn correlation() -> Option<String> {
    scope::correlation_id()
}

fn millis(duration: Option<Duration>) -> Option<u64> {
    // Up, so that whoever waits that long is not early.
    duration.map(|duration| u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

fn retry_words(after: Option<Duration>) -> String {
    after.map_or_else(|| "no retry helps".to_owned(), |after| format!("retry after {}", wait(&after)))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

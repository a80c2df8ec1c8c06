//! Every tracing event of the crate, in one place. Nothing here is called with a lock held: a subscriber may call back.
//!
//! Names and fields are listed for users in [`events`](crate::events); the static message says the same to people.
//! In a test world each event is recorded too ([`testing::events`](crate::testing::events)).

use crate::error::{printable, wait};
use crate::scope::{self, InvocationState};
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
        if let Some(_emitting) = emitting() {
            tracing::event!($($event)*);
        }
    };
}

/// May somebody hear an event of that level? Asked before those that hot paths tell of. (The `log` crate has a filter of its own.)
#[inline]
fn heard(level: Level) -> bool {
    cfg!(feature = "log") || level <= tracing::level_filters::LevelFilter::current() || !scope::quiet()
}

/// An event as a test world recorded it.
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

fn singleton_initialized(name: &str, took: Duration, order: u64) {
    record("lifecycle.singleton.initialized", name, || format!("order {order}"));
    event!(
        name: "lifecycle.singleton.initialized", target: "lifecycle::singleton", Level::DEBUG,
        singleton.name = printable(name), duration_us = micros(took), init.order = order, correlation_id = correlation(),
        "singleton created"
    );
}

fn singleton_init_failed(name: &str, error_type: &str, message: &str, took: Duration) {
    record("lifecycle.singleton.init_failed", name, || message.to_owned());
    event!(
        name: "lifecycle.singleton.init_failed", target: "lifecycle::singleton", Level::ERROR,
        singleton.name = printable(name), error.type = error_type, error.message = message, duration_us = micros(took),
        correlation_id = correlation(), "singleton factory failed; the next access tries again"
    );
}

fn step_completed(name: &str, took: Duration, order: u64) {
    record("lifecycle.init.step_completed", name, || format!("order {order}"));
    event!(
        name: "lifecycle.init.step_completed", target: "lifecycle::init", Level::DEBUG,
        step.name = printable(name), duration_us = micros(took), init.order = order, correlation_id = correlation(),
        "step done"
    );
}

fn step_failed(name: &str, error_type: &str, message: &str, took: Duration) {
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

fn init_failed(error_type: &str, message: &str, took: Duration) {
    record("lifecycle.init.failed", "initialization", || message.to_owned());
    event!(
        name: "lifecycle.init.failed", target: "lifecycle::init", Level::ERROR,
        error.type = error_type, error.message = message, duration_us = micros(took), correlation_id = correlation(),
        "initialization failed; the next call tries again"
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

/// The span of an invocation, in which its code runs.
#[cfg(not(loom))]
#[inline]
pub(crate) fn invocation_span(invocation: &InvocationState) -> tracing::Span {
    if !heard(Level::INFO) {
        return tracing::Span::none();
    }
    let Some(_emitting) = emitting() else {
        return tracing::Span::none();
    };
    tracing::info_span!(
        target: "lifecycle::invocation", "invocation", invocation.id = printable(invocation.id()),
        invocation.count = invocation.number(), cold = invocation.number() == 1,
    )
}

#[cfg(not(loom))]
#[inline]
pub(crate) fn invocation_began(invocation: &InvocationState) {
    if heard(Level::DEBUG) {
        tell_invocation_began(invocation);
    }
}

#[cfg(not(loom))]
#[cold]
#[inline(never)]
fn tell_invocation_began(invocation: &InvocationState) {
    let (id, count) = (invocation.id(), invocation.number());
    record("lifecycle.invocation.began", id, || count.to_string());
    event!(
        name: "lifecycle.invocation.began", target: "lifecycle::invocation", Level::DEBUG,
        invocation.id = printable(id), invocation.count = count, cold = count == 1, correlation_id = correlation(),
        "invocation began"
    );
}

/// `outcome`: `done`, `dropped` or `panicked`.
#[cfg(not(loom))]
#[inline]
pub(crate) fn invocation_ended(invocation: &InvocationState, outcome: &'static str) {
    if heard(Level::DEBUG) {
        tell_invocation_ended(invocation, outcome);
    }
}

#[cfg(not(loom))]
#[cold]
#[inline(never)]
fn tell_invocation_ended(invocation: &InvocationState, outcome: &'static str) {
    let (id, count) = (invocation.id(), invocation.number());
    record("lifecycle.invocation.ended", id, || outcome.to_owned());
    event!(
        name: "lifecycle.invocation.ended", target: "lifecycle::invocation", Level::DEBUG,
        invocation.id = printable(id), invocation.count = count, cold = count == 1, outcome,
        duration_us = micros(invocation.elapsed()), correlation_id = correlation(), "invocation ended"
    );
}

/// The hooks of a shutdown run while it goes on.
#[cfg(not(loom))]
pub(crate) fn invocation_unfinished(id: &str) {
    record("lifecycle.invocation.unfinished", id, String::new);
    event!(
        name: "lifecycle.invocation.unfinished", target: "lifecycle::invocation", Level::WARN,
        invocation.id = printable(id), correlation_id = correlation(),
        "invocation did not end within the time that the shutdown has for that"
    );
}

/// What an invocation is at goes into the snapshot with it.
#[cfg(not(loom))]
pub(crate) fn snapshot_while_active(active: usize) {
    record("lifecycle.invocation.snapshot_while_active", "invocations", || active.to_string());
    event!(
        name: "lifecycle.invocation.snapshot_while_active", target: "lifecycle::invocation", Level::WARN,
        invocations.active = active, correlation_id = correlation(),
        "a snapshot is prepared while invocations are under way: what they are at goes on in every copy of it"
    );
}

/// Reset hooks run while several invocations may be using what they reset.
#[cfg(not(loom))]
pub(crate) fn reset_while_active(active: usize) {
    record("lifecycle.invocation.reset_while_active", "invocations", || active.to_string());
    event!(
        name: "lifecycle.invocation.reset_while_active", target: "lifecycle::invocation", Level::WARN,
        invocations.active = active, correlation_id = correlation(),
        "reset hooks run while several invocations are under way: what belongs to one is `scope = invocation`"
    );
}

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

/// A keyed singleton is full: from now on new keys get instances of their own that nobody keeps.
pub(crate) fn singleton_full(name: &str, max_keys: usize) {
    record("lifecycle.singleton.full", name, || max_keys.to_string());
    event!(
        name: "lifecycle.singleton.full", target: "lifecycle::singleton", Level::WARN,
        singleton.name = printable(name), max_keys, correlation_id = correlation(),
        "keyed singleton is full; new keys get a fresh instance each time"
    );
}

pub(crate) fn shut_down(hooks: usize, clean: bool, took: Duration) {
    record("lifecycle.shutdown.completed", "process", || format!("{hooks} hooks"));
    event!(
        name: "lifecycle.shutdown.completed", target: "lifecycle::shutdown", Level::INFO,
        hooks, clean, duration_us = micros(took), correlation_id = correlation(), "shut down"
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

/// Numbers of a component are others by now: `by` says where the change came from.
pub(crate) fn settings_changed(kind: &'static str, name: &str, by: &'static str, old: &str, new: &str) {
    record("lifecycle.settings.changed", name, || format!("{old} -> {new}"));
    event!(
        name: "lifecycle.settings.changed", target: "lifecycle::settings", Level::INFO,
        component.kind = kind, component.name = printable(name), by, old, new, correlation_id = correlation(),
        "settings changed"
    );
}

#[cfg(not(loom))]
/// The text of a problem never holds what stood in a variable.
pub(crate) fn settings_ignored(problem: &crate::settings::Problem) {
    record("lifecycle.settings.ignored", &problem.name, || problem.to_string());
    event!(
        name: "lifecycle.settings.ignored", target: "lifecycle::settings", Level::WARN,
        component.name = printable(&problem.name), option = problem.option.as_deref(),
        variable = problem.variable.as_deref(), reason = problem.to_string(), correlation_id = correlation(),
        "settings that cannot be used; what holds without them stays in force"
    );
}

pub(crate) fn core_reset(core: &'static str) {
    record("lifecycle.core.reset", core, String::new);
    event!(
        name: "lifecycle.core.reset", target: "lifecycle::core", Level::INFO, core, correlation_id = correlation(),
        "core reset"
    );
}

/// The first refusal of an episode warns, the others are for debugging.
/// May anybody listen to events of level debug? Cheaper than finding out by one.
#[inline]
pub(crate) fn tells_details() -> bool {
    cfg!(feature = "log") || !crate::scope::quiet() || Level::DEBUG <= tracing::level_filters::LevelFilter::current()
}

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

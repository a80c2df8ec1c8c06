//! No lock is held while user code runs: a tracing subscriber may call everything back, throttle itself, or panic.

use lifecycle::clock::ManualClock;
use lifecycle::{CircuitBreaker, Flag, RateLimiter, circuit_breaker, init_flag, rate_limit, singleton};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tracing::{Event, Metadata, Subscriber, span};

#[singleton]
fn reachable() -> u8 {
    1
}

#[init_flag]
static NOTED: Flag<bool> = false;

#[circuit_breaker(threshold = 1, timeout = 30)]
#[rate_limit("3/s")]
fn guarded(ok: bool) -> anyhow::Result<()> {
    if ok { Ok(()) } else { anyhow::bail!("down") }
}

static EVENTS: AtomicUsize = AtomicUsize::new(0);

thread_local!(static ON_EVENT: Cell<fn()> = const { Cell::new(|| ()) });

/// The one subscriber of the process; each test says what it does on its thread.
struct Calls;

impl Subscriber for Calls {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("lifecycle")
    }

    fn event(&self, _: &Event<'_>) {
        EVENTS.fetch_add(1, Ordering::SeqCst);
        ON_EVENT.get()();
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn with_subscriber(on_event: fn(), f: impl FnOnce()) {
    // The global one: tracing itself stops events inside events only for scoped ones.
    lifecycle_tests::told_everywhere(Calls);
    ON_EVENT.set(on_event);
    f();
    ON_EVENT.set(|| ());
}

fn use_everything() {
    let _ = reachable();
    NOTED.set(!NOTED.get());
    let _ = guarded(false);
    let _ = guarded(true);
    lifecycle::breaker("guarded").unwrap().reset();
    let _ = lifecycle::singletons().get_or_create("by_name", || 1_u8);
    let _ = lifecycle::singletons().clear();
    let _ = lifecycle::breakers().call("by_name", || Ok::<_, ()>(()));
    let _ = lifecycle::snapshot().to_string();
}

#[test]
fn a_subscriber_may_use_the_framework_from_inside_its_events() {
    with_subscriber(use_everything, || (0..3).for_each(|_| use_everything()));
    assert!(EVENTS.load(Ordering::SeqCst) > 5);
}

#[test]
fn a_subscriber_that_throttles_itself_is_not_told_of_its_own_refusals() {
    fn throttled() {
        static LIMIT: std::sync::LazyLock<RateLimiter> =
            std::sync::LazyLock::new(|| RateLimiter::new(1, Duration::from_secs(3600)).unwrap());
        let _ = LIMIT.try_acquire();
    }
    with_subscriber(throttled, || (0..5).for_each(|_| _ = NOTED.set(!NOTED.get())));
}

#[test]
fn a_subscriber_that_panics_does_not_keep_a_probe_s_slot() {
    let clock = Arc::new(ManualClock::new());
    let breaker = CircuitBreaker::builder("probed").threshold(1).clock(clock.clone()).build().unwrap();
    breaker.call(|| Err::<(), _>("down")).unwrap_err();
    clock.advance(Duration::from_secs(60));
    with_subscriber(
        || panic!("subscriber"),
        || {
            assert!(catch_unwind(AssertUnwindSafe(|| drop(breaker.try_acquire()))).is_err());
        },
    );
    ON_EVENT.set(|| ());
    assert!(breaker.try_acquire().is_ok());
}

//! The circuit breaker, on a clock moved by hand. Ids such as C13 are rows of the conformance scenarios.

use lifecycle::clock::ManualClock;
use lifecycle::registry::BreakerStatistics;
use lifecycle::{BreakerConfig, CallError, CircuitBreaker, Error, RejectedKind, State};
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn breaker(config: BreakerConfig) -> (CircuitBreaker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap(), clock)
}

fn three() -> BreakerConfig {
    BreakerConfig::new().threshold(3).timeout(secs(30))
}

fn ok(breaker: &CircuitBreaker) {
    breaker.call(|| Ok::<_, ()>(())).unwrap();
}

fn fail(breaker: &CircuitBreaker) {
    assert!(matches!(breaker.call(|| Err::<(), _>("down")), Err(CallError::Inner("down"))));
}

#[track_caller]
fn refused(breaker: &CircuitBreaker) -> (RejectedKind, Option<Duration>) {
    match breaker.call(|| -> Result<(), ()> { panic!("a refused call must not run") }) {
        Err(CallError::Rejected(rejected)) => (rejected.kind, rejected.retry_after),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn counts(breaker: &CircuitBreaker) -> BreakerStatistics {
    breaker.metrics().statistics
}

#[test]
fn opens_on_exactly_the_threshold_of_failures_in_a_row() {
    let (breaker, _) = breaker(three());
    fail(&breaker);
    fail(&breaker);
    ok(&breaker); // resets the row
    fail(&breaker);
    fail(&breaker);
    assert_eq!((breaker.state(), breaker.metrics().failures), (State::Closed, 2));
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(refused(&breaker), (RejectedKind::Open, Some(secs(30))));
}

#[test]
fn b1_becomes_half_open_with_the_call_that_comes_at_the_timeout_and_not_before() {
    let (breaker, clock) = breaker(three());
    (0..3).for_each(|_| fail(&breaker));
    clock.advance(secs(30) - Duration::from_nanos(1));
    assert_eq!(refused(&breaker).1, Some(Duration::from_nanos(1)));
    clock.advance(Duration::from_nanos(1));
    // Asking changes nothing: it still reads open, with nothing left to wait.
    assert_eq!((breaker.state(), breaker.metrics().retry_after_seconds), (State::Open, Some(0.0)));
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(refused(&breaker).0, RejectedKind::HalfOpenFull);
    probe.success();
    assert_eq!((breaker.state(), breaker.metrics().failures), (State::Closed, 0));
}

#[test]
fn a_failed_probe_reopens_for_the_whole_timeout() {
    let (breaker, clock) = breaker(three());
    (0..3).for_each(|_| fail(&breaker));
    clock.advance(secs(40));
    fail(&breaker);
    assert_eq!(refused(&breaker), (RejectedKind::Open, Some(secs(30))));
    assert_eq!((counts(&breaker).times_opened, breaker.metrics().failures), (2, 3));
}

#[test]
fn b10_b11_late_results_go_to_the_statistics_only() {
    let (breaker, clock) = breaker(BreakerConfig::new().threshold(1).timeout(secs(30)));
    let (late_failure, late_success) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    fail(&breaker);
    clock.advance(secs(10));
    late_failure.failure();
    assert_eq!(refused(&breaker).1, Some(secs(20)), "a late failure does not extend the opening");
    late_success.success();
    assert_eq!(breaker.state(), State::Open, "a late success does not close it");
    assert_eq!(
        (counts(&breaker).failed_calls, counts(&breaker).successful_calls, counts(&breaker).times_opened),
        (2, 1, 1)
    );
}

#[test]
fn e1_a_result_from_before_the_opening_does_not_decide_the_probe() {
    let (breaker, clock) = breaker(BreakerConfig::new().threshold(1).timeout(secs(30)));
    let (old_failure, old_success) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    fail(&breaker);
    clock.advance(secs(30));
    let probe = breaker.try_acquire().unwrap();
    old_success.success();
    assert_eq!(breaker.state(), State::HalfOpen);
    old_failure.failure();
    assert_eq!(breaker.state(), State::HalfOpen);
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn c3_c10_neutral_outcomes_give_the_slot_back_and_decide_nothing() {
    let (breaker, clock) = breaker(three().half_open_calls(2).success_threshold(2));
    (0..3).for_each(|_| fail(&breaker));
    clock.advance(secs(30));
    let (first, second) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    refused(&breaker);
    first.ignore();
    drop(second);
    assert_eq!(breaker.state(), State::HalfOpen);
    ok(&breaker);
    assert_eq!(breaker.state(), State::HalfOpen);
    ok(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!((counts(&breaker).ignored_calls, counts(&breaker).cancelled_calls), (1, 1));
}

#[test]
fn c13_a_probe_that_hangs_or_leaks_loses_its_slot_to_the_next_caller() {
    let (breaker, clock) = breaker(three());
    (0..3).for_each(|_| fail(&breaker));
    clock.advance(secs(30));
    std::mem::forget(breaker.try_acquire().unwrap());
    assert_eq!(refused(&breaker), (RejectedKind::HalfOpenFull, Some(secs(30))));
    clock.advance(secs(30));
    ok(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn c16_threads_released_at_the_instant_of_expiry_admit_exactly_the_probes() {
    for probes in [1, 3] {
        let (breaker, clock) = breaker(three().half_open_calls(probes).success_threshold(probes));
        (0..3).for_each(|_| fail(&breaker));
        clock.advance(secs(30));
        let (admitted, barrier) = (AtomicUsize::new(0), std::sync::Barrier::new(16));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    barrier.wait();
                    let permit = breaker.try_acquire();
                    admitted.fetch_add(usize::from(permit.is_ok()), Ordering::SeqCst);
                    barrier.wait(); // nobody gives a slot back before all have asked
                    drop(permit);
                });
            }
        });
        assert_eq!(admitted.into_inner(), probes as usize);
    }
}

#[test]
fn e5_a_panic_is_a_failure_goes_on_and_frees_the_slot() {
    let (breaker, clock) = breaker(BreakerConfig::new().threshold(1).timeout(secs(30)));
    let panic =
        || catch_unwind(AssertUnwindSafe(|| breaker.call(|| -> Result<(), ()> { panic!("boom") }))).unwrap_err();
    assert_eq!(panic().downcast_ref::<&str>(), Some(&"boom"));
    assert_eq!(breaker.state(), State::Open);
    clock.advance(secs(30));
    panic();
    assert_eq!(breaker.state(), State::Open);
    clock.advance(secs(30));
    ok(&breaker);
    assert_eq!((breaker.state(), counts(&breaker).failed_calls), (State::Closed, 2));
}

/// Polls once.
fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_future_dropped_early_counts_for_nothing_and_dropped_late_is_a_failure() {
    let (breaker, clock) = breaker(three().slow_call(secs(1)));
    let drop_after = |wait| {
        let mut call = Box::pin(breaker.call_async(pending::<Result<(), ()>>()));
        assert!(poll(call.as_mut()).is_pending());
        clock.advance(wait);
    };
    for _ in 0..5 {
        drop_after(secs(1) - Duration::from_nanos(1));
    }
    assert_eq!(breaker.metrics().failures, 0);
    for _ in 0..3 {
        drop_after(secs(1));
    }
    assert_eq!(breaker.state(), State::Open);
    assert_eq!((counts(&breaker).cancelled_calls, counts(&breaker).failed_calls), (5, 3));
}

#[test]
fn a_future_that_panics_in_a_poll_is_a_failure_at_once() {
    let (breaker, _) = breaker(BreakerConfig::new().threshold(1).timeout(secs(30)));
    let mut call = pin!(breaker.call_async(async { panic!("boom") as Result<(), ()> }));
    catch_unwind(AssertUnwindSafe(|| poll(call.as_mut()))).unwrap_err();
    assert_eq!(breaker.state(), State::Open, "before the future itself is dropped");
}

#[test]
fn a_call_is_admitted_when_first_polled() {
    let (breaker, _) = breaker(BreakerConfig::new().threshold(1).timeout(secs(30)));
    let mut early = pin!(breaker.call_async(async { Ok::<_, ()>(()) }));
    fail(&breaker);
    assert!(matches!(poll(early.as_mut()), std::task::Poll::Ready(Err(CallError::Rejected(_)))));
}

#[test]
fn d1_d4_d7_manual_states_hold_until_reset() {
    let (breaker, clock) = breaker(three());
    breaker.force_open();
    clock.advance(secs(3600));
    assert_eq!((refused(&breaker), breaker.state()), ((RejectedKind::ForcedOpen, None), State::ForcedOpen));
    breaker.disable();
    (0..9).for_each(|_| fail(&breaker));
    assert_eq!((breaker.state(), counts(&breaker).failed_calls), (State::Disabled, 0));
    breaker.observe_only();
    (0..9).for_each(|_| fail(&breaker));
    assert_eq!((breaker.state(), counts(&breaker).failed_calls), (State::ObserveOnly, 9));
    breaker.reset();
    ok(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    breaker.open_for(secs(7));
    assert_eq!(refused(&breaker).1, Some(secs(7)));
    clock.advance(secs(7));
    ok(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn e8_a_clock_that_goes_back_neither_opens_nor_locks() {
    let (breaker, clock) = breaker(three());
    clock.set_mono(secs(100).as_nanos() as u64);
    (0..3).for_each(|_| fail(&breaker));
    clock.set_mono(secs(10).as_nanos() as u64);
    assert_eq!(refused(&breaker), (RejectedKind::Open, Some(secs(120))));
    clock.set_mono(secs(130).as_nanos() as u64);
    ok(&breaker);
}

#[test]
fn a_clock_may_ask_the_breaker_that_asks_it() {
    struct Curious(std::sync::OnceLock<Arc<CircuitBreaker>>, std::sync::atomic::AtomicBool);
    impl lifecycle::clock::Clock for Curious {
        fn now_mono(&self) -> u64 {
            let Some(breaker) = self.0.get() else { return 1 };
            if !self.1.swap(true, Ordering::SeqCst) {
                let _ = breaker.metrics();
                self.1.store(false, Ordering::SeqCst);
            }
            1
        }
        fn now_wall(&self) -> std::time::SystemTime {
            std::time::UNIX_EPOCH
        }
    }
    let clock = Arc::new(Curious(std::sync::OnceLock::new(), false.into()));
    let breaker = CircuitBreaker::builder("test").config(three().threshold(1)).clock(clock.clone()).build().unwrap();
    let breaker = Arc::new(breaker);
    clock.0.set(breaker.clone()).unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        fail(&breaker);
        send.send(breaker.state()).unwrap();
    });
    assert_eq!(receive.recv_timeout(secs(20)), Ok(State::Open), "no lock is held while a clock is read");
}

#[test]
fn b9_a_timeout_of_all_time_means_never() {
    let (breaker, clock) = breaker(three().timeout(Duration::MAX));
    (0..3).for_each(|_| fail(&breaker));
    clock.advance(secs(600 * 365 * 86_400));
    assert_eq!(refused(&breaker), (RejectedKind::Open, None));
}

#[test]
fn e9_numbers_that_cannot_work_and_empty_names_are_refused() {
    let build = |config| CircuitBreaker::builder("x").config(config).build().unwrap_err().to_string();
    assert_eq!(build(BreakerConfig::new().threshold(0)), "`x`: `threshold` must be more than zero");
    assert_eq!(build(BreakerConfig::new().timeout(Duration::ZERO)), "`x`: `timeout` must be more than zero");
    assert!(matches!(CircuitBreaker::builder("").build(), Err(Error::InvalidName { .. })));
}

#[test]
fn a_late_success_of_another_thread_never_revives_the_failures_of_a_generation() {
    let (breaker, _) = breaker(BreakerConfig::new().threshold(u32::MAX).timeout(secs(1)));
    (0..1000).for_each(|_| fail(&breaker));
    assert_eq!(breaker.metrics().failures, 1000);
    let old = breaker.try_acquire().unwrap();
    breaker.reset();
    old.failure();
    assert_eq!(breaker.metrics().failures, 0, "a result from before a reset does not count after it");
}

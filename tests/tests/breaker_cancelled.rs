//! Calls that their callers drop: nothing, or a failure, by policy and by how long they hung.

use lifecycle::clock::ManualClock;
use lifecycle::registry::BreakerStatistics;
use lifecycle::{BreakerConfig, Cancelled, CircuitBreaker, Rejected, State, circuit_breaker, testing};
use lifecycle_tests::ByHand;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

const NANO: Duration = Duration::from_nanos(1);

fn breaker(config: BreakerConfig) -> (CircuitBreaker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap(), clock)
}

fn three() -> BreakerConfig {
    BreakerConfig::new().threshold(3)
}

fn counts(breaker: &CircuitBreaker) -> BreakerStatistics {
    breaker.metrics().statistics
}

/// A call that hangs that long, and is dropped.
fn hang(breaker: &CircuitBreaker, clock: &ManualClock, for_how_long: Duration) {
    let mut call = ByHand::new(breaker.call_async(pending::<Result<(), ()>>()));
    assert!(call.poll().is_pending());
    clock.advance(for_how_long);
    drop(call);
}

#[test]
fn three_calls_dropped_at_ten_seconds_open_a_threshold_of_three() {
    let (breaker, clock) = breaker(three());
    (0..9).for_each(|_| hang(&breaker, &clock, secs(10) - NANO));
    assert_eq!((breaker.metrics().failures, counts(&breaker).cancelled_calls), (0, 9));
    hang(&breaker, &clock, secs(10));
    hang(&breaker, &clock, secs(10));
    // Changing one's mind does not end the row.
    hang(&breaker, &clock, secs(1));
    assert_eq!((breaker.state(), breaker.metrics().failures), (State::Closed, 2));
    hang(&breaker, &clock, secs(10));
    assert_eq!(
        (breaker.state(), counts(&breaker).failed_calls, counts(&breaker).cancelled_calls),
        (State::Open, 3, 10)
    );
}

#[test]
fn the_same_with_the_attribute() {
    #[circuit_breaker(threshold = 3)]
    async fn hanging() -> Result<(), Rejected> {
        pending().await
    }
    testing::isolated(|| {
        for state in [State::Closed, State::Closed, State::Open] {
            let mut call = ByHand::new(hanging());
            assert!(call.poll().is_pending());
            testing::advance(secs(10));
            drop(call);
            assert_eq!(lifecycle::breaker("hanging").unwrap().state(), state);
        }
    });
}

#[test]
fn slow_call_is_the_limit_for_each_breaker() {
    let (breaker, clock) = breaker(three().slow_call(Duration::from_millis(500)));
    (0..3).for_each(|_| hang(&breaker, &clock, Duration::from_millis(500) - NANO));
    assert_eq!(counts(&breaker).cancelled_calls, 3);
    (0..3).for_each(|_| hang(&breaker, &clock, Duration::from_millis(500)));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn it_hangs_from_its_first_pending_on() {
    let (breaker, clock) = breaker(three().threshold(1));
    let made = breaker.call_async(pending::<Result<(), ()>>());
    clock.advance(secs(100));
    let mut call = ByHand::new(made);
    assert!(call.poll().is_pending());
    clock.advance(secs(10) - NANO);
    assert!(call.poll().is_pending(), "polling it again begins nothing anew");
    drop(call);
    assert_eq!((breaker.state(), counts(&breaker).cancelled_calls), (State::Closed, 1));
    hang(&breaker, &clock, secs(10));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn the_policy_can_be_always_or_never() {
    let (neutral, clock) = breaker(three().cancelled(Cancelled::Neutral));
    (0..9).for_each(|_| hang(&neutral, &clock, secs(3_600)));
    (0..9).for_each(|_| drop(neutral.try_acquire().unwrap()));
    assert_eq!((neutral.state(), neutral.metrics().failures, counts(&neutral).cancelled_calls), (State::Closed, 0, 18));

    let (failure, clock) = breaker(three().cancelled(Cancelled::Failure));
    hang(&failure, &clock, Duration::ZERO);
    drop(failure.try_acquire().unwrap());
    drop(ByHand::new(failure.call_async(pending::<Result<(), ()>>())));
    assert_eq!(failure.metrics().failures, 2, "a call that was never polled was none");
    hang(&failure, &clock, Duration::ZERO);
    assert_eq!((failure.state(), counts(&failure).failed_calls, counts(&failure).cancelled_calls), (State::Open, 3, 0));
}

#[test]
fn a_probe_that_is_dropped_follows_the_policy_too() {
    for (policy, hangs, state) in [
        (Cancelled::FailureWhenSlow, secs(9), State::HalfOpen),
        (Cancelled::FailureWhenSlow, secs(10), State::Open),
        (Cancelled::Neutral, secs(50), State::HalfOpen),
        (Cancelled::Failure, secs(0), State::Open),
    ] {
        let (breaker, clock) = breaker(three().cancelled(policy));
        breaker.open_for(secs(1));
        clock.advance(secs(1));
        hang(&breaker, &clock, hangs);
        assert_eq!(breaker.state(), state, "{policy:?} after {hangs:?}");
        if state == State::HalfOpen {
            breaker.try_acquire().unwrap().success();
            assert_eq!(breaker.state(), State::Closed, "its slot was free");
        }
    }
}

#[test]
fn a_dropped_call_is_slow_for_the_rate_too() {
    let config = BreakerConfig::new().slow_call_rate(50).slow_call(secs(2)).minimum_calls(2);
    let (breaker, clock) = breaker(config);
    breaker.try_acquire().unwrap().success();
    hang(&breaker, &clock, secs(1));
    assert_eq!(breaker.metrics().rates.unwrap().calls, 1, "dropped early it is no call");
    hang(&breaker, &clock, secs(2));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn somebody_else_s_panic_is_a_cancellation() {
    let (breaker, clock) = breaker(three());
    for (hangs, failures) in [(secs(1), 0), (secs(10), 1)] {
        catch_unwind(AssertUnwindSafe(|| {
            let mut call = ByHand::new(breaker.call_async(pending::<Result<(), ()>>()));
            assert!(call.poll().is_pending());
            clock.advance(hangs);
            panic!("what runs beside it");
        }))
        .unwrap_err();
        assert_eq!(counts(&breaker).failed_calls, failures, "after {hangs:?}");
    }
}

#[test]
fn it_is_settled_before_what_it_holds_is_dropped() {
    struct Looks(Arc<CircuitBreaker>);
    impl Drop for Looks {
        fn drop(&mut self) {
            assert_eq!(self.0.metrics().statistics.cancelled_calls, 1);
        }
    }
    let breaker = Arc::new(breaker(three()).0);
    let held = Looks(breaker.clone());
    let inside = async move {
        let _held = held;
        pending::<Result<(), ()>>().await
    };
    let mut call = ByHand::new(breaker.call_async(inside));
    assert!(call.poll().is_pending());
    drop(call);
}

#[test]
fn a_call_that_has_ended_is_not_polled_again() {
    let (breaker, _) = breaker(three());
    breaker.force_open();
    let ran = std::cell::Cell::new(false);
    let mut refused = ByHand::new(breaker.call_async(async {
        ran.set(true);
        Ok::<_, ()>(())
    }));
    assert!(refused.poll().is_ready());
    breaker.reset();
    catch_unwind(AssertUnwindSafe(|| refused.poll())).unwrap_err();
    assert!(!ran.get(), "what was refused does not run unguarded");
}

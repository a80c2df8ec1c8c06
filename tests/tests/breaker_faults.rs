//! What goes wrong around a breaker and must not stick to it: rows 21 to 37 of the list of faults, by their numbers. Row 29 is C17
//! of the scenarios, row 33 (in an attribute) is in `ui-tests`, row 37 is in `breaker_listeners.rs`.

use lifecycle::clock::ManualClock;
use lifecycle::registry::BreakerStatistics;
use lifecycle::{
    BreakerConfig, CircuitBreaker, CircuitBreakerCore, Error, RejectedKind, State, Verdict, Window, circuit_breaker,
    testing,
};
use lifecycle_tests::{ByHand, said};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// One failure opens it for a minute.
fn one() -> BreakerConfig {
    BreakerConfig::new().threshold(1)
}

fn breaker(config: BreakerConfig) -> (Arc<CircuitBreaker>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (Arc::new(CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap()), clock)
}

/// Opened, and the minute is over.
fn due(config: BreakerConfig) -> (Arc<CircuitBreaker>, Arc<ManualClock>) {
    let (breaker, clock) = breaker(config);
    fail(&breaker);
    clock.advance(secs(60));
    (breaker, clock)
}

fn succeed(breaker: &CircuitBreaker) {
    breaker.call(|| Ok::<_, ()>(())).unwrap();
}

fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}

fn counts(breaker: &CircuitBreaker) -> BreakerStatistics {
    breaker.metrics().statistics
}

fn kind(breaker: &CircuitBreaker) -> Option<RejectedKind> {
    breaker.try_acquire().err().map(|rejected| rejected.kind)
}

#[test]
fn f21_a_panic_counts_goes_on_and_frees_the_slot() {
    let (breaker, clock) = breaker(BreakerConfig::new().threshold(3));
    let by_call = || drop(breaker.call(|| -> Result<(), ()> { panic!("boom") }));
    let by_permit = || {
        let _permit = breaker.try_acquire().unwrap();
        panic!("boom");
    };
    let by_future = || drop(ByHand::new(breaker.call_async(async { panic!("boom") as Result<(), ()> })).poll());
    let all: [&dyn Fn(); 3] = [&by_call, &by_permit, &by_future];
    for panics in all {
        assert_eq!(said(&*catch_unwind(AssertUnwindSafe(panics)).unwrap_err()), "boom");
    }
    assert_eq!((breaker.state(), counts(&breaker).failed_calls), (State::Open, 3));
    for panics in all {
        clock.advance(secs(60));
        catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
        assert_eq!(breaker.state(), State::Open, "a probe that panics has failed");
    }
    clock.advance(secs(60));
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn f21_a_judge_that_panics_loses_no_permit() {
    let (breaker, clock) = breaker(one());
    let judge = |_: &()| -> Verdict { panic!("a judge") };
    let by_call = || drop(breaker.call_with(|| (), judge));
    let by_future = || drop(ByHand::new(breaker.call_async_with(async {}, judge)).poll());
    let all: [&dyn Fn(); 2] = [&by_call, &by_future];
    for panics in all {
        for _ in 0..2 {
            // Closed the first time, a probe the second.
            assert_eq!(said(&*catch_unwind(AssertUnwindSafe(panics)).unwrap_err()), "a judge");
            assert_eq!(breaker.state(), State::Open);
            clock.advance(secs(60));
        }
        succeed(&breaker);
    }
    assert_eq!(counts(&breaker).failed_calls, 4);
}

#[test]
fn f22_a_future_dropped_early_counts_for_nothing() {
    let (breaker, _) = breaker(one());
    drop(breaker.call_async(pending::<Result<(), ()>>()));
    assert_eq!(counts(&breaker).total_calls, 0, "never polled, never begun");
    let mut call = ByHand::new(breaker.call_async(pending::<Result<(), ()>>()));
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!(
        (breaker.state(), counts(&breaker).cancelled_calls, counts(&breaker).failed_calls),
        (State::Closed, 1, 0)
    );
}

#[test]
fn f23_f24_f25_no_probe_sticks_whatever_becomes_of_it() {
    type Fate = fn(&Arc<CircuitBreaker>, &ManualClock);
    fn half_open(breaker: &Arc<CircuitBreaker>) -> ByHand<impl Future<Output = ()> + use<>> {
        let owned = breaker.clone();
        let mut probe = ByHand::new(async move { drop(owned.call_async(pending::<Result<(), ()>>()).await) });
        assert!(probe.poll().is_pending());
        assert_eq!((breaker.state(), kind(breaker)), (State::HalfOpen, Some(RejectedKind::HalfOpenFull)));
        probe
    }
    let fates: [(&str, Fate); 7] = [
        ("dropped", |breaker, _| drop(half_open(breaker))),
        ("dropped on another thread", |breaker, _| {
            let permit = breaker.try_acquire_owned().unwrap();
            thread::spawn(move || drop(permit)).join().unwrap();
        }),
        ("leaked, a permit", |breaker, clock| {
            std::mem::forget(breaker.try_acquire().unwrap());
            clock.advance(secs(60));
        }),
        ("leaked, a future", |breaker, clock| {
            std::mem::forget(half_open(breaker));
            clock.advance(secs(60));
        }),
        ("hung, and its thread too", |breaker, clock| {
            let owned = breaker.try_acquire_owned().unwrap();
            thread::spawn(move || {
                let _held = owned;
                thread::park();
            });
            clock.advance(secs(60));
        }),
        ("panicked", |breaker, clock| {
            catch_unwind(AssertUnwindSafe(|| breaker.call(|| -> Result<(), ()> { panic!("boom") }))).unwrap_err();
            clock.advance(secs(60));
        }),
        ("dropped by a thread that panics", |breaker, clock| {
            let owned = breaker.try_acquire_owned().unwrap();
            let thread = thread::spawn(move || {
                let _held = owned;
                panic!("boom");
            });
            thread.join().unwrap_err();
            clock.advance(secs(60));
        }),
    ];
    for (fate, meet) in fates {
        for times in [1, 5] {
            let (breaker, clock) = due(one());
            (0..times).for_each(|_| meet(&breaker, &clock));
            assert!(
                breaker.try_acquire().is_ok(),
                "a probe was {fate} {times} times, and nobody gets through any more"
            );
            succeed(&breaker);
            assert_eq!(breaker.state(), State::Closed, "{fate}");
        }
    }
}

#[test]
fn f24_a_hung_probe_never_lets_more_in_than_may_run() {
    let (breaker, clock) = due(one().half_open_calls(2).success_threshold(2).half_open_timeout(secs(10)));
    let mut hung = Vec::new();
    for _ in 0..5 {
        hung.extend([breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap()]);
        assert_eq!(kind(&breaker), Some(RejectedKind::HalfOpenFull));
        clock.advance(secs(10));
    }
    // Eight of them lost their slot to a later one; the last two would still count, had nobody come by.
    let (first, second) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    hung.into_iter().for_each(lifecycle::Permit::failure);
    assert_eq!(breaker.state(), State::HalfOpen, "who lost a slot decides nothing");
    first.success();
    second.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn f26_threads_released_at_the_instant_of_expiry_admit_exactly_the_probes() {
    const THREADS: usize = 16;
    for probes in [1, 2, 3, 7, 16, 40] {
        for round in 0..5 {
            let (breaker, clock) = breaker(one().half_open_calls(probes).success_threshold(probes));
            fail(&breaker);
            clock.advance(secs(60) - Duration::from_nanos(1));
            let (admitted, refused, barrier) = (AtomicUsize::new(0), AtomicUsize::new(0), Barrier::new(THREADS + 1));
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        assert_eq!(kind(&breaker), Some(RejectedKind::Open), "a nanosecond early");
                        barrier.wait();
                        barrier.wait(); // the clock has come to the end
                        let permit = breaker.try_acquire();
                        match &permit {
                            Ok(_) => admitted.fetch_add(1, Ordering::SeqCst),
                            Err(rejected) => {
                                assert_eq!(rejected.kind, RejectedKind::HalfOpenFull);
                                refused.fetch_add(1, Ordering::SeqCst)
                            }
                        };
                        barrier.wait(); // nobody gives a slot back before all have asked
                        drop(permit);
                    });
                }
                barrier.wait();
                clock.advance(Duration::from_nanos(1));
                barrier.wait();
                barrier.wait();
            });
            let expected = THREADS.min(probes as usize);
            let counted = (admitted.into_inner(), refused.into_inner());
            assert_eq!(counted, (expected, THREADS - expected), "{probes} probes, round {round}");
            assert_eq!((counts(&breaker).times_opened, breaker.state()), (1, State::HalfOpen));
        }
    }
}

#[test]
fn f27_results_of_older_generations_move_nothing_and_are_counted() {
    type Move = fn(&CircuitBreaker, &ManualClock);
    let moves: [(Move, State); 6] = [
        (|breaker, _| breaker.reset(), State::Closed),
        (|breaker, _| breaker.open_for(secs(9)), State::Open),
        (
            |breaker, clock| {
                breaker.open_for(secs(9));
                clock.advance(secs(9));
                std::mem::forget(breaker.try_acquire().unwrap());
            },
            State::HalfOpen,
        ),
        (|breaker, _| breaker.force_open(), State::ForcedOpen),
        (|breaker, _| breaker.observe_only(), State::ObserveOnly),
        (|breaker, _| fail(breaker), State::Open),
    ];
    for (go, state) in moves {
        let (breaker, clock) = due(one());
        // Three of each: a probe's, a closed breaker's, one's that had been closed before.
        let mut late = vec![breaker.try_acquire().unwrap()];
        for _ in 0..2 {
            breaker.reset();
            late.extend((0..3).map(|_| breaker.try_acquire().unwrap()));
        }
        go(&breaker, &clock);
        let (seen, before) = (breaker.metrics(), counts(&breaker));
        assert_eq!(breaker.state(), state);
        for (place, permit) in late.into_iter().enumerate() {
            if place % 2 == 0 {
                permit.failure();
            } else {
                permit.success();
            }
            let now = breaker.metrics();
            assert_eq!((breaker.state(), now.failures), (state, seen.failures), "the {place}th late result");
            assert_eq!(now.retry_after_seconds, seen.retry_after_seconds);
        }
        let after = counts(&breaker);
        assert_eq!(
            (after.failed_calls, after.successful_calls),
            (before.failed_calls + 4, before.successful_calls + 3)
        );
        assert_eq!(after.times_opened, before.times_opened);
    }
}

#[test]
fn f28_a_failure_while_open_is_no_event_and_no_error() {
    testing::isolated(|| {
        let breaker = CircuitBreaker::builder("f28").threshold(1).build().unwrap();
        let late: Vec<_> = (0..5).map(|_| breaker.try_acquire().unwrap()).collect();
        fail(&breaker);
        testing::advance(secs(10));
        let (told, until) = (testing::events().len(), breaker.metrics().retry_after_seconds);
        late.into_iter().for_each(lifecycle::Permit::failure);
        assert_eq!((testing::events().len(), breaker.metrics().retry_after_seconds), (told, until));
        assert_eq!((counts(&breaker).times_opened, counts(&breaker).failed_calls), (1, 6));
    });
}

#[test]
fn f31_other_numbers_for_a_name_that_exists_are_told() {
    let core = CircuitBreakerCore::new();
    let (five, three) = (BreakerConfig::new(), BreakerConfig::new().threshold(3));
    core.try_get_with("db", five).unwrap();
    assert!(matches!(core.try_get_with("db", three), Err(Error::BreakerConfigMismatch { .. })));
    assert_eq!(core.try_get_with("db", five).unwrap().config(), five);
}

mod f32 {
    pub(crate) mod first {
        #[lifecycle::circuit_breaker(threshold = 1)]
        pub(crate) fn fetch(ok: bool) -> anyhow::Result<()> {
            anyhow::ensure!(ok, "down");
            Ok(())
        }
    }
    pub(crate) mod second {
        #[lifecycle::circuit_breaker(threshold = 1)]
        pub(crate) fn fetch(ok: bool) -> anyhow::Result<()> {
            anyhow::ensure!(ok, "down");
            Ok(())
        }
    }
}

#[test]
fn f32_two_functions_of_one_name_have_a_breaker_each() {
    testing::isolated(|| {
        f32::first::fetch(false).unwrap_err();
        f32::first::fetch(true).unwrap_err();
        f32::second::fetch(true).unwrap();
    });
}

#[test]
fn f33_e9_every_number_that_cannot_work_is_refused() {
    let rated = BreakerConfig::new().failure_rate(50);
    let (zero, base) = (Duration::ZERO, BreakerConfig::new());
    for (config, option) in [
        (base.threshold(0), "`threshold`"),
        (base.timeout(zero), "`timeout`"),
        (base.half_open_calls(0), "`half_open_calls`"),
        (base.success_threshold(0), "`success_threshold`"),
        (base.half_open_timeout(zero), "`half_open_timeout`"),
        (base.slow_call(zero), "`slow_call`"),
        (base.failure_rate(0), "`failure_rate`"),
        (base.failure_rate(101), "`failure_rate`"),
        (base.slow_call_rate(0), "`slow_call_rate`"),
        (base.slow_call_rate(101), "`slow_call_rate`"),
        (rated.window(Window::Calls(0)), "`window`"),
        (rated.window(Window::Time(zero)), "`window`"),
        (rated.window(Window::Calls(u32::MAX)), "`window`"),
        (rated.minimum_calls(0), "`minimum_calls`"),
        (rated.minimum_calls(101), "`minimum_calls`"),
        (base.window(Window::Calls(10)), "`window`"),
        (base.minimum_calls(10), "`minimum_calls`"),
        (base.backoff(lifecycle::Backoff::exponential().factor(0.5)), "`backoff`"),
        (base.backoff(lifecycle::Backoff::exponential().factor(f64::NAN)), "`backoff`"),
        (base.backoff(lifecycle::Backoff::exponential().cap(zero)), "`backoff`"),
        (base.backoff(lifecycle::Backoff::exponential().jitter(101)), "`backoff`"),
    ] {
        let error = CircuitBreaker::builder("x").config(config).build().unwrap_err();
        assert!(
            matches!(error, Error::InvalidConfig { .. }) && error.to_string().contains(option),
            "{option}: {error}"
        );
    }
}

#[test]
fn f34_f36_the_largest_numbers_work() {
    let most = one().threshold(u32::MAX).half_open_calls(u32::MAX).success_threshold(u32::MAX);
    let (breaker, clock) = breaker(most);
    (0..100).for_each(|_| fail(&breaker));
    assert_eq!((breaker.state(), breaker.metrics().failures), (State::Closed, 100));
    // At the last but one failure: the next one opens it, none wraps.
    let saved = serde_json::json!({ "name": "test", "state": "closed", "failures": u32::MAX - 1 });
    breaker.restore(&serde_json::from_value(saved).unwrap());
    fail(&breaker);
    assert_eq!((breaker.state(), breaker.metrics().failures), (State::Open, u32::MAX));
    clock.advance(secs(60));
    let probes: Vec<_> = (0..1_000).map(|_| breaker.try_acquire().unwrap()).collect();
    probes.into_iter().for_each(lifecycle::Permit::success);
    assert_eq!((breaker.state(), breaker.snapshot().successes), (State::HalfOpen, 1_000));
}

#[test]
fn f35_the_longest_times_mean_never() {
    #[circuit_breaker(threshold = 1, timeout = u64::MAX)]
    fn never() -> anyhow::Result<()> {
        anyhow::bail!("down")
    }
    testing::isolated(|| {
        never().unwrap_err();
        testing::advance(secs(500 * 365 * 86_400));
        assert_eq!(never().unwrap_err().to_string(), "`never`: circuit breaker is open");
    });
    let longest = Duration::MAX;
    let backoff = lifecycle::Backoff::exponential().factor(f64::MAX).cap(longest).jitter(100);
    for config in [one().timeout(longest), one().backoff(backoff).timeout(longest), one().timeout(secs(u64::MAX))] {
        let (breaker, clock) = breaker(config.half_open_timeout(longest).slow_call(longest));
        fail(&breaker);
        clock.advance(longest);
        assert_eq!(breaker.try_acquire().unwrap_err().retry_after, None, "{config}");
        breaker.open_for(longest);
        assert_eq!(breaker.try_acquire().unwrap_err().retry_after, None, "{config}");
        breaker.reset();
        succeed(&breaker);
    }
}

//! What a search for faults found.

use lifecycle::clock::{Clock, ManualClock};
use lifecycle::settings::BreakerSettings;
use lifecycle::{BreakerConfig, Cancelled, CircuitBreaker, KeyedCircuitBreaker, State, Window, testing};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

fn fail(breaker: &CircuitBreaker) {
    let _ = breaker.call(|| Err::<(), _>("down"));
}

#[test]
fn a_listener_is_removed_by_its_own_id_only() {
    let told = Arc::new(AtomicUsize::new(0));
    let listened = CircuitBreaker::builder("a").threshold(1).build().unwrap();
    let other = CircuitBreaker::builder("b").build().unwrap();
    let count = told.clone();
    listened.on_transition(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
    let id = other.on_transition(|_| {});
    assert!(!listened.remove_listener(id), "that one listens to another breaker");
    fail(&listened);
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

fn others(family: &KeyedCircuitBreaker) {
    for key in 0..10_000_u32 {
        drop(family.at(&key));
    }
}

#[test]
fn a_key_with_numbers_of_its_own_is_not_given_up() {
    let family = KeyedCircuitBreaker::new("host", BreakerConfig::new()).unwrap().max_keys(64);
    family.at("vip").reconfigure(BreakerSettings::new().threshold(50)).unwrap();
    others(&family);
    assert_eq!(family.at("vip").config().to_string(), "threshold 50, timeout 60s");
}

#[test]
fn a_key_somebody_listens_to_is_not_given_up() {
    let family = KeyedCircuitBreaker::new("host", BreakerConfig::new().threshold(1)).unwrap().max_keys(64);
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    family.at("vip").on_transition(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
    others(&family);
    fail(&family.at("vip"));
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

#[test]
fn keys_whose_failures_are_out_of_the_window_make_room() {
    testing::isolated(|| {
        let config =
            BreakerConfig::new().failure_rate(100).window(Window::Time(Duration::from_secs(10))).minimum_calls(5);
        let family = KeyedCircuitBreaker::new("host", config).unwrap().max_keys(4);
        for key in 0..4 {
            fail(&family.at(&key));
        }
        assert_eq!(family.at("new").name(), "host[*]");
        testing::advance(Duration::from_secs(3_600));
        // Each refusal looks at one of 16 shards.
        let found = (0..17).any(|_| family.at("new").name() == "host[new]");
        assert!(found, "nothing is left of those failures");
    });
}

#[test]
fn a_failure_at_the_clocks_beginning_has_a_time() {
    let clock = Arc::new(ManualClock::new());
    clock.set_mono(0);
    let breaker = CircuitBreaker::builder("db").clock(clock).build().unwrap();
    fail(&breaker);
    assert!(breaker.metrics().last_failure_time.is_some());
}

#[test]
fn a_permit_dropped_late_is_neutral_with_and_without_a_slow_call_rate() {
    let outcome = |rate: bool, cancelled| {
        let clock = Arc::new(ManualClock::new());
        let mut builder = CircuitBreaker::builder("db").clock(clock.clone()).cancelled(cancelled);
        if rate {
            builder = builder.slow_call_rate(100);
        }
        let breaker = builder.build().unwrap();
        let permit = breaker.try_acquire().unwrap();
        clock.advance(Duration::from_secs(11));
        drop(permit);
        let seen = breaker.metrics().statistics;
        (seen.failed_calls, seen.cancelled_calls)
    };
    for rate in [false, true] {
        assert_eq!(outcome(rate, Cancelled::FailureWhenSlow), (0, 1), "slow_call_rate: {rate}");
        assert_eq!(outcome(rate, Cancelled::Neutral), (0, 1), "slow_call_rate: {rate}");
        assert_eq!(outcome(rate, Cancelled::Failure), (1, 0), "slow_call_rate: {rate}");
    }
}

/// Destroyed with its thread, after the counters' own.
struct AtEnd(Arc<CircuitBreaker>);

impl Drop for AtEnd {
    fn drop(&mut self) {
        fail(&self.0);
        let _ = self.0.call(|| Ok::<_, ()>(()));
        fail(&self.0);
    }
}

#[test]
fn thread_locals_may_call_in_their_destructors() {
    thread_local! {
        static FIRST: RefCell<Option<AtEnd>> = const { RefCell::new(None) };
    }
    for used_before in [false, true] {
        let breaker = Arc::new(CircuitBreaker::builder("db").threshold(2).build().unwrap());
        let there = breaker.clone();
        std::thread::spawn(move || {
            FIRST.set(Some(AtEnd(there.clone())));
            if used_before {
                let _ = there.call(|| Ok::<_, ()>(()));
            }
        })
        .join()
        .unwrap();
        let seen = breaker.metrics().statistics;
        assert_eq!((seen.failed_calls, seen.successful_calls), (2, 1 + u64::from(used_before)));
        assert_eq!(breaker.state(), State::Closed);
    }
}

/// Works until it is told to break.
struct Fragile(ManualClock, AtomicUsize);

impl Clock for Fragile {
    fn now_mono(&self) -> u64 {
        let left = self.1.load(Ordering::Relaxed);
        assert_ne!(left, 0, "the clock is broken");
        self.1.store(left - 1, Ordering::Relaxed);
        self.0.now_mono()
    }

    fn now_wall(&self) -> SystemTime {
        self.0.now_wall()
    }
}

/// A second panic while the first unwinds would abort.
#[test]
fn a_clock_that_stays_broken_is_a_panic_and_no_abort() {
    for works in 0..12 {
        let clock = Arc::new(Fragile(ManualClock::new(), AtomicUsize::new(1_000)));
        let breaker = CircuitBreaker::builder("db").threshold(1).clock(clock.clone()).build().unwrap();
        fail(&breaker);
        clock.0.advance(Duration::from_secs(61));
        clock.1.store(works, Ordering::Relaxed);
        let result = catch_unwind(AssertUnwindSafe(|| breaker.call(|| Ok::<_, ()>(()))));
        clock.1.store(1_000, Ordering::Relaxed);
        if result.is_err() {
            clock.0.advance(Duration::from_secs(61));
            breaker.call(|| Ok::<_, ()>(())).unwrap();
        }
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[test]
fn a_listener_whose_panic_panics_again_harms_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("dropped");
            }
        }
    }
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let breaker = CircuitBreaker::builder("db").threshold(1).build().unwrap();
    breaker.on_transition(|_| std::panic::panic_any(Bomb));
    breaker.on_transition(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
    let outcome = catch_unwind(AssertUnwindSafe(|| fail(&breaker)));
    assert!(outcome.is_ok());
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

#[test]
fn what_outlives_its_world_counts_there() {
    let breaker = Arc::new(CircuitBreaker::builder("found_world").threshold(1).build().unwrap());
    #[lifecycle::circuit_breaker(threshold = 1, name = "found_declared")]
    fn declared() -> Result<(), lifecycle::Rejected> {
        Ok(())
    }
    let (owned, permit, context) = testing::isolated(|| {
        declared().unwrap();
        let declared: &'static CircuitBreaker = match lifecycle::breaker("found_declared").unwrap() {
            lifecycle::Instance::Static(breaker) => breaker,
            _ => unreachable!("declared"),
        };
        (breaker.try_acquire_owned().unwrap(), declared.try_acquire().unwrap(), lifecycle::Context::capture())
    });
    std::thread::spawn(move || permit.failure()).join().unwrap();
    owned.failure();
    assert_eq!(lifecycle::breaker("found_declared").unwrap().state(), State::Closed);
    context.run(|| assert_eq!(lifecycle::breaker("found_declared").unwrap().state(), State::Open));
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn times_at_the_clocks_end_harm_nothing() {
    let clock = Arc::new(ManualClock::new());
    clock.set_mono(u64::MAX - 10);
    let window = Window::Time(Duration::MAX);
    let config = BreakerConfig::new().threshold(1).failure_rate(50).slow_call_rate(50).window(window);
    let config = config.timeout(Duration::from_nanos(3)).half_open_timeout(Duration::from_nanos(1));
    let breaker = CircuitBreaker::builder("db").config(config).clock(clock.clone()).build().unwrap();
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
    clock.advance(Duration::from_nanos(3));
    std::mem::forget(breaker.try_acquire().unwrap());
    assert!(breaker.try_acquire().is_err());
    clock.advance(Duration::from_nanos(1));
    breaker.call(|| Ok::<_, ()>(())).unwrap();
    assert_eq!(breaker.state(), State::Closed);
    let again = breaker.snapshot();
    breaker.restore(&again);
    clock.advance(Duration::MAX);
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
    let _ = (breaker.metrics(), breaker.snapshot());
    breaker.restore(&breaker.snapshot());
    assert!(breaker.try_acquire().is_err());
}

/// Both are one breaker, as on an impl block: the probe of the outer call must not refuse the inner one for good.
#[test]
fn methods_of_one_breaker_that_call_each_other_close_it_again() {
    struct Service;
    #[lifecycle::circuit_breaker(timeout = "10s", name = "found_each_other")]
    impl Service {
        fn load(&self) -> Result<(), lifecycle::Rejected> {
            self.fetch()
        }

        fn fetch(&self) -> Result<(), lifecycle::Rejected> {
            Ok(())
        }

        async fn load_async(&self) -> Result<(), lifecycle::Rejected> {
            tokio::task::yield_now().await;
            self.fetch_async().await
        }

        async fn fetch_async(&self) -> Result<(), lifecycle::Rejected> {
            tokio::task::yield_now().await;
            self.fetch()
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    testing::isolated(|| {
        let breaker = || lifecycle::breaker("found_each_other").unwrap();
        let ways: [&dyn Fn() -> Result<(), lifecycle::Rejected>; 3] =
            [&|| Service.load(), &|| runtime.block_on(Service.load_async()), &|| {
                breaker().call(|| breaker().call(|| Service.load())).map_err(|_| breaker().try_acquire().unwrap_err())
            }];
        for way in ways {
            breaker().open_for(Duration::from_secs(10));
            testing::advance(Duration::from_secs(10));
            way().unwrap();
            assert_eq!(breaker().state(), State::Closed);
        }
        // Nobody else is let in beside the probe, not even on its thread once it waits.
        breaker().open_for(Duration::from_secs(10));
        testing::advance(Duration::from_secs(10));
        let mut probe = Box::pin(Service.load_async());
        let pending =
            std::future::Future::poll(probe.as_mut(), &mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert!(pending.is_pending());
        assert!(Service.fetch().is_err());
    });
}

#[test]
fn keys_that_reenter_or_break_harm_nobody() {
    use std::fmt;
    struct Odd<'a>(&'a KeyedCircuitBreaker, u8);
    impl fmt::Display for Odd<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.1 {
                0 => panic!("no text"),
                1 => Err(fmt::Error),
                left => {
                    fail(&self.0.at(&format_args!("inner{left}")));
                    write!(f, "k{left}")
                }
            }
        }
    }
    let family = KeyedCircuitBreaker::new("host", BreakerConfig::new().threshold(1)).unwrap().max_keys(3);
    assert!(catch_unwind(AssertUnwindSafe(|| family.at(&Odd(&family, 0)))).is_err());
    assert_eq!(family.at(&Odd(&family, 1)).name(), "host[]");
    for at in 2..6 {
        fail(&family.at(&Odd(&family, at)));
    }
    assert_eq!(family.len(), 3);
    // A key that displays as what the shared one is called.
    assert!(!Arc::ptr_eq(&family.at("*"), &family.at("another")) || family.get("*").is_none());
}

#[test]
fn failures_are_not_lost_while_numbers_change() {
    let breaker = Arc::new(CircuitBreaker::builder("db").threshold(u32::MAX).build().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..20_000).for_each(|_| fail(&breaker)));
        }
        scope.spawn(|| {
            for at in 1..2_000_u64 {
                let settings = BreakerSettings::new().timeout(Duration::from_secs(at));
                let settings = if at % 3 == 0 {
                    settings.failure_rate(100).minimum_calls(100).window(Window::Time(Duration::from_nanos(1)))
                } else {
                    settings
                };
                breaker.reconfigure(settings).unwrap();
            }
            breaker.reconfigure(BreakerSettings::new()).unwrap();
        });
    });
    assert_eq!((breaker.state(), breaker.snapshot().failures), (State::Closed, 60_000));
    assert_eq!(breaker.metrics().statistics.failed_calls, 60_000);
}

/// While others push it, what was counted for a failing key must not vanish.
#[test]
fn failing_keys_survive_a_flood_from_all_sides() {
    let family = KeyedCircuitBreaker::new("host", BreakerConfig::new().threshold(40)).unwrap().max_keys(256);
    std::thread::scope(|scope| {
        for flood in 1..=2_u32 {
            let family = &family;
            scope.spawn(move || (0..10_000).for_each(|key| drop(family.at(&(flood * 100_000 + key)))));
        }
        for _ in 0..2 {
            scope.spawn(|| (0..2_000).for_each(|at| fail(&family.at(&(at % 100)))));
        }
    });
    for key in 0..100 {
        assert_eq!(family.get(&key).map(|one| one.state()), Some(State::Open), "{key}");
    }
}

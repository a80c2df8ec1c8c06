//! Listeners: told once, after the change, with no lock held: they may do anything to the breaker that they are told of. Each test
//! that could hang runs on a thread of its own.

use lifecycle::clock::ManualClock;
use lifecycle::{BreakerConfig, CircuitBreaker, ListenerId, State, testing};
use lifecycle_tests::watched;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn breaker(threshold: u32) -> (Arc<CircuitBreaker>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let config = BreakerConfig::new().threshold(threshold);
    (Arc::new(CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap()), clock)
}

fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}

/// What was told, in order.
fn heard(breaker: &CircuitBreaker) -> Arc<Mutex<Vec<(State, State)>>> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    breaker.on_transition(move |change| told.lock().unwrap().push((change.from, change.to)));
    heard
}

#[test]
fn each_change_is_told_once_with_what_was_true() {
    let (breaker, clock) = breaker(2);
    let all = Arc::new(Mutex::new(Vec::new()));
    let told = all.clone();
    breaker.on_transition(move |change| {
        let line = format!("{}: {} > {}, {}", change.name, change.from, change.to, change.reason);
        told.lock().unwrap().push((line, change.failures, change.retry_after));
    });
    fail(&breaker);
    fail(&breaker);
    clock.advance(MINUTE);
    fail(&breaker);
    clock.advance(MINUTE);
    breaker.try_acquire().unwrap().success();
    breaker.open_for(MINUTE / 2);
    breaker.force_open();
    let told = all.lock().unwrap().clone();
    let lines: Vec<_> = told.iter().map(|(line, failures, retry)| (line.as_str(), *failures, *retry)).collect();
    assert_eq!(
        lines,
        [
            ("test: closed > open, threshold reached", 2, Some(MINUTE)),
            ("test: open > half_open, timeout over", 2, None),
            ("test: half_open > open, probe failed", 2, Some(MINUTE)),
            ("test: open > half_open, timeout over", 2, None),
            ("test: half_open > closed, probe succeeded", 0, None),
            ("test: closed > open, opened by hand", 0, Some(MINUTE / 2)),
            ("test: open > forced_open, set by hand", 0, None),
        ]
    );
}

#[test]
fn e7_f37_a_listener_may_use_the_breaker_it_hears_of() {
    watched(|| {
        let (breaker, clock) = breaker(1);
        let inside = Arc::downgrade(&breaker);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = seen.clone();
        breaker.on_transition(move |change| {
            let breaker = inside.upgrade().unwrap();
            assert_eq!(breaker.state(), change.to);
            let called = breaker.call(|| Ok::<_, ()>(())).is_ok();
            let (metrics, saved) = (breaker.metrics(), breaker.snapshot());
            assert_eq!(metrics.state, saved.state.as_str());
            told.lock().unwrap().push((change.to, called));
        });
        fail(&breaker);
        clock.advance(MINUTE);
        // The listener is told of half-open while this probe has the only slot.
        breaker.try_acquire().unwrap().success();
        use State::{Closed, HalfOpen, Open};
        assert_eq!(*seen.lock().unwrap(), [(Open, false), (HalfOpen, false), (Closed, true)]);
    });
}

#[test]
fn f37_a_listener_may_change_the_state_again() {
    watched(|| {
        let (breaker, _) = breaker(1);
        let heard = heard(&breaker);
        let inside = Arc::downgrade(&breaker);
        breaker.on_transition(move |change| {
            if change.to == State::Open {
                inside.upgrade().unwrap().reset();
            }
        });
        for times in 1..=3 {
            fail(&breaker);
            assert_eq!((breaker.state(), heard.lock().unwrap().len()), (State::Closed, 2 * times));
        }
        assert_eq!(breaker.metrics().statistics.times_opened, 3);
    });
}

#[test]
fn f37_a_listener_that_panics_stops_nobody() {
    testing::isolated(|| {
        let breaker = CircuitBreaker::builder("f37").threshold(1).build().unwrap();
        let before = heard(&breaker);
        breaker.on_transition(|_| panic!("a listener"));
        let after = heard(&breaker);
        fail(&breaker);
        testing::advance(MINUTE);
        breaker.try_acquire().unwrap().success();
        assert_eq!((breaker.state(), before.lock().unwrap().len(), after.lock().unwrap().len()), (State::Closed, 3, 3));
        let panicked = |event: &testing::EventRecord| event.name == "lifecycle.circuit_breaker.listener_panicked";
        assert_eq!(testing::events().into_iter().filter(panicked).count(), 3);
    });
}

#[test]
fn a_call_s_own_panic_goes_on_past_a_listener_that_panics() {
    let (breaker, _) = breaker(1);
    breaker.on_transition(|_| panic!("a listener"));
    // Told while the first panic unwinds: a second one must not abort the process.
    let panic = catch_unwind(AssertUnwindSafe(|| breaker.call(|| -> Result<(), ()> { panic!("the call") })));
    assert_eq!(lifecycle_tests::said(&*panic.unwrap_err()), "the call");
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn listeners_may_add_and_remove_listeners_themselves_too() {
    watched(|| {
        let (breaker, _) = breaker(1);
        let (first, second) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (me, inside) = (Arc::new(OnceLock::<ListenerId>::new()), Arc::downgrade(&breaker));
        let (own, counted, added) = (me.clone(), first.clone(), second.clone());
        let id = breaker.on_transition(move |_| {
            let breaker = inside.upgrade().unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let added = added.clone();
            breaker.on_transition(move |_| _ = added.fetch_add(1, Ordering::SeqCst));
            assert!(breaker.remove_listener(*own.get().unwrap()));
            assert!(!breaker.remove_listener(*own.get().unwrap()), "it is gone already");
        });
        me.set(id).unwrap();
        fail(&breaker);
        assert_eq!((first.load(Ordering::SeqCst), second.load(Ordering::SeqCst)), (1, 0), "who came later hears later");
        breaker.reset();
        assert_eq!((first.load(Ordering::SeqCst), second.load(Ordering::SeqCst)), (1, 1));
    });
}

#[test]
fn what_a_listener_holds_is_dropped_with_no_lock_held() {
    struct Asks(Arc<CircuitBreaker>, Arc<AtomicU32>);
    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.on_transition(|_| ());
            assert_eq!(self.0.state(), State::Closed);
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
    watched(|| {
        let (breaker, _) = breaker(1);
        let dropped = Arc::new(AtomicU32::new(0));
        let asks = Asks(breaker.clone(), dropped.clone());
        let id = breaker.on_transition(move |_| assert!(asks.1.load(Ordering::SeqCst) < 9));
        assert!(breaker.remove_listener(id));
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn many_threads_tell_each_change_exactly_once() {
    const ROUNDS: usize = 200;
    let (breaker, _) = breaker(1);
    let opened = Arc::new(AtomicU32::new(0));
    let counted = opened.clone();
    breaker.on_transition(move |change| {
        if change.to == State::Open {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    for _ in 0..ROUNDS {
        let late: Vec<_> = (0..4).map(|_| breaker.try_acquire_owned().unwrap()).collect();
        std::thread::scope(|scope| late.into_iter().for_each(|permit| drop(scope.spawn(move || permit.failure()))));
        assert_eq!(breaker.state(), State::Open);
        breaker.reset();
    }
    assert_eq!(opened.load(Ordering::SeqCst) as usize, ROUNDS, "four failures at once open it once");
    assert_eq!(breaker.metrics().statistics.times_opened as usize, ROUNDS);
}

#[test]
fn a_listener_hears_of_its_own_world_only() {
    #[lifecycle::circuit_breaker(threshold = 1)]
    fn heard_of(ok: bool) -> anyhow::Result<()> {
        anyhow::ensure!(ok, "down");
        Ok(())
    }
    let listen = || heard(&lifecycle::breaker("heard_of").unwrap());
    let inside = testing::isolated(|| {
        let inside = listen();
        heard_of(false).unwrap_err();
        inside
    });
    testing::isolated(|| {
        heard_of(false).unwrap_err();
        assert!(listen().lock().unwrap().is_empty(), "what was is not told");
    });
    assert_eq!(*inside.lock().unwrap(), [(State::Closed, State::Open)]);
}

#[test]
fn opening_an_open_breaker_is_told_and_not_counted_again() {
    testing::isolated(|| {
        let breaker = CircuitBreaker::builder("prolonged").build().unwrap();
        breaker.open_for(Duration::from_secs(10));
        testing::advance(Duration::from_secs(9));
        breaker.open_for(Duration::from_secs(10));
        let seen = breaker.metrics();
        assert_eq!((seen.statistics.times_opened, seen.retry_after_seconds), (1, Some(10.0)));
        let forced = |event: &&lifecycle::testing::EventRecord| event.name == "lifecycle.circuit_breaker.forced";
        assert_eq!(testing::events().iter().filter(forced).count(), 2);
    });
}

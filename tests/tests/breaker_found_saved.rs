//! What a search for faults found in what is saved and restored, and in the wall times that go with it.
//!
//! Seen to fail with these bugs planted: both clocks read anew at each look (`wall_times_are_the_same..`), `by_hand` not taken over
//! (`a_saved_opening_by_hand..`), a saved call's age cut to that of the clock (`saved_calls_older_than_the_clock..`).

use lifecycle::clock::{Clock, ManualClock};
use lifecycle::settings::BreakerSettings;
use lifecycle::{CircuitBreaker, SavedBreaker, State, Window, testing};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

fn fail(breaker: &CircuitBreaker) {
    let _ = breaker.call(|| Err::<(), _>("down"));
}

fn saved(value: serde_json::Value) -> SavedBreaker {
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_saved_count_at_its_end_still_opens() {
    let breaker = CircuitBreaker::builder("db").build().unwrap();
    breaker.restore(&saved(json!({ "name": "db", "state": "closed", "failures": u32::MAX })));
    fail(&breaker);
    assert_eq!(breaker.state(), State::Open);
}

/// Call by call it would take an hour.
#[test]
fn a_saved_window_of_many_times_its_size_is_cut_at_once() {
    let breaker =
        CircuitBreaker::builder("db").failure_rate(50).window(Window::Calls(1 << 20)).minimum_calls(1).build().unwrap();
    let calls: Vec<_> = (0..100_000).map(|_| json!({ "calls": u32::MAX, "failures": 0 })).collect();
    breaker.restore(&saved(json!({ "name": "db", "state": "closed", "failures": 0, "calls": calls })));
    assert_eq!(breaker.metrics().rates.unwrap().calls, 1 << 20);
}

#[test]
fn saved_calls_of_which_some_failed_are_not_all_failures() {
    let breaker = CircuitBreaker::builder("db").failure_rate(50).minimum_calls(1).build().unwrap();
    let calls = json!([{ "calls": 50, "failures": 1, "slow": 2 }]);
    breaker.restore(&saved(json!({ "name": "db", "state": "closed", "failures": 0, "calls": calls })));
    let rates = breaker.metrics().rates.unwrap();
    assert_eq!((rates.calls, rates.failures, rates.slow_calls), (50, 1, 2));
}

/// A clock whose wall reading is never twice the same, as two looks of the system's are.
#[derive(Default)]
struct Trembling(AtomicUsize);

impl Clock for Trembling {
    fn now_mono(&self) -> u64 {
        1_000_000_000
    }

    fn now_wall(&self) -> SystemTime {
        let tremble = self.0.fetch_add(1_000, Ordering::Relaxed) as u64;
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000) + Duration::from_nanos(tremble)
    }
}

#[test]
fn wall_times_are_the_same_at_each_look() {
    let clock = Arc::new(Trembling::default());
    let breaker = CircuitBreaker::builder("db").threshold(1).clock(clock.clone()).build().unwrap();
    fail(&breaker);
    let times = || {
        let seen = breaker.metrics();
        (seen.last_failure_time, seen.opened_at, seen.statistics.last_state_change, breaker.snapshot().open_until)
    };
    let first = times();
    assert!(first.0.is_some() && first.1.is_some() && first.2.is_some() && first.3.is_some());
    assert_eq!(first, times());
    // The wall clock is set: it is followed.
    clock.0.fetch_add(3_600_000_000_000, Ordering::Relaxed);
    let later = times().1.unwrap() - first.1.unwrap();
    assert!((later - 3_600.0).abs() < 0.001, "{later}");
}

#[test]
fn a_saved_opening_by_hand_is_one_after_it_was_restored() {
    let until = |by_hand: bool| {
        let clock = Arc::new(ManualClock::new());
        let build = || CircuitBreaker::builder("db").threshold(1).clock(clock.clone()).build().unwrap();
        let first = build();
        if by_hand {
            first.open_for(Duration::from_secs(300));
        } else {
            fail(&first);
        }
        let text = serde_json::to_string(&first.snapshot()).unwrap();
        let second = build();
        second.restore(&serde_json::from_str::<SavedBreaker>(&text).unwrap());
        second.reconfigure(BreakerSettings::new().timeout(Duration::from_secs(5))).unwrap();
        second.metrics().retry_after_seconds.unwrap().round()
    };
    assert_eq!((until(true), until(false)), (300.0, 5.0));
}

/// A machine's clock: when it was started, by the wall, is its own matter.
struct Machine {
    mono: AtomicU64,
    started: Duration,
}

impl Machine {
    fn new(age: u64, started: u64) -> Arc<Self> {
        Arc::new(Self { mono: AtomicU64::new(age * 1_000_000_000), started: Duration::from_secs(started) })
    }
}

impl Clock for Machine {
    fn now_mono(&self) -> u64 {
        self.mono.load(Ordering::Relaxed)
    }

    fn now_wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.started + Duration::from_nanos(self.now_mono())
    }
}

/// A process that is one second old takes over a call that ended eight seconds ago.
#[test]
fn saved_calls_older_than_the_clock_leave_the_window_in_time() {
    let windowed = |clock: &Arc<Machine>| {
        let window = Window::Time(Duration::from_secs(10));
        let builder = CircuitBreaker::builder("db").failure_rate(100).window(window).minimum_calls(50);
        builder.clock(clock.clone()).build().unwrap()
    };
    let calls = |breaker: &CircuitBreaker| breaker.metrics().rates.unwrap().calls;
    let old = Machine::new(1_000, 5_000);
    let first = windowed(&old);
    fail(&first);
    old.mono.fetch_add(8_000_000_000, Ordering::Relaxed);

    let young = Machine::new(1, 6_007);
    let (second, third) = (windowed(&young), windowed(&young));
    second.restore(&first.snapshot());
    third.restore(&second.snapshot());
    young.mono.fetch_add(1_990_000_000, Ordering::Relaxed);
    assert_eq!((calls(&second), calls(&third)), (1, 1));
    young.mono.fetch_add(20_000_000, Ordering::Relaxed);
    assert_eq!((calls(&second), calls(&third)), (0, 0));
}

#[test]
fn closing_all_reaches_windows_without_failures_in_a_row() {
    #[lifecycle::circuit_breaker(failure_rate = 100, minimum_calls = 2, name = "found_window")]
    fn guarded() -> Result<(), lifecycle::Rejected> {
        Ok(())
    }
    testing::isolated(|| {
        let breaker = lifecycle::breaker("found_window").unwrap();
        let calls = json!([{ "calls": 50, "failures": 0, "slow": 0 }]);
        breaker.restore(&saved(json!({ "name": "x", "state": "closed", "failures": 0, "calls": calls })));
        lifecycle::breakers().reset_all();
        assert_eq!(breaker.metrics().rates.unwrap().calls, 0);
        guarded().unwrap();
    });
}

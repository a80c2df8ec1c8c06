//! States put away and put back: through JSON, on another clock, in another breaker, by hand. (B13 and D11 of the scenarios.)

use lifecycle::clock::{Clock, ManualClock};
use lifecycle::testing::{advance, isolated};
use lifecycle::{Backoff, BreakerConfig, CircuitBreaker, RejectedKind, SavedBreaker, State, Window};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The machine has been up for so long.
const UP: u64 = 3_600 * 1_000_000_000;

/// A process: its monotonic clock begins anew, the wall clock goes on.
struct Process {
    mono: ManualClock,
    began: SystemTime,
}

impl Process {
    fn at(began: SystemTime) -> Arc<Self> {
        let mono = ManualClock::new();
        mono.set_mono(UP);
        Arc::new(Self { mono, began })
    }
}

impl Clock for Process {
    fn now_mono(&self) -> u64 {
        self.mono.now_mono()
    }

    fn now_wall(&self) -> SystemTime {
        self.began + Duration::from_nanos(self.now_mono()) - Duration::from_nanos(UP)
    }
}

fn breaker(config: BreakerConfig, clock: &Arc<Process>) -> CircuitBreaker {
    CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap()
}

fn through_json(saved: &SavedBreaker) -> SavedBreaker {
    let back: SavedBreaker = serde_json::from_str(&serde_json::to_string(saved).unwrap()).unwrap();
    // But for the last bits of its times.
    let text =
        |saved: &SavedBreaker| format!("{:?} {} {} {}", saved.state, saved.failures, saved.reopened, saved.successes);
    assert_eq!((text(&back), back.calls.len()), (text(saved), saved.calls.len()));
    back
}

fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}

fn succeed(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().success();
}

fn near(is: Option<Duration>, wanted: Duration) -> bool {
    // Wall times are floating point: microseconds at best.
    is.is_some_and(|is| is.abs_diff(wanted) < Duration::from_millis(1))
}

fn by_hand(saved: Value) -> SavedBreaker {
    let mut all = json!({ "name": "test", "state": "closed", "failures": 0 });
    all.as_object_mut().unwrap().extend(saved.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

#[test]
fn b13_an_opening_goes_on_in_the_next_process_where_it_was() {
    let config = BreakerConfig::new().threshold(1);
    let start = SystemTime::UNIX_EPOCH + secs(1_700_000_000);
    for (away, left) in [(0, 50), (20, 30), (49, 1), (50, 0), (75, 0), (1_000_000, 0)] {
        let first = Process::at(start);
        let old = breaker(config, &first);
        fail(&old);
        first.mono.advance(secs(10));
        let saved = through_json(&old.snapshot());
        let second = Process::at(start + secs(10 + away));
        let new = breaker(config, &second);
        new.restore(&saved);
        assert_eq!(new.state(), State::Open);
        if left > 0 {
            let refused = new.try_acquire().unwrap_err();
            assert_eq!(refused.kind, RejectedKind::Open);
            assert!(near(refused.retry_after, secs(left)), "{away}: {refused:?}");
            second.mono.advance(secs(left) + Duration::from_millis(1));
        }
        let probe = new.try_acquire().unwrap();
        assert_eq!(new.state(), State::HalfOpen);
        probe.success();
        assert_eq!(new.state(), State::Closed);
    }
}

#[test]
fn every_state_comes_back_as_it_was() {
    let clock = Process::at(SystemTime::now());
    let config = BreakerConfig::new().threshold(3).half_open_calls(2).success_threshold(2);
    type Move = fn(&CircuitBreaker, &Process);
    let moves: [(Move, State); 7] = [
        (|breaker, _| (0..2).for_each(|_| fail(breaker)), State::Closed),
        (|breaker, _| breaker.open_for(secs(9)), State::Open),
        (
            |breaker, clock| {
                breaker.open_for(secs(9));
                clock.mono.advance(secs(9));
                succeed(breaker);
            },
            State::HalfOpen,
        ),
        (|breaker, _| breaker.force_open(), State::ForcedOpen),
        (|breaker, _| breaker.disable(), State::Disabled),
        (|breaker, _| breaker.observe_only(), State::ObserveOnly),
        (|breaker, _| breaker.reset(), State::Closed),
    ];
    for (go, state) in moves {
        let (old, new) = (breaker(config, &clock), breaker(config, &clock));
        go(&old, &clock);
        let saved = through_json(&old.snapshot());
        new.restore(&saved);
        assert_eq!((new.state(), saved.state), (state, state));
        let again = new.snapshot();
        assert_eq!(
            (again.failures, again.successes, again.reopened),
            (saved.failures, saved.successes, saved.reopened)
        );
        for breaker in [&old, &new] {
            let admitted = (0..3).map_while(|_| breaker.try_acquire().ok()).collect::<Vec<_>>().len();
            let expected = match state {
                State::Open | State::ForcedOpen => 0,
                State::HalfOpen => 1, // one success is there already, and two are wanted
                _ => 3,
            };
            assert_eq!(admitted, expected, "{state}");
        }
    }
}

#[test]
fn failures_backoff_and_probes_go_on_counting() {
    let clock = Process::at(SystemTime::now());
    let config = BreakerConfig::new().threshold(3).timeout(secs(5)).backoff(Backoff::exponential());
    let pass_on = |old: &CircuitBreaker| {
        let new = breaker(config, &clock);
        new.restore(&through_json(&old.snapshot()));
        new
    };
    let mut breaker = breaker(config, &clock);
    for _ in 0..3 {
        fail(&breaker);
        breaker = pass_on(&breaker);
    }
    for open in [5, 10, 20, 40] {
        let refused = breaker.try_acquire().unwrap_err();
        assert!(near(refused.retry_after, secs(open)), "{refused:?}, not {open} s");
        clock.mono.advance(secs(open) + Duration::from_millis(1));
        breaker = pass_on(&breaker);
        fail(&breaker);
        breaker = pass_on(&breaker);
    }
}

#[test]
fn windows_come_back_with_their_calls() {
    let start = SystemTime::UNIX_EPOCH + secs(1_700_000_000);
    let rated = |window| {
        BreakerConfig::new().failure_rate(60).slow_call_rate(100).slow_call(secs(1)).window(window).minimum_calls(5)
    };
    for window in [Window::Calls(5), Window::Time(secs(100))] {
        let first = Process::at(start);
        let old = breaker(rated(window), &first);
        for (fails, takes) in [(false, 0), (true, 1), (false, 0), (true, 2)] {
            let permit = old.try_acquire().unwrap();
            first.mono.advance(secs(takes));
            if fails { permit.failure() } else { permit.success() }
        }
        let seen = |breaker: &CircuitBreaker| {
            let rates = breaker.metrics().rates.unwrap();
            (rates.calls, rates.failures, rates.slow_calls)
        };
        assert_eq!(seen(&old), (4, 2, 2));
        let second = Process::at(start + secs(10));
        let new = breaker(rated(window), &second);
        new.restore(&through_json(&old.snapshot()));
        assert_eq!(seen(&new), (4, 2, 2), "{window}");
        fail(&new);
        assert_eq!(new.state(), State::Open, "three of five, by {window}");

        // A minute and a half later, also where the clock is younger than that.
        for began in [UP, 1_000_000_000] {
            let third = Process::at(start + secs(102) + Duration::from_nanos(UP - began));
            third.mono.set_mono(began);
            let late = breaker(rated(window), &third);
            late.restore(&old.snapshot());
            let left = if matches!(window, Window::Calls(_)) { (4, 2, 2) } else { (1, 1, 1) };
            assert_eq!(seen(&late), left, "{window}");
        }
    }
}

#[test]
fn a_window_of_another_kind_or_none_begins_empty() {
    let clock = Process::at(SystemTime::now());
    let rated = BreakerConfig::new().failure_rate(100).threshold(9).minimum_calls(5);
    let configs =
        [rated.window(Window::Calls(10)), rated.window(Window::Time(secs(10))), BreakerConfig::new().threshold(9)];
    for (from, old_config) in configs.into_iter().enumerate() {
        for (to, new_config) in configs.into_iter().enumerate() {
            let (old, new) = (breaker(old_config, &clock), breaker(new_config, &clock));
            (0..3).for_each(|_| fail(&old));
            new.restore(&through_json(&old.snapshot()));
            assert_eq!(new.metrics().failures, 3, "failures in a row need no window");
            let calls = new.metrics().rates.map(|rates| rates.calls);
            assert_eq!(calls, (to < 2).then_some(if from == to { 3 } else { 0 }), "{from} to {to}");
        }
    }
}

#[test]
fn a_success_threshold_that_was_reached_elsewhere_does_not_stick() {
    // Two of three probes had succeeded; here two, or one, would have been enough.
    let clock = Process::at(SystemTime::now());
    for threshold in [1, 2, 3] {
        let config = BreakerConfig::new().threshold(1).success_threshold(threshold);
        let breaker = breaker(config, &clock);
        breaker.restore(&by_hand(json!({ "state": "half_open", "successes": 2 })));
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed, "{threshold}");
    }
}

#[test]
fn what_is_odd_or_hostile_breaks_nothing() {
    let clock = Process::at(SystemTime::UNIX_EPOCH + secs(1_700_000_000));
    let config = BreakerConfig::new().failure_rate(50).window(Window::Time(secs(10))).minimum_calls(5).threshold(5);
    let times = [-1e300, -1.0, 0.0, 1_700_000_000.0, 1_700_000_009.0, 1e12, 1e300];
    for state in ["closed", "open", "half_open", "forced_open", "disabled", "observe_only"] {
        for (from, to) in times.into_iter().flat_map(|from| times.map(|to| (from, to))) {
            let breaker = breaker(config, &clock);
            breaker.restore(&by_hand(json!({
                "state": state, "failures": u32::MAX, "reopened": u32::MAX, "successes": u32::MAX, "opened_at": from, "open_until": to,
                "calls": [
                    { "at": to, "calls": u32::MAX, "failures": u32::MAX, "slow": u32::MAX },
                    { "at": from, "calls": 1, "failures": 9, "slow": 9 },
                    { "calls": 3 },
                ],
            })));
            assert_eq!(breaker.state().as_str(), state);
            drop((
                breaker.metrics(),
                through_json(&breaker.snapshot()),
                breaker.try_acquire().map(lifecycle::Permit::failure),
            ));
            breaker.reset();
            (0..4).for_each(|_| fail(&breaker));
            assert_eq!(breaker.state(), State::Closed);
            succeed(&breaker);
        }
    }
    let calls = breaker(config.window(Window::Calls(10)), &clock);
    calls.restore(&by_hand(json!({ "calls": [{ "calls": u32::MAX }, { "calls": 2, "failures": 1 }] })));
    assert_eq!(calls.metrics().rates.unwrap().calls, 10);
}

#[test]
fn a_wall_clock_that_was_wrong_keeps_nothing_shut_for_longer_than_it_was_meant() {
    let clock = Process::at(SystemTime::UNIX_EPOCH + secs(1_700_000_000));
    let breaker = breaker(BreakerConfig::new().threshold(1), &clock);
    // Saved by a machine that lived in 2100.
    breaker.restore(&by_hand(json!({ "state": "open", "opened_at": 4_102_444_800.0, "open_until": 4_102_444_860.0 })));
    let refused = breaker.try_acquire().unwrap_err();
    assert!(near(refused.retry_after, secs(60)), "{refused:?}");
    clock.mono.advance(secs(60));
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn restoring_is_told_and_calls_under_way_no_longer_count() {
    let clock = Process::at(SystemTime::now());
    let breaker = breaker(BreakerConfig::new().threshold(1), &clock);
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = told.clone();
    breaker.on_transition(move |change| heard.lock().unwrap().push((change.from, change.to, change.reason)));
    let late = breaker.try_acquire().unwrap();
    breaker.restore(&by_hand(json!({})));
    late.failure();
    assert_eq!((breaker.state(), told.lock().unwrap().len()), (State::Closed, 0), "closed as before: no change");
    breaker.restore(&by_hand(json!({ "state": "open" })));
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, None, "open without an end: until it is reset");
    assert_eq!(*told.lock().unwrap(), [(State::Closed, State::Open, "restored")]);
}

#[test]
fn a_state_may_be_that_of_another_name() {
    let old = CircuitBreaker::builder("old_name").threshold(1).build().unwrap();
    old.open_for(Duration::from_secs(30));
    let new = CircuitBreaker::builder("new_name").threshold(1).build().unwrap();
    new.restore(&old.snapshot());
    assert_eq!((new.state(), new.name()), (State::Open, "new_name"));
}

#[test]
fn opening_an_open_one_by_hand_begins_anew_and_is_no_transition() {
    isolated(|| {
        let breaker = CircuitBreaker::builder("by_hand").build().unwrap();
        let told = Arc::new(AtomicU32::new(0));
        let count = told.clone();
        breaker.on_transition(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
        let left = || breaker.metrics().retry_after_seconds;
        breaker.open_for(Duration::from_secs(30));
        breaker.open_for(Duration::from_secs(5));
        assert_eq!(
            (left(), told.load(Ordering::Relaxed), breaker.metrics().statistics.times_opened),
            (Some(5.0), 1, 1)
        );
        breaker.force_open();
        breaker.open_for(Duration::from_secs(7));
        assert_eq!((left(), breaker.state()), (Some(7.0), State::Open));
        advance(Duration::from_secs(7));
        drop(breaker.try_acquire().unwrap());
    });
}

//! Breakers and clocks that misbehave: rows 45 to 50 of the list of faults, by their numbers. (48 is about `on_restore`; what it
//! is to do by hand is in `breaker_saved.rs`. 51 and 52, other targets, no test here can say.)

use lifecycle::clock::{Clock, ManualClock};
use lifecycle::{Backoff, BreakerConfig, CircuitBreaker, RejectedKind, State, Window};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

fn breaker(config: BreakerConfig) -> (CircuitBreaker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap(), clock)
}

fn one() -> BreakerConfig {
    BreakerConfig::new().threshold(1)
}

fn fail(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().failure();
}

fn succeed(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().success();
}

/// A monotonic clock, and a wall clock that goes its own way.
struct Split {
    mono: AtomicU64,
    /// Seconds since 1970.
    wall: AtomicI64,
}

impl Clock for Split {
    fn now_mono(&self) -> u64 {
        self.mono.load(Ordering::SeqCst)
    }

    fn now_wall(&self) -> SystemTime {
        let wall = self.wall.load(Ordering::SeqCst);
        let from = Duration::from_secs(wall.unsigned_abs());
        if wall < 0 { UNIX_EPOCH - from } else { UNIX_EPOCH + from }
    }
}

#[test]
fn f45_e8_the_wall_clock_decides_nothing() {
    let clock = Arc::new(Split { mono: AtomicU64::new(HOUR), wall: AtomicI64::new(1_700_000_000) });
    let config = one().failure_rate(50).window(Window::Time(secs(100))).minimum_calls(1);
    let breaker = CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap();
    // An hour back, an hour on, before 1970, the year 30,000.
    for wall in [1_700_000_000 - 3_600, 1_700_000_000 + 3_600, -5, 0, 884_541_340_800] {
        fail(&breaker);
        clock.wall.store(wall, Ordering::SeqCst);
        clock.mono.fetch_add(60 * SECOND - 1, Ordering::SeqCst);
        let refused = breaker.try_acquire().unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (RejectedKind::Open, Some(Duration::from_nanos(1))));
        let seen = breaker.metrics();
        let ago = wall as f64 - seen.opened_at.unwrap();
        assert!(wall <= 0 || (ago - 60.0).abs() < 0.001, "it opened a minute ago, on the wall as it hangs now: {ago}");
        clock.mono.fetch_add(1, Ordering::SeqCst);
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[test]
fn f46_a_clock_that_goes_back_an_hour_while_open_ends_nothing_early_and_sticks_nothing() {
    let (breaker, clock) = breaker(one().half_open_calls(1));
    clock.set_mono(2 * HOUR);
    fail(&breaker);
    clock.set_mono(HOUR);
    let refused = breaker.try_acquire().unwrap_err();
    assert_eq!(refused.retry_after, Some(secs(3_660)), "what it says is what there is to wait");
    clock.advance(refused.retry_after.unwrap());
    let probe = breaker.try_acquire().unwrap();
    // Half-open, and back again: the probe's slot is held as long as the clock says.
    clock.set_mono(HOUR);
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(secs(3_720)));
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn f46_f50_no_reading_makes_anything_panic() {
    let readings = [u64::MAX, 0, HOUR, u64::MAX - 1, 1, u64::MAX / 2, SECOND, u64::MAX];
    let rated = one().failure_rate(50).slow_call_rate(50).window(Window::Time(secs(10))).minimum_calls(1);
    let backoff = one().backoff(Backoff::exponential().jitter(50));
    for config in [one(), rated, backoff, one().timeout(Duration::MAX).half_open_timeout(Duration::MAX)] {
        let (breaker, clock) = breaker(config);
        for round in 0..4 {
            for reading in readings {
                clock.set_mono(reading);
                let permit = breaker.try_acquire();
                clock.set_mono(readings[round]);
                match permit {
                    Ok(permit) if round % 2 == 0 => permit.failure(),
                    permit => drop(permit),
                }
                let (seen, saved) = (breaker.metrics(), breaker.snapshot());
                serde_json::to_string(&seen).unwrap();
                breaker.restore(&saved);
                breaker.open_for(secs(reading));
            }
        }
        breaker.reset();
        clock.set_mono(HOUR);
        succeed(&breaker);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[test]
fn f47_f49_after_a_freeze_the_first_call_probes_and_nothing_bursts() {
    for probes in [1, 3] {
        let (breaker, clock) = breaker(one().half_open_calls(probes).success_threshold(probes));
        fail(&breaker);
        clock.advance(secs(86_400 * 365));
        // Nothing ran meanwhile: it reads as it was left, and the first calls are probes.
        assert_eq!((breaker.state(), breaker.metrics().retry_after_seconds), (State::Open, Some(0.0)));
        let admitted: Vec<_> = (0..20).filter_map(|_| breaker.try_acquire().ok()).collect();
        assert_eq!(admitted.len(), probes as usize);
        // Frozen again while they are under way: their slots are free, and no more than those.
        clock.advance(secs(86_400));
        let again = (0..20).filter_map(|_| breaker.try_acquire().ok()).collect::<Vec<_>>();
        assert_eq!(again.len(), probes as usize);
        drop(admitted);
        assert_eq!(breaker.state(), State::HalfOpen);
        again.into_iter().for_each(lifecycle::Permit::success);
        assert_eq!(breaker.state(), State::Closed);
    }
}

#[test]
fn f47_a_clock_that_loses_a_freeze_is_late_and_never_early() {
    let (breaker, clock) = breaker(one());
    fail(&breaker);
    // Suspended for a day, which this clock did not count.
    clock.advance(secs(59));
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(secs(1)));
    clock.advance(secs(1));
    succeed(&breaker);
}

#[test]
fn f50_six_hundred_years_are_longer_than_all_that_was_said() {
    let (breaker, clock) = breaker(one().timeout(secs(600 * 365 * 86_400)));
    fail(&breaker);
    clock.advance(secs(500 * 365 * 86_400));
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, None, "beyond the clock's end is never");
    let (breaker, clock) = self::breaker(one());
    fail(&breaker);
    clock.advance(secs(600 * 365 * 86_400));
    succeed(&breaker);
    assert_eq!(breaker.state(), State::Closed);
}

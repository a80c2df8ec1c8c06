//! The ring against a model that keeps every permit ever given, and threads that are stopped inside of it.

use super::probe::{STALL, Written};
use super::ring::{Outcome, Ring, Straight};
use proptest::prelude::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What an acquisition at a standing clock came to: the wait of a permit, or of a refusal.
pub(super) fn take(ring: &Ring, permits: u32, patience: u64, now: u64) -> Result<u64, Option<u64>> {
    // As limiters do it; in every other nanosecond, so that both ways are gone.
    if (permits, patience) == (1, 0) && now % 2 == 0 {
        match (now < 1 << 63).then(|| ring.try_one(|| Some(now))) {
            Some(Straight::Given { .. }) => return Ok(0),
            Some(Straight::Refused { wait, .. }) => return Err(Some(wait)),
            Some(Straight::Busy | Straight::Unsure) | None => {}
        }
    }
    match ring.acquire(permits, patience, || now) {
        Outcome::Given { reading, wait } => {
            assert_eq!(reading, now);
            Ok(wait)
        }
        Outcome::Refused { wait, .. } => Err(wait),
    }
}

fn wait_for(ring: &Ring, permits: u32, now: u64) -> Option<u64> {
    ring.wait(permits, &|| now)
}

pub(super) fn used(ring: &Ring, now: u64) -> u32 {
    ring.used(&|| now)
}

/// Obviously right and slow.
#[derive(Debug)]
struct Model {
    limit: usize,
    window: u64,
    /// In order; none is before its neighbours.
    given: Vec<u64>,
    /// Those before it do not count any more.
    forgotten: usize,
}

impl Model {
    fn new(limit: usize, window: u64) -> Self {
        Self { limit, window, given: Vec::new(), forgotten: 0 }
    }

    fn counting(&self, now: u64) -> usize {
        let newest = &self.given[self.forgotten.max(self.given.len().saturating_sub(self.limit))..];
        newest.iter().filter(|time| **time + self.window >= now).count()
    }

    /// When so many could be given, at the earliest.
    fn earliest(&self, permits: usize, now: u64) -> u64 {
        let counts = &self.given[self.forgotten..];
        let surplus = (counts.len() + permits).saturating_sub(self.limit);
        surplus.checked_sub(1).map_or(now, |last| now.max(counts[last] + self.window + 1))
    }

    fn take(&mut self, permits: usize, patience: u64, now: u64) -> Result<u64, Option<u64>> {
        if permits > self.limit {
            return Err(None);
        }
        if permits == 0 {
            return Ok(0);
        }
        let earliest = self.earliest(permits, now);
        if earliest - now > patience {
            return Err(Some(earliest - now));
        }
        // Who comes later is not before those who wait.
        let time = earliest.max(self.given.last().copied().unwrap_or(0));
        self.given.extend(std::iter::repeat_n(time, permits));
        Ok(earliest - now)
    }
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Take { permits: u32, patience: u64 },
    Advance(u64),
    Reset,
    Change { limit: u32, window: u64 },
}

fn op(changes: bool) -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0_u32..12, prop_oneof![3 => Just(0), 1 => 0_u64..60]).prop_map(|(permits, patience)| {
            // Mostly one.
            Op::Take { permits: permits.saturating_sub(6).max(1), patience }
        }),
        4 => (0_u64..30).prop_map(Op::Advance),
        1 => Just(Op::Reset),
        u32::from(changes) => (1_u32..12, 1_u64..60).prop_map(|(limit, window)| Op::Change { limit, window }),
    ]
}

#[test]
fn after_the_last_position_comes_the_first_and_every_permit_is_counted() {
    // The end is met by a single permit, in the straight line and not, and in the middle of a batch.
    for (permits, patience, start) in [(1, 0, 2), (1, 0, 3), (1, 1, 2), (3, 0, 2), (3, 1, 3)] {
        for left in 0..8 {
            let ring = Ring::new(3, 10).near_the_end();
            for time in left..8 {
                assert_eq!(take(&ring, 1, 0, 11 * time + 2), Ok(0));
            }
            let before = ring.given();
            let mut model = Model::new(3, 10);
            for round in 0..8 {
                let now = 1000 + start + 11 * round;
                assert_eq!(take(&ring, permits, patience, now), Ok(0), "{permits} with {left} left, round {round}");
                assert_eq!(model.take(permits as usize, patience, now), Ok(0));
                let more = take(&ring, 3, 0, now);
                assert_eq!(more, model.take(3, 0, now), "{permits} with {left} left, round {round}");
            }
            assert_eq!(ring.given() - before, model.given.len() as u64, "{permits} with {left} left");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_model_that_keeps_every_permit(
        limit in 1_u32..10, window in 1_u64..50, ops in prop::collection::vec(op(false), 1..200),
    ) {
        let (ring, mut model) = (Ring::new(limit, window), Model::new(limit as usize, window));
        let mut now = 0;
        for op in ops {
            match op {
                Op::Take { permits, patience } => {
                    let wait = wait_for(&ring, permits, now);
                    let expected = model.take(permits as usize, patience, now);
                    prop_assert_eq!(take(&ring, permits, patience, now), expected);
                    if patience == 0 {
                        prop_assert_eq!(wait, expected.map_or_else(|wait| wait, Some));
                    }
                }
                Op::Advance(by) => now += by,
                Op::Reset => {
                    ring.reset(&|| now);
                    model.forgotten = model.given.iter().take_while(|time| **time <= now).count();
                    // A permit at the time of a reset counts as given after it, a nanosecond later.
                    now += 1;
                }
                Op::Change { .. } => {}
            }
            prop_assert_eq!(used(&ring, now) as usize, model.counting(now));
        }
    }

    /// With limits that change the ring may know less than the model, never more: it may refuse early.
    #[test]
    fn whatever_the_limits_were_it_never_gives_what_the_model_refuses(
        limit in 1_u32..10, window in 1_u64..50, ops in prop::collection::vec(op(true), 1..200),
    ) {
        let (ring, mut model) = (Ring::new(limit, window), Model::new(limit as usize, window));
        let mut now = 0;
        for op in ops {
            match op {
                Op::Take { permits, patience } => {
                    let at = model.given.len();
                    if let Ok(wait) = take(&ring, permits, patience, now) {
                        let given = model.take(permits as usize, wait, now);
                        prop_assert!(given.is_ok_and(|earliest| earliest <= wait), "{:?} at {}", model, now);
                        // It is used when the ring says.
                        let time = (now + wait).max(at.checked_sub(1).map_or(0, |last| model.given[last]));
                        model.given[at..].fill(time);
                    }
                }
                Op::Advance(by) => now += by,
                Op::Reset => {
                    ring.reset(&|| now);
                    model.forgotten = model.given.iter().take_while(|time| **time <= now).count();
                    now += 1;
                }
                Op::Change { limit, window } => {
                    ring.reconfigure(limit, window, &|| now);
                    (model.limit, model.window) = (limit as usize, window);
                }
            }
        }
    }

    /// A clock that jumps either way: nothing panics or hangs, and a window after the last step everything is free.
    #[test]
    fn a_clock_that_jumps_locks_out_for_a_window_at_most(
        limit in 1_u32..10, window in 1_u64..1000, ops in prop::collection::vec((op(false), 0_u64..1 << 56), 1..40),
    ) {
        let ring = Ring::new(limit, window);
        for (op, now) in ops {
            // Waits are not foreseen for a clock that jumps: what was promised for a time before the step is waited for.
            match op {
                Op::Take { permits, .. } => _ = take(&ring, permits, 0, now),
                _ => ring.reset(&|| now),
            }
        }
        // A step to the beginning, noticed by whoever is refused.
        let full = (0..2 * limit).filter(|_| take(&ring, 1, 0, 0).is_ok()).count();
        prop_assert!(full <= limit as usize);
        prop_assert!(take(&ring, 1, 0, 0).is_err());
        prop_assert_eq!(take(&ring, limit, 0, window + 1), Ok(0));
    }
}

#[test]
fn a_permit_exactly_a_window_old_still_counts() {
    const SECOND: u64 = 1_000_000_000;
    let ring = Ring::new(1000, SECOND);
    (0..1000).for_each(|_| assert_eq!(take(&ring, 1, 0, 0), Ok(0)));
    assert_eq!(take(&ring, 1, 0, SECOND), Err(Some(1)));
    assert_eq!(take(&ring, 1, 0, SECOND + 1), Ok(0));
}

#[test]
fn the_wait_it_names_is_exact_for_batches_too() {
    let ring = Ring::new(3, 100);
    (0..3).for_each(|at| assert_eq!(take(&ring, 1, 0, at * 10), Ok(0)));
    let wait = take(&ring, 2, 0, 50).unwrap_err().unwrap();
    assert_eq!(take(&ring, 2, 0, 50 + wait - 1), Err(Some(1)));
    assert_eq!(take(&ring, 2, 0, 50 + wait), Ok(0));
    assert_eq!(take(&ring, 4, u64::MAX, u64::MAX), Err(None), "more than the limit can never be had");
}

#[test]
fn resets_at_one_time_forget_each_their_own() {
    let ring = Ring::new(2, 100);
    for _ in 0..5 {
        assert_eq!(take(&ring, 2, 0, 50), Ok(0));
        assert!(take(&ring, 1, 0, 50).is_err());
        ring.reset(&|| 50);
        assert_eq!(used(&ring, 50), 0);
    }
}

#[test]
fn a_reset_leaves_what_was_given_for_later() {
    let ring = Ring::new(2, 100);
    assert_eq!(take(&ring, 2, 0, 50), Ok(0));
    assert_eq!(take(&ring, 1, 200, 50), Ok(101));
    ring.reset(&|| 50);
    assert_eq!(used(&ring, 50), 1);
    assert_eq!(take(&ring, 1, 0, 50), Ok(0), "one is free");
    assert_eq!(take(&ring, 1, 0, 50), Err(Some(202)), "a window after that for which another waits");
}

#[test]
fn endless_windows_and_the_end_of_time_do_not_overflow() {
    for (window, now) in [(u64::MAX, u64::MAX), (u64::MAX, 0), (u64::MAX - 1, 5), (1, u64::MAX), (1 << 63, 7)] {
        let ring = Ring::new(1, window);
        assert_eq!(take(&ring, 1, 0, now), Ok(0));
        for later in [now, 0, u64::MAX - 1] {
            let refused = take(&ring, 1, 0, later);
            assert!(refused.is_err() || later - now > window, "{window} {now} {later}");
        }
        assert!(take(&ring, 1, u64::MAX, 0).is_err() || window == 1);
        ring.reset(&|| u64::MAX);
        _ = (take(&ring, 1, u64::MAX, u64::MAX), used(&ring, u64::MAX), wait_for(&ring, 1, u64::MAX));
    }
    let largest = Ring::new(1 << 20, u64::MAX);
    assert_eq!(take(&largest, 1 << 20, 0, 0), Ok(0));
    assert_eq!(take(&largest, 1, 0, u64::MAX), Err(None));
}

#[test]
fn a_lower_limit_holds_at_once_and_a_higher_one_adds_room() {
    let ring = Ring::new(3, 100);
    (0..3).for_each(|at| assert_eq!(take(&ring, 1, 0, at * 10), Ok(0)));
    ring.reconfigure(2, 100, &|| 30);
    assert_eq!(take(&ring, 1, 0, 105), Err(Some(6)));
    assert_eq!(take(&ring, 1, 0, 111), Ok(0));
    ring.reconfigure(4, 100, &|| 111);
    assert_eq!(take(&ring, 2, 0, 111), Ok(0));
    assert_eq!(used(&ring, 111), 4);
    ring.reconfigure(1000, 100, &|| 111);
    assert_eq!(take(&ring, 997, 0, 111), Err(Some(10)));
    assert_eq!(take(&ring, 996, 0, 111), Ok(0), "four of them are known, the others were more than a window ago");
    ring.reconfigure(1, 10, &|| 111);
    assert_eq!(take(&ring, 1, 0, 121), Err(Some(1)));
    assert_eq!(take(&ring, 1, 0, 122), Ok(0));
}

/// More than a window, in real time.
const WINDOW: u64 = 200_000;

fn stop_now_and_then() {
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    let mut number = NUMBER.get();
    if number == 0 {
        number = u64::from(std::process::id()) ^ Instant::now().elapsed().as_nanos() as u64 | 1;
        number ^= std::ptr::from_ref(&number).addr() as u64;
    }
    number ^= number << 13;
    number ^= number >> 7;
    number ^= number << 17;
    NUMBER.set(number);
    match number % 256 {
        0 => std::thread::sleep(Duration::from_nanos(2 * WINDOW)),
        1..16 => std::thread::yield_now(),
        _ => {}
    }
}

/// What the slots' writes have to be, whoever was stopped where.
fn check(writes: &[Written], limit: usize, window: u64) {
    for (at, written) in writes.iter().enumerate() {
        assert_eq!(written.position, at as u64, "each is written once");
        assert!(written.time > written.old);
    }
    for (one, other) in writes.iter().zip(writes.iter().skip(limit)) {
        assert!(other.time - one.time > window, "{one:?} {other:?}");
    }
}

#[test]
fn threads_that_are_stopped_for_longer_than_a_window_change_nothing() {
    for (limit, rounds) in [(1, 3000), (2, 3000), (3, 3000), (50, 3000), (1000, 6000)] {
        let ring = Ring::new(limit, WINDOW);
        let origin = Instant::now();
        let given = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (ring, given) = (&ring, &given);
                scope.spawn(move || {
                    STALL.set(Some(stop_now_and_then));
                    for round in 0..rounds {
                        let clock = || {
                            let reading = origin.elapsed().as_nanos() as u64;
                            stop_now_and_then();
                            reading
                        };
                        let permits = if (round + thread) % 5 == 0 { limit.min(1 + round % 7) } else { 1 };
                        let before = origin.elapsed().as_nanos() as u64;
                        if permits == 1 && round % 11 != 0 {
                            match ring.try_one(|| Some(clock())) {
                                Straight::Given { .. } => {
                                    given.fetch_add(1, Ordering::Relaxed);
                                    continue;
                                }
                                Straight::Refused { .. } => continue,
                                Straight::Busy | Straight::Unsure => {}
                            }
                        }
                        match ring.acquire(permits, if round % 11 == 0 { WINDOW } else { 0 }, clock) {
                            Outcome::Given { .. } => given.fetch_add(permits.into(), Ordering::Relaxed),
                            Outcome::Refused { reading, .. } => {
                                assert!(reading >= before);
                                0
                            }
                        };
                    }
                });
            }
        });
        let writes = ring.log.all();
        assert_eq!(writes.len() as u64, given.into_inner(), "every permit has its slot");
        check(&writes, limit as usize, WINDOW);
    }
}

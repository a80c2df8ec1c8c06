//! Limits that change while permits count, modes that are chosen, and limits too large for one slot a permit.

use lifecycle::clock::ManualClock;
use lifecycle::testing::isolated;
use lifecycle::{Error, RateLimiter, Rejected, rate_limit};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

fn limiter(limit: u32, window: Duration) -> (Arc<ManualClock>, RateLimiter) {
    let clock = Arc::new(ManualClock::new());
    let limiter = RateLimiter::builder("api").limit(limit, window).clock(clock.clone()).build().unwrap();
    (clock, limiter)
}

fn take(limiter: &RateLimiter, attempts: usize) -> usize {
    (0..attempts).filter(|_| limiter.try_acquire().is_ok()).count()
}

#[test]
fn a_raised_limit_has_room_at_once_and_a_lowered_one_waits_for_what_was_given() {
    let (clock, limiter) = limiter(100, SECOND);
    assert_eq!(take(&limiter, 200), 100);
    limiter.set_limit(1000, SECOND).unwrap();
    assert_eq!(take(&limiter, 2000), 900);
    limiter.set_limit(10, SECOND).unwrap();
    clock.advance(SECOND);
    assert_eq!(take(&limiter, 20), 0);
    clock.advance(NANOSECOND);
    assert_eq!(take(&limiter, 20), 10);
    let usage = limiter.usage();
    assert_eq!((usage.used, usage.limit, usage.window), (10, 10, SECOND));
    assert_eq!(limiter.observe().limit, 10);
}

#[test]
fn another_window_counts_what_it_reaches_back_to() {
    let (clock, limiter) = limiter(2, SECOND);
    for _ in 0..5 {
        assert_eq!(take(&limiter, 3), 2);
        clock.advance(SECOND + NANOSECOND);
    }
    limiter.set_limit(2, SECOND * 10).unwrap();
    let refused = limiter.try_acquire().unwrap_err();
    assert_eq!(refused.retry_after, Some(SECOND * 9), "ten seconds and a nanosecond after the newest two");
    // Of the permits before those it only knows that they were a second apart from each other at least.
    limiter.set_limit(6, SECOND * 4).unwrap();
    assert!(limiter.try_acquire().is_err(), "six were given within the last four seconds");
    limiter.set_limit(1, Duration::from_millis(1)).unwrap();
    assert_eq!(take(&limiter, 3), 1);
}

#[test]
fn limits_that_cannot_be_change_nothing() {
    let (_, limiter) = limiter(2, SECOND);
    assert_eq!(take(&limiter, 1), 1);
    for (limit, window) in [(0, SECOND), (1, Duration::ZERO), (1 << 21, SECOND)] {
        let refused = limiter.set_limit(limit, window).unwrap_err();
        assert!(matches!(refused, Error::InvalidConfig { .. }), "{refused}");
    }
    assert_eq!((limiter.usage().limit, limiter.usage().used), (2, 1));
    for made in [RateLimiter::builder("api").build(), RateLimiter::builder("api").per_second(1).gcra(0).build()] {
        assert!(matches!(made, Err(Error::InvalidConfig { .. })));
    }
    assert!(matches!(RateLimiter::builder("").per_second(1).build(), Err(Error::InvalidName { .. })));
}

#[rate_limit("2/s")]
fn guarded() -> Result<(), Rejected> {
    Ok(())
}

#[test]
fn a_limit_set_in_a_test_world_ends_with_it() {
    isolated(|| {
        lifecycle::limiter("guarded").unwrap().set_limit(3, SECOND).unwrap();
        assert_eq!((0..5).filter(|_| guarded().is_ok()).count(), 3);
    });
    isolated(|| assert_eq!((0..5).filter(|_| guarded().is_ok()).count(), 2));
    assert_eq!(lifecycle::limiter("guarded").unwrap().usage().limit, 2);
}

#[test]
fn threads_that_take_while_the_limit_changes_never_have_more_than_the_highest() {
    let (clock, limiter) = limiter(64, SECOND);
    for round in 0..200_u32 {
        let given: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| take(&limiter, 100))).collect();
            for step in 0..5 {
                limiter.set_limit(1 + (round * 7 + step * 13) % 64, SECOND).unwrap();
            }
            limiter.set_limit(64, SECOND).unwrap();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let given = given + take(&limiter, 100);
        assert_eq!(given, 64, "all that the highest allows, and no more");
        clock.advance(SECOND + NANOSECOND);
    }
}

#[test]
fn more_than_a_million_are_counted_in_blocks_and_never_exceeded() {
    const LIMIT: u32 = 5_000_000;
    let (clock, limiter) = limiter(LIMIT, SECOND);
    let given = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| (0..100_000).filter(|_| limiter.try_acquire_n(33).is_ok()).count()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>() * 33
    });
    assert!(given <= LIMIT as usize && given > LIMIT as usize * 99 / 100, "{given}");
    let refused = limiter.try_acquire_n(1000).unwrap_err();
    let wait = refused.retry_after.unwrap();
    assert!(wait > SECOND && wait < SECOND + SECOND / 100, "{wait:?}");
    clock.advance(wait);
    limiter.try_acquire_n(1000).unwrap();
}

/// What anybody may do to a limiter.
#[derive(Debug, Clone, Copy)]
enum Op {
    Take { permits: u32, patience: u64 },
    Advance(u64),
    Reset,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0_u32..9, prop_oneof![3 => Just(0), 1 => 0_u64..90]).prop_map(|(permits, patience)| {
            Op::Take { permits: permits.saturating_sub(5).max(1), patience }
        }),
        4 => (0_u64..40).prop_map(Op::Advance),
        1 => Just(Op::Reset),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against a list of all permits, through the public face: waits are polled once, by which their time is taken.
    #[test]
    fn agrees_with_a_list_of_all_permits(limit in 1_u32..9, ops in prop::collection::vec(op(), 1..150)) {
        const WINDOW: u64 = 50;
        let (clock, limiter) = limiter(limit, Duration::from_nanos(WINDOW));
        // In order.
        let mut given: Vec<u64> = Vec::new();
        let mut now = 0_u64;
        for op in ops {
            match op {
                Op::Take { permits, patience } => {
                    let surplus = (given.len() + permits as usize).saturating_sub(limit as usize);
                    let earliest = surplus.checked_sub(1).map_or(now, |last| {
                        given.get(last).map_or(u64::MAX, |time| now.max(time + WINDOW + 1))
                    });
                    let expected = permits <= limit && earliest - now <= patience;
                    let mut future = lifecycle_tests::ByHand::new(
                        limiter.acquire_n_within(permits, Duration::from_nanos(patience)),
                    );
                    let outcome = future.poll();
                    prop_assert_eq!(!matches!(outcome, std::task::Poll::Ready(Err(_))), expected);
                    if let std::task::Poll::Ready(Err(refused)) = &outcome {
                        let wait = (permits <= limit).then(|| Duration::from_nanos(earliest - now));
                        prop_assert_eq!(refused.retry_after, wait);
                    }
                    prop_assert_eq!(outcome.is_pending(), expected && earliest > now);
                    if expected {
                        let time = earliest.max(given.last().copied().unwrap_or(0));
                        given.extend(std::iter::repeat_n(time, permits as usize));
                    }
                }
                Op::Advance(by) => {
                    clock.advance(Duration::from_nanos(by));
                    now += by;
                }
                Op::Reset => {
                    limiter.reset();
                    given.retain(|time| *time > now);
                    clock.advance(NANOSECOND);
                    now += 1;
                }
            }
            let newest = &given[given.len().saturating_sub(limit as usize)..];
            let counting = newest.iter().filter(|time| **time + WINDOW >= now).count();
            prop_assert_eq!(limiter.usage().used as usize, counting);
        }
    }
}

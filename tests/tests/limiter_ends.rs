//! Limiters at the ends of their numbers, by clocks that misbehave, and each key against a list of its own permits.

use lifecycle::clock::ManualClock;
use lifecycle::{KeyedRateLimiter, RateLimiter};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const NANOSECOND: Duration = Duration::from_nanos(1);

fn take(limiter: &RateLimiter, attempts: usize) -> usize {
    (0..attempts).filter(|_| limiter.try_acquire().is_ok()).count()
}

#[test]
fn the_ends_of_windows_limits_and_clocks() {
    let windows = [NANOSECOND, Duration::from_nanos(u64::MAX - 1), Duration::from_nanos(u64::MAX), Duration::MAX];
    for window in windows {
        for start in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            for limit in [1, 2, 1 << 20, u32::MAX] {
                let clock = Arc::new(ManualClock::new());
                clock.set_mono(start);
                let limiter = RateLimiter::builder("ends").limit(limit, window).clock(clock.clone()).build().unwrap();
                let given = take(&limiter, 3);
                assert_eq!(given, 3.min(limit as usize), "{limit} in {window:?} at {start}");
                limiter.try_acquire_n(0).unwrap();
                let rest = limit - given as u32;
                assert!(limiter.try_acquire_n(limit).is_err(), "all of them, once more");
                if limit <= 1 << 20 {
                    limiter.try_acquire_n(rest).unwrap();
                    assert_eq!(limiter.usage().used, limit);
                    let refused = limiter.try_acquire().unwrap_err();
                    assert_ne!(refused.retry_after, Some(Duration::ZERO));
                }
                // Whatever is asked then, it ends, and it is never more than the limit.
                clock.set_mono(u64::MAX);
                assert!(limiter.usage().used <= limit);
                _ = limiter.try_acquire_n(u32::MAX);
                limiter.reset();
                clock.set_mono(0);
                _ = (limiter.try_acquire(), limiter.observe());
                if limit <= 1 << 20 {
                    limiter.set_limit(1, window).unwrap();
                    _ = limiter.try_acquire();
                    assert!(limiter.try_acquire().is_err(), "at most one of two at one time");
                }
            }
        }
    }
}

#[test]
fn an_endless_window_gives_its_permits_once() {
    let clock = Arc::new(ManualClock::new());
    let limiter = RateLimiter::new(2, Duration::MAX).unwrap().with_clock(clock.clone());
    assert_eq!(take(&limiter, 5), 2);
    clock.set_mono(u64::MAX);
    let refused = limiter.try_acquire().unwrap_err();
    assert_eq!(refused.retry_after, None, "no wait gives another one");
    limiter.reset();
    assert_eq!(limiter.usage().used, 0);
}

#[test]
fn a_clock_that_trembles_neither_gives_more_nor_locks_out() {
    const WINDOW: u64 = 1_000;
    let clock = Arc::new(ManualClock::new());
    let limiter = RateLimiter::new(4, Duration::from_nanos(WINDOW)).unwrap().with_clock(clock.clone());
    // The true time, and readings up to 50 before it, in no order.
    let mut given: Vec<u64> = Vec::new();
    for step in 0..40_000_u64 {
        let time = 1_000_000 + step * 20;
        clock.set_mono(time - (step * 7_919) % 50);
        if limiter.try_acquire().is_ok() {
            given.push(time);
        }
    }
    for five in given.windows(5) {
        assert!(five[4] - five[0] > WINDOW - 50, "{five:?}");
    }
    // Each step back is taken for one of the clock's: it may cost a little.
    assert!(given.len() > 40_000 * 20 * 4 / WINDOW as usize * 3 / 4, "{}", given.len());
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Take { key: u8, permits: u32 },
    Advance(u64),
    Reset(u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0_u8..4, 0_u32..9).prop_map(|(key, permits)| Op::Take { key, permits: permits.saturating_sub(5).max(1) }),
        3 => (0_u64..40).prop_map(Op::Advance),
        1 => (0_u8..4).prop_map(Op::Reset),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each key has a list of its own. With room for two of four keys some share one limiter, which may refuse early: but no key
    /// is ever given what its list refuses.
    #[test]
    fn each_key_agrees_with_a_list_of_its_permits(
        limit in 1_u32..6, keys in prop_oneof![Just(4_usize), Just(2)], ops in prop::collection::vec(op(), 1..150),
    ) {
        const WINDOW: u64 = 50;
        let clock = Arc::new(ManualClock::new());
        let each = RateLimiter::builder("client").limit(limit, Duration::from_nanos(WINDOW)).clock(clock.clone());
        let family = KeyedRateLimiter::from_builder(each).unwrap().max_keys(keys);
        let mut lists: [Vec<u64>; 4] = Default::default();
        let mut now = 0_u64;
        for op in ops {
            match op {
                Op::Take { key, permits } => {
                    let list = &mut lists[usize::from(key)];
                    let counting = list.iter().filter(|time| **time + WINDOW >= now).count();
                    let expected = counting + permits as usize <= limit as usize;
                    let given = family.at(&key).try_acquire_n(permits).is_ok();
                    if keys == 4 {
                        prop_assert_eq!(given, expected);
                    }
                    prop_assert!(expected || !given);
                    if given {
                        list.extend(std::iter::repeat_n(now, permits as usize));
                    }
                }
                Op::Advance(by) => {
                    clock.advance(Duration::from_nanos(by));
                    now += by;
                }
                // What several keys share is not emptied for one of them.
                Op::Reset(key) if keys == 4 => {
                    family.at(&key).reset();
                    lists[usize::from(key)].clear();
                    clock.advance(NANOSECOND);
                    now += 1;
                }
                Op::Reset(_) => {}
            }
        }
    }
}

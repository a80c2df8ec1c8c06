//! What the rates look at: windows of calls and of time beside a list of all calls, and what they cost.

use lifecycle::clock::{Clock, ManualClock};
use lifecycle::{BreakerConfig, CircuitBreaker, State, Window};
use std::sync::Arc;
use std::time::Duration;

const fn nanos(n: u64) -> Duration {
    Duration::from_nanos(n)
}

const SECOND: u64 = 1_000_000_000;

/// A rate that is never reached: it only counts.
fn counting(window: Window) -> BreakerConfig {
    let most = if let Window::Calls(calls) = window { calls } else { u32::MAX };
    BreakerConfig::new().threshold(u32::MAX).failure_rate(100).window(window).minimum_calls(most)
}

fn breaker(config: BreakerConfig) -> (CircuitBreaker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap(), clock)
}

fn call(breaker: &CircuitBreaker, fails: bool) {
    let permit = breaker.try_acquire().unwrap();
    if fails { permit.failure() } else { permit.success() }
}

/// Calls and failures in the window.
fn held(breaker: &CircuitBreaker) -> (u32, u32) {
    let rates = breaker.metrics().rates.unwrap();
    (rates.calls, rates.failures)
}

/// xorshift64, always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Every call there was: when, and whether it failed.
#[derive(Default)]
struct All(Vec<(u64, bool)>);

impl All {
    fn count<'a>(calls: impl Iterator<Item = &'a (u64, bool)>) -> (u32, u32) {
        calls.fold((0, 0), |(calls, failures), (_, failed)| (calls + 1, failures + u32::from(*failed)))
    }

    fn last(&self, calls: usize) -> (u32, u32) {
        Self::count(self.0.iter().rev().take(calls))
    }

    /// A call exactly that old is out.
    fn within(&self, length: u64, now: u64) -> (u32, u32) {
        Self::count(self.0.iter().rev().take_while(|(at, _)| now - at < length))
    }
}

#[test]
fn a_window_of_calls_is_exact_at_every_size() {
    for size in [1, 2, 31, 32, 33, 64, 100, 1000] {
        let (breaker, _) = breaker(counting(Window::Calls(size)));
        let (mut all, mut random) = (All::default(), Random(7));
        for _ in 0..3 * size + 70 {
            let fails = random.below(3) == 0;
            // All failed would be a rate of 100 %.
            let fails = fails && all.last(size as usize - 1).1 + 1 < size;
            call(&breaker, fails);
            all.0.push((0, fails));
            assert_eq!(held(&breaker), all.last(size as usize), "the last {size}");
        }
        breaker.reset();
        assert_eq!(held(&breaker), (0, 0));
        call(&breaker, false);
        assert_eq!(held(&breaker), (1, 0), "nothing of before comes back");
    }
}

#[test]
fn a_window_of_calls_that_changes_its_size_keeps_the_newest_that_fit() {
    let mut random = Random(11);
    for (size, other, calls) in
        [(10, 4, 3), (10, 4, 7), (10, 4, 35), (4, 10, 35), (33, 32, 100), (32, 33, 100), (5, 1, 9)]
    {
        let (old, _) = breaker(counting(Window::Calls(size)));
        let mut all = All::default();
        for _ in 0..calls {
            let fails = random.below(2) == 0 && all.last(size as usize - 1).1 + 1 < size;
            call(&old, fails);
            all.0.push((0, fails));
        }
        let (new, _) = breaker(counting(Window::Calls(other)));
        new.restore(&old.snapshot());
        let kept = all.0.len().min(size as usize);
        let mut all = All(all.0.split_off(all.0.len() - kept));
        assert_eq!(held(&new), all.last(other as usize), "{calls} calls, {size} to {other}");
        for _ in 0..2 * other {
            call(&new, false);
            all.0.push((0, false));
            assert_eq!(held(&new), all.last(other as usize), "and goes on sliding");
        }
    }
}

#[test]
fn a_window_of_time_is_exact_up_to_1024_moments() {
    const LENGTH: u64 = 10 * SECOND;
    let (breaker, clock) = breaker(counting(Window::Time(nanos(LENGTH))));
    let (mut all, mut random) = (All::default(), Random(3));
    let began = clock.now_mono();
    for _ in 0..4_000 {
        // Some 900 moments in a window, several calls in some of them.
        clock.advance(nanos(random.below(4) * random.below(2 * LENGTH / 1350)));
        let (now, fails) = (clock.now_mono(), random.below(3) == 0);
        call(&breaker, fails);
        all.0.push((now, fails));
        assert_eq!(held(&breaker), all.within(LENGTH, now));
    }
    assert!(clock.now_mono() - began > 2 * LENGTH);
    let last = all.0.last().unwrap().0;
    clock.set_mono(last + LENGTH - 1);
    assert_eq!(held(&breaker), all.within(LENGTH, last + LENGTH - 1));
    clock.advance(nanos(1));
    assert_eq!(held(&breaker), (0, 0), "exactly as old as the window is out");
}

/// Calls at that pace, for two windows; what is held is never less than true, and forgotten at most a 512th too late.
fn beyond_what_is_exact(length: u64, pace: impl Fn(&mut Random) -> u64) {
    let (breaker, clock) = breaker(counting(Window::Time(nanos(length))));
    let (mut all, mut random) = (All::default(), Random(5));
    let began = clock.now_mono();
    let mut number = 0_u64;
    while clock.now_mono() - began < 2 * length {
        clock.advance(nanos(pace(&mut random)));
        let (now, fails) = (clock.now_mono(), random.below(3) == 0);
        call(&breaker, fails);
        all.0.push((now, fails));
        number += 1;
        if number.is_multiple_of(97) {
            let (is, least, most) = (held(&breaker), all.within(length, now), all.within(length + length / 512, now));
            assert!(least.0 <= is.0 && is.0 <= most.0, "{is:?}, not from {least:?} to {most:?}");
            assert!(least.1 <= is.1 && is.1 <= most.1, "{is:?}, not from {least:?} to {most:?}");
        }
    }
    let end = clock.now_mono();
    clock.set_mono(end + length);
    assert_eq!(held(&breaker), (0, 0), "the newest goes on time");
}

#[test]
fn a_window_of_time_with_more_moments_forgets_a_512th_late_at_most() {
    // Twice, ten times, and for a moment a hundred times as many as it keeps.
    beyond_what_is_exact(10 * SECOND, |_| 5 * SECOND / 1024);
    beyond_what_is_exact(SECOND, |random| random.below(SECOND / 5_000));
    beyond_what_is_exact(SECOND, |random| if random.below(100) == 0 { SECOND / 100 } else { SECOND / 100_000 });
    // Windows so short that a 512th of them is hardly a time.
    beyond_what_is_exact(2_000, |_| 1);
    beyond_what_is_exact(700, |_| 1);
}

#[test]
fn a_window_of_time_slides_under_more_than_a_thousand_moments_in_each_512th() {
    // 512 * 1,100 moments in a window: each merging finds one part of it only.
    const STEPS: u64 = 512 * 1_100;
    let (breaker, clock) = breaker(counting(Window::Time(nanos(STEPS))));
    call(&breaker, false);
    for _ in 0..STEPS + STEPS / 512 {
        clock.advance(nanos(1));
        call(&breaker, false);
    }
    assert!(u64::from(held(&breaker).0) <= STEPS + STEPS / 512, "it forgets: {:?}", held(&breaker));
    clock.advance(nanos(STEPS / 2));
    assert!(u64::from(held(&breaker).0) <= STEPS / 2 + STEPS / 512, "and goes on: {:?}", held(&breaker));
}

#[test]
fn a_clock_that_goes_back_loses_no_call_and_adds_none() {
    let (breaker, clock) = breaker(counting(Window::Time(nanos(10 * SECOND))));
    clock.set_mono(100 * SECOND);
    (0..3).for_each(|_| call(&breaker, false));
    clock.set_mono(40 * SECOND);
    (0..2).for_each(|_| call(&breaker, true));
    assert_eq!(held(&breaker), (5, 2));
    clock.set_mono(110 * SECOND - 1);
    assert_eq!(held(&breaker), (5, 2), "they count at the time of those before them");
    clock.set_mono(110 * SECOND);
    assert_eq!(held(&breaker), (0, 0));
}

#[test]
fn the_rate_that_is_reached_opens_and_a_hair_less_does_not() {
    for percent in [1, 33, 50, 67, 99, 100] {
        let config = BreakerConfig::new().failure_rate(percent).window(Window::Calls(100)).minimum_calls(100);
        let (breaker, _) = breaker(config);
        (0..100 - percent).for_each(|_| call(&breaker, false));
        (0..percent - 1).for_each(|_| call(&breaker, true));
        assert_eq!(breaker.state(), State::Closed, "{percent} %");
        call(&breaker, true);
        assert_eq!(breaker.state(), State::Open, "{percent} %");
    }
}

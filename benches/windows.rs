//! The most permits that any one second saw.
//!
//! A greedy caller asks for about 2.2 seconds, after the limiter has rested for one; each limit is 1000 a second. A permit is given
//! some time between the call and its return, so permits count as within a second only if the call for the first and the return
//! with the last of them are.

use crate::contestants::Log;
use crate::markdown;
use governor::{Quota, RateLimiter};
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const LIMIT: u32 = 1000;

/// Asks for one permit.
type Ask = Box<dyn Fn() -> bool>;

/// A row for each limiter: the most permits in any second, and permits a second. It takes 2.2 seconds for each.
#[must_use]
pub fn table() -> String {
    let exact = lifecycle::RateLimiter::per_second(LIMIT).ok();
    let exact_clock = lifecycle::RateLimiter::builder("exact").per_second(LIMIT).exact_clock().build().ok();
    let coarse = lifecycle::RateLimiter::builder("coarse").per_second(LIMIT).coarse_clock().build().ok();
    let gcra = lifecycle::RateLimiter::builder("gcra").per_second(LIMIT).gcra(LIMIT).build().ok();
    let quota = Quota::per_second(NonZeroU32::new(LIMIT).unwrap_or(NonZeroU32::MIN));
    let governor = RateLimiter::direct(quota);
    let governor_instant = RateLimiter::direct_with_clock(quota, governor::clock::MonotonicClock);
    let log = Log::new(LIMIT as usize, SECOND);
    let bucket = ratelimit::Ratelimiter::builder(LIMIT.into())
        .max_tokens(LIMIT.into())
        .initial_available(LIMIT.into())
        .build()
        .ok();
    let leaky = leaky_bucket::RateLimiter::builder()
        .refill(LIMIT as usize)
        .interval(SECOND)
        .max(LIMIT as usize)
        .initial(LIMIT as usize)
        .build();
    let contestants: Vec<(&str, Ask)> = vec![
        ("**lifecycle** `RateLimiter`", Box::new(move || exact.as_ref().is_some_and(|one| one.try_acquire().is_ok()))),
        (
            "**lifecycle**, `exact_clock`",
            Box::new(move || exact_clock.as_ref().is_some_and(|one| one.try_acquire().is_ok())),
        ),
        (
            "**lifecycle**, `coarse_clock`",
            Box::new(move || coarse.as_ref().is_some_and(|one| one.try_acquire().is_ok())),
        ),
        (
            "**lifecycle**, `gcra(1000)`: not exact, as asked for",
            Box::new(move || gcra.as_ref().is_some_and(|one| one.try_acquire().is_ok())),
        ),
        ("governor, `per_second(1000)`", Box::new(move || governor.check().is_ok())),
        ("governor, `Instant` as clock", Box::new(move || governor_instant.check().is_ok())),
        ("ratelimit", Box::new(move || bucket.as_ref().is_some_and(|one| one.try_wait().is_ok()))),
        ("leaky-bucket", Box::new(move || leaky.try_acquire(1))),
        ("`Mutex<VecDeque<Instant>>`, exact", Box::new(move || log.try_acquire())),
    ];
    std::thread::sleep(SECOND);
    let rows: Vec<_> = contestants
        .iter()
        .map(|(name, ask)| {
            let (most, given, took) = greedy(ask);
            let rate = f64::from(given) / took.as_secs_f64();
            vec![(*name).to_owned(), most.to_string(), format!("{rate:.0}")]
        })
        .collect();
    markdown(1, &["1000 a second, a greedy caller", "most in any second", "given a second"], &rows)
}

/// The most permits within a second, all of them, and how long it took.
fn greedy(ask: &dyn Fn() -> bool) -> (usize, u32, Duration) {
    let (mut last, mut most, mut given) = (VecDeque::new(), 0, 0);
    let start = Instant::now();
    // Whoever saves permits up gives them late in the first second, and again at once.
    let mut begun = false;
    loop {
        let now = Instant::now();
        if now - start > SECOND * 22 / 10 {
            return (most, given, now - start);
        }
        if !begun && now - start < SECOND / 100 {
            continue;
        }
        begun = true;
        if ask() {
            given += 1;
            last.push_back(now);
            let then = Instant::now();
            while last.front().is_some_and(|time| then - *time > SECOND) {
                last.pop_front();
            }
            most = most.max(last.len());
        }
    }
}

//! Rate limiters: a permit that is given, and one that is refused.

use super::guards::{Failure, REFUSED, outcome, work};
use super::{Base, Budget, Contestant, Group, contestant};
use governor::Quota;
use governor::clock::{DefaultClock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use lifecycle::{RateLimiter, rate_limit};
use ratelimit::{Ratelimiter, StdClock};
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(super) static GROUPS: &[Group] = &[
    Group {
        operation: "limiter admits, 1000 in 5 us",
        base: Base::Unguarded,
        contestants: &[
            contestant!("**lifecycle** `#[rate_limit]`, exact, counted", |_, number| outcome(generous(number))),
            contestant!("governor, its default clock (quanta)", |peers, number| governed(
                &peers.limiters.generous,
                number
            )),
            contestant!("governor, `Instant` as clock", |peers, number| governed(
                &peers.limiters.generous_instant,
                number
            )),
            contestant!("ratelimit", |peers, number| limited(
                peers.limiters.generous_bucket.try_wait().is_ok(),
                number
            )),
            contestant!("leaky-bucket", |peers, number| limited(peers.limiters.generous_leaky.try_acquire(1), number)),
            contestant!("`Mutex<VecDeque<Instant>>`, exact", |peers, number| {
                limited(peers.limiters.generous_log.try_acquire(), number)
            }),
            contestant!("**lifecycle** `RateLimiter`, `exact_clock`", |peers, number| limited(
                peers.limiters.exact.try_acquire().is_ok(),
                number
            )),
            contestant!("**lifecycle** `RateLimiter`, `coarse_clock`, a million in a second", |peers, number| {
                let limiter = &peers.limiters.coarse;
                if limiter.try_acquire().is_err() {
                    limiter.reset();
                }
                outcome(work(number))
            }),
        ],
        gives: Some(|number| number),
        // With exact readings, see `instructions`; by the processor's counter it is a quarter of that, which valgrind mostly cannot count.
        budget: Some(Budget::OverBase(310)),
    },
    Group {
        operation: "limiter refuses",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[rate_limit]`, exact, counted", |_, number| outcome(strict(number))),
            contestant!("governor, its default clock (quanta)", |peers, number| governed(
                &peers.limiters.strict,
                number
            )),
            contestant!("governor, `Instant` as clock", |peers, number| governed(
                &peers.limiters.strict_instant,
                number
            )),
            contestant!("ratelimit", |peers, number| limited(peers.limiters.strict_bucket.try_wait().is_ok(), number)),
            contestant!("leaky-bucket", |peers, number| limited(peers.limiters.strict_leaky.try_acquire(1), number)),
            contestant!("`Mutex<VecDeque<Instant>>`, exact", |peers, number| {
                limited(peers.limiters.strict_log.try_acquire(), number)
            }),
        ],
        gives: Some(|_| REFUSED),
        budget: None,
    },
];

/// What the peers need at hand.
#[derive(Debug)]
pub struct Limiters {
    generous: Direct<DefaultClock>,
    strict: Direct<DefaultClock>,
    generous_instant: Direct<MonotonicClock>,
    strict_instant: Direct<MonotonicClock>,
    generous_bucket: Ratelimiter<StdClock>,
    strict_bucket: Ratelimiter<StdClock>,
    generous_leaky: leaky_bucket::RateLimiter,
    strict_leaky: leaky_bucket::RateLimiter,
    generous_log: Log,
    strict_log: Log,
    exact: RateLimiter,
    coarse: RateLimiter,
}

type Direct<C> =
    governor::RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as governor::clock::Clock>::Instant>>;

impl Default for Limiters {
    #[expect(clippy::expect_used, reason = "constants")]
    fn default() -> Self {
        let burst = const { NonZeroU32::new(1000).unwrap() };
        let each = Duration::from_nanos(5);
        let generous = Quota::with_period(each).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let strict = Quota::per_hour(NonZeroU32::MIN);
        let bucket = |rate, tokens| {
            Ratelimiter::builder(rate).max_tokens(tokens).initial_available(tokens).build().expect("a limiter")
        };
        let leaky = |refill, interval, max| {
            leaky_bucket::RateLimiter::builder().refill(refill).interval(interval).max(max).initial(max).build()
        };
        Self {
            generous: governor::RateLimiter::direct(generous),
            strict: governor::RateLimiter::direct(strict),
            generous_instant: governor::RateLimiter::direct_with_clock(generous, MonotonicClock),
            strict_instant: governor::RateLimiter::direct_with_clock(strict, MonotonicClock),
            generous_bucket: bucket(200_000_000, 1000),
            // One a second at least; the loop takes it.
            strict_bucket: Ratelimiter::builder(1)
                .period(Duration::from_secs(3600))
                .max_tokens(1)
                .build()
                .expect("a limiter"),
            // Its interval is a millisecond at least.
            generous_leaky: leaky(200_000, Duration::from_millis(1), 200_000),
            strict_leaky: leaky(1, Duration::from_secs(3600), 1),
            generous_log: Log::new(1000, Duration::from_micros(5)),
            strict_log: Log::new(1, Duration::from_secs(3600)),
            exact: RateLimiter::builder("exact")
                .limit(1000, Duration::from_micros(5))
                .exact_clock()
                .build()
                .expect("a limiter"),
            coarse: RateLimiter::builder("coarse").per_second(1 << 20).coarse_clock().build().expect("a limiter"),
        }
    }
}

/// The exact limiter one writes oneself.
#[derive(Debug)]
pub(crate) struct Log {
    limit: usize,
    window: Duration,
    times: Mutex<VecDeque<Instant>>,
}

impl Log {
    pub(crate) fn new(limit: usize, window: Duration) -> Self {
        Self { limit, window, times: Mutex::new(VecDeque::with_capacity(limit)) }
    }

    #[inline]
    pub(crate) fn try_acquire(&self) -> bool {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while times.front().is_some_and(|time| now - *time > self.window) {
            times.pop_front();
        }
        let given = times.len() < self.limit;
        if given {
            times.push_back(now);
        }
        given
    }
}

/// Never refuses at the speed of this loop.
#[rate_limit("1000/5us")]
#[inline(always)]
fn generous(number: u64) -> Result<u64, Failure> {
    work(number)
}

/// Refuses nearly always.
#[rate_limit("1/h")]
#[inline(always)]
fn strict(number: u64) -> Result<u64, Failure> {
    work(number)
}

#[inline(always)]
fn governed<C: governor::clock::Clock>(limiter: &Direct<C>, number: u64) -> u64 {
    limited(limiter.check().is_ok(), number)
}

#[inline(always)]
fn limited(given: bool, number: u64) -> u64 {
    outcome(if given { work(number) } else { Err(Failure::Refused) })
}

//! Flags, and what stands before a call.

use super::{Base, Budget, Contestant, Group, contestant};
use governor::clock::{DefaultClock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use lifecycle::{Flag, init_flag, rate_limit};
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) static GROUPS: &[Group] = &[
    Group {
        operation: "flag read",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[init_flag]`", |_, number| choice(USE_CACHE.get(), number)),
            contestant!("`AtomicBool`, relaxed load", |_, number| {
                choice(USE_CACHE_ATOMIC.load(Ordering::Relaxed), number)
            }),
        ],
        gives: Some(|number| number),
        budget: Some(Budget::OverReference(4)),
    },
    Group {
        operation: "limiter admits, 1000 in 5 us",
        base: Base::Unguarded,
        contestants: &[
            contestant!("**lifecycle** `#[rate_limit]`, exact, counted", |_, number| outcome(generous(number))),
            contestant!("governor, its default clock (quanta)", |peers, number| governed(
                &peers.guards.generous,
                number
            )),
            contestant!("governor, `Instant` as clock", |peers, number| governed(
                &peers.guards.generous_instant,
                number
            )),
        ],
        gives: Some(|number| number),
        budget: None,
    },
    Group {
        operation: "limiter refuses",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[rate_limit]`, exact, counted", |_, number| outcome(strict(number))),
            contestant!("governor, its default clock (quanta)", |peers, number| governed(&peers.guards.strict, number)),
            contestant!("governor, `Instant` as clock", |peers, number| governed(&peers.guards.strict_instant, number)),
        ],
        gives: Some(|_| REFUSED),
        budget: None,
    },
];

/// What the peers need at hand.
#[derive(Debug)]
pub struct Guards {
    generous: Direct<DefaultClock>,
    strict: Direct<DefaultClock>,
    generous_instant: Direct<MonotonicClock>,
    strict_instant: Direct<MonotonicClock>,
}

type Direct<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as governor::clock::Clock>::Instant>>;

impl Default for Guards {
    fn default() -> Self {
        // Were it never stored to, the compiler would be free to know its value.
        USE_CACHE_ATOMIC.store(black_box(true), Ordering::Relaxed);
        let burst = const { NonZeroU32::new(1000).unwrap() };
        let each = Duration::from_nanos(5);
        let generous = Quota::with_period(each).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let strict = Quota::per_hour(NonZeroU32::MIN);
        Self {
            generous: RateLimiter::direct(generous),
            strict: RateLimiter::direct(strict),
            generous_instant: RateLimiter::direct_with_clock(generous, MonotonicClock),
            strict_instant: RateLimiter::direct_with_clock(strict, MonotonicClock),
        }
    }
}

// ---- The call that is guarded

/// Why a call gives no number.
#[derive(Debug)]
pub(super) enum Failure {
    Refused,
    Broken,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failure")
    }
}

impl std::error::Error for Failure {}

impl From<lifecycle::Rejected> for Failure {
    fn from(_: lifecycle::Rejected) -> Self {
        Self::Refused
    }
}

/// The call alone.
#[inline(always)]
pub(super) fn unguarded(number: u64) -> u64 {
    outcome(work(number))
}

/// Succeeds, which the compiler does not know. Not inlined, as what one guards is not.
#[inline(never)]
pub(super) fn work(number: u64) -> Result<u64, Failure> {
    if black_box(number) == u64::MAX { Err(Failure::Broken) } else { Ok(number) }
}

pub(super) const REFUSED: u64 = u64::MAX;

/// Keeps both outcomes apart, so that none is left out.
#[inline(always)]
pub(super) fn outcome(result: Result<u64, Failure>) -> u64 {
    match result {
        Ok(number) => number,
        Err(Failure::Refused) => REFUSED,
        Err(Failure::Broken) => u64::MAX - 1,
    }
}

// ---- Flags

#[init_flag(env = "LIFECYCLE_BENCHES_USE_CACHE")]
static USE_CACHE: Flag<bool> = true;

static USE_CACHE_ATOMIC: AtomicBool = AtomicBool::new(true);

#[inline(always)]
fn choice(flag: bool, number: u64) -> u64 {
    if flag { number } else { !number }
}

// ---- Guards. All are inlined into the loop; what they guard is not.

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
    outcome(limiter.check().map_err(|_| Failure::Refused).and_then(|()| work(number)))
}

//! Flags, and what stands before a call.

use super::{Base, Budget, Contestant, Group, contestant};
use failsafe::CircuitBreaker as _;
use lifecycle::{Flag, circuit_breaker, init_flag};
use std::hint::black_box;
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
        operation: "closed breaker, call succeeds",
        base: Base::Unguarded,
        contestants: &[
            contestant!("**lifecycle** `#[circuit_breaker]`, counted", |_, number| outcome(guarded(number))),
            contestant!("failsafe, consecutive failures", |peers, number| {
                outcome(peers.guards.failsafe.call(|| work(number)).map_err(of_failsafe))
            }),
            contestant!("recloser", |peers, number| {
                outcome(peers.guards.recloser.call(|| work(number)).map_err(of_recloser))
            }),
        ],
        gives: Some(|number| number),
        budget: Some(Budget::OverBase(30)),
    },
];

/// What the peers need at hand.
#[derive(Debug)]
pub struct Guards {
    failsafe: failsafe::StateMachine<failsafe::failure_policy::ConsecutiveFailures<failsafe::backoff::Constant>, ()>,
    recloser: recloser::Recloser,
}

impl Default for Guards {
    fn default() -> Self {
        // Were it never stored to, the compiler would be free to know its value.
        USE_CACHE_ATOMIC.store(black_box(true), Ordering::Relaxed);
        let policy =
            failsafe::failure_policy::consecutive_failures(5, failsafe::backoff::constant(Duration::from_secs(60)));
        Self {
            failsafe: failsafe::Config::new().failure_policy(policy).build(),
            recloser: recloser::Recloser::custom().build(),
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

#[circuit_breaker]
#[inline(always)]
fn guarded(number: u64) -> Result<u64, Failure> {
    work(number)
}

#[inline(always)]
fn of_failsafe(error: failsafe::Error<Failure>) -> Failure {
    match error {
        failsafe::Error::Inner(inner) => inner,
        failsafe::Error::Rejected => Failure::Refused,
    }
}

#[inline(always)]
fn of_recloser(error: recloser::Error<Failure>) -> Failure {
    match error {
        recloser::Error::Inner(inner) => inner,
        recloser::Error::Rejected => Failure::Refused,
    }
}

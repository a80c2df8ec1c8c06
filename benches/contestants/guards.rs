//! Flags, and the call that is guarded.

use super::{Base, Budget, Contestant, Group, contestant};
use lifecycle::{Flag, init_flag};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) static GROUPS: &[Group] = &[Group {
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
}];

/// What the peers need at hand.
#[derive(Debug)]
pub struct Guards;

impl Default for Guards {
    fn default() -> Self {
        // Were it never stored to, the compiler would be free to know its value.
        USE_CACHE_ATOMIC.store(black_box(true), Ordering::Relaxed);
        Self
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

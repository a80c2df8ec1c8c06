//! Admission to a guarded function, in the one fixed order: look at the breaker (open: refuse, no permit of the limiter spent),
//! then the limit, then the breaker's permit. A refusal by the limiter is never a failure of the call.

use super::given::{AsBreaker, AsLimiter, OwnedBreaker, OwnedLimiter};
use crate::breaker::{CircuitBreaker, Guarded, Held, Verdict, acquire};
use crate::error::{Rejected, RejectedKind};
use crate::limiter::RateLimiter;
use std::future::Future;
use std::ops::Deref;
use std::time::Duration;

/// A call that the breaker watches.
#[must_use = "the call has not been made"]
#[derive(Debug)]
pub struct Admission<B: Deref<Target = CircuitBreaker>>(Held<B>);

/// A function behind a breaker.
///
/// # Errors
/// The breaker's refusal.
#[inline(always)]
pub fn breaker<B: Deref<Target = CircuitBreaker>>(breaker: B) -> Result<Admission<B>, Rejected> {
    acquire(breaker).map(Admission)
}

/// A function behind a limiter: nothing is watched.
///
/// # Errors
/// The limiter's refusal.
#[inline]
pub fn limiter<L: Deref<Target = RateLimiter>>(limiter: L) -> Result<(), Rejected> {
    limiter.try_acquire()
}

/// [`limiter`] for a call that takes several permits: all of them or none.
///
/// # Errors
/// The limiter's refusal.
#[inline]
pub fn limiter_n<L: Deref<Target = RateLimiter>>(limiter: L, permits: u32) -> Result<(), Rejected> {
    limiter.try_acquire_n(permits)
}

/// [`limiter_n`] that blocks until the permits can be used; refused at once if that is later than `max`.
///
/// # Errors
/// The limiter's refusal.
pub fn limiter_within<L: Deref<Target = RateLimiter>>(limiter: L, permits: u32, max: Duration) -> Result<(), Rejected> {
    limiter.acquire_n_blocking_within(permits, max)
}

/// [`limiter_within`] for async functions.
///
/// # Errors
/// The limiter's refusal.
pub async fn limiter_within_async<L>(limiter: L, permits: u32, max: Duration) -> Result<(), Rejected>
where
    L: Deref<Target = RateLimiter>,
{
    limiter.acquire_n_within(permits, max).await
}

/// A function behind both.
///
/// # Errors
/// The refusal of the one that refused.
#[inline]
pub fn both<B, L>(breaker: B, limiter: L) -> Result<Admission<B>, Rejected>
where
    B: Deref<Target = CircuitBreaker>,
    L: Deref<Target = RateLimiter>,
{
    breaker.look()?;
    limiter.try_acquire()?;
    self::breaker(breaker)
}

/// [`both`] for a call that takes several permits.
///
/// # Errors
/// As there.
#[inline]
pub fn both_n<B, L>(breaker: B, limiter: L, permits: u32) -> Result<Admission<B>, Rejected>
where
    B: Deref<Target = CircuitBreaker>,
    L: Deref<Target = RateLimiter>,
{
    breaker.look()?;
    limiter_n(limiter, permits)?;
    self::breaker(breaker)
}

/// [`both_n`] that blocks until the permits can be used. Until then the breaker is not held to anything: if it opens meanwhile, it
/// refuses, and the permits are spent.
///
/// # Errors
/// As there.
pub fn both_within<B, L>(breaker: B, limiter: L, permits: u32, max: Duration) -> Result<Admission<B>, Rejected>
where
    B: Deref<Target = CircuitBreaker>,
    L: Deref<Target = RateLimiter>,
{
    breaker.look()?;
    limiter_within(limiter, permits, max)?;
    self::breaker(breaker)
}

/// [`both_within`] for async functions.
///
/// # Errors
/// As there.
pub async fn both_within_async<B, L>(
    breaker: B,
    limiter: L,
    permits: u32,
    max: Duration,
) -> Result<Admission<B>, Rejected>
where
    B: Deref<Target = CircuitBreaker>,
    L: Deref<Target = RateLimiter>,
{
    breaker.look()?;
    limiter.acquire_n_within(permits, max).await?;
    self::breaker(breaker)
}

/// The breaker that an expression gives.
#[inline]
pub fn shared_breaker<G: AsBreaker + ?Sized>(given: &G) -> &CircuitBreaker {
    given.breaker()
}

/// The breaker that an expression gives, kept without a borrow of what it is in.
#[inline]
pub fn owned_breaker<G: OwnedBreaker + ?Sized>(given: &G) -> G::Kept {
    given.kept()
}

/// The limiter that an expression gives.
#[inline]
pub fn shared_limiter<G: AsLimiter + ?Sized>(given: &G) -> &RateLimiter {
    given.limiter()
}

/// The limiter that an expression gives, kept without a borrow of what it is in.
#[inline]
pub fn owned_limiter<G: OwnedLimiter + ?Sized>(given: &G) -> G::Kept {
    given.kept()
}

/// Which of two guards refused.
#[inline]
#[must_use]
pub fn by_limiter(rejected: &Rejected) -> bool {
    rejected.kind == RejectedKind::RateLimited
}

impl<B: Deref<Target = CircuitBreaker>> Admission<B> {
    /// Runs the body. A panic drops the permit while it unwinds, which the permit counts as a failure.
    ///
    /// A permit of the hot path gets an instantiation of its own: there is nothing to keep for its end but the word it saw.
    #[inline(always)]
    pub fn run<R>(self, body: impl FnOnce() -> R, judge: impl FnOnce(&R) -> Verdict) -> R {
        if self.0.is_plain() { self.run_here(body, judge) } else { self.run_outlined(body, judge) }
    }

    /// Apart, so that this permit is another variable than the one that `run_outlined` gets by reference: it stays in registers.
    #[inline(always)]
    fn run_here<R>(self, body: impl FnOnce() -> R, judge: impl FnOnce(&R) -> Verdict) -> R {
        let value = body();
        self.0.settle(judge(&value));
        value
    }

    #[cold]
    #[inline(never)]
    #[allow(clippy::needless_late_init, reason = "see below")]
    fn run_outlined<R>(self, body: impl FnOnce() -> R, judge: impl FnOnce(&R) -> Verdict) -> R {
        let _inside = self.0.inside();
        // Declared before it is there, so that it is made where the caller expects it. A small `Result` that was just written in
        // parts and is then moved as a whole stalls for longer than all else here takes.
        let value;
        value = body();
        self.0.settle(judge(&value));
        value
    }

    /// Runs the body of an async function: nothing is boxed, and dropping the future is the permit's to judge.
    #[inline]
    pub fn run_async<F: Future, J: FnOnce(&F::Output) -> Verdict>(self, body: F, judge: J) -> Guarded<B, F, J> {
        self.0.run_async(body, judge)
    }
}

/// Calls a closure that has to stand in an argument, because there its return type guides inference.
#[inline]
pub fn call<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// A value that is never made: `if false { return never::<R>() }` tells inference the type of an async block.
#[allow(clippy::unreachable, reason = "only ever behind `if false`")]
pub fn never<R>() -> R {
    unreachable!("behind `if false`")
}

//! Asking a limiter: the straight way for a single permit, the whole one for everything else, and what is counted and told of both.

use super::cell::Source;
use super::handle::{ALLOWED, LIMITED, LimiterState, RateLimiter};
use super::ring::{Outcome, Straight};
use crate::clock::ClockHandle;
use crate::counter;
use crate::error::{Rejected, RejectedKind};
use crate::scope::StateRef;
use crate::telemetry;
use std::num::NonZeroU64;
use std::time::Duration;

/// After so many nanoseconds a retry can succeed.
///
/// It fits a register, so the caller makes the [`Rejected`] of it where that is to be. Handed back through memory, one would be
/// copied by wider loads than it was stored by, for which a processor waits until the stores are through: 3.5 ns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait(NonZeroU64);

impl Wait {
    const NEVER: Self = Self(NonZeroU64::MAX);

    #[inline(always)]
    fn of(nanos: u64) -> Self {
        Self(NonZeroU64::new(nanos).unwrap_or(NonZeroU64::MIN))
    }

    #[inline(always)]
    fn duration(self) -> Option<Duration> {
        (self.0 != Self::NEVER.0).then(|| Duration::from_nanos(self.0.get()))
    }
}

impl RateLimiter {
    /// Takes one permit.
    ///
    /// ```
    /// use lifecycle::{RateLimiter, RejectedKind, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let limiter = RateLimiter::per_second(1)?.with_clock(clock.clone());
    /// limiter.try_acquire()?;
    /// clock.advance(Duration::from_millis(400));
    /// let refused = limiter.try_acquire().unwrap_err();
    /// assert_eq!(refused.kind, RejectedKind::RateLimited);
    /// // The permit leaves the window a nanosecond after its second.
    /// assert_eq!(refused.retry_after, Some(Duration::from_millis(600) + Duration::from_nanos(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] when the window is full, with the time after which a retry can succeed. A refusal takes nothing and
    /// does not put the next permit off. The time is exact; by the system's clock it includes the four microseconds that readings may
    /// be off by.
    #[inline(always)]
    pub fn try_acquire(&self) -> Result<(), Rejected> {
        self.decide().map_err(|wait| self.rejected(wait))
    }

    /// Takes `permits` permits at once: all of them or none.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let limiter = lifecycle::RateLimiter::new(10, Duration::from_secs(3600))?;
    /// limiter.try_acquire_n(8)?;
    /// assert!(limiter.try_acquire_n(3).is_err());
    /// assert!(limiter.try_acquire_n(2).is_ok(), "the refusal took nothing");
    /// assert_eq!(limiter.try_acquire_n(11).unwrap_err().retry_after, None); // never
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] as for [`try_acquire`](Self::try_acquire); with no `retry_after` when `permits` is more than a window
    /// ever holds.
    pub fn try_acquire_n(&self, permits: u32) -> Result<(), Rejected> {
        self.reserve(&self.state(), permits, 0).map(|_| ())
    }

    /// Takes `permits` to be used at most `patience` nanoseconds later. Gives what the clock said, and the wait.
    pub(super) fn reserve(
        &self,
        state: &StateRef<'_, LimiterState>,
        permits: u32,
        patience: u64,
    ) -> Result<(u64, u64), Rejected> {
        self.decide_on(state, permits, patience).map_err(|wait| self.rejected(wait))
    }

    #[inline(always)]
    fn rejected(&self, wait: Wait) -> Rejected {
        Rejected::new(RejectedKind::RateLimited, self.descriptor.shared_name(), wait.duration())
    }

    /// On one permit. Not inlined, and whatever it calls it calls last: so the straight line saves no registers.
    #[inline(never)]
    fn decide(&self) -> Result<(), Wait> {
        match self.decide_straight() {
            Some(decision) => decision,
            None => self.step_aside(),
        }
    }

    /// `None`: another thread is taking a permit.
    #[inline(always)]
    fn decide_straight(&self) -> Option<Result<(), Wait>> {
        // What is installed on this thread the cell knows.
        let state = self.state.process();
        Some(match state.cell.try_one() {
            // Counted by the ring.
            Straight::Given { reading } if state.episode.is_on() => self.given_after_refusals(reading),
            Straight::Given { .. } => Ok(()),
            Straight::Refused { reading, wait, period } => {
                let wait = Source::settled(wait);
                if state.episode.is_news(reading, period) || telemetry::tells_details() {
                    return Some(self.refused_aloud(reading, wait, period));
                }
                match state.counts.at_home(counter::here()) {
                    Some(home) => home.hit::<LIMITED>(),
                    None => return Some(self.refused_anew(wait)),
                }
                Err(Wait::of(wait))
            }
            Straight::Busy => return None,
            Straight::Unsure => self.decide_on_one(),
        })
    }

    /// Another thread is taking a permit. Leaves it the time for some: threads that take turns wait for each other's cache lines each
    /// time, which costs all of them more than this. For how long is left to chance, so that they do not meet again each time.
    #[cold]
    #[inline(never)]
    fn step_aside(&self) -> Result<(), Wait> {
        /// Nanoseconds, at most. With two threads 512 are no better than none, and 1024 are nearly as good.
        const ASIDE: u64 = 2048;
        for _ in 0..3 {
            if let Some(now) = ClockHandle::glance() {
                // Nobody foresees the last bits of the clock; as in Fibonacci hashing (Knuth, volume 3, 6.4), they decide the first ones.
                let noise = now.as_nanos().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
                let end = now.as_nanos() + noise % ASIDE;
                while ClockHandle::glance().is_some_and(|now| now.as_nanos() < end) {
                    std::hint::spin_loop();
                }
            }
            if let Some(decision) = self.decide_straight() {
                return decision;
            }
        }
        self.decide_on_one()
    }

    #[cold]
    #[inline(never)]
    fn decide_on_one(&self) -> Result<(), Wait> {
        self.decide_on(&self.state(), 1, 0).map(|_| ())
    }

    fn decide_on(&self, state: &StateRef<'_, LimiterState>, permits: u32, patience: u64) -> Result<(u64, u64), Wait> {
        match state.cell.acquire(permits, patience, &state.clock) {
            Outcome::Given { reading, wait } => {
                if let Some(totals) = &state.totals {
                    totals.add::<ALLOWED>(permits.into());
                }
                if !state.cell.counts_given() {
                    state.counts.add::<ALLOWED>(permits.into());
                }
                if state.episode.is_on() {
                    self.tell_of_permit(state, reading);
                }
                Ok((reading, wait))
            }
            Outcome::Refused { reading, wait } => {
                if let Some(totals) = &state.totals {
                    totals.add::<LIMITED>(permits.into());
                }
                state.counts.add::<LIMITED>(permits.into());
                Err(self.tell_of_refusal(state, reading, wait.map_or(Wait::NEVER, Wait::of), state.cell.window()))
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn refused_aloud(&self, reading: u64, wait: u64, period: u64) -> Result<(), Wait> {
        let state = self.state.process();
        state.counts.add::<LIMITED>(1);
        // Hidden from the compiler: it would see that this is `wait`, and keep that over the call in a register that has to be saved.
        std::hint::black_box(Err(self.tell_of_refusal(state, reading, Wait::of(wait), period)))
    }

    /// The first on this thread.
    #[cold]
    #[inline(never)]
    fn refused_anew(&self, wait: u64) -> Result<(), Wait> {
        self.state.process().counts.add::<LIMITED>(1);
        std::hint::black_box(Err(Wait::of(wait)))
    }

    #[cold]
    #[inline(never)]
    fn given_after_refusals(&self, reading: u64) -> Result<(), Wait> {
        self.tell_of_permit(self.state.process(), reading);
        std::hint::black_box(Ok(()))
    }

    /// Of one that was counted already.
    fn tell_of_refusal(&self, state: &LimiterState, reading: u64, wait: Wait, window: u64) -> Wait {
        let first = state.episode.refused(reading, window, || state.counts.read(LIMITED));
        if first || telemetry::tells_details() {
            let (limit, window) = state.cell.limit();
            telemetry::limiter_limited(self.name(), limit, window, wait.duration(), first);
        }
        wait
    }

    #[cold]
    #[inline(never)]
    fn tell_of_permit(&self, state: &LimiterState, reading: u64) {
        if let Some(suppressed) = state.episode.given(reading, state.cell.window(), || state.counts.read(LIMITED)) {
            telemetry::limiter_recovered(self.name(), suppressed);
        }
    }
}

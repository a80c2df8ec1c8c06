//! Exact rate limits: never more than N permits in any window, by the closed sliding window.
//!
//! A token bucket of 1000 a second lets 1999 pass within one second; this limiter lets 1000, whichever second one looks at.
//! A refusal takes nothing, and says after what time a retry can succeed.
//!
//! `window` is the arithmetic, `cell` the window that threads share, this file the [`RateLimiter`] around it.

mod cell;
mod window;

pub(crate) use cell::{Decision, WindowCell};

use crate::clock::{Clock, ClockHandle};
use crate::counter::Counters;
use crate::error::{Error, Rejected, RejectedKind};
use crate::name::Name;
use crate::registry::{self, Component, Descriptor, Kind, LimiterSnapshot};
use crate::scope::{Scoped, StateRef};
use crate::telemetry;
use std::sync::Arc;
use std::time::Duration;

/// The largest limit: its window takes eight bytes a permit.
const MAX_LIMIT: u32 = 1 << 20;

const ALLOWED: usize = 0;
const LIMITED: usize = 1;

/// A limit on how often something may happen: at most `limit` permits in *any* window.
///
/// `#[rate_limit("100/s")]` declares one for a function; this is the same thing built at run time.
///
/// ```
/// use lifecycle::RateLimiter;
/// use std::time::Duration;
///
/// let limiter = RateLimiter::new(2, Duration::from_secs(60))?;
/// limiter.try_acquire()?;
/// limiter.try_acquire()?;
/// let refused = limiter.try_acquire().unwrap_err();
/// assert!(refused.retry_after.unwrap() <= Duration::from_nanos(60_000_000_001));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Permits are not given back: a limiter counts beginnings, not what is under way. It is `Sync`; share it by reference or
/// in an `Arc`.
///
/// Decisions use the monotonic clock. Should it go back all the same, nothing panics, nothing expires by the step, and a
/// full window is free again one window after it.
#[derive(Debug)]
pub struct RateLimiter {
    descriptor: Descriptor,
    limit: u32,
    window: Duration,
    state: Scoped<LimiterState>,
    /// How a declared limiter puts itself on the list.
    me: Option<fn() -> &'static Self>,
}

#[derive(Debug)]
struct LimiterState {
    cell: WindowCell,
    counts: Counters<2>,
    clock: ClockHandle,
}

/// How much of a limit is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Permits given within the window that ends now.
    pub used: u32,
    /// Permits a window holds.
    pub limit: u32,
    /// The window.
    pub window: Duration,
}

/// Checks what a limiter or a core is to be limited to.
pub(crate) fn check_limit(name: &str, limit: u32, window: Duration) -> Result<(), Error> {
    let invalid = |reason: String| Err(Error::InvalidConfig { name: name.to_owned(), reason });
    if limit == 0 {
        return invalid("a limit of 0 would refuse everything; the smallest is 1".to_owned());
    }
    if limit > MAX_LIMIT {
        return invalid(format!("a limit of {limit} is too large; the largest is {MAX_LIMIT} permits in a window"));
    }
    if window.is_zero() {
        return invalid("a window of no length limits nothing; give it a duration".to_owned());
    }
    Ok(())
}

impl RateLimiter {
    /// A limiter of `limit` permits in any `window`.
    ///
    /// Built inside a test world it runs on that world's clock.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a limit of 0 or above 1,048,576, and for a window of no length.
    pub fn new(limit: u32, window: Duration) -> Result<Self, Error> {
        const NAME: &str = "rate_limiter";
        check_limit(NAME, limit, window)?;
        let state = LimiterState {
            cell: WindowCell::new(limit, window),
            counts: Counters::new(),
            clock: ClockHandle::in_force(),
        };
        Ok(Self {
            descriptor: Descriptor::dynamic(Kind::Limiter, Name::from_static(NAME)),
            limit,
            window,
            state: Scoped::owned(state),
            me: None,
        })
    }

    /// A limiter of `limit` permits in any second.
    ///
    /// ```
    /// let limiter = lifecycle::RateLimiter::per_second(1000)?;
    /// assert_eq!(limiter.usage().limit, 1000);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn per_second(limit: u32) -> Result<Self, Error> {
        Self::new(limit, Duration::from_secs(1))
    }

    /// Names it, for errors and events. Without a name it is `rate_limiter`.
    #[must_use]
    pub fn named(mut self, name: impl Into<Name>) -> Self {
        self.descriptor = Descriptor::dynamic(Kind::Limiter, name.into());
        self
    }

    /// Runs it on a clock of your own; its window starts empty.
    ///
    /// ```
    /// use lifecycle::{RateLimiter, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let limiter = RateLimiter::per_second(1)?.with_clock(clock.clone());
    /// limiter.try_acquire()?;
    /// clock.advance(Duration::from_secs(1));
    /// assert!(limiter.try_acquire().is_err()); // exactly one second old: still counts
    /// clock.advance(Duration::from_nanos(1));
    /// assert!(limiter.try_acquire().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        let cell = WindowCell::new(self.limit, self.window);
        let state = LimiterState { cell, counts: Counters::new(), clock: ClockHandle::Custom(clock) };
        self.state = Scoped::owned(state);
        self
    }

    /// A declared limiter. `me` gives the static it stands in.
    ///
    /// # Panics
    /// At compile time, for what [`new`](Self::new) refuses.
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared(descriptor: Descriptor, limit: u32, window: Duration, me: fn() -> &'static Self) -> Self {
        assert!(limit > 0, "a rate limit of 0 would refuse everything; the smallest is 1");
        assert!(limit <= MAX_LIMIT, "the largest rate limit is 1,048,576 permits in a window");
        assert!(!window.is_zero(), "a rate limit needs a window longer than nothing");
        let cell = WindowCell::new(limit, window);
        let state = LimiterState { cell, counts: Counters::new(), clock: ClockHandle::System };
        Self { descriptor, limit, window, state: Scoped::declared(state), me: Some(me) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.descriptor.name()
    }

    /// Its name and, if declared, where that was.
    #[must_use]
    pub const fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Takes one permit.
    ///
    /// # Errors
    /// [`Rejected`] when the window is full, with the time after which a retry can succeed. A refusal takes nothing and
    /// does not put the next permit off.
    #[inline]
    pub fn try_acquire(&self) -> Result<(), Rejected> {
        self.try_acquire_n(1)
    }

    /// Takes `permits` permits at once: all of them or none.
    ///
    /// ```
    /// let limiter = lifecycle::RateLimiter::per_second(10)?;
    /// limiter.try_acquire_n(8)?;
    /// assert!(limiter.try_acquire_n(3).is_err());
    /// assert!(limiter.try_acquire_n(2).is_ok(), "the refusal took nothing");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] as for [`try_acquire`](Self::try_acquire); with no `retry_after` when `permits` is more than a window
    /// ever holds.
    pub fn try_acquire_n(&self, permits: u32) -> Result<(), Rejected> {
        let state = self.state();
        match state.cell.try_acquire(permits, &state.clock) {
            Decision::Given { recovered } => {
                self.count::<ALLOWED>(&state, permits);
                if let Some(suppressed) = recovered {
                    telemetry::limiter_recovered(self.name(), suppressed);
                }
                Ok(())
            }
            Decision::Refused { retry_after, first } => {
                self.count::<LIMITED>(&state, permits);
                Err(self.refused(retry_after, first))
            }
        }
    }

    /// Empties the window: as if no permit had been given. The counts of its life stay.
    pub fn reset(&self) {
        self.state().cell.reset();
    }

    /// How much of the limit is used up. Asking takes nothing.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let state = self.state();
        Usage { used: state.cell.used(&state.clock), limit: self.limit, window: self.window }
    }

    /// Its state and counts, as they stand in [`snapshot`](crate::snapshot).
    #[must_use]
    pub fn observe(&self) -> LimiterSnapshot {
        let state = self.state();
        LimiterSnapshot {
            name: self.name().to_owned(),
            path: self.descriptor.path(),
            declared_at: self.descriptor.declared_at(),
            limit: self.limit,
            window_seconds: self.window.as_secs_f64(),
            used: state.cell.used(&state.clock),
            allowed: state.counts.read(ALLOWED),
            limited: state.counts.read(LIMITED),
            retry_after_seconds: state.cell.wait(&state.clock).as_secs_f64(),
        }
    }

    #[inline]
    fn state(&self) -> StateRef<'_, LimiterState> {
        self.state.resolve(|universe| LimiterState {
            cell: WindowCell::new(self.limit, self.window),
            counts: Counters::local(),
            clock: universe.clock(),
        })
    }

    #[inline]
    fn count<const WHICH: usize>(&self, state: &StateRef<'_, LimiterState>, permits: u32) {
        // A test world's counts do not tell of the first one.
        if state.counts.add::<WHICH>(permits.into()) || matches!(state, StateRef::Own(_)) {
            self.register();
        }
    }

    #[cold]
    fn register(&self) {
        if let Some(me) = self.me {
            registry::register(Component::Limiter(me()));
        }
    }

    #[cold]
    #[inline(never)]
    fn refused(&self, retry_after: Option<Duration>, first: bool) -> Rejected {
        telemetry::limiter_limited(self.name(), self.limit, self.window, retry_after, first);
        Rejected::new(RejectedKind::RateLimited, self.descriptor.shared_name(), retry_after)
    }
}

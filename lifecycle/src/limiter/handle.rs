//! `RateLimiter`: the cell with its name, clock, counts and events.

use super::builder::RateLimiterBuilder;
use super::cell::{LimiterCell, Rule};
use super::episode::Episode;
use crate::clock::{Clock, ClockHandle};
use crate::counter::Counters;
use crate::error::Error;
use crate::name::Name;
use crate::registry::{Descriptor, Kind, LimiterSnapshot};
use crate::scope::{Scoped, StateRef};
use crate::settings::{Layers, RateLimiterSettings};
use crate::sync::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) const ALLOWED: usize = 0;
pub(super) const LIMITED: usize = 1;

/// A limit on how often something may happen: at most `limit` permits in *any* window.
///
/// `#[rate_limit("100/s")]` declares one for a function; this is the same thing built at run time.
///
/// ```
/// use lifecycle::RateLimiter;
/// use std::time::Duration;
///
/// let hour = Duration::from_secs(3600);
/// let limiter = RateLimiter::new(2, hour)?;
/// limiter.try_acquire()?;
/// limiter.try_acquire()?;
/// let refused = limiter.try_acquire().unwrap_err();
/// assert!(refused.retry_after.unwrap() <= hour + Duration::from_millis(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Permits are not given back: a limiter counts beginnings, not what is under way. It is `Sync`; share it by reference or
/// in an `Arc`. Deciding takes no lock and allocates nothing, but for the first decision of all. A thread that meets another one there
/// steps aside for up to two microseconds, three times at most: together they are faster so.
///
/// **Memory.** Eight bytes a permit, the limit rounded up to a power of two, allocated when it is first used. Limits above
/// 1,048,576 are counted in blocks, in half a megabyte: still never more in any window, but up to a hundredth less than the limit.
/// With [`gcra`](RateLimiterBuilder::gcra) it is a word, and the promise another one.
///
/// **The clock** is the monotonic one, by its [quick reading](crate::clock::SystemClock::now_quick), which is right to a microsecond; so by
/// the system's clock a window is counted as two microseconds longer than it is (unless
/// [`exact_clock`](RateLimiterBuilder::exact_clock) is said). Should the clock go back all the same, nothing panics, nothing expires by the step, and a
/// full window is free again one window after it.
#[derive(Debug)]
// On cache lines of its own: what stands next to it shall not be as slow as its permits.
#[repr(align(64))]
pub struct RateLimiter {
    pub(super) descriptor: Descriptor,
    /// As it was written; what holds is in the cell.
    pub(super) written: Rule,
    pub(super) state: Scoped<LimiterState>,
    /// How a declared limiter puts itself on the list.
    pub(super) me: Option<fn() -> &'static Self>,
}

#[derive(Debug)]
pub(super) struct LimiterState {
    pub(super) cell: LimiterCell,
    pub(super) counts: Counters<2>,
    /// Of a key: the counts of all keys.
    pub(super) totals: Option<Arc<Counters<2>>>,
    pub(super) episode: Episode,
    pub(super) clock: ClockHandle,
    /// What is said over the numbers as written.
    pub(super) layers: Mutex<Layers<RateLimiterSettings>>,
    /// What is said is in force.
    pub(super) configured: AtomicBool,
}

impl LimiterState {
    const fn new(rule: Rule, counts: Counters<2>, clock: ClockHandle) -> Self {
        Self {
            cell: LimiterCell::new(rule, &clock),
            counts,
            totals: None,
            episode: Episode::new(),
            clock,
            layers: Mutex::new(Layers::new()),
            configured: AtomicBool::new(false),
        }
    }

    /// Permits given in its life.
    fn allowed(&self) -> u64 {
        // The count is of those that the cell does not count, less those that it does, but should not (`begin_with`).
        let given = if cfg!(feature = "counters") { self.cell.given().unwrap_or(0) } else { 0 };
        self.counts.read(ALLOWED).wrapping_add(given)
    }

    /// Of a limiter that is built here.
    fn built(rule: Rule, clock: ClockHandle) -> Self {
        Self { layers: Mutex::new(Layers::here()), ..Self::new(rule, Counters::new(), clock) }
    }
}

/// How much of a limit is used up; from [`RateLimiter::usage`].
///
/// ```
/// use lifecycle::RateLimiter;
/// use std::time::Duration;
///
/// let limiter = RateLimiter::new(10, Duration::from_secs(3600))?;
/// limiter.try_acquire_n(7)?;
/// let usage = limiter.usage();
/// assert_eq!(usage.limit - usage.used, 3);
/// assert_eq!(usage.window, Duration::from_secs(3600));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Permits of the limit that are taken: given within the window that ends now, or for later. So `limit - used` can be had now.
    /// It is never more than `limit`, also when more were given before the limit was lowered.
    pub used: u32,
    /// Permits a window holds.
    pub limit: u32,
    /// The window.
    pub window: Duration,
}

/// Checks what a limiter or a core is to be limited to.
pub(crate) fn check_limit(name: &str, limit: u32, window: Duration) -> Result<(), Error> {
    let invalid = |reason: &str| Err(Error::InvalidConfig { name: name.to_owned(), reason: reason.to_owned() });
    if limit == 0 {
        return invalid("a limit of 0 would refuse everything; the smallest is 1");
    }
    if window.is_zero() {
        return invalid("a window of no length limits nothing; give it a duration");
    }
    Ok(())
}

impl RateLimiter {
    /// Begins a limiter of that name.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let limiter = lifecycle::RateLimiter::builder("api").limit(100, Duration::from_secs(60)).build()?;
    /// assert_eq!(limiter.name(), "api");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn builder(name: impl Into<Name>) -> RateLimiterBuilder {
        RateLimiterBuilder::new(name.into())
    }

    /// A limiter of `limit` permits in any `window`.
    ///
    /// Built inside a test world it runs on that world's clock. See [`RateLimiter`] for an example.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a limit of 0, and for a window of no length.
    pub fn new(limit: u32, window: Duration) -> Result<Self, Error> {
        Self::builder("rate_limiter").limit(limit, window).build()
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

    pub(super) fn built(name: Name, rule: Rule, clock: ClockHandle) -> Self {
        let state = LimiterState::built(rule, clock);
        let descriptor = Descriptor::dynamic(Kind::Limiter, name);
        Self { descriptor, written: rule, state: Scoped::owned(state), me: None }
    }

    /// One of many keys, reconfigured to what all are: it counts in place, since indexes of each thread would cost more than it
    /// does.
    pub(super) fn of_key(
        descriptor: Descriptor,
        rule: Rule,
        layers: Layers<RateLimiterSettings>,
        clock: ClockHandle,
        totals: Arc<Counters<2>>,
    ) -> Self {
        let state = LimiterState {
            totals: Some(totals),
            layers: Mutex::new(layers),
            cell: LimiterCell::of_key(rule, &clock),
            ..LimiterState::new(rule, Counters::local(), clock)
        };
        Self { descriptor, written: rule, state: Scoped::owned(state), me: None }
    }

    /// Names it, for errors and events. Without a name it is `rate_limiter`.
    ///
    /// ```
    /// use lifecycle::RateLimiter;
    /// use std::time::Duration;
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_secs(3600))?.named("reports");
    /// limiter.try_acquire()?;
    /// let refused = limiter.try_acquire().unwrap_err();
    /// assert!(refused.to_string().starts_with("`reports`: rate limit exceeded"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        self.state = Scoped::owned(LimiterState::built(self.written, ClockHandle::Custom(clock)));
        self
    }

    /// A declared limiter. `me` gives the static it stands in.
    ///
    /// # Panics
    /// At compile time, for what [`new`](Self::new) refuses, and for a limit above 1,048,576.
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared(descriptor: Descriptor, limit: u32, window: Duration, me: fn() -> &'static Self) -> Self {
        let rule = Rule::declared(limit, window, None);
        let state = LimiterState::new(rule, Counters::new(), ClockHandle::System);
        Self { descriptor, written: rule, state: Scoped::declared(state), me: Some(me) }
    }

    /// A declared limiter in the mode of [`gcra`](RateLimiterBuilder::gcra).
    ///
    /// # Panics
    /// As [`__declared`](Self::__declared), and for what [`build`](RateLimiterBuilder::build) refuses in that mode.
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared_gcra(
        descriptor: Descriptor,
        limit: u32,
        window: Duration,
        burst: u32,
        me: fn() -> &'static Self,
    ) -> Self {
        let rule = Rule::declared(limit, window, Some(burst));
        let state = LimiterState::new(rule, Counters::new(), ClockHandle::System);
        Self { descriptor, written: rule, state: Scoped::declared(state), me: Some(me) }
    }

    /// Its name: see [`named`](Self::named).
    #[must_use]
    pub fn name(&self) -> &str {
        self.descriptor.name()
    }

    /// Its name and, if declared, where that was: see [`Descriptor`].
    #[must_use]
    pub const fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Empties the window: as if no permit had been given. The counts of its life stay.
    ///
    /// ```
    /// use lifecycle::RateLimiter;
    /// use std::time::Duration;
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_secs(3600))?;
    /// limiter.try_acquire()?;
    /// limiter.reset();
    /// limiter.try_acquire()?; // two within the hour
    /// assert_eq!((limiter.usage().used, limiter.observe().allowed), (1, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Permits that somebody [waits](Self::acquire_within) to use stay too: they count until a window after their time. Permits have an
    /// order, so one that is given at once while others still wait counts as long as the last of these does; later callers may be
    /// refused for that much longer than the window asks for, and never get too many.
    ///
    /// With [`gcra`](RateLimiterBuilder::gcra) those who wait are forgotten too. Above 1,048,576 permits a call on another thread that is
    /// taking a block (a 65,536th of the limit) while this is done may leave what it does not need of it to others, beyond the limit.
    pub fn reset(&self) {
        let state = self.state();
        state.cell.reset(&state.clock);
        state.episode.forget();
    }

    /// How much of the limit is used up. Asking takes nothing. See [`Usage`] for an example.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let state = self.state();
        let (limit, window) = state.cell.limit();
        Usage { used: state.cell.used(&state.clock), limit, window }
    }

    /// Its state and counts, as they stand in [`snapshot`](crate::snapshot()): see [`LimiterSnapshot`].
    #[must_use]
    pub fn observe(&self) -> LimiterSnapshot {
        let state = self.state();
        let (limit, window) = state.cell.limit();
        LimiterSnapshot {
            name: self.name().to_owned(),
            path: self.descriptor.path(),
            declared_at: self.descriptor.declared_at(),
            limit,
            window_seconds: window.as_secs_f64(),
            used: state.cell.used(&state.clock),
            allowed: state.allowed(),
            limited: state.counts.read(LIMITED),
            retry_after_seconds: state.cell.wait(&state.clock).as_secs_f64(),
            settings: self.settings(),
        }
    }

    /// The state that is meant here, configured.
    #[inline]
    pub(super) fn state(&self) -> StateRef<'_, LimiterState> {
        let state = self.unused();
        if !state.configured.load(Ordering::Acquire) {
            self.configure(&state, "first use");
        }
        state
    }

    /// The same, for a look that is no first use.
    #[inline]
    pub(super) fn unused(&self) -> StateRef<'_, LimiterState> {
        self.state.resolve(|universe| LimiterState::new(self.written, Counters::local(), universe.clock()))
    }

    /// Does a fresh one, reconfigured to that, decide the same?
    pub(super) fn is_idle(&self, now: u64, given: Option<&Arc<RateLimiterSettings>>) -> bool {
        let state = self.state.process();
        state.cell.is_idle(now) && state.layers.lock().is_reconfigured_to(given)
    }

    /// Begins with permits that were given elsewhere, and counted there.
    pub(super) fn begin_with(&self, taken: u32, now: u64) {
        let state = self.state.process();
        state.cell.begin_with(taken, now);
        if state.cell.counts_given() {
            state.counts.add::<ALLOWED>(u64::from(taken).wrapping_neg());
        }
    }

    /// What a limiter of its own decides by.
    pub(super) fn cell(&self) -> &LimiterCell {
        &self.state.process().cell
    }
}

//! Building a limiter at run time.

use super::cell::{Rule, Source};
use super::gcra;
use super::handle::{RateLimiter, check_limit};
use crate::clock::{Clock, ClockHandle, nanos};
use crate::error::Error;
use crate::name::Name;
use std::sync::Arc;
use std::time::Duration;

/// Builds a [`RateLimiter`]; from [`RateLimiter::builder`].
///
/// ```
/// use lifecycle::{RateLimiter, clock::ManualClock};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = Arc::new(ManualClock::new());
/// let limiter = RateLimiter::builder("api").limit(2, Duration::from_secs(60)).clock(clock.clone()).build()?;
/// limiter.try_acquire_n(2)?;
/// let refused = limiter.try_acquire().unwrap_err();
/// assert_eq!(refused.name, "api");
/// clock.advance(refused.retry_after.unwrap());
/// assert!(limiter.try_acquire().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct RateLimiterBuilder {
    name: Name,
    rule: Option<Rule>,
    burst: Option<u32>,
    source: Source,
    clock: Option<ClockHandle>,
}

impl std::fmt::Debug for RateLimiterBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimiterBuilder").field("name", &self.name).field("rule", &self.rule).finish_non_exhaustive()
    }
}

impl RateLimiterBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, rule: None, burst: None, source: Source::Quick, clock: None }
    }

    /// At most `limit` permits in any `window`. It has to be said. See the [builder](RateLimiterBuilder) for an example.
    pub fn limit(mut self, limit: u32, window: Duration) -> Self {
        self.rule = Some(Rule::exact(limit, window));
        self
    }

    /// At most `limit` permits in any second: [`limit`](Self::limit) with that window.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let limiter = lifecycle::RateLimiter::builder("api").per_second(100).build()?;
    /// assert_eq!((limiter.usage().limit, limiter.usage().window), (100, Duration::from_secs(1)));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn per_second(self, limit: u32) -> Self {
        self.limit(limit, Duration::from_secs(1))
    }

    /// Another promise: a mean rate of the limit with bursts (the generic cell rate algorithm, as in most other limiters).
    ///
    /// `burst` permits can be had at once, then one each `window / limit`, rounded up to a nanosecond. A window may see `limit + burst`
    /// permits, nearly twice the limit where the burst is as large. It takes a word of memory for any limit, and gives permits at
    /// an even pace, where the exact window gives them back as it gave them out. Batches can be as large as the burst.
    ///
    /// ```
    /// use lifecycle::{RateLimiter, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let limiter = RateLimiter::builder("api").per_second(100).gcra(3).clock(clock.clone()).build()?;
    /// assert_eq!((0..5).filter(|_| limiter.try_acquire().is_ok()).count(), 3);
    /// clock.advance(Duration::from_millis(10));
    /// limiter.try_acquire()?;
    /// assert_eq!(limiter.try_acquire().unwrap_err().retry_after, Some(Duration::from_millis(10)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn gcra(mut self, burst: u32) -> Self {
        self.burst = Some(burst);
        self
    }

    /// Reads the system's clock exactly for each decision, and counts the window to the nanosecond. Without it, deciding goes by the
    /// [quick reading](crate::clock::SystemClock::now_quick), in a third of the time, and the window is counted as two
    /// microseconds longer, since that is what readings may be off by. It makes sense for windows of microseconds.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let limiter = lifecycle::RateLimiter::builder("frames").limit(1, Duration::from_micros(20)).exact_clock().build()?;
    /// assert!(limiter.try_acquire().is_ok());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn exact_clock(mut self) -> Self {
        self.source = Source::Exact;
        self
    }

    /// Goes by the clock's coarse reading, as the last timer tick of the system left it, in a window that is 10 ms longer, for that is
    /// how far it may lag behind.
    ///
    /// On a machine that stops a processor for longer, as virtual ones do, what is given in that time may be beyond the limit. So it
    /// has to be asked for, and makes sense for windows of a second and more.
    ///
    /// ```
    /// use lifecycle::{RateLimiter, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let limiter = RateLimiter::builder("api").per_second(1).coarse_clock().clock(clock.clone()).build()?;
    /// limiter.try_acquire()?;
    /// clock.advance(Duration::from_millis(1010));
    /// assert!(limiter.try_acquire().is_err()); // it counts 10 ms longer
    /// clock.advance(Duration::from_nanos(1));
    /// assert!(limiter.try_acquire().is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn coarse_clock(mut self) -> Self {
        self.source = Source::Coarse;
        self
    }

    /// The clock it goes by (default: that of the test world it is built in, else the system's). See the
    /// [builder](RateLimiterBuilder) for an example.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(ClockHandle::Custom(clock));
        self
    }

    /// The limiter, its window empty.
    ///
    /// ```
    /// let error = lifecycle::RateLimiter::builder("api").build().unwrap_err();
    /// assert!(error.to_string().contains("a rate limiter needs a limit"));
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidName`] for an empty name; [`Error::InvalidConfig`] when no limit was given, for one of 0, for a window of no
    /// length, and for a burst of 0 or more than a permit a nanosecond with [`gcra`](Self::gcra).
    pub fn build(self) -> Result<RateLimiter, Error> {
        let (name, rule, clock) = self.checked()?;
        Ok(RateLimiter::built(name, rule, clock))
    }

    pub(super) fn checked(self) -> Result<(Name, Rule, ClockHandle), Error> {
        if self.name.is_empty() {
            return Err(Error::InvalidName { kind: "Rate limiter" });
        }
        let invalid = |reason: String| Error::InvalidConfig { name: self.name.to_string(), reason };
        let rule = self.rule.ok_or_else(|| {
            invalid(
                "a rate limiter needs a limit: say `.limit(100, Duration::from_secs(1))` or `.per_second(100)`".into(),
            )
        })?;
        check_limit(&self.name, rule.limit, rule.window)?;
        if let Some(burst) = self.burst {
            gcra::check(rule.limit, nanos(rule.window), burst).map_err(invalid)?;
        }
        let clock = self.clock.unwrap_or_else(ClockHandle::in_force);
        Ok((self.name, Rule { burst: self.burst, source: self.source, ..rule }, clock))
    }
}

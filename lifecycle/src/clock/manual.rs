//! A clock for tests.

use super::{Clock, nanos};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, SystemTime};

/// A clock that stands still until it is moved by hand.
///
/// ```
/// use lifecycle::clock::{Clock, ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let (before, wall) = (clock.now_mono(), clock.now_wall());
/// clock.advance(Duration::from_secs(3));
/// assert_eq!(clock.now_mono() - before, 3_000_000_000);
/// assert_eq!(clock.now_wall(), wall + Duration::from_secs(3));
/// ```
///
/// Give it to a breaker or limiter in an `Arc` ([`Clock`] has an example); whoever waits by it is woken when it is moved. In a
/// [test world](crate::testing) declared components have such a clock already: [`testing::advance`](crate::testing::advance) moves it.
#[derive(Debug)]
pub struct ManualClock {
    nanos: AtomicU64,
    wall_origin: SystemTime,
    alarms: Mutex<Vec<(u64, Waker)>>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl ManualClock {
    /// A clock that reads one second, at the present wall time.
    ///
    /// ```
    /// use lifecycle::clock::{Clock, ManualClock};
    ///
    /// assert_eq!(ManualClock::new().now_mono(), 1_000_000_000); // in nanoseconds
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { nanos: AtomicU64::new(1_000_000_000), wall_origin: SystemTime::now(), alarms: Mutex::default() }
    }

    /// Moves the clock on, saturating at the end of time (584 years), and wakes those whose time has come.
    ///
    /// ```
    /// use lifecycle::clock::{Clock, ManualClock};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// clock.advance(Duration::from_millis(250));
    /// assert_eq!(clock.now_mono(), 1_250_000_000);
    /// clock.advance(Duration::MAX);
    /// assert_eq!(clock.now_mono(), u64::MAX);
    /// ```
    pub fn advance(&self, by: Duration) {
        let step = nanos(by);
        let _ = self.nanos.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add(step)));
        self.ring();
    }

    /// Sets the monotonic reading, in nanoseconds, to any value, also back: for testing what a misbehaving clock does.
    ///
    /// ```
    /// use lifecycle::{RateLimiter, clock::ManualClock};
    /// use std::sync::Arc;
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let limiter = RateLimiter::per_second(1)?.with_clock(clock.clone());
    /// limiter.try_acquire()?;
    /// clock.set_mono(0); // a second back
    /// assert!(limiter.try_acquire().is_err()); // nothing expires by that
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_mono(&self, nanos: u64) {
        self.nanos.store(nanos, Ordering::SeqCst);
        self.ring();
    }

    /// Wakes those whose time has come.
    fn ring(&self) {
        let now = self.now_mono();
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, left) = std::mem::take(&mut *alarms).into_iter().partition(|(at, _)| *at <= now);
        *alarms = left;
        drop(alarms);
        let due: Vec<(u64, Waker)> = due;
        // Outside the lock: a waker is somebody else's code.
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

impl Clock for ManualClock {
    fn now_mono(&self) -> u64 {
        self.nanos.load(Ordering::SeqCst)
    }

    fn now_wall(&self) -> SystemTime {
        self.wall_origin + Duration::from_nanos(self.now_mono().saturating_sub(1_000_000_000))
    }

    fn wake_at(&self, at: u64, waker: Waker) {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).push((at, waker));
        // It may have been moved past that time meanwhile.
        self.ring();
    }
}

//! The one seam to time. Decisions use the monotonic reading, displays the wall reading.
//!
//! The clock belongs to a component's *state*, not to whoever asks: a breaker of a test's world runs on that world's clock
//! even when another thread reports a result to it.

#[cfg(all(target_arch = "x86_64", any(target_os = "linux", target_os = "android"), not(any(loom, miri))))]
mod quick;
/// Where no counter is relied upon, the exact reading.
#[cfg(not(all(target_arch = "x86_64", any(target_os = "linux", target_os = "android"), not(any(loom, miri)))))]
mod quick {
    use super::{Clock, SystemClock};

    pub(super) const ERROR: u64 = 0;

    #[inline(always)]
    pub(super) fn now() -> u64 {
        SystemClock.now_mono()
    }

    #[inline(always)]
    pub(super) fn glance() -> Option<u64> {
        crate::counter::nothing_installed().then(now)
    }

    pub(super) fn look_again() {}
}

mod handle;
mod manual;
mod moment;
mod system;

pub(crate) use handle::{COARSE_TICK, ClockHandle, QUICK_ERROR, Reading};
pub use manual::ManualClock;
pub(crate) use moment::{Moment, nanos, unix_seconds};
pub use system::SystemClock;

use std::task::Waker;
use std::time::{Duration, SystemTime};

/// A source of time.
///
/// Implement it to drive breakers and limiters from a clock of your own (a simulation, a boot-time clock). It is asked with no lock
/// held, from any thread.
///
/// ```
/// use lifecycle::{RateLimiter, clock::Clock};
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
/// use std::time::{Duration, SystemTime};
///
/// /// A simulation in steps of a millisecond.
/// #[derive(Default)]
/// struct Steps(AtomicU64);
///
/// impl Clock for Steps {
///     fn now_mono(&self) -> u64 {
///         self.0.load(Ordering::Relaxed) * 1_000_000
///     }
///
///     fn now_wall(&self) -> SystemTime {
///         SystemTime::UNIX_EPOCH + Duration::from_nanos(self.now_mono())
///     }
/// }
///
/// let steps = Arc::new(Steps::default());
/// let limiter = RateLimiter::new(1, Duration::from_millis(10))?.with_clock(steps.clone());
/// limiter.try_acquire()?;
/// steps.0.store(10, Ordering::Relaxed);
/// assert!(limiter.try_acquire().is_err());
/// steps.0.store(11, Ordering::Relaxed);
/// assert!(limiter.try_acquire().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In tests [`ManualClock`] is such a clock:
///
/// ```
/// use lifecycle::{CircuitBreaker, clock::ManualClock};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = Arc::new(ManualClock::new());
/// let breaker = CircuitBreaker::builder("db").threshold(1).timeout(Duration::from_secs(30)).clock(clock.clone()).build()?;
/// let _ = breaker.call(|| Err::<(), _>("down"));
/// assert!(breaker.try_acquire().is_err());
/// clock.advance(Duration::from_secs(30));
/// assert!(breaker.try_acquire().is_ok());
/// # Ok::<(), lifecycle::Error>(())
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Nanoseconds since an origin of the clock's own; never goes back. [`ManualClock`] shows it.
    ///
    /// Should it go back all the same, decisions saturate: nothing panics, and nothing expires early.
    fn now_mono(&self) -> u64;

    /// As [`now_mono`](Self::now_mono), cheaper and less exact: it may lag behind by a few milliseconds, and is never ahead.
    ///
    /// Asked where that is enough: when a failure was, whether an open breaker is far from its end, which second of a time
    /// window a call belongs to. By default the exact reading. [`SystemClock`] shows how far they are apart.
    fn now_coarse(&self) -> u64 {
        self.now_mono()
    }

    /// The wall time, for display only. [`ManualClock`] shows it.
    fn now_wall(&self) -> SystemTime;

    /// Wakes `waker` when [`now_mono`](Self::now_mono) reaches `at`. Asked only for time limits that somebody wrote
    /// (`init_timeout`, the deadlines of `warm_up` and `shutdown`, how long a call may wait for a limiter's permit).
    ///
    /// Whoever waits may give up before. The waker then wakes nobody, and keeps nothing of the task; a clock may forget it when it
    /// wakes it.
    ///
    /// By default the difference to now is waited for in real time, on a thread that all such waits share and that is started
    /// with the first of them. A clock that runs differently wakes by its own time, as [`ManualClock`] does:
    ///
    /// ```
    /// use lifecycle::clock::{Clock, ManualClock};
    /// use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
    /// use std::{task::Wake, time::Duration};
    ///
    /// struct Woken(AtomicBool);
    /// impl Wake for Woken {
    ///     fn wake(self: Arc<Self>) {
    ///         self.0.store(true, Ordering::Relaxed);
    ///     }
    /// }
    ///
    /// let (clock, woken) = (ManualClock::new(), Arc::new(Woken(AtomicBool::new(false))));
    /// clock.wake_at(clock.now_mono() + 2_000_000_000, woken.clone().into());
    /// clock.advance(Duration::from_secs(1));
    /// assert!(!woken.0.load(Ordering::Relaxed));
    /// clock.advance(Duration::from_secs(1));
    /// assert!(woken.0.load(Ordering::Relaxed));
    /// ```
    fn wake_at(&self, at: u64, waker: Waker) {
        #[cfg(not(loom))]
        crate::timer::wake_after(Duration::from_nanos(at.saturating_sub(self.now_mono())), waker);
        #[cfg(loom)]
        let _ = (at, waker);
    }
}

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
        Some(now())
    }
}

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A source of time.
///
/// Implement it to drive breakers and limiters from a clock of your own (a simulation, a boot-time clock).
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
    /// Nanoseconds since an origin of the clock's own; never goes back.
    ///
    /// Should it go back all the same, decisions saturate: nothing panics, and nothing expires early.
    fn now_mono(&self) -> u64;

    /// As [`now_mono`](Self::now_mono), cheaper and less exact: it may lag behind by a few milliseconds, and is never ahead.
    ///
    /// Asked where that is enough: when a failure was, whether an open breaker is far from its end, which second of a time
    /// window a call belongs to. By default the exact reading.
    fn now_coarse(&self) -> u64 {
        self.now_mono()
    }

    /// The wall time, for display only.
    fn now_wall(&self) -> SystemTime;

    /// Wakes `waker` when [`now_mono`](Self::now_mono) reaches `at`. Asked only for time limits that somebody wrote
    /// (`init_timeout`, the deadlines of `warm_up` and `shutdown`).
    ///
    /// By default the difference to now is waited for in real time, on a thread that all such waits share and that is started
    /// with the first of them. A clock that runs differently wakes by its own time.
    fn wake_at(&self, at: u64, waker: Waker) {
        #[cfg(not(loom))]
        crate::timer::wake_after(Duration::from_nanos(at.saturating_sub(self.now_mono())), waker);
        #[cfg(loom)]
        let _ = (at, waker);
    }
}

/// The process's clock: the system's monotonic clock for decisions, `SystemTime` for display.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The origin reads as one second, so that zero can mean "never".
    #[inline]
    fn since_origin(reading: u64) -> u64 {
        static ORIGIN: AtomicU64 = AtomicU64::new(0);

        #[cold]
        #[inline(never)]
        fn begin(origin: &AtomicU64) -> u64 {
            let now = monotonic::now().saturating_sub(1_000_000_000).max(1);
            match origin.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => now,
                Err(first) => first,
            }
        }

        let mut origin = ORIGIN.load(Ordering::Relaxed);
        if origin == 0 {
            origin = begin(&ORIGIN);
        }
        reading.saturating_sub(origin).max(1)
    }

    /// As [`now_mono`](Clock::now_mono), in a third of the time, and at most a microsecond before or after it.
    ///
    /// On x86_64 Linux it goes by the processor's time-stamp counter on from an exact reading a millisecond ago, once the counter's
    /// rate has been found in passing (after some 20 ms of use), and only where the processor says that the rate never changes and
    /// no reading contradicts it. Elsewhere, and until then, it is the exact reading: so it costs nothing at a cold start.
    ///
    /// On one thread it does not go back, unless clock and counter contradict each other; then it is exact again.
    ///
    /// ```
    /// use lifecycle::clock::{Clock, SystemClock};
    ///
    /// let before = SystemClock.now_mono();
    /// let quick = SystemClock.now_quick();
    /// let after = SystemClock.now_mono();
    /// assert!((before.saturating_sub(1_000)..=after + 1_000).contains(&quick));
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn now_quick(&self) -> u64 {
        quick::now()
    }
}

impl Clock for SystemClock {
    #[inline]
    fn now_mono(&self) -> u64 {
        Self::since_origin(monotonic::now())
    }

    #[inline]
    fn now_coarse(&self) -> u64 {
        Self::since_origin(monotonic::coarse())
    }

    fn now_wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// The clock behind `Instant`, and where the system has one, its coarse reading: what the last timer tick left in memory.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod monotonic {
    #[inline]
    pub(super) fn now() -> u64 {
        read(libc::CLOCK_MONOTONIC)
    }

    #[inline]
    pub(super) fn coarse() -> u64 {
        read(libc::CLOCK_MONOTONIC_COARSE)
    }

    #[inline]
    fn read(clock: libc::clockid_t) -> u64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid, exclusively borrowed `timespec`, which is all that the call writes to. Both clocks exist
        // since Linux 2.6.32, so it does not fail; if it did, the clock would read zero: nothing would ever expire.
        unsafe { libc::clock_gettime(clock, &raw mut time) };
        // On some targets the fields are 32 bits wide.
        #[allow(clippy::unnecessary_cast, clippy::cast_lossless, reason = "the width depends on the target")]
        (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod monotonic {
    use std::sync::OnceLock;
    use std::time::{Duration, Instant};

    #[inline]
    pub(super) fn now() -> u64 {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let origin = *ORIGIN.get_or_init(Instant::now);
        // As if the machine had just been started.
        super::nanos(origin.elapsed() + Duration::from_secs(2))
    }

    #[inline]
    pub(super) fn coarse() -> u64 {
        now()
    }
}

/// A clock that stands still until it is moved by hand.
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
    #[must_use]
    pub fn new() -> Self {
        Self { nanos: AtomicU64::new(1_000_000_000), wall_origin: SystemTime::now(), alarms: Mutex::default() }
    }

    /// Moves the clock on, saturating at the end of time (584 years).
    pub fn advance(&self, by: Duration) {
        let step = nanos(by);
        let _ = self.nanos.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add(step)));
        self.ring();
    }

    /// Sets the monotonic reading to any value, also back: for testing what a misbehaving clock does.
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

/// A point on some clock's monotonic scale. All its arithmetic saturates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Later than everything: "never".
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(crate) const fn as_nanos(self) -> u64 {
        self.0
    }

    pub(crate) fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos(by)))
    }

    #[cfg(not(loom))]
    pub(crate) const fn before(self, by: Duration) -> Self {
        if self.0 == u64::MAX { self } else { Self(self.0.saturating_sub(nanos(by))) }
    }

    /// Has it come, by `now`? "Never" has not, even at the end of time.
    #[inline]
    pub(crate) fn has_come(self, now: Self) -> bool {
        now >= self && self != Self::NEVER
    }

    /// The time from `now` until it comes; `None` for "never".
    pub(crate) fn until(self, now: Self) -> Option<Duration> {
        (self != Self::NEVER).then(|| self.since(now))
    }

    /// The time since `earlier`; zero when the clock went back.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A duration in whole nanoseconds, saturating (`Duration::MAX` means never, and stays never).
pub(crate) const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

/// Seconds since 1970 with fraction: the wire form of wall times.
pub(crate) fn unix_seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// How far a coarse reading may lag behind: the longest timer tick of a Linux kernel (100 Hz).
pub(crate) const COARSE_TICK: Duration = Duration::from_millis(10);

/// How far a quick reading may be from the exact one, either side.
pub(crate) const QUICK_ERROR: Duration = Duration::from_nanos(quick::ERROR);

/// The clock a state holds. The system's needs no allocation, so that declared states are const.
#[derive(Clone)]
pub(crate) enum ClockHandle {
    System,
    Custom(Arc<dyn Clock>),
}

impl ClockHandle {
    /// The clock for a component built here: that of the test world, if this code runs in one.
    pub(crate) fn in_force() -> Self {
        crate::scope::universe().map_or(Self::System, |universe| universe.clock())
    }

    #[inline]
    pub(crate) fn now(&self) -> Moment {
        Moment(match self {
            Self::System => SystemClock.now_mono(),
            Self::Custom(clock) => clock.now_mono(),
        })
    }

    /// Cheaper, and up to [`QUICK_ERROR`] before or after [`now`](Self::now): by the system's clock; a custom one has no such
    /// reading, and gives the exact one. For whatever can bear a microsecond either way.
    #[inline(always)]
    pub(crate) fn quick(&self) -> Moment {
        Moment(match self {
            Self::System => SystemClock.now_quick(),
            Self::Custom(clock) => clock.now_mono(),
        })
    }

    /// The [quick](Self::quick) reading of the system's clock where it takes no call, so that a hot path keeps its registers.
    #[inline(always)]
    pub(crate) fn glance() -> Option<Moment> {
        quick::glance().map(Moment)
    }

    /// Cheaper, and behind by up to [`COARSE_TICK`].
    #[inline]
    pub(crate) fn coarse(&self) -> Moment {
        Moment(match self {
            Self::System => SystemClock.now_coarse(),
            Self::Custom(clock) => coarse_of(&**clock),
        })
    }

    /// Wakes `waker` at that time; never, for "never".
    #[cfg(not(loom))]
    pub(crate) fn wake_at(&self, at: Moment, waker: Waker) {
        if at == Moment::NEVER {
            return;
        }
        match self {
            Self::System => SystemClock.wake_at(at.0, waker),
            Self::Custom(clock) => clock.wake_at(at.0, crate::timer::not_before(clock, at.0, waker)),
        }
    }

    /// The time for a decision under a lock. A user's clock is read now, since it must not be called there; the system's when
    /// the decision asks.
    #[inline]
    pub(crate) fn reading(&self) -> Reading {
        Reading(match self {
            Self::System => None,
            Self::Custom(clock) => Some(Moment(clock.now_mono())),
        })
    }

    /// Does it run by itself, in real time?
    pub(crate) fn is_system(&self) -> bool {
        matches!(self, Self::System)
    }

    /// Is it the same clock?
    #[cfg(not(loom))]
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::System, Self::System) => true,
            (Self::Custom(clock), Self::Custom(other)) => Arc::ptr_eq(clock, other),
            _ => false,
        }
    }

    pub(crate) fn wall(&self) -> SystemTime {
        match self {
            Self::System => SystemClock.now_wall(),
            Self::Custom(clock) => clock.now_wall(),
        }
    }
}

/// Apart, so that a hot path keeps nothing in registers for a clock that it has not got.
#[cold]
#[inline(never)]
fn coarse_of(clock: &dyn Clock) -> u64 {
    clock.now_coarse()
}

/// See [`ClockHandle::reading`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading(Option<Moment>);

impl Reading {
    #[inline]
    pub(crate) fn now(self) -> Moment {
        self.0.unwrap_or_else(|| ClockHandle::System.now())
    }

    #[inline]
    pub(crate) fn coarse(self) -> Moment {
        self.0.unwrap_or_else(|| ClockHandle::System.coarse())
    }

    /// How far behind [`coarse`](Self::coarse) may be.
    pub(crate) fn lag(self) -> Duration {
        if self.0.is_none() { COARSE_TICK } else { Duration::ZERO }
    }
}

impl std::fmt::Debug for ClockHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Custom(_) => "Custom",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Moment(5).after(Duration::MAX), Moment::NEVER);
        assert_eq!(Moment(5).since(Moment(9)), Duration::ZERO);
        assert_eq!(nanos(Duration::from_secs(600 * 365 * 86_400)), u64::MAX);
    }
}

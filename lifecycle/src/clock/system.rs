//! The system's clock.

use super::{Clock, quick};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// The process's clock: the system's monotonic clock for decisions, `SystemTime` for display.
///
/// ```
/// use lifecycle::clock::{Clock, SystemClock};
///
/// let coarse = SystemClock.now_coarse(); // a few milliseconds behind, at most
/// let exact = SystemClock.now_mono();
/// assert!(coarse <= exact && exact <= SystemClock.now_mono()); // nanoseconds; it does not go back
/// ```
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
        crate::clock::nanos(origin.elapsed() + Duration::from_secs(2))
    }

    #[inline]
    pub(super) fn coarse() -> u64 {
        now()
    }
}

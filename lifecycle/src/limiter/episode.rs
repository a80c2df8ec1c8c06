//! An episode of refusals, as telemetry tells of it: its first refusal loudly, the others quietly, its end with their number.

use std::sync::atomic::{AtomicU64, Ordering};

/// Written to at its beginning and at its end, and by refusals in between a few times in a window: who is refused shall not
/// wait for others who are.
#[derive(Debug)]
pub(super) struct Episode {
    /// When the last refusal was, about, and a nanosecond; 0: no episode is on.
    last: AtomicU64,
    /// Refusals of the limiter's life when it began.
    before: AtomicU64,
}

/// Refusals are noted so many times in a window.
const NOTES: u64 = 8;

impl Episode {
    pub(super) const fn new() -> Self {
        Self { last: AtomicU64::new(0), before: AtomicU64::new(0) }
    }

    #[inline(always)]
    pub(super) fn is_on(&self) -> bool {
        self.last.load(Ordering::Relaxed) != 0
    }

    /// Does a refusal begin an episode, or is the last one that was noted some time ago? Then it is to be [noted](Self::refused).
    #[inline(always)]
    pub(super) fn is_news(&self, now: u64, window: u64) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        // A clock that went back is news too.
        last == 0 || now.wrapping_add(1).wrapping_sub(last) > window / NOTES
    }

    /// A refusal, counted already in `refusals`; times are in nanoseconds. Does it begin an episode?
    #[inline]
    pub(super) fn refused(&self, now: u64, window: u64, refusals: impl FnOnce() -> u64) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let noted = now.saturating_add(1);
        if !self.is_news(now, window)
            || self.last.compare_exchange(last, noted, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return false;
        }
        if last == 0 {
            self.before.store(refusals(), Ordering::Relaxed);
        }
        last == 0
    }

    /// A permit. If it ends the episode: how many refusals followed the first.
    ///
    /// An episode is over with the first permit after a window without refusals. Ending it with the first permit at all
    /// would, under steady overload, make every permit an event.
    pub(super) fn given(&self, now: u64, window: u64, refusals: impl FnOnce() -> u64) -> Option<u64> {
        let now = now.saturating_add(1);
        let last = self.last.load(Ordering::Relaxed);
        let is_over = last != 0 && now.saturating_sub(last) > window;
        if !is_over || self.last.compare_exchange(last, 0, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return None;
        }
        Some(refusals().saturating_sub(self.before.load(Ordering::Relaxed)))
    }

    /// Ends it silently.
    pub(super) fn forget(&self) {
        self.last.store(0, Ordering::Relaxed);
    }
}

//! The mode for a mean rate with bursts: the generic cell rate algorithm, in one word.
//!
//! It remembers the time at which all permits given so far would have been given at an even pace, and allows it to run ahead of the
//! clock by a burst. In a window it gives up to the limit *and* a burst; what it saves is memory: a word for any limit.

use super::ring::Outcome;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Gcra {
    /// When the next permit would be due at an even pace.
    due: AtomicU64,
    /// Nanoseconds a permit, rounded up.
    pace: AtomicU64,
    limit: AtomicU32,
    window: AtomicU64,
    burst: u32,
    /// The most that anybody was ready to wait.
    patience: AtomicU64,
}

/// Why such a limiter cannot be, if so.
pub(super) fn check(limit: u32, window: u64, burst: u32) -> Result<(), String> {
    if burst == 0 {
        return Err("a burst of 0 permits would refuse everything; the smallest is 1".to_owned());
    }
    if u64::from(limit) > window {
        return Err(
            "with `gcra` permits are at least a nanosecond apart; lower the limit or take a longer window".to_owned()
        );
    }
    Ok(())
}

const fn pace(limit: u32, window: u64) -> u64 {
    window.div_ceil(if limit == 0 { 1 } else { limit as u64 })
}

impl Gcra {
    pub(super) const fn new(limit: u32, window: u64, burst: u32) -> Self {
        Self {
            due: AtomicU64::new(0),
            pace: AtomicU64::new(pace(limit, window)),
            limit: AtomicU32::new(limit),
            window: AtomicU64::new(window),
            burst,
            patience: AtomicU64::new(0),
        }
    }

    /// As the ring's.
    pub(super) fn acquire(&self, permits: u32, patience: u64, now: u64) -> Outcome {
        if permits > self.burst {
            return Outcome::Refused { reading: now, wait: None };
        }
        if patience > 0 {
            self.patience.fetch_max(patience, Ordering::Relaxed);
        }
        let mut due = self.due.load(Ordering::Relaxed);
        loop {
            let pace = self.pace.load(Ordering::Relaxed);
            let (after, wait) = self.after(due, permits, pace, now);
            if wait > patience || after == u64::MAX {
                return Outcome::Refused { reading: now, wait: (after != u64::MAX).then_some(wait) };
            }
            match self.due.compare_exchange_weak(due, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Outcome::Given { reading: now, wait },
                Err(other) => due = other,
            }
        }
    }

    /// When the next one is due after these, and how long these have to wait.
    fn after(&self, due: u64, permits: u32, pace: u64, now: u64) -> (u64, u64) {
        let room = pace.saturating_mul(self.burst.into());
        // Further ahead than anybody was let, it is the clock that went back.
        let furthest = now.saturating_add(room).saturating_add(self.patience.load(Ordering::Relaxed));
        let due = if due > furthest { now.saturating_add(room) } else { due };
        let after = due.max(now).saturating_add(pace.saturating_mul(permits.into()));
        (after, after.saturating_sub(room).saturating_sub(now))
    }

    /// Permits of the burst that are used up.
    pub(super) fn used(&self, now: u64) -> u32 {
        let pace = self.pace.load(Ordering::Relaxed);
        let ahead = self.due.load(Ordering::Relaxed).saturating_sub(now);
        u32::try_from(ahead.div_ceil(pace.max(1))).unwrap_or(u32::MAX).min(self.burst)
    }

    /// As the ring's.
    pub(super) fn taken(&self, now: u64) -> Option<u32> {
        let room = self.pace.load(Ordering::Relaxed).saturating_mul(self.burst.into());
        (self.due.load(Ordering::Relaxed) <= now.saturating_add(room)).then(|| self.used(now))
    }

    /// Permits that can be had at once.
    pub(super) const fn most(&self) -> u32 {
        self.burst
    }

    pub(super) fn wait(&self, now: u64) -> Option<u64> {
        let (after, wait) = self.after(self.due.load(Ordering::Relaxed), 1, self.pace.load(Ordering::Relaxed), now);
        (after != u64::MAX).then_some(wait)
    }

    pub(super) fn limit(&self) -> (u32, u64) {
        (self.limit.load(Ordering::Relaxed), self.window.load(Ordering::Relaxed))
    }

    /// [`check`] comes first.
    pub(super) fn reconfigure(&self, limit: u32, window: u64) {
        self.limit.store(limit, Ordering::Relaxed);
        self.window.store(window, Ordering::Relaxed);
        self.pace.store(pace(limit, window), Ordering::Relaxed);
    }

    pub(super) fn reset(&self) {
        self.due.store(0, Ordering::Relaxed);
    }

    pub(super) fn is_idle(&self, now: u64) -> bool {
        self.due.load(Ordering::Relaxed) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(gcra: &Gcra, permits: u32, patience: u64, now: u64) -> Result<u64, Option<u64>> {
        match gcra.acquire(permits, patience, now) {
            Outcome::Given { wait, .. } => Ok(wait),
            Outcome::Refused { wait, .. } => Err(wait),
        }
    }

    #[test]
    fn a_burst_at_once_and_then_an_even_pace() {
        let gcra = Gcra::new(10, 100, 3);
        (0..3).for_each(|_| assert_eq!(take(&gcra, 1, 0, 1000), Ok(0)));
        assert_eq!((gcra.used(1000), take(&gcra, 1, 0, 1000)), (3, Err(Some(10))));
        assert_eq!(take(&gcra, 1, 0, 1009), Err(Some(1)));
        assert_eq!(take(&gcra, 1, 0, 1010), Ok(0));
        assert_eq!(take(&gcra, 2, 50, 1010), Ok(20));
        assert_eq!(take(&gcra, 1, 20, 1010), Err(Some(30)));
        assert_eq!(take(&gcra, 4, u64::MAX, 9999), Err(None), "more than a burst never");
        assert!(!gcra.is_idle(1059) && gcra.is_idle(1060));
        gcra.reset();
        assert_eq!(take(&gcra, 3, 0, 1010), Ok(0));
    }

    #[test]
    fn a_clock_that_went_back_costs_a_burst_at_most() {
        let gcra = Gcra::new(10, 100, 3);
        assert_eq!(take(&gcra, 3, 0, 1_000_000), Ok(0));
        assert_eq!(take(&gcra, 1, 0, 5), Err(Some(10)));
        assert_eq!(take(&gcra, 1, 0, 15), Err(Some(10)), "it was refused, so nothing is noted");
        assert_eq!(gcra.wait(u64::MAX - 100), Some(0));
        assert_eq!(gcra.wait(u64::MAX), None, "there is no later");
    }

    #[test]
    fn other_numbers_hold_from_the_next_decision_on() {
        let gcra = Gcra::new(10, 100, 3);
        assert_eq!(take(&gcra, 3, 0, 0), Ok(0));
        gcra.reconfigure(20, 100);
        assert_eq!(take(&gcra, 1, 0, 0), Err(Some(5)), "the burst is used up, at the new pace");
        assert!(check(101, 100, 3).is_err());
        assert_eq!(gcra.limit(), (20, 100));
    }
}

//! The straight way for single permits.

use super::Ring;
use crate::limiter::probe;
use crate::limiter::table::END;
use crate::sync::atomic::Ordering;

/// What the straight way came to. Times are in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Straight {
    /// As [`Outcome::Given`](super::Outcome::Given), without a wait.
    Given { reading: u64 },
    /// As [`Outcome::Refused`](super::Outcome::Refused); `period` is the window and a nanosecond.
    Refused { reading: u64, wait: u64, period: u64 },
    /// Nothing has happened; [`Ring::acquire`] finds out.
    Unsure,
}

impl Ring {
    /// Takes one permit or refuses it, if nothing is in the way: no other thread, no reset or change under way, and a clock that
    /// can be read at once (up to [`END`]). The same steps as [`acquire`](Self::acquire), in a straight line.
    #[inline(always)]
    pub(crate) fn try_one(&self, time: impl FnOnce() -> Option<u64>) -> Straight {
        let head = self.head();
        let Some(view) = self.view(head) else {
            return Straight::Unsure;
        };
        let next = head.next();
        let newest = view.slots.slot(next.wrapping_sub(1)).load(Ordering::Acquire);
        let decisive = view.slots.time(next.wrapping_sub(view.limit));
        if !view.slots.is_filled(next.wrapping_sub(1), newest) {
            return Straight::Unsure;
        }
        let ahead = self.ahead.load(Ordering::Acquire);
        let Some(reading) = time() else {
            return Straight::Unsure;
        };
        debug_assert!(reading <= END && ahead <= END);
        // These do not overflow, and whatever would be negative, or past the end, has its highest bit set.
        let now = reading.wrapping_add(ahead);
        let age = now.wrapping_sub(decisive);
        let floor = self.floor.load(Ordering::Acquire);
        if (now | age) > END {
            return Straight::Unsure;
        }
        if age < view.period {
            // With a permit that was forgotten, or is newer than now, there is more to think about.
            let newest = now.wrapping_sub(newest >> 1);
            let is_plain = decisive > floor && (newest | view.period) <= END && self.head() == head;
            let wait = view.period - age;
            return if is_plain { Straight::Refused { reading, wait, period: view.period } } else { Straight::Unsure };
        }
        if now <= floor {
            return Straight::Unsure;
        }
        // Before the head's CAS: afterwards it might be a lap further.
        let old = view.slots.slot(next).load(Ordering::Acquire);
        let after = head.after(1);
        if self.head.compare_exchange(head.0, after.0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return Straight::Unsure;
        }
        probe::stall();
        // Failing, it was done by another, at a later time.
        _ = self.write(view.slots, next, old, now.max(newest >> 1));
        Straight::Given { reading }
    }
}

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
    /// Nothing has happened: another thread is taking a permit.
    Busy,
    /// Nothing has happened; [`Ring::acquire`] finds out.
    Unsure,
}

impl Ring {
    /// Takes one permit or refuses it, if nothing is in the way: no reset or change under way, nobody stopped in his grant. The same
    /// steps as [`acquire`](Self::acquire), in a straight line, but that `glance`, the clock (up to [`END`]; none: unsure), is read before
    /// the slots: this costs what is between the two, since then other permits have got no earlier times.
    #[inline(always)]
    pub(crate) fn try_one(&self, glance: impl FnOnce() -> Option<u64>) -> Straight {
        // Before the reading: what the scale is ahead by after a step back is not to be added to a reading of before that step.
        let ahead = self.ahead.load(Ordering::Acquire);
        let Some(reading) = glance() else {
            return Straight::Unsure;
        };
        debug_assert!(reading <= END);
        let head = self.head();
        let Some(slots) = self.slots(head) else {
            return Straight::Unsure;
        };
        let next = head.next();
        let newest = slots.slot(next.wrapping_sub(1)).load(Ordering::Acquire);
        if !slots.is_filled(next.wrapping_sub(1), newest) {
            return Straight::Busy;
        }
        let decisive = slots.time(next.wrapping_sub(self.limit.load(Ordering::Acquire).into()));
        // Does not overflow, and past the end the highest bit is set.
        let now = reading.wrapping_add(ahead);
        if now > END {
            return Straight::Unsure;
        }
        let Some(age) = now.checked_sub(decisive) else {
            return Straight::Unsure;
        };
        let period = self.period.load(Ordering::Acquire);
        if age < period {
            // With a permit that was forgotten, or is newer than now, there is more to think about.
            let is_plain = now >= newest >> 1
                && period <= END
                && decisive > self.floor.load(Ordering::Acquire)
                && self.head() == head;
            return if is_plain { Straight::Refused { reading, wait: period - age, period } } else { Straight::Unsure };
        }
        if now <= self.floor.load(Ordering::Acquire) {
            return Straight::Unsure;
        }
        // Before the head's CAS: afterwards it might be a lap further.
        let old = slots.slot(next).load(Ordering::Acquire);
        let Some(after) = head.after_one() else {
            return Straight::Unsure;
        };
        if self.head.compare_exchange(head.0, after.0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return Straight::Busy;
        }
        probe::stall();
        // Failing, it was done by another, at a later time.
        _ = self.write(slots, next, old, now.max(newest >> 1));
        Straight::Given { reading }
    }
}

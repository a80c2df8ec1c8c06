//! Everything about a ring but taking permits: how full it is, emptying it, other limits.

use super::{Change, Head, Ring, Seen, Time, View, on_scale};
use crate::limiter::table::{END, Table};
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;

impl Ring {
    /// The newest grant and its numbers, finished.
    fn settled(&self, clock: &dyn Time) -> Option<(Head, View<'_>)> {
        loop {
            let head = self.head();
            let Some(view) = self.view(head) else {
                if self.table.load(Ordering::Acquire).is_null() {
                    return None;
                }
                self.prepare();
                continue;
            };
            if view.is_settled(head) {
                return Some((head, view));
            }
            self.fill(head, view, clock);
        }
    }

    /// The permits of the limit that are taken now: of the newest ones, those that count, given in advance or not.
    pub(crate) fn used(&self, clock: &dyn Time) -> u32 {
        // Under steady traffic the head never stands still; then the last look is as good as any.
        for patience in (0..16).rev() {
            let Some((head, view)) = self.settled(clock) else {
                return 0;
            };
            let seen = self.look(view, head.next(), clock);
            let used = Self::counting(head, view, seen);
            if patience == 0 || self.head() == head {
                return used;
            }
        }
        0
    }

    /// Of the newest permits, as many as a window holds, those that count.
    fn counting(head: Head, view: View<'_>, seen: Seen) -> u32 {
        let oldest = head.next().wrapping_sub(view.limit);
        let (mut low, mut high) = (0, view.limit);
        while low < high {
            let middle = low.midpoint(high);
            let time = view.slots.time(oldest.wrapping_add(middle));
            if time <= seen.floor || time.saturating_add(view.period) <= seen.now {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (view.limit - low) as u32
    }

    /// The permits that were taken at `now`, a reading that may be a while old; `None`, if one is newer, is for later or is just being
    /// given. A look: it writes nothing.
    pub(crate) fn taken(&self, now: u64) -> Option<u32> {
        let head = self.head();
        let Some(view) = self.view(head) else {
            return self.table.load(Ordering::Acquire).is_null().then_some(0);
        };
        let seen = self.look(view, head.next(), &|| now);
        if !view.is_settled(head) || view.slots.time(head.next().wrapping_sub(1)) > seen.now {
            return None;
        }
        let taken = Self::counting(head, view, seen);
        (self.head() == head).then_some(taken)
    }

    /// How long until `permits` can be had, were nobody else to ask; `None`: never.
    pub(crate) fn wait(&self, permits: u32, clock: &dyn Time) -> Option<u64> {
        let (head, view) = match self.settled(clock) {
            Some(settled) => settled,
            None => return (permits <= self.limit()).then_some(0),
        };
        if u64::from(permits) > view.limit {
            return None;
        }
        let seen = self.look(view, head.next().wrapping_add(u64::from(permits)), clock);
        let newest = view.slots.time(head.next().wrapping_sub(1));
        if seen.earliest > seen.now && self.went_back(seen, newest, clock) {
            return self.wait(permits, clock);
        }
        (seen.earliest != u64::MAX).then(|| seen.earliest.saturating_sub(seen.now))
    }

    /// Does no permit count, so that a fresh ring would decide the same? A look, which others may make untrue at any time.
    pub(crate) fn is_idle(&self, now: u64) -> bool {
        let head = self.head();
        let Some(view) = self.view(head) else {
            return self.table.load(Ordering::Acquire).is_null();
        };
        let now = on_scale(now, self.ahead.load(Ordering::Acquire));
        let newest = view.slots.time(head.next().wrapping_sub(1));
        view.is_settled(head)
            && (newest <= self.floor.load(Ordering::Acquire) || newest.saturating_add(view.period) <= now)
    }

    /// Permits in a window.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// The window, in nanoseconds.
    pub(crate) fn window(&self) -> u64 {
        let period = self.period.load(Ordering::Relaxed);
        if period == u64::MAX { period } else { period - 1 }
    }

    #[cfg(loom)]
    pub(crate) fn ahead(&self) -> u64 {
        self.ahead.load(Ordering::Acquire)
    }

    /// Forgets the permits given up to now. Those given in advance go on counting: somebody waits to use them.
    pub(crate) fn reset(&self, clock: &dyn Time) {
        while let Some((head, view)) = self.settled(clock) {
            let newest = view.slots.time(head.next().wrapping_sub(1));
            let seen = self.look(view, head.next(), clock);
            if self.went_back(seen, newest, clock) {
                continue;
            }
            let change = self.change.lock();
            if !self.close(head) {
                continue;
            }
            // By a clock that stands still permits may have been given since the last reset, and others will be after this one;
            // those are told apart by a nanosecond. If nobody waits, all that follows is that much later.
            let is_late = newest > self.horizon.load(Ordering::Acquire);
            // By a reading that is before another thread's, its permit has been given all the same.
            let now = if is_late { seen.now.max(newest) } else { seen.now };
            let floor = now.max(seen.floor + 1).min(END - 1);
            let mut shown = seen.now;
            if newest <= floor {
                shown = floor + 1;
                let ahead = seen.ahead.saturating_add(shown - seen.now).min(END);
                // Failing, the clock was found to have gone back meanwhile, and it is ahead by more.
                _ = self.ahead.compare_exchange(seen.ahead, ahead, Ordering::AcqRel, Ordering::Relaxed);
            }
            self.horizon.fetch_max(floor + 1, Ordering::AcqRel);
            self.shown.fetch_max(shown, Ordering::AcqRel);
            self.floor.store(floor, Ordering::Release);
            self.open(head, view.slots.len(), change);
            return;
        }
    }

    /// Another limit and window from now on. Permits that were given count, also those that only the new window reaches back to.
    pub(crate) fn reconfigure(&self, limit: u32, window: u64, clock: &dyn Time) {
        loop {
            // Not under the lock: the clock may be the user's.
            let settled = self.settled(clock).map(|(head, _)| head);
            let mut change = self.change.lock();
            let store = || {
                self.limit.store(limit, Ordering::Release);
                self.period.store(window.saturating_add(1), Ordering::Release);
            };
            let Some(head) = settled else {
                if self.table.load(Ordering::Acquire).is_null() {
                    return store();
                }
                continue;
            };
            let Some(view) = self.view(head) else {
                continue;
            };
            let larger = (u64::from(limit) > view.slots.len()).then(|| copy(head, view, limit, &change));
            if !self.close(head) {
                continue;
            }
            let len = larger.as_ref().map_or(view.slots, Table::slots).len();
            if let Some(larger) = larger {
                self.use_table(&mut change, larger);
            }
            store();
            change.since = head.next();
            self.open(head, len, change);
            return;
        }
    }

    /// From here on nobody decides, until it is opened again. False, if `head` is not the newest any more.
    fn close(&self, head: Head) -> bool {
        let closed = head.0 | Head::CLOSED;
        self.head.compare_exchange(head.0, closed, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Two laps further: the slots are where they were, and whoever decided by what was before fails.
    fn open(&self, head: Head, len: u64, mut change: MutexGuard<'_, Change>) {
        let skipped = 2 * len;
        change.earlier = change.given(head);
        change.since = change.since.wrapping_add(skipped);
        change.opened = head.next().wrapping_add(skipped);
        self.head.store(change.opened << Head::POSITION, Ordering::Release);
    }

    /// Begins with the first position again, which counts differences of positions only as long as they are all of one round.
    #[cold]
    pub(super) fn wrap(&self, head: Head) {
        let change = self.change.lock();
        if let Some(view) = self.view(head).filter(|_| self.close(head)) {
            self.open(head, view.slots.len(), change);
        }
    }

    /// A ring that was used for long: two laps on, another round of positions begins.
    #[cfg(test)]
    pub(crate) fn near_the_end(self) -> Self {
        self.prepare();
        let len = u64::from(self.limit()).next_power_of_two();
        let end = Head::LAST_POSITION + 1 - 2 * len;
        self.head.store(end << Head::POSITION, Ordering::Release);
        self
    }

    /// Permits ever given.
    pub(crate) fn given(&self) -> u64 {
        let change = self.change.lock();
        // Under the lock it is open, but for a ring without memory.
        if change.tables.is_empty() { 0 } else { change.given(self.head()) }
    }
}

/// A larger table with what this one knows, and with the latest times that can be for the permits before: a permit was given at
/// least a period before the one that is `limit` further, if that was given under the same limit.
fn copy(head: Head, view: View<'_>, limit: u32, change: &Change) -> Table {
    let table = Table::new(limit);
    let larger = table.slots();
    let next = head.next();
    for back in 1..=larger.len() {
        let position = next.wrapping_sub(back);
        let time = if back <= view.slots.len() {
            view.slots.time(position)
        } else {
            let later = |by: u64| larger.time(position.wrapping_add(by));
            if back > change.given(head) {
                0
            } else if back - view.limit <= change.under_this_limit(head) {
                later(view.limit).saturating_sub(view.period)
            } else {
                later(1)
            }
        };
        larger.slot(position).store(larger.filled(position, time), Ordering::Relaxed);
    }
    table
}

impl Change {
    /// Permits given under the present limit, of which the newest ones matter.
    fn under_this_limit(&self, head: Head) -> u64 {
        Self::from(self.since, head)
    }

    /// Permits ever given.
    fn given(&self, head: Head) -> u64 {
        self.earlier.saturating_add(Self::from(self.opened, head))
    }

    /// Positions have 43 bits.
    fn from(position: u64, head: Head) -> u64 {
        head.next().wrapping_sub(position) << Head::POSITION >> Head::POSITION
    }
}

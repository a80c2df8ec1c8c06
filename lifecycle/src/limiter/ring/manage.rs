//! Everything about a ring but taking permits: how full it is, emptying it, other limits.

use super::{Change, Head, Ring, View, on_scale};
use crate::limiter::table::{END, Table};
use crate::sync::atomic::Ordering;

impl Ring {
    /// The newest grant and its numbers, finished.
    fn settled(&self, clock: &dyn Fn() -> u64) -> Option<(Head, View<'_>)> {
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

    /// The permits that count now, those given in advance too. More than the limit only after that was lowered.
    pub(crate) fn used(&self, clock: &dyn Fn() -> u64) -> u32 {
        // Under steady traffic the head never stands still; then the last look is as good as any.
        for patience in (0..16).rev() {
            let Some((head, view)) = self.settled(clock) else {
                return 0;
            };
            let seen = self.look(view, head.next(), clock);
            let len = view.table.len();
            let oldest = head.next().wrapping_sub(len);
            let (mut low, mut high) = (0, len);
            while low < high {
                let middle = low.midpoint(high);
                let time = view.table.time(oldest.wrapping_add(middle));
                if time <= seen.floor || time.saturating_add(view.period) <= seen.now {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            if patience == 0 || self.head() == head {
                return (len - low) as u32;
            }
        }
        0
    }

    /// How long until `permits` can be had, were nobody else to ask; `None`: never.
    pub(crate) fn wait(&self, permits: u32, clock: &dyn Fn() -> u64) -> Option<u64> {
        let (head, view) = match self.settled(clock) {
            Some(settled) => settled,
            None => return (permits <= self.limit()).then_some(0),
        };
        if u64::from(permits) > view.limit {
            return None;
        }
        let seen = self.look(view, head.next().wrapping_add(u64::from(permits)), clock);
        let newest = view.table.time(head.next().wrapping_sub(1));
        if seen.earliest > seen.now && self.went_back(seen, newest) {
            return self.wait(permits, clock);
        }
        (seen.earliest != u64::MAX).then(|| seen.earliest.saturating_sub(seen.now))
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

    /// Forgets the permits given up to now. Those given in advance go on counting: somebody waits to use them.
    pub(crate) fn reset(&self, clock: &dyn Fn() -> u64) {
        let newest = self.settled(clock).map_or(0, |(head, view)| view.table.time(head.next().wrapping_sub(1)));
        // A permit given later, at the same time by a clock that stands still, must be above the floor.
        let ahead = self.ahead.fetch_add(1, Ordering::AcqRel);
        let now = on_scale(clock(), ahead);
        let newest = if newest > self.horizon.load(Ordering::Acquire) { newest } else { 0 };
        self.floor.fetch_max(now.max(newest).min(END - 1), Ordering::AcqRel);
    }

    /// Another limit and window from now on. Permits that were given count, also those that only the new window reaches back to.
    pub(crate) fn reconfigure(&self, limit: u32, window: u64, clock: &dyn Fn() -> u64) {
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
            let larger = (u64::from(limit) > view.table.len()).then(|| self.copy(head, view, limit, &change));
            // From here on nobody decides, until the head is open again.
            let closed = Head(head.0 | Head::CLOSED);
            if self.head.0.compare_exchange(head.0, closed.0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                continue;
            }
            let len = larger.as_ref().unwrap_or(view.table).len();
            if let Some(larger) = larger {
                self.table.store(Box::into_raw(Box::new(larger)), Ordering::Release);
            }
            store();
            // Two laps further: the slots are where they were, and whoever decided by the old numbers fails.
            let next = head.next().wrapping_add(2 * len);
            change.earlier = change.given(head);
            change.since = next;
            self.head.0.store(next << Head::POSITION, Ordering::Release);
            return;
        }
    }

    /// A larger table with what this one knows, and with the latest times that can be for the permits before: a permit was given at
    /// least a period before the one that is `limit` further, if that was given under the same limit.
    fn copy(&self, head: Head, view: View<'_>, limit: u32, change: &Change) -> Table {
        let before = self.table.load(Ordering::Acquire);
        let larger = Table::new(limit, before);
        let next = head.next();
        for back in 1..=larger.len() {
            let position = next.wrapping_sub(back);
            let time = if back <= view.table.len() {
                view.table.time(position)
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
        larger
    }
}

impl Change {
    /// Permits given under the present limit, of which the newest ones matter.
    fn under_this_limit(&self, head: Head) -> u64 {
        // Positions have 43 bits.
        head.next().wrapping_sub(self.since) << Head::POSITION >> Head::POSITION
    }

    /// Permits ever given.
    fn given(&self, head: Head) -> u64 {
        self.earlier.saturating_add(self.under_this_limit(head))
    }
}

//! The exact sliding window, lock-free: at most N permits in any *closed* window of length W (a permit exactly W old counts).
//!
//! Permits have positions, counted from 0, and a table keeps the times of the newest ones. The permit at position `q` may be given
//! when the one at `q - N` is older than W; then any N + 1 neighbours span more than W, so no window holds them.
//!
//! - **Deciding** is one CAS of [`Head`], which holds the next position and how many permits the newest grant has. A refusal
//!   writes nothing.
//! - **Filling** gives the newest grant its time: the first slot by a CAS of its old value, the others take over what it says.
//!   Whoever finds it unfinished does it, and then decides for himself; so nobody waits for a thread that was stopped.
//!
//! Why this is exact. The time that is filled in is computed from the slots, and is never before (time at `q - N`) + P with
//! P = W + 1 ns. It is computed while the head was seen unchanged *after* the slots were read, and it is stored by a CAS of the value
//! that was read; the values of a slot only rise, so that CAS fails for whoever comes late. One bit of a slot tells the lap: with
//! the head unchanged it is of this lap (filled) or of the one before.
//!
//! Times do not fall from one position to the next: none is before the newest. The clock is read after the slots, so that a reading
//! before the newest time tells that the clock went back; `ahead` is what it is behind by then (see [`Ring::went_back`]). The
//! straight way, of which less is asked, reads it before. Either way `ahead` is loaded before the clock is read: after a step back it would
//! let that time pass twice.
//!
//! Positions have 43 bits. To be mistaken, a thread would have to be stopped between reading the head and its CAS for exactly
//! 2^43 permits, 101 days at a million a second; even then the recorded times stay exact, and one caller is served too early.
//! (A reset and a change of the limit pass by two laps of positions: with the largest table, four million of them, and no others.)
//! Positions also count the permits: nothing else is written to for that ([`Ring::given`]).
//!
//! Only the first use (which allocates) and a change of the limit take a lock. Every load is `Acquire`: a slot's value that is of a
//! later grant brings that grant's head along. No fence, which ThreadSanitizer would not know.

mod head;
mod manage;
mod straight;

use self::head::Head;
pub(crate) use self::straight::Straight;
use super::table::{END, Lead, Slots, Table};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::ptr::NonNull;

/// What an acquisition came to. Times are in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Given; it is to be used after `wait`.
    Given {
        /// What the clock said.
        reading: u64,
        /// Zero, unless the caller was patient.
        wait: u64,
    },
    /// Refused: nothing was taken.
    Refused {
        /// What the clock said.
        reading: u64,
        /// After this a retry can succeed; `None`: never.
        wait: Option<u64>,
    },
}

/// Where a ring reads the time, in nanoseconds.
pub(crate) trait Time {
    /// The time.
    fn now(&self) -> u64;

    /// By so much two readings may differ from what lies between them, so that a later one may be before an earlier one.
    #[inline(always)]
    fn jitter(&self) -> u64 {
        0
    }
}

impl<F: Fn() -> u64> Time for F {
    #[inline(always)]
    fn now(&self) -> u64 {
        self()
    }
}

/// See the top of this file.
#[derive(Debug)]
pub(crate) struct Ring {
    /// A [`Head`]. Not apart from the numbers below: whoever decides needs them too.
    /// `RateLimiter` keeps the whole on cache lines of its own.
    head: AtomicU64,
    /// Null until it is first used. Only replaced by a larger one, and never freed but with the ring.
    table: AtomicPtr<Lead>,
    /// Permits in a window. Changes, like `period` and `table`, only while the head is closed.
    limit: AtomicU32,
    /// After so long a permit no longer counts: the window and a nanosecond.
    period: AtomicU64,
    /// Permits up to this time were forgotten by a reset.
    floor: AtomicU64,
    /// What the ring's scale is ahead of the clock by: one, and what that went back; `END` at most.
    ahead: AtomicU64,
    /// The last time that was given before the clock showed it, and what the clock has shown when that was done.
    horizon: AtomicU64,
    shown: AtomicU64,
    change: Mutex<Change>,
    #[cfg(any(test, loom))]
    pub(super) log: super::probe::Log,
}

/// What is asked for under the lock only.
#[derive(Debug)]
struct Change {
    /// The table in use is the last one. Somebody may still be reading the others.
    tables: Vec<Table>,
    /// The position from which on the present limit was in force.
    since: u64,
    /// The position when the head was opened last, and the permits that were given before.
    opened: u64,
    earlier: u64,
}

/// The numbers of a ring, as they belong to one head.
#[derive(Clone, Copy)]
struct View<'a> {
    slots: Slots<'a>,
    limit: u64,
    period: u64,
}

/// What was looked at to decide.
#[derive(Clone, Copy)]
struct Seen {
    reading: u64,
    /// The reading, on the ring's own scale.
    now: u64,
    ahead: u64,
    floor: u64,
    /// The earliest time for what is asked; 0: any.
    earliest: u64,
}

impl Seen {
    /// The time from which on permits given now count: not before the newest, nor among those that were forgotten.
    #[inline(always)]
    fn time(&self, newest: u64) -> u64 {
        self.earliest.max(self.now).max(newest).max(self.floor + 1).min(END)
    }
}

/// The ring's own scale: it does not go back, and zero is before everything.
#[inline(always)]
fn on_scale(reading: u64, ahead: u64) -> u64 {
    reading.saturating_add(ahead).min(END)
}

impl Ring {
    const_unless_loom! {
        /// `limit` (1 to 2^20) permits in any window of `window` nanoseconds.
        pub(crate) fn new(limit: u32, window: u64) -> Self {
            Self {
                head: AtomicU64::new(Head::CLOSED),
                table: AtomicPtr::new(std::ptr::null_mut()),
                limit: AtomicU32::new(limit),
                period: AtomicU64::new(window.saturating_add(1)),
                floor: AtomicU64::new(0),
                ahead: AtomicU64::new(1),
                horizon: AtomicU64::new(0),
                shown: AtomicU64::new(0),
                change: Mutex::new(Change { tables: Vec::new(), since: 0, opened: 0, earlier: 0 }),
                #[cfg(any(test, loom))]
                log: super::probe::Log::new(),
            }
        }
    }

    /// Takes `permits`, all or none, to be used now or, if that is allowed, at most `patience` nanoseconds later.
    #[inline]
    pub(crate) fn acquire(&self, permits: u32, patience: u64, time: impl Time) -> Outcome {
        if permits == 0 {
            return Outcome::Given { reading: time.now(), wait: 0 };
        }
        // Of an attempt that another one overtook: a permit's time is not before the newest, so it will do to give one. Not if the
        // clock was found to have gone back meanwhile: the reading may be of before that.
        let mut earlier: Option<Seen> = None;
        loop {
            let head = self.head();
            let Some(view) = self.view(head) else {
                self.prepare();
                continue;
            };
            if u64::from(permits) > view.limit {
                if self.head() == head {
                    return Outcome::Refused { reading: time.now(), wait: None };
                }
                continue;
            }
            let next = head.next();
            let newest = view.slots.slot(next.wrapping_sub(1)).load(Ordering::Acquire);
            if !view.slots.is_filled(next.wrapping_sub(1), newest) {
                if !self.is_being_filled(view, head) {
                    self.fill(head, view, &time);
                }
                continue;
            }
            // Before the head's CAS: afterwards it might be a lap further.
            let old = view.slots.slot(next).load(Ordering::Acquire);
            let end = next.wrapping_add(u64::from(permits));
            let seen = self.look(view, end, &|| earlier.map_or_else(|| time.now(), |earlier| earlier.reading));
            let wait = seen.earliest.saturating_sub(seen.now);
            if earlier.take().is_some_and(|earlier| wait > 0 || earlier.ahead != seen.ahead) {
                continue;
            }
            if wait > patience || seen.earliest > END {
                if self.went_back(seen, newest >> 1, &time) || self.head() != head {
                    continue;
                }
                let wait = (seen.earliest != u64::MAX).then_some(wait);
                return Outcome::Refused { reading: seen.reading, wait };
            }
            if wait > 0 {
                // Before the slot can be seen: it shall not look as if the clock had gone back.
                self.horizon.fetch_max(seen.earliest, Ordering::AcqRel);
                self.shown.fetch_max(seen.now, Ordering::AcqRel);
            }
            let Some(after) = head.after(permits) else {
                self.wrap(head);
                continue;
            };
            super::probe::stall();
            if self.head.compare_exchange(head.0, after.0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                earlier = Some(seen);
                continue;
            }
            super::probe::stall();
            // Failing, it was done by another, at a later time.
            _ = self.write(view.slots, next, old, seen.time(newest >> 1));
            if permits > 1 {
                self.fill(after, view, &time);
            }
            return Outcome::Given { reading: seen.reading, wait };
        }
    }

    /// Leaves whoever made the newest grant of `head` the moment it takes to finish it: doing it for him costs both more. False: he
    /// was stopped, it seems.
    #[inline]
    fn is_being_filled(&self, view: View<'_>, head: Head) -> bool {
        const MOMENT: usize = if cfg!(any(loom, test)) { 0 } else { 16 };
        (0..MOMENT).any(|_| {
            std::hint::spin_loop();
            view.is_settled(head) || self.head() != head
        })
    }

    /// Gives the newest grant of `head` its time, if that is not done and `head` still is the newest.
    #[cold]
    #[inline(never)]
    fn fill(&self, head: Head, view: View<'_>, clock: &dyn Time) {
        let slots = view.slots;
        let (first, end) = (head.first(), head.next());
        let old = slots.slot(first).load(Ordering::Acquire);
        let mut time = old >> 1;
        if !slots.is_filled(first, old) {
            let newest = slots.time(first.wrapping_sub(1));
            let seen = self.look(view, end, clock);
            time = seen.time(newest);
            super::probe::stall();
            if self.head() != head {
                return;
            }
            super::probe::stall();
            if let Err(found) = self.write(slots, first, old, time) {
                time = found >> 1;
            }
        }
        let mut position = first.wrapping_add(1);
        while position != end {
            let old = slots.slot(position).load(Ordering::Acquire);
            if !slots.is_filled(position, old) {
                super::probe::stall();
                if self.head() != head {
                    return;
                }
                super::probe::stall();
                // Failing, it was done by another, at the same time.
                _ = self.write(slots, position, old, time);
            }
            position = position.wrapping_add(1);
        }
    }

    /// The only place where slots in use are written.
    #[inline(always)]
    fn write(&self, slots: Slots<'_>, position: u64, old: u64, time: u64) -> Result<(), u64> {
        let new = slots.filled(position, time);
        slots.slot(position).compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire)?;
        #[cfg(any(test, loom))]
        self.log.note(position, old >> 1, time);
        Ok(())
    }

    /// When the grant that ends before `end` could be made, and what time it is.
    #[inline(always)]
    fn look(&self, view: View<'_>, end: u64, clock: &(impl Time + ?Sized)) -> Seen {
        // The others that have to be older than the window are before it, so they are not younger.
        let decisive = view.slots.time(end.wrapping_sub(1).wrapping_sub(view.limit));
        let floor = self.floor.load(Ordering::Acquire);
        let ahead = self.ahead.load(Ordering::Acquire);
        let reading = clock.now();
        let earliest = if decisive > floor { decisive.saturating_add(view.period) } else { 0 };
        Seen { reading, now: on_scale(reading, ahead), ahead, floor, earliest }
    }

    /// The clock went back: from now on the ring's scale is as much further ahead of it. So nothing expires by the step, times keep
    /// their distances, and everything has expired a period later.
    ///
    /// The newest permit was seen before the clock was read, so a time after `now`, by more than `jitter`, means this, or was given in
    /// advance.
    #[inline]
    fn went_back(&self, seen: Seen, newest: u64, time: &dyn Time) -> bool {
        seen.now.saturating_add(time.jitter()) < newest && self.catch_up(seen, newest, time)
    }

    #[cold]
    #[inline(never)]
    fn catch_up(&self, seen: Seen, newest: u64, time: &dyn Time) -> bool {
        let shown = self.shown.load(Ordering::Acquire);
        let was = if newest > self.horizon.load(Ordering::Acquire) { newest.max(shown) } else { shown };
        // Once more, after what it is compared with: `seen` is only late if this thread was stopped while others were shown more.
        let now = on_scale(time.now(), seen.ahead);
        if now.saturating_add(time.jitter()) >= was {
            return false;
        }
        let ahead = seen.ahead.saturating_add(was - now).min(END);
        // Failing, another did it.
        _ = self.ahead.compare_exchange(seen.ahead, ahead, Ordering::AcqRel, Ordering::Relaxed);
        true
    }

    #[inline(always)]
    fn head(&self) -> Head {
        Head(self.head.load(Ordering::Acquire))
    }

    /// None: it has no memory yet, or its limit is being changed.
    #[inline(always)]
    fn view(&self, head: Head) -> Option<View<'_>> {
        let slots = self.slots(head)?;
        let limit = u64::from(self.limit.load(Ordering::Acquire));
        Some(View { slots, limit, period: self.period.load(Ordering::Acquire) })
    }

    /// As [`view`](Self::view).
    #[inline(always)]
    fn slots(&self, head: Head) -> Option<Slots<'_>> {
        if head.is_closed() {
            return None;
        }
        // SAFETY: the head, loaded from `self` with acquire, is open, so `prepare` has stored a table's lead before, that is not null.
        let lead = unsafe { NonNull::new_unchecked(self.table.load(Ordering::Acquire)) };
        // SAFETY: it is that of a table that `prepare` or `reconfigure` made, and published by a release store. All of them are kept
        // until the ring is dropped, which is borrowed here.
        Some(unsafe { Slots::at(lead) })
    }

    /// Gives it its memory, or waits until its limit has been changed.
    #[cold]
    #[inline(never)]
    fn prepare(&self) {
        let mut change = self.change.lock();
        if change.tables.is_empty() {
            self.use_table(&mut change, Table::new(self.limit.load(Ordering::Relaxed)));
            self.head.store(0, Ordering::Release);
        }
    }

    /// The head is closed.
    fn use_table(&self, change: &mut Change, table: Table) {
        self.table.store(table.lead().as_ptr(), Ordering::Release);
        change.tables.push(table);
    }
}

impl View<'_> {
    fn is_settled(&self, head: Head) -> bool {
        let last = head.next().wrapping_sub(1);
        self.slots.is_filled(last, self.slots.slot(last).load(Ordering::Acquire))
    }
}

//! The calls that a rate looks at: the last so many, or those of the last so much time. Arithmetic only.
//!
//! Both slide with every call; nothing is thrown away in blocks. A call takes two bits (by number) or, together with others of
//! its moment, an entry of 24 bytes (by time); each has a bound, and sums are kept, so that a call costs the same whatever the
//! window's size.

use super::policy::Window;
use crate::clock::{Moment, nanos};
use std::collections::VecDeque;
use std::time::Duration;

/// Entries of a time window up to which it is exact.
const ENTRIES: usize = 1024;
/// Beyond them, those within the same such part of the window become one entry: hardly more than that many are left.
const PARTS: u64 = 512;

/// What a window holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) calls: u32,
    pub(crate) failures: u32,
    pub(crate) slow: u32,
}

impl Tally {
    pub(crate) const fn one(failed: bool, slow: bool) -> Self {
        Self { calls: 1, failures: failed as u32, slow: slow as u32 }
    }

    fn add(&mut self, more: Self) {
        self.calls = self.calls.saturating_add(more.calls);
        self.failures = self.failures.saturating_add(more.failures);
        self.slow = self.slow.saturating_add(more.slow);
    }

    fn take(&mut self, gone: Self) {
        self.calls = self.calls.saturating_sub(gone.calls);
        self.failures = self.failures.saturating_sub(gone.failures);
        self.slow = self.slow.saturating_sub(gone.slow);
    }

    /// Is `part` at least so many percent of the calls?
    pub(crate) fn reaches(self, part: u32, percent: u32) -> bool {
        u64::from(part) * 100 >= u64::from(percent) * u64::from(self.calls)
    }

    /// `part` in percent of the calls.
    pub(crate) fn rate(self, part: u32) -> f64 {
        if self.calls == 0 { 0.0 } else { f64::from(part) * 100.0 / f64::from(self.calls) }
    }
}

/// Calls of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) at: Moment,
    pub(crate) tally: Tally,
}

/// The calls of a window.
#[derive(Debug)]
pub(crate) struct Samples {
    kept: Kept,
    sum: Tally,
}

#[derive(Debug)]
enum Kept {
    /// A ring of two bits a call: failed, slow. `next` is the place of the oldest once it is full.
    Calls {
        bits: Box<[u64]>,
        capacity: u32,
        next: u32,
    },
    Time {
        length: Duration,
        entries: VecDeque<Entry>,
    },
}

impl Samples {
    pub(crate) fn new(window: Window) -> Self {
        let kept = match window {
            Window::Calls(capacity) => {
                let bits = vec![0; capacity.div_ceil(32) as usize].into_boxed_slice();
                Kept::Calls { bits, capacity, next: 0 }
            }
            Window::Time(length) => Kept::Time { length, entries: VecDeque::new() },
        };
        Self { kept, sum: Tally::default() }
    }

    pub(crate) fn window(&self) -> Window {
        match &self.kept {
            Kept::Calls { capacity, .. } => Window::Calls(*capacity),
            Kept::Time { length, .. } => Window::Time(*length),
        }
    }

    /// Are its calls kept by time?
    pub(crate) fn is_timed(&self) -> bool {
        matches!(self.kept, Kept::Time { .. })
    }

    pub(crate) fn clear(&mut self) {
        self.sum = Tally::default();
        match &mut self.kept {
            Kept::Calls { next, .. } => *next = 0,
            Kept::Time { entries, .. } => entries.clear(),
        }
    }

    /// What was added and is not out of the window yet.
    pub(crate) fn tally(&self) -> Tally {
        self.sum
    }

    /// What the window holds at `now`, without changing it.
    pub(crate) fn tally_at(&self, now: Moment) -> Tally {
        let mut left = self.sum;
        if let Kept::Time { length, entries } = &self.kept {
            entries.iter().take_while(|entry| is_out(entry, *length, now)).for_each(|entry| left.take(entry.tally));
        }
        left
    }

    /// Adds one call that ended at `now`. For a window of calls the time does not matter.
    pub(crate) fn add(&mut self, now: Moment, failed: bool, slow: bool) {
        let one = Tally::one(failed, slow);
        match &mut self.kept {
            Kept::Calls { bits, capacity, next } => {
                if self.sum.calls == *capacity {
                    self.sum.take(exchange(bits, *next, failed, slow));
                } else {
                    exchange(bits, *next, failed, slow);
                }
                *next = if *next + 1 == *capacity { 0 } else { *next + 1 };
            }
            Kept::Time { .. } => self.add_at(now, one),
        }
        self.sum.add(one);
    }

    /// Adds an entry to a window of time; the sum is the caller's.
    fn add_at(&mut self, now: Moment, more: Tally) {
        let Kept::Time { length, entries } = &mut self.kept else { return };
        while let Some(oldest) = entries.front().filter(|oldest| is_out(oldest, *length, now)) {
            self.sum.take(oldest.tally);
            entries.pop_front();
        }
        // A clock that goes back must not put a call before older ones: it counts at their time.
        if let Some(newest) = entries.back_mut().filter(|newest| newest.at >= now) {
            newest.tally.add(more);
            return;
        }
        if entries.len() >= ENTRIES {
            merge(entries, *length);
        }
        entries.push_back(Entry { at: now, tally: more });
    }

    /// The same calls in a window of another size; the newest that fit.
    pub(crate) fn resized(&self, window: Window, now: Moment) -> Self {
        let mut other = Self::new(window);
        other.refill(self.entries(), now);
        other
    }

    /// All calls, oldest first; equal neighbours of a window of calls in one entry, without a time.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        match &self.kept {
            Kept::Time { entries, .. } => entries.iter().copied().collect(),
            Kept::Calls { bits, capacity, next } => {
                let mut runs: Vec<Entry> = Vec::new();
                let full = self.sum.calls == *capacity;
                for at in 0..self.sum.calls {
                    let place = if full { (next + at) % capacity } else { at };
                    let (failed, slow) = read(bits, place);
                    let one = Tally::one(failed, slow);
                    match runs.last_mut() {
                        Some(Entry { tally, .. }) if alike(*tally, one) => tally.add(one),
                        _ => runs.push(Entry { at: Moment::default(), tally: one }),
                    }
                }
                runs
            }
        }
    }

    /// Puts back what [`entries`](Self::entries) gave.
    pub(crate) fn refill(&mut self, old: Vec<Entry>, now: Moment) {
        match &self.kept {
            Kept::Time { length, .. } => {
                let length = *length;
                for entry in old.into_iter().filter(|entry| !is_out(entry, length, now)) {
                    self.add_at(entry.at, entry.tally);
                    self.sum.add(entry.tally);
                }
            }
            Kept::Calls { capacity, .. } => {
                // Only the newest that fit, however many there are: they may come from a file. Of an entry that is not all alike
                // (none of ours) the failures and the slow calls are taken for the newest.
                let mut room = *capacity;
                let mut newest = Vec::new();
                for Entry { at, tally } in old.into_iter().rev() {
                    if room == 0 {
                        break;
                    }
                    let calls = tally.calls.min(room);
                    room -= calls;
                    newest.push((at, calls, tally));
                }
                for (at, calls, tally) in newest.into_iter().rev() {
                    for left in (0..calls).rev() {
                        self.add(at, left < tally.failures, left < tally.slow);
                    }
                }
            }
        }
    }
}

/// A call exactly as old as the window is out of it.
fn is_out(entry: &Entry, length: Duration, now: Moment) -> bool {
    // In nanoseconds: a `Duration` would be divided for, with each call.
    now.as_nanos().saturating_sub(entry.at.as_nanos()) >= nanos(length)
}

fn alike(run: Tally, one: Tally) -> bool {
    (run.failures > 0, run.slow > 0) == (one.failures > 0, one.slow > 0)
}

fn read(bits: &[u64], place: u32) -> (bool, bool) {
    let two = bits[place as usize / 32] >> (place % 32 * 2);
    (two & 1 != 0, two & 2 != 0)
}

/// Writes a call to its place; gives the one that was there.
fn exchange(bits: &mut [u64], place: u32, failed: bool, slow: bool) -> Tally {
    let shift = place % 32 * 2;
    let word = &mut bits[place as usize / 32];
    let old = *word >> shift;
    *word = *word & !(3 << shift) | (u64::from(failed) | u64::from(slow) << 1) << shift;
    Tally::one(old & 1 != 0, old & 2 != 0)
}

/// Makes one entry of those in the same [`PARTS`]-th of the window; it counts until its newest call is out. The parts lie fixed on
/// the clock's scale, so that merging again and again never makes an entry longer than one. Frees a quarter of the entries at
/// least, usually half, so that a call costs the same on average; allocates nothing.
fn merge(entries: &mut VecDeque<Entry>, length: Duration) {
    let part = (nanos(length) / PARTS).max(1);
    let mut kept: usize = 0;
    for next in 0..entries.len() {
        let entry = entries[next];
        match kept.checked_sub(1).map(|last| &mut entries[last]) {
            Some(last) if last.at.as_nanos() / part == entry.at.as_nanos() / part => {
                last.at = entry.at;
                last.tally.add(entry.tally);
            }
            _ => {
                entries[kept] = entry;
                kept += 1;
            }
        }
    }
    entries.truncate(kept);
}

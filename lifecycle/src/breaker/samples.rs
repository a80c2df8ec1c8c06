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

/// Calls of one moment, as they are given out and taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aged {
    /// How long ago they ended, in nanoseconds. The moment itself may lie before the clock's beginning.
    pub(crate) age: u64,
    pub(crate) tally: Tally,
}

/// Calls of one moment, as a window of time keeps them.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// When they are out of the window: exactly its length after they ended. Never before the clock's beginning, even if they
    /// come from a time before that.
    leaves: Moment,
    tally: Tally,
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
    Calls { bits: Box<[u64]>, capacity: u32, next: u32 },
    /// `length` is in nanoseconds: a `Duration` would be multiplied out with each call.
    Time { window: Duration, length: u64, entries: VecDeque<Entry> },
}

impl Samples {
    pub(crate) fn new(window: Window) -> Self {
        let kept = match window {
            Window::Calls(capacity) => {
                let bits = vec![0; capacity.div_ceil(32) as usize].into_boxed_slice();
                Kept::Calls { bits, capacity, next: 0 }
            }
            Window::Time(window) => Kept::Time { window, length: nanos(window), entries: VecDeque::new() },
        };
        Self { kept, sum: Tally::default() }
    }

    pub(crate) fn window(&self) -> Window {
        match &self.kept {
            Kept::Calls { capacity, .. } => Window::Calls(*capacity),
            Kept::Time { window, .. } => Window::Time(*window),
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
        if let Kept::Time { entries, .. } = &self.kept {
            entries.iter().take_while(|entry| entry.leaves <= now).for_each(|entry| left.take(entry.tally));
        }
        left
    }

    /// Adds one call that ended at `now`. For a window of calls the time does not matter.
    #[inline(always)]
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
            Kept::Time { .. } => self.add_aged(now, 0, one),
        }
        self.sum.add(one);
    }

    /// Adds calls that ended `age` before `now` to a window of time; the sum is the caller's.
    #[inline]
    fn add_aged(&mut self, now: Moment, age: u64, more: Tally) {
        let Kept::Time { length, entries, .. } = &mut self.kept else { return };
        while let Some(oldest) = entries.front().filter(|oldest| oldest.leaves <= now) {
            self.sum.take(oldest.tally);
            entries.pop_front();
        }
        let leaves = Moment::from_nanos(now.as_nanos().saturating_add(length.saturating_sub(age)));
        // A clock that goes back must not put a call before older ones: it counts at their time.
        if let Some(newest) = entries.back_mut().filter(|newest| newest.leaves >= leaves) {
            newest.tally.add(more);
            return;
        }
        push(entries, *length, Entry { leaves, tally: more });
    }

    /// The same calls in a window of another size; the newest that fit.
    pub(crate) fn resized(&self, window: Window, now: Moment) -> Self {
        let mut other = Self::new(window);
        other.refill(self.entries(now), now);
        other
    }

    /// All calls, oldest first; equal neighbours of a window of calls in one entry, without an age.
    pub(crate) fn entries(&self, now: Moment) -> Vec<Aged> {
        match &self.kept {
            Kept::Time { length, entries, .. } => {
                let age = |leaves: Moment| length.saturating_sub(leaves.as_nanos().saturating_sub(now.as_nanos()));
                entries.iter().map(|&Entry { leaves, tally }| Aged { age: age(leaves), tally }).collect()
            }
            Kept::Calls { bits, capacity, next } => {
                let mut runs: Vec<Aged> = Vec::new();
                let full = self.sum.calls == *capacity;
                for at in 0..self.sum.calls {
                    let place = if full { (next + at) % capacity } else { at };
                    let (failed, slow) = read(bits, place);
                    let one = Tally::one(failed, slow);
                    match runs.last_mut() {
                        Some(Aged { tally, .. }) if alike(*tally, one) => tally.add(one),
                        _ => runs.push(Aged { age: 0, tally: one }),
                    }
                }
                runs
            }
        }
    }

    /// Puts back what [`entries`](Self::entries) gave.
    pub(crate) fn refill(&mut self, old: Vec<Aged>, now: Moment) {
        match &self.kept {
            Kept::Time { length, .. } => {
                let length = *length;
                for Aged { age, tally } in old.into_iter().filter(|old| old.age < length) {
                    self.add_aged(now, age, tally);
                    self.sum.add(tally);
                }
            }
            Kept::Calls { capacity, .. } => {
                // Only the newest that fit, however many there are: they may come from a file. Of an entry that is not all alike
                // (none of ours) the failures and the slow calls are taken for the newest.
                let mut room = *capacity;
                let mut newest = Vec::new();
                for Aged { tally, .. } in old.into_iter().rev() {
                    if room == 0 {
                        break;
                    }
                    let calls = tally.calls.min(room);
                    room -= calls;
                    newest.push((calls, tally));
                }
                for (calls, tally) in newest.into_iter().rev() {
                    for left in (0..calls).rev() {
                        self.add(now, left < tally.failures, left < tally.slow);
                    }
                }
            }
        }
    }
}

/// Adds a moment of its own: once a tick at most, unless the clock is exact.
#[inline(never)]
fn push(entries: &mut VecDeque<Entry>, length: u64, entry: Entry) {
    if entries.len() >= ENTRIES {
        merge(entries, length);
    }
    entries.push_back(entry);
}

fn alike(run: Tally, one: Tally) -> bool {
    (run.failures > 0, run.slow > 0) == (one.failures > 0, one.slow > 0)
}

fn read(bits: &[u64], place: u32) -> (bool, bool) {
    let two = bits[place as usize / 32] >> (place % 32 * 2);
    (two & 1 != 0, two & 2 != 0)
}

/// Writes a call to its place; gives the one that was there. Inlined: a tally handed over in memory is written in parts and read as
/// a whole, which stalls.
#[inline(always)]
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
fn merge(entries: &mut VecDeque<Entry>, length: u64) {
    let part = (length / PARTS).max(1);
    let mut kept: usize = 0;
    for next in 0..entries.len() {
        let entry = entries[next];
        match kept.checked_sub(1).map(|last| &mut entries[last]) {
            Some(last) if last.leaves.as_nanos() / part == entry.leaves.as_nanos() / part => {
                last.leaves = entry.leaves;
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

//! A quick reading of the monotonic clock: an exact one of a millisecond ago at most, and what the processor's time-stamp counter
//! (TSC) has counted since.
//!
//! Nothing is calibrated ahead of time. The first readings are exact ones; two of them that are 10 ms apart tell the counter's rate, and
//! when the next two tell the same, and the processor says that its counter never changes its rate, it is relied upon. From then on
//! a thread takes an exact reading a millisecond (its *anchor*) and counts from there.
//!
//! **How wrong it may be** ([`ERROR`]): by half the time that reading clock and counter together took (500 ns; those of more than
//! [`LONGEST_PAIR`] are no anchors), and by what the rate is off in a millisecond (the system may bend its clock by 500 in a million:
//! 500 ns). Seen under load: 167 ns. Each anchor checks the line
//! that it ends. A counter that disagrees with the clock is not relied upon, by any thread, until its rate has been found anew, and after
//! [`STRIKES`] such disagreements never again: so with the counters of processors that do not run together, or with a virtual machine whose
//! counter is made up. One that leaps back, or ahead by a millisecond, is noticed at once; a shorter leap ahead at the next anchor, and until
//! then it is the error. So it is with a clock that is bent by more: `chrony` may do that by 8 %, 80 us in a millisecond, when it begins
//! to make good for a large error, and when it ends.

use super::{Clock, SystemClock};
use crate::counter;
use std::arch::x86_64::{__cpuid, _mm_lfence, _rdtsc};
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// How far a reading may be from the exact one, either side, in nanoseconds.
pub(super) const ERROR: u64 = 1_000;

/// So long an anchor lasts, in nanoseconds.
const SPAN: u64 = 1_000_000;
/// Two readings so far apart tell the rate.
const LEARN: u64 = 10_000_000;
/// The rate is told by the last so many nanoseconds, about.
const REMEMBER: u64 = 1_000_000_000;
/// Between the two readings of the counter around that of the clock, in nanoseconds.
const LONGEST_PAIR: u64 = 1_000;
/// The same in ticks, while their rate is not known.
const LONGEST_PAIR_TICKS: u64 = 4_096;
/// A pair of so few ticks is not tried for again. Usually it takes a tenth of that.
const NARROW_PAIR_TICKS: u64 = 1_024;
/// So many disagreements are one too many,
const STRIKES: u32 = 16;
/// unless there was none for so many nanoseconds before: a machine may be suspended each night.
const FORGIVEN: u64 = 60_000_000_000;

/// The rate in force for threads that have none of their own yet: nanoseconds a tick, times 2^32. 0: not known.
static RATE: AtomicU64 = AtomicU64::new(0);
/// `RATE`, if the counter is not to be relied upon.
const NEVER: u64 = u64::MAX;
static DISAGREED: AtomicU32 = AtomicU32::new(0);
/// When that was last.
static DISAGREED_AT: AtomicU64 = AtomicU64::new(0);
/// What was learnt in another epoch does not count: with each disagreement of one thread all begin anew.
static EPOCH: AtomicU32 = AtomicU32::new(0);

/// The line that a thread reads.
#[derive(Clone, Copy)]
struct Line {
    ticks: u64,
    nanos: u64,
    rate: u64,
    /// Ticks for which it holds; 0: there is none.
    span: u64,
}

/// A thread's line.
#[derive(Clone, Copy)]
struct Drawn {
    line: Line,
    /// Its span, but 0 while something is installed on this thread.
    at_home: u64,
}

/// What a thread learns the rate from.
#[derive(Clone, Copy)]
struct Lesson {
    /// Where it began.
    base: Pair,
    /// What was learnt before; 0: nothing.
    learnt: u64,
    epoch: u32,
}

/// The counter and the clock, read at one time.
#[derive(Clone, Copy)]
struct Pair {
    ticks: u64,
    nanos: u64,
    /// In ticks, how exactly at one time.
    width: u64,
}

thread_local! {
    // One struct, since the address of each thread-local costs an instruction.
    static DRAWN: Cell<Drawn> = const { Cell::new(Drawn { line: Line::NONE, at_home: 0 }) };
    static LESSON: Cell<Lesson> = const { Cell::new(Lesson { base: Pair { ticks: 0, nanos: 0, width: 0 }, learnt: 0, epoch: 0 }) };
}

/// The reading, as [`SystemClock`] has it. On one thread it does not go back, unless clock and counter disagree.
#[inline(always)]
pub(super) fn now() -> u64 {
    let (ticks, line) = (ticks(), DRAWN.get().line);
    let since = ticks.wrapping_sub(line.ticks);
    // Less than a millisecond: no product of these overflows.
    if since < line.span { line.after(since) } else { anchor() }
}

/// The reading, where an anchor is at hand and nothing is installed on this thread: one look tells both, and there is no call.
#[inline(always)]
pub(super) fn glance() -> Option<u64> {
    let (ticks, drawn) = (ticks(), DRAWN.get());
    let since = ticks.wrapping_sub(drawn.line.ticks);
    (since < drawn.at_home).then(|| drawn.line.after(since))
}

/// Something was installed on this thread, or taken away.
pub(super) fn look_again() {
    draw(DRAWN.get().line);
}

fn draw(line: Line) {
    DRAWN.set(Drawn { line, at_home: if counter::nothing_installed() { line.span } else { 0 } });
}

#[inline(always)]
fn ticks() -> u64 {
    // SAFETY: every x86_64 processor has the instruction. Linux lets programs use it, as reading the clock does it too.
    unsafe { _rdtsc() }
}

fn exact() -> u64 {
    SystemClock.now_mono()
}

/// An exact reading, and with luck a new line from there.
#[cold]
#[inline(never)]
fn anchor() -> u64 {
    let mut line = DRAWN.get().line;
    let shared = RATE.load(Ordering::Relaxed);
    if shared == NEVER {
        draw(Line { span: 0, ..line });
        return exact();
    }
    let longest = match line.rate {
        0 => LONGEST_PAIR_TICKS,
        rate => (LONGEST_PAIR << 32) / rate,
    };
    let pair = Pair::read(longest);
    // What was told last was this at most.
    let told = if line.span == 0 { 0 } else { line.after(line.span) };
    if pair.width > longest {
        // Where reading the clock takes so long, it is of no use to go by the counter in between.
        strike(pair);
        return pair.nanos.max(told);
    }
    let epoch = EPOCH.load(Ordering::Relaxed);
    let is_of_before = LESSON.get().epoch != epoch;
    if is_of_before || (line.span != 0 && !line.agrees(pair)) {
        draw(Line { span: 0, rate: 0, ..line });
        if is_of_before {
            LESSON.set(Lesson { base: pair, learnt: 0, epoch });
        } else {
            disagree(pair);
        }
        return pair.nanos;
    }
    line.span = 0;
    line.nanos = pair.nanos.max(told);
    if let Some(rate) = learn(pair, shared) {
        line.begin(pair, rate);
    }
    draw(line);
    line.nanos
}

/// Begins anew, and so does every other thread: theirs would be the same disagreement.
fn disagree(pair: Pair) {
    let epoch = EPOCH.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    LESSON.set(Lesson { base: pair, learnt: 0, epoch });
    let rate = RATE.load(Ordering::Relaxed);
    if rate != NEVER {
        // Failing, another said more.
        _ = RATE.compare_exchange(rate, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
    strike(pair);
}

fn strike(pair: Pair) {
    let last = DISAGREED_AT.swap(pair.nanos, Ordering::Relaxed);
    if pair.nanos.saturating_sub(last) > FORGIVEN {
        DISAGREED.store(0, Ordering::Relaxed);
    }
    if DISAGREED.fetch_add(1, Ordering::Relaxed) >= STRIKES {
        RATE.store(NEVER, Ordering::Relaxed);
    }
}

/// The rate, if it is known by now; `shared` is what other threads have learnt.
fn learn(pair: Pair, shared: u64) -> Option<u64> {
    let (lesson, learnt) = LESSON.get().after(pair, shared);
    LESSON.set(lesson);
    match learnt {
        Learnt::Nothing => None,
        Learnt::Rate(rate) => Some(rate),
        Learnt::News(rate) => {
            // Asked this late since it takes 10 us and more on a virtual machine. Of two threads that ask both are told the same.
            let is_reliable = shared != 0 || is_invariant();
            let rate = if is_reliable { rate } else { NEVER };
            // Not over what another thread has said meanwhile: that may be "never".
            let told = RATE.compare_exchange(shared, rate, Ordering::Relaxed, Ordering::Relaxed);
            (is_reliable && told != Err(NEVER)).then_some(rate)
        }
        Learnt::Contradiction => {
            disagree(pair);
            None
        }
    }
}

/// What a pair of readings teaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Learnt {
    Nothing,
    Rate(u64),
    /// For the other threads too.
    News(u64),
    Contradiction,
}

impl Lesson {
    /// The lesson, and what it comes to, after that pair; `shared` is what other threads have learnt.
    fn after(self, pair: Pair, shared: u64) -> (Self, Learnt) {
        let Self { base, learnt, epoch } = self;
        // What was learnt is used once somebody has learnt it twice.
        let known = |rate| if rate != 0 && shared != 0 { Learnt::Rate(rate) } else { Learnt::Nothing };
        if base.nanos == 0 {
            return (Self { base: pair, learnt: shared, epoch }, known(shared));
        }
        let elapsed = pair.nanos.saturating_sub(base.nanos);
        if elapsed < LEARN {
            return (self, known(learnt));
        }
        let ticks = pair.ticks.wrapping_sub(base.ticks).max(1);
        let rate = u64::try_from((u128::from(elapsed) << 32) / u128::from(ticks)).unwrap_or(NEVER);
        if learnt != 0 && rate.abs_diff(learnt) > learnt / 4096 {
            return (self, Learnt::Contradiction);
        }
        let begins = learnt == 0 || elapsed > REMEMBER;
        let is_news = learnt != 0 && (shared == 0 || elapsed > REMEMBER);
        let lesson = Self { base: if begins { pair } else { base }, learnt: rate, epoch };
        (lesson, if is_news { Learnt::News(rate) } else { known(rate) })
    }
}

impl Line {
    const NONE: Self = Self { ticks: 0, nanos: 0, rate: 0, span: 0 };

    #[inline(always)]
    fn after(self, since: u64) -> u64 {
        self.nanos.wrapping_add(since.wrapping_mul(self.rate) >> 32)
    }

    /// Begins at that pair, or at its own last reading where that is ahead: then it makes good for that until the next anchor, so
    /// that it never goes back.
    fn begin(&mut self, pair: Pair, rate: u64) {
        self.ticks = pair.ticks;
        self.span = (SPAN << 32) / rate.max(1);
        let ahead = (self.nanos.saturating_sub(pair.nanos) << 32) / self.span.max(1);
        self.rate = rate.saturating_sub(ahead);
    }

    /// Does the line lead to this pair?
    fn agrees(self, pair: Pair) -> bool {
        let since = pair.ticks.wrapping_sub(self.ticks);
        let elapsed = pair.nanos.saturating_sub(self.nanos);
        let expected = self.nanos.saturating_add(wide(since, self.rate));
        expected.abs_diff(pair.nanos) <= ERROR / 2 + wide(pair.width / 2, self.rate) + elapsed / 2048
    }
}

/// Nanoseconds of any number of ticks.
fn wide(ticks: u64, rate: u64) -> u64 {
    u64::try_from((u128::from(ticks) * u128::from(rate)) >> 32).unwrap_or(u64::MAX)
}

/// Does the counter run at one rate, also where the processor sleeps?
fn is_invariant() -> bool {
    const ADVANCED_POWER_MANAGEMENT: u32 = 0x8000_0007;
    const INVARIANT_TSC: u32 = 1 << 8;
    // SAFETY: every x86_64 processor has the instruction, and this leaf. (Newer compilers know the former.)
    #[allow(unused_unsafe, reason = "unsafe for older compilers")]
    let leaf = unsafe { __cpuid(ADVANCED_POWER_MANAGEMENT) };
    leaf.edx & INVARIANT_TSC != 0
}

impl Pair {
    /// The narrowest of a few; of more, while it is wider than the longest that will do.
    fn read(longest: u64) -> Self {
        let mut best = Self::once();
        for tries in 1..16 {
            if best.width <= if tries < 4 { NARROW_PAIR_TICKS } else { longest } {
                break;
            }
            let other = Self::once();
            if other.width <= best.width {
                best = other;
            }
        }
        best
    }

    fn once() -> Self {
        let before = ordered_ticks();
        let nanos = exact();
        let width = ordered_ticks().wrapping_sub(before);
        Self { ticks: before.wrapping_add(width / 2), nanos, width }
    }
}

/// Neither before what stands before it, nor after what stands behind it.
fn ordered_ticks() -> u64 {
    // SAFETY: SSE2, which every x86_64 processor has.
    unsafe { _mm_lfence() };
    let ticks = ticks();
    // SAFETY: as above.
    unsafe { _mm_lfence() };
    ticks
}

#[cfg(test)]
#[path = "quick_tests.rs"]
mod tests;

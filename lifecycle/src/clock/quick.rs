//! A quick reading of the monotonic clock: an exact one of a millisecond ago at most, and what the processor's time-stamp counter
//! (TSC) has counted since.
//!
//! Nothing is calibrated ahead of time. The first readings are exact ones; two of them that are 10 ms apart tell the counter's rate, and
//! when the next two tell the same, and the processor says that its counter never changes its rate, it is relied upon. From then on
//! a thread takes an exact reading a millisecond (its *anchor*) and counts from there.
//!
//! **How wrong it may be** ([`ERROR`]): by half the time that reading clock and counter together took (500 ns; those of more than
//! [`LONGEST_PAIR`] are no anchors), and by what the rate is off in a millisecond (the system may bend its clock by 500 in a million:
//! 500 ns). Seen under load: 152 ns. Each anchor checks the line
//! that it ends. A counter that disagrees with the clock is not relied upon until its rate has been found anew, and after
//! [`STRIKES`] such disagreements never again: so with the counters of processors that do not run together, or with a virtual machine whose
//! counter is made up. One that leaps ahead or back is noticed at once, since the leap is longer than an anchor lasts.

use super::{Clock, SystemClock};
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
/// So many disagreements are one too many.
const STRIKES: u32 = 16;

/// The rate in force for threads that have none of their own yet: nanoseconds a tick, times 2^32. 0: not known.
static RATE: AtomicU64 = AtomicU64::new(0);
/// `RATE`, if the counter is not to be relied upon.
const NEVER: u64 = u64::MAX;
static DISAGREED: AtomicU32 = AtomicU32::new(0);

/// The line that a thread reads.
#[derive(Clone, Copy)]
struct Line {
    ticks: u64,
    nanos: u64,
    rate: u64,
    /// Ticks for which it holds; 0: there is none.
    span: u64,
}

/// What a thread learns the rate from.
#[derive(Clone, Copy)]
struct Lesson {
    /// Where it began.
    base: Pair,
    /// What was learnt before; 0: nothing.
    learnt: u64,
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
    static LINE: Cell<Line> = const { Cell::new(Line { ticks: 0, nanos: 0, rate: 0, span: 0 }) };
    static LESSON: Cell<Lesson> = const { Cell::new(Lesson { base: Pair { ticks: 0, nanos: 0, width: 0 }, learnt: 0 }) };
}

/// The reading, as [`SystemClock`] has it. On one thread it does not go back, unless clock and counter disagree.
#[inline(always)]
pub(super) fn now() -> u64 {
    if let Some(now) = glance() { now } else { anchor() }
}

/// The reading, where an anchor is at hand: a few instructions, and no call.
#[inline(always)]
pub(super) fn glance() -> Option<u64> {
    let ticks = ticks();
    let line = LINE.get();
    let since = ticks.wrapping_sub(line.ticks);
    // Less than a millisecond: no product of these overflows.
    (since < line.span).then(|| line.after(since))
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
    let mut line = LINE.get();
    if RATE.load(Ordering::Relaxed) == NEVER {
        LINE.set(Line { span: 0, ..line });
        return exact();
    }
    let pair = Pair::read();
    // What was told last was this at most.
    let told = if line.span == 0 { 0 } else { line.after(line.span) };
    let is_narrow = match line.rate {
        0 => pair.width <= LONGEST_PAIR_TICKS,
        rate => wide(pair.width, rate) <= LONGEST_PAIR,
    };
    if !is_narrow {
        return pair.nanos.max(told);
    }
    if line.span != 0 && !line.agrees(pair) {
        LINE.set(Line { span: 0, rate: 0, ..line });
        disagree(pair);
        return pair.nanos;
    }
    line.span = 0;
    line.nanos = pair.nanos.max(told);
    if let Some(rate) = learn(pair) {
        line.ticks = pair.ticks;
        line.span = (SPAN << 32) / rate.max(1);
        // What it is ahead by is made good until the next anchor, so that it never goes back.
        let ahead = ((line.nanos - pair.nanos) << 32) / line.span.max(1);
        line.rate = rate.saturating_sub(ahead);
    }
    LINE.set(line);
    line.nanos
}

/// Begins anew.
fn disagree(pair: Pair) {
    LESSON.set(Lesson { base: pair, learnt: 0 });
    if DISAGREED.fetch_add(1, Ordering::Relaxed) >= STRIKES {
        RATE.store(NEVER, Ordering::Relaxed);
    }
}

/// The rate, if it is known by now.
fn learn(pair: Pair) -> Option<u64> {
    let Lesson { base, learnt } = LESSON.get();
    let shared = RATE.load(Ordering::Relaxed);
    let elapsed = pair.nanos.saturating_sub(base.nanos);
    if base.nanos == 0 {
        LESSON.set(Lesson { base: pair, learnt: shared });
        return usable(shared, shared);
    }
    if elapsed < LEARN {
        return usable(learnt, shared);
    }
    let ticks = pair.ticks.wrapping_sub(base.ticks).max(1);
    let rate = u64::try_from((u128::from(elapsed) << 32) / u128::from(ticks)).unwrap_or(NEVER);
    if learnt != 0 && rate.abs_diff(learnt) > learnt / 4096 {
        disagree(pair);
        return None;
    }
    let is_new = learnt == 0 || elapsed > REMEMBER;
    LESSON.set(Lesson { base: if is_new { pair } else { base }, learnt: rate });
    if learnt != 0 && (shared == 0 || elapsed > REMEMBER) {
        // Asked this late since it takes 10 us and more on a virtual machine. Of two threads that ask both are told the same.
        let is_reliable = shared != 0 || is_invariant();
        RATE.store(if is_reliable { rate } else { NEVER }, Ordering::Relaxed);
        return is_reliable.then_some(rate);
    }
    usable(rate, shared)
}

impl Line {
    #[inline(always)]
    fn after(self, since: u64) -> u64 {
        self.nanos.wrapping_add(since.wrapping_mul(self.rate) >> 32)
    }

    /// Does the line lead to this pair?
    fn agrees(self, pair: Pair) -> bool {
        let since = pair.ticks.wrapping_sub(self.ticks);
        let elapsed = pair.nanos.saturating_sub(self.nanos);
        let expected = self.nanos.saturating_add(wide(since, self.rate));
        expected.abs_diff(pair.nanos) <= ERROR / 2 + wide(pair.width / 2, self.rate) + elapsed / 2048
    }
}

/// What was learnt is used once somebody has learnt it twice.
fn usable(learnt: u64, shared: u64) -> Option<u64> {
    (learnt != 0 && shared != 0 && shared != NEVER).then_some(learnt)
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
    /// The narrowest of a few.
    fn read() -> Self {
        let mut best = Self::once();
        for _ in 1..4 {
            if best.width <= NARROW_PAIR_TICKS {
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

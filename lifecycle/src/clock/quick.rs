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
    let shared = RATE.load(Ordering::Relaxed);
    if shared == NEVER {
        LINE.set(Line { span: 0, ..line });
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
        strike();
        return pair.nanos.max(told);
    }
    if line.span != 0 && !line.agrees(pair) {
        LINE.set(Line { span: 0, rate: 0, ..line });
        disagree(pair);
        return pair.nanos;
    }
    line.span = 0;
    line.nanos = pair.nanos.max(told);
    if let Some(rate) = learn(pair, shared) {
        line.begin(pair, rate);
    }
    LINE.set(line);
    line.nanos
}

/// Begins anew.
fn disagree(pair: Pair) {
    LESSON.set(Lesson { base: pair, learnt: 0 });
    strike();
}

fn strike() {
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
        let Self { base, learnt } = self;
        // What was learnt is used once somebody has learnt it twice.
        let known = |rate| if rate != 0 && shared != 0 { Learnt::Rate(rate) } else { Learnt::Nothing };
        if base.nanos == 0 {
            return (Self { base: pair, learnt: shared }, known(shared));
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
        let lesson = Self { base: if begins { pair } else { base }, learnt: rate };
        (lesson, if is_news { Learnt::News(rate) } else { known(rate) })
    }
}

impl Line {
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
mod tests {
    use super::*;

    /// Half a nanosecond a tick.
    const HALF: u64 = 1 << 31;
    const MS: u64 = 1_000_000;

    fn pair(ticks: u64, nanos: u64) -> Pair {
        Pair { ticks, nanos, width: 0 }
    }

    fn line(nanos: u64, at: Pair) -> Line {
        let mut line = Line { ticks: 0, nanos, rate: 0, span: 0 };
        line.begin(at, HALF);
        line
    }

    #[test]
    fn a_rate_is_used_when_it_was_found_twice_and_nobody_contradicts() {
        let nothing = Lesson { base: pair(0, 0), learnt: 0 };
        let (first, learnt) = nothing.after(pair(0, MS), 0);
        assert_eq!(learnt, Learnt::Nothing);
        let (early, learnt) = first.after(pair(18 * MS, 10 * MS), 0);
        assert_eq!((early.learnt, learnt), (0, Learnt::Nothing), "not 10 ms apart");
        let (second, learnt) = early.after(pair(20 * MS, 11 * MS), 0);
        assert_eq!((second.learnt, learnt), (HALF, Learnt::Nothing), "once");
        let (third, learnt) = second.after(pair(40 * MS, 21 * MS), 0);
        assert_eq!((third.learnt, learnt), (HALF, Learnt::News(HALF)));
        let (_, learnt) = second.after(pair(40 * MS, 21 * MS + MS / 100), 0);
        assert_eq!(learnt, Learnt::Contradiction, "a thousandth off");
        // Others know: a new thread begins with that.
        assert_eq!(nothing.after(pair(0, MS), HALF).1, Learnt::Rate(HALF));
        // A counter that stands still, or was set back.
        assert_eq!(third.after(pair(20 * MS, 41 * MS), HALF).1, Learnt::Contradiction);
        assert_eq!(third.after(pair(5, 41 * MS), HALF).1, Learnt::Contradiction);
    }

    #[test]
    fn a_line_holds_for_a_millisecond_and_is_checked_at_its_end() {
        let line = line(7 * MS, pair(1000, 7 * MS));
        assert_eq!((line.span, line.after(500)), (2 * MS, 7 * MS + 250));
        let later = |nanos: u64| pair(1000 + 2 * MS, nanos);
        assert!(line.agrees(later(8 * MS)) && line.agrees(later(8 * MS + 900)) && line.agrees(later(8 * MS - 900)));
        assert!(!line.agrees(later(8 * MS + 1_100)) && !line.agrees(later(8 * MS - 1_100)));
        assert!(!line.agrees(pair(0, 8 * MS)), "the counter leapt back");
        assert!(!line.agrees(pair(1 << 50, 8 * MS)), "or ahead");
    }

    #[test]
    fn a_line_that_was_ahead_goes_on_from_there_and_is_right_at_its_end() {
        let line = line(7 * MS + 800, pair(1000, 7 * MS));
        assert_eq!(line.after(0), 7 * MS + 800);
        let end = line.after(line.span);
        assert!(end.abs_diff(8 * MS) <= 1, "{end}");
        assert!((0..line.span).step_by(997).map(|since| line.after(since)).is_sorted());
    }

    #[test]
    fn on_a_thread_readings_do_not_go_back_and_the_counter_is_used_or_given_up() {
        let mut last = 0;
        let end = exact() + 60 * MS;
        while last < end {
            let now = now();
            assert!(now >= last || RATE.load(Ordering::Relaxed) == NEVER || DISAGREED.load(Ordering::Relaxed) > 0);
            last = now;
        }
        let rate = RATE.load(Ordering::Relaxed);
        assert!(rate == NEVER || rate.abs_diff(HALF) < HALF || DISAGREED.load(Ordering::Relaxed) > 0, "{rate}");
    }
}

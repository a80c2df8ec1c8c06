//! The quick clock's line and lesson.

use super::*;

/// Half a nanosecond a tick.
const HALF: u64 = 1 << 31;
const MS: u64 = 1_000_000;

fn pair(ticks: u64, nanos: u64) -> Pair {
    Pair { ticks, nanos, width: 0 }
}

fn line(nanos: u64, at: Pair) -> Line {
    let mut line = Line { nanos, ..Line::NONE };
    line.begin(at, HALF);
    line
}

#[test]
fn a_rate_is_used_when_it_was_found_twice_and_nobody_contradicts() {
    let nothing = Lesson { base: pair(0, 0), learnt: 0, epoch: 0 };
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
fn a_disagreement_is_counted_once_however_many_threads_would_find_it() {
    const THREADS: u32 = 8;
    let before = DISAGREED.load(Ordering::Relaxed);
    let (ready, one_by_one) = (std::sync::Barrier::new(THREADS as usize), std::sync::Mutex::new(()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // As if the clock had stood still for a second, and the counter had not.
                LESSON.set(Lesson { epoch: EPOCH.load(Ordering::Relaxed), ..LESSON.get() });
                draw(Line { ticks: ticks(), nanos: exact() + 1_000 * MS, rate: HALF, span: 1 });
                ready.wait();
                let _alone = one_by_one.lock();
                let (now, exact) = (now(), exact());
                assert!(now.abs_diff(exact) < 500 * MS, "it is exact again: {now}, {exact}");
            });
        }
    });
    let strikes = DISAGREED.load(Ordering::Relaxed) - before;
    // Other tests use the clock meanwhile.
    assert!(strikes < THREADS / 2, "{strikes}");
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

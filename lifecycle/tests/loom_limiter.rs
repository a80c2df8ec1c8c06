//! The limiter's ring, under every interleaving that loom finds (for the command see `loom_breaker.rs`).
//!
//! What is checked are the slots' writes: each permit is written once, and the permit `N` further counts as given more than a
//! window later; and that a refusal happens only where N permits were given.
//!
//! Seen to fail with these bugs planted: the slot's old value loaded after the head's CAS (`laps_follow_each_other..`), a time filled in
//! without looking at the head again (four of them), a window without its nanosecond, and decisions while the newest grant is
//! unfinished (in the straight line `try_one` too: `of_two_threads..`, `laps_follow..`, `a_lap_of_three..`, `a_batch_has..`).
#![cfg(loom)]

use lifecycle::limiter::model::{Model, Written};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const WINDOW: u64 = 10;

/// A ring and the time. The time is no concern of loom's: it moves where it is read, or by hand.
struct All {
    ring: Model,
    now: AtomicU64,
    step: u64,
}

impl All {
    fn new(limit: u32, step: u64) -> Arc<Self> {
        Arc::new(Self { ring: Model::new(limit, WINDOW), now: AtomicU64::new(100), step })
    }

    fn read(&self) -> u64 {
        self.now.fetch_add(self.step, Ordering::SeqCst)
    }

    fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    fn take(&self, permits: u32) -> bool {
        self.ring.take(permits, 0, || self.read()).is_some()
    }

    /// The time before and after the call, if it was given.
    fn timed(&self, permits: u32) -> Option<(u64, u64)> {
        let before = self.now();
        self.take(permits).then(|| (before, self.now()))
    }

    fn at(&self, now: u64) -> &Self {
        self.now.store(now, Ordering::SeqCst);
        self
    }

    /// The times of all permits; not more than `limit` in any window.
    fn times(&self, limit: usize) -> Vec<u64> {
        let writes = self.ring.writes();
        assert!(writes.windows(2).all(|two| two[0].position + 1 == two[1].position), "each once, in order: {writes:?}");
        assert!(writes.iter().all(|written| written.time > written.old), "a slot's values rise: {writes:?}");
        let far: Vec<(&Written, &Written)> = writes.iter().zip(writes.iter().skip(limit)).collect();
        assert!(far.iter().all(|(one, other)| other.time - one.time > WINDOW), "too many in a window: {writes:?}");
        // The ring's scale begins at one.
        writes.iter().map(|written| written.time - 1).collect()
    }
}

fn both<A: 'static, B>(all: &Arc<All>, one: fn(&All) -> A, other: fn(&All) -> B) -> (A, B) {
    let there = all.clone();
    let thread = thread::spawn(move || one(&there));
    let other = other(all);
    (thread.join().unwrap(), other)
}

/// Every permit counts as given during the call that got it: times and calls can be paired.
fn within(times: &[u64], calls: [Option<(u64, u64)>; 2]) {
    let calls: Vec<_> = calls.into_iter().flatten().collect();
    assert_eq!(times.len(), calls.len());
    let fits = |time: u64, call: (u64, u64)| call.0 <= time && time <= call.1;
    let straight = times.iter().zip(&calls).all(|(time, call)| fits(*time, *call));
    let crossed = times.iter().zip(calls.iter().rev()).all(|(time, call)| fits(*time, *call));
    assert!(straight || crossed, "{times:?} {calls:?}");
}

#[test]
fn of_two_threads_one_gets_the_only_permit() {
    loom::model(|| {
        let all = All::new(1, 0);
        let (one, other) = both(&all, |all| all.take(1), |all| all.take(1));
        assert!(one != other, "one and not two; and one, if nobody else had it");
        assert_eq!((all.times(1), all.ring.used(100), all.ring.used(111)), (vec![100], 1, 0));
    });
}

#[test]
fn three_threads_get_both_permits_and_no_third() {
    // One preemption less than the others: three threads have a hundred times as many interleavings.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let all = All::new(2, 0);
        let threads = [(); 2].map(|()| {
            let all = all.clone();
            thread::spawn(move || all.take(1))
        });
        let here = all.take(1);
        let given = threads.into_iter().filter_map(|thread| thread.join().unwrap().then_some(())).count();
        assert_eq!(given + usize::from(here), 2);
        assert_eq!(all.times(2), [100, 100]);
    });
}

#[test]
fn permits_count_from_a_time_within_their_call() {
    loom::model(|| {
        let all = All::new(2, 6);
        let (one, other) = both(&all, |all| all.timed(1), |all| all.timed(1));
        within(&all.times(2), [one, other]);
    });
}

#[test]
fn laps_follow_each_other_at_more_than_a_window() {
    loom::model(|| {
        // Two readings are more than a window apart.
        let all = All::new(1, 6);
        let twice = |all: &All| u32::from(all.take(1)) + u32::from(all.take(1));
        let (one, other) = both(&all, twice, twice);
        assert_eq!(all.times(1).len(), (one + other) as usize);
    });
}

#[test]
fn a_lap_of_three_goes_on_where_another_thread_stopped() {
    loom::model(|| {
        let all = All::new(3, 0);
        assert!(all.take(1) && all.take(2));
        all.at(111);
        // The slots are full and expired: both go into the second lap.
        let (one, other) = both(&all, |all| all.take(1), |all| all.take(2));
        assert!(one && other);
        assert_eq!(all.times(3), [100, 100, 100, 111, 111, 111]);
    });
}

#[test]
fn batches_are_given_whole_or_not_at_all() {
    loom::model(|| {
        let all = All::new(3, 0);
        let (one, other) = both(&all, |all| all.take(2), |all| all.take(2));
        assert!(one != other);
        assert_eq!(all.times(3), [100, 100]);
        assert_eq!(all.ring.used(100), 2);
    });
}

#[test]
fn a_batch_has_one_time_whoever_finishes_it() {
    loom::model(|| {
        let all = All::new(3, 1);
        let (one, other) = both(&all, |all| all.timed(2), |all| all.timed(1));
        let times = all.times(3);
        assert_eq!(times.len(), 3, "there is room for both");
        let (batch, single) = if times[0] == times[1] { (times[0], times[2]) } else { (times[2], times[0]) };
        assert!(times.iter().filter(|time| **time == batch).count() >= 2, "{times:?}");
        let fits = |time: u64, call: Option<(u64, u64)>| call.is_some_and(|(from, to)| from <= time && time <= to);
        assert!(fits(batch, one) && fits(single, other), "{times:?} {one:?} {other:?}");
    });
}

#[test]
fn who_waits_comes_in_turn() {
    loom::model(|| {
        let all = All::new(1, 0);
        assert!(all.take(1));
        let patient = |all: &All| all.ring.take(1, 30, || all.read());
        let (one, other) = both(&all, patient, patient);
        let mut waits = [one.unwrap().1, other.unwrap().1];
        waits.sort_unstable();
        assert_eq!(waits, [11, 22]);
        assert_eq!(all.times(1), [100, 111, 122]);
    });
}

#[test]
fn a_reset_forgets_what_was_given_and_nothing_given_later() {
    loom::model(|| {
        let all = All::new(1, 0);
        assert!(all.take(1));
        let (_, given) = both(&all, |all| all.ring.reset(all.now()), |all| all.take(1));
        // Given after the reset, its permit counts; given before, which it was not, it would be forgotten.
        assert_eq!(all.take(1), !given);
        assert!(!all.take(1));
        let writes = all.ring.writes();
        assert_eq!(writes.len(), 2);
        assert!(writes[0].time < writes[1].time);
    });
}

#[test]
fn a_new_limit_holds_from_the_next_decision_on() {
    loom::model(|| {
        let all = All::new(2, 0);
        assert!(all.take(1));
        // Lower: what is given after it, beside the first, is nothing.
        let (_, given) = both(&all, |all| all.ring.reconfigure(1, WINDOW, all.now()), |all| all.take(1));
        assert!(!all.take(1));
        assert_eq!(all.ring.used(100), 1, "the newest one is all that the limit looks at");
        // Higher than the memory: nothing given is lost.
        all.ring.reconfigure(3, WINDOW, 100);
        assert!(all.take(1));
        assert_eq!(all.take(1), !given);
        assert!(!all.take(1));
    });
}

#[test]
fn growing_while_permits_are_taken_loses_none() {
    loom::model(|| {
        let all = All::new(1, 0);
        let (_, given) = both(
            &all,
            |all| all.ring.reconfigure(2, WINDOW, all.now()),
            |all| u32::from(all.take(1)) + u32::from(all.take(1)),
        );
        assert!(given >= 1);
        let left = u32::from(all.take(1)) + u32::from(all.take(1));
        assert_eq!(given + left, 2);
        assert_eq!(all.ring.used(100), 2);
    });
}

//! The breaker's cell, under every interleaving that loom finds:
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test -p lifecycle --release --test 'loom_*'`
//!
//! What a model says it fails for was planted, one at a time, and it did.
#![cfg(loom)]

use lifecycle::breaker::{BreakerConfig, State, model::Model};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_nanos(100);

fn breaker(threshold: u32) -> Arc<Model> {
    Arc::new(Model::new(numbers(threshold)))
}

fn numbers(threshold: u32) -> BreakerConfig {
    BreakerConfig::new().threshold(threshold).timeout(TIMEOUT)
}

fn fail(breaker: &Model, now: u64) {
    if let Some(call) = breaker.admit(now) {
        breaker.fail(call, now);
    }
}

/// Fails when one probe more is admitted than may run.
#[test]
fn two_threads_at_the_instant_of_expiry_admit_one_probe() {
    loom::model(|| {
        let breaker = breaker(1);
        fail(&breaker, 0);
        let admitted = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (breaker, admitted) = (breaker.clone(), admitted.clone());
                thread::spawn(move || {
                    let call = breaker.admit(100);
                    if call.is_some() {
                        admitted.fetch_add(1, Ordering::Relaxed);
                    }
                    call
                })
            })
            .collect();
        let calls: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect();
        assert_eq!((calls.len(), admitted.load(Ordering::Relaxed), breaker.state()), (1, 1, State::HalfOpen));
    });
}

/// Fails when a failure is stored instead of exchanged, and when the machine does not take over the word's count.
#[test]
fn no_failure_is_lost_and_the_last_one_opens() {
    loom::model(|| {
        let breaker = breaker(2);
        let other = breaker.clone();
        let thread = thread::spawn(move || fail(&other, 0));
        fail(&breaker, 0);
        thread.join().unwrap();
        assert_eq!((breaker.state(), breaker.failures()), (State::Open, 2));
    });
}

/// Fails when an outcome is stored into the word instead of exchanged.
#[test]
fn a_success_and_a_failure_leave_one_or_none_pending() {
    loom::model(|| {
        let breaker = breaker(3);
        fail(&breaker, 0);
        let other = breaker.clone();
        let thread = thread::spawn(move || {
            let call = other.admit(0).unwrap();
            other.succeed(call, 0);
        });
        fail(&breaker, 0);
        thread.join().unwrap();
        // Failure first: 2, then reset to 0. Success first: 0, then 1. Never 2, never open.
        assert!(breaker.failures() <= 1 && breaker.state() == State::Closed);
    });
}

#[test]
fn a_late_success_does_not_close_what_a_failure_opened() {
    loom::model(|| {
        let breaker = breaker(1);
        let (slow, bad) = (breaker.admit(0).unwrap(), breaker.admit(0).unwrap());
        let other = breaker.clone();
        let thread = thread::spawn(move || other.succeed(slow, 0));
        breaker.fail(bad, 0);
        thread.join().unwrap();
        assert_eq!(breaker.state(), State::Open);
    });
}

#[test]
fn a_cancelled_probe_frees_its_slot_and_the_next_one_closes() {
    loom::model(|| {
        let breaker = breaker(1);
        fail(&breaker, 0);
        let probe = breaker.admit(100).unwrap();
        let other = breaker.clone();
        let thread = thread::spawn(move || other.cancel(probe, 100));
        let next = breaker.admit(100);
        thread.join().unwrap();
        let next = next.or_else(|| breaker.admit(100)).expect("the slot is free once the probe is gone");
        breaker.succeed(next, 100);
        assert_eq!(breaker.state(), State::Closed);
    });
}

/// Fails when a transition marks the word by a load and a store, or not at all; when it does not take over the count; when the mark
/// stays on.
#[test]
fn numbers_that_change_lose_no_failure_and_leave_the_word_open_to_all() {
    loom::model(|| {
        let breaker = breaker(9);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let breaker = breaker.clone();
                thread::spawn(move || fail(&breaker, 0))
            })
            .collect();
        breaker.configure(numbers(8), 0);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((breaker.failures(), breaker.state(), breaker.is_plain()), (2, State::Closed, true));
    });
}

/// As before; and the failure that raced with the change is there for the next one.
#[test]
fn a_threshold_that_falls_under_the_failures_opens_with_the_next_one_at_the_latest() {
    loom::model(|| {
        let breaker = breaker(3);
        fail(&breaker, 0);
        let other = breaker.clone();
        let thread = thread::spawn(move || fail(&other, 0));
        breaker.configure(numbers(2), 0);
        thread.join().unwrap();
        // Whether the new threshold was there in time is the only question.
        assert_eq!((breaker.failures(), breaker.is_plain()), (2, breaker.state() == State::Closed));
        fail(&breaker, 0);
        assert_eq!(breaker.state(), State::Open);
    });
}

/// Fails when one probe more is admitted than may run.
#[test]
fn numbers_that_change_admit_no_probe_more() {
    loom::model(|| {
        let breaker = breaker(1);
        fail(&breaker, 0);
        let admits = |now| {
            let breaker = breaker.clone();
            thread::spawn(move || breaker.admit(now))
        };
        let threads = [admits(100), admits(100)];
        breaker.configure(numbers(1).timeout(Duration::from_nanos(50)), 60);
        let calls: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect();
        assert_eq!((calls.len(), breaker.state()), (1, State::HalfOpen));
        for call in calls {
            breaker.succeed(call, 100);
        }
        assert_eq!((breaker.state(), breaker.is_plain()), (State::Closed, true));
    });
}

/// Fails as where only numbers change: the word is plain, then not, then plain again.
#[test]
fn rates_that_come_and_go_keep_the_failures_in_a_row() {
    loom::model(|| {
        let breaker = breaker(9);
        let other = breaker.clone();
        let thread = thread::spawn(move || {
            fail(&other, 0);
            fail(&other, 0);
        });
        breaker.configure(numbers(9).failure_rate(100), 0);
        breaker.configure(numbers(9), 0);
        thread.join().unwrap();
        assert_eq!((breaker.failures(), breaker.state(), breaker.is_plain()), (2, State::Closed, true));
    });
}

/// Fails when the lock-free path does not look at the generation, or when the machine does not.
#[test]
fn a_failure_from_before_a_reset_does_not_count_after_it() {
    loom::model(|| {
        let breaker = breaker(2);
        fail(&breaker, 0);
        let old = breaker.admit(0).unwrap();
        let other = breaker.clone();
        let thread = thread::spawn(move || other.fail(old, 0));
        breaker.reset(0);
        thread.join().unwrap();
        // First the failure: it opened, and the reset closed. First the reset: the failure was late.
        assert_eq!((breaker.failures(), breaker.state(), breaker.is_plain()), (0, State::Closed, true));
    });
}

/// Fails when the word is published before the end of the opening, when it is published without `Release`, and
/// when it is read without `Acquire`.
#[test]
fn who_sees_it_open_sees_until_when() {
    loom::model(|| {
        let breaker = breaker(1);
        // What an earlier opening left behind must not be read with this one.
        breaker.open_for(Duration::MAX, 0);
        breaker.reset(0);
        let other = breaker.clone();
        // It is the new thread that looks: loom forgets a thread's load when another one loads the same, and would not find out.
        let thread = thread::spawn(move || {
            if other.state() == State::Open {
                assert!(other.admit(100).is_some(), "its time is over");
            }
        });
        fail(&breaker, 0);
        thread.join().unwrap();
    });
}

/// Fails when one probe more is admitted than may run.
#[test]
fn of_two_probes_a_failed_one_decides() {
    loom::model(|| {
        let breaker = Arc::new(Model::new(numbers(1).half_open_calls(2).success_threshold(2)));
        fail(&breaker, 0);
        let (good, bad) = (breaker.admit(100).unwrap(), breaker.admit(100).unwrap());
        assert!(breaker.admit(100).is_none());
        let other = breaker.clone();
        let thread = thread::spawn(move || other.succeed(good, 100));
        breaker.fail(bad, 100);
        thread.join().unwrap();
        assert_eq!(breaker.state(), State::Open);
        assert!(breaker.admit(199).is_none() && breaker.admit(200).is_some());
    });
}

#[test]
fn two_probes_that_succeed_at_once_close() {
    loom::model(|| {
        let breaker = Arc::new(Model::new(numbers(1).half_open_calls(2).success_threshold(2)));
        fail(&breaker, 0);
        let (one, two) = (breaker.admit(100).unwrap(), breaker.admit(100).unwrap());
        let other = breaker.clone();
        let thread = thread::spawn(move || other.succeed(one, 100));
        breaker.succeed(two, 100);
        thread.join().unwrap();
        assert_eq!((breaker.state(), breaker.is_plain()), (State::Closed, true));
    });
}

/// Fails when one probe more is admitted than may run.
#[test]
fn a_hung_probe_s_slot_goes_to_one_of_those_who_come_for_it() {
    loom::model(|| {
        let breaker = breaker(1);
        fail(&breaker, 0);
        let hung = breaker.admit(100).unwrap();
        let other = breaker.clone();
        let thread = thread::spawn(move || other.admit(200));
        let mine = breaker.admit(200);
        let calls: Vec<_> = [thread.join().unwrap(), mine].into_iter().flatten().collect();
        assert_eq!(calls.len(), 1);
        breaker.fail(hung, 200);
        assert_eq!(breaker.state(), State::HalfOpen, "it is late");
        calls.into_iter().for_each(|call| breaker.succeed(call, 200));
        assert_eq!(breaker.state(), State::Closed);
    });
}

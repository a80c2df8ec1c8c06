//! The breaker's cell, under every interleaving that loom finds:
//! `RUSTFLAGS="--cfg loom" LOOM_MAX_PREEMPTIONS=3 cargo test -p lifecycle --release --test 'loom_*'`
#![cfg(loom)]

use lifecycle::breaker::{BreakerConfig, State, model::Model};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_nanos(100);

fn breaker(threshold: u32) -> Arc<Model> {
    Arc::new(Model::new(BreakerConfig::new().threshold(threshold).timeout(TIMEOUT)))
}

fn fail(breaker: &Model, now: u64) {
    if let Some(call) = breaker.admit(now) {
        breaker.fail(call, now);
    }
}

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

//! The limiter's ring by the times at which its permits are used, on a clock that never goes back (for the command see
//! `loom_breaker.rs`).
//!
//! `loom_limiter.rs` checks what is written into the slots. That is on the ring's own scale, so it says nothing of the real time if the
//! scale moves; it may not while the clock is good. Here a permit is used at what its caller was told: the reading and the wait.
//!
//! Seen to fail with these bugs planted: `catch_up` going by the reading that its caller brings along instead of a new one, and a wait's
//! time that is not noted in `horizon` (`who_is_refused..`, `who_waits_too_long..`); a window without its nanosecond (all).
#![cfg(loom)]

use lifecycle::limiter::model::Model;
use loom::thread;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const WINDOW: u64 = 10;

/// A ring, a clock that is later at each reading, and when permits were used.
struct All {
    ring: Model,
    limit: usize,
    now: AtomicU64,
    step: u64,
    uses: Mutex<Vec<u64>>,
}

impl All {
    fn new(limit: u32, step: u64) -> Arc<Self> {
        let (now, uses) = (AtomicU64::new(100), Mutex::default());
        Arc::new(Self { ring: Model::new(limit, WINDOW), limit: limit as usize, now, step, uses })
    }

    fn take(&self, permits: u32, patience: u64) -> bool {
        let given = self.ring.take(permits, patience, || self.now.fetch_add(self.step, Ordering::SeqCst));
        let uses = given.into_iter().flat_map(|(reading, wait)| (0..permits).map(move |_| reading + wait));
        self.uses.lock().unwrap().extend(uses);
        given.is_some()
    }

    /// What `there` and `here` do at the same time; and then, when everything is over, as many permits as there are. Whoever came too
    /// early meanwhile, or comes too early now, is in a window with too many others.
    fn check(self: Arc<Self>, there: fn(&Self), here: fn(&Self)) {
        let all = self.clone();
        let thread = thread::spawn(move || there(&all));
        here(&self);
        thread.join().unwrap();
        let last = self.uses.lock().unwrap().iter().max().copied().unwrap_or(0);
        for now in last..last + 2 * WINDOW {
            self.now.store(now, Ordering::SeqCst);
            self.take(1, 0);
        }
        let mut uses = self.uses.lock().unwrap().clone();
        uses.sort_unstable();
        let too_many = uses.windows(self.limit + 1).find(|some| some[self.limit] - some[0] <= WINDOW);
        assert_eq!(too_many, None, "{} in a window, of {uses:?}", self.limit + 1);
        assert_eq!(self.ring.ahead(), 1, "the clock was a good one");
    }
}

#[test]
fn who_is_refused_while_others_wait_does_not_hurry_the_clock() {
    loom::model(|| {
        let all = All::new(1, 3);
        assert!(all.take(1, 0));
        // Less switches are needed if it is this thread that goes on while the other one is stopped.
        let waits = |all: &All| assert!(all.take(1, 100) && all.take(1, 100));
        all.check(|all| assert!(!all.take(1, 0)), waits);
    });
}

#[test]
fn who_waits_too_long_is_refused_beside_one_who_waits() {
    loom::model(|| {
        let all = All::new(2, 2);
        assert!(all.take(2, 0));
        let waits = |all: &All| assert!(all.take(1, 100) && all.take(2, 100));
        all.check(waits, |all| _ = all.take(2, 9));
    });
}

#[test]
fn permits_are_used_no_closer_than_they_may_whoever_waits() {
    loom::model(|| {
        // The window passes while they are at it.
        let all = All::new(2, 4);
        assert!(all.take(1, 0));
        all.check(|all| assert!(all.take(2, 100)), |all| _ = (all.take(1, 0), all.take(1, 12)));
    });
}

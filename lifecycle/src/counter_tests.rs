//! Exactness over threads, destructors and growing blocks.

use super::*;
use std::sync::Arc;

#[test]
fn counts_are_exact_over_threads_that_come_and_go() {
    let counters = Arc::new(Counters::<2>::new());
    for _ in 0..4 {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let counters = counters.clone();
                std::thread::spawn(move || {
                    for _ in 0..1000 {
                        counters.hit::<0>();
                    }
                    counters.hit::<1>();
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
    assert_eq!((counters.read(0), counters.read(1)), (16_000, 16));
    counters.reset();
    counters.hit::<1>();
    assert_eq!((counters.read(0), counters.read(1)), (0, 1));
}

#[test]
fn a_destructor_of_a_thread_local_still_counts() {
    struct CountAtExit(Arc<Counters<1>>);
    impl Drop for CountAtExit {
        fn drop(&mut self) {
            self.0.hit::<0>();
        }
    }
    thread_local!(static LATE: std::cell::RefCell<Option<CountAtExit>> = const { std::cell::RefCell::new(None) });
    let counters = Arc::new(Counters::<1>::new());
    for count_first in [false, true] {
        let counters = counters.clone();
        std::thread::spawn(move || {
            // Destructors run in the reverse order of registration: both orders are tried.
            if count_first {
                counters.hit::<0>();
            }
            LATE.set(Some(CountAtExit(counters.clone())));
            if !count_first {
                counters.hit::<0>();
            }
        })
        .join()
        .unwrap();
    }
    assert_eq!(counters.read(0), 4);
}

#[test]
fn an_index_that_is_used_again_starts_at_zero() {
    let old = Counters::<5>::new();
    old.hit::<3>();
    drop(old);
    let new = Counters::<5>::new();
    new.hit::<0>();
    assert_eq!((new.read(0), new.read(3)), (1, 0));
}

#[test]
fn a_component_counted_after_the_block_was_made_is_exact_too() {
    let all: Vec<_> = (0..500).map(|_| Counters::<3>::new()).collect();
    for _ in 0..2 {
        all.iter().for_each(|counters| _ = counters.hit::<2>());
    }
    assert!(all.iter().all(|counters| counters.read(2) == 2 && counters.read(0) == 0));
}

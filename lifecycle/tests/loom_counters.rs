//! The exact counters, under every interleaving that loom finds: see `loom_breaker.rs` for the command.
//!
//! In a model a thread's first block holds one index, so that blocks grow at the second component.
#![cfg(loom)]

use lifecycle::model::{Count, end_thread, spawn};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};

/// Two readings, in this order, of a count that only grows.
fn reads(count: &Count, most: u64) {
    let (first, second) = (count.read(), count.read());
    assert!(first <= second && second <= most, "read {first}, then {second}, of {most}");
}

/// Fails when threads share a block (counts get lost), and when `hit` adds to a block and to the totals.
#[test]
fn two_count_while_a_third_reads() {
    loom::model(|| {
        let count = Arc::new(Count::new());
        let (one, two) = (count.clone(), count.clone());
        let threads = [
            spawn(move || _ = (one.hit(), one.hit())),
            // The one where something is installed goes the slow way, into the same block.
            spawn(move || _ = (two.hit(), two.hit_elsewhere())),
        ];
        reads(&count, 4);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(count.read(), 4);
    });
}

/// Fails when a block that grows is copied into the larger one and kept, or replaced by it.
#[test]
fn a_block_grows_while_others_read_and_count() {
    loom::model(|| {
        let (old, new) = (Arc::new(Count::new()), Arc::new(Count::new()));
        old.hit();
        let (old2, new2) = (old.clone(), new.clone());
        let thread = spawn(move || {
            old2.hit();
            // Lies beyond the block.
            new2.hit();
            old2.hit();
        });
        new.hit();
        reads(&old, 3);
        thread.join().unwrap();
        assert_eq!((old.read(), new.read()), (3, 2));
    });
}

/// Fails when the fold leaves the blocks where they are (counted twice), when it takes them out under another lock than it adds to
/// the totals (less than before), and when a dead thread counts into nothing.
#[test]
fn a_thread_that_ends_is_counted_once() {
    loom::model(|| {
        let count = Arc::new(Count::new());
        let reading = count.clone();
        count.hit();
        let thread = spawn(move || {
            assert!(reading.read() > 0);
            reads(&reading, 2);
        });
        end_thread();
        // As from the destructor of a later thread-local.
        count.hit();
        thread.join().unwrap();
        assert_eq!(count.read(), 2);
    });
}

/// Fails when the component is found without index before the book is locked, and when the book is released before it has one.
#[test]
fn a_component_gets_one_index() {
    loom::model(|| {
        let count = Arc::new(Count::new());
        let other = count.clone();
        let thread = spawn(move || other.hit());
        let mine = count.hit();
        let theirs = thread.join().unwrap();
        assert!(mine != theirs, "one of the two was the first");
        assert_eq!(count.read(), 2);
        let next = Count::new();
        next.hit();
        assert_eq!((count.read(), next.read()), (2, 1));
    });
}

/// Fails when `reset` adds up the counts before it locks the book.
#[test]
fn counts_before_the_last_reset_are_gone() {
    loom::model(|| {
        let count = Arc::new(Count::new());
        let other = count.clone();
        let thread = spawn(move || {
            other.hit();
            other.reset();
        });
        count.hit();
        count.reset();
        thread.join().unwrap();
        assert_eq!(count.read(), 0);
    });
}

/// Fails when `read` adds up under another lock than the one under which it takes the base.
#[test]
fn a_reset_while_others_count_and_read_never_goes_below_zero() {
    loom::model(|| {
        let count = Arc::new(Count::new());
        let (counting, reading) = (count.clone(), count.clone());
        let counts = spawn(move || _ = (counting.hit(), counting.hit()));
        let reads = spawn(move || assert!(reading.read() <= 2));
        count.reset();
        reads.join().unwrap();
        counts.join().unwrap();
        assert!(count.read() <= 2);
        count.reset();
        count.hit();
        assert_eq!(count.read(), 1);
    });
}

/// Fails when a thread's counts are read only once it has ended, and when the fold takes the blocks out under another lock than it
/// adds to the totals.
#[test]
fn what_was_counted_before_a_message_is_in_the_reading() {
    loom::model(|| {
        let all = Arc::new((Count::new(), AtomicBool::new(false)));
        let other = all.clone();
        let thread = spawn(move || {
            other.0.hit();
            other.0.hit();
            other.1.store(true, Ordering::Release);
        });
        if all.1.load(Ordering::Acquire) {
            assert_eq!(all.0.read(), 2);
        }
        thread.join().unwrap();
    });
}

/// Fails when a component that gets a used index does not take its old sum as base, and when an index is given back while its
/// component counts.
#[test]
fn a_used_index_starts_at_zero() {
    loom::model(|| {
        let old = Arc::new(Count::new());
        let other = old.clone();
        let thread = spawn(move || {
            other.hit();
            drop(other);
            let new = Count::new();
            new.hit();
            assert_eq!(new.read(), 1);
        });
        old.hit();
        drop(old);
        let new = Count::new();
        new.hit();
        assert_eq!(new.read(), 1);
        thread.join().unwrap();
        assert_eq!(new.read(), 1);
    });
}

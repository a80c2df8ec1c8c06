//! The graph of factory runs, under every interleaving that loom finds: see `loom_breaker.rs` for the command.
#![cfg(loom)]

use lifecycle::model::{Run, graph, spawn};

/// Fails when `WaitEdge::enter` looks for the circle and enters the edge under two locks instead of one.
#[test]
fn of_two_that_wait_for_each_other_one_is_refused() {
    loom::model(|| {
        let (a, b) = (Run::begin("a", &[]), Run::begin("b", &[]));
        let (a2, b2) = (a.clone(), b.clone());
        let thread = spawn(move || b2.wait_for(&a2));
        let mine = a.wait_for(&b);
        let theirs = thread.join().unwrap();
        assert!(mine.is_ok() != theirs.is_ok());
        let refused = mine.as_ref().err().or(theirs.as_ref().err()).unwrap();
        assert!(["a -> b -> a", "b -> a -> b"].contains(&refused.as_str()), "{refused}");
        assert_eq!(graph(), (2, 1));
        drop((mine, theirs));
        assert_eq!(graph(), (2, 0));
    });
}

/// Fails when only direct waits are looked at, and when the circle is looked for and the edge entered under two locks.
#[test]
fn a_ring_of_three_is_closed_by_nobody() {
    loom::model(|| {
        let runs = [Run::begin("a", &[]), Run::begin("b", &[]), Run::begin("c", &[])];
        let threads: Vec<_> = (1..3)
            .map(|at| {
                let (from, to) = (runs[at].clone(), runs[(at + 1) % 3].clone());
                spawn(move || from.wait_for(&to))
            })
            .collect();
        let mut waits = vec![runs[0].wait_for(&runs[1])];
        waits.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
        let refused: Vec<_> = waits.iter().filter_map(|wait| wait.as_ref().err()).collect();
        // The circle is told whole: three arrows.
        assert!(refused.len() == 1 && refused[0].matches("->").count() == 3, "{refused:?}");
        assert_eq!(graph(), (3, 2));
    });
}

/// Fails when `enter` asks under one lock whether its frame is over and puts the edge in under another, making the node anew.
#[test]
fn a_frame_that_ended_meanwhile_waits_for_nothing() {
    loom::model(|| {
        let (over, other) = (Run::begin("over", &[]), Run::begin("other", &[]));
        // A captured context speaks for the frame on another thread.
        let (captured, awaited) = (over.clone(), other.clone());
        let thread = spawn(move || captured.wait_for(&awaited));
        over.end();
        let wait = thread.join().unwrap();
        assert!(wait.is_ok());
        assert_eq!(over.waits(), None);
        assert!(other.wait_for(&over).is_ok());
        assert_eq!(graph(), (1, 0));
    });
}

/// Fails when the end of a wait finds its edge under one lock and takes it out under another, and when it takes out all of its
/// frame's edges.
#[test]
fn ends_of_waits_take_only_their_own_edge() {
    loom::model(|| {
        let (asker, other, third) = (Run::begin("asker", &[]), Run::begin("other", &[]), Run::begin("third", &[]));
        // The asker's factory has other threads do work for it.
        let inner = Run::begin("inner", &[&asker]);
        let passing = asker.wait_for(&third).unwrap();
        assert!(inner.wait_for(&asker).is_err());
        let ends = spawn(move || inner.end());
        let (waiting, awaited) = (asker.clone(), other.clone());
        let waits = spawn(move || waiting.wait_for(&awaited));
        drop(passing);
        ends.join().unwrap();
        let wait = waits.join().unwrap();
        assert!(wait.is_ok());
        assert_eq!((asker.waits(), graph()), (Some(1), (3, 1)));
        assert!(other.wait_for(&asker).is_err() && third.wait_for(&asker).is_ok());
        drop(wait);
        assert!(other.wait_for(&asker).is_ok());
    });
}

/// Fails when a frame's waits are a set: of two waits for the same frame, as by `join!`, the first to end ended both.
#[test]
fn two_waits_for_one_frame_are_two() {
    loom::model(|| {
        let (a, b) = (Run::begin("a", &[]), Run::begin("b", &[]));
        let (a2, b2) = (a.clone(), b.clone());
        let kept = spawn(move || a2.wait_for(&b2));
        drop(a.wait_for(&b));
        let kept = kept.join().unwrap();
        assert!(kept.is_ok() && b.wait_for(&a).is_err());
        drop(kept);
        assert!(b.wait_for(&a).is_ok());
    });
}

/// Fails when a run goes into the graph, or leaves it, under another lock than its askers' waits for it.
#[test]
fn whoever_can_be_waited_for_is_waited_for() {
    loom::model(|| {
        let asker = Run::begin("asker", &[]);
        let asker2 = asker.clone();
        let thread = spawn(move || {
            let inner = Run::begin("inner", &[&asker2]);
            inner.end();
        });
        // One node is the asker; a second is the inner run, and then the asker waits for it.
        let (frames, waits) = graph();
        assert!(frames == waits + 1, "{frames} frames, {waits} waits");
        thread.join().unwrap();
        assert_eq!(graph(), (1, 0));
    });
}

//! The ring on a clock that goes back.

use super::ring::{Outcome, Ring, Straight};
use super::ring_tests::{take, used};
use std::cell::Cell;

#[test]
fn a_clock_that_went_back_keeps_the_distances() {
    let ring = Ring::new(2, 100);
    assert_eq!(take(&ring, 1, 0, 1_000), Ok(0));
    assert_eq!(take(&ring, 1, 0, 1_060), Ok(0));
    assert_eq!(take(&ring, 1, 0, 500), Err(Some(41)), "the older one is 60 old");
    assert_eq!(take(&ring, 1, 0, 541), Ok(0));
    assert_eq!(take(&ring, 1, 0, 0), Err(Some(60)));
    assert_eq!(used(&ring, 0), 2);
    assert_eq!(take(&ring, 2, 0, 101), Ok(0));
}

#[test]
fn the_straight_way_leaves_a_step_back_and_an_endless_window_to_the_whole_one() {
    // Even times: they go the straight way. This step back is behind the newest permit, not behind the oldest.
    let ring = Ring::new(2, 100);
    assert_eq!(take(&ring, 1, 0, 1_000), Ok(0));
    assert_eq!(take(&ring, 1, 0, 1_060), Ok(0));
    assert_eq!(take(&ring, 1, 0, 1_040), Err(Some(41)), "the older one is 60 old");
    let endless = Ring::new(1, u64::MAX);
    assert_eq!(take(&endless, 1, 0, 2), Ok(0));
    assert_eq!(take(&endless, 1, 0, 4), Err(None));
}

#[test]
fn a_step_back_between_the_reading_and_the_decision_expires_nothing() {
    // The clock reads 1000, and then this thread is stopped, while it goes back, which another thread notices.
    let ring = Ring::new(1, 100);
    assert_eq!(take(&ring, 1, 0, 1_001), Ok(0));
    let stopped = |now: u64| {
        assert_eq!(take(&ring, 1, 0, 401), Err(Some(101)));
        now
    };
    let straight = ring.try_one(|| Some(stopped(1_000)));
    assert!(!matches!(straight, Straight::Given { .. }), "{straight:?}");
    assert_eq!(take(&ring, 1, 0, 401), Err(Some(101)));

    // Here another's permit comes between too, so that he has to decide anew, and would do by what he has read.
    let ring = Ring::new(1, 100);
    assert_eq!(take(&ring, 1, 0, 801), Ok(0));
    let is_first = Cell::new(true);
    let outcome = ring.acquire(1, 0, || {
        if is_first.replace(false) {
            assert_eq!(take(&ring, 1, 0, 1_001), Ok(0));
            assert_eq!(take(&ring, 1, 0, 401), Err(Some(101)));
            return 1_001;
        }
        401
    });
    assert_eq!(outcome, Outcome::Refused { reading: 401, wait: Some(101) });
}

#[test]
fn a_permit_given_in_advance_is_no_clock_that_went_back() {
    let ring = Ring::new(1, 100);
    assert_eq!(take(&ring, 1, 0, 0), Ok(0));
    assert_eq!(take(&ring, 1, 200, 10), Ok(91));
    assert_eq!(take(&ring, 1, 200, 10), Ok(192));
    assert_eq!(take(&ring, 1, 200, 10), Err(Some(293)), "longer than it would wait");
    assert_eq!(take(&ring, 1, 0, 20), Err(Some(283)));
    assert_eq!(used(&ring, 20), 1);
    assert_eq!(
        take(&ring, 1, 0, 5),
        Err(Some(293)),
        "this one is: it showed 10 when the last one was given in advance"
    );
}

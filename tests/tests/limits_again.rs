//! `init_timeout` of those who try again: who has waited for a run does not wait for it again, and nobody else waits any shorter.

use lifecycle::testing::{advance, clock, isolated};
use lifecycle::{SingletonError, on_restore_blocking, singleton};
use lifecycle_tests::{ByHand, Gate};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_nanos(1);

#[singleton(init_timeout = "5s")]
async fn slow() -> Result<u8, SingletonError> {
    std::future::pending().await
}

#[singleton]
async fn needs_it() -> Result<u8, SingletonError> {
    slow().await.copied()
}

#[track_caller]
fn is_late<T: std::fmt::Debug>(polled: &Poll<Result<T, SingletonError>>) {
    assert!(matches!(polled, Poll::Ready(Err(SingletonError::InitTimeout { .. }))), "{polled:?}");
}

#[test]
fn a_factory_that_asks_again_on_purpose_has_all_of_its_time() {
    static TRIES: AtomicUsize = AtomicUsize::new(0);

    #[singleton]
    async fn stubborn() -> Result<u8, SingletonError> {
        let mut told = needs_it().await;
        for _ in 0..2 {
            TRIES.fetch_add(1, Ordering::SeqCst);
            told = if told.is_ok() { told } else { needs_it().await };
        }
        told.copied()
    }

    isolated(|| {
        let mut stays = ByHand::new(slow());
        assert!(stays.poll().is_pending());
        let mut both = [1, 2].map(|_| ByHand::new(stubborn()));
        assert!(both.iter_mut().all(|one| one.poll_while_woken().is_pending()));
        for tries in 1..=2 {
            advance(LIMIT);
            // Without a pause it would keep its thread for itself.
            assert!(both[0].poll_while_woken().is_pending());
            assert_eq!(TRIES.load(Ordering::SeqCst), tries);
        }
        advance(LIMIT);
        is_late(&both[0].poll_while_woken());
        // The other one's run has waited for that once.
        assert!(both[1].poll_while_woken().is_pending());
        assert_eq!(TRIES.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn who_comes_to_a_run_that_was_begun_in_impatience_has_all_of_his_time() {
    static GATE: Gate = Gate::new();

    #[singleton]
    async fn prepares() -> Result<u8, SingletonError> {
        GATE.pass().await;
        slow().await.copied()
    }

    isolated(|| {
        let mut stays = ByHand::new(slow());
        assert!(stays.poll().is_pending());
        GATE.open();
        let mut both = [1, 2].map(|_| ByHand::new(prepares()));
        assert!(both.iter_mut().all(|one| one.poll_while_woken().is_pending()));
        GATE.close();
        advance(LIMIT);
        is_late(&both[0].poll_while_woken());
        assert!(both[1].poll_while_woken().is_pending(), "it has begun a run, which is at the gate");
        let mut new = ByHand::new(prepares());
        assert!(new.poll().is_pending());
        GATE.open();
        assert!(new.poll_while_woken().is_pending(), "it has just come, and is the one who would be told");
        advance(LIMIT - STEP);
        assert!(new.poll_while_woken().is_pending());
        advance(STEP);
        is_late(&new.poll_while_woken());
        is_late(&both[1].poll_while_woken());
    });
}

#[test]
fn what_is_over_is_forgotten() {
    let failing = || {
        let mut stays = ByHand::new(slow());
        assert!(stays.poll().is_pending());
        let used = allocation_counter::measure(|| {
            let mut one = ByHand::new(needs_it());
            assert!(one.poll_while_woken().is_pending());
            advance(LIMIT);
            is_late(&one.poll_while_woken());
        });
        // That run of it is given up, and the next time there is another.
        let handle = lifecycle::handle(slow).unwrap();
        handle.replace(7).unwrap();
        assert!(handle.delete());
        used.bytes_total
    };
    isolated(|| {
        _ = failing();
        let before = failing();
        let after = (0..50).fold(0, |_, _| failing());
        assert_eq!(after, before, "it grows with every failure");
    });
}

#[test]
fn a_clock_that_goes_back_makes_nobody_impatient() {
    isolated(|| {
        clock().set_mono(7_200_000_000_000);
        let mut stays = ByHand::new(slow());
        assert!(stays.poll().is_pending());
        let mut first = ByHand::new(needs_it());
        assert!(first.poll_while_woken().is_pending());
        advance(LIMIT);
        is_late(&first.poll_while_woken());
        clock().set_mono(3_600_000_000_000);
        assert!(on_restore_blocking().is_clean());
        let mut after = ByHand::new(needs_it());
        assert!(after.poll_while_woken().is_pending());
        advance(LIMIT - STEP);
        assert!(after.poll_while_woken().is_pending());
        advance(STEP);
        is_late(&after.poll_while_woken());
    });
}

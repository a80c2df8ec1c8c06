//! No circle is told of where nobody waits for the other any more, or not yet.

use lifecycle::{Context, SingletonError, singleton};
use lifecycle_tests::{runtime, watched};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

static WANTED: AtomicBool = AtomicBool::new(false);

#[singleton]
async fn impatient() -> Result<u8, SingletonError> {
    // Waits for `slow`, and gives up.
    let given_up = tokio::time::timeout(Duration::from_millis(10), slow()).await;
    assert!(given_up.is_err());
    tokio::select! {
        biased;
        _ = slow() => panic!("it is not that fast"),
        () = tokio::task::yield_now() => {}
    }
    WANTED.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(1)
}

#[singleton]
async fn slow() -> Result<u8, SingletonError> {
    while !WANTED.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    impatient().await.map(|found| *found + 1)
}

#[test]
fn a_need_that_was_given_up_may_need_whom_it_was_needed_by() {
    let outcomes = watched(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let (impatient, slow) = tokio::join!(impatient(), slow());
            (impatient.copied(), slow.copied())
        })
    });
    assert!(matches!(outcomes, (Ok(1), Ok(2))), "{outcomes:?}");
}

#[singleton]
fn front() -> fn() -> u8 {
    back();
    || *back()
}

#[singleton]
fn back() -> u8 {
    7
}

#[singleton]
fn keeps_a_way() -> fn() -> u8 {
    || *needs_the_keeper()
}

#[singleton]
fn needs_the_keeper() -> u8 {
    keeps_a_way();
    7
}

#[test]
fn needing_each_other_later_is_no_circle() {
    assert_eq!(watched(|| keeps_a_way()()), 7);
    assert_eq!(watched(|| front()()), 7);
}

#[singleton]
async fn shared() -> u8 {
    tokio::task::yield_now().await;
    1
}

#[singleton]
async fn first() -> u8 {
    *shared().await
}

#[singleton]
async fn second() -> u8 {
    let (a, b) = tokio::join!(shared(), shared());
    let through = *first().await;
    a + b + through
}

#[test]
fn needing_the_same_thing_is_no_circle() {
    let sum = watched(|| {
        runtime().block_on(async {
            let tasks = [tokio::spawn(async { *first().await }), tokio::spawn(async { *second().await })];
            let [first, second] = tasks;
            first.await.unwrap() + second.await.unwrap()
        })
    });
    assert_eq!(sum, 4);
}

#[test]
fn a_context_kept_beyond_its_factory_speaks_for_nobody() {
    static KEPT: std::sync::OnceLock<Context> = std::sync::OnceLock::new();

    #[singleton]
    fn keeper() -> u8 {
        let _ = KEPT.set(Context::capture());
        1
    }

    #[singleton]
    fn later() -> u8 {
        *keeper() + 1
    }

    keeper();
    let found = Arc::new(AtomicUsize::new(0));
    let told = found.clone();
    watched(move || KEPT.get().unwrap().run(|| told.store(usize::from(*later()), Ordering::SeqCst)));
    assert_eq!(found.load(Ordering::SeqCst), 2);
}

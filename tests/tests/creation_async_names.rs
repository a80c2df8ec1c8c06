//! By name: async singletons, those declared and those made at run time.

use lifecycle::{Error, SingletonError, singleton, testing};
use lifecycle_tests::{ByHand, Gate, ended, gives_way, started, watched};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

#[singleton]
async fn far_away() -> Result<u16, String> {
    gives_way(2).await;
    Ok(7)
}

fn needs_async<T>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Singleton(SingletonError::NeedsAsync { name, .. })) if name == "far_away")
}

#[test]
fn what_does_not_await_creates_no_async_singleton_and_never_blocks() {
    testing::isolated(|| {
        let singletons = lifecycle::singletons();
        assert!(singletons.get::<u16>("far_away").unwrap().is_none());
        assert!(needs_async(singletons.get_or_create("far_away", || 1_u16)));
        assert!(!singletons.has("far_away"));
        // The same while it is under way.
        let mut creator = ByHand::new(far_away());
        assert!(creator.poll().is_pending());
        assert!(singletons.get::<u16>("far_away").unwrap().is_none());
        assert!(needs_async(singletons.get_or_create("far_away", || 1_u16)));
        let handle = lifecycle::handle(far_away).unwrap();
        assert!(matches!(handle.reload(), Err(SingletonError::NeedsAsync { .. })));
        assert_eq!(creator.poll_while_woken(), Poll::Ready(Ok(&7)));
        assert_eq!(*singletons.get::<u16>("far_away").unwrap().unwrap(), 7);
        assert_eq!(*singletons.get_or_create("far_away", || 1_u16).unwrap(), 7);
    });
}

#[tokio::test]
async fn what_awaits_creates_it_by_its_own_factory() {
    testing::isolated_async(async {
        let singletons = lifecycle::singletons();
        let found = singletons.get_or_create_async("far_away", || async { 1_u16 }).await.unwrap();
        assert_eq!(*found, 7);
        assert_eq!(far_away().await, Ok(&*found));
    })
    .await;
    testing::isolated_async(async {
        assert_eq!(*lifecycle::singletons().get_async::<u16>("far_away").await.unwrap().unwrap(), 7);
    })
    .await;
}

#[tokio::test]
async fn a_name_is_created_once_by_tasks_and_kept_from_threads_meanwhile() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let singletons = lifecycle::singletons();
    let make = || async {
        gives_way(3).await;
        RUNS.fetch_add(1, Ordering::SeqCst) + 1
    };
    let mut first = ByHand::new(singletons.get_or_create_async("made_up", make));
    assert!(first.poll().is_pending());
    let blocking = watched(|| singletons.get_or_create("made_up", || 0_usize).map(|found| *found));
    assert!(matches!(blocking, Err(Error::Singleton(SingletonError::NeedsAsync { .. }))), "{blocking:?}");
    drop(first);
    let (a, b) =
        tokio::join!(singletons.get_or_create_async("made_up", make), singletons.get_or_create_async("made_up", make));
    assert_eq!((*a.unwrap(), *b.unwrap(), RUNS.load(Ordering::SeqCst)), (1, 1, 1));
}

#[tokio::test]
async fn a_task_waits_for_a_factory_that_blocks_a_thread_and_gets_its_value() {
    static GATE: Gate = Gate::new();
    let singletons = lifecycle::singletons();
    let thread = started(move || {
        let made = singletons.get_or_create("mixed", || {
            GATE.pass_blocking();
            1_u8
        });
        *made.unwrap()
    });
    lifecycle_tests::until(|| GATE.arrived() == 1);
    let mut task = ByHand::new(singletons.get_or_create_async("mixed", || async { 2_u8 }));
    assert!(task.poll_while_woken().is_pending());
    GATE.open();
    assert_eq!(ended(&thread), 1);
    assert!(task.is_woken());
    assert!(matches!(task.poll_while_woken(), Poll::Ready(Ok(found)) if *found == 1));
}

//! Asynchronous creation: one run, whoever asks, and however the callers go away.

use lifecycle::{Singleton, SingletonError, singleton, testing};
use lifecycle_tests::{ByHand, Gate, ended, gives_way, runtime, said, started, watched};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::time::Duration;

/// Counts the runs of a factory.
struct Runs(AtomicUsize);

impl Runs {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn count(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn so_far(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn ten_thousand_tasks_get_the_instance_of_one_run() {
    static RUNS: Runs = Runs::new();

    #[singleton]
    async fn shared() -> usize {
        tokio::task::yield_now().await;
        RUNS.count()
    }

    watched(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
        runtime.block_on(async {
            let tasks: Vec<_> = (0..10_000).map(|_| tokio::spawn(async { shared().await })).collect();
            for task in tasks {
                assert_eq!(*task.await.unwrap(), 1);
            }
        });
    });
    assert_eq!(RUNS.so_far(), 1);
    assert_eq!(lifecycle::handle(shared).unwrap().stats().accesses, 10_000);
}

#[test]
fn threads_with_a_runtime_each_get_the_instance_of_one_run() {
    static RUNS: Runs = Runs::new();

    #[singleton(async_factory = Shared::make)]
    struct Shared;

    impl Shared {
        async fn make() -> Self {
            for _ in 0..5 {
                tokio::task::yield_now().await;
                tokio::time::sleep(Duration::from_micros(50)).await;
            }
            RUNS.count();
            Self
        }
    }

    let barrier = Arc::new(Barrier::new(16));
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let barrier = barrier.clone();
            started(move || {
                barrier.wait();
                std::ptr::from_ref(runtime().block_on(Shared::instance())).addr()
            })
        })
        .collect();
    let mut addresses: Vec<_> = threads.iter().map(ended).collect();
    addresses.dedup();
    assert_eq!((addresses.len(), RUNS.so_far()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn callers_less_patient_than_the_factory_get_there_by_one_run() {
    static RUNS: Runs = Runs::new();

    #[singleton]
    async fn slow() -> u8 {
        RUNS.count();
        tokio::time::sleep(Duration::from_millis(30)).await;
        7
    }

    let callers: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn(async {
                for given_up in 0..20 {
                    if let Ok(found) = tokio::time::timeout(Duration::from_millis(10), slow()).await {
                        return (*found, given_up);
                    }
                }
                panic!("never got there");
            })
        })
        .collect();
    for caller in callers {
        let (found, given_up) = caller.await.unwrap();
        assert_eq!(found, 7);
        assert!((2..=3).contains(&given_up), "{given_up}");
    }
    assert_eq!(RUNS.so_far(), 1);
}

#[test]
fn a_caller_dropped_at_any_await_point_costs_no_second_run_and_leaves_nobody_hanging() {
    static RUNS: Runs = Runs::new();
    const STEPS: usize = 6;

    #[singleton]
    async fn stepwise() -> u8 {
        RUNS.count();
        gives_way(STEPS).await;
        7
    }

    for polls in 1..=STEPS {
        for waiter_first in [false, true] {
            testing::isolated(|| {
                let before = RUNS.so_far();
                let mut waiter = ByHand::new(stepwise());
                if waiter_first {
                    assert!(waiter.poll().is_pending());
                }
                let mut creator = ByHand::new(stepwise());
                // With a waiter there is one step done.
                for _ in 0..polls.min(STEPS - usize::from(waiter_first)) {
                    assert!(creator.poll().is_pending());
                }
                if waiter_first {
                    assert!(waiter.is_woken(), "after {polls} polls");
                }
                drop(creator);
                assert_eq!(waiter.poll_while_woken(), Poll::Ready(&7), "after {polls} polls");
                assert_eq!(RUNS.so_far() - before, 1, "after {polls} polls");
            });
        }
    }
}

#[test]
fn an_alive_caller_that_is_never_polled_again_holds_nobody_up() {
    static GATE: Gate = Gate::new();
    static RUNS: Runs = Runs::new();

    #[singleton]
    async fn gated() -> u8 {
        RUNS.count();
        GATE.pass().await;
        7
    }

    let (mut creator, mut waiter) = (ByHand::new(gated()), ByHand::new(gated()));
    assert!(creator.poll_while_woken().is_pending());
    assert!(waiter.poll_while_woken().is_pending());
    GATE.open();
    assert!(waiter.is_woken());
    assert_eq!(waiter.poll_while_woken(), Poll::Ready(&7));
    // Whoever comes later does not even wait, and the sleeper finds it too.
    assert_eq!(ByHand::new(gated()).poll(), Poll::Ready(&7));
    assert_eq!(creator.poll(), Poll::Ready(&7));
    assert_eq!(RUNS.so_far(), 1);
}

#[tokio::test]
async fn an_error_goes_to_one_caller_and_the_waiters_go_on() {
    static RUNS: Runs = Runs::new();

    #[singleton]
    async fn moody() -> Result<usize, String> {
        let run = RUNS.count();
        tokio::task::yield_now().await;
        if run < 3 { Err(format!("no {run}")) } else { Ok(run) }
    }

    let (a, b, c, d) = tokio::join!(moody(), moody(), moody(), moody());
    let mut all = vec![a, b, c, d];
    all.sort();
    assert_eq!(all, [Ok(&3), Ok(&3), Err("no 1".to_owned()), Err("no 2".to_owned())]);
    let stats = lifecycle::handle(moody).unwrap().stats();
    assert_eq!((stats.created, stats.failures, stats.accesses), (true, 2, 2));
}

#[tokio::test]
async fn a_panic_goes_to_one_caller_and_the_waiters_go_on() {
    static RUNS: Runs = Runs::new();

    #[singleton]
    async fn shy() -> usize {
        let run = RUNS.count();
        tokio::task::yield_now().await;
        assert!(run > 1, "not today");
        run
    }

    let tasks: Vec<_> = (0..3).map(|_| tokio::spawn(async { *shy().await })).collect();
    let (mut panics, mut found) = (Vec::new(), Vec::new());
    for task in tasks {
        match task.await {
            Ok(run) => found.push(run),
            Err(error) => panics.push(said(&*error.into_panic())),
        }
    }
    assert_eq!((panics.as_slice(), found.as_slice()), (&["not today".to_owned()][..], &[2, 2][..]));
    // Before its first await too.
    #[singleton]
    async fn hasty() -> usize {
        static RUNS: Runs = Runs::new();
        assert!(RUNS.count() > 1, "too early");
        1
    }
    assert!(tokio::spawn(async { *hasty().await }).await.unwrap_err().is_panic());
    assert_eq!(*hasty().await, 1);
}

#[test]
fn a_runtime_that_ends_under_a_factory_hangs_nobody() {
    static RUNS: Runs = Runs::new();

    #[singleton]
    async fn tied() -> u8 {
        RUNS.count();
        // Belongs to the runtime that polls it first.
        tokio::time::sleep(Duration::from_millis(5)).await;
        7
    }

    watched(|| {
        runtime().block_on(async { assert!(ByHand::new(tied()).poll().is_pending()) });
        runtime().block_on(async {
            // A timer of a runtime that is gone panics when polled: an attempt that failed, like any other.
            let first = tokio::spawn(async { *tied().await }).await;
            assert!(first.is_err_and(|error| said(&*error.into_panic()).contains("shutdown")));
            assert_eq!(tied().await, &7);
        });
        assert_eq!(RUNS.so_far(), 2);
    });
}

#[tokio::test]
async fn a_factory_that_lost_its_caller_s_task_goes_on_in_another() {
    static GATE: Gate = Gate::new();
    static RUNS: Runs = Runs::new();

    #[singleton]
    async fn orphaned() -> u8 {
        RUNS.count();
        GATE.pass().await;
        7
    }

    let owner = tokio::spawn(async { *orphaned().await });
    let waiter = tokio::spawn(async { *orphaned().await });
    while GATE.arrived() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    owner.abort();
    assert!(owner.await.unwrap_err().is_cancelled());
    GATE.open();
    let found = tokio::time::timeout(Duration::from_secs(20), waiter).await.expect("it hangs");
    assert_eq!((found.unwrap(), RUNS.so_far()), (7, 1));
}

#[test]
fn an_accessor_s_future_is_small_and_can_be_sent() {
    #[singleton(async_factory = Big::make)]
    struct Big;
    impl Big {
        async fn make() -> Self {
            let room = std::hint::black_box([0_u8; 4096]);
            tokio::task::yield_now().await;
            std::hint::black_box(&room);
            Self
        }
    }
    #[singleton]
    async fn plain() -> u8 {
        1
    }
    #[singleton]
    async fn fallible() -> Result<u8, SingletonError> {
        Ok(1)
    }
    #[singleton(swap)]
    async fn swapped() -> u8 {
        1
    }
    fn size<F: Future + Send>(future: &F) -> usize {
        size_of_val(future)
    }
    use std::future::Future;
    let sizes =
        [size(&Big::instance()), size(&Big::try_instance()), size(&plain()), size(&fallible()), size(&swapped())];
    assert!(sizes.iter().all(|size| *size <= 32), "{sizes:?}");
}

#[test]
fn get_never_waits_and_never_creates() {
    static GATE: Gate = Gate::new();

    #[singleton(async_factory = Gated::make)]
    struct Gated;
    impl Gated {
        async fn make() -> Self {
            GATE.pass().await;
            Self
        }
    }
    #[singleton(factory = Blocked::make)]
    struct Blocked;
    impl Blocked {
        fn make() -> Self {
            GATE.pass_blocking();
            Self
        }
    }

    assert!(Gated::get().is_none() && Blocked::get().is_none());
    let mut creator = ByHand::new(Gated::instance());
    assert!(creator.poll().is_pending());
    let blocked = started(|| _ = Blocked::instance());
    lifecycle_tests::until(|| GATE.arrived() == 2);
    assert!(watched(|| Gated::get().is_none() && Blocked::get().is_none()));
    GATE.open();
    ended(&blocked);
    assert!(creator.poll().is_ready());
    assert!(Gated::get().is_some() && Blocked::get().is_some());
    assert_eq!(Gated::stats().accesses, 1, "`get` is not counted");
}

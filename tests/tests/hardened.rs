//! Found by a reviewer who tried to break it: each test is one thing that once went wrong.

use lifecycle::testing::Context;
use lifecycle::{Singleton, SingletonError, handle, singleton, testing};
use lifecycle_tests::{ended, gives_way, runtime, started, until, watched};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

#[test]
fn whoever_waits_for_a_future_is_counted_once() {
    #[singleton]
    async fn slow() -> u32 {
        gives_way(20).await;
        1
    }

    #[singleton]
    fn other() -> u32 {
        1
    }

    // From here on this thread counts without a look at anything.
    _ = (other(), other());
    runtime().block_on(async {
        let all: Vec<_> = (0..10).map(|_| tokio::spawn(async { *slow().await })).collect();
        for one in all {
            assert_eq!(one.await.unwrap(), 1);
        }
    });
    assert_eq!(handle(slow).unwrap().stats().accesses, 10);
}

#[test]
fn an_override_does_not_grow_old() {
    #[singleton(swap, refresh = "10s", factory = || Config(1))]
    struct Config(u32);

    testing::isolated(|| {
        assert_eq!(Config::current().0, 1);
        let stand_in = Config::override_with(Config(9));
        testing::advance(11_000 * MS);
        assert_eq!((Config::current().0, Config::current().0), (9, 9));
        drop(stand_in);
        assert_eq!(Config::current().0, 1);
    });
}

#[test]
fn nobody_waits_for_a_refresh_that_takes_longer_than_its_interval() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    static GO: AtomicBool = AtomicBool::new(false);

    #[singleton(swap, refresh = "5ms", factory = || {
        if RUNS.fetch_add(1, Ordering::SeqCst) == 1 {
            until(|| GO.load(Ordering::SeqCst));
        }
        Config(1)
    })]
    struct Config(u32);

    testing::isolated(|| {
        let here = Context::capture();
        let asked = || {
            let here = here.clone();
            started(move || here.run(|| Config::current().0))
        };
        Config::current();
        testing::advance(10 * MS);
        let renewing = asked();
        until(|| RUNS.load(Ordering::SeqCst) == 2);
        testing::advance(10 * MS);
        let read = ended(&asked());
        GO.store(true, Ordering::SeqCst);
        assert_eq!((read, ended(&renewing)), (1, 1));
    });
}

mod one {
    #[lifecycle::singleton(shutdown = |_: &u32| { super::CLOSED.fetch_add(1, super::Ordering::SeqCst); })]
    pub(crate) fn pool() -> u32 {
        1
    }
}

mod two {
    #[lifecycle::singleton(shutdown = |_: &u32| { super::CLOSED.fetch_add(1, super::Ordering::SeqCst); })]
    pub(crate) fn pool() -> u32 {
        2
    }
}

static CLOSED: AtomicU32 = AtomicU32::new(0);

#[test]
fn two_singletons_of_one_name_are_both_shut_down() {
    testing::isolated(|| {
        assert_eq!(one::pool() + two::pool(), 3);
        let report = lifecycle::shutdown_blocking(5000 * MS);
        assert_eq!((report.hooks.len(), CLOSED.load(Ordering::SeqCst)), (2, 2), "{report}");
    });
}

#[test]
fn a_future_whose_destructor_panics_does_not_stop_the_shutdown() {
    struct Bad;

    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("destructor");
        }
    }

    #[singleton]
    async fn stuck() -> u32 {
        let _bad = Bad;
        std::future::pending().await
    }

    #[singleton(shutdown = |_: &u32| {})]
    fn fine() -> u32 {
        1
    }

    testing::isolated(|| {
        fine();
        runtime().block_on(async { _ = tokio::time::timeout(MS, stuck()).await });
        assert!(lifecycle::shutdown_blocking(5000 * MS).is_clean());
    });
}

#[test]
fn shutdown_does_not_wait_for_a_future_whose_last_caller_has_gone() {
    #[singleton]
    async fn stuck() -> u32 {
        std::future::pending().await
    }

    watched(|| {
        runtime().block_on(testing::isolated_async(async {
            let waits = tokio::time::timeout(2 * MS, stuck());
            // The clock of this world stands still: nothing but the caller's going ends the wait.
            let (waited, report) = tokio::join!(waits, lifecycle::shutdown(Duration::MAX));
            assert!(waited.is_err() && report.is_clean(), "{report}");
        }));
    });
}

#[test]
fn a_key_that_panics_gives_the_right_to_create_back() {
    static CLONES: AtomicUsize = AtomicUsize::new(0);
    static BAD: AtomicUsize = AtomicUsize::new(usize::MAX);

    #[derive(Debug, Hash, PartialEq, Eq)]
    struct Key(usize);

    impl Clone for Key {
        fn clone(&self) -> Self {
            let number = CLONES.fetch_add(1, Ordering::SeqCst);
            assert!(number != BAD.load(Ordering::SeqCst), "clone");
            Self(self.0)
        }
    }

    #[singleton(keyed)]
    fn table(key: &Key) -> usize {
        key.0
    }

    table(&Key(0));
    for at in 0..CLONES.load(Ordering::SeqCst) {
        let key = 1 + at;
        BAD.store(CLONES.load(Ordering::SeqCst) + at, Ordering::SeqCst);
        assert!(catch_unwind(|| *table(&Key(key))).is_err());
        BAD.store(usize::MAX, Ordering::SeqCst);
        assert_eq!(watched(move || *table(&Key(key))), key, "panicked at clone {at}");
    }
}

#[test]
fn a_cycle_is_told_of_also_when_the_map_is_full() {
    #[singleton(keyed, max_keys = 1)]
    fn table(key: u32) -> Result<u32, SingletonError> {
        match key {
            0 => Ok(0),
            // Another key that finds no place is none of a cycle's.
            7 => Ok(*table(8)? + 1),
            8 => Ok(8),
            _ => table(11 - key).map(|found| *found),
        }
    }

    #[singleton(keyed, max_keys = 1)]
    async fn table_async(key: u32) -> Result<u32, SingletonError> {
        tokio::task::yield_now().await;
        if key == 0 { Ok(0) } else { boxed(key).await }
    }

    fn boxed(key: u32) -> std::pin::Pin<Box<dyn Future<Output = Result<u32, SingletonError>> + Send>> {
        Box::pin(async move { table_async(key).await.map(|found| *found) })
    }

    table(0).unwrap();
    assert_eq!(*table(7).unwrap(), 9);
    let Err(SingletonError::Cycle { path, .. }) = table(5) else { panic!("no cycle") };
    assert!(
        path.starts_with("table[5] (") && path.contains("-> table[6] (") && path.ends_with("-> table[5]"),
        "{path}"
    );
    runtime().block_on(async {
        boxed(0).await.unwrap();
        assert!(matches!(boxed(5).await, Err(SingletonError::Cycle { .. })));
    });
}

#[test]
fn init_timeout_holds_for_a_future_that_always_wakes_itself() {
    #[singleton(init_timeout = "2ms")]
    async fn spins() -> Result<u32, SingletonError> {
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        })
        .await;
        Ok(1)
    }

    let ended = watched(|| runtime().block_on(async { spins().await.err() }));
    assert!(matches!(ended, Some(SingletonError::InitTimeout { .. })), "{ended:?}");
}

#[test]
fn the_destructor_of_a_value_that_is_not_needed_may_panic() {
    struct Value(bool);

    impl Drop for Value {
        fn drop(&mut self) {
            assert!(!self.0, "destructor");
        }
    }

    #[singleton]
    fn value() -> Value {
        handle(value).unwrap().replace(Value(false)).unwrap();
        Value(true)
    }

    assert!(!value().0);
}

/// A subscriber that panics at events.
struct Panics;

impl tracing::Subscriber for Panics {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        panic!("event");
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_factory_and_the_subscriber_may_both_panic() {
    static WORKS: AtomicBool = AtomicBool::new(false);

    #[singleton]
    fn fails_first() -> u32 {
        assert!(WORKS.load(Ordering::SeqCst), "factory");
        1
    }

    lifecycle_tests::told(Panics, || assert!(catch_unwind(|| *fails_first()).is_err()));
    WORKS.store(true, Ordering::SeqCst);
    assert_eq!(*fails_first(), 1);
}

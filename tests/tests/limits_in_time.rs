//! `init_timeout` and `retry_backoff`, on the clock of the test world.

use lifecycle::{Context, SingletonError, singleton, testing};
use lifecycle_tests::{ByHand, Gate, ended, gives_way, runtime, started, until, watched};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

mod init_timeout {
    use super::*;

    #[track_caller]
    fn timed_out(error: &SingletonError) -> (&str, Duration, &str) {
        match error {
            SingletonError::InitTimeout { name, waited, waiting_for, .. } => (name, *waited, waiting_for),
            other => panic!("not an init timeout: {other}"),
        }
    }

    mod of_threads {
        use super::*;

        pub(super) static GATE: Gate = Gate::new();

        #[singleton(try_factory = Slow::make, init_timeout = "5s")]
        #[derive(Debug)]
        pub(super) struct Slow(pub(super) u8);

        impl Slow {
            fn make() -> Result<Self, SingletonError> {
                stuck().copied().map(Self)
            }
        }

        #[singleton]
        pub(super) fn stuck() -> Result<u8, SingletonError> {
            GATE.pass_blocking();
            Ok(7)
        }
    }

    #[test]
    fn a_thread_gives_up_waiting_and_the_factory_goes_on() {
        use of_threads::{GATE, Slow};
        testing::isolated(|| {
            let context = Context::capture();
            let creator = {
                let context = context.clone();
                started(move || context.run(|| Slow::try_instance().unwrap().0))
            };
            until(|| GATE.arrived() == 1);
            let waiter = started(move || context.run(|| Slow::try_instance().map(|slow| slow.0)));
            // Where it comes late, its limit begins late: so the clock is moved until it is heard of.
            let outcome = loop {
                testing::advance(SECOND);
                if let Ok(outcome) = waiter.recv_timeout(Duration::from_millis(2)) {
                    break outcome;
                }
            };
            let error = outcome.unwrap_err();
            let (name, waited, waiting_for) = timed_out(&error);
            assert_eq!(name, "slow");
            assert!(waited >= 5 * SECOND, "{waited:?}");
            assert!(waiting_for.starts_with("slow (tests/tests/limits_in_time.rs:"), "{waiting_for}");
            assert!(waiting_for.contains(" -> stuck (tests/tests/limits_in_time.rs:"), "{waiting_for}");
            assert!(waiting_for.contains(", on thread `"), "{waiting_for}");
            GATE.open();
            assert_eq!(ended(&creator), 7);
            assert_eq!(Slow::try_instance().unwrap().0, 7);
        });
    }

    #[test]
    fn a_single_async_caller_and_its_waiters_give_up_and_the_factory_is_not_started_again() {
        static GATE: Gate = Gate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);

        #[singleton]
        async fn inner() -> u8 {
            GATE.pass().await;
            7
        }

        #[singleton(init_timeout = "5s")]
        async fn outer() -> Result<u8, SingletonError> {
            RUNS.fetch_add(1, Ordering::SeqCst);
            Ok(*inner().await)
        }

        testing::isolated(|| {
            let mut first = ByHand::new(outer());
            assert!(first.poll_while_woken().is_pending());
            testing::advance(3 * SECOND);
            assert!(!first.is_woken());
            let mut second = ByHand::new(outer());
            assert!(second.poll_while_woken().is_pending());
            testing::advance(2 * SECOND);
            assert!(first.is_woken() && !second.is_woken(), "each waits for its own five seconds");
            let Poll::Ready(Err(error)) = first.poll() else { panic!("it waits on") };
            let (name, waited, waiting_for) = timed_out(&error);
            assert_eq!((name, waited), ("outer", 5 * SECOND));
            assert!(waiting_for.starts_with("outer (tests/tests/limits_in_time.rs:"), "{waiting_for}");
            assert!(waiting_for.contains(" -> inner (tests/tests/limits_in_time.rs:"), "{waiting_for}");
            drop(first);
            GATE.open();
            assert_eq!(second.poll_while_woken().map(Result::ok), Poll::Ready(Some(&7)));
            assert_eq!(RUNS.load(Ordering::SeqCst), 1);
        });
    }

    #[test]
    fn who_tries_again_does_not_wait_again_for_what_he_has_waited_for() {
        static GATE: Gate = Gate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);

        #[singleton(init_timeout = "5s")]
        async fn hangs() -> Result<u8, SingletonError> {
            GATE.pass().await;
            Ok(7)
        }

        #[singleton]
        async fn middle() -> Result<u8, SingletonError> {
            RUNS.fetch_add(1, Ordering::SeqCst);
            hangs().await.copied()
        }

        #[singleton]
        async fn outer() -> Result<u8, SingletonError> {
            middle().await.copied()
        }

        testing::isolated(|| {
            let mut together = [1, 2, 3].map(|_| ByHand::new(outer()));
            assert!(together.iter_mut().all(|one| one.poll_while_woken().is_pending()));
            testing::advance(3 * SECOND);
            let mut later = ByHand::new(outer());
            assert!(later.poll_while_woken().is_pending());
            testing::advance(2 * SECOND);
            for one in &mut together {
                let Poll::Ready(Err(error)) = one.poll_while_woken() else { panic!("it waits on") };
                let (name, waited, _) = timed_out(&error);
                assert_eq!((name, waited), ("hangs", 5 * SECOND));
            }
            assert_eq!(RUNS.load(Ordering::SeqCst), 3, "each has tried again");
            assert!(later.poll_while_woken().is_pending(), "two of his five seconds are over");
            testing::advance(3 * SECOND - Duration::from_nanos(1));
            assert!(later.poll_while_woken().is_pending());
            testing::advance(Duration::from_nanos(1));
            let Poll::Ready(Err(error)) = later.poll_while_woken() else { panic!("it waits on") };
            assert_eq!(timed_out(&error).1, 5 * SECOND);
            // Whoever comes now has all of his time, and another run is another wait.
            let mut last = ByHand::new(outer());
            assert!(last.poll_while_woken().is_pending());
            testing::advance(5 * SECOND - Duration::from_nanos(1));
            assert!(last.poll_while_woken().is_pending());
            GATE.open();
            assert!(matches!(last.poll_while_woken(), Poll::Ready(Ok(7))));
        });
    }

    #[test]
    fn a_factory_that_never_rests_does_not_keep_its_caller_beyond_the_limit() {
        #[singleton(init_timeout = "5s")]
        async fn restless() -> Result<u8, SingletonError> {
            gives_way(100).await;
            Ok(7)
        }

        testing::isolated(|| {
            let mut caller = ByHand::new(restless());
            assert!(caller.poll().is_pending());
            testing::advance(5 * SECOND);
            let outcome = (0..5).find_map(|_| match caller.poll() {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            });
            assert!(matches!(outcome, Some(Err(SingletonError::InitTimeout { .. }))), "{outcome:?}");
            // What it has done so far is not lost.
            assert_eq!(watched_to_the_end(&mut ByHand::new(restless())), 7);
        });

        fn watched_to_the_end<F: Future<Output = Result<&'static u8, SingletonError>>>(caller: &mut ByHand<F>) -> u8 {
            match caller.poll_while_woken() {
                Poll::Ready(Ok(found)) => *found,
                other => panic!("{other:?}"),
            }
        }
        use std::future::Future;
    }

    #[test]
    fn it_ends_what_cannot_be_told_as_a_circle() {
        #[singleton(init_timeout = "20ms")]
        fn joins_a_stranger() -> Result<u8, SingletonError> {
            // It lacks the context, so it speaks for nobody.
            std::thread::spawn(|| joins_a_stranger().copied()).join().unwrap()
        }

        #[singleton(init_timeout = "20ms")]
        async fn awaits_a_stranger() -> Result<u8, SingletonError> {
            tokio::spawn(async { awaits_a_stranger().await.copied() }).await.unwrap()
        }

        // On the system's clock: without the limit these would hang.
        let error = watched(|| joins_a_stranger().copied()).unwrap_err();
        assert!(timed_out(&error).2.starts_with("joins_a_stranger ("), "{error}");
        let error = watched(|| runtime().block_on(async { awaits_a_stranger().await.copied() })).unwrap_err();
        assert!(timed_out(&error).2.starts_with("awaits_a_stranger ("), "{error}");
    }

    #[test]
    #[should_panic(expected = "singleton `late` was not created within 5s; still under way: late (")]
    fn where_there_is_no_error_it_is_a_panic() {
        #[singleton(init_timeout = "5s")]
        async fn late() -> u8 {
            std::future::pending().await
        }

        testing::isolated(|| {
            let mut caller = ByHand::new(late());
            assert!(caller.poll().is_pending());
            testing::advance(5 * SECOND);
            let _ = caller.poll();
        });
    }
}

mod retry_backoff {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum DbError {
        #[error(transparent)]
        Lifecycle(#[from] SingletonError),
        #[error("down for the {0}. time")]
        Down(usize),
    }

    fn pause(error: DbError) -> Option<(Duration, String)> {
        match error {
            DbError::Lifecycle(SingletonError::Backoff { retry_after, last_error, .. }) => {
                Some((retry_after, last_error))
            }
            _ => None,
        }
    }

    #[test]
    fn within_it_the_last_error_is_given_at_once_and_it_doubles_up_to_its_limit() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);

        #[singleton(retry_backoff = "100ms..500ms")]
        fn db() -> Result<u8, DbError> {
            match RUNS.fetch_add(1, Ordering::SeqCst) + 1 {
                run @ (1..=5 | 7) => Err(DbError::Down(run)),
                _ => Ok(7),
            }
        }

        testing::isolated(|| {
            for (run, millis) in [(1, 100), (2, 200), (3, 400), (4, 500), (5, 500)] {
                assert!(matches!(db().unwrap_err(), DbError::Down(at) if at == run));
                let last = format!("down for the {run}. time");
                let whole = Duration::from_millis(millis);
                assert_eq!(pause(db().unwrap_err()), Some((whole, last.clone())));
                testing::advance(whole - Duration::from_nanos(1));
                assert_eq!(pause(db().unwrap_err()), Some((Duration::from_nanos(1), last)));
                testing::advance(Duration::from_nanos(1));
                assert_eq!(RUNS.load(Ordering::SeqCst), run, "refusals run nothing");
            }
            assert_eq!(db().unwrap(), &7);
            // After a success it begins anew.
            assert!(lifecycle::handle(db).unwrap().delete());
            assert!(matches!(db().unwrap_err(), DbError::Down(7)));
            assert_eq!(pause(db().unwrap_err()).unwrap().0, Duration::from_millis(100));
            let stats = lifecycle::handle(db).unwrap().stats();
            assert_eq!((stats.last_error.as_deref(), stats.created), (Some("down for the 7. time"), false));
        });
    }

    #[test]
    fn a_single_duration_stays_what_it_is_and_counts_panics_too() {
        #[singleton(try_factory = Moody::make, retry_backoff = "1s")]
        #[derive(Debug)]
        struct Moody;

        impl Moody {
            fn make() -> Result<Self, SingletonError> {
                panic!("not today")
            }
        }

        testing::isolated(|| {
            for _ in 0..3 {
                assert!(std::panic::catch_unwind(Moody::try_instance).is_err());
                let refused = Moody::try_instance().unwrap_err();
                assert!(
                    matches!(&refused, SingletonError::Backoff { retry_after, .. } if *retry_after == SECOND),
                    "{refused}"
                );
                assert_eq!(
                    refused.to_string(),
                    "singleton `moody`: its factory failed (the factory panicked: not today), next attempt in 1s"
                );
                testing::advance(SECOND);
            }
        });
    }

    #[test]
    fn those_who_waited_for_the_failure_are_refused_by_it() {
        static GATE: Gate = Gate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);

        #[singleton(retry_backoff = "1s")]
        async fn db() -> Result<u8, DbError> {
            let run = RUNS.fetch_add(1, Ordering::SeqCst) + 1;
            GATE.pass().await;
            Err(DbError::Down(run))
        }

        testing::isolated(|| {
            let mut callers: Vec<_> = (0..50).map(|_| ByHand::new(db())).collect();
            assert!(callers.iter_mut().all(|caller| caller.poll_while_woken().is_pending()));
            GATE.open();
            let (mut down, mut refused) = (0, 0);
            for mut caller in callers {
                match caller.poll_while_woken() {
                    Poll::Ready(Err(DbError::Down(1))) => down += 1,
                    Poll::Ready(Err(error)) => refused += usize::from(pause(error).is_some()),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!((down, refused, RUNS.load(Ordering::SeqCst)), (1, 49, 1));
        });
    }

    #[test]
    fn when_it_is_over_one_attempt_is_made_at_a_time() {
        static GATE: Gate = Gate::new();
        static RUNS: AtomicUsize = AtomicUsize::new(0);

        #[singleton(retry_backoff = "1s")]
        fn db() -> Result<u8, DbError> {
            let run = RUNS.fetch_add(1, Ordering::SeqCst) + 1;
            if run > 1 {
                GATE.pass_blocking();
            }
            Err(DbError::Down(run))
        }

        testing::isolated(|| {
            db().unwrap_err();
            testing::advance(SECOND);
            let context = Context::capture();
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let context = context.clone();
                    started(move || context.run(|| pause(db().unwrap_err()).is_some()))
                })
                .collect();
            until(|| GATE.arrived() == 1);
            GATE.open();
            let refused = threads.iter().filter(|thread| ended(thread)).count();
            assert_eq!((refused, RUNS.load(Ordering::SeqCst)), (7, 2));
            // The second failure in a row of a fixed pause.
            assert_eq!(pause(db().unwrap_err()).unwrap().0, SECOND);
        });
    }
}

//! Singletons with `scope = invocation`: made once in each, and nobody else's. How they go: `invocation_ends.rs`.

use lifecycle::testing::{isolated, isolated_async};
use lifecycle::{Context, Singleton, SingletonError, current_invocation, invocation, invocation_blocking, singleton};
use lifecycle_tests::{ByHand, Gate, gives_way, runtime, said};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

#[singleton(scope = invocation)]
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<u32>>);

#[singleton(scope = invocation)]
fn user() -> String {
    format!("user of {}", current_invocation().unwrap().id())
}

#[test]
fn each_invocation_has_its_own() {
    isolated(|| {
        let handle = |item| {
            let seen = Seen::current();
            seen.0.lock().unwrap().push(item);
            seen.0.lock().unwrap().clone()
        };
        assert_eq!(invocation_blocking("a", || (handle(1), handle(2))), (vec![1], vec![1, 2]));
        assert_eq!(invocation_blocking("b", || handle(3)), [3]);
        assert_eq!(invocation_blocking("c", || user().to_string()), "user of c");
        invocation_blocking("outer", || {
            assert_eq!(handle(4), [4]);
            assert_eq!(invocation_blocking("inner", || handle(5)), [5]);
            assert_eq!(handle(6), [4, 6]);
        });
    });
}

#[test]
fn it_is_one_for_all_tasks_and_threads_of_an_invocation() {
    static MADE: AtomicU32 = AtomicU32::new(0);

    #[singleton(scope = invocation, factory = || { std::thread::yield_now(); Once(MADE.fetch_add(1, SeqCst)) })]
    struct Once(u32);

    isolated(|| {
        for round in 0..20 {
            invocation_blocking("a", || {
                let threads: Vec<_> = (0..4)
                    .map(|_| {
                        let context = Context::capture();
                        std::thread::spawn(move || context.run(|| Once::current().0))
                    })
                    .collect();
                threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), round));
            });
        }
    });
}

#[test]
fn outside_of_any_invocation_there_is_none() {
    isolated(|| {
        assert!(matches!(Seen::try_current(), Err(SingletonError::NoInvocation { name }) if name == "seen"));
        assert!(Seen::get().is_none() && !Seen::is_created() && !Seen::delete());
        let panic = std::panic::catch_unwind(|| _ = Seen::current()).unwrap_err();
        let text = said(&*panic);
        assert!(text.contains("`seen`") && text.contains("lifecycle::invocation(id, ..)"), "{text}");
        assert!(text.contains("Context::capture()"), "{text}");
        let panic = std::panic::catch_unwind(|| _ = Seen::replace(Seen::default())).unwrap_err();
        assert!(said(&*panic).contains("lives for an invocation"));
        let by_name = lifecycle::singletons().get_or_create("seen", Seen::default).unwrap_err();
        assert!(by_name.to_string().contains("lives for an invocation"), "{by_name}");
    });
}

#[test]
fn a_process_wide_singleton_cannot_be_made_of_one() {
    #[singleton(factory = || Report(user().len()))]
    #[derive(Debug)]
    struct Report(#[allow(dead_code, reason = "never made")] usize);

    #[singleton]
    fn careful() -> Result<usize, SingletonError> {
        Ok(Seen::try_current()?.0.lock().unwrap().len())
    }

    #[singleton(async_factory = || async { gives_way(1).await; Later(user().len()) })]
    #[derive(Debug)]
    struct Later(usize);

    isolated(|| {
        invocation_blocking("a", || {
            let panic = std::panic::catch_unwind(Report::instance).unwrap_err();
            let text = said(&*panic);
            assert!(
                text.starts_with("a process-wide singleton cannot be made from one that lives for an invocation"),
                "{text}"
            );
            assert!(
                text.contains("report (") && text.contains("user (") && text.contains("scope = invocation"),
                "{text}"
            );
            assert!(matches!(
                careful(),
                Err(SingletonError::Factory { .. } | SingletonError::OutlivesInvocation { .. })
            ));
        });
        // An invocation inside the factory is over before the factory is.
        #[singleton(factory = || Sample(invocation_blocking("inner", || user().len())))]
        struct Sample(usize);
        assert_eq!(Sample::instance().0, "user of inner".len());
    });
    runtime().block_on(isolated_async(async {
        let mut later = ByHand::new(invocation("a", async { Later::instance().await.0 }));
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| later.poll_while_woken()));
        assert!(said(&*polled.unwrap_err()).contains("later ("));
    }));
}

#[test]
fn neither_can_one_with_a_key_or_a_name_nor_by_way_of_a_thread() {
    #[singleton(keyed)]
    fn by_key(_key: u8) -> usize {
        user().len()
    }

    #[singleton]
    fn on_a_thread() -> Result<usize, SingletonError> {
        let context = Context::capture();
        let there = std::thread::spawn(move || context.run(|| Seen::try_current().map(drop)));
        there.join().unwrap().map(|()| 7)
    }

    isolated(|| {
        invocation_blocking("a", || {
            let keyed = std::panic::catch_unwind(|| by_key(3)).unwrap_err();
            assert!(said(&*keyed).contains("by_key[3]"), "{}", said(&*keyed));
            let named = || lifecycle::singletons().get_or_create("named", || user().len());
            let named = std::panic::catch_unwind(named).unwrap_err();
            assert!(said(&*named).contains("cannot be made from one that lives for an invocation: named needs user"));
            let error = on_a_thread().unwrap_err();
            assert!(
                matches!(&error, SingletonError::OutlivesInvocation { name, .. } if name.starts_with("on_a_thread"))
            );
        });
    });
}

#[test]
fn hundreds_at_a_time_on_many_threads_stay_apart() {
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    many.block_on(async {
        let handle = |number: u32| async move {
            let own = async move {
                for step in 0..5 {
                    Seen::current().0.lock().unwrap().push(number + step);
                    let part = tokio::spawn(Context::capture().wrap(async { user().to_string() }));
                    tokio::task::yield_now().await;
                    assert_eq!(part.await.unwrap(), format!("user of {number}"));
                }
                Seen::current().0.lock().unwrap().clone()
            };
            assert_eq!(invocation(number.to_string(), own).await, (0..5).map(|step| number + step).collect::<Vec<_>>());
        };
        let all: Vec<_> = (0..300).map(|number| tokio::spawn(handle(number * 10))).collect();
        for one in all {
            one.await.unwrap();
        }
    });
}

#[test]
fn one_may_be_made_of_another_and_of_the_process_s() {
    #[singleton]
    fn pool() -> u32 {
        7
    }

    #[singleton(scope = invocation)]
    fn connection() -> (u32, String) {
        (*pool(), user().to_string())
    }

    isolated(|| {
        invocation_blocking("a", || assert_eq!(*connection(), (7, "user of a".to_owned())));
        invocation_blocking("b", || assert_eq!(connection().1, "user of b"));
        assert!(lifecycle::handle(pool).unwrap().is_created());
    });
}

#[test]
fn those_that_need_each_other_are_told_the_circle() {
    #[singleton(scope = invocation)]
    fn hen() -> u32 {
        *egg()
    }

    #[singleton(scope = invocation)]
    fn egg() -> u32 {
        *hen()
    }

    isolated(|| {
        let panic = std::panic::catch_unwind(|| invocation_blocking("a", || _ = hen())).unwrap_err();
        let text = said(&*panic);
        assert!(text.contains("hen (") && text.contains("-> egg ("), "{text}");
    });
}

#[test]
fn a_failure_is_tried_again_in_the_same_invocation() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[derive(Debug, thiserror::Error)]
    #[error("not yet")]
    struct NotYet;

    #[singleton(scope = invocation)]
    fn flaky() -> Result<u32, NotYet> {
        match RUNS.fetch_add(1, SeqCst) {
            0 => Err(NotYet),
            run => Ok(run),
        }
    }

    #[singleton(scope = invocation)]
    async fn slow_flaky() -> Result<u32, NotYet> {
        gives_way(2).await;
        match RUNS.fetch_add(1, SeqCst) {
            2 => Err(NotYet),
            run => Ok(run),
        }
    }

    runtime().block_on(isolated_async(async {
        invocation("a", async {
            assert!(flaky().is_err());
            assert_eq!((*flaky().unwrap(), *flaky().unwrap()), (1, 1));
            assert!(slow_flaky().await.is_err());
            assert_eq!((*slow_flaky().await.unwrap(), *slow_flaky().await.unwrap()), (3, 3));
            assert_eq!(lifecycle::handle(flaky).unwrap().stats().failures, 1);
        })
        .await;
        // Failures are remembered beyond the invocation.
        assert_eq!(lifecycle::handle(flaky).unwrap().stats().failures, 1);
        RUNS.store(0, SeqCst);
        invocation("b", async { assert!(flaky().is_err()) }).await;
        let stats = lifecycle::handle(flaky).unwrap().stats();
        assert_eq!((stats.failures, stats.last_error.as_deref()), (2, Some("not yet")));
    }));
}

#[test]
fn the_snapshot_lists_them_with_how_many_there_are() {
    isolated(|| {
        let stats = || lifecycle::snapshot().singletons.into_iter().find(|one| one.name == "seen").unwrap();
        assert_eq!((stats().alive, stats().created), (Some(0), false));
        let gate = Arc::new(Gate::new());
        let start = |id: &str| {
            let gate = gate.clone();
            ByHand::new(invocation(id, async move {
                Seen::current();
                gate.pass().await;
            }))
        };
        let (mut one, mut other) = (start("a"), start("b"));
        assert!(one.poll().is_pending() && other.poll().is_pending());
        assert_eq!((stats().alive, stats().created, stats().accesses), (Some(2), false, 2));
        invocation_blocking("c", || {
            Seen::current();
            Seen::current();
            assert_eq!((stats().alive, stats().created, stats().accesses), (Some(3), true, 4));
            assert!(Seen::delete());
            assert_eq!((stats().alive, stats().created, stats().accesses), (Some(2), false, 4));
        });
        drop(other);
        gate.open();
        assert!(one.poll().is_ready());
        assert_eq!((stats().alive, stats().accesses), (Some(0), 4));
        assert!(lifecycle::snapshot().to_string().contains("one an invocation"), "{}", lifecycle::snapshot());
    });
}

#[test]
fn it_is_replaced_and_stood_in_for_in_its_invocation_only() {
    isolated(|| {
        let first = |seen: &Seen| seen.0.lock().unwrap().first().copied();
        let of = |item| Seen(Mutex::new(vec![item]));
        invocation_blocking("a", || {
            assert!(Seen::replace(of(1)).is_none());
            assert_eq!(first(&Seen::current()), Some(1));
            let stand_in = Seen::override_with(of(2));
            assert_eq!(first(&Seen::current()), Some(2));
            invocation_blocking("b", || assert_eq!(first(&Seen::current()), None));
            drop(stand_in);
            assert_eq!(first(&Seen::current()), Some(1));
            let by_name = lifecycle::singletons().get::<Seen>("seen").unwrap().unwrap();
            assert_eq!(first(&by_name), Some(1));
        });
        // For tests of code that asks, without an invocation around it.
        let _stand_in = Seen::override_with(of(3));
        assert_eq!(first(&Seen::current()), Some(3));
        invocation_blocking("c", || assert_eq!(first(&Seen::current()), Some(3)));
    });
}

#[test]
fn the_forms_of_factories() {
    #[singleton(scope = invocation, try_factory = || "7".parse::<u32>().map(Parsed))]
    struct Parsed(u32);

    #[singleton(scope = invocation, async_factory = || async { gives_way(1).await; Fetched(8) })]
    struct Fetched(u32);

    #[singleton(scope = invocation, try_async_factory = || async { "x".parse::<u32>().map(Broken) })]
    #[derive(Debug)]
    struct Broken(#[allow(dead_code, reason = "shown")] u32);

    #[singleton(scope = invocation)]
    #[derive(Default, PartialEq, Debug)]
    enum Step {
        #[default]
        First,
    }

    runtime().block_on(isolated_async(invocation("a", async {
        assert_eq!(Parsed::try_current().unwrap().0, 7);
        assert_eq!((Fetched::current().await.0, Fetched::try_current().await.unwrap().0), (8, 8));
        assert!(matches!(Broken::try_current().await, Err(SingletonError::Factory { .. })));
        assert_eq!(*Step::current(), Step::First);
    })));
}

#[test]
fn hooks_that_run_on_everything_see_those_of_this_invocation() {
    #[singleton(scope = invocation, reset = |cache: &Mutex<Vec<u8>>| cache.lock().unwrap().clear(),
        pressure = |cache: &Mutex<Vec<u8>>| cache.lock().unwrap().len(), health = |_: &Mutex<Vec<u8>>| false)]
    fn cache() -> Mutex<Vec<u8>> {
        Mutex::new(vec![1, 2, 3])
    }

    isolated(|| {
        invocation_blocking("a", || {
            cache();
            assert_eq!(lifecycle::run_pressure_hooks(), 3);
            assert!(lifecycle::run_reset_hooks().is_clean());
            assert!(cache().lock().unwrap().is_empty());
            let health = lifecycle::health_blocking(std::time::Duration::from_secs(1));
            assert_eq!(health.checks.len(), 1);
        });
        assert_eq!(lifecycle::run_pressure_hooks(), 0);
    });
}

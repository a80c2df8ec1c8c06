//! `shutdown`: dependents first, everything reported, nothing created meanwhile or afterwards.

use lifecycle::{
    Context, Current, HookOutcomeReport, ShutdownLimits, ShutdownReport, SingletonError, shutdown, shutdown_blocking,
    singleton, testing,
};
use lifecycle_tests::{ByHand, Gate, ended, gives_way, runtime, started, until, watched};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::task::Poll;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(1000);
const SECOND: Duration = Duration::from_secs(1);

fn names(report: &ShutdownReport) -> Vec<&str> {
    report.hooks.iter().map(|hook| hook.name.as_str()).collect()
}

#[track_caller]
fn outcome<'a>(report: &'a ShutdownReport, name: &str) -> &'a HookOutcomeReport {
    &report.hooks.iter().find(|hook| hook.name == name).unwrap_or_else(|| panic!("no `{name}`: {report:?}")).outcome
}

mod in_order {
    use super::*;

    #[singleton(shutdown = |_: &u8| ())]
    fn config() -> u8 {
        1
    }

    #[singleton(shutdown = |_: &u8| async {})]
    async fn pool() -> u8 {
        *config()
    }

    #[singleton(factory = Server::make, shutdown = |_: &Server| Ok::<(), String>(()), depends_on(Cache, queue, "config"))]
    struct Server;

    impl Server {
        fn make() -> Self {
            Self
        }
    }

    #[singleton(shutdown = |_: &Cache| ())]
    #[derive(Default)]
    struct Cache;

    #[singleton(shutdown = |_: &u8| (), depends_on(pool))]
    fn queue() -> u8 {
        2
    }

    #[singleton(shutdown = |_: &u8| -> () { panic!("it does not exist") })]
    #[allow(dead_code)]
    fn unused() -> u8 {
        3
    }

    #[test]
    fn dependents_come_first_by_what_was_seen_and_by_what_was_declared() {
        watched(|| {
            runtime().block_on(testing::isolated_async(async {
                // In an order of creation that says nothing.
                Server::instance();
                config();
                queue();
                Cache::instance();
                pool().await;
                let report = shutdown(LONG).await;
                assert!(report.is_clean(), "{report}");
                let levels: Vec<_> = report.hooks.iter().map(|hook| (hook.name.as_str(), hook.level)).collect();
                assert_eq!(levels.first(), Some(&("server", 0)));
                let mut second = levels[1..3].to_vec();
                second.sort_unstable();
                assert_eq!(second, [("cache", 1), ("queue", 1)]);
                assert_eq!(levels[3..], [("pool", 2), ("config", 3)]);
                assert!(report.to_string().starts_with("shut down in "), "{report}");
            }));
        });
    }
}

mod of_one_name {
    use super::*;

    static RAN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    fn ran(instance: &u8) {
        RAN.lock().unwrap().push(*instance);
    }

    mod first {
        #[lifecycle::singleton(shutdown = super::ran)]
        pub(crate) fn twin() -> u8 {
            1
        }
    }

    mod second {
        #[lifecycle::singleton(shutdown = super::ran)]
        pub(crate) fn twin() -> u8 {
            2
        }
    }

    #[test]
    fn singletons_of_the_same_name_are_all_shut_down() {
        testing::isolated(|| {
            first::twin();
            second::twin();
            let report = shutdown_blocking(LONG);
            assert_eq!((names(&report), report.is_clean()), (vec!["twin", "twin"], true));
            RAN.lock().unwrap().sort_unstable();
            assert_eq!(*RAN.lock().unwrap(), [1, 2]);
        });
    }
}

#[test]
fn hooks_of_one_level_run_at_the_same_time() {
    static BOTH: Barrier = Barrier::new(2);
    static GATE: Gate = Gate::new();

    #[singleton(shutdown = |_: &u8| _ = BOTH.wait())]
    fn here() -> u8 {
        1
    }
    #[singleton(shutdown = |_: &u8| _ = BOTH.wait())]
    fn there() -> u8 {
        2
    }
    #[singleton(shutdown = |_: &u8| GATE.pass())]
    fn waits() -> u8 {
        3
    }
    #[singleton(shutdown = |_: &u8| async { GATE.open() })]
    fn opens() -> u8 {
        4
    }

    watched(|| {
        testing::isolated(|| {
            _ = (here(), there(), waits(), opens());
            let report = shutdown_blocking(LONG);
            assert_eq!((report.hooks.len(), report.is_clean()), (4, true), "{report}");
        });
    });
}

mod gone_wrong {
    use super::*;

    static GATE: Gate = Gate::new();

    #[singleton(shutdown = |_: &u8| Err("no disk"))]
    fn fails() -> u8 {
        1
    }
    #[singleton(shutdown = |_: &u8| -> () { panic!("no luck") })]
    fn panics() -> u8 {
        2
    }
    #[singleton(shutdown = |_: &u8| async { assert!(lifecycle_tests::not_ever(), "no luck later") })]
    fn panics_later() -> u8 {
        3
    }
    #[singleton(shutdown = |_: &u8| GATE.pass_blocking(), depends_on(bottom))]
    fn hangs() -> u8 {
        4
    }
    #[singleton(shutdown = |_: &u8| std::future::pending::<()>())]
    fn hangs_later() -> u8 {
        5
    }
    #[singleton(shutdown = |_: &u8| (), depends_on(fails, panics, panics_later, hangs, hangs_later))]
    fn top() -> u8 {
        6
    }
    #[singleton(shutdown = |_: &u8| async { gives_way(3).await; Ok::<(), String>(()) })]
    fn bottom() -> u8 {
        7
    }
    #[singleton(depends_on(bottom))]
    fn between() -> u8 {
        *bottom()
    }

    /// In a world on its clock, moved by `step` until it is over.
    fn shut_down(limits: ShutdownLimits, step: Duration) -> ShutdownReport {
        testing::isolated(|| {
            _ = (fails(), panics(), panics_later(), hangs(), hangs_later(), top(), between());
            let context = Context::capture();
            let call = started(move || context.run(|| shutdown_blocking(limits)));
            loop {
                if let Ok(report) = call.recv_timeout(Duration::from_millis(2)) {
                    return report;
                }
                testing::advance(step);
            }
        })
    }

    #[test]
    fn what_fails_panics_or_hangs_is_reported_and_the_rest_runs() {
        for limits in [ShutdownLimits::total(LONG).per_hook(10 * SECOND), ShutdownLimits::total(30 * SECOND)] {
            let report = watched(move || shut_down(limits, SECOND / 4));
            assert_eq!(report.hooks.len(), 7, "{report}");
            assert_eq!(outcome(&report, "fails"), &HookOutcomeReport::Failed("no disk".to_owned()));
            assert_eq!(outcome(&report, "panics"), &HookOutcomeReport::Panicked("no luck".to_owned()));
            assert_eq!(outcome(&report, "panics_later"), &HookOutcomeReport::Panicked("no luck later".to_owned()));
            for late in ["hangs", "hangs_later"] {
                assert_eq!(outcome(&report, late), &HookOutcomeReport::TimedOut);
            }
            for fine in ["top", "bottom"] {
                assert_eq!(outcome(&report, fine), &HookOutcomeReport::Done);
            }
            assert!(!report.is_clean());
            let hung = report.hooks.iter().find(|hook| hook.name == "hangs").unwrap().took;
            assert!(hung >= 10 * SECOND && hung < 30 * SECOND, "its own limit, or its share of the total: {hung:?}");
            assert!(report.to_string().contains("\n`hangs` not done after 1"), "{report}");
        }
        GATE.open();
    }
}

mod refused {
    use super::*;

    #[singleton]
    fn exists() -> Result<u8, SingletonError> {
        Ok(1)
    }
    #[singleton]
    fn missing() -> Result<u8, SingletonError> {
        Ok(1)
    }
    #[singleton]
    async fn missing_async() -> Result<u8, SingletonError> {
        Ok(1)
    }
    #[singleton(keyed)]
    fn keyed(_key: u8) -> Result<u8, SingletonError> {
        Ok(1)
    }
    #[singleton(shutdown = |_: &u8| refusals())]
    fn hooked() -> u8 {
        1
    }

    fn is_refused<T>(outcome: Result<T, SingletonError>) -> bool {
        matches!(outcome, Err(SingletonError::ShuttingDown { .. }))
    }

    fn refusals() -> Result<(), String> {
        let by_name = lifecycle::singletons().get_or_create("made_up", || 1_u8);
        let refused = [
            is_refused(missing()),
            matches!(ByHand::new(missing_async()).poll(), Poll::Ready(Err(SingletonError::ShuttingDown { .. }))),
            is_refused(keyed(2)),
            matches!(by_name, Err(lifecycle::Error::Singleton(SingletonError::ShuttingDown { .. }))),
            lifecycle::is_shutting_down(),
        ];
        let readable = exists().is_ok_and(|one| *one == 1) && keyed(1).is_ok() && *hooked() == 1;
        if refused == [true; 5] && readable { Ok(()) } else { Err(format!("{refused:?}, {readable}")) }
    }

    #[test]
    fn creation_is_refused_in_that_world_only_and_reading_stays_legal() {
        testing::isolated(|| {
            _ = (exists().unwrap(), keyed(1).unwrap(), hooked());
            testing::isolated(|| {
                hooked();
                let report = watched_here(|| shutdown_blocking(LONG));
                assert!(!report.is_clean(), "there `exists` does not: {report}");
            });
            assert!(!lifecycle::is_shutting_down());
            assert!(!lifecycle::singletons().has("missing"));
            let report = watched_here(|| shutdown_blocking(LONG));
            assert!(report.is_clean(), "from within the hook: {report}");
            refusals().unwrap();
            let text = missing().unwrap_err().to_string();
            assert_eq!(text, "singleton `missing` is not created any more: the process is shutting down");
        });
        assert!(!lifecycle::is_shutting_down());
        missing().unwrap();
    }

    fn watched_here<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
        let context = Context::capture();
        watched(move || context.run(f))
    }
}

mod called_again {
    use super::*;

    static RUNS: AtomicUsize = AtomicUsize::new(0);
    static GATE: Gate = Gate::new();
    static THREADS_GATE: Gate = Gate::new();

    #[singleton(shutdown = |_: &u8| { RUNS.fetch_add(1, Ordering::SeqCst); GATE.pass() })]
    fn gated() -> u8 {
        1
    }
    #[singleton(shutdown = |_: &u8| { RUNS.fetch_add(1, Ordering::SeqCst); THREADS_GATE.pass_blocking() })]
    fn gated_thread() -> u8 {
        1
    }
    #[singleton(shutdown = |_: &u8| _ = RUNS.fetch_add(1, Ordering::SeqCst))]
    fn below() -> u8 {
        2
    }
    #[singleton(depends_on(below, gated_thread))]
    fn above() -> u8 {
        2
    }

    #[test]
    fn a_call_that_was_dropped_is_gone_on_with_and_one_that_comes_later_is_told_the_same() {
        testing::isolated(|| {
            _ = (gated(), gated_thread(), below(), above());
            let mut dropped = ByHand::new(shutdown(LONG));
            // `gated` begins on a thread, which gives its future; `gated_thread` is a level below it.
            until(|| dropped.poll().is_pending() && GATE.arrived() == 1);
            let mut impatient = ByHand::new(shutdown(SECOND));
            assert!(impatient.poll().is_pending());
            testing::advance(SECOND);
            let Poll::Ready(told) = impatient.poll() else { panic!("it waits on") };
            assert_eq!(outcome(&told, "gated"), &HookOutcomeReport::TimedOut);
            assert!(!told.is_clean(), "what is under way is not done");
            drop(dropped);
            let mut second = ByHand::new(shutdown(LONG));
            assert!(second.poll().is_pending());
            GATE.open();
            assert!(second.is_woken());
            // On to the next level, where a thread is at it.
            until(|| second.poll().is_pending() && THREADS_GATE.arrived() == 1);
            drop(second);
            let mut third = ByHand::new(shutdown(LONG));
            let mut fourth = ByHand::new(shutdown(LONG));
            assert!(third.poll().is_pending() && fourth.poll().is_pending());
            THREADS_GATE.open();
            let report = loop {
                if let Poll::Ready(report) = third.poll() {
                    break report;
                }
                std::thread::yield_now();
            };
            assert_eq!((report.is_clean(), RUNS.load(Ordering::SeqCst)), (true, 3), "{report}");
            assert_eq!(fourth.poll(), Poll::Ready(report.clone()));
            assert_eq!(shutdown_blocking(SECOND), report);
        });
    }
}

mod under_way {
    use super::*;

    #[test]
    fn a_factory_somebody_waits_for_may_end() {
        #[singleton(shutdown = |_: &u8| ())]
        async fn ends() -> Result<u8, SingletonError> {
            gives_way(6).await;
            Ok(7)
        }
        for polls in 1..=6 {
            testing::isolated(|| {
                let mut caller = ByHand::new(ends());
                (0..polls).for_each(|_| assert!(caller.poll().is_pending()));
                let mut call = ByHand::new(shutdown(LONG));
                assert!(call.poll().is_pending(), "{polls}");
                assert!(matches!(caller.poll_while_woken(), Poll::Ready(Ok(7))), "after {polls} polls");
                let report = loop {
                    if let Poll::Ready(report) = call.poll() {
                        break report;
                    }
                };
                assert_eq!((names(&report), report.abandoned), (vec!["ends"], 0));
            });
        }
    }

    #[test]
    fn somebody_who_was_just_woken_still_counts_as_waiting() {
        static FIRST: Gate = Gate::new();
        static SECOND: Gate = Gate::new();

        #[singleton]
        async fn gated() -> Result<u8, SingletonError> {
            FIRST.pass().await;
            SECOND.pass().await;
            Ok(7)
        }
        testing::isolated(|| {
            let mut caller = ByHand::new(gated());
            assert!(caller.poll().is_pending());
            FIRST.open();
            assert!(caller.is_woken() && caller.poll().is_pending());
            let mut call = ByHand::new(shutdown(LONG));
            assert!(call.poll().is_pending());
            SECOND.open();
            assert!(matches!(caller.poll_while_woken(), Poll::Ready(Ok(7))));
            assert!(matches!(call.poll_while_woken(), Poll::Ready(report) if report.is_clean()));
        });
    }

    #[test]
    fn one_that_nobody_waits_for_is_given_up_at_once() {
        #[singleton]
        async fn left_alone() -> Result<u8, SingletonError> {
            std::future::pending().await
        }
        testing::isolated(|| {
            assert!(ByHand::new(left_alone()).poll().is_pending());
            assert_eq!(watched_report().abandoned, 0);
        });

        fn watched_report() -> ShutdownReport {
            match ByHand::new(shutdown(LONG)).poll_while_woken() {
                Poll::Ready(report) => report,
                Poll::Pending => panic!("it waits"),
            }
        }
    }

    #[test]
    fn what_does_not_end_in_time_is_given_up_counted_and_not_kept() {
        static GATE: Gate = Gate::new();
        static DROPPED: AtomicUsize = AtomicUsize::new(0);

        #[derive(Debug)]
        struct Noted;
        impl Drop for Noted {
            fn drop(&mut self) {
                DROPPED.fetch_add(1, Ordering::SeqCst);
            }
        }

        #[singleton(shutdown = |_: &Noted| -> () { panic!("never to exist") })]
        fn blocked() -> Result<Noted, SingletonError> {
            GATE.pass_blocking();
            Ok(Noted)
        }
        #[singleton]
        async fn pending() -> Result<u8, SingletonError> {
            std::future::pending().await
        }

        testing::isolated(|| {
            let context = Context::capture();
            let thread = started(move || context.run(|| blocked().map(|_| ())));
            until(|| GATE.arrived() == 1);
            let mut task = ByHand::new(pending());
            assert!(task.poll().is_pending());
            let mut call = ByHand::new(shutdown(10 * SECOND));
            assert!(call.poll_while_woken().is_pending());
            testing::advance(5 * SECOND);
            assert!(call.is_woken(), "half of the time is theirs");
            let Poll::Ready(report) = call.poll_while_woken() else { panic!("it waits on") };
            assert_eq!((report.abandoned, report.is_clean(), report.hooks.len()), (2, false, 0));
            assert!(report.to_string().contains("2 factories abandoned"), "{report}");
            assert!(task.is_woken());
            assert!(matches!(task.poll(), Poll::Ready(Err(SingletonError::ShuttingDown { .. }))));
            GATE.open();
            assert!(matches!(ended(&thread), Err(SingletonError::ShuttingDown { .. })));
            assert_eq!(DROPPED.load(Ordering::SeqCst), 1);
        });
    }
}

mod kinds {
    use super::*;

    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

    #[singleton(keyed, shutdown = |table: &String| SEEN.lock().unwrap().push(table.clone()))]
    fn table(name: &str) -> Result<String, SingletonError> {
        Ok(format!("{name} in {}", store()?.as_str()))
    }

    #[singleton(swap, shutdown = |store: &String| SEEN.lock().unwrap().push(store.clone()))]
    fn store() -> Result<String, SingletonError> {
        Ok("first".to_owned())
    }

    #[test]
    fn each_key_has_its_hook_and_of_swapped_ones_it_is_the_present_instance_s() {
        watched(|| {
            testing::isolated(|| {
                _ = (table("a").unwrap(), table("b").unwrap());
                let first: Current<String> = store().unwrap();
                lifecycle::handle(store).unwrap().replace("second".to_owned()).unwrap();
                let report = shutdown_blocking(LONG);
                assert!(report.is_clean(), "{report}");
                let mut keys = names(&report)[..2].to_vec();
                keys.sort_unstable();
                assert_eq!((keys, names(&report)[2]), (vec!["table[a]", "table[b]"], "store"));
                let mut seen = SEEN.lock().unwrap().clone();
                assert_eq!(seen.pop().as_deref(), Some("second"));
                seen.sort_unstable();
                assert_eq!(seen, ["a in first", "b in first"]);
                assert_eq!(*first, "first");
            });
        });
    }
}

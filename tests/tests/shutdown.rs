//! `shutdown`: dependents first, everything reported, nothing created meanwhile or afterwards.

use lifecycle::{
    Context, Current, HookOutcomeReport, ShutdownLimits, ShutdownReport, SingletonError, shutdown, shutdown_blocking,
    singleton, testing,
};
use lifecycle_tests::{ByHand, Gate, gives_way, runtime, until, watched};
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

    /// In a world of its own, whose clock is moved once all that is prompt has been heard of.
    fn shut_down(limits: ShutdownLimits) -> ShutdownReport {
        testing::isolated(|| {
            _ = (fails(), panics(), panics_later(), hangs(), hangs_later(), top(), between());
            let mut call = ByHand::new(shutdown(limits));
            let heard = || testing::events().iter().filter(|event| event.name.ends_with("hook_failed")).count();
            until(|| call.poll().is_pending() && heard() == 3);
            while heard() < 5 {
                testing::advance(SECOND / 4);
                assert!(call.poll().is_pending());
            }
            loop {
                if let Poll::Ready(report) = call.poll() {
                    return report;
                }
                std::thread::yield_now();
            }
        })
    }

    #[test]
    fn what_fails_panics_or_hangs_is_reported_and_the_rest_runs() {
        for limits in [ShutdownLimits::total(LONG).per_hook(10 * SECOND), ShutdownLimits::total(30 * SECOND)] {
            let report = watched(move || shut_down(limits));
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
            assert_eq!(
                text,
                "singleton `missing` is not created any more: the process is shutting down (what is needed then is made `eager`)"
            );
        });
        assert!(!lifecycle::is_shutting_down());
        missing().unwrap();
    }

    fn watched_here<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
        let context = Context::capture();
        watched(move || context.run(f))
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

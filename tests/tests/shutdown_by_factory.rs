//! `shutdown` called on behalf of a factory: it does not wait for that, nor for what waits for that, and names it.

use lifecycle::testing::{events, isolated, isolated_async};
use lifecycle::{
    Context, HookOutcomeReport, InitConfig, ShutdownReport, SingletonError, init_flag, initialize, invocation,
    invocation_blocking, shutdown, shutdown_blocking, singleton, singletons,
};
use lifecycle_tests::{ByHand, Gate, driven, ended, gives_way, runtime, started, until, watched};
use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

/// With that nothing but an end ends a wait.
const EVER: Duration = Duration::MAX;

/// What the factories of one world were told.
#[singleton]
#[derive(Default)]
struct Told(Mutex<Vec<ShutdownReport>>);

fn told() -> ShutdownReport {
    Told::instance().0.lock().unwrap().remove(0)
}

fn tell(report: ShutdownReport) {
    Told::instance().0.lock().unwrap().push(report);
}

/// Something to shut down, on two levels: threads are at it.
#[singleton(shutdown = |_: &u8| ())]
fn below() -> u8 {
    1
}

#[singleton(shutdown = |_: &u8| (), depends_on(below))]
fn above() -> u8 {
    2
}

fn something_to_close() {
    _ = (Told::instance(), below(), above());
}

#[track_caller]
fn is_refused<T: std::fmt::Debug>(made: Result<T, SingletonError>) {
    assert!(matches!(made, Err(SingletonError::ShuttingDown { .. })), "{made:?}");
}

/// Everything was shut down, and only those factories were not waited for.
#[track_caller]
fn is_whole_but(report: &ShutdownReport, abandoned: &[&str]) {
    assert_eq!(report.abandoned, abandoned, "{report}");
    let hooks: Vec<&str> = report.hooks.iter().map(|hook| hook.name.as_str()).collect();
    assert_eq!((hooks, report.unfinished.len(), report.is_clean()), (vec!["above", "below"], 0, false), "{report}");
}

#[singleton]
fn closes() -> Result<u8, SingletonError> {
    tell(shutdown_blocking(EVER));
    Ok(7)
}

#[singleton]
async fn closes_later() -> Result<u8, SingletonError> {
    tell(shutdown(EVER).await);
    Ok(7)
}

#[test]
fn one_that_shuts_down_is_not_waited_for_but_named() {
    watched(|| {
        isolated(|| {
            something_to_close();
            is_refused(closes());
            let report = told();
            is_whole_but(&report, &["closes"]);
            let text = report.to_string();
            assert!(text.contains("2 hooks, 1 factory abandoned\n`closes` was not created"), "{text}");
            let events = events();
            let abandoned: Vec<_> = events.iter().filter(|one| one.name == "lifecycle.shutdown.abandoned").collect();
            assert_eq!((abandoned.len(), abandoned[0].component.as_str()), (1, "closes"));
        });
    });
}

#[test]
fn nor_are_those_it_is_made_for() {
    #[singleton]
    fn middle() -> Result<u8, SingletonError> {
        closes().copied()
    }

    #[singleton]
    fn outer() -> Result<u8, SingletonError> {
        middle().copied()
    }

    watched(|| {
        isolated(|| {
            something_to_close();
            is_refused(invocation_blocking("req", outer));
            is_whole_but(&told(), &["outer", "middle", "closes"]);
        });
    });
}

#[test]
fn a_future_shuts_down_to_the_end_also_when_it_is_polled_again_and_again() {
    // What is under way when the hooks begin is given up; this one has them in its hands.
    isolated(|| {
        something_to_close();
        is_refused(driven(&mut ByHand::new(closes_later())));
        is_whole_but(&told(), &["closes_later"]);
    });
    // Behind another one, too.
    #[singleton]
    async fn behind() -> Result<u8, SingletonError> {
        closes_later().await.copied()
    }
    watched(|| {
        runtime().block_on(isolated_async(async {
            something_to_close();
            is_refused(behind().await);
            is_whole_but(&told(), &["behind", "closes_later"]);
        }));
    });
}

#[test]
fn one_that_comes_to_wait_for_it_meanwhile_is_not_waited_for_either() {
    static BEFORE: Gate = Gate::new();

    #[singleton]
    async fn behind() -> Result<u8, SingletonError> {
        BEFORE.pass().await;
        closes_later().await.copied()
    }

    #[singleton]
    async fn stays() -> Result<u8, SingletonError> {
        std::future::pending().await
    }

    isolated(|| {
        something_to_close();
        let mut waits = ByHand::new(behind());
        let mut other = ByHand::new(stays());
        let mut caller = ByHand::new(closes_later());
        assert!(waits.poll().is_pending() && other.poll().is_pending());
        assert!(caller.poll_while_woken().is_pending());
        BEFORE.open();
        assert!(waits.poll_while_woken().is_pending());
        assert!(caller.poll_while_woken().is_pending(), "the other one is waited for");
        drop(other);
        assert!(caller.is_woken());
        is_refused(driven(&mut caller));
        is_refused(driven(&mut waits));
        is_whole_but(&told(), &["behind", "closes_later"]);
    });
}

#[test]
fn an_invocation_that_waits_for_it_is_not_waited_for() {
    static AWAITED: Gate = Gate::new();

    // A task.
    isolated(|| {
        something_to_close();
        let mut caller = ByHand::new(closes_later());
        let mut other = ByHand::new(invocation("other", AWAITED.pass()));
        assert!(other.poll().is_pending() && caller.poll_while_woken().is_pending());
        let mut waits = ByHand::new(invocation("req", closes_later()));
        assert!(waits.poll().is_pending());
        assert!(caller.poll_while_woken().is_pending(), "the other one is waited for");
        AWAITED.open();
        assert!(other.poll().is_ready() && caller.is_woken());
        is_refused(driven(&mut caller));
        is_refused(driven(&mut waits));
        is_whole_but(&told(), &["closes_later"]);
    });
    // A thread, which comes to wait when the shutdown is waiting for its invocations.
    static GATE: Gate = Gate::new();

    isolated(|| {
        something_to_close();
        let (one, other) = (Context::capture(), Context::capture());
        let asks = || {
            GATE.pass_blocking();
            closes()
        };
        let waiter = started(move || other.run(|| invocation_blocking("outer", || invocation_blocking("inner", asks))));
        until(|| GATE.arrived() == 1);
        let maker = started(move || one.run(closes));
        until(lifecycle::is_shutting_down);
        GATE.open();
        is_refused(ended(&maker));
        is_refused(ended(&waiter));
        is_whole_but(&told(), &["closes"]);
    });
}

#[test]
fn one_that_joins_a_shutdown_under_way_holds_it_up_no_longer() {
    static GATE: Gate = Gate::new();

    #[singleton]
    async fn joins() -> Result<u8, SingletonError> {
        GATE.pass().await;
        tell(shutdown(EVER).await);
        Ok(7)
    }

    isolated(|| {
        something_to_close();
        let (mut made, mut down) = (ByHand::new(joins()), ByHand::new(shutdown(EVER)));
        assert!(made.poll().is_pending() && down.poll_while_woken().is_pending());
        GATE.open();
        assert!(made.poll_while_woken().is_pending());
        assert!(down.is_woken(), "from now on each waits for the other");
        let report = driven(&mut down);
        is_whole_but(&report, &["joins"]);
        assert!(made.is_woken());
        is_refused(driven(&mut made));
        assert_eq!(told(), report);
    });
}

#[test]
fn one_that_gives_its_call_up_is_waited_for_again() {
    static GATE: Gate = Gate::new();

    #[singleton(shutdown = |_: &u8| ())]
    async fn gives_up() -> Result<u8, SingletonError> {
        let mut call = ByHand::new(shutdown(EVER));
        // There is another one to wait for.
        assert!(call.poll().is_pending());
        drop(call);
        GATE.pass().await;
        Ok(7)
    }

    #[singleton]
    async fn stays() -> Result<u8, SingletonError> {
        GATE.pass().await;
        Ok(8)
    }

    isolated(|| {
        let (mut made, mut other) = (ByHand::new(gives_up()), ByHand::new(stays()));
        assert!(other.poll().is_pending());
        let mut down = ByHand::new(shutdown(EVER));
        assert!(made.poll().is_pending());
        assert!(down.poll_while_woken().is_pending());
        GATE.open();
        assert!(matches!(other.poll(), Poll::Ready(Ok(8))));
        assert!(down.poll_while_woken().is_pending(), "it is waited for");
        assert!(matches!(made.poll(), Poll::Ready(Ok(7))));
        let report = driven(&mut down);
        assert_eq!((report.is_clean(), report.hooks.len()), (true, 1), "{report}");
    });
}

#[test]
fn a_thread_that_the_factory_waits_for_may_be_the_one_that_calls_it() {
    #[singleton]
    fn closes_elsewhere() -> Result<u8, SingletonError> {
        let context = Context::capture();
        std::thread::spawn(move || context.run(|| tell(shutdown_blocking(EVER)))).join().unwrap();
        Ok(7)
    }

    watched(|| {
        isolated(|| {
            something_to_close();
            is_refused(closes_elsewhere());
            is_whole_but(&told(), &["closes_elsewhere"]);
        });
    });
}

#[test]
fn a_hook_that_asks_for_what_is_not_made_any_more_is_refused_at_once() {
    static GATE: Gate = Gate::new();
    static ASKED: Mutex<Vec<bool>> = Mutex::new(Vec::new());

    #[singleton]
    fn joins() -> Result<u8, SingletonError> {
        GATE.pass_blocking();
        tell(shutdown_blocking(EVER));
        Ok(7)
    }

    #[singleton]
    async fn joins_later() -> Result<u8, SingletonError> {
        GATE.pass().await;
        tell(shutdown(EVER).await);
        Ok(7)
    }

    #[singleton(shutdown = |_: &u8| {
        // Waiting for one would be waiting for what waits for this hook.
        ASKED.lock().unwrap().push(matches!(joins(), Err(SingletonError::ShuttingDown { .. })));
        async {
            let refused = matches!(joins_later().await, Err(SingletonError::ShuttingDown { .. }));
            ASKED.lock().unwrap().push(refused);
        }
    })]
    fn curious() -> u8 {
        1
    }

    isolated(|| {
        _ = (Told::instance(), curious());
        let [one, other] = [Context::capture(), Context::capture()];
        let mut task = ByHand::new(joins_later());
        assert!(task.poll().is_pending());
        let maker = started(move || one.run(joins));
        until(|| GATE.arrived() == 2);
        let waiter = started(move || other.run(joins));
        let mut down = ByHand::new(shutdown(EVER));
        assert!(down.poll_while_woken().is_pending());
        GATE.open();
        assert!(task.poll_while_woken().is_pending(), "it waits for the shutdown");
        let report = driven(&mut down);
        assert_eq!((report.hooks.len(), report.abandoned.len()), (1, 2), "{report}");
        assert_eq!(*ASKED.lock().unwrap(), [true, true]);
        is_refused(ended(&maker));
        is_refused(ended(&waiter));
        is_refused(driven(&mut task));
    });
}

#[test]
fn a_hook_that_calls_it_is_told_what_was_done_so_far() {
    static SO_FAR: Mutex<Vec<ShutdownReport>> = Mutex::new(Vec::new());

    #[singleton(shutdown = |_: &u8| SO_FAR.lock().unwrap().push(shutdown_blocking(EVER)))]
    fn first() -> u8 {
        1
    }

    #[singleton(shutdown = |_: &u8| async {
        gives_way(2).await;
        let report = shutdown(EVER).await;
        SO_FAR.lock().unwrap().push(report);
    })]
    fn second() -> u8 {
        *first()
    }

    isolated(|| {
        second();
        let report = driven(&mut ByHand::new(shutdown(EVER)));
        assert!(report.is_clean() && report.hooks.len() == 2, "{report}");
        let so_far = std::mem::take(&mut *SO_FAR.lock().unwrap());
        let late = HookOutcomeReport::TimedOut;
        let told = so_far.iter().map(|report| report.hooks.iter().map(|hook| (hook.name.as_str(), &hook.outcome)));
        let told: Vec<Vec<_>> = told.map(Iterator::collect).collect();
        assert_eq!(told, [vec![("second", &late)], vec![("second", &HookOutcomeReport::Done), ("first", &late)]]);
    });
}

#[test]
fn steps_keyed_ones_and_those_made_by_name_are_factories_too() {
    #[singleton(keyed)]
    fn for_tenant(tenant: &str) -> Result<usize, SingletonError> {
        tell(shutdown_blocking(EVER));
        Ok(tenant.len())
    }

    #[init_flag(on_initialize, init_timeout = "5s")]
    fn step() {
        tell(shutdown_blocking(EVER));
    }

    watched(|| {
        isolated(|| {
            something_to_close();
            is_refused(for_tenant("acme"));
            is_whole_but(&told(), &["for_tenant[acme]"]);
        });
        isolated(|| {
            something_to_close();
            let made = singletons().get_or_create("by_name", || {
                tell(shutdown_blocking(EVER));
                7u8
            });
            assert!(made.is_err(), "{made:?}");
            is_whole_but(&told(), &["by_name"]);
        });
        isolated(|| {
            something_to_close();
            assert!(initialize(InitConfig::new()).is_err());
            is_whole_but(&told(), &["initialize", "step"]);
        });
    });
}

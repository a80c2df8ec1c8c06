//! Who calls `shutdown`: calls that are given up, that move, and that are made in hooks and from several places at a time.

use lifecycle::testing::isolated;
use lifecycle::{
    Context, ShutdownReport, SingletonError, invocation, invocation_blocking, shutdown, shutdown_blocking, singleton,
};
use lifecycle_tests::{ByHand, Gate, driven, ended, gives_way, runtime, started, until, watched};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

/// With that nothing but an end ends a wait.
const EVER: Duration = Duration::MAX;

#[singleton(shutdown = |_: &u8| ())]
fn pool() -> u8 {
    1
}

#[singleton]
async fn closes_later() -> Result<u8, SingletonError> {
    shutdown(EVER).await;
    Ok(7)
}

fn names(report: &ShutdownReport) -> Vec<&str> {
    report.hooks.iter().map(|hook| hook.name.as_str()).collect()
}

#[test]
fn a_factory_that_nobody_waits_for_any_more_keeps_nobody_from_shutting_down() {
    isolated(|| {
        pool();
        let mut request = ByHand::new(invocation("req", std::future::pending::<()>()));
        let mut caller = ByHand::new(closes_later());
        assert!(request.poll().is_pending() && caller.poll_while_woken().is_pending());
        // Its factory's future has begun the shutdown, and stays where it is.
        let mut down = ByHand::new(shutdown(EVER));
        assert!(down.poll_while_woken().is_pending());
        drop(caller);
        assert!(down.is_woken());
        assert!(down.poll_while_woken().is_pending(), "the invocation is waited for");
        drop(request);
        let report = driven(&mut down);
        assert_eq!((names(&report), report.is_clean()), (vec!["pool"], true), "{report}");
    });
}

#[test]
fn hooks_that_such_a_one_has_begun_are_not_begun_again() {
    static BEGINS: Gate = Gate::new();
    static GATE: Gate = Gate::new();
    static RAN: AtomicUsize = AtomicUsize::new(0);

    #[singleton(shutdown = |_: &u8| {
        RAN.fetch_add(1, SeqCst);
        GATE.pass_blocking();
    })]
    fn slow_to_close() -> u8 {
        1
    }

    #[singleton]
    async fn closes() -> Result<u8, SingletonError> {
        BEGINS.pass().await;
        closes_later().await.copied()
    }

    isolated(|| {
        slow_to_close();
        let mut both = [1, 2].map(|_| ByHand::new(closes()));
        assert!(both.iter_mut().all(|one| one.poll().is_pending()));
        BEGINS.open();
        until(|| both.iter_mut().all(|one| one.poll().is_pending()) && GATE.arrived() == 1);
        let [first, second] = both;
        drop(first);
        let mut down = ByHand::new(shutdown(EVER));
        assert!(down.poll_while_woken().is_pending());
        drop(second);
        assert!(down.is_woken() && down.poll_while_woken().is_pending());
        GATE.open();
        let report = driven(&mut down);
        assert_eq!((names(&report), RAN.load(SeqCst)), (vec!["slow_to_close"], 1), "{report}");
        assert_eq!(report.abandoned, ["closes", "closes_later"]);
    });
}

#[test]
fn an_invocation_that_gives_up_waiting_for_such_a_one_is_waited_for() {
    #[singleton]
    async fn behind() -> Result<u8, SingletonError> {
        closes_later().await.copied()
    }

    #[singleton]
    fn needed_at_the_end() -> Result<u8, SingletonError> {
        Ok(7)
    }

    for at_once in [true, false] {
        let [stop, rest] = [Gate::new(), Gate::new()];
        let asks = || async move { if at_once { closes_later().await } else { behind().await } };
        isolated(|| {
            pool();
            let mut other = ByHand::new(invocation("other", std::future::pending::<()>()));
            assert!(other.poll().is_pending());
            let mut request = ByHand::new(invocation("req", async {
                {
                    let (mut asks, mut stops) = (pin!(asks()), pin!(stop.pass()));
                    poll_fn(
                        |cx| if asks.as_mut().poll(cx).is_ready() { Poll::Pending } else { stops.as_mut().poll(cx) },
                    )
                    .await;
                }
                rest.pass().await;
                needed_at_the_end().is_ok()
            }));
            // It is the one that begins the shutdown, and the other one goes on with that.
            assert!(request.poll_while_woken().is_pending());
            let mut caller = ByHand::new(asks());
            assert!(caller.poll_while_woken().is_pending());
            stop.open();
            assert!(request.poll_while_woken().is_pending());
            drop(other);
            assert!(caller.poll_while_woken().is_pending());
            rest.open();
            assert_eq!(
                request.poll_while_woken(),
                Poll::Ready(true),
                "it is waited for, and ends as it would have ended"
            );
            assert!(driven(&mut caller).is_err());
        });
    }
}

#[test]
fn a_call_may_come_to_a_factory_from_elsewhere() {
    type Call = Pin<Box<dyn Future<Output = ShutdownReport> + Send>>;
    static CALL: Mutex<Option<Call>> = Mutex::new(None);
    static TOLD: Mutex<Option<ShutdownReport>> = Mutex::new(None);

    #[singleton]
    async fn goes_on_with_it() -> Result<u8, SingletonError> {
        gives_way(1).await;
        let call = CALL.lock().unwrap().take().unwrap();
        let report = call.await;
        *TOLD.lock().unwrap() = Some(report);
        Ok(7)
    }

    isolated(|| {
        pool();
        let mut made = ByHand::new(goes_on_with_it());
        assert!(made.poll().is_pending());
        let mut call: Call = Box::pin(shutdown(EVER));
        let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(call.as_mut().poll(&mut nobody).is_pending());
        *CALL.lock().unwrap() = Some(call);
        assert!(driven(&mut made).is_err());
        let report = TOLD.lock().unwrap().take().unwrap();
        assert_eq!((names(&report), &*report.abandoned), (vec!["pool"], &["goes_on_with_it".to_owned()][..]));
    });
}

#[test]
fn a_factory_may_await_it_on_its_thread_inside_an_invocation() {
    #[singleton]
    fn by_a_runtime() -> Result<u8, SingletonError> {
        runtime().block_on(shutdown(EVER));
        Ok(7)
    }

    watched(|| {
        isolated(|| {
            pool();
            assert!(invocation_blocking("outer", || invocation_blocking("inner", by_a_runtime)).is_err());
            let report = shutdown_blocking(EVER);
            assert_eq!((names(&report), &*report.abandoned), (vec!["pool"], &["by_a_runtime".to_owned()][..]));
        });
    });
}

#[test]
fn all_at_once_are_told_the_same() {
    static GATE: Gate = Gate::new();
    static TOLD: Mutex<Vec<ShutdownReport>> = Mutex::new(Vec::new());

    fn closes() -> Result<u8, SingletonError> {
        GATE.pass_blocking();
        let report = shutdown_blocking(EVER);
        TOLD.lock().unwrap().push(report);
        Ok(7)
    }

    #[singleton]
    fn one() -> Result<u8, SingletonError> {
        closes()
    }

    #[singleton]
    fn two() -> Result<u8, SingletonError> {
        closes()
    }

    #[singleton]
    fn behind() -> Result<u8, SingletonError> {
        one().copied()
    }

    isolated(|| {
        pool();
        let on_thread = |f: fn() -> bool| {
            let context = Context::capture();
            started(move || context.run(f))
        };
        let factories = [on_thread(|| one().is_err()), on_thread(|| two().is_err())];
        until(|| GATE.arrived() == 2);
        let behind = on_thread(|| invocation_blocking("req", || behind().is_err()));
        GATE.open();
        let report = driven(&mut ByHand::new(shutdown(EVER)));
        assert!(factories.iter().all(ended) && ended(&behind));
        assert!(
            report.abandoned.iter().filter(|name| ["one", "two"].contains(&name.as_str())).count() == 2,
            "{report}"
        );
        assert_eq!((names(&report), report.unfinished.len()), (vec!["pool"], 0), "{report}");
        assert_eq!(*TOLD.lock().unwrap(), [report.clone(), report]);
    });
}

#[test]
fn a_thread_that_a_hook_waits_for_is_told_what_was_done_so_far() {
    static TOLD: Mutex<Vec<ShutdownReport>> = Mutex::new(Vec::new());

    #[singleton(shutdown = |_: &u8| {
        let context = Context::capture();
        let there = std::thread::spawn(move || context.run(|| shutdown_blocking(EVER)));
        TOLD.lock().unwrap().push(there.join().unwrap());
    })]
    fn asks_around() -> u8 {
        1
    }

    isolated(|| {
        asks_around();
        let report = driven(&mut ByHand::new(shutdown(EVER)));
        assert!(report.is_clean(), "{report}");
        let told = TOLD.lock().unwrap().remove(0);
        assert_eq!((names(&told), told.is_clean()), (vec!["asks_around"], false), "it was under way");
    });
}

#[test]
fn worlds_inside_a_hook_or_a_factory_are_shut_down_for_themselves() {
    static OUTER: Mutex<Option<Context>> = Mutex::new(None);

    #[singleton(shutdown = |_: &u8| {
        let outer = OUTER.lock().unwrap().clone();
        // It waits for the inner shutdown, and that one for it.
        assert!(outer.unwrap().run(|| !shutdown_blocking(EVER).is_clean()));
    })]
    fn inner() -> u8 {
        1
    }

    #[singleton(shutdown = |_: &u8| {
        *OUTER.lock().unwrap() = Some(Context::capture());
        isolated(|| {
            inner();
            assert!(shutdown_blocking(EVER).is_clean());
        });
    })]
    fn outer() -> u8 {
        1
    }

    #[singleton]
    fn in_a_factory() -> Result<usize, SingletonError> {
        Ok(isolated(|| {
            pool();
            shutdown_blocking(EVER).hooks.len()
        }))
    }

    watched(|| {
        isolated(|| {
            assert_eq!((in_a_factory().unwrap(), outer()), (&1, &1));
            assert!(!lifecycle::is_shutting_down());
            let report = shutdown_blocking(EVER);
            assert_eq!((names(&report), report.is_clean()), (vec!["outer"], true), "{report}");
        });
    });
}

//! `shutdown` and invocations under way: it waits for them, within its limit, and not for those that wait for it.

use lifecycle::testing::{advance, events, isolated, isolated_async};
use lifecycle::{
    Context, ShutdownLimits, SingletonError, current_invocation, invocation, invocation_blocking, shutdown,
    shutdown_blocking, singleton,
};
use lifecycle_tests::{ByHand, Gate, driven, gives_way, in_child, is_child, runtime, watched};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(1000);

#[singleton(shutdown = |log: &Mutex<Vec<&'static str>>| log.lock().unwrap().push("closed"))]
fn log() -> Mutex<Vec<&'static str>> {
    Mutex::default()
}

#[singleton]
#[derive(Default)]
struct Late;

fn note(what: &'static str) {
    log().lock().unwrap().push(what);
}

fn noted() -> Vec<&'static str> {
    log().lock().unwrap().clone()
}

#[test]
fn hooks_run_when_the_last_invocation_is_over() {
    isolated(|| {
        log();
        let gate = Gate::new();
        let work = |note_at_its_end| {
            let gate = &gate;
            invocation("req", async move {
                gate.pass().await;
                // It ends as it would have ended: also what it has not used before is made.
                assert!(Late::try_instance().is_ok());
                note(note_at_its_end);
            })
        };
        let (mut one, mut other) = (ByHand::new(work("one")), ByHand::new(work("other")));
        assert!(one.poll().is_pending() && other.poll().is_pending());
        let mut down = ByHand::new(shutdown(LONG));
        assert!(down.poll_while_woken().is_pending());
        assert!(matches!(Late::try_instance(), Err(SingletonError::ShuttingDown { .. })), "but not elsewhere");
        gate.open();
        assert!(one.poll().is_ready());
        assert!(down.is_woken() && down.poll_while_woken().is_pending(), "there is another one");
        assert!(other.poll().is_ready());
        assert!(down.is_woken());
        let report = driven(&mut down);
        assert!(report.is_clean() && report.unfinished.is_empty(), "{report}");
        assert_eq!(noted(), ["one", "other", "closed"]);
    });
}

#[test]
fn those_that_do_not_end_in_time_are_named() {
    isolated(|| {
        log();
        let (gate, long) = (Gate::new(), format!("{}é", "x".repeat(99)));
        let mut hangs = ByHand::new(invocation("req-7", gate.pass()));
        let mut too = ByHand::new(invocation(&long, gate.pass()));
        assert!(hangs.poll().is_pending() && too.poll().is_pending());
        let mut down = ByHand::new(shutdown(ShutdownLimits::total(10 * SECOND).drain(3 * SECOND)));
        assert!(down.poll_while_woken().is_pending());
        advance(3 * SECOND - Duration::from_nanos(1));
        assert!(down.poll_while_woken().is_pending() && noted().is_empty());
        advance(Duration::from_nanos(1));
        assert!(down.is_woken());
        let report = driven(&mut down);
        let mut named = report.unfinished.clone();
        named.sort();
        assert_eq!(named, ["req-7".to_owned(), "x".repeat(99)]);
        assert!(!report.is_clean() && report.to_string().contains("invocation `req-7` was not over"), "{report}");
        assert_eq!(report.hooks.len(), 1, "the hooks ran all the same");
        let told = events().iter().filter(|event| event.name == "lifecycle.invocation.unfinished").count();
        assert_eq!(told, 2);
        // From now on nothing is made, in them neither.
        let inside = invocation("req-8", async { Late::try_instance().is_err() });
        assert_eq!(ByHand::new(inside).poll(), Poll::Ready(true));
        gate.open();
        assert!(hangs.poll().is_ready() && too.poll().is_ready());
    });
}

#[test]
fn half_of_the_time_is_theirs_by_default() {
    isolated(|| {
        let gate = Gate::new();
        let mut hangs = ByHand::new(invocation("req-7", gate.pass()));
        assert!(hangs.poll().is_pending());
        let mut down = ByHand::new(shutdown(10 * SECOND));
        assert!(down.poll_while_woken().is_pending());
        advance(5 * SECOND - Duration::from_nanos(1));
        assert!(down.poll_while_woken().is_pending());
        advance(Duration::from_nanos(1));
        assert!(down.poll_while_woken().is_ready());
    });
}

#[test]
fn one_that_shuts_down_is_not_waited_for_nor_are_those_around_it() {
    // No time passes in a world, so a wait for itself would never end.
    watched(|| {
        isolated(|| {
            let inner = || shutdown_blocking(LONG);
            let report = invocation_blocking("outer", || invocation_blocking("inner", inner));
            assert!(report.is_clean(), "{report}");
        });
    });
    watched(|| {
        runtime().block_on(isolated_async(async {
            let report = invocation("outer", invocation("inner", shutdown(LONG))).await;
            assert!(report.is_clean(), "{report}");
        }));
    });
    // Through a thread of its own, too.
    watched(|| {
        isolated(|| {
            let inner = || {
                let context = Context::capture();
                let thread = std::thread::spawn(move || context.run(|| shutdown_blocking(LONG)));
                assert!(thread.join().unwrap().is_clean());
            };
            invocation_blocking("outer", || invocation_blocking("inner", inner));
        });
    });
}

#[test]
fn nor_is_one_that_waits_for_a_shutdown_under_way() {
    isolated(|| {
        let gate = Gate::new();
        let joins = invocation("joins", async {
            gate.pass().await;
            shutdown(LONG).await
        });
        let (mut joins, mut down) = (ByHand::new(joins), ByHand::new(shutdown(LONG)));
        assert!(joins.poll().is_pending() && down.poll_while_woken().is_pending());
        gate.open();
        assert!(joins.poll_while_woken().is_pending());
        assert!(down.is_woken(), "from now on each waits for the other");
        assert!(down.poll_while_woken().is_ready());
        assert!(joins.poll_while_woken().is_ready());
    });
}

#[test]
fn one_that_no_longer_waits_for_the_shutdown_is_waited_for_again() {
    isolated(|| {
        let gate = Gate::new();
        let given_up = invocation("req-7", async {
            // It hangs in a factory that nobody drives on, so this does not come to its end.
            let mut hung = ByHand::new(shutdown(LONG));
            assert!(hung.poll().is_pending());
            drop(hung);
            gate.pass().await;
        });
        let mut other = ByHand::new(invocation("other", gives_way(1)));
        assert!(other.poll().is_pending());
        let mut given_up = ByHand::new(given_up);
        assert!(given_up.poll().is_pending());
        let mut down = ByHand::new(shutdown(LONG));
        assert!(other.poll().is_ready());
        assert!(down.poll_while_woken().is_pending());
        gate.open();
        assert!(given_up.poll().is_ready() && down.poll_while_woken().is_ready());
    });
}

#[test]
fn one_that_waits_for_it_twice_is_one() {
    isolated(|| {
        let mut other = ByHand::new(invocation("other", gives_way(1)));
        assert!(other.poll().is_pending());
        let (mut one, mut two) = (ByHand::new(shutdown(LONG)), ByHand::new(shutdown(LONG)));
        let mut both = ByHand::new(invocation(
            "both",
            std::future::poll_fn(|_| {
                let (one, two) = (one.poll_while_woken(), two.poll_while_woken());
                if one.is_ready() && two.is_ready() { Poll::Ready(()) } else { Poll::Pending }
            }),
        ));
        assert!(both.poll().is_pending());
        assert!(both.poll().is_pending(), "the other one is still at work");
        assert!(other.poll().is_ready());
        assert!(both.poll().is_ready());
    });
}

#[test]
fn what_lived_for_one_ends_as_ever() {
    static MADE: Mutex<Vec<bool>> = Mutex::new(Vec::new());

    #[singleton(scope = invocation, shutdown = |_: &Guest| MADE.lock().unwrap().push(Late::try_instance().is_ok()))]
    #[derive(Default)]
    struct Guest;

    isolated(|| {
        let gate = Gate::new();
        let mut work = ByHand::new(invocation("req", async {
            Guest::current();
            gate.pass().await;
        }));
        assert!(work.poll().is_pending());
        let mut down = ByHand::new(shutdown(LONG));
        assert!(down.poll_while_woken().is_pending());
        gate.open();
        assert!(work.poll().is_ready());
        assert_eq!(*MADE.lock().unwrap(), [true], "its hooks, too, make what they need");
        assert!(down.poll_while_woken().is_ready());
    });
}

#[test]
fn what_begins_meanwhile_is_waited_for_too() {
    isolated(|| {
        let gate = Gate::new();
        let mut first = ByHand::new(invocation("first", gives_way(1)));
        assert!(first.poll().is_pending());
        let mut down = ByHand::new(shutdown(LONG));
        assert!(down.poll_while_woken().is_pending());
        let mut second = ByHand::new(invocation("second", async {
            gate.pass().await;
            current_invocation().unwrap().id().to_owned()
        }));
        assert!(second.poll().is_pending());
        assert!(first.poll().is_ready() && down.poll_while_woken().is_pending());
        gate.open();
        assert_eq!(second.poll(), Poll::Ready("second".to_owned()));
        assert!(down.poll_while_woken().is_ready());
    });
}

/// A shutdown looks through the keys of keyed singletons again and again, and so comes by here between its other looks.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key;

type Begun = ByHand<Pin<Box<dyn Future<Output = ()>>>>;

thread_local! {
    /// Clones to come before one that begins an invocation.
    static BEFORE: Cell<Option<usize>> = const { Cell::new(None) };
    static BEGUN: RefCell<Option<Begun>> = const { RefCell::new(None) };
}

impl Clone for Key {
    fn clone(&self) -> Self {
        match BEFORE.get() {
            Some(0) => {
                BEFORE.set(None);
                let mut begun: Begun = ByHand::new(Box::pin(invocation("req", gives_way(1))));
                assert!(begun.poll().is_pending());
                BEGUN.set(Some(begun));
            }
            more => BEFORE.set(more.map(|before| before - 1)),
        }
        Self
    }
}

#[singleton(keyed)]
fn kept(key: Key) -> Key {
    key
}

#[test]
fn what_begins_when_the_others_have_just_ended_does_not_spoil_it() {
    let mut waited = 0;
    for before in 0..8 {
        isolated(|| {
            kept(Key);
            let mut down = ByHand::new(shutdown(Duration::MAX));
            BEFORE.set(Some(before));
            let polled = down.poll_while_woken();
            BEFORE.set(None);
            let mut begun = BEGUN.take();
            let report = match polled {
                Poll::Ready(report) => report,
                Poll::Pending => {
                    waited += 1;
                    assert!(begun.as_mut().unwrap().poll().is_ready());
                    let Poll::Ready(report) = down.poll_while_woken() else { panic!("it waits on") };
                    report
                }
            };
            assert!(report.is_clean(), "with one that begins after {before} looks: {report}");
        });
    }
    assert_eq!(waited, 2, "before it has looked for invocations, and when it has seen none");
}

#[test]
fn worlds_do_not_wait_for_each_others() {
    invocation_blocking("of the process", || {
        isolated(|| {
            let mut down = ByHand::new(shutdown(LONG));
            assert!(down.poll_while_woken().is_ready());
        });
    });
}

#[test]
fn the_process_waits_for_invocations_on_other_threads() {
    const NAME: &str = "the_process_waits_for_invocations_on_other_threads";
    if !is_child(NAME) {
        return in_child(NAME, &[]);
    }
    static GATE: Gate = Gate::new();
    log();
    let threads = [1, 2, 3].map(|_| {
        std::thread::spawn(|| {
            invocation_blocking("req", || {
                GATE.pass_blocking();
                note("over");
            });
        })
    });
    lifecycle_tests::until(|| GATE.arrived() == 3);
    lifecycle::request_shutdown();
    let opener = std::thread::spawn(|| {
        lifecycle_tests::until(lifecycle::is_shutting_down);
        std::thread::sleep(Duration::from_millis(2));
        GATE.open();
    });
    let report = shutdown_blocking(LONG);
    assert!(report.is_clean(), "{report}");
    assert_eq!(noted(), ["over", "over", "over", "closed"]);
    threads.into_iter().chain([opener]).for_each(|thread| thread.join().unwrap());
}

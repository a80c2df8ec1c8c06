//! How singletons with `scope = invocation` go: the newest first, each with its hook, whichever way the invocation ends.

use lifecycle::testing::{events, isolated, isolated_async};
use lifecycle::{Context, Singleton, SingletonError, current_invocation, invocation, invocation_blocking, singleton};
use lifecycle_tests::{ByHand, Gate, gives_way, runtime, said};
use std::sync::{Arc, Mutex};

#[singleton(scope = invocation)]
#[derive(Debug, Default)]
struct Seen;

#[singleton(scope = invocation)]
fn user() -> String {
    format!("user of {}", current_invocation().unwrap().id())
}

/// What happened, in order.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn log(text: impl Into<String>) {
    let id = current_invocation().map(|invocation| invocation.id().to_owned());
    LOG.lock().unwrap().push(format!("{}: {}", id.unwrap_or_default(), text.into()));
}

fn logged(of: &str) -> Vec<String> {
    let of = format!("{of}: ");
    LOG.lock().unwrap().iter().filter_map(|line| line.strip_prefix(&of).map(str::to_owned)).collect()
}

struct Noted(&'static str);

impl Drop for Noted {
    fn drop(&mut self) {
        log(format!("drop {}", self.0));
    }
}

#[singleton(scope = invocation, shutdown = |base: &Noted| log(format!("end {}", base.0)))]
fn base() -> Noted {
    Noted("base")
}

#[singleton(scope = invocation, shutdown = async |middle: &Noted| {
    gives_way(3).await;
    // What it was made of is still there.
    log(format!("end {} over {}", middle.0, lifecycle::handle(base).unwrap().get().unwrap().0));
})]
async fn middle() -> Noted {
    gives_way(1).await;
    base();
    Noted("middle")
}

#[singleton(scope = invocation, shutdown = |_: &Noted| -> Result<(), String> { Err("no way".to_owned()) })]
fn failing() -> Noted {
    Noted("failing")
}

#[singleton(scope = invocation, shutdown = |_: &Noted| -> () { panic!("in the hook") })]
fn panicking() -> Noted {
    Noted("panicking")
}

struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("in the destructor");
    }
}

#[singleton(scope = invocation)]
fn explosive() -> Explosive {
    Explosive
}

fn failures() -> Vec<(String, String)> {
    let all = events().into_iter().filter(|event| event.name == "lifecycle.singleton.hook_failed");
    all.map(|event| (event.component, event.detail)).collect()
}

#[test]
fn they_go_newest_first_each_with_its_hook_before_its_destructor() {
    runtime().block_on(isolated_async(async {
        let answer = invocation("ordered", async {
            middle().await;
            failing();
            panicking();
            explosive();
            log("handled");
            42
        });
        assert_eq!(answer.await, 42);
        let expected = [
            "handled",
            "drop panicking",
            "drop failing",
            "end middle over base",
            "drop middle",
            "end base",
            "drop base",
        ];
        assert_eq!(logged("ordered"), expected);
        let told = failures();
        let of = |name: &str| told.iter().find(|(one, _)| one == name).map(|(_, text)| text.as_str());
        assert_eq!(of("explosive"), Some("drop: it panicked: in the destructor"));
        assert_eq!(of("panicking"), Some("shutdown: it panicked: in the hook"));
        assert_eq!(of("failing"), Some("shutdown: no way"));
        assert_eq!(told.len(), 3);
    }));
}

#[test]
fn a_blocking_one_drives_hooks_that_are_futures() {
    isolated(|| {
        invocation_blocking("blocking", || {
            let mut middle = ByHand::new(middle());
            assert!(middle.poll_while_woken().is_ready());
        });
        assert_eq!(logged("blocking"), ["end middle over base", "drop middle", "end base", "drop base"]);
    });
}

#[test]
fn a_dropped_one_ends_in_the_same_order_without_waiting() {
    isolated(|| {
        let gate = Arc::new(Gate::new());
        let inside = gate.clone();
        let mut handler = ByHand::new(invocation("dropped", async move {
            let _kept = Noted("the handler's own");
            middle().await;
            inside.pass().await;
        }));
        assert!(handler.poll_while_woken().is_pending());
        assert_eq!(gate.arrived(), 1);
        drop(handler);
        assert_eq!(logged("dropped"), ["drop the handler's own", "drop middle", "end base", "drop base"]);
        assert_eq!(
            failures(),
            [("middle".to_owned(), "shutdown: its invocation was dropped before it was done".to_owned())]
        );
    });
}

#[test]
fn one_dropped_while_it_ends_ends() {
    isolated(|| {
        let mut handler = ByHand::new(invocation("ending", async { middle().await.0 }));
        while logged("ending").is_empty() && handler.poll().is_pending() && !handler.is_woken() {}
        _ = handler.poll();
        drop(handler);
        assert_eq!(logged("ending").last().map(String::as_str), Some("drop base"));
        assert_eq!(lifecycle::snapshot().invocations.active, 0);
    });
}

#[test]
fn a_panicking_handler_leaves_nothing_behind() {
    isolated(|| {
        let panicked = std::panic::catch_unwind(|| {
            invocation_blocking("panicked", || {
                base();
                panic!("in the handler");
            });
        });
        assert_eq!(said(&*panicked.unwrap_err()), "in the handler");
        assert_eq!(logged("panicked"), ["end base", "drop base"]);
    });
}

#[test]
fn who_holds_one_keeps_it_and_no_more_is_made_after_the_end() {
    isolated(|| {
        let (held, context) = invocation_blocking("held", || (user().to_arc(), Context::capture()));
        assert_eq!(*held, "user of held");
        context.run(|| {
            let late = lifecycle::handle(user).unwrap();
            assert!(!late.is_created());
            let error = Seen::try_current().unwrap_err();
            assert!(matches!(&error, SingletonError::InvocationEnded { id, .. } if id == "held"), "{error}");
        });
    });
}

#[test]
fn what_is_being_made_when_it_ends_is_not_stored() {
    static GATE: Gate = Gate::new();

    #[singleton(scope = invocation, factory = || { GATE.pass_blocking(); Slow(Noted("slow")) })]
    struct Slow(#[allow(dead_code, reason = "for its drop")] Noted);

    isolated(|| {
        let thread = invocation_blocking("early", || {
            let context = Context::capture();
            let thread = std::thread::spawn(move || context.run(|| Slow::try_current().map(drop)));
            lifecycle_tests::until(|| GATE.arrived() == 1);
            thread
        });
        GATE.open();
        assert!(matches!(thread.join().unwrap(), Err(SingletonError::InvocationEnded { .. })));
        assert_eq!(logged("early"), ["drop slow"]);
        assert_eq!(Slow::stats().alive, Some(0));
    });
}

#[test]
fn a_factory_that_nobody_polls_any_more_goes_with_its_invocation() {
    static GATE: Gate = Gate::new();

    #[singleton(scope = invocation)]
    async fn waiting() -> Noted {
        let _here = Noted("the factory's own");
        GATE.pass().await;
        Noted("waiting")
    }

    isolated(|| {
        invocation_blocking("unpolled", || assert!(ByHand::new(waiting()).poll().is_pending()));
        assert_eq!(logged("unpolled"), ["drop the factory's own"]);
    });
}

//! Steps that take too long: with an `init_timeout` they do not keep `initialize` waiting.

use lifecycle::testing::{advance, isolated, isolated_async};
use lifecycle::{Context, Error, InitConfig, SingletonError, init_flag, initialization, initialize, initialize_async};
use lifecycle_tests::{ByHand, Gate, driven, ended, in_child, is_child, runtime, said, started, until};
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(5);

/// What the steps of this file, which all worlds run, are to do: only tests in processes of their own change it.
static WHAT: AtomicU8 = AtomicU8::new(NOTHING);
const NOTHING: u8 = 0;
const HANG: u8 = 1;
const HANG_ASYNC: u8 = 2;
const PANIC: u8 = 3;
const FAIL: u8 = 4;

static GATE: Gate = Gate::new();
static RUNS: AtomicUsize = AtomicUsize::new(0);
static SAW_CONFIG: AtomicUsize = AtomicUsize::new(0);

#[init_flag(on_initialize, init_timeout = "5s")]
fn migrate() -> Result<(), String> {
    RUNS.fetch_add(1, SeqCst);
    SAW_CONFIG.fetch_add(usize::from(initialization().config().is_ok_and(|config| config.len() == 1)), SeqCst);
    match WHAT.load(SeqCst) {
        HANG => GATE.pass_blocking(),
        PANIC => panic!("no such table"),
        FAIL => return Err("no such column".to_owned()),
        _ => (),
    }
    Ok(())
}

#[init_flag(on_initialize, init_timeout = "5s", depends_on(migrate))]
async fn connect() {
    if WHAT.load(SeqCst) == HANG_ASYNC {
        GATE.pass().await;
    }
}

fn config() -> InitConfig {
    InitConfig::new().with("region", "eu")
}

/// It names the step, and says that it took too long, and how long that was.
fn late(error: &Error, step: &str) -> Option<Duration> {
    let Error::Step { name, source } = error else { return None };
    let late = source.downcast_ref::<SingletonError>();
    let Some(SingletonError::InitTimeout { waiting_for, waited, .. }) = late else { return None };
    let text = error.source().unwrap().to_string();
    let is_told = waiting_for.contains("init_limits.rs:") && text.contains(&format!("was not done within {waited:?}"));
    (name == step && is_told).then_some(*waited)
}

fn is_late(error: &Error, step: &str) -> bool {
    late(error, step) == Some(LIMIT)
}

#[test]
fn a_step_that_hangs_makes_initialize_fail_and_is_done_when_it_ends() {
    const NAME: &str = "a_step_that_hangs_makes_initialize_fail_and_is_done_when_it_ends";
    if !is_child(NAME) {
        return in_child(NAME, &[]);
    }
    WHAT.store(HANG, SeqCst);
    // A synchronous `initialize` has synchronous steps only.
    lifecycle::handle(connect).unwrap().replace(()).unwrap();
    isolated(|| {
        let stand_in = lifecycle::handle(connect).unwrap().override_with(()).unwrap();
        let run = || {
            let context = Context::capture();
            started(move || context.run(|| initialize(config())))
        };
        let first = run();
        until(|| GATE.arrived() == 1);
        let second = run();
        let (mut told, mut told_too) = (None, None);
        until(|| {
            // It counts on the world's clock, for each from when he comes.
            advance(LIMIT);
            told = told.take().or_else(|| first.try_recv().ok());
            told_too = told_too.take().or_else(|| second.try_recv().ok());
            told.is_some() && told_too.is_some()
        });
        let (told, told_too) = (told.unwrap().unwrap_err(), told_too.unwrap().unwrap_err());
        assert!(is_late(&told, "migrate"), "{told:?}");
        // He may have waited for another's run of the step, while the clock went on.
        assert!(late(&told_too, "migrate").is_some_and(|waited| waited >= LIMIT), "{told_too:?}");
        assert!(!initialization().is_initialized());
        GATE.open();
        until(|| lifecycle::handle(migrate).unwrap().is_done());
        assert!(!initialize(config()).unwrap().cached);
        assert_eq!((RUNS.load(SeqCst), SAW_CONFIG.load(SeqCst)), (1, 1), "it ran once, with the configuration");
        drop(stand_in);
    });
}

#[test]
fn an_async_step_that_hangs_does_so_too() {
    const NAME: &str = "an_async_step_that_hangs_does_so_too";
    if !is_child(NAME) {
        return in_child(NAME, &[]);
    }
    WHAT.store(HANG_ASYNC, SeqCst);
    isolated(|| {
        let mut first = ByHand::new(initialize_async(config()));
        // `migrate` is on its thread.
        until(|| first.poll().is_pending() && GATE.arrived() == 1);
        advance(LIMIT);
        assert!(first.is_woken());
        let Poll::Ready(Err(told)) = first.poll() else { panic!("it waits") };
        assert!(is_late(&told, "connect"), "{told:?}");
        assert!(lifecycle::handle(migrate).unwrap().is_done(), "steps that have run stay done");
        GATE.open();
        let mut again = ByHand::new(initialize_async(config()));
        assert!(matches!(again.poll_while_woken(), Poll::Ready(Ok(_))));
    });
}

#[test]
fn a_step_that_hangs_makes_initialize_async_fail_without_blocking_the_task() {
    const NAME: &str = "a_step_that_hangs_makes_initialize_async_fail_without_blocking_the_task";
    if !is_child(NAME) {
        return in_child(NAME, &[]);
    }
    WHAT.store(HANG, SeqCst);
    isolated(|| {
        let mut first = ByHand::new(initialize_async(config()));
        assert!(first.poll().is_pending());
        until(|| GATE.arrived() == 1);
        advance(LIMIT);
        assert!(first.is_woken());
        let Poll::Ready(Err(told)) = first.poll() else { panic!("it waits") };
        assert!(is_late(&told, "migrate"), "{told:?}");
        GATE.open();
        until(|| lifecycle::handle(migrate).unwrap().is_done());
    });
}

#[test]
fn those_who_waited_together_fail_together() {
    const NAME: &str = "those_who_waited_together_fail_together";
    if !is_child(NAME) {
        return in_child(NAME, &[]);
    }
    for what in [HANG, HANG_ASYNC] {
        WHAT.store(what, SeqCst);
        isolated(|| {
            let (step, arrived) = (["migrate", "connect"][usize::from(what == HANG_ASYNC)], GATE.arrived());
            let mut together = [1, 2, 3].map(|_| ByHand::new(initialize_async(config())));
            // The first one has the step under way before the others come.
            until(|| together[0].poll().is_pending() && GATE.arrived() == arrived + 1);
            assert!(together.iter_mut().all(|one| one.poll().is_pending()));
            advance(LIMIT / 5 * 3);
            let mut later = ByHand::new(initialize_async(config()));
            assert!(later.poll().is_pending());
            advance(LIMIT / 5 * 2);
            for one in &mut together {
                // Each tries again, and has waited for that step long enough.
                let Err(told) = driven(one) else { panic!("the step hangs") };
                assert!(is_late(&told, step), "{told:?}");
            }
            advance(LIMIT / 5 * 3 - Duration::from_nanos(1));
            assert!((0..100).all(|_| later.poll().is_pending()), "it has not waited for so long");
            advance(Duration::from_nanos(1));
            assert!(is_late(&driven(&mut later).unwrap_err(), step));
            // Who comes then has all of its time.
            let mut last = ByHand::new(initialize_async(config()));
            assert!(last.poll_while_woken().is_pending());
            advance(LIMIT - Duration::from_nanos(1));
            assert!((0..100).all(|_| last.poll().is_pending()));
            GATE.open();
            driven(&mut last).unwrap();
            GATE.close();
        });
    }
}

#[test]
fn errors_and_panics_of_such_a_step_are_as_those_of_the_others() {
    const NAME: &str = "errors_and_panics_of_such_a_step_are_as_those_of_the_others";
    if !is_child(NAME) {
        return in_child(NAME, &[]);
    }
    isolated(|| {
        let _stand_in = lifecycle::handle(connect).unwrap().override_with(()).unwrap();
        WHAT.store(FAIL, SeqCst);
        let error = initialize(config()).unwrap_err();
        assert_eq!(error.source().unwrap().to_string(), "no such column");
        WHAT.store(PANIC, SeqCst);
        let panic = catch_unwind(AssertUnwindSafe(|| initialize(config()))).unwrap_err();
        assert!(said(&*panic).contains("no such table"));
        assert!(!initialization().is_initialized());
        WHAT.store(NOTHING, SeqCst);
        assert!(!initialize(config()).unwrap().cached);
    });
}

#[test]
fn steps_within_their_limit_are_nobodys_concern() {
    let first = started(|| runtime().block_on(isolated_async(initialize_async(config()))));
    assert!(!ended(&first).unwrap().cached);
}

//! `initialize` runs the steps that say so: in order, atomically, retryable, with the new configuration in their sight. What the
//! steps of this file do is said by the configuration, as each initialization here runs all of them.

use lifecycle::init::execute_initialization_operation as execute;
use lifecycle::testing::{advance, events, isolated};
use lifecycle::{
    Args, BoxError, Context, Error, InitConfig, handle, init_flag, initialization, initialize, singleton, snapshot,
};
use lifecycle_tests::{ended, said, started, until};
use serde_json::{Value, json};
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

#[singleton]
#[derive(Default)]
struct Ran(Mutex<Vec<String>>);

/// Lets a step wait.
#[singleton]
#[derive(Default)]
struct Gate {
    reached: AtomicBool,
    open: AtomicBool,
}

fn note(what: impl Into<String>) {
    Ran::instance().0.lock().unwrap().push(what.into());
}

fn ran() -> Vec<String> {
    std::mem::take(&mut Ran::instance().0.lock().unwrap())
}

/// What the configuration says that `step` is to do.
fn told(step: &str) -> Value {
    let config = initialization().config().expect("a step sees the configuration that is being installed");
    config.get(step).cloned().unwrap_or_default()
}

fn config(step: &str, does: &str) -> InitConfig {
    InitConfig::new().with(step, does)
}

// In the order of their lines `last` would be first.
#[init_flag(on_initialize, depends_on(middle))]
fn last() -> Result<(), BoxError> {
    note("last");
    match told("last").as_str() {
        Some("fail") => Err("no disk".into()),
        Some("panic") => panic!("no luck"),
        Some("initialize") => Ok(initialize(InitConfig::new()).map(drop)?),
        Some("reset") => {
            initialization().reset();
            Ok(())
        }
        _ => Ok(()),
    }
}

// Not asked for by itself: only because `last` needs it, by way of a singleton.
#[init_flag]
fn first() {
    note("first");
    if told("first") == "wait" {
        let gate = Gate::instance();
        gate.reached.store(true, SeqCst);
        until(|| gate.open.load(SeqCst));
    }
}

#[singleton(depends_on(first))]
fn between() -> u8 {
    note("a singleton that is not needed");
    0
}

#[init_flag(on_initialize, depends_on("between"))]
fn middle() {
    note("middle");
    observed();
    advance(Duration::from_millis(250));
}

#[init_flag(on_initialize)]
fn observed() {
    note("observed");
    advance(Duration::from_millis(500));
}

const ALL: [&str; 4] = ["first", "middle", "observed", "last"];

#[test]
fn steps_run_in_the_order_of_what_they_need_each_once() {
    isolated(|| {
        let outcome = initialize(InitConfig::new()).unwrap();
        assert_eq!(ran(), ALL);
        assert_eq!(outcome.duration, Duration::from_millis(750), "steps are a part of it");
        assert!(handle(first).unwrap().is_done() && handle(last).unwrap().is_done());
        assert!(!handle(between).unwrap().is_created());
        initialize(InitConfig::new()).unwrap();
        last().unwrap();
        assert!(ran().is_empty());
        let all = snapshot();
        assert_eq!(all.initialization.steps, ["first", "middle", "last", "observed"], "as it asked for them");
        let mut waterfall: Vec<_> = all.steps.iter().filter(|step| step.created).collect();
        waterfall.sort_by_key(|step| step.order);
        let rows: Vec<_> = waterfall
            .iter()
            .map(|step| (step.name.as_str(), step.creation_us.unwrap(), step.asked_by.as_deref().unwrap()))
            .collect();
        let by = "initialize";
        assert_eq!(rows, [("first", 0, by), ("observed", 500_000, "middle"), ("middle", 750_000, by), ("last", 0, by)]);
        let text = all.to_string();
        assert!(text.contains("steps\n") && text.contains("done"), "{text}");
    });
}

#[test]
fn what_ran_before_is_not_run_again() {
    isolated(|| {
        observed();
        initialize(InitConfig::new()).unwrap();
        assert_eq!(ran(), ["observed", "first", "middle", "last"]);
    });
}

#[test]
fn a_failing_step_leaves_it_uninitialized_and_the_next_call_goes_on() {
    isolated(|| {
        let error = initialize(config("last", "fail")).unwrap_err();
        assert_eq!(error.to_string(), "step `last` failed, so nothing is initialized");
        assert_eq!(error.source().unwrap().to_string(), "no disk");
        assert!(matches!(&error, Error::Step { name, .. } if name == "last"));
        assert!(!initialization().is_initialized());
        assert!(matches!(initialization().config(), Err(Error::NotInitialized)));
        let seen = snapshot().initialization;
        assert_eq!(
            (seen.failures, seen.last_error.as_deref()),
            (1, Some("step `last` failed, so nothing is initialized: no disk"))
        );

        let panic = catch_unwind(AssertUnwindSafe(|| initialize(config("last", "panic")))).unwrap_err();
        assert_eq!(said(&*panic), "no luck");
        assert!(!initialization().is_initialized() && !handle(last).unwrap().is_done());
        assert!(matches!(initialization().config(), Err(Error::NotInitialized)));

        assert!(!initialize(InitConfig::new()).unwrap().cached);
        assert_eq!(ran(), [&ALL[..], &["last", "last"]].concat(), "what has run stays done");
        assert_eq!(snapshot().initialization.last_error, None);
        let names: Vec<_> =
            events().into_iter().filter(|event| event.component == "initialization").map(|event| event.name).collect();
        assert_eq!(names, ["lifecycle.init.failed", "lifecycle.init.failed", "lifecycle.init.completed"]);
    });
}

#[test]
fn the_wire_has_the_error_of_a_step_too() {
    isolated(|| {
        let refused = execute("initialize", Args::new().with("last", "fail")).unwrap_err();
        assert!(matches!(refused, Error::Step { .. }));
        assert_eq!(execute("initialize", Args::new()).unwrap()["status"], "initialized");
    });
}

#[test]
fn who_initializes_from_within_is_told_of_the_circle() {
    let (error, after) = lifecycle_tests::watched(|| {
        isolated(|| {
            let error = initialize(config("last", "initialize")).unwrap_err();
            (error, initialization().is_initialized())
        })
    });
    let inner = error.source().unwrap().to_string();
    assert!(inner.starts_with("already initializing") && inner.contains("initialize -> last ("), "{inner}");
    assert!(!after);
}

#[test]
fn others_do_not_see_it_before_it_is_complete() {
    isolated(|| {
        let gate = Gate::instance();
        let context = Context::capture();
        let caller = started(move || context.run(|| initialize(config("first", "wait")).map(|outcome| outcome.cached)));
        until(|| gate.reached.load(SeqCst));
        let core = initialization();
        assert!(!core.is_initialized() && core.get_status().init_timestamp.is_none());
        assert!(matches!(core.config(), Err(Error::NotInitialized)));
        assert!(core.config_or_default().is_empty());
        // Nothing is locked meanwhile: flags, resets, other steps.
        core.set_flag("f", 1).unwrap();
        assert!(!core.reset().was_initialized);
        assert_eq!(core.get_flag("f").unwrap(), None);
        observed();
        let second = {
            let context = Context::capture();
            started(move || {
                context.run(|| (initialize(config("first", "wait")).unwrap(), initialization().is_initialized()))
            })
        };
        assert!(second.recv_timeout(Duration::from_millis(2)).is_err(), "it waits");
        gate.open.store(true, SeqCst);
        let (outcome, complete) = ended(&second);
        assert!(outcome.cached && complete && !ended(&caller).unwrap());
        assert_eq!(core.config().unwrap().get("first"), Some(&json!("wait")));
        assert_eq!(ran().iter().filter(|step| *step == "first").count(), 1);
    });
}

#[test]
fn a_reset_while_it_is_under_way_counts_as_before_it() {
    isolated(|| {
        handle(first).unwrap().replace(()).unwrap();
        assert!(!initialize(config("last", "reset")).unwrap().cached);
        assert!(
            initialization().is_initialized() && handle(middle).unwrap().is_done() && handle(first).unwrap().is_done()
        );
        assert_eq!(ran(), ["middle", "observed", "last"]);
        assert!(initialization().reset().was_initialized);
        assert!(!handle(middle).unwrap().is_done());
        initialize(InitConfig::new()).unwrap();
        assert_eq!(ran(), ALL);
    });
}

#[test]
fn of_many_threads_one_runs_the_steps() {
    isolated(|| {
        let barrier = Arc::new(Barrier::new(16));
        let callers: Vec<_> = (0..16)
            .map(|caller| {
                let (context, barrier) = (Context::capture(), barrier.clone());
                started(move || {
                    context.run(|| {
                        barrier.wait();
                        let outcome = initialize(InitConfig::new().with("caller", caller)).unwrap();
                        assert!(initialization().is_initialized() && handle(last).unwrap().is_done());
                        outcome
                    })
                })
            })
            .collect();
        let outcomes: Vec<_> = callers.iter().map(ended).collect();
        let new: Vec<_> = outcomes.iter().filter(|outcome| !outcome.cached).collect();
        assert_eq!((new.len(), new[0].ignored), (1, false));
        assert!(outcomes.iter().all(|outcome| outcome.cached == outcome.ignored));
        assert_eq!(ran(), ALL);
        let told = events().into_iter().filter(|event| event.name == "lifecycle.init.config_ignored");
        assert_eq!(told.map(|event| event.detail).collect::<Vec<_>>(), ["caller"], "once, by name");
    });
}

#[test]
fn the_shapes_are_those_of_the_contract_to_the_byte() {
    isolated(|| {
        let run = |args: Args| execute("initialize", args).unwrap();
        let first = run(Args::new().with("region", "eu").with("correlation_id", "r"));
        let began = first["timestamp"].as_f64().unwrap();
        let literal = format!(
            r#"{{"status":"initialized","cached":false,"timestamp":{began:?},"duration_ms":750.0,"config_keys":["region"]}}"#
        );
        assert_eq!(first.to_string(), literal);
        advance(Duration::from_millis(250));
        let literal = format!(
            r#"{{"status":"already_initialized","cached":true,"timestamp":{began:?},"init_duration_ms":750.0,"uptime_seconds":1.0,"config_keys":["region"]}}"#
        );
        assert_eq!(run(Args::new().with("region", "us")).to_string(), literal);
        let status = execute("get_status", Args::new()).unwrap();
        let literal = format!(
            r#"{{"initialized":true,"config":{{"region":"***"}},"flags":{{}},"init_timestamp":{began:?},"init_duration_ms":750.0,"uptime_seconds":1.0,"flag_count":0,"config_keys":["region"],"rate_limited_count":0}}"#
        );
        assert_eq!(status.to_string(), literal);
        let reset = execute("reset", Args::new()).unwrap();
        let at = reset["timestamp"].as_f64().unwrap();
        assert_eq!(reset.to_string(), format!(r#"{{"status":"reset","was_initialized":true,"timestamp":{at:?}}}"#));
        assert_eq!(
            execute("get_status", Args::new()).unwrap().to_string(),
            r#"{"initialized":false,"config":{},"flags":{},"init_timestamp":null,"init_duration_ms":null,"uptime_seconds":null,"flag_count":0,"config_keys":[],"rate_limited_count":0}"#
        );
    });
}

//! Run-once steps: once across threads and tasks, retried after a failure, flags by their names, in graph and waterfall.

use lifecycle::testing::{advance, events, isolated, isolated_async};
use lifecycle::{
    Context, Error, InitializationCore, SingletonError, handle, init_flag, initialization, singleton, snapshot,
};
use lifecycle_tests::{ByHand, ended, runtime, said, started, until, watched};
use serde_json::json;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};
use std::task::Poll;
use std::time::Duration;

/// Counts how often each step's body ran, in this test's world.
#[singleton]
#[derive(Default)]
struct Ran(Mutex<Vec<&'static str>>);

fn note(step: &'static str) {
    Ran::instance().0.lock().unwrap().push(step);
}

fn ran() -> Vec<&'static str> {
    Ran::instance().0.lock().unwrap().clone()
}

#[init_flag]
fn plain() {
    note("plain");
}

#[init_flag(name = "the_other")]
fn renamed() {
    note("renamed");
}

#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("no disk")]
    Disk,
    #[error(transparent)]
    Lifecycle(#[from] SingletonError),
}

/// Which attempt of `fallible` succeeds first.
#[singleton]
#[derive(Default)]
struct Attempts(AtomicU32);

#[init_flag]
fn fallible() -> Result<(), StepError> {
    match Attempts::instance().0.fetch_add(1, SeqCst) {
        0 => Err(StepError::Disk),
        1 => panic!("second attempt"),
        _ => Ok(()),
    }
}

#[init_flag]
async fn connect() {
    note("connecting");
    tokio::task::yield_now().await;
    note("connect");
}

#[init_flag]
async fn migrate() -> Result<(), StepError> {
    connect().await;
    plain();
    if Attempts::instance().0.fetch_add(1, SeqCst) == 0 {
        return Err(StepError::Disk);
    }
    note("migrate");
    Ok(())
}

#[init_flag]
fn here() -> Result<(), StepError> {
    there()
}

#[init_flag]
fn there() -> Result<(), StepError> {
    here()
}

struct App;

impl App {
    #[init_flag]
    fn prepare() -> Result<(), SingletonError> {
        note(Self::NAME);
        Ok(())
    }

    const NAME: &'static str = "prepare";
}

#[singleton]
fn pool() -> &'static str {
    plain();
    "pool"
}

#[test]
fn a_step_runs_once_and_its_flag_is_true_afterwards() {
    isolated(|| {
        let step = handle(plain).unwrap();
        let flag = lifecycle::flag("plain").unwrap();
        assert!(!step.is_done() && flag.get_json() == false);
        plain();
        plain();
        assert_eq!(ran(), ["plain"]);
        assert!(step.is_done() && flag.get_json() == true);
        assert_eq!((flag.type_name(), flag.source().as_str()), ("bool", "step"));
        assert_eq!(initialization().flag::<bool>("plain").unwrap(), Some(true));
        assert!(initialization().declared_flags().iter().any(|flag| flag.name == "plain" && flag.value == true));
        renamed();
        assert_eq!(lifecycle::flag("the_other").unwrap().get_json(), true);
        assert!(lifecycle::flag("renamed").is_err());
        assert_eq!(initialization().get_status().flag_count, 0, "what was set by hand, and a step is not");
    });
    assert!(!handle(plain).unwrap().is_done(), "another world has its own");
}

#[test]
fn errors_and_panics_are_not_kept() {
    isolated(|| {
        assert!(matches!(fallible(), Err(StepError::Disk)));
        assert!(!handle(fallible).unwrap().is_done());
        let panic = catch_unwind(AssertUnwindSafe(fallible)).unwrap_err();
        assert_eq!(said(&*panic), "second attempt");
        fallible().unwrap();
        fallible().unwrap();
        assert_eq!(Attempts::instance().0.load(SeqCst), 3);
        let told: Vec<_> = events().into_iter().filter(|event| event.component == "fallible").collect();
        let names: Vec<_> = told.iter().map(|event| event.name).collect();
        let failed = "lifecycle.init.step_failed";
        assert_eq!(names, [failed, failed, "lifecycle.init.step_completed"]);
        assert_eq!(
            (told[0].detail.as_str(), told[1].detail.as_str()),
            ("no disk", "the factory panicked: second attempt")
        );
    });
}

#[test]
fn threads_at_the_same_time_run_it_once_and_all_find_it_done() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static OVER: AtomicBool = AtomicBool::new(false);

    #[init_flag]
    fn slow() {
        RUNS.fetch_add(1, SeqCst);
        std::thread::sleep(Duration::from_millis(2));
        OVER.store(true, SeqCst);
    }

    let barrier = Barrier::new(16);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                slow();
                assert!(OVER.load(SeqCst), "nobody goes on before it is over");
            });
        }
    });
    assert_eq!(RUNS.load(SeqCst), 1);
}

#[test]
fn tasks_share_one_run_and_a_dropped_one_loses_nothing() {
    runtime().block_on(isolated_async(async {
        let mut first = ByHand::new(connect());
        assert!(first.poll().is_pending());
        drop(first);
        tokio::join!(connect(), connect());
        assert_eq!(ran(), ["connecting", "connect"], "the run that was begun went on");
        assert!(matches!(migrate().await, Err(StepError::Disk)));
        migrate().await.unwrap();
        migrate().await.unwrap();
        assert_eq!(ran(), ["connecting", "connect", "plain", "migrate"]);
    }));
}

#[test]
fn a_circle_of_steps_is_an_error_with_its_path() {
    let error = watched(|| isolated(here)).unwrap_err();
    let text = error.to_string();
    let [a, b] = ["here (", "there ("].map(|name| text.find(name).expect("both are named"));
    assert!(a < b && text.contains("init_steps.rs:"), "{text}");
    assert!(matches!(error, StepError::Lifecycle(SingletonError::Cycle { .. })));
}

#[test]
fn a_step_cannot_be_set_by_name() {
    isolated(|| {
        let core = initialization();
        let refused = core.set_flag("plain", true).unwrap_err();
        assert!(matches!(refused, Error::NotPossible { .. }));
        assert!(refused.to_string().starts_with("`plain`: it is a step"), "{refused}");
        assert!(lifecycle::flag("plain").unwrap().set_json(&true.into()).is_err());
        assert!(!handle(plain).unwrap().is_done());
        assert!(InitializationCore::new().set_flag("plain", 7).is_ok(), "a core of one's own sees no steps");
    });
}

#[test]
fn a_reset_makes_it_run_again() {
    isolated(|| {
        plain();
        initialization().reset();
        assert!(!handle(plain).unwrap().is_done());
        plain();
        lifecycle::flag("plain").unwrap().reset();
        plain();
        assert_eq!(ran(), ["plain"; 3]);
        handle(plain).unwrap().reload().unwrap();
        assert_eq!(ran().len(), 4, "at once, and that is no reset");
        let resets = events().into_iter().filter(|event| event.name == "lifecycle.init.step_reset");
        assert_eq!(resets.map(|event| event.component).collect::<Vec<_>>(), ["plain", "plain"]);
    });
}

#[test]
fn something_can_stand_in_for_it() {
    isolated(|| {
        let step = handle(plain).unwrap();
        let stand_in = step.override_with(()).unwrap();
        plain();
        assert!(step.is_done() && lifecycle::flag("plain").unwrap().get_json() == true);
        drop(stand_in);
        assert!(ran().is_empty() && !step.is_done());
        assert!(step.replace(()).unwrap().is_none());
        plain();
        assert!(ran().is_empty(), "said to be done");
    });
}

#[test]
fn it_stands_in_the_graph_and_in_the_waterfall() {
    isolated(|| {
        pool();
        advance(Duration::from_secs(1));
        App::prepare().unwrap();
        let all = snapshot();
        let step = |name: &str| all.steps.iter().find(|one| one.name == name).unwrap();
        let pool = all.singletons.iter().find(|one| one.name == "pool").unwrap();
        assert_eq!(pool.depends_on, ["plain"]);
        assert_eq!(step("plain").asked_by.as_deref(), Some("pool"));
        assert_eq!(step("plain").depends_on, ["ran"]);
        assert!(step("plain").order < pool.order && pool.order < step("prepare").order);
        assert!(step("plain").began_us < step("prepare").began_us && step("plain").creation_us == Some(0));
        assert!(all.edges().contains(&("plain", "ran")));
        assert!(all.singletons.iter().all(|one| one.name != "plain"), "a step is no singleton");
        assert!(all.flags.iter().any(|one| one.name == "prepare" && one.value == json!(true) && one.source == "step"));
        assert!(lifecycle::singleton::<()>("plain").unwrap_err().to_string().contains("a flag has that name"));
        assert!(lifecycle::singletons().get_stats().singleton_names.iter().all(|name| name != "plain"));
    });
}

#[test]
fn who_waits_too_long_is_told_where_it_stands() {
    static BEGUN: AtomicBool = AtomicBool::new(false);
    static GO: AtomicBool = AtomicBool::new(false);

    #[init_flag(init_timeout = "10ms")]
    fn stuck() -> Result<(), SingletonError> {
        BEGUN.store(true, SeqCst);
        until(|| GO.load(SeqCst));
        Ok(())
    }

    isolated(|| {
        let run = || {
            let context = Context::capture();
            started(move || context.run(stuck))
        };
        let first = run();
        until(|| BEGUN.load(SeqCst));
        let second = run();
        let mut late = None;
        until(|| {
            // It counts on the world's clock.
            advance(Duration::from_millis(10));
            late = second.try_recv().ok();
            late.is_some()
        });
        GO.store(true, SeqCst);
        ended(&first).unwrap();
        let late = late.unwrap().unwrap_err();
        assert!(matches!(late, SingletonError::InitTimeout { .. }) && late.to_string().contains("`stuck`"), "{late}");
    });
}

#[test]
fn a_step_that_is_named_twice_is_reported() {
    mod other {
        #[lifecycle::init_flag(name = "shared_step_name")]
        pub(super) fn one() {}
        #[lifecycle::init_flag(name = "shared_step_name")]
        pub(super) fn two() {}
    }
    other::one();
    other::two();
    assert!(matches!(lifecycle::flag("shared_step_name"), Err(Error::Ambiguous { .. })));
    assert!(lifecycle::verify().iter().any(|error| error.to_string().contains("shared_step_name")));
}

#[test]
fn a_step_may_borrow_what_a_thread_has() {
    thread_local! {
        static TRACE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }

    #[init_flag]
    fn first() {
        TRACE.with_borrow_mut(|trace| trace.push(1));
    }

    #[init_flag(depends_on(first, "pool"))]
    fn second() {
        first();
        TRACE.with_borrow_mut(|trace| trace.push(2));
    }

    isolated(|| {
        second();
        second();
        assert_eq!(TRACE.take(), [1, 2]);
        let all = snapshot();
        let second = all.steps.iter().find(|one| one.name == "second").unwrap();
        assert_eq!(second.depends_on, ["first", "pool"]);
    });
    let mut task = ByHand::new(async { connect().await });
    assert!(matches!(isolated(|| task.poll()), Poll::Pending));
}

//! `warm_up`: everything eager at the same time, and what fails is told with the way to it.

use lifecycle::{Context, Current, Flag, WarmUpError, init_flag, singleton, testing, warm_up, warm_up_blocking};
use lifecycle_tests::{ByHand, Gate, runtime, started, watched};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What the eager singletons below do: all of them are created in each test, each in a world of its own.
#[init_flag]
static SCENE: Flag<i64> = FINE;

const FINE: i64 = 0;
const MEETING: i64 = 1;
const FAILING: i64 = 2;
const PANICKING: i64 = 3;
const LATE: i64 = 4;
const CIRCLE: i64 = 5;

fn is(scene: i64) -> bool {
    SCENE.get() == scene
}

fn in_scene<R: Send + 'static>(scene: i64, f: impl FnOnce() -> R + Send + 'static) -> R {
    watched(move || {
        testing::isolated(|| {
            SCENE.set(scene);
            f()
        })
    })
}

static BOTH: Barrier = Barrier::new(2);
static MET: Gate = Gate::new();

#[singleton(eager)]
fn left() -> bool {
    is(MEETING) && BOTH.wait().is_leader()
}

#[singleton(eager)]
fn right() -> bool {
    is(MEETING) && BOTH.wait().is_leader()
}

#[singleton(eager)]
#[allow(dead_code, reason = "only `warm_up` asks for it")]
async fn waits() -> u8 {
    if is(MEETING) {
        MET.pass().await;
    }
    1
}

#[singleton(eager, async_factory = Opens::make)]
struct Opens;

impl Opens {
    async fn make() -> Self {
        tokio::task::yield_now().await;
        MET.open();
        Self
    }
}

#[singleton(eager, swap)]
fn swapped() -> String {
    "one".to_owned()
}

#[singleton]
async fn route() -> Result<u8, String> {
    if is(FAILING) { Err("no route".to_owned()) } else { Ok(1) }
}

#[singleton]
async fn pool() -> Result<u8, anyhow::Error> {
    Ok(*route().await.map_err(anyhow::Error::msg)?)
}

#[singleton(eager)]
#[allow(dead_code, reason = "only `warm_up` asks for it")]
async fn service() -> Result<u8, anyhow::Error> {
    pool().await.copied()
}

#[singleton]
fn file() -> Result<u8, String> {
    if is(FAILING) { Err("no file".to_owned()) } else { Ok(1) }
}

#[singleton(eager)]
#[allow(dead_code, reason = "only `warm_up` asks for it")]
fn config() -> Result<u8, String> {
    file().copied()
}

#[singleton(eager)]
#[allow(dead_code, reason = "only `warm_up` asks for it")]
fn shaky() -> u8 {
    assert!(!is(PANICKING), "it shook");
    1
}

#[singleton(eager)]
#[allow(dead_code, reason = "only `warm_up` asks for it")]
async fn shaky_async() -> u8 {
    assert!(!is(PANICKING), "it shook later");
    1
}

static THREADS_GATE: Gate = Gate::new();
static TASKS_GATE: Gate = Gate::new();
static LATE_RUNS: AtomicUsize = AtomicUsize::new(0);

#[singleton(eager)]
#[allow(dead_code, reason = "only `warm_up` asks for it")]
fn late_thread() -> u8 {
    if is(LATE) {
        LATE_RUNS.fetch_add(1, Ordering::SeqCst);
        THREADS_GATE.pass_blocking();
    }
    1
}

#[singleton(eager)]
#[allow(dead_code, reason = "only `warm_up` asks for it")]
async fn late_task() -> u8 {
    if is(LATE) {
        LATE_RUNS.fetch_add(1, Ordering::SeqCst);
        TASKS_GATE.pass().await;
    }
    1
}

#[singleton(eager)]
fn hen() -> Result<u8, lifecycle::SingletonError> {
    if is(CIRCLE) { egg().copied() } else { Ok(1) }
}

#[singleton]
fn egg() -> Result<u8, lifecycle::SingletonError> {
    hen().copied()
}

#[singleton]
#[allow(dead_code, reason = "only `warm_up` asks for it")]
fn not_eager() -> u8 {
    panic!("nobody asked for it")
}

const EAGER: [&str; 12] = [
    "config",
    "hen",
    "late_task",
    "late_thread",
    "left",
    "opens",
    "right",
    "service",
    "shaky",
    "shaky_async",
    "swapped",
    "waits",
];

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// What failed, with the names on its path and what was said.
fn failures(error: &WarmUpError) -> Vec<(&str, Vec<&str>, &str)> {
    let mut all: Vec<_> = error
        .failures
        .iter()
        .map(|failure| {
            let path = failure.path.iter().map(|step| {
                let (name, place) = step.split_once(" (").expect("a place");
                assert!(place.starts_with("tests/tests/warm_up.rs:"), "{step}");
                name
            });
            (failure.name.as_str(), path.collect(), failure.error.as_str())
        })
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn all_that_is_eager_is_created_and_nothing_else_and_only_once() {
    in_scene(FINE, || {
        let first = warm_up_blocking().unwrap();
        assert_eq!(sorted(first.ready), EAGER);
        let created = |name| {
            let all = lifecycle::singletons().declared();
            all.iter().find(|one| one.name == name).map(|one| (one.created, one.accesses))
        };
        assert_eq!(created("not_eager"), Some((false, 0)));
        assert_eq!(created("route"), Some((true, 1)), "what something eager needs");
        assert_eq!(created("egg"), Some((false, 0)));
        let one: Current<String> = swapped();
        assert_eq!(sorted(warm_up_blocking().unwrap().ready), EAGER);
        assert!(std::ptr::eq(&*one, &*swapped()));
        assert_eq!(created("route"), Some((true, 1)));
    });
}

#[test]
fn factories_run_at_the_same_time_on_threads_and_in_the_task() {
    in_scene(MEETING, || {
        let warm = runtime().block_on(Context::capture().wrap(warm_up())).unwrap();
        assert_eq!(sorted(warm.ready), EAGER);
        assert_ne!(left(), right(), "they met");
    });
}

#[test]
fn what_fails_is_told_with_the_way_to_what_failed_first() {
    in_scene(FAILING, || {
        let error = warm_up_blocking().unwrap_err();
        assert_eq!(
            failures(&error),
            [
                ("config", vec!["config", "file"], "singleton `config`: its factory failed: no file"),
                ("service", vec!["service", "pool", "route"], "singleton `service`: its factory failed: no route"),
            ]
        );
        assert_eq!((error.ready.len(), error.unfinished.len()), (EAGER.len() - 2, 0));
        let text = error.to_string();
        assert!(text.starts_with("2 of 12 eager singletons are not ready: "), "{text}");
        assert!(text.contains("no file (by way of config (tests/tests/warm_up.rs:"), "{text}");
        // Nothing is kept of it: the next time it is tried again.
        SCENE.set(FINE);
        assert_eq!(sorted(warm_up_blocking().unwrap().ready), EAGER);
    });
}

#[test]
fn a_panic_is_one_failure_among_others() {
    in_scene(PANICKING, || {
        let error = warm_up_blocking().unwrap_err();
        assert_eq!(
            failures(&error),
            [
                ("shaky", vec!["shaky"], "singleton `shaky`: its factory panicked: it shook"),
                ("shaky_async", vec!["shaky_async"], "singleton `shaky_async`: its factory panicked: it shook later"),
            ]
        );
        assert_eq!(error.ready.len(), EAGER.len() - 2);
    });
}

#[test]
fn a_circle_is_told_with_its_path() {
    in_scene(CIRCLE, || {
        let error = warm_up_blocking().unwrap_err();
        let [(name, path, text)]: [_; 1] = failures(&error).try_into().unwrap();
        assert_eq!((name, path), ("hen", vec!["hen", "egg"]));
        assert!(text.contains("need each other to be created: hen (tests/tests/warm_up.rs:"), "{text}");
    });
}

#[test]
fn what_is_not_ready_in_time_is_named_and_goes_on() {
    in_scene(LATE, || {
        let mut call = ByHand::new(lifecycle::warm_up_within(5 * SECOND));
        lifecycle_tests::until(|| call.poll().is_pending() && LATE_RUNS.load(Ordering::SeqCst) == 2);
        testing::advance(5 * SECOND);
        assert!(call.is_woken());
        let outcome = match call.poll() {
            Poll::Ready(outcome) => outcome.unwrap_err(),
            Poll::Pending => panic!("it waits on"),
        };
        assert_eq!((outcome.failures.len(), outcome.took), (0, 5 * SECOND));
        // Another thread may not have been heard of yet.
        assert!(["late_task", "late_thread"].iter().all(|late| outcome.unfinished.iter().any(|name| name == late)));
        assert!(outcome.ready.contains(&"service".to_owned()));
        assert_eq!(sorted([outcome.ready.clone(), outcome.unfinished.clone()].concat()), EAGER);
        assert!(outcome.to_string().contains("singleton `late_thread`: not ready after 5s"), "{outcome}");
        TASKS_GATE.open();
        let context = Context::capture();
        let again = started(move || context.run(warm_up_blocking));
        THREADS_GATE.open();
        assert_eq!(sorted(lifecycle_tests::ended(&again).unwrap().ready), EAGER);
        assert_eq!(LATE_RUNS.load(Ordering::SeqCst), 2, "they went on");
    });
}

#[test]
fn once_it_shuts_down_nothing_is_warmed_up() {
    in_scene(FINE, || {
        left();
        let _ = lifecycle::shutdown_blocking(SECOND);
        let error = warm_up_blocking().unwrap_err();
        assert_eq!(error.ready, ["left"]);
        assert!(error.failures.iter().all(|one| one.error.contains("the process is shutting down")), "{error}");
    });
}

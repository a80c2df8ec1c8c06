//! Singletons that need each other: told with the path, each declaration with file and line, and never a hang. And no false
//! alarm where nobody waits any more.

use lifecycle::{Context, Lazy, SingletonError, singleton};
use lifecycle_tests::{ended, runtime, said, started, watched};
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The names on the path of a circle, each of which must come with its file and line; the first comes again at the end.
#[track_caller]
fn names(text: &str) -> Vec<String> {
    let path = text.split_once("need each other to be created: ").map(|(_, path)| path);
    let path = path.unwrap_or_else(|| panic!("not told of a circle: {text}"));
    let steps: Vec<&str> = path.split(" -> ").collect();
    let (last, steps) = steps.split_last().unwrap();
    let name = |step: &&str| {
        let (name, place) = step.split_once(" (").unwrap_or_else(|| panic!("no place: {text}"));
        let line = place.split_once("cycles.rs:").and_then(|(_, line)| line.strip_suffix(')'));
        assert!(line.is_some_and(|line| line.parse::<u32>().is_ok()), "no file and line: {text}");
        name.to_owned()
    };
    let names: Vec<String> = steps.iter().map(name).collect();
    assert_eq!(names.first().map(String::as_str), Some(*last), "{text}");
    names
}

#[track_caller]
fn circle(outcome: Result<u8, SingletonError>) -> Vec<String> {
    match outcome {
        Err(SingletonError::Cycle { path, .. }) => names(&format!("need each other to be created: {path}")),
        other => panic!("not told of a circle: {other:?}"),
    }
}

/// The first two who come wait for each other; whoever comes later passes.
struct Meeting(AtomicUsize);

impl Meeting {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn meet(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        lifecycle_tests::until(|| self.0.load(Ordering::SeqCst) >= 2);
    }

    async fn meet_async(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        while self.0.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
    }
}

mod on_one_thread {
    use super::*;

    #[singleton]
    fn own() -> Result<u8, SingletonError> {
        own().copied()
    }

    #[singleton]
    fn own_plain() -> u8 {
        *own_plain()
    }

    #[singleton(factory = Typed::make)]
    struct Typed;

    impl Typed {
        fn make() -> Self {
            Typed::instance();
            Self
        }
    }

    #[singleton]
    fn a() -> Result<u8, SingletonError> {
        b().copied()
    }

    #[singleton]
    fn b() -> Result<u8, SingletonError> {
        c().copied()
    }

    #[singleton]
    fn c() -> Result<u8, SingletonError> {
        a().copied()
    }

    #[test]
    fn what_needs_itself_is_told() {
        assert_eq!(circle(watched(|| own().copied())), ["own"]);
        assert_eq!(names(&said(&*watched(|| catch_unwind(own_plain)).unwrap_err())), ["own_plain"]);
        assert_eq!(names(&said(&*watched(|| catch_unwind(Typed::instance).map(|_| ())).unwrap_err())), ["typed"]);
        let refused = watched(|| catch_unwind(Typed::try_instance).map(|_| ())).unwrap_err();
        assert_eq!(names(&said(&*refused)), ["typed"], "its own factory panics");
    }

    #[test]
    fn the_whole_way_round_is_told_and_it_may_be_told_again() {
        for _ in 0..2 {
            assert_eq!(circle(watched(|| a().copied())), ["a", "b", "c"]);
        }
        assert_eq!(circle(watched(|| b().copied())), ["b", "c", "a"]);
    }
}

mod on_two_threads {
    use super::*;

    static MEETING: Meeting = Meeting::new();

    #[singleton]
    fn left() -> Result<u8, SingletonError> {
        MEETING.meet();
        right().copied()
    }

    #[singleton]
    fn right() -> Result<u8, SingletonError> {
        MEETING.meet();
        left().copied()
    }

    #[test]
    fn two_that_need_each_other_are_told() {
        let both = [started(|| left().copied()), started(|| right().copied())];
        for outcome in both.iter().map(ended) {
            let mut names = circle(outcome);
            names.sort();
            assert_eq!(names, ["left", "right"]);
        }
    }
}

mod in_tasks {
    use super::*;

    #[singleton]
    async fn own() -> Result<u8, SingletonError> {
        own().await.copied()
    }

    #[singleton]
    async fn a() -> Result<u8, SingletonError> {
        tokio::task::yield_now().await;
        b().await.copied()
    }

    #[singleton]
    async fn b() -> Result<u8, SingletonError> {
        tokio::task::yield_now().await;
        a().await.copied()
    }

    #[singleton(async_factory = Typed::make)]
    struct Typed;

    impl Typed {
        async fn make() -> Self {
            Typed::instance().await;
            Self
        }
    }

    #[test]
    fn in_one_task_they_are_told() {
        assert_eq!(circle(watched(|| runtime().block_on(async { own().await.copied() }))), ["own"]);
        assert_eq!(circle(watched(|| runtime().block_on(async { a().await.copied() }))), ["a", "b"]);
        let panic = watched(|| runtime().block_on(async { tokio::spawn(Typed::instance()).await.map(|_| ()) }));
        assert_eq!(names(&said(&*panic.unwrap_err().into_panic())), ["typed"]);
    }

    static MEETING: Meeting = Meeting::new();

    #[singleton]
    async fn left() -> Result<u8, SingletonError> {
        MEETING.meet_async().await;
        right().await.copied()
    }

    #[singleton]
    async fn right() -> Result<u8, SingletonError> {
        MEETING.meet_async().await;
        left().await.copied()
    }

    #[test]
    fn two_tasks_are_told() {
        let outcomes = watched(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
            runtime.block_on(async {
                let both =
                    [tokio::spawn(async { left().await.copied() }), tokio::spawn(async { right().await.copied() })];
                let [left, right] = both;
                [left.await.unwrap(), right.await.unwrap()]
            })
        });
        for outcome in outcomes {
            let mut names = circle(outcome);
            names.sort();
            assert_eq!(names, ["left", "right"]);
        }
    }

    #[singleton]
    async fn joins() -> Result<u8, SingletonError> {
        let (fine, back) = tokio::join!(fine(), back());
        Ok(*fine + *back?)
    }

    #[singleton]
    async fn fine() -> u8 {
        tokio::task::yield_now().await;
        1
    }

    #[singleton]
    async fn back() -> Result<u8, SingletonError> {
        tokio::task::yield_now().await;
        joins().await.copied()
    }

    #[test]
    fn one_of_two_needs_at_a_time_leads_back() {
        assert_eq!(circle(watched(|| runtime().block_on(async { joins().await.copied() }))), ["joins", "back"]);
    }
}

mod sync_and_async {
    use super::*;

    #[singleton]
    async fn outer_async() -> Result<u8, SingletonError> {
        tokio::task::yield_now().await;
        inner_sync().copied()
    }

    #[singleton]
    fn inner_sync() -> Result<u8, SingletonError> {
        // A runtime cannot be entered inside another.
        std::thread::scope(|scope| {
            let context = Context::capture();
            let asked = scope.spawn(move || context.run(|| runtime().block_on(async { outer_async().await.copied() })));
            asked.join().unwrap()
        })
    }

    #[test]
    fn they_are_told_of_each_other_whoever_begins() {
        assert_eq!(
            circle(watched(|| runtime().block_on(async { outer_async().await.copied() }))),
            ["outer_async", "inner_sync"]
        );
        assert_eq!(circle(watched(|| inner_sync().copied())), ["inner_sync", "outer_async"]);
    }
}

mod through_a_captured_context {
    use super::*;

    #[singleton]
    fn by_thread() -> Result<u8, SingletonError> {
        let context = Context::capture();
        std::thread::spawn(move || context.run(|| by_thread().copied())).join().unwrap()
    }

    #[singleton]
    async fn by_task() -> Result<u8, SingletonError> {
        tokio::spawn(Context::capture().wrap(async { by_task().await.copied() })).await.unwrap()
    }

    #[test]
    fn what_a_factory_started_speaks_for_it() {
        assert_eq!(circle(watched(|| by_thread().copied())), ["by_thread"]);
        assert_eq!(circle(watched(|| runtime().block_on(async { by_task().await.copied() }))), ["by_task"]);
    }
}

mod keyed {
    use super::*;

    #[singleton(keyed)]
    fn countdown(from: u32, forever: bool) -> Result<u8, SingletonError> {
        match from {
            0 => Ok(0),
            _ if forever => countdown(from, forever).map(|found| *found),
            _ => countdown(from - 1, false).map(|found| *found + 1),
        }
    }

    #[singleton(keyed)]
    async fn table(name: &str) -> Result<u8, SingletonError> {
        match name {
            "leaf" => Ok(1),
            "tree" => table("leaf").await.map(|found| *found + 1),
            _ => table(name).await.map(|found| *found),
        }
    }

    #[test]
    fn a_key_that_needs_itself_is_told_and_one_that_needs_another_is_made() {
        let own = watched(|| countdown(3, true).map(|found| *found));
        assert_eq!(circle(own), ["countdown[3, true]"]);
        assert_eq!(*watched(|| countdown(4, false)).unwrap(), 4);
        watched(|| {
            runtime().block_on(async {
                assert_eq!(circle(table("self").await.map(|found| *found)), ["table[self]"]);
                assert_eq!(*table("tree").await.unwrap(), 2);
            });
        });
    }
}

mod by_name {
    use super::*;

    #[singleton]
    fn declared() -> Result<u8, SingletonError> {
        let made = lifecycle::singletons().get_or_try_create("made_up", || declared().copied());
        match made {
            Ok(found) => Ok(*found),
            Err(lifecycle::Error::Singleton(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn one_without_a_declaration_is_on_the_path_without_a_place() {
        let text = watched(|| {
            let error = anyhow::Error::from(declared().unwrap_err());
            format!("{error:#}")
        });
        assert!(text.contains("need each other to be created: declared ("), "{text}");
        assert!(text.contains("cycles.rs:") && text.contains("-> made_up -> declared"), "{text}");
        let own = watched(|| {
            let singletons = lifecycle::singletons();
            let made = singletons
                .get_or_try_create("own_name", || singletons.get_or_create("own_name", || 1_u8).map(|one| *one));
            format!("{:#}", anyhow::Error::from(made.unwrap_err()))
        });
        assert!(own.contains("need each other to be created: own_name -> own_name"), "{own}");
    }
}

mod lazy_statics {
    use super::*;

    #[singleton]
    static HEN: Lazy<u8> = *EGG;

    #[singleton]
    static EGG: Lazy<u8> = *HEN;

    #[test]
    fn a_dereference_that_needs_itself_panics_with_the_path() {
        let panic = watched(|| catch_unwind(|| *HEN)).unwrap_err();
        assert_eq!(names(&said(&*panic)), ["hen", "egg"]);
        // Nothing is stuck.
        let panic = watched(|| catch_unwind(|| *EGG)).unwrap_err();
        assert_eq!(names(&said(&*panic)), ["egg", "hen"]);
    }
}

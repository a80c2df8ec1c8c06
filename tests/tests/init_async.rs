//! `initialize_async`: one initializes, whoever waits drives it on, a dropped caller loses nothing.

use lifecycle::testing::isolated_async;
use lifecycle::{
    BoxError, Context, Error, InitConfig, handle, init_flag, initialization, initialize, initialize_async, singleton,
};
use lifecycle_tests::{ByHand, runtime};
use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Poll, Waker};
use std::time::Duration;

#[singleton]
#[derive(Default)]
struct World {
    open: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
    ran: Mutex<Vec<String>>,
}

impl World {
    fn open(&self) {
        self.open.store(true, SeqCst);
        self.wakers.lock().unwrap().drain(..).for_each(Waker::wake);
    }

    async fn opened(&self) {
        poll_fn(|cx| {
            self.wakers.lock().unwrap().push(cx.waker().clone());
            if self.open.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn note(&self, what: impl Into<String>) {
        self.ran.lock().unwrap().push(what.into());
    }

    fn ran(&self) -> Vec<String> {
        self.ran.lock().unwrap().clone()
    }
}

fn who() -> Result<String, Error> {
    Ok(initialization().config()?.get("who").map(ToString::to_string).unwrap_or_default())
}

#[init_flag(on_initialize)]
fn begin() -> Result<(), BoxError> {
    World::instance().note(format!("begin {}", who()?));
    if initialization().config()?.get("again").is_some() {
        initialize(InitConfig::new())?;
    }
    Ok(())
}

#[init_flag(on_initialize, depends_on(begin))]
async fn connect() -> Result<(), BoxError> {
    World::instance().note("connecting");
    World::instance().opened().await;
    let context = Context::capture();
    let on_thread = std::thread::spawn(move || context.run(who)).join().expect("no panic")?;
    assert_eq!(on_thread, who()?, "with the step's context a thread sees it, too");
    World::instance().note(format!("connected {}", who()?));
    match initialization().config()?.get("fail") {
        Some(_) => Err("refused".into()),
        None => Ok(()),
    }
}

fn config(who: &str) -> InitConfig {
    InitConfig::new().with("who", who)
}

fn in_world(test: impl AsyncFnOnce(&'static World)) {
    runtime().block_on(isolated_async(async { test(World::instance()).await }));
}

#[test]
fn sync_is_told_to_be_async_before_anything_runs() {
    in_world(async |world| {
        let error = initialize(config("sync")).unwrap_err();
        assert!(matches!(&error, Error::AsyncSteps { names } if names == &["connect"]));
        assert_eq!(error.to_string(), "steps are async: `connect`; await `initialize_async(config)` instead");
        assert!(world.ran().is_empty() && !initialization().is_initialized());
        world.open();
        assert!(!initialize_async(config("async")).await.unwrap().cached);
        assert_eq!(world.ran(), ["begin \"async\"", "connecting", "connected \"async\""]);
        assert!(initialize(config("sync")).unwrap().cached, "what is done needs nobody to wait");
    });
}

#[test]
fn sync_from_within_is_told_of_the_circle() {
    in_world(async |_| {
        let error = initialize_async(config("async").with("again", true)).await.unwrap_err();
        let Error::Step { source, .. } = &error else { panic!("{error}") };
        assert!(matches!(source.downcast_ref(), Some(Error::Initializing { .. })), "not `await it`: {source}");
    });
}

#[test]
fn async_steps_that_are_done_do_not_stand_in_the_way_of_sync() {
    in_world(async |world| {
        handle(connect).unwrap().replace(()).unwrap();
        assert!(!initialize(config("sync")).unwrap().cached);
        assert_eq!(world.ran(), ["begin \"sync\""]);
    });
}

#[test]
fn a_dropped_caller_hands_over_to_the_next() {
    in_world(async |world| {
        let (mut first, mut second) =
            (ByHand::new(initialize_async(config("a"))), ByHand::new(initialize_async(config("b"))));
        assert!(first.poll().is_pending() && second.poll().is_pending());
        let refused = initialize(config("c")).unwrap_err().to_string();
        assert!(refused.contains("initialize_async") && !initialization().is_initialized(), "{refused}");
        drop(first);
        world.open();
        let Poll::Ready(Ok(outcome)) = second.poll() else { panic!("it is its turn") };
        assert!(!outcome.cached && outcome.ignored && outcome.ignored_keys == ["who"], "it was begun with the other's");
        assert_eq!(world.ran(), ["begin \"a\"", "connecting", "connected \"a\""]);
        let later = initialize_async(config("a")).await.unwrap();
        assert!(later.cached && !later.ignored && later.timestamp == outcome.timestamp);
    });
}

#[test]
fn the_last_to_go_takes_it_along() {
    in_world(async |world| {
        let mut only = ByHand::new(initialize_async(config("a")));
        assert!(only.poll().is_pending());
        drop(only);
        assert!(matches!(initialization().config(), Err(Error::NotInitialized)));
        assert!(!initialization().reset().was_initialized);
        world.open();
        let outcome = initialize_async(config("b")).await.unwrap();
        assert!(!outcome.cached && !outcome.ignored);
        // The step's own run was not lost: it went on where it stood, and saw what is installed now.
        assert_eq!(world.ran().last().unwrap(), "connected \"b\"");
    });
}

#[test]
fn a_failure_is_everybodys_and_the_next_tries_again() {
    in_world(async |world| {
        let mut first = ByHand::new(initialize_async(config("a").with("fail", true)));
        let mut second = ByHand::new(initialize_async(config("b")));
        assert!(first.poll().is_pending() && second.poll().is_pending());
        world.open();
        let Poll::Ready(Err(Error::Step { name, source })) = first.poll() else { panic!("its step failed") };
        assert_eq!((name.as_str(), source.to_string().as_str()), ("connect", "refused"));
        let Poll::Ready(Ok(outcome)) = second.poll() else { panic!("the one that waited tried") };
        assert!(!outcome.cached && !outcome.ignored);
        assert_eq!(initialization().config().unwrap().get("who"), Some(&"b".into()));
    });
}

#[test]
fn who_drives_the_step_for_it_gives_the_step_its_configuration() {
    in_world(async |world| {
        let mut initializing = ByHand::new(initialize_async(config("a")));
        assert!(initializing.poll().is_pending());
        let mut beside = ByHand::new(connect());
        assert!(beside.poll().is_pending());
        assert!(matches!(initialization().config(), Err(Error::NotInitialized)), "but not to others");
        world.open();
        assert!(matches!(beside.poll(), Poll::Ready(Ok(()))), "this one polls it to its end");
        assert_eq!(world.ran().last().unwrap(), "connected \"a\"");
        assert!(matches!(initializing.poll(), Poll::Ready(Ok(_))));
    });
}

#[test]
fn a_shutdown_does_not_wait_for_one_that_nobody_polls() {
    in_world(async |world| {
        let mut parked = ByHand::new(initialize_async(config("a")));
        assert!(parked.poll().is_pending());
        let report = lifecycle::shutdown(Duration::ZERO).await;
        assert_eq!(report.abandoned, ["initialize", "connect"], "the step and what waits for it: {report}");
        world.open();
        let Poll::Ready(Err(error)) = parked.poll() else { panic!("nothing is begun any more") };
        assert_eq!(error.to_string(), "`initialize`: the process is shutting down");
        assert!(!initialization().is_initialized());
    });
}

#[test]
fn of_many_tasks_one_initializes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(isolated_async(async {
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let context = Context::capture();
                tokio::spawn(context.wrap(async move {
                    let outcome = initialize_async(InitConfig::new().with("who", task)).await.unwrap();
                    assert!(initialization().is_initialized() && handle(connect).unwrap().is_done());
                    outcome.cached
                }))
            })
            .collect();
        tokio::task::yield_now().await;
        World::instance().open();
        let mut new = 0;
        for task in tasks {
            new += usize::from(!task.await.unwrap());
        }
        assert_eq!(new, 1);
        assert_eq!(World::instance().ran().len(), 3);
    }));
}

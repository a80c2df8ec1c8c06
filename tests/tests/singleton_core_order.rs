//! The by-name core under creations, destructors and hooks that meet: who wins, what is dropped, and in which order.

use lifecycle::{Error, Singleton, SingletonCore, singleton, testing};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

type Log = Arc<Mutex<Vec<&'static str>>>;

/// Notes its name when it goes.
struct Noted(&'static str, Log);

impl Drop for Noted {
    fn drop(&mut self) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).push(self.0);
        assert!(!self.0.starts_with("panics"), "a destructor that panics");
    }
}

fn noted(log: &Log) -> Vec<&'static str> {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[test]
fn a_value_set_during_a_creation_wins_and_the_factory_s_own_is_dropped() {
    let (core, log) = (SingletonCore::new(), Log::default());
    let got = core
        .get_or_create("a", || {
            core.set("a", Noted("set", log.clone())).unwrap();
            Noted("made", log.clone())
        })
        .unwrap();
    assert_eq!((got.0, noted(&log)), ("set", vec!["made"]));
    assert_eq!(core.get_stats().access_counts, [("a".to_owned(), 1)]);
}

#[test]
fn a_value_of_another_type_set_during_a_creation_wins_too_and_the_creator_is_told() {
    let core = SingletonCore::new();
    let outcome = core.get_or_create("a", || {
        core.set("a", "text").unwrap();
        1_u32
    });
    assert!(matches!(outcome, Err(Error::TypeMismatch { expected: "u32", found: "&str", .. })));
    assert_eq!(*core.get::<&str>("a").unwrap().unwrap(), "text");
}

#[test]
fn waiters_of_a_creation_get_the_value_that_was_set_meanwhile() {
    let core = SingletonCore::new();
    let (inside, go_on) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        let creator = scope.spawn(|| {
            *core
                .get_or_create("a", || {
                    inside.wait();
                    go_on.wait();
                    1_u32
                })
                .unwrap()
        });
        inside.wait();
        let waiter = scope.spawn(|| *core.get_or_create("a", || -> u32 { panic!("somebody else creates") }).unwrap());
        core.set("a", 2_u32).unwrap();
        assert_eq!(waiter.join().unwrap(), 2, "without the factory being over");
        go_on.wait();
        assert_eq!(creator.join().unwrap(), 2);
    });
}

#[test]
fn a_value_set_during_an_async_creation_wins_and_the_future_is_dropped() {
    let (core, log) = (SingletonCore::new(), Log::default());
    let never = || {
        let held = Noted("future", log.clone());
        async move {
            std::future::pending::<()>().await;
            drop(held);
            1_u32
        }
    };
    let mut creating = pin!(core.get_or_create_async("a", never));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(creating.as_mut().poll(&mut cx).is_pending());
    core.set("a", 2_u32).unwrap();
    assert_eq!(noted(&log), ["future"]);
    let Poll::Ready(Ok(got)) = creating.as_mut().poll(&mut cx) else { panic!("it goes on waiting") };
    assert_eq!(*got, 2);
}

#[test]
fn a_creation_outlives_delete_and_clear_and_is_stored() {
    let delete: fn(&SingletonCore) = |core| assert!(!core.delete("a").unwrap());
    let clear: fn(&SingletonCore) = |core| assert_eq!(core.clear().unwrap(), 0);
    for take_away in [delete, clear] {
        let core = SingletonCore::new();
        let made = core.get_or_create("a", || {
            take_away(&core);
            1_u32
        });
        assert!(made.unwrap().same_as(&core.get::<u32>("a").unwrap().unwrap()));
    }
}

#[test]
fn an_async_creation_outlives_delete_and_is_stored() {
    let core = SingletonCore::new();
    let (send, receive) = channel::<()>();
    let receive = Arc::new(Mutex::new(receive));
    let mut creating = pin!(core.get_or_create_async("a", || {
        let receive = receive.clone();
        std::future::poll_fn(move |cx| {
            cx.waker().wake_by_ref();
            if receive.lock().unwrap().try_recv().is_ok() { Poll::Ready(7_u32) } else { Poll::Pending }
        })
    }));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(creating.as_mut().poll(&mut cx).is_pending());
    assert!(!core.delete("a").unwrap());
    send.send(()).unwrap();
    let Poll::Ready(Ok(made)) = creating.as_mut().poll(&mut cx) else { panic!("the creation was lost") };
    assert!(*made == 7 && core.has("a"));
}

#[test]
fn clear_goes_through_declared_and_stored_ones_together_the_newest_first() {
    static LOG: Mutex<Vec<&str>> = Mutex::new(Vec::new());

    #[singleton(on_retire = |_| LOG.lock().unwrap().push("declared"))]
    #[derive(Default)]
    struct InTheMiddle;

    #[singleton(swap, on_retire = |_| LOG.lock().unwrap().push("swap"))]
    #[derive(Default)]
    struct Last;

    struct Stored(&'static str);
    impl Drop for Stored {
        fn drop(&mut self) {
            LOG.lock().unwrap().push(self.0);
        }
    }

    testing::isolated(|| {
        let core = lifecycle::singletons();
        core.set("first", Stored("first")).unwrap();
        InTheMiddle::instance();
        core.get_or_create("third", || Stored("third")).unwrap();
        Last::current();
        assert_eq!(core.get_stats().singleton_names, ["first", "in_the_middle", "third", "last"]);
        assert_eq!(core.clear().unwrap(), 4);
        assert_eq!(*LOG.lock().unwrap(), ["swap", "third", "declared", "first"]);
        assert!(!InTheMiddle::is_created() && core.get_stats().total_singletons == 0);
    });
}

#[test]
fn a_destructor_that_panics_stops_neither_clear_nor_delete_nor_the_end_of_a_core() {
    let (core, log) = (SingletonCore::new(), Log::default());
    let fill = || {
        for name in ["one", "panics two", "three", "panics four"] {
            core.set(name, Noted(name, log.clone())).unwrap();
        }
    };
    fill();
    assert_eq!(core.clear().unwrap(), 4);
    let newest_first = ["panics four", "three", "panics two", "one"];
    assert_eq!(noted(&log), newest_first);
    fill();
    assert!(core.delete("panics two").unwrap() && !core.has("panics two"));
    log.lock().unwrap_or_else(PoisonError::into_inner).clear();
    core.set("panics two", Noted("panics two", log.clone())).unwrap();
    drop(core);
    assert_eq!(noted(&log), ["panics two", "panics four", "three", "one"], "a core that goes goes as with `clear`");
}

#[test]
fn a_test_world_ends_with_stored_ones_newest_first_whatever_their_destructors_do() {
    let log = Log::default();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        testing::isolated(|| {
            for name in ["one", "panics two", "three"] {
                lifecycle::singletons().set(name, Noted(name, log.clone())).unwrap();
            }
        });
    }));
    assert!(outcome.is_ok(), "the test itself did nothing wrong");
    assert_eq!(noted(&log), ["three", "panics two", "one"]);
}

#[test]
fn a_destructor_may_use_the_core_that_drops_it() {
    static GONE: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    struct Busy(&'static str);
    impl Drop for Busy {
        fn drop(&mut self) {
            GONE.lock().unwrap().push(self.0);
            let core = lifecycle::singletons();
            core.set("left behind", self.0).unwrap();
            core.get_or_create("made in a destructor", || 1_u8).unwrap();
            assert!(core.delete("made in a destructor").unwrap() && core.get_stats().total_singletons > 0);
            core.clear().unwrap();
        }
    }
    testing::isolated(|| {
        let core = lifecycle::singletons();
        core.set("a", Busy("deleted")).unwrap();
        assert!(core.delete("a").unwrap());
        core.set("a", Busy("replaced")).unwrap();
        drop(core.set("a", "another").unwrap());
        assert_eq!(core.get_stats().total_singletons, 0);
        core.set("a", Busy("a")).unwrap();
        core.set("b", Busy("b")).unwrap();
        assert_eq!(core.clear().unwrap(), 1, "the destructor of the newest cleared the rest");
        assert_eq!(*GONE.lock().unwrap(), ["deleted", "replaced", "b", "a"]);
    });
}

#[test]
fn a_value_lives_as_long_as_it_is_held() {
    let (core, log) = (SingletonCore::new(), Log::default());
    core.set("a", Noted("a", log.clone())).unwrap();
    let held = core.get::<Noted>("a").unwrap().unwrap();
    assert!(core.delete("a").unwrap() && noted(&log).is_empty());
    drop(held);
    assert_eq!(noted(&log), ["a"]);
}

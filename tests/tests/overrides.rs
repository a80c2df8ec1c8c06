//! Overrides: of every form, for a thread or a world, in any order; and what is left of a world that ended.

use lifecycle::{Context, Error, Lazy, OverrideGuard, Singleton, SingletonError, singleton, testing};
use std::future::Future;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::thread;

#[singleton(factory = || Kept("real"))]
#[derive(Debug, PartialEq)]
struct Kept(&'static str);

#[singleton(swap, factory = || Swap("real"))]
struct Swap(&'static str);

#[singleton]
static LAZY: Lazy<&'static str> = "real";

#[singleton]
fn function() -> &'static str {
    "real"
}

#[singleton(swap)]
async fn later() -> &'static str {
    "real"
}

#[singleton(keyed)]
fn keyed(name: &str) -> String {
    name.to_owned()
}

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut std::task::Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready"),
    }
}

fn all() -> [&'static str; 5] {
    [Kept::instance().0, Swap::current().0, *LAZY, *function(), *now(later())]
}

fn override_all(with: &'static str) -> [OverrideGuard; 5] {
    [
        Kept::override_with(Kept(with)),
        Swap::override_with(Swap(with)),
        Lazy::override_with(&LAZY, with),
        lifecycle::handle(function).unwrap().override_with(with).unwrap(),
        lifecycle::singleton::<&'static str>("later").unwrap().override_with(with).unwrap(),
    ]
}

#[test]
fn every_form_can_be_overridden_for_a_thread_and_is_itself_again() {
    // On a thread of its own: the process's instances are shared with the other tests, this thread's overrides are not.
    let run = || {
        assert_eq!(all(), ["real"; 5]);
        let outer = override_all("outer");
        let inner = override_all("inner");
        assert_eq!(all(), ["inner"; 5]);
        assert_eq!(thread::spawn(all).join().unwrap(), ["real"; 5]);
        assert_eq!((Kept::get(), Lazy::get(&LAZY)), (Some(&Kept("inner")), Some(&"inner")));
        drop(outer);
        assert_eq!(all(), ["inner"; 5]);
        thread::spawn(move || drop(inner)).join().unwrap();
        assert_eq!(all(), ["real"; 5]);
    };
    thread::spawn(run).join().unwrap();
}

#[test]
fn an_override_stands_in_before_there_is_an_instance_and_creates_none() {
    #[singleton(factory = Never::make)]
    struct Never(u8);
    impl Never {
        fn make() -> Self {
            unreachable!("nobody needs the real one")
        }
    }

    testing::isolated(|| {
        let guard = Never::override_with(Never(1));
        assert_eq!((Never::instance().0, Never::try_instance().unwrap().0, Never::is_created()), (1, 1, true));
        assert_eq!(lifecycle::singletons().get::<Never>("never").unwrap().unwrap().0, 1);
        assert!(!Never::stats().created, "the world's own has not been made");
        drop(guard);
        assert!(Never::get().is_none());
    });
}

#[test]
fn a_world_s_overrides_are_seen_wherever_the_world_is_and_nowhere_else() {
    testing::isolated(|| {
        let guards = override_all("world");
        assert_eq!(all(), ["world"; 5]);
        assert_eq!(testing::isolated(all), ["real"; 5], "another world");
        let context = Context::capture();
        let carried = context.clone();
        assert_eq!(thread::spawn(move || carried.run(all)).join().unwrap(), ["world"; 5]);
        // Installed by another thread of this world: in force in all of it.
        let carried = context.clone();
        let inner = thread::spawn(move || carried.run(|| override_all("elsewhere"))).join().unwrap();
        assert_eq!(all(), ["elsewhere"; 5]);
        drop(inner);
        assert_eq!(all(), ["world"; 5]);
        drop(guards);
        assert_eq!((all(), context.run(all)), (["real"; 5], ["real"; 5]));
    });
}

#[test]
fn the_overrides_of_a_thread_end_for_contexts_captured_before_too() {
    let run = || {
        let guards = override_all("mine");
        let context = Context::capture();
        let carried = context.clone();
        let (seen, context) = thread::spawn(move || (carried.run(all), context)).join().unwrap();
        assert_eq!(seen, ["mine"; 5]);
        drop(guards);
        assert_eq!(thread::spawn(move || context.run(all)).join().unwrap(), ["real"; 5]);
    };
    thread::spawn(run).join().unwrap();
}

#[test]
fn another_type_and_a_keyed_singleton_cannot_be_overridden_by_name() {
    let error = lifecycle::singleton::<u8>("function").unwrap_err();
    assert!(matches!(error, Error::TypeMismatch { expected: "u8", found: "&str", .. }), "{error:?}");
    keyed("a");
    let handle = lifecycle::handle(|name: &'static str| keyed(name));
    assert!(matches!(handle, Err(Error::NotFound { .. })), "a closure is not the function");
    let handle = lifecycle::singleton::<String>("keyed").unwrap();
    assert!(matches!(handle.override_with(String::new()), Err(Error::NotPossible { .. })));
    assert!(matches!(handle.replace(String::new()), Err(Error::NotPossible { .. })));
}

#[test]
fn a_world_that_ended_is_read_and_creates_nothing() {
    #[singleton]
    #[derive(Debug)]
    struct Before;
    impl Default for Before {
        fn default() -> Self {
            Self
        }
    }

    #[singleton]
    #[derive(Debug, Default)]
    struct After;

    let (context, address) = testing::isolated(|| {
        let address = std::ptr::from_ref(Before::instance()).addr();
        lifecycle::singletons().set("stored", 5_u8).unwrap();
        keyed("there");
        (Context::capture(), address)
    });
    context.run(|| {
        assert_eq!(std::ptr::from_ref(Before::instance()).addr(), address);
        assert_eq!(*lifecycle::singletons().get::<u8>("stored").unwrap().unwrap(), 5);
        assert_eq!(*keyed("there"), "there");
        let Err(SingletonError::ContextEnded { name, .. }) = After::try_instance() else { panic!("it was created") };
        assert_eq!(name, "after");
        let by_name = lifecycle::singletons().get_or_create("new", || 1_u8);
        assert!(matches!(by_name, Err(Error::Singleton(SingletonError::ContextEnded { .. }))));
        assert!(After::get().is_none() && Before::delete(), "taking away needs no factory");
        assert!(Before::try_instance().is_err());
    });
    After::instance();
}

#[test]
fn reads_go_to_the_override_and_management_to_the_instance() {
    testing::isolated(|| {
        Kept::instance();
        let guard = Kept::override_with(Kept("stand-in"));
        assert_eq!(Kept::replace(Kept("new")), Some(&Kept("real")));
        assert_eq!(Kept::instance(), &Kept("stand-in"));
        drop(guard);
        assert_eq!(Kept::instance(), &Kept("new"));
    });
}

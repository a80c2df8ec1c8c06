//! What goes wrong around singletons and must not spread: panics, subscribers that call back, writers beside a snapshot,
//! components the link-time list does not have.

use lifecycle::{Singleton, SingletonCore, singleton, testing};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn panics_of_the_user_s_code_anywhere_leave_everything_in_working_order() {
    struct Explosive(u32);
    impl Drop for Explosive {
        fn drop(&mut self) {
            assert!(self.0 == 0, "in a destructor");
        }
    }
    static FAIL: AtomicBool = AtomicBool::new(true);

    #[singleton(swap, on_retire = |_| panic!("in a hook"), memory = |_| panic!("in a hook"))]
    fn fragile() -> Explosive {
        assert!(!FAIL.load(Ordering::SeqCst), "in a factory");
        Explosive(0)
    }

    #[singleton(keyed)]
    fn fragile_key(n: u32) -> Explosive {
        assert!(!FAIL.load(Ordering::SeqCst), "in a factory");
        Explosive(n)
    }

    testing::isolated(|| {
        let core = lifecycle::singletons();
        let panics = |f: &dyn Fn()| assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
        for _ in 0..3 {
            panics(&|| drop(fragile()));
            panics(&|| drop(fragile_key(1)));
            panics(&|| drop(core.get_or_create("a", || -> u8 { panic!("in a factory") })));
            panics(&|| drop(core.get_or_try_create("a", || -> Result<u8, String> { panic!("in a factory") })));
        }
        let before = lifecycle::snapshot();
        assert!(before.singletons.iter().any(|one| one.name == "fragile" && one.failures == 3));
        FAIL.store(false, Ordering::SeqCst);
        drop((fragile(), fragile_key(0)));
        core.set("a", Explosive(1)).unwrap();
        let waiting = thread::scope(|scope| scope.spawn(|| core.delete("nothing")).join().unwrap());
        assert!(!waiting.unwrap());
        assert!(lifecycle::handle(fragile).unwrap().delete());
        assert_eq!(core.clear().unwrap(), 2);
        drop((fragile(), core.get_or_create("a", || 1_u8).unwrap()));
        assert_eq!(core.get_stats().total_singletons, 2);
    });
}

#[test]
fn a_snapshot_beside_heavy_writes_ends_and_each_entry_is_whole() {
    static STOP: AtomicBool = AtomicBool::new(false);
    static WRITES: AtomicU64 = AtomicU64::new(0);

    #[singleton(swap, factory = || Busy(1))]
    struct Busy(#[allow(dead_code, reason = "something to replace")] u32);

    #[singleton(keyed)]
    fn busy_key(n: u32) -> u32 {
        n
    }

    let core = SingletonCore::new();
    core.set_rate_limit(None).unwrap();
    thread::scope(|scope| {
        for writer in 0..3_u32 {
            let core = &core;
            scope.spawn(move || {
                let mut n = 0_u32;
                while !STOP.load(Ordering::Relaxed) {
                    n += 1;
                    drop(Busy::replace(Busy(n)));
                    drop((Busy::current(), busy_key(n % 50)));
                    core.set(&format!("{writer}/{}", n % 50), n).unwrap();
                    core.delete(&format!("{writer}/{}", (n + 25) % 50)).unwrap();
                    WRITES.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..50 {
            let before = WRITES.load(Ordering::Relaxed);
            let (snapshot, stats) = (lifecycle::snapshot(), core.get_stats());
            for one in &snapshot.singletons {
                assert!(!one.created || one.order.is_some() || one.name == "busy", "{one:?}");
            }
            assert_eq!(stats.total_singletons, stats.singleton_names.len());
            assert!(stats.total_singletons <= 150);
            // Writers go on meanwhile.
            while WRITES.load(Ordering::Relaxed) == before {
                thread::yield_now();
            }
        }
        STOP.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_component_is_found_by_its_first_use_as_well_as_by_the_linker() {
    // That both give one entry, and neither two.
    fn of<T: Default>() -> u32 {
        let _ = T::default();
        #[singleton]
        fn used_here() -> u32 {
            1
        }
        *used_here()
    }
    let listed = || lifecycle::snapshot().singletons.iter().filter(|one| one.name == "used_here").count();
    let before = listed();
    assert!(before <= 1);
    assert_eq!(of::<u8>() + of::<u16>(), 2);
    assert_eq!(listed(), 1);
}

#[test]
fn an_override_is_taken_to_a_thread_by_its_context_alone() {
    #[singleton(factory = || Who("real"))]
    struct Who(&'static str);

    let (seen, carried) = thread::spawn(|| {
        let _guard = Who::override_with(Who("stand-in"));
        let context = lifecycle::Context::capture();
        let seen = thread::spawn(|| Who::instance().0).join().unwrap();
        (seen, thread::spawn(move || context.run(|| Who::instance().0)).join().unwrap())
    })
    .join()
    .unwrap();
    assert_eq!((seen, carried), ("real", "stand-in"));
}

mod subscriber {
    use super::*;
    use std::cell::Cell;
    use tracing::{Event, Metadata, Subscriber, span};

    thread_local!(pub(super) static ON_EVENT: Cell<fn()> = const { Cell::new(|| ()) });

    /// The one subscriber of the process; each test says what it does on its thread.
    pub(super) struct Calls;

    impl Subscriber for Calls {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target().starts_with("lifecycle")
        }
        fn event(&self, _: &Event<'_>) {
            ON_EVENT.get()();
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    pub(super) static EVENTS: AtomicU32 = AtomicU32::new(0);
}

#[singleton(swap, factory = || Told(1))]
struct Told(#[allow(dead_code, reason = "something to replace")] u8);

#[singleton(keyed, max_keys = 1)]
fn told_key(n: u8) -> u8 {
    n
}

/// What a subscriber does with the very things it is told about.
fn use_it_all() {
    let core = lifecycle::singletons();
    let _ = (Told::current(), Told::replace(Told(2)), told_key(1), told_key(2), Told::stats());
    let _ = (core.set("told", 1_u8), core.delete("told"), core.clear(), Told::reload(), Told::delete());
    let _ = core.get_or_try_create("told", || Err::<u8, _>("on purpose"));
    let _ = lifecycle::snapshot();
}

#[test]
fn a_subscriber_may_do_all_that_it_is_told_of() {
    lifecycle_tests::told_everywhere(subscriber::Calls);
    let (send, receive) = std::sync::mpsc::channel();
    thread::spawn(move || {
        subscriber::ON_EVENT.set(|| {
            subscriber::EVENTS.fetch_add(1, Ordering::SeqCst);
            use_it_all();
        });
        testing::isolated(|| (0..3).for_each(|_| use_it_all()));
        subscriber::ON_EVENT.set(|| ());
        let _ = send.send(());
    });
    receive.recv_timeout(Duration::from_secs(20)).expect("it hangs");
    let told = subscriber::EVENTS.load(Ordering::SeqCst);
    assert!(told >= 9, "told {told} times");
}

#[test]
fn a_subscriber_that_panics_comes_after_the_deed() {
    lifecycle_tests::told_everywhere(subscriber::Calls);
    let told = |f: &dyn Fn()| {
        subscriber::ON_EVENT.set(|| panic!("subscriber"));
        let outcome = catch_unwind(AssertUnwindSafe(f));
        subscriber::ON_EVENT.set(|| ());
        assert!(outcome.is_err(), "it was not told");
    };
    testing::isolated(|| {
        let core = lifecycle::singletons();
        told(&|| drop(Told::current()));
        assert!(Told::is_created());
        told(&|| drop(Told::replace(Told(7))));
        assert_eq!(Told::current().0, 7);
        told(&|| drop(core.get_or_create("a", || 1_u8)));
        assert!(core.has("a"));
        told(&|| drop(core.delete("a")));
        assert!(!core.has("a") && *core.get_or_create("a", || 2_u8).unwrap() == 2);
        told(&|| drop(core.get_or_try_create("b", || Err::<u8, _>("on purpose"))));
        assert_eq!(*core.get_or_create("b", || 3_u8).unwrap(), 3, "the right to create was given back");
    });
}

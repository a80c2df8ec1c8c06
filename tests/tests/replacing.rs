//! Replacing, deleting and reloading what is declared: what is retired, what is freed, and which hooks hear of it.

use lifecycle::{Lazy, Singleton, SingletonError, singleton, testing};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Barrier, Mutex, Weak};
use std::thread;

/// The events of this world about a component, by the last word of their name.
fn told(component: &str) -> Vec<(&'static str, String)> {
    let events = testing::events().into_iter().filter(|event| event.component == component);
    events.map(|event| (event.name.rsplit('.').next().unwrap(), event.detail)).collect()
}

#[test]
fn replaced_static_instances_are_reported_and_warned_of_at_powers_of_two() {
    #[singleton(factory = || Big([0; 100]))]
    struct Big([u8; 100]);

    testing::isolated(|| {
        let first: &'static Big = Big::instance();
        for n in 1..=9_u8 {
            assert_eq!(Big::replace(Big([n; 100])).unwrap().0[0], n - 1);
            let stats = Big::stats();
            assert_eq!((stats.retired, stats.retired_bytes, stats.accesses), (n.into(), u64::from(n) * 100, 0));
        }
        assert_eq!((first.0[99], Big::instance().0[99]), (0, 9), "the first reference is as good as ever");
        let warnings: Vec<_> = told("big").into_iter().filter(|(name, _)| *name == "retired").collect();
        assert_eq!(warnings.iter().map(|(_, count)| count.as_str()).collect::<Vec<_>>(), ["1", "2", "4", "8"]);
        let resets: Vec<_> = told("big").into_iter().filter(|(name, _)| *name == "reset").collect();
        assert_eq!(resets.len(), 9);
        assert!(Big::delete());
        assert_eq!((Big::stats().created, Big::stats().retired, Big::stats().size), (false, 10, 100));
    });
}

#[test]
fn a_replaced_swap_instance_is_freed_with_its_last_holder_and_never_reported() {
    #[singleton(swap, factory = || Swap(1))]
    struct Swap(u32);

    testing::isolated(|| {
        let (current, shared) = (Swap::current(), Swap::current().to_arc());
        let weak: Weak<Swap> = std::sync::Arc::downgrade(&shared);
        let old = Swap::replace(Swap(2)).unwrap();
        assert_eq!((old.0, current.0, Swap::current().0), (1, 1, 2));
        drop((old, shared));
        assert!(weak.upgrade().is_some(), "the accessor's guard holds it");
        drop(current);
        assert!(weak.upgrade().is_none());
        assert!(Swap::delete() && !Swap::delete() && Swap::get().is_none());
        assert_eq!((Swap::stats().retired, Swap::stats().retired_bytes), (0, 0));
        assert!(told("swap").iter().all(|(name, _)| *name != "retired"));
    });
}

#[test]
fn hooks_hear_of_each_change_with_the_old_and_the_new_and_before_the_old_goes() {
    static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
    fn log(text: String) {
        LOG.lock().unwrap().push(text);
    }

    #[singleton(
        swap,
        factory = || Watched(AtomicU32::new(1)),
        on_change = |old, new| log(format!("{old:?} -> {new:?}")),
        on_retire = |gone| log(format!("retired {gone:?}")),
    )]
    #[derive(Debug)]
    #[allow(dead_code, reason = "`Debug` shows it")]
    struct Watched(AtomicU32);
    impl Drop for Watched {
        fn drop(&mut self) {
            log(format!("dropped {self:?}"));
        }
    }

    testing::isolated(|| {
        let of = |n| Watched(AtomicU32::new(n));
        assert!(Watched::replace(of(1)).is_none(), "nothing was there: nothing changed");
        drop(Watched::replace(of(2)));
        Watched::delete();
        Watched::current();
        Watched::reload().unwrap();
        let shown: Vec<_> = std::mem::take(&mut *LOG.lock().unwrap());
        let expected = [
            "Watched(1) -> Watched(2)",
            "retired Watched(1)",
            "dropped Watched(1)",
            "retired Watched(2)",
            "dropped Watched(2)",
            "Watched(1) -> Watched(1)",
            "retired Watched(1)",
            "dropped Watched(1)",
        ];
        assert_eq!(shown, expected);
    });
    assert_eq!(*LOG.lock().unwrap(), ["retired Watched(1)", "dropped Watched(1)"], "the end of the world");
}

#[test]
fn a_hook_that_panics_is_told_and_changes_nothing() {
    #[singleton(
        swap,
        factory = || Touchy,
        on_change = |_, _| panic!("on_change"),
        on_retire = |_| panic!("on_retire"),
        memory = |_| panic!("memory"),
    )]
    struct Touchy;

    testing::isolated(|| {
        Touchy::current();
        assert!(Touchy::replace(Touchy).is_some());
        assert_eq!(
            told("touchy")
                .into_iter()
                .filter(|(name, _)| *name == "hook_failed")
                .map(|(_, text)| text)
                .collect::<Vec<_>>(),
            ["on_change: it panicked", "on_retire: it panicked"]
        );
        assert_eq!(Touchy::stats().heap, Some(0));
        assert!(Touchy::delete() && !Touchy::is_created());
        Touchy::current();
    });
}

#[test]
fn a_hook_may_use_the_singleton_it_is_told_about() {
    static SEEN: AtomicU32 = AtomicU32::new(0);

    #[singleton(factory = || Own(1), on_retire = |gone| _ = SEEN.fetch_add(gone.0 * 10 + Own::instance().0, Ordering::SeqCst))]
    struct Own(u32);

    testing::isolated(|| {
        Own::instance();
        Own::replace(Own(2));
        assert_eq!(SEEN.swap(0, Ordering::SeqCst), 12);
        Own::delete();
        assert_eq!(SEEN.load(Ordering::SeqCst), 21, "the hook created the next one");
        assert!(Own::is_created());
    });
}

#[test]
fn a_world_that_ends_retires_what_it_created_and_survives_destructors_that_panic() {
    static RETIRED: Mutex<Vec<&str>> = Mutex::new(Vec::new());

    #[singleton(on_retire = |_| RETIRED.lock().unwrap().push("static"))]
    #[derive(Default)]
    struct Kept;
    impl Drop for Kept {
        fn drop(&mut self) {
            unreachable!("references to it are `'static`");
        }
    }

    #[singleton(swap, on_retire = |_| RETIRED.lock().unwrap().push("swap"))]
    #[derive(Default)]
    struct Freed;
    impl Drop for Freed {
        fn drop(&mut self) {
            RETIRED.lock().unwrap().push("freed");
            panic!("a destructor that panics");
        }
    }

    #[singleton(swap)]
    #[derive(Default)]
    struct WithoutHook;
    impl Drop for WithoutHook {
        fn drop(&mut self) {
            RETIRED.lock().unwrap().push("without hook");
            panic!("a destructor that panics");
        }
    }

    #[singleton(keyed, on_retire = |n| RETIRED.lock().unwrap().push(if *n == 1 { "key 1" } else { "key 2" }))]
    fn by_number(n: u32) -> u32 {
        n
    }

    let outcome = catch_unwind(|| {
        testing::isolated(|| {
            Kept::instance();
            let _ = (Freed::current(), WithoutHook::current());
            by_number(1);
            by_number(2);
            assert!(RETIRED.lock().unwrap().is_empty());
        });
    });
    assert!(outcome.is_ok(), "the test itself did nothing wrong");
    let mut retired = RETIRED.lock().unwrap().clone();
    let keys: Vec<_> = retired.iter().filter(|what| what.starts_with("key")).copied().collect();
    assert_eq!(keys, ["key 2", "key 1"], "the newest first");
    retired.sort_unstable();
    assert_eq!(retired, ["freed", "key 1", "key 2", "static", "swap", "without hook"]);
}

#[test]
fn reload_keeps_the_old_one_until_the_factory_succeeds() {
    static FAIL: AtomicBool = AtomicBool::new(false);
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[singleton(swap, try_factory = Parameters::load)]
    #[derive(Debug)]
    struct Parameters(u32);
    impl Parameters {
        fn load() -> Result<Self, String> {
            let run = RUNS.fetch_add(1, Ordering::SeqCst);
            if FAIL.load(Ordering::SeqCst) { Err("no answer".to_owned()) } else { Ok(Self(run)) }
        }
    }

    testing::isolated(|| {
        let first = Parameters::try_current().unwrap();
        Parameters::reload().unwrap();
        assert_eq!((first.0, Parameters::try_current().unwrap().0), (0, 1));
        FAIL.store(true, Ordering::SeqCst);
        assert!(matches!(Parameters::reload(), Err(SingletonError::Factory { name, .. }) if name == "parameters"));
        assert_eq!(Parameters::try_current().unwrap().0, 1);
        assert_eq!(Parameters::stats().failures, 1);
        FAIL.store(false, Ordering::SeqCst);
        Parameters::delete();
        Parameters::reload().unwrap();
        assert_eq!(Parameters::try_current().unwrap().0, 3, "reloading what does not exist creates it");
        assert_eq!(RUNS.load(Ordering::SeqCst), 4);
    });
}

#[test]
fn reload_of_a_static_one_retires_the_old() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[singleton]
    static NUMBER: Lazy<u32> = Lazy::new(|| RUNS.fetch_add(1, Ordering::SeqCst));

    testing::isolated(|| {
        assert_eq!(*NUMBER, 0);
        Lazy::reload(&NUMBER).unwrap();
        assert_eq!((*NUMBER, Lazy::stats(&NUMBER).retired, Lazy::stats(&NUMBER).retired_bytes), (1, 1, 4));
    });
}

#[test]
fn a_factory_that_panics_while_reloading_leaves_the_old_one() {
    static FAIL: AtomicBool = AtomicBool::new(false);

    #[singleton(swap)]
    fn moody() -> u32 {
        assert!(!FAIL.load(Ordering::SeqCst), "not now");
        5
    }

    testing::isolated(|| {
        moody();
        FAIL.store(true, Ordering::SeqCst);
        let handle = lifecycle::handle(moody).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| handle.reload())).is_err());
        assert_eq!(*moody(), 5);
        FAIL.store(false, Ordering::SeqCst);
        handle.reload().unwrap();
    });
}

#[test]
fn a_value_put_in_place_during_a_reload_wins() {
    static INSIDE: Barrier = Barrier::new(2);
    static SLOW: AtomicBool = AtomicBool::new(false);

    #[singleton(swap, factory = Slow::load)]
    struct Slow(&'static str);
    impl Slow {
        fn load() -> Self {
            if SLOW.load(Ordering::SeqCst) {
                INSIDE.wait();
                INSIDE.wait();
            }
            Self("loaded before")
        }
    }

    Slow::current();
    SLOW.store(true, Ordering::SeqCst);
    let reloading = thread::spawn(|| Slow::reload().is_ok());
    INSIDE.wait();
    assert_eq!(Slow::current().0, "loaded before", "readers go on meanwhile");
    Slow::replace(Slow("by hand"));
    INSIDE.wait();
    assert!(reloading.join().unwrap());
    assert_eq!(Slow::current().0, "by hand");
}

#[test]
fn what_is_deleted_during_a_reload_is_there_again_after_it() {
    #[singleton(swap, factory = Again::load)]
    struct Again;
    static RUNS: AtomicU32 = AtomicU32::new(0);
    impl Again {
        fn load() -> Self {
            if RUNS.fetch_add(1, Ordering::SeqCst) > 0 {
                assert!(Self::delete());
            }
            Self
        }
    }
    testing::isolated(|| {
        Again::current();
        Again::reload().unwrap();
        assert!(Again::is_created());
    });
}

//! Singletons declared by the macro: once, retried after errors and panics, counted, listed, cycles reported.

use lifecycle::{Singleton, SingletonError, singleton};
use std::panic::catch_unwind;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_factory_runs_once_whoever_asks() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);

    #[singleton(factory = Shared::make)]
    struct Shared(usize);

    impl Shared {
        fn make() -> Self {
            std::thread::yield_now();
            Self(RUNS.fetch_add(1, Ordering::SeqCst))
        }
    }

    let barrier = Barrier::new(16);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    std::ptr::from_ref(Shared::instance()).addr()
                })
            })
            .collect();
        let mut addresses: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        addresses.dedup();
        assert_eq!(addresses.len(), 1);
    });
    assert_eq!(RUNS.load(Ordering::SeqCst), 1);
    assert_eq!((Shared::instance().0, Shared::stats().accesses), (0, 17));
}

#[test]
fn an_error_is_not_kept_and_carries_the_name_and_its_cause() {
    static FAIL: AtomicUsize = AtomicUsize::new(1);

    #[singleton(try_factory = Settings::load)]
    #[derive(Debug)]
    struct Settings;

    impl Settings {
        fn load() -> Result<Self, std::num::ParseIntError> {
            if FAIL.swap(0, Ordering::SeqCst) == 1 { Err("x".parse::<u8>().unwrap_err()) } else { Ok(Self) }
        }
    }

    let error = Settings::try_instance().unwrap_err();
    assert_eq!(
        format!("{:#}", anyhow::Error::from(error)),
        "singleton `settings`: its factory failed: invalid digit found in string"
    );
    let stats = Settings::stats();
    assert_eq!(
        (stats.created, stats.failures, stats.last_error.as_deref()),
        (false, 1, Some("invalid digit found in string"))
    );
    Settings::try_instance().unwrap();
    assert_eq!((Settings::stats().accesses, Settings::stats().last_error), (1, None));
}

#[test]
fn a_panic_reaches_its_caller_and_the_next_one_tries_again() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);

    #[singleton]
    fn moody() -> usize {
        let run = RUNS.fetch_add(1, Ordering::SeqCst);
        assert!(run > 0, "not today");
        run
    }

    let panic = catch_unwind(moody).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"not today"));
    assert_eq!(*moody(), 1);
}

#[test]
fn a_waiter_takes_over_from_a_creator_that_panicked() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    static INSIDE: Barrier = Barrier::new(2);

    #[singleton]
    fn handed_over() -> usize {
        let run = RUNS.fetch_add(1, Ordering::SeqCst);
        if run == 0 {
            INSIDE.wait();
            // The other thread is about to wait, or waits, or comes late: each of them is to end well.
            std::thread::yield_now();
            panic!("the creator is gone");
        }
        run
    }

    let creator = std::thread::spawn(|| catch_unwind(|| *handed_over()).is_err());
    INSIDE.wait();
    assert_eq!(*handed_over(), 1);
    assert!(creator.join().unwrap());
}

#[test]
fn a_function_keeps_its_own_error() {
    #[derive(Debug, PartialEq)]
    struct Down(u32);
    static TRIES: AtomicUsize = AtomicUsize::new(0);

    #[singleton]
    fn connection() -> Result<String, Down> {
        match TRIES.fetch_add(1, Ordering::SeqCst) {
            0 => Err(Down(503)),
            _ => Ok("connected".to_owned()),
        }
    }

    assert_eq!(connection().unwrap_err(), Down(503));
    let last_error =
        || lifecycle::snapshot().singletons.into_iter().find(|one| one.name == "connection").unwrap().last_error;
    assert_eq!(last_error().as_deref(), Some("Down(503)"), "the error is only `Debug`");
    assert_eq!(connection().unwrap(), "connected");
    assert_eq!(TRIES.load(Ordering::SeqCst), 2);
}

#[test]
fn a_function_s_error_is_remembered_with_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("no database at {place}")]
    struct NoDatabase {
        place: &'static str,
        source: std::num::ParseIntError,
    }

    #[singleton]
    fn database() -> Result<u8, NoDatabase> {
        "x".parse().map_err(|source| NoDatabase { place: "here", source })
    }

    #[singleton]
    fn with_context() -> Result<u8, anyhow::Error> {
        Err(anyhow::Error::from(database().unwrap_err()).context("starting"))
    }

    struct Mute;

    #[singleton]
    fn speechless() -> Result<u8, Mute> {
        Err(Mute)
    }

    assert!(with_context().is_err() && speechless().is_err());
    let texts: Vec<_> = ["database", "with_context", "speechless"]
        .into_iter()
        .map(|name| {
            lifecycle::snapshot().singletons.into_iter().find(|one| one.name == name).unwrap().last_error.unwrap()
        })
        .collect();
    assert_eq!(texts[0], "no database at here: invalid digit found in string");
    assert_eq!(texts[1], "starting: no database at here: invalid digit found in string");
    assert!(texts[2].ends_with("Mute"), "{texts:?}");
}

mod circle {
    use super::*;

    #[singleton(factory = Hen::hatch)]
    #[derive(Debug)]
    pub(crate) struct Hen;

    #[singleton(factory = Egg::lay)]
    #[derive(Debug)]
    pub(crate) struct Egg;

    impl Hen {
        fn hatch() -> Self {
            Egg::instance();
            Self
        }
    }

    impl Egg {
        fn lay() -> Self {
            Hen::instance();
            Self
        }
    }
}

#[test]
fn a_circle_panics_with_its_path_instead_of_hanging() {
    let panic = catch_unwind(circle::Hen::instance).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("singletons need each other to be created: hen ("), "{text}");
    assert!(text.contains("singleton.rs:") && text.contains("-> egg (") && text.ends_with("-> hen"), "{text}");
}

#[test]
fn a_singleton_that_needs_itself_is_an_error_where_there_is_a_channel() {
    #[singleton]
    fn own_tail() -> Result<u8, SingletonError> {
        own_tail().copied()
    }

    let text = own_tail().unwrap_err().to_string();
    assert!(text.contains("own_tail (") && text.ends_with("-> own_tail"), "{text}");
}

#[test]
fn a_circle_over_two_threads_is_reported_to_one_and_the_other_is_created() {
    static MEET: Barrier = Barrier::new(2);
    static MET: AtomicUsize = AtomicUsize::new(0);

    fn meet_once() {
        if MET.fetch_add(1, Ordering::SeqCst) < 2 {
            MEET.wait();
        }
    }

    #[singleton]
    fn left() -> Result<u8, SingletonError> {
        meet_once();
        Ok(right()? + 1)
    }

    #[singleton]
    fn right() -> Result<u8, SingletonError> {
        meet_once();
        // Asks for the other, but can do without.
        Ok(left().map_or(40, |left| left + 1))
    }

    let (a, b) = std::thread::scope(|scope| {
        let a = scope.spawn(|| left().copied());
        let b = scope.spawn(|| right().copied());
        (a.join().unwrap(), b.join().unwrap())
    });
    // Whoever closes the circle is told. If that was `right`, it did without; if `left`, it failed and `right` went on.
    match (a, b) {
        (Ok(41), Ok(40)) => {}
        (Err(SingletonError::Cycle { .. }), Ok(_)) => {}
        other => panic!("unexpected outcome: {other:?}"),
    }
}

#[test]
fn listed_before_it_exists_and_observed_as_it_is_made() {
    #[singleton(name = "ledger")]
    #[derive(Default)]
    struct TheLedger;

    #[singleton]
    fn bookkeeper() -> u8 {
        TheLedger::instance();
        7
    }

    let find = |name: &str| lifecycle::snapshot().singletons.into_iter().find(|one| one.name == name).unwrap();
    let lazy = find("ledger");
    assert_eq!((lazy.created, lazy.accesses, lazy.type_name.as_str()), (false, 0, "TheLedger"));
    assert!(lazy.declared_at.contains("singleton.rs:") && lazy.path.ends_with("singleton::ledger"), "{lazy:?}");
    assert!(!find("bookkeeper").created, "function singletons are listed too");

    bookkeeper();
    let made = find("bookkeeper");
    assert_eq!(made.depends_on, ["ledger"]);
    assert_eq!(find("ledger").asked_by.as_deref(), Some("bookkeeper"));
    assert!(find("ledger").order < made.order, "what is needed is finished first");
}

#[test]
fn replace_and_delete_keep_old_references_valid_and_start_counts_again() {
    #[singleton(factory = || Version(1))]
    #[derive(Debug, PartialEq)]
    struct Version(u32);

    let first = Version::instance();
    assert_eq!(Version::replace(Version(2)), Some(&Version(1)));
    assert_eq!((first, Version::stats().accesses, Version::stats().retired), (&Version(1), 0, 1));
    assert_eq!(Version::instance(), &Version(2));
    assert!(Version::delete() && !Version::delete());
    assert_eq!((Version::get(), Version::is_created()), (None, false));
    assert_eq!(Version::instance(), &Version(1));
    assert_eq!(Version::stats().retired, 2);
}

#[test]
fn overrides_hold_for_a_thread_and_end_in_any_order() {
    #[singleton(factory = || Greeting("real"))]
    struct Greeting(&'static str);

    let says = || Greeting::instance().0;
    let outer = Greeting::override_with(Greeting("outer"));
    let inner = Greeting::override_with(Greeting("inner"));
    assert_eq!(says(), "inner");
    assert_eq!(std::thread::spawn(says).join().unwrap(), "real", "another thread does not see it");
    let context = lifecycle::Context::capture();
    assert_eq!(std::thread::spawn(move || context.run(says)).join().unwrap(), "inner", "unless it is carried there");
    drop(outer);
    assert_eq!(says(), "inner");
    std::thread::spawn(move || drop(inner)).join().unwrap();
    assert_eq!((says(), says()), ("real", "real"), "an override may end on another thread");
    let again = Greeting::override_with(Greeting("again"));
    assert_eq!(says(), "again");
    drop(again);
    assert_eq!(says(), "real");
}

#[test]
fn counts_are_exact_under_threads_that_come_and_go() {
    #[singleton]
    fn popular() -> u8 {
        1
    }

    popular();
    for _ in 0..8 {
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| (0..1000).for_each(|_| _ = popular()))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
    let accesses = lifecycle::snapshot().singletons.into_iter().find(|one| one.name == "popular").unwrap().accesses;
    assert_eq!(accesses, 32_001);
}

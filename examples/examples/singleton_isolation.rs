//! Pattern 4, tests that do not see each other: worlds, overrides, and the older way to clear and set.
//! `cargo run --example singleton_isolation`
//!
//! What `main` calls here would be tests of yours; `#[lifecycle::test]` puts each into a world of its own.

use lifecycle::{BoxError, Context, Singleton, SingletonError, singleton, singletons, testing};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

#[singleton(factory = || Today("2024-05-01".to_owned()))]
struct Today(String);

#[singleton]
fn ledger() -> Mutex<Vec<String>> {
    Mutex::default()
}

/// After an error the next attempt has to wait: something that a test wants to see without sleeping.
#[singleton(try_factory = Bank::connect, retry_backoff = "10s")]
struct Bank;

static BANK_IS_UP: AtomicU32 = AtomicU32::new(0);

impl Bank {
    fn connect() -> Result<Self, &'static str> {
        if BANK_IS_UP.load(Relaxed) == 0 { Err("the bank is closed") } else { Ok(Self) }
    }
}

/// What is tested.
fn book(amount: u32) -> String {
    let mut entries = ledger().lock().unwrap_or_else(PoisonError::into_inner);
    entries.push(format!("{}: {amount}", Today::instance().0));
    entries.join(", ")
}

/// A world: nothing is created in it, and what is created in it is nobody else's.
fn starts_empty(amount: u32) {
    testing::isolated(|| {
        assert!(!Today::is_created() && lifecycle::snapshot().singletons.iter().all(|one| !one.created));
        assert_eq!(book(amount), format!("2024-05-01: {amount}"));
        // A thread starts outside of all worlds; a captured context brings it in.
        let context = Context::capture();
        let outside = std::thread::spawn(Today::is_created).join();
        let inside = std::thread::spawn(move || context.run(Today::is_created)).join();
        assert!(matches!((outside, inside), (Ok(false), Ok(true))));
    });
}

/// An override: one thing is replaced, and everything that asks for it gets the stand-in, until the guard goes.
fn stops_the_clock(day: &str) {
    testing::isolated(|| {
        let guard = Today::override_with(Today(day.to_owned()));
        assert_eq!(book(5), format!("{day}: 5"));
        drop(guard);
        assert_eq!(book(6), format!("{day}: 5, 2024-05-01: 6"));
    });
}

/// The world's clock: ten seconds pass in no time.
fn waits_for_the_bank() {
    testing::isolated(|| {
        assert!(matches!(Bank::try_instance(), Err(SingletonError::Factory { .. })));
        let Err(SingletonError::Backoff { retry_after, .. }) = Bank::try_instance() else {
            panic!("a second attempt at once is refused");
        };
        assert_eq!(retry_after, Duration::from_secs(10));
        BANK_IS_UP.store(1, Relaxed);
        testing::advance(retry_after);
        assert!(Bank::try_instance().is_ok());
        let told: Vec<_> = testing::events().iter().map(|event| event.name).collect();
        assert_eq!(told, ["lifecycle.singleton.init_failed", "lifecycle.singleton.initialized"]);
    });
}

/// The older way: take everything away and set mocks by name. Inside a world it harms nobody.
fn clears_and_sets() -> Result<(), BoxError> {
    testing::isolated(|| {
        book(1);
        let singletons = singletons();
        assert_eq!(singletons.clear()?, 2);
        singletons.set("today", Today("1999-12-31".to_owned()))?;
        assert_eq!(book(2), "1999-12-31: 2");
        // What was handed out as `&'static` is never freed, so it is listed as retired. In a test that is all the same.
        assert_eq!((Today::stats().retired, lifecycle::handle(ledger)?.stats().retired), (1, 1));
        Ok(())
    })
}

fn main() -> Result<(), BoxError> {
    // All at once, in one process, on the same singletons.
    std::thread::scope(|scope| {
        let tests: Vec<_> = (0..100)
            .flat_map(|number| {
                let empty = scope.spawn(move || starts_empty(number));
                let clock = scope.spawn(move || stops_the_clock(&format!("2024-06-{:02}", number % 30 + 1)));
                [empty, clock]
            })
            .collect();
        let passed = tests.into_iter().map(ScopedJoinHandle::join).filter(Result::is_ok).count();
        println!("{passed} tests ran in parallel, each with a ledger and a date of its own");
        assert_eq!(passed, 200);
    });
    waits_for_the_bank();
    println!("ten seconds of back-off passed in a world, on its own clock");
    clears_and_sets()?;
    println!("clear and set: in a world it is nobody else's");
    assert!(!Today::is_created() && !singletons().has("ledger"), "the process saw nothing of all that");
    Ok(())
}

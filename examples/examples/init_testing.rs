//! Pattern 4, tests around the initialization: worlds instead of set-up and tear-down, and the older `reset`.
//! `cargo run --example init_testing`
//!
//! What `main` calls here would be tests of yours; `#[lifecycle::test]` puts each into a world of its own.

use lifecycle::{
    BoxError, Error, Flag, InitConfig, InitializationCore, handle, init_flag, initialization, initialize, testing,
};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

#[init_flag]
static DRY_RUN: Flag<bool> = false;

static SENT: AtomicU32 = AtomicU32::new(0);

/// Not to be run in a test.
#[init_flag(on_initialize)]
fn announce() -> Result<(), BoxError> {
    SENT.fetch_add(1, Relaxed);
    Ok(())
}

/// What is tested.
fn region() -> Result<String, Error> {
    let config = initialization().config()?;
    Ok(config.get("region").and_then(|region| region.as_str()).unwrap_or("nowhere").to_owned())
}

/// Each begins uninitialized, with the flags as declared and no step run; nothing is left of it.
fn starts_from_nothing(own: &str) {
    testing::isolated(|| {
        assert!(matches!(region(), Err(Error::NotInitialized)) && !DRY_RUN.get());
        // Something stands in for the step; only here.
        let _stand_in = handle(announce).and_then(|step| step.override_with(()));
        assert!(initialize(InitConfig::new().with("region", own)).is_ok_and(|outcome| !outcome.cached));
        assert_eq!(region().ok().as_deref(), Some(own));
        DRY_RUN.set(true);
        testing::advance(Duration::from_secs(90));
        assert_eq!(initialization().get_status().uptime, Some(Duration::from_secs(90)));
    });
}

fn main() -> Result<(), BoxError> {
    // A hundred tests in parallel, each with a configuration of its own.
    std::thread::scope(|scope| {
        for number in 0..100 {
            scope.spawn(move || starts_from_nothing(&format!("region {number}")));
        }
    });
    assert_eq!(SENT.load(Relaxed), 0);

    // The older way: the process's own, reset between tests, so one at a time.
    for test in ["first", "second"] {
        initialize(InitConfig::new().with("region", test))?;
        assert_eq!((region()?, handle(announce)?.is_done()), (test.to_owned(), true));
        assert!(initialization().reset().was_initialized);
        assert!(!handle(announce)?.is_done());
    }
    assert_eq!(SENT.load(Relaxed), 2);

    // Or a core that belongs to the test alone: no declared flags, no steps.
    let core = InitializationCore::new();
    core.initialize(InitConfig::new().with("region", "own"))?;
    assert!(core.declared_flags().is_empty() && !initialization().is_initialized());
    println!("100 worlds, 2 resets, 1 core of its own: none saw another's");
    Ok(())
}

//! `request_shutdown` concerns the whole process: one test in a binary of its own.

use lifecycle::{SingletonError, singleton, testing};
use lifecycle_tests::watched;
use std::time::Duration;

#[singleton(shutdown = |_: &u8| ())]
fn here() -> Result<u8, SingletonError> {
    Ok(1)
}

#[singleton]
fn missing() -> Result<u8, SingletonError> {
    Ok(2)
}

#[singleton]
fn plain() -> u8 {
    3
}

#[test]
fn from_the_request_on_the_process_creates_nothing_and_test_worlds_do() {
    watched(|| {
        here().unwrap();
        assert!(!lifecycle::is_shutting_down());
        lifecycle::request_shutdown();
        assert!(lifecycle::is_shutting_down());
        assert_eq!(here().unwrap(), &1);
        assert!(matches!(missing(), Err(SingletonError::ShuttingDown { .. })));
        let panic = std::panic::catch_unwind(plain).unwrap_err();
        assert_eq!(
            lifecycle_tests::said(&*panic),
            "singleton `plain` is not created any more: the process is shutting down (what is needed then is made `eager`)"
        );
        testing::isolated(|| {
            assert!(!lifecycle::is_shutting_down());
            assert_eq!(missing().unwrap(), &2);
        });
        let report = lifecycle::shutdown_blocking(Duration::from_secs(5));
        assert_eq!((report.hooks.len(), report.is_clean()), (1, true), "{report}");
        assert_eq!(lifecycle::shutdown_blocking(Duration::from_secs(5)), report);
        assert_eq!(here().unwrap(), &1);
        testing::isolated(|| assert_eq!(missing().unwrap(), &2));
    });
}

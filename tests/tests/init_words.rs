//! What is said of a step calls it one: to the runtime it is a singleton, to its author it is not.

use lifecycle::testing::isolated;
use lifecycle::{Context, SingletonError, handle, init_flag, shutdown_blocking};
use lifecycle_tests::ByHand;
use std::task::Poll;
use std::time::Duration;

#[init_flag]
fn works() -> Result<(), SingletonError> {
    Ok(())
}

#[init_flag]
fn fails() -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}

#[init_flag]
fn again() -> Result<(), SingletonError> {
    again()
}

#[init_flag]
async fn later() -> Result<(), SingletonError> {
    Ok(())
}

#[init_flag]
async fn later_again() -> Result<(), SingletonError> {
    Box::pin(later_again()).await
}

#[track_caller]
fn says(error: &SingletonError, begins: &str) {
    let text = error.to_string();
    assert!(text.starts_with(begins), "{text}");
    assert!(!text.contains("singleton") && !text.contains("factory"), "{text}");
}

#[test]
fn a_step_that_cannot_run_is_called_a_step() {
    isolated(|| {
        says(&again().unwrap_err(), "steps need each other to be run: again (");
        let Poll::Ready(circle) = ByHand::new(later_again()).poll() else { panic!("it waits") };
        says(&circle.unwrap_err(), "steps need each other to be run: later_again (");
        says(&handle(fails).unwrap().reload().unwrap_err(), "step `fails` failed");
        says(&handle(later).unwrap().reload().unwrap_err(), "step `later` has not run yet and is async");
        shutdown_blocking(Duration::from_secs(1));
        says(&works().unwrap_err(), "step `works` is not run any more: the process is shutting down");
    });
    let context = isolated(Context::capture);
    says(&context.run(works).unwrap_err(), "step `works` is not run any more: the test world");
}

//! `#[lifecycle::test]`, beside every attribute that makes tests. All tests below would see each other's value if they did not
//! run in worlds of their own: each expects to be the first.

#![deny(warnings)]

use lifecycle::{Flag, init_flag, testing};
use std::process::{ExitCode, Termination};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[init_flag]
static USED: Flag<bool> = false;

fn use_it() {
    assert!(!USED.set(true), "another test was here");
    // Only in a world of our own is there a clock to move.
    testing::advance(Duration::from_secs(1));
}

#[lifecycle::test]
fn plain() {
    use_it();
}

#[lifecycle::test]
#[test]
fn above_the_languages_own() {
    use_it();
}

#[lifecycle::test]
fn gives_a_result() -> Result<(), std::num::ParseIntError> {
    use_it();
    if "3".parse::<u8>()? == 3 {
        return Ok(());
    }
    Ok(())
}

#[lifecycle::test]
fn gives_something() -> impl Termination {
    use_it();
    ExitCode::SUCCESS
}

#[lifecycle::test]
#[should_panic(expected = "as it should")]
fn panics() {
    use_it();
    panic!("as it should");
}

#[should_panic(expected = "as it should")]
#[lifecycle::test]
fn panics_above() {
    use_it();
    panic!("as it should");
}

#[lifecycle::test]
#[ignore = "it must not run"]
fn ignored() {
    panic!("it ran");
}

#[lifecycle::test]
#[tokio::test]
async fn above_tokio() {
    use_it();
    tokio::task::yield_now().await;
    assert!(USED.get());
}

#[tokio::test]
#[lifecycle::test]
async fn below_tokio() {
    use_it();
    tokio::task::yield_now().await;
    assert!(USED.get());
}

#[lifecycle::test]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_many_threads() -> Result<(), Box<dyn std::error::Error>> {
    use_it();
    tokio::task::yield_now().await;
    let world = lifecycle::Context::capture();
    let (inside, outside) = (tokio::spawn(world.wrap(async { USED.get() })), tokio::spawn(async { USED.get() }));
    assert_eq!((inside.await?, outside.await?), (true, false));
    let three: u8 = "3".parse()?;
    if three == 3 {
        return Ok(());
    }
    Err("no")?
}

#[lifecycle::test]
#[tokio::test]
#[should_panic(expected = "as it should")]
async fn panics_later() {
    use_it();
    tokio::task::yield_now().await;
    panic!("as it should");
}

/// Whatever the order, each runs once.
mod counted {
    use super::*;

    static RUNS: AtomicUsize = AtomicUsize::new(0);

    #[lifecycle::test]
    #[tokio::test]
    async fn above() {
        assert!(RUNS.fetch_add(1, Ordering::Relaxed) < 4);
    }

    #[tokio::test]
    #[lifecycle::test]
    async fn below() {
        assert!(RUNS.fetch_add(1, Ordering::Relaxed) < 4);
    }

    #[lifecycle::test]
    #[test]
    fn above_plain() {
        assert!(RUNS.fetch_add(1, Ordering::Relaxed) < 4);
    }

    #[lifecycle::test]
    fn plain() {
        assert!(RUNS.fetch_add(1, Ordering::Relaxed) < 4);
    }
}

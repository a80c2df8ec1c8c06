//! A forked child of a process that was creating: it is told, and does not hang. Its own binary, with one test, because only
//! the thread that forks exists in the child.
#![cfg(unix)]

use fork::{Fork, fork, waitpid_nohang};
use lifecycle::{Singleton, SingletonError, singleton};
use std::future::Future;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use std::{process, thread};

/// Two factories and the test.
static INSIDE: Barrier = Barrier::new(3);
static GO_ON: Barrier = Barrier::new(3);

fn block() {
    INSIDE.wait();
    GO_ON.wait();
}

#[singleton(factory = Created::make)]
struct Created(u8);

impl Created {
    fn make() -> Self {
        block();
        Self(1)
    }
}

#[singleton]
async fn later() -> Result<u8, SingletonError> {
    block();
    Ok(4)
}

#[singleton]
fn before() -> u8 {
    2
}

#[singleton]
fn after() -> u8 {
    3
}

fn poll_later() -> Poll<Result<&'static u8, SingletonError>> {
    pin!(later()).poll(&mut Context::from_waker(Waker::noop()))
}

/// What the child sees; the number is its exit status where it is wrong.
fn child() -> i32 {
    if !matches!(Created::try_instance(), Err(SingletonError::Forked { name, .. }) if name == "created") {
        return 1;
    }
    if !matches!(poll_later(), Poll::Ready(Err(SingletonError::Forked { name, .. })) if name == "later") {
        return 2;
    }
    if (*before(), *after()) != (2, 3) {
        return 3;
    }
    if Created::get().is_some() || Created::replace(Created(9)).is_some() || Created::instance().0 != 9 {
        return 4;
    }
    let core = lifecycle::singletons();
    if !matches!(core.get_or_create("made in the child", || 5_u8).as_deref(), Ok(5)) || !core.has("made in the child") {
        return 5;
    }
    if lifecycle::snapshot().singletons.len() < 5 {
        return 6;
    }
    0
}

#[test]
fn a_child_forked_during_a_creation_is_told_and_uses_everything_else() {
    before();
    let creator = thread::spawn(|| Created::instance().0);
    let polling = thread::spawn(poll_later);
    INSIDE.wait();
    match fork().unwrap() {
        Fork::Child => process::exit(child()),
        Fork::Parent(pid) => {
            // A child that hangs is a failure and not a hang of the test.
            let since = Instant::now();
            let status = loop {
                if let Some(status) = waitpid_nohang(pid).unwrap() {
                    break status;
                }
                assert!(since.elapsed() < Duration::from_secs(20), "the child hangs");
                thread::yield_now();
            };
            assert_eq!(status >> 8, 0, "the exit status of the child (wait status {status})");
            assert_eq!(status, 0);
        }
    }
    GO_ON.wait();
    assert_eq!(creator.join().unwrap(), 1, "the parent goes on");
    assert!(matches!(polling.join().unwrap(), Poll::Ready(Ok(4))));
}

//! Who waits for whom: circles over threads and captured contexts are told, nobody waits for what is there already.

use lifecycle::{Context, Singleton, SingletonError, singleton};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Barrier, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

/// The result of `f` on a thread of its own; a hang is a failure and not a hang of the test.
fn started<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (send, receive) = channel();
    thread::spawn(move || _ = send.send(f()));
    receive
}

#[track_caller]
fn ended<T>(receiver: &Receiver<T>) -> T {
    receiver.recv_timeout(Duration::from_secs(20)).expect("it hangs")
}

mod through_a_context {
    use super::*;

    static CONTEXT: OnceLock<Context> = OnceLock::new();
    static BOTH_RUN: Barrier = Barrier::new(2);
    static MET: Mutex<u8> = Mutex::new(0);

    fn meet_once() {
        let first_two = {
            let mut met = MET.lock().unwrap();
            *met += 1;
            *met <= 2
        };
        if first_two {
            BOTH_RUN.wait();
        }
    }

    #[singleton]
    pub(super) fn outer() -> Result<u8, SingletonError> {
        let _ = CONTEXT.set(Context::capture());
        a().copied()
    }

    #[singleton]
    fn a() -> Result<u8, SingletonError> {
        meet_once();
        CONTEXT.get().unwrap().run(|| b().copied())
    }

    #[singleton]
    pub(super) fn b() -> Result<u8, SingletonError> {
        meet_once();
        a().copied()
    }
}

#[test]
fn a_circle_through_a_captured_context_is_told() {
    let (outer, b) = (started(|| through_a_context::outer().copied()), started(|| through_a_context::b().copied()));
    let outcomes = [ended(&outer), ended(&b)];
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(SingletonError::Cycle { .. }))), "{outcomes:?}");
}

#[test]
fn a_singleton_that_needs_itself_is_told_in_a_destructor_of_a_thread_local_too() {
    #[singleton]
    fn own_tail() -> Result<u8, SingletonError> {
        own_tail().copied()
    }
    struct Late(std::sync::mpsc::Sender<bool>);
    impl Drop for Late {
        fn drop(&mut self) {
            let _ = self.0.send(own_tail().is_err());
        }
    }
    thread_local!(static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) });
    let (send, receive) = channel();
    thread::spawn(move || {
        LATE.set(Some(Late(send)));
        // Whatever thread-locals the crate has come into being after `LATE`, and go before it.
        lifecycle::with_correlation_id("x", || ());
    });
    assert!(ended(&receive));
}

#[test]
fn who_waits_for_a_factory_gets_what_is_put_in_its_place() {
    static RUNNING: Barrier = Barrier::new(2);
    static STUCK: Barrier = Barrier::new(2);

    #[singleton(factory = Slow::make)]
    #[derive(Debug, PartialEq)]
    struct Slow(u8);

    impl Slow {
        fn make() -> Self {
            RUNNING.wait();
            STUCK.wait();
            Self(0)
        }
    }

    let creator = started(Slow::instance);
    RUNNING.wait();
    let waiter = started(Slow::instance);
    // Should it come late, the test passes without showing anything; it never fails for that.
    thread::sleep(Duration::from_millis(5));
    Slow::replace(Slow(7));
    assert_eq!(ended(&waiter), &Slow(7));
    STUCK.wait();
    assert_eq!(ended(&creator), &Slow(7), "the value set meanwhile wins");
}

//! Where little works any more: in the destructors of thread-locals everything works or is refused, and nothing hangs.

use lifecycle::{Context, Lazy, Singleton, SingletonError, circuit_breaker, init_flag, rate_limit, singleton, testing};
use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{Sender, channel};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

#[singleton]
#[derive(Default)]
struct Kept;

#[singleton(swap, factory = || Swap(1))]
struct Swap(u8);

#[singleton]
static LAZY: Lazy<u8> = 2;

#[singleton]
async fn later() -> u8 {
    3
}

#[singleton(keyed)]
fn keyed(n: u8) -> u8 {
    n
}

#[singleton]
fn needs_others() -> Result<u8, SingletonError> {
    Ok(*LAZY + Swap::try_current()?.0 + *keyed(3))
}

#[init_flag]
static SWITCH: lifecycle::Flag<bool> = false;

#[circuit_breaker(threshold = 1000)]
#[rate_limit("1000000/s")]
fn guarded() -> anyhow::Result<u8> {
    Ok(4)
}

/// Its creation is another thread's, perhaps, and over soon.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())) {
            return output;
        }
        thread::yield_now();
    }
}

/// All there is; true when it gave what it should.
fn use_everything() -> bool {
    let core = lifecycle::singletons();
    let _ = core.set_rate_limit(None);
    Kept::instance();
    let sum = Swap::current().0 + *LAZY + *ready(later()) + *keyed(3) + guarded().unwrap();
    let by_name = *core.get_or_create("last breath", || 5_u8).unwrap();
    SWITCH.set(SWITCH.get());
    drop(Swap::replace(Swap(1)));
    let _ = (Swap::reload(), Lazy::reload(&LAZY), lifecycle::handle(needs_others).unwrap().reload());
    drop(Kept::override_with(Kept));
    drop(Context::capture().run(|| lifecycle::with_correlation_id("x", Swap::current)));
    // A world cannot be entered where thread-locals are gone; it is entered, or what it hides is not hidden.
    testing::isolated(|| keyed(7));
    drop(core.get_or_try_create("fails", || Err::<u8, _>("on purpose")));
    let listed = lifecycle::snapshot().singletons.len();
    (sum, by_name, needs_others().copied().ok()) == (13, 5, Some(6)) && listed > 5
}

#[test]
fn destructors_of_thread_locals_may_use_everything() {
    struct Late(Sender<bool>);
    impl Drop for Late {
        fn drop(&mut self) {
            let _ = self.0.send(use_everything());
        }
    }
    // Two of them: one that comes into being before whatever the crate keeps for a thread, and goes after it; one after.
    thread_local!(static EARLY: RefCell<Option<Late>> = const { RefCell::new(None) });
    thread_local!(static LATE: RefCell<Option<Late>> = const { RefCell::new(None) });

    for warm in [true, false] {
        let (send, receive) = channel();
        thread::spawn(move || {
            EARLY.set(Some(Late(send.clone())));
            if warm {
                assert!(use_everything());
            }
            LATE.set(Some(Late(send)));
        });
        for _ in 0..2 {
            let told = receive.recv_timeout(Duration::from_secs(20));
            assert_eq!(told, Ok(true), "a thread that was warm: {warm}");
        }
    }
}

#[test]
fn a_value_may_use_everything_where_it_is_dropped_by_a_thread_local() {
    struct Value(Sender<bool>);
    impl Drop for Value {
        fn drop(&mut self) {
            let _ = self.0.send(use_everything());
        }
    }
    thread_local!(static HELD: RefCell<Option<lifecycle::Instance<Value>>> = const { RefCell::new(None) });

    let (send, receive) = channel();
    thread::spawn(move || {
        let core = lifecycle::SingletonCore::new();
        core.set("value", Value(send)).unwrap();
        HELD.set(core.get::<Value>("value").unwrap());
    });
    assert_eq!(receive.recv_timeout(Duration::from_secs(20)), Ok(true));
}

#[test]
fn guards_kept_in_thread_locals_end_with_their_thread() {
    thread_local!(static GUARD: RefCell<Option<lifecycle::OverrideGuard>> = const { RefCell::new(None) });

    let run = || {
        GUARD.set(Some(Swap::override_with(Swap(9))));
        Swap::current().0
    };
    assert_eq!(thread::spawn(run).join().unwrap(), 9);
    assert_eq!(Swap::current().0, 1);
}

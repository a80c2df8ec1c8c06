//! Test worlds: thousands side by side, none sees another.

use lifecycle::{Flag, Singleton, circuit_breaker, init_flag, rate_limit, singleton, testing};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[singleton(factory = Serial::next)]
struct Serial(u32);

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Serial {
    fn next() -> Self {
        Self(NEXT.fetch_add(1, Ordering::SeqCst))
    }
}

#[init_flag]
static SWITCH: Flag<bool> = false;

#[circuit_breaker(threshold = 1, timeout = 30)]
fn fragile(fail: bool) -> anyhow::Result<()> {
    if fail { Err(anyhow::anyhow!("down")) } else { Ok(()) }
}

#[rate_limit("2/s")]
fn scarce() -> anyhow::Result<()> {
    Ok(())
}

/// Everything is at its beginning.
fn assert_fresh() {
    assert!(!Serial::is_created());
    assert_eq!(Serial::stats().accesses, 0);
    assert!(!SWITCH.get());
    fragile(false).unwrap();
    scarce().unwrap();
    scarce().unwrap();
    assert!(scarce().unwrap_err().downcast_ref::<lifecycle::Rejected>().is_some());
}

/// Leaves everything changed.
fn disturb() {
    Serial::instance();
    SWITCH.set(true);
    fragile(true).unwrap_err();
    while scarce().is_ok() {}
}

#[test]
fn many_worlds_in_parallel_do_not_see_each_other() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    testing::isolated(|| {
                        assert_fresh();
                        disturb();
                        testing::isolated(assert_fresh); // a world within a world is another one
                        assert_eq!(Serial::stats().accesses, 1);
                        assert!(SWITCH.get());
                    });
                }
            });
        }
    });
}

#[test]
fn each_world_has_its_own_clock() {
    testing::isolated(|| {
        fragile(true).unwrap_err();
        testing::isolated(|| testing::advance(Duration::from_secs(3600)));
        fragile(false).unwrap_err();
        testing::advance(Duration::from_secs(30));
        fragile(false).unwrap();
    });
}

#[test]
fn a_world_travels_with_its_future_and_not_with_the_thread() {
    let mut world = pin!(testing::isolated_async(async {
        disturb();
        YieldOnce(false).await;
        Serial::stats().accesses
    }));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(world.as_mut().poll(&mut cx).is_pending());
    testing::isolated(assert_fresh); // between two polls the thread is outside
    let accesses = std::thread::scope(|scope| {
        scope.spawn(|| world.as_mut().poll(&mut Context::from_waker(Waker::noop()))).join().unwrap()
    });
    assert_eq!(accesses, Poll::Ready(1));
}

struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[test]
fn a_thread_is_outside_unless_it_is_given_the_context() {
    testing::isolated(|| {
        Serial::instance();
        let context = testing::Context::capture();
        let inside = std::thread::spawn(move || context.run(|| Serial::stats().accesses)).join().unwrap();
        assert_eq!(inside, 1);
        let outside = std::thread::spawn(|| std::panic::catch_unwind(|| testing::advance(Duration::ZERO)).is_err());
        assert!(outside.join().unwrap(), "moving the process's clock is refused");
    });
}

#[test]
fn guards_of_contexts_may_be_dropped_in_any_order() {
    testing::isolated(|| {
        let a = testing::Context::capture();
        testing::isolated(|| {
            let b = testing::Context::capture();
            let outer = a.enter();
            let inner = b.enter();
            drop(outer);
            disturb();
            drop(inner);
            a.run(assert_fresh);
        });
    });
}

#[test]
fn a_permit_settles_in_the_world_it_was_taken_in_even_after_that_ended() {
    let breaker = lifecycle::breaker("isolation::fragile").unwrap();
    let before = breaker.metrics().statistics;
    let (permit, context) = testing::isolated(|| (breaker.try_acquire().unwrap(), testing::Context::capture()));
    permit.failure();
    assert_eq!(breaker.metrics().statistics, before, "the process's breaker saw nothing");
    assert_eq!(context.run(|| breaker.metrics().statistics.times_opened), 1);
}

#[test]
fn an_instance_outlives_its_world() {
    let serial = testing::isolated(Serial::instance);
    let churn: Vec<_> = (0..100).map(|_| testing::isolated(Serial::instance).0).collect();
    assert!(!churn.contains(&serial.0));
}

#[test]
fn events_are_told_in_their_world() {
    let events = testing::isolated(|| {
        disturb();
        testing::events()
    });
    let told: Vec<_> = events.iter().map(|event| (event.name, event.component.as_str())).collect();
    for expected in [
        ("lifecycle.singleton.initialized", "serial"),
        ("lifecycle.flag.changed", "switch"),
        ("lifecycle.circuit_breaker.state_changed", "fragile"),
        ("lifecycle.rate_limiter.limited", "scarce"),
    ] {
        assert!(told.contains(&expected), "{expected:?} is missing in {told:?}");
    }
}

#[test]
fn what_a_world_holds_is_dropped_inside_it() {
    struct Noisy;
    impl Drop for Noisy {
        fn drop(&mut self) {
            SWITCH.set(true);
        }
    }
    testing::isolated(|| lifecycle::singletons().set("noisy", Noisy).unwrap());
    assert!(!SWITCH.get(), "its destructor set the world's flag, not the process's");
}

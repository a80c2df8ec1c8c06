//! What a guarded call takes: no allocations on any path a busy program goes, futures hardly larger than what they guard.

use allocation_counter::measure;
use lifecycle::clock::ManualClock;
use lifecycle::{BreakerConfig, CircuitBreaker, Rejected, State, Window, circuit_breaker};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn breaker(config: BreakerConfig) -> (CircuitBreaker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap(), clock)
}

/// How often the second of two runs allocates: the first registers what counts.
fn allocations(mut f: impl FnMut()) -> u64 {
    f();
    measure(f).count_total
}

fn polled<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn succeed(breaker: &CircuitBreaker) {
    breaker.call(|| Ok::<_, ()>(())).unwrap();
}

fn fail(breaker: &CircuitBreaker) {
    breaker.call(|| Err::<(), _>(())).unwrap_err();
}

#[test]
fn closed_calls_allocate_nothing() {
    assert!(measure(|| drop(vec![1])).count_total > 0, "the counting works");
    let (breaker, _) = breaker(BreakerConfig::new().threshold(u32::MAX));
    assert_eq!(allocations(|| succeed(&breaker)), 0);
    assert_eq!(allocations(|| fail(&breaker)), 0);
    assert_eq!(allocations(|| succeed(&breaker)), 0, "that resets the row");
    assert_eq!(allocations(|| breaker.try_acquire().unwrap().ignore()), 0);
    assert_eq!(allocations(|| drop(breaker.try_acquire().unwrap())), 0);
    assert_eq!(allocations(|| assert!(polled(breaker.call_async(async { Ok::<_, ()>(()) })).is_ready())), 0);
    let hanging = || assert!(polled(breaker.call_async(std::future::pending::<Result<(), ()>>())).is_pending());
    assert_eq!(allocations(hanging), 0, "nor does one that is dropped");
}

#[test]
fn an_open_breaker_refuses_without_allocating() {
    let (breaker, _) = breaker(BreakerConfig::new().threshold(1));
    fail(&breaker);
    assert_eq!(allocations(|| assert!(breaker.try_acquire().is_err())), 0);
    assert_eq!(allocations(|| assert!(breaker.call(|| Ok::<_, ()>(())).is_err())), 0);
    assert_eq!(allocations(|| assert!(polled(breaker.call_async(async { Ok::<_, ()>(()) })).is_ready())), 0);
    breaker.force_open();
    assert_eq!(allocations(|| assert!(breaker.try_acquire().is_err())), 0);
}

#[test]
fn calls_that_only_watch_or_are_not_watched_allocate_nothing() {
    let (breaker, _) = breaker(BreakerConfig::new().threshold(1));
    breaker.disable();
    assert_eq!(allocations(|| fail(&breaker)), 0);
    breaker.observe_only();
    assert_eq!(allocations(|| fail(&breaker)), 0);
    assert_eq!(breaker.state(), State::ObserveOnly);
}

#[test]
fn windows_allocate_once_and_never_more_than_they_say() {
    let rated = |window| BreakerConfig::new().failure_rate(100).slow_call_rate(100).window(window).minimum_calls(100);
    let (calls, _) = breaker(rated(Window::Calls(100_000)));
    let made = measure(|| succeed(&calls));
    assert!((25_000..26_000).contains(&made.bytes_max), "two bits a call: {made:?}");
    assert_eq!(allocations(|| (0..1_000).for_each(|_| succeed(&calls))), 0);

    let (timed, clock) = breaker(rated(Window::Time(Duration::from_secs(10))));
    let call = |_| {
        clock.advance(Duration::from_millis(1));
        succeed(&timed);
    };
    let filled = measure(|| (0..5_000).for_each(call));
    assert!(filled.bytes_current <= 25 * 1024, "at most 24 KiB and a little: {filled:?}");
    // Ten thousand moments in the window, so that entries are merged again and again.
    assert_eq!(measure(|| (0..20_000).for_each(call)).count_total, 0, "full, a call allocates nothing");
}

#[test]
fn nor_does_a_function_with_the_attribute() {
    #[circuit_breaker(threshold = 1)]
    async fn fetch(ok: bool) -> Result<(), Failed> {
        if ok { Ok(()) } else { Err(Failed) }
    }
    #[circuit_breaker(threshold = 1)]
    fn fetch_blocking(ok: bool) -> Result<(), Failed> {
        if ok { Ok(()) } else { Err(Failed) }
    }
    #[derive(Debug)]
    struct Failed;
    impl From<Rejected> for Failed {
        fn from(_: Rejected) -> Self {
            Self
        }
    }
    assert_eq!(allocations(|| assert!(polled(fetch(true)).is_ready())), 0);
    assert_eq!(allocations(|| fetch_blocking(true).unwrap()), 0);
    assert!(polled(fetch(false)).is_ready() && fetch_blocking(false).is_err());
    assert_eq!(lifecycle::breaker("fetch").unwrap().state(), State::Open);
    assert_eq!(allocations(|| assert!(polled(fetch(true)).is_ready())), 0, "a refusal");
    assert_eq!(allocations(|| assert!(fetch_blocking(true).is_err())), 0);
}

/// Future sizes: what is guarded, and what it becomes.
#[test]
fn a_guarded_future_is_64_bytes_larger_at_most() {
    async fn inner(arguments: [u8; 100], held: [u8; 200]) -> Result<usize, Rejected> {
        std::future::pending::<()>().await;
        Ok(arguments.len() + held.len())
    }
    #[circuit_breaker]
    async fn guarded(arguments: [u8; 100], held: [u8; 200]) -> Result<usize, Rejected> {
        std::future::pending::<()>().await;
        Ok(arguments.len() + held.len())
    }
    let bare = size_of_val(&inner([0; 100], [0; 200]));
    let declared = size_of_val(&guarded([0; 100], [0; 200]));
    // The wrapper has the arguments before the body has them.
    assert!(declared <= bare + 300 + 64, "{declared} around {bare}");

    let (breaker, _) = breaker(BreakerConfig::new());
    let called = size_of_val(&breaker.call_async(inner([0; 100], [0; 200])));
    assert!(called <= bare + 64, "{called} around {bare}");
    let small = size_of_val(&breaker.call_async(std::future::ready(Ok::<_, ()>(()))));
    assert!(small <= 64 + 8, "{small}");
}

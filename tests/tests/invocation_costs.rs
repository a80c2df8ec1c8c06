//! An invocation in which nothing is made allocates nothing, once its thread has had one.

use allocation_counter::measure;
use lifecycle::{InvocationConfig, current_invocation, invocation, invocation_blocking, singleton};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[singleton(scope = invocation)]
fn seen() -> u32 {
    7
}

#[singleton]
fn pool() -> u32 {
    7
}

fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn allocations(f: impl Fn()) -> u64 {
    f();
    measure(f).count_total
}

const ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

#[test]
fn one_with_nothing_in_it_allocates_nothing() {
    let ask = || {
        let invocation = current_invocation().expect("one");
        assert_eq!((invocation.id(), invocation.is_cold()), (ID, false));
        assert_eq!(*pool(), 7);
    };
    invocation_blocking("the first", || {});
    assert_eq!(allocations(|| invocation_blocking(ID, ask)), 0);
    assert_eq!(allocations(|| at_once(invocation(ID, async { ask() }))), 0);
    let limited = || InvocationConfig::new(ID).deadline(Duration::from_secs(3));
    assert_eq!(allocations(|| invocation_blocking(limited(), ask)), 0);
    let nested = || invocation_blocking("outer", || invocation_blocking(ID, ask));
    assert_eq!(allocations(nested), 0);
    assert_eq!(allocations(|| drop(invocation(ID, async {}))), 0);
}

#[test]
fn a_long_id_is_not_kept() {
    let long = "x".repeat(10_000);
    invocation_blocking(&long, || {});
    let next = measure(|| invocation_blocking(ID, || {}));
    assert!(next.bytes_current <= 1024, "{next:?}");
}

#[test]
fn what_is_made_in_one_goes_with_it() {
    let make = || {
        assert_eq!((*seen(), *seen()), (7, 7));
    };
    invocation_blocking(ID, make);
    let one = measure(|| invocation_blocking(ID, make));
    assert!(one.count_total > 0);
    assert_eq!(one.bytes_current, 0, "{one:?}");
    let many = measure(|| (0..100).for_each(|_| invocation_blocking(ID, make)));
    assert_eq!(many.bytes_current, 0, "{many:?}");
}

//! What takes memory and what does not. The allocator counts for each thread apart.

use allocation_counter::measure;
use lifecycle::{Singleton, SingletonCore, singleton};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[test]
fn a_million_replaced_swap_instances_take_no_memory() {
    #[singleton(swap, factory = || Swap([0; 256]))]
    struct Swap(#[allow(dead_code, reason = "room")] [u8; 256]);

    Swap::current();
    Swap::replace(Swap([1; 256]));
    let swap = measure(|| (0..1_000_000).for_each(|_| drop(Swap::replace(Swap([2; 256])))));
    assert!(swap.count_total >= 1_000_000, "each was an allocation: {swap:?}");
    // A list of the process may have grown meanwhile, or the thread got its place among readers: once, not each time.
    assert!(swap.bytes_current < 1024, "and all of them are gone: {swap:?}");
    assert!(swap.bytes_max < 4 * 1024, "never more than a few at a time: {swap:?}");
}

#[test]
fn replaced_static_instances_take_the_memory_that_is_reported() {
    #[singleton(factory = || Kept([0; 1024]))]
    struct Kept(#[allow(dead_code, reason = "room")] [u8; 1024]);

    Kept::instance();
    let kept = measure(|| (0..100).for_each(|_| _ = Kept::replace(Kept([1; 1024]))));
    let stats = Kept::stats();
    assert_eq!((stats.retired, stats.retired_bytes), (100, 100 * 1024));
    assert!(kept.bytes_current >= 100 * 1024, "{kept:?}");
    assert!(kept.bytes_current < 100 * 1024 + 8 * 1024, "beside the values only the list of them: {kept:?}");
}

#[test]
fn looking_up_a_key_that_is_there_allocates_nothing() {
    #[singleton(keyed)]
    fn table(name: &str, region: u32) -> String {
        format!("{name} in {region}")
    }
    #[singleton(keyed)]
    async fn later(name: &str) -> String {
        name.to_owned()
    }
    fn poll<F: Future>(future: F) -> F::Output {
        match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it is not ready"),
        }
    }

    let key = String::from("users");
    let (first, first_later) = (table("users", 1), poll(later("users")));
    let hits = measure(|| {
        for _ in 0..1000 {
            assert!(Arc::ptr_eq(&table(&key, 1), &first));
            assert!(Arc::ptr_eq(&poll(later(&key)), &first_later));
        }
    });
    assert_eq!((hits.count_total, hits.bytes_total), (0, 0));
}

#[test]
fn reading_what_exists_allocates_nothing() {
    #[singleton(swap)]
    #[derive(Default)]
    struct Swap;
    #[singleton]
    fn kept() -> u8 {
        1
    }

    let core = SingletonCore::new();
    core.set_rate_limit(None).unwrap();
    let _ = (Swap::current(), kept(), core.set("named", 1_u8).unwrap(), core.get::<u8>("named").unwrap());
    let reads = measure(|| {
        for _ in 0..1000 {
            let _ = (Swap::current(), Swap::get(), kept(), core.get::<u8>("named").unwrap(), core.has("named"));
        }
    });
    assert_eq!(reads.count_total, 0);
}

#[test]
fn overwriting_a_name_keeps_memory_flat_and_a_core_leaves_nothing_behind() {
    let by_name = measure(|| {
        let core = SingletonCore::new();
        core.set_rate_limit(None).unwrap();
        for n in 0..100_000_u32 {
            core.set("one name", n).unwrap();
        }
    });
    // The thread may have got its place among readers, once.
    assert!(by_name.bytes_current < 1024, "{by_name:?}");
    assert!(by_name.bytes_max < 64 * 1024, "{by_name:?}");
}

//! Once an instance exists, asking for it allocates nothing. A binary of its own: it counts what the whole process allocates.

use lifecycle::singleton;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

thread_local!(static ALLOCATED: Cell<usize> = const { Cell::new(0) });

struct Counting;

// SAFETY: everything is the system allocator's; the counting does not allocate (a const thread-local without a destructor).
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        _ = ALLOCATED.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often this thread allocates in the second of two runs of `f`: the first creates.
fn allocations(mut f: impl FnMut()) -> usize {
    f();
    let before = ALLOCATED.get();
    f();
    ALLOCATED.get() - before
}

fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
use std::future::Future;

#[test]
fn asking_for_what_exists_allocates_nothing() {
    #[singleton(async_factory = Typed::make)]
    struct Typed(Vec<u8>);
    impl Typed {
        async fn make() -> Self {
            Self(vec![1])
        }
    }
    #[singleton]
    async fn free() -> Result<Vec<u8>, String> {
        Ok(vec![1])
    }
    #[singleton]
    fn blocking() -> Vec<u8> {
        vec![1]
    }
    assert!(allocations(|| drop(vec![1])) > 0, "the counting works");
    assert_eq!(allocations(|| assert_eq!(at_once(Typed::instance()).0.len(), 1)), 0);
    assert_eq!(allocations(|| assert_eq!(at_once(Typed::try_instance()).unwrap().0.len(), 1)), 0);
    assert_eq!(allocations(|| assert_eq!(at_once(free()).unwrap().len(), 1)), 0);
    assert_eq!(allocations(|| assert_eq!(blocking().len(), 1)), 0);
    assert_eq!(allocations(|| assert!(Typed::get().is_some())), 0);
}

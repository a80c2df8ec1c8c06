//! Pattern 3, has-then-set, and why to write `get_or_create`: between the look and the deed somebody else may come.
//! `cargo run --example singleton_get_or_create`

use lifecycle::{BoxError, Error, singletons};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

static OPENED: AtomicU32 = AtomicU32::new(0);

/// There should be one of these.
struct Connection {
    number: u32,
}

impl Connection {
    fn open() -> Self {
        std::thread::sleep(Duration::from_millis(10));
        Self { number: OPENED.fetch_add(1, Relaxed) + 1 }
    }
}

fn on_threads<R: Send>(count: usize, work: impl Fn() -> Result<R, Error> + Sync) -> Result<Vec<R>, BoxError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(&work)).collect();
        let all = threads.into_iter().map(|thread| Ok(thread.join().map_err(|_| "a thread panicked")??));
        all.collect()
    })
}

fn main() -> Result<(), BoxError> {
    let singletons = singletons();

    // Right on one thread, and wrong on two: both look before either has set. (The barrier only makes sure that this run
    // shows it; without it you would see it in production.)
    let both_looked = Barrier::new(2);
    let numbers = on_threads(2, || {
        let there = singletons.has("racy");
        both_looked.wait();
        if !there {
            singletons.set("racy", Connection::open())?;
        }
        Ok(singletons.get::<Connection>("racy")?.map(|connection| connection.number))
    })?;
    println!("has-then-set on 2 threads: {} connections opened, the threads use {numbers:?}", OPENED.load(Relaxed));
    assert_eq!(OPENED.swap(0, Relaxed), 2, "one too many");

    // One operation: the first creates, the others wait for it and get the same.
    let numbers = on_threads(8, || Ok(singletons.get_or_create("once", Connection::open)?.number))?;
    println!("get_or_create on 8 threads: {} connection opened, the threads use {numbers:?}", OPENED.load(Relaxed));
    assert_eq!((OPENED.load(Relaxed), numbers), (1, vec![1; 8]));

    // A factory that can fail: its error goes to who asked, nothing is kept, and the next to ask tries again.
    let attempts = AtomicU32::new(0);
    let connect = || match attempts.fetch_add(1, Relaxed) {
        0 => Err("connection refused"),
        _ => Ok(Connection::open()),
    };
    let refused = singletons.get_or_try_create("flaky", connect).err().ok_or("the first attempt fails")?;
    let cause = std::error::Error::source(&refused).map(ToString::to_string);
    println!("first attempt: {refused}: {}", cause.unwrap_or_default());
    assert!(!singletons.has("flaky"));
    assert_eq!(singletons.get_or_try_create("flaky", connect)?.number, 2);
    println!("second attempt: connected");
    Ok(())
}

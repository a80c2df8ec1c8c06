//! Counts are exact: for every form, under threads that come and go, in their last destructors, over many components.

use lifecycle::{Lazy, Singleton, SingletonCore, singleton};
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};
use std::thread;

const THREADS: u64 = 8;
const EACH: u64 = 2_000;

#[singleton]
#[derive(Default)]
struct Kept;

#[singleton(swap)]
#[derive(Default)]
struct Swap;

#[singleton(swap, refresh = "1h")]
#[derive(Default)]
struct Refreshed;

#[singleton]
static LAZY: Lazy<u8> = 1;

#[singleton]
fn function() -> Result<u8, std::fmt::Error> {
    Ok(1)
}

#[singleton]
async fn later() -> u8 {
    1
}

#[singleton(keyed)]
fn keyed(n: u64) -> u64 {
    n
}

struct Owner;
impl Owner {
    #[singleton]
    fn with_self() -> Self {
        Self
    }
}

/// Its creation is another thread's, perhaps, and over soon.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        thread::yield_now();
    }
}

/// Each form once, the keyed one with key `n`; and looks that do not count.
fn use_all(n: u64) {
    let _ = (Kept::instance(), Swap::current(), Refreshed::current(), *LAZY, function(), ready(later()), keyed(n % 4));
    let _ = (Owner::with_self(), lifecycle::singletons().set_rate_limit(None));
    let _ = lifecycle::singletons().get_or_create("by name", || 1_u8);
    let _ = (Kept::get(), Swap::get(), Lazy::get(&LAZY), Kept::is_created(), Lazy::is_created(&LAZY));
}

const FORMS: [&str; 9] = ["kept", "swap", "refreshed", "lazy", "function", "later", "keyed", "with_self", "by name"];

fn accesses() -> HashMap<String, u64> {
    lifecycle::snapshot().singletons.into_iter().map(|one| (one.name, one.accesses)).collect()
}

#[test]
fn every_form_counts_exactly_under_threads_that_come_and_go_and_in_their_last_destructors() {
    struct Late(Sender<()>);
    impl Drop for Late {
        fn drop(&mut self) {
            // The blocks of this thread may be folded already, or not: `LATE` came into being before they did.
            (0..10).for_each(use_all);
            let _ = self.0.send(());
        }
    }
    thread_local!(static LATE: RefCell<Option<Late>> = const { RefCell::new(None) });

    static DONE: AtomicBool = AtomicBool::new(false);
    let reader = thread::spawn(|| {
        let mut last: HashMap<String, u64> = HashMap::new();
        while !DONE.load(Ordering::Relaxed) {
            let now = accesses();
            // Other tests start theirs again.
            for name in FORMS.iter().filter(|name| last.contains_key(**name)) {
                assert!(now[*name] >= last[*name], "a count went back: {name}");
            }
            last = now;
        }
    });
    for _ in 0..2 {
        let (send, receive) = channel();
        let threads: Vec<_> = (0..THREADS / 2)
            .map(|_| {
                let send = send.clone();
                thread::spawn(move || {
                    LATE.set(Some(Late(send)));
                    (0..EACH).for_each(use_all);
                })
            })
            .collect();
        drop(send);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(receive.iter().count() as u64, THREADS / 2, "their destructors ran");
    }
    DONE.store(true, Ordering::Relaxed);
    reader.join().unwrap();
    let (now, expected) = (accesses(), THREADS * (EACH + 10));
    for name in FORMS {
        assert_eq!(now[name], expected, "{name}");
    }
    let keys: Vec<_> = (0..4).map(|n| now[&format!("keyed[{n}]")]).collect();
    assert_eq!(keys.iter().sum::<u64>(), expected);
    // Of `10` uses in a destructor the first two keys get three.
    assert_eq!(keys[0], THREADS * (EACH / 4 + 3));
}

macro_rules! hundred {
    ($($ten:ident)*) => {
        $(mod $ten { ten! { a b c d e f g h i j } })*
        fn declared() -> Vec<fn() -> &'static u8> {
            [$($ten::all()),*].concat()
        }
    };
}

macro_rules! ten {
    ($($one:ident)*) => {
        $(mod $one {
            #[lifecycle::singleton]
            pub(super) fn declared_one() -> u8 { 1 }
        })*
        pub(super) fn all() -> Vec<fn() -> &'static u8> {
            vec![$($one::declared_one),*]
        }
    };
}

hundred! { a b c d e f g h i j }

#[test]
fn thousands_of_components_are_each_counted_apart() {
    const NAMES: u64 = 10_000;
    let declared = declared();
    assert_eq!(declared.len(), 100);
    let core = SingletonCore::new();
    core.set_rate_limit(None).unwrap();
    for n in 0..NAMES {
        core.set(&format!("n{n}"), n).unwrap();
    }
    thread::scope(|scope| {
        for shift in 0..4 {
            let (core, declared) = (&core, &declared);
            scope.spawn(move || {
                for (n, one) in declared.iter().enumerate() {
                    (0..n % 7 + shift).for_each(|_| _ = one());
                }
                for n in 0..NAMES {
                    (0..n % 5 + shift as u64).for_each(|_| _ = core.get::<u64>(&format!("n{n}")).unwrap());
                }
            });
        }
    });
    let counts = core.get_stats().access_counts;
    assert_eq!(counts.len() as u64, NAMES);
    for (n, (name, count)) in counts.iter().enumerate() {
        assert_eq!((name, *count), (&format!("n{n}"), 4 * (n as u64 % 5) + 6));
    }
    let snapshot = lifecycle::snapshot().singletons;
    let mut counted: Vec<_> =
        snapshot.iter().filter(|one| one.name == "declared_one").map(|one| one.accesses).collect();
    let mut expected: Vec<_> = (0..100).map(|n| 4 * (n % 7) + 6).collect();
    counted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(counted, expected);
    // Their places are given to others, which begin at zero.
    core.clear().unwrap();
    drop(core);
    let core = SingletonCore::new();
    core.set_rate_limit(None).unwrap();
    core.get_or_create("fresh", || 1_u8).unwrap();
    assert_eq!(core.get_stats().access_counts, [("fresh".to_owned(), 1)]);
}

#[test]
fn a_replaced_instance_is_counted_from_zero_on_every_thread() {
    #[singleton(factory = || Fresh(0))]
    struct Fresh(#[allow(dead_code, reason = "something to replace")] u8);

    let use_it = || (0..100).for_each(|_| _ = Fresh::instance());
    use_it();
    thread::spawn(use_it).join().unwrap();
    assert_eq!(Fresh::stats().accesses, 200);
    Fresh::replace(Fresh(1));
    assert_eq!(Fresh::stats().accesses, 0);
    use_it();
    thread::spawn(use_it).join().unwrap();
    assert_eq!(Fresh::stats().accesses, 200);
    Fresh::reload().unwrap();
    assert_eq!(Fresh::stats().accesses, 200, "a reload hands nothing out");
    Fresh::delete();
    assert_eq!(Fresh::stats().accesses, 0);
}

//! Who creates and who waits, under every interleaving that loom finds: see `loom_breaker.rs` for the command. loom reports
//! deadlocks.
#![cfg(loom)]

use lifecycle::singleton::model::{Failed, Model};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use std::panic::AssertUnwindSafe;

/// Counts runs of factories.
#[derive(Default)]
struct Runs(AtomicU32);

impl Runs {
    fn another(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn so_far(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Fails when the right to create is taken under another lock than the one under which there was none, when one begins to listen
/// after the lock is released, and when success wakes only one waiter, or none.
#[test]
fn one_run_and_all_get_its_value() {
    loom::model(|| {
        let all = Arc::new((Model::new("one"), Runs::default()));
        let get = |(model, runs): &(Model, Runs)| model.get(|| Ok(runs.another()));
        let threads = [all.clone(), all.clone()].map(|all| thread::spawn(move || get(&all)));
        assert_eq!(get(&all), Ok(1));
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [Ok(1), Ok(1)]);
        assert_eq!(all.1.so_far(), 1);
        assert_eq!(lifecycle::model::graph(), (0, 0));
    });
}

/// Fails when a failure wakes the waiters before the right to create is given back, or does not wake them: they sleep on.
#[test]
fn a_waiter_takes_over_from_a_factory_that_failed() {
    loom::model(|| {
        let all = Arc::new((Model::new("one"), Runs::default()));
        let other = all.clone();
        let get = |(model, runs): &(Model, Runs)| {
            model.get(|| match runs.another() {
                1 => Err("the first fails"),
                run => Ok(run),
            })
        };
        let thread = thread::spawn(move || get(&other));
        let (mine, theirs) = (get(&all), thread.join().unwrap());
        let failed = Err(Failed::Factory("the first fails"));
        assert!((mine == failed && theirs == Ok(2)) || (mine == Ok(2) && theirs == failed), "{mine:?}, {theirs:?}");
        assert_eq!((all.0.failures(), all.1.so_far()), (1, 2));
    });
}

/// Fails when a panic does not give the right back, or does not wake the waiters, and when a frame stays in the graph after it.
#[test]
fn waiters_take_over_from_panics_until_one_succeeds() {
    loom::model(|| {
        let all = Arc::new((Model::new("one"), Runs::default()));
        let get = |(model, runs): &(Model, Runs)| {
            std::panic::catch_unwind(AssertUnwindSafe(|| {
                model.get(|| match runs.another() {
                    // Without the hook, which would print it each time.
                    1 => std::panic::resume_unwind(Box::new("the first panics")),
                    2 => Err("the second fails"),
                    run => Ok(run),
                })
            }))
        };
        let threads = [all.clone(), all.clone()].map(|all| thread::spawn(move || get(&all)));
        let mut got = vec![get(&all)];
        got.extend(threads.map(|thread| thread.join().unwrap()));
        assert_eq!(got.iter().filter(|got| got.is_err()).count(), 1);
        assert_eq!(got.iter().filter(|got| matches!(got, Ok(Err(Failed::Factory(_))))).count(), 1);
        assert_eq!(got.iter().filter(|got| matches!(got, Ok(Ok(3)))).count(), 1);
        assert_eq!((all.0.failures(), all.1.so_far()), (2, 3));
        assert_eq!(lifecycle::model::graph(), (0, 0));
    });
}

/// Fails when a value that was set while the factory ran does not win, and when it is set without the creation's lock.
#[test]
fn a_value_set_meanwhile_wins() {
    loom::model(|| {
        let model = Arc::new(Model::new("one"));
        let other = model.clone();
        let thread = thread::spawn(move || other.set(Some(7)));
        let got = model.get(|| Ok(1));
        thread.join().unwrap();
        assert!(matches!(got, Ok(1 | 7)));
        assert_eq!(model.get(|| Ok(2)), Ok(7));
    });
}

/// Two singletons whose factories ask for each other, and the circles they were told of.
struct Pair {
    a: Model,
    b: Model,
    circles: Runs,
}

impl Pair {
    fn new() -> Arc<Self> {
        Arc::new(Self { a: Model::new("a"), b: Model::new("b"), circles: Runs::default() })
    }

    /// A factory of one that can do without the other.
    fn make(&self, needed: &Model, own: u32) -> Result<u32, &'static str> {
        let make_needed = || self.make(if own == 1 { &self.a } else { &self.b }, 3 - own);
        match needed.get(make_needed) {
            Ok(value) => Ok(10 * value + own),
            Err(Failed::Cycle(_)) => {
                self.circles.another();
                Ok(own)
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    /// A factory that cannot.
    fn insist(needed: &Model, then: &Model) -> Result<u32, &'static str> {
        needed.get(|| Self::insist(then, needed)).map_err(|_| "its need is not met")
    }
}

/// Fails when a wait is not entered into the graph before the thread blocks (a deadlock), and when `enter` looks for the circle and
/// enters the edge under two locks.
#[test]
fn of_two_that_need_each_other_one_is_told() {
    loom::model(|| {
        let pair = Pair::new();
        let other = pair.clone();
        let thread = thread::spawn(move || other.b.get(|| other.make(&other.a, 2)));
        let a = pair.a.get(|| pair.make(&pair.b, 1)).unwrap();
        let b = thread.join().unwrap().unwrap();
        // Whoever was told did without the other, which then got it.
        assert!((a, b) == (1, 12) || (a, b) == (21, 2), "{a}, {b}");
        assert_eq!(pair.circles.so_far(), 1);
    });
}

/// As above. Fails too when only direct waits are looked at: the third sleeps, or is told of a circle of two.
#[test]
fn a_ring_of_three_ends_too() {
    loom::model(|| {
        let ring = Arc::new([Model::new("a"), Model::new("b"), Model::new("c")]);
        fn get(ring: &[Model; 3], at: usize) -> Result<u32, Failed> {
            // Each asks for the next; the one that is told of the circle does without.
            ring[at].get(|| match get(ring, (at + 1) % 3) {
                Ok(value) => Ok(value),
                Err(Failed::Cycle(path)) => {
                    assert_eq!(path.matches("->").count(), 3, "{path}");
                    Ok(at as u32)
                }
                Err(error) => panic!("{error:?}"),
            })
        }
        let threads = [1, 2].map(|at| {
            let ring = ring.clone();
            thread::spawn(move || get(&ring, at))
        });
        let first = get(&ring, 0).unwrap();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Ok(first));
        }
    });
}

/// As above. Fails too when a frame stays in the graph after its factory failed.
#[test]
fn two_that_insist_on_each_other_both_fail_and_leave_no_trace() {
    loom::model(|| {
        let pair = Pair::new();
        let other = pair.clone();
        let thread = thread::spawn(move || other.b.get(|| Pair::insist(&other.a, &other.b)));
        let a = pair.a.get(|| Pair::insist(&pair.b, &pair.a));
        let b = thread.join().unwrap();
        assert!(a.is_err() && b.is_err());
        assert_eq!(lifecycle::model::graph(), (0, 0));
        assert_eq!((pair.a.get(|| Ok(5)), pair.b.get(|| Ok(6))), (Ok(5), Ok(6)));
    });
}

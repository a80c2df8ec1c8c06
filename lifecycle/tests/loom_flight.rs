//! Factories that are futures, and waiters that drive them: see `loom_breaker.rs` for the command. loom reports deadlocks, so a
//! lost wake-up is one.
#![cfg(loom)]

use lifecycle::singleton::model::{Failed, Model, Place};
use loom::future::{AtomicWaker, block_on};

use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::thread;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

type Making = Pin<Box<dyn Future<Output = Result<u32, &'static str>> + Send>>;

/// Something outside that a factory waits for.
#[derive(Default)]
struct Gate {
    open: AtomicBool,
    waker: AtomicWaker,
}

impl Gate {
    fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
        self.waker.wake();
    }

    async fn pass(self: Arc<Self>) {
        poll_fn(|cx| {
            if self.open.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            self.waker.register_by_ref(cx.waker());
            if self.open.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

struct All {
    model: Model,
    gate: Arc<Gate>,
    runs: Arc<AtomicU32>,
}

impl All {
    fn new() -> Arc<Self> {
        Arc::new(Self { model: Model::new("one"), gate: Arc::default(), runs: Arc::default() })
    }

    /// A factory that waits at the gate; its run `fails`.
    fn launch(&self, fails: u32) -> Making {
        let (gate, runs) = (self.gate.clone(), self.runs.clone());
        Box::pin(async move {
            let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
            gate.pass().await;
            if run == fails { Err("it fails") } else { Ok(run) }
        })
    }

    async fn get(&self, fails: u32) -> Result<u32, Failed> {
        let mut place = Place::default();
        poll_fn(|cx| self.model.poll(&mut place, cx, || self.launch(fails))).await
    }
}

/// Fails when the waker of the future wakes one waiter only, and when a wake-up while the future is out is not passed on by
/// whoever had it out: the one that is woken may be the one that is never polled.
#[test]
fn a_caller_that_is_not_polled_any_more_holds_nobody_up() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let all = All::new();
        let (idles, opens) = (all.clone(), all.clone());
        let idle = thread::spawn(move || {
            let mut place = Place::default();
            let mut cx = Context::from_waker(std::task::Waker::noop());
            _ = idles.model.poll(&mut place, &mut cx, || idles.launch(0));
            place
        });
        let opener = thread::spawn(move || opens.gate.open());
        assert_eq!(block_on(all.get(0)), Ok(1));
        drop(idle.join().unwrap());
        opener.join().unwrap();
        assert_eq!(all.runs.load(Ordering::Relaxed), 1);
    });
}

/// Fails when a success does not wake all who wait for it.
#[test]
fn one_run_and_both_get_its_value() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let all = All::new();
        let (other, opens) = (all.clone(), all.clone());
        let waits = thread::spawn(move || block_on(other.get(0)));
        let opener = thread::spawn(move || opens.gate.open());
        assert_eq!(block_on(all.get(0)), Ok(1));
        assert_eq!(waits.join().unwrap(), Ok(1));
        opener.join().unwrap();
        assert_eq!(all.runs.load(Ordering::Relaxed), 1);
    });
}

/// Fails when a caller that is dropped takes the future along (two runs), or leaves it where nobody drives it (a deadlock).
#[test]
fn a_caller_that_goes_away_loses_nothing() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let all = All::new();
        let (leaves, opens) = (all.clone(), all.clone());
        let impatient = thread::spawn(move || {
            let mut get = pin!(leaves.get(0));
            // Polled once or twice, then dropped.
            let mut polls = 0;
            block_on(poll_fn(|cx: &mut Context<'_>| {
                polls += 1;
                match get.as_mut().poll(cx) {
                    Poll::Pending if polls < 2 => {
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    }
                    _ => Poll::Ready(()),
                }
            }));
        });
        let opener = thread::spawn(move || opens.gate.open());
        assert_eq!(block_on(all.get(0)), Ok(1));
        impatient.join().unwrap();
        opener.join().unwrap();
        assert_eq!(all.runs.load(Ordering::Relaxed), 1);
    });
}

/// Fails when a failure does not give the right to create back before it wakes the others.
#[test]
fn after_a_failure_a_waiter_tries_again() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let all = All::new();
        all.gate.open();
        let other = all.clone();
        let thread = thread::spawn(move || block_on(other.get(1)));
        let (mine, theirs) = (block_on(all.get(1)), thread.join().unwrap());
        let failed = Err(Failed::Factory("it fails"));
        assert!((mine == failed && theirs == Ok(2)) || (mine == Ok(2) && theirs == failed), "{mine:?}, {theirs:?}");
        assert_eq!(lifecycle::model::graph(), (0, 0));
    });
}

/// Two singletons whose factories await each other.
struct Pair {
    a: Model,
    b: Model,
}

impl Pair {
    fn get(self: Arc<Self>, first: bool) -> Pin<Box<dyn Future<Output = Result<u32, Failed>> + Send>> {
        Box::pin(async move {
            let mut place = Place::default();
            let model = if first { &self.a } else { &self.b };
            let launch = || -> Making {
                let pair = self.clone();
                Box::pin(async move {
                    match pair.get(!first).await {
                        Ok(value) => Ok(10 * value + u32::from(first) + 1),
                        Err(Failed::Cycle(_)) => Ok(u32::from(first) + 1),
                        Err(_) => Err("neither"),
                    }
                })
            };
            poll_fn(|cx| model.poll(&mut place, cx, launch)).await
        })
    }
}

/// Fails when a wait is not entered into the graph before the task rests.
#[test]
fn of_two_that_await_each_other_one_is_told() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let pair = Arc::new(Pair { a: Model::new("a"), b: Model::new("b") });
        let other = pair.clone();
        let thread = thread::spawn(move || block_on(other.get(false)).unwrap());
        let a = block_on(pair.clone().get(true)).unwrap();
        let b = thread.join().unwrap();
        assert!((a, b) == (2, 21) || (a, b) == (12, 1), "{a}, {b}");
    });
}

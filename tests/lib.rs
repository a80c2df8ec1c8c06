//! What the tests in `tests/` share: watching for hangs, and polling by hand. One file there is one subject.

use std::future::Future;
use std::pin::Pin;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Subscriber};

/// The result of `f` on a thread of its own; a hang is a failure and not a hang of the test.
pub fn started<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (send, receive) = channel();
    std::thread::spawn(move || _ = send.send(f()));
    receive
}

/// What [`started`] gave.
///
/// # Panics
/// When it hangs or panicked.
#[track_caller]
pub fn ended<T>(receiver: &Receiver<T>) -> T {
    receiver.recv_timeout(Duration::from_secs(20)).expect("it hangs, or panicked")
}

/// Runs `f` on a thread of its own and gives what it gave.
///
/// # Panics
/// As [`ended`].
#[track_caller]
pub fn watched<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    ended(&started(f))
}

/// Runs one test of the calling file again in a process of its own, in which `variables` are set; there [`is_child`] holds.
///
/// # Panics
/// When it fails there.
#[track_caller]
pub fn in_child(test: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().expect("a path"));
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("LIFECYCLE_TEST_CHILD", test);
    child.envs(variables.iter().copied());
    let output = child.output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the child ran the test");
}

/// Is this the process that [`in_child`] made for that test?
#[must_use]
pub fn is_child(test: &str) -> bool {
    std::env::var("LIFECYCLE_TEST_CHILD").is_ok_and(|name| name == test)
}

/// Has `subscriber` told of what `f` does on this thread.
///
/// For `tracing::subscriber::with_default` in a process with more threads than this: see [`told_everywhere`].
pub fn told<R>(subscriber: impl Subscriber + Send + Sync + 'static, f: impl FnOnce() -> R) -> R {
    not_the_only_one();
    tracing::subscriber::with_default(subscriber, f)
}

/// Has `subscriber` told of what all threads do, unless another one is already.
///
/// As long as there is one subscriber only, `tracing` asks the default one of whatever thread comes upon an event first; where
/// that thread has none (for one whose default is just being set, too), nobody is ever told of that event. With more of them
/// it asks all.
pub fn told_everywhere(subscriber: impl Subscriber + Send + Sync + 'static) {
    not_the_only_one();
    _ = tracing::subscriber::set_global_default(subscriber);
}

fn not_the_only_one() {
    static OTHERS: OnceLock<[Dispatch; 2]> = OnceLock::new();
    OTHERS.get_or_init(|| std::array::from_fn(|_| Dispatch::new(NoSubscriber::new())));
}

/// A runtime of one thread, with a timer.
///
/// # Panics
/// When there can be none.
#[must_use]
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Yields until the condition holds.
///
/// # Panics
/// When it does not come to hold.
#[track_caller]
pub fn until(mut condition: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come to hold");
        std::thread::yield_now();
    }
}

/// False, which the compiler does not know.
#[must_use]
pub fn not_ever() -> bool {
    std::hint::black_box(false)
}

/// The words of a panic.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).expect("a panic with a text")
}

/// A future that is polled by hand, and a note of whether it asked for that.
pub struct ByHand<F> {
    future: Pin<Box<F>>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<F: Future> ByHand<F> {
    /// Not polled yet.
    pub fn new(future: F) -> Self {
        Self { future: Box::pin(future), woken: Arc::default() }
    }

    /// Polls it once.
    pub fn poll(&mut self) -> Poll<F::Output> {
        self.woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.woken.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    /// Has it been woken since it was polled?
    #[must_use]
    pub fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }

    /// Polls it as often as it asks for it.
    ///
    /// # Panics
    /// When it asks for more than that.
    pub fn poll_while_woken(&mut self) -> Poll<F::Output> {
        for _ in 0..1000 {
            let polled = self.poll();
            if polled.is_ready() || !self.is_woken() {
                return polled;
            }
        }
        panic!("it is woken again and again");
    }
}

/// Polls it again and again until it is ready, woken or not: what it waits for may be at work on threads.
///
/// # Panics
/// When it does not get ready.
#[track_caller]
pub fn driven<F: Future>(future: &mut ByHand<F>) -> F::Output {
    let mut output = None;
    until(|| {
        if let Poll::Ready(ready) = future.poll() {
            output = Some(ready);
        }
        output.is_some()
    });
    output.expect("it is ready")
}

/// Gives way that many times; each time it wakes itself.
pub async fn gives_way(times: usize) {
    for _ in 0..times {
        let mut first = true;
        std::future::poll_fn(|cx| {
            if std::mem::take(&mut first) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
}

/// Something to wait for that somebody else opens, synchronously or not.
#[derive(Debug, Default)]
pub struct Gate {
    open: AtomicBool,
    arrived: AtomicUsize,
    waiting: std::sync::Mutex<Vec<Waker>>,
    opened: std::sync::Condvar,
}

impl Gate {
    /// A closed one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            open: AtomicBool::new(false),
            arrived: AtomicUsize::new(0),
            waiting: std::sync::Mutex::new(Vec::new()),
            opened: std::sync::Condvar::new(),
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Lets everybody through.
    pub fn open(&self) {
        let mut waiting = self.waiting();
        self.open.store(true, Ordering::SeqCst);
        let woken = std::mem::take(&mut *waiting);
        drop(waiting);
        self.opened.notify_all();
        woken.into_iter().for_each(Waker::wake);
    }

    /// Lets nobody through any more.
    pub fn close(&self) {
        let waiting = self.waiting();
        self.open.store(false, Ordering::SeqCst);
        drop(waiting);
    }

    /// How many have come to it.
    pub fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }

    /// Waits until it is open.
    pub async fn pass(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        std::future::poll_fn(|cx| {
            let mut waiting = self.waiting();
            if self.open.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Blocks until it is open.
    pub fn pass_blocking(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let mut waiting = self.waiting();
        while !self.open.load(Ordering::SeqCst) {
            waiting = self.opened.wait(waiting).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

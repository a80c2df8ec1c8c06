//! Waiting with a limit in time, for those limits that somebody wrote: `init_timeout` and the deadlines of `warm_up` and
//! `shutdown`.
//!
//! Tasks of any runtime are woken from one thread, which is started with the first such wait and sleeps until the next is due:
//! a runtime's own timer cannot be named without depending on that runtime.

use crate::clock::{Clock, ClockHandle, Moment};
use event_listener::{EventListener, Listener as _};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

struct Alarms {
    next: u64,
    /// By time, then by the order of asking.
    due: BTreeMap<(Instant, u64), Waker>,
    /// Where the thread runs: a fork leaves it behind.
    running: Option<u32>,
}

static ALARMS: Mutex<Alarms> = Mutex::new(Alarms { next: 0, due: BTreeMap::new(), running: None });
static SOONER: Condvar = Condvar::new();

fn alarms() -> MutexGuard<'static, Alarms> {
    ALARMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes `waker` after so much real time.
pub(crate) fn wake_after(time: Duration, waker: Waker) {
    let Some(at) = Instant::now().checked_add(time) else {
        return;
    };
    let mut alarms = alarms();
    alarms.next += 1;
    let id = alarms.next;
    let first = alarms.due.first_key_value().is_none_or(|((soonest, _), _)| at < *soonest);
    alarms.due.insert((at, id), waker);
    let process = std::process::id();
    if alarms.running != Some(process) {
        // Where no thread can be started, limits are noticed whenever the task is polled for another reason.
        let started = std::thread::Builder::new().name("lifecycle-timer".to_owned()).spawn(ring).is_ok();
        alarms.running = started.then_some(process);
    }
    drop(alarms);
    if first {
        SOONER.notify_one();
    }
}

/// The thread: sleeps until the next alarm is due.
fn ring() {
    let mut alarms = alarms();
    loop {
        let now = Instant::now();
        match alarms.due.first_key_value().map(|(key, _)| *key) {
            Some(key) if key.0 <= now => {
                let waker = alarms.due.remove(&key);
                drop(alarms);
                // Outside the lock: a waker is somebody else's code.
                if let Some(waker) = waker {
                    _ = crate::error::caught(|| waker.wake());
                }
                alarms = self::alarms();
            }
            Some((at, _)) => {
                alarms = SOONER.wait_timeout(alarms, at - now).unwrap_or_else(PoisonError::into_inner).0;
            }
            None => alarms = SOONER.wait(alarms).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// A waker for that time on that clock, however early it is woken: by default clocks wake by real time, and may run slower.
pub(crate) fn not_before(clock: &Arc<dyn Clock>, at: u64, waker: Waker) -> Waker {
    Waker::from(Arc::new(NotBefore { clock: Arc::downgrade(clock), at, waker }))
}

/// See [`not_before`].
struct NotBefore {
    /// Weak, since a clock may keep its wakers.
    clock: Weak<dyn Clock>,
    at: u64,
    waker: Waker,
}

impl Wake for NotBefore {
    fn wake(self: Arc<Self>) {
        let left = self.clock.upgrade().map_or(0, |clock| self.at.saturating_sub(clock.now_mono()));
        if left == 0 {
            self.waker.wake_by_ref();
        } else {
            // Not by the clock, which has just been too early: it might be again, at once.
            wake_after(Duration::from_nanos(left), self.into());
        }
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks this thread until `changed` is notified (true) or the time has come (false).
pub(crate) fn block_until(changed: EventListener, clock: &ClockHandle, until: Moment) -> bool {
    if clock.is_system() {
        return match until.until(clock.now()) {
            Some(left) => changed.wait_timeout(left).is_some(),
            None => {
                changed.wait();
                true
            }
        };
    }
    let notified = async {
        changed.await;
    };
    block_on_until(notified, clock, until).is_some()
}

/// Drives a future on this thread; gives up at that time.
pub(crate) fn block_on_until<F: Future>(future: F, clock: &ClockHandle, until: Moment) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    clock.wake_at(until, waker.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        if until.has_come(clock.now()) {
            return None;
        }
        std::thread::park();
    }
}

/// A future with a limit in time.
pub(crate) struct Within<'a, F> {
    future: Pin<Box<F>>,
    clock: &'a ClockHandle,
    until: Moment,
    /// Who is to be woken when the time has come.
    asked: Option<Waker>,
}

/// Gives `None` when the time comes before the future is ready.
pub(crate) fn within<F: Future>(future: F, clock: &ClockHandle, until: Moment) -> Within<'_, F> {
    Within { future: Box::pin(future), clock, until, asked: None }
}

impl<F: Future> Future for Within<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if self.until.has_come(self.clock.now()) {
            return Poll::Ready(None);
        }
        let (clock, until) = (self.clock, self.until);
        wake_once(&mut self.asked, clock, until, cx.waker());
        Poll::Pending
    }
}

/// Asks for a wake-up at that time, unless the same waker has been promised one.
pub(crate) fn wake_once(asked: &mut Option<Waker>, clock: &ClockHandle, until: Moment, waker: &Waker) {
    if asked.as_ref().is_none_or(|asked| !asked.will_wake(waker)) {
        *asked = Some(waker.clone());
        clock.wake_at(until, waker.clone());
    }
}

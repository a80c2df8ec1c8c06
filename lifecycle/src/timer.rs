//! Waiting with a limit in time, for those limits that somebody wrote: `init_timeout`, the deadlines of `warm_up` and `shutdown`, and
//! how long a caller may wait for a limiter's permit.
//!
//! Tasks of any runtime are woken from one thread, which is started with the first such wait and sleeps until the next is due:
//! a runtime's own timer cannot be named without depending on that runtime. A wait that ends early takes its [`Alarm`] along.

use crate::clock::{Clock, ClockHandle, Moment};
use event_listener::{EventListener, Listener as _};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

struct Alarms {
    next: u32,
    /// By the system's time; those of one time are told apart by a number.
    due: BTreeMap<(Moment, u32), Waker>,
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
    let at = ClockHandle::System.now().after(time);
    if at != Moment::NEVER {
        wake_at(at, waker);
    }
}

/// Wakes `waker` when the system's clock says so. Gives what tells this alarm from others of the same time.
fn wake_at(at: Moment, waker: Waker) -> u32 {
    let mut alarms = alarms();
    let mut id = alarms.next;
    while alarms.due.contains_key(&(at, id)) {
        id = id.wrapping_add(1);
    }
    alarms.next = id.wrapping_add(1);
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
    id
}

/// The thread: sleeps until the next alarm is due.
fn ring() {
    let mut alarms = alarms();
    loop {
        let now = ClockHandle::System.now();
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
                alarms = SOONER.wait_timeout(alarms, at.since(now)).unwrap_or_else(PoisonError::into_inner).0;
            }
            None => alarms = SOONER.wait(alarms).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// A wait's wake-up, in two words, since a future has it in itself. Dropped with the wait, it keeps nothing of the task: not its waker, and by the system's clock no memory.
#[derive(Debug, Default)]
pub(crate) enum Alarm {
    /// Nobody is to be woken.
    #[default]
    Unset,
    /// By the system's clock, from this file's thread.
    Real { id: u32, at: Moment },
    /// By another clock. That cannot be told to forget it, but finds nobody to wake.
    Other(Arc<NotBefore>),
}

impl Alarm {
    /// Has `waker` woken at that time, unless it will be already; never, for "never".
    pub(crate) fn set(&mut self, clock: &ClockHandle, at: Moment, waker: &Waker) {
        if at == Moment::NEVER || self.will_wake(waker) {
            return;
        }
        // What was asked for another waker goes first.
        *self = Self::Unset;
        *self = match clock {
            ClockHandle::System => Self::Real { id: wake_at(at, waker.clone()), at },
            ClockHandle::Custom(clock) => {
                let waker = Mutex::new(Some(waker.clone()));
                let alarm = Arc::new(NotBefore { clock: Arc::downgrade(clock), at: at.as_nanos(), waker });
                clock.wake_at(at.as_nanos(), alarm.clone().into());
                Self::Other(alarm)
            }
        };
    }

    fn will_wake(&self, waker: &Waker) -> bool {
        match self {
            Self::Unset => false,
            Self::Real { id, at } => alarms().due.get(&(*at, *id)).is_some_and(|asked| asked.will_wake(waker)),
            Self::Other(alarm) => alarm.waker().as_ref().is_some_and(|asked| asked.will_wake(waker)),
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // Found under a lock and dropped without it: a waker is somebody else's code.
        let _waker = match self {
            Self::Unset => None,
            Self::Real { id, at } => alarms().due.remove(&(*at, *id)),
            Self::Other(alarm) => alarm.waker().take(),
        };
    }
}

/// Wakes at a time of a clock, however early it is woken: by default clocks wake by real time, and may run slower.
#[derive(Debug)]
pub(crate) struct NotBefore {
    /// Weak, since a clock may keep its wakers.
    clock: Weak<dyn Clock>,
    at: u64,
    /// None: nobody waits any more.
    waker: Mutex<Option<Waker>>,
}

impl NotBefore {
    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for NotBefore {
    fn wake(self: Arc<Self>) {
        let Some(waker) = self.waker().clone() else { return };
        let left = self.clock.upgrade().map_or(0, |clock| self.at.saturating_sub(clock.now_mono()));
        if left == 0 {
            waker.wake();
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
    let mut alarm = Alarm::Unset;
    alarm.set(clock, until, &waker);
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
    /// For when the time has come.
    alarm: Alarm,
}

/// Gives `None` when the time comes before the future is ready.
pub(crate) fn within<F: Future>(future: F, clock: &ClockHandle, until: Moment) -> Within<'_, F> {
    Within { future: Box::pin(future), clock, until, alarm: Alarm::Unset }
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
        self.alarm.set(clock, until, cx.waker());
        Poll::Pending
    }
}

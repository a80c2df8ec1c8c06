//! Waiting with a limit in time, for those limits that somebody wrote: `init_timeout`, the deadlines of `warm_up` and `shutdown`, and
//! how long a caller may wait for a limiter's permit.
//!
//! Tasks of any runtime are woken from one thread, which is started with the first such wait and sleeps until the next is due:
//! a runtime's own timer cannot be named without depending on that runtime. A wait that ends early takes its [`Alarm`] along.

use crate::clock::{Clock, ClockHandle, Moment};
use crate::scope::{Book, StateRef};
use crate::waiters::Place;
use event_listener::EventListener;
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
        let left = self.clock.upgrade().map_or(0, |clock| self.at.saturating_sub(clock.now_mono()));
        if left > 0 {
            // Not by the clock, which has just been too early: it might be again, at once.
            if self.waker().is_some() {
                wake_after(Duration::from_nanos(left), self.into());
            }
            return;
        }
        // Taken under the lock and woken without it: a waker is somebody else's code.
        let waker = self.waker().take();
        if let Some(waker) = waker {
            waker.wake();
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

/// A limit under way: when it is over, and who is to be woken then.
///
/// A process that comes back from a snapshot may find any time on its clock. A limit on the clock of its world goes with it: all
/// of them are moved alike, by as much as the clock went back at least ([`Book::restored`]), so nobody waits longer than he said, and
/// those who wait one after the other keep their distances.
pub(crate) struct Limit {
    since: Moment,
    until: Moment,
    /// `None` for "never", and for a clock that is not its world's: nobody says when that was restored.
    book: Option<StateRef<'static, Book>>,
    /// By how much the clock had gone back when the times were found.
    back: Duration,
    /// For when the time has come.
    alarm: Alarm,
    /// Who is to be woken when the clock was restored.
    place: Option<Place>,
}

impl Limit {
    /// So long from now.
    pub(crate) fn begin(clock: &ClockHandle, length: Duration) -> Self {
        let now = clock.now();
        Self::between(now, now.after(length), clock)
    }

    /// So long from then, which is now at the latest, and where nothing is said.
    pub(crate) fn since_then(clock: &ClockHandle, then: Option<Moment>, length: Duration) -> Self {
        let now = clock.now();
        let since = then.map_or(now, |then| then.min(now));
        Self::between(since, since.after(length), clock)
    }

    /// Until then.
    pub(crate) fn at(until: Moment, clock: &ClockHandle) -> Self {
        Self::between(clock.now(), until, clock)
    }

    fn between(since: Moment, until: Moment, clock: &ClockHandle) -> Self {
        let book = (until != Moment::NEVER).then(Book::in_force).filter(|book| book.is_on(clock));
        let back = book.as_ref().map_or(Duration::ZERO, |book| book.gone_back());
        Self { since, until, book, back, alarm: Alarm::Unset, place: None }
    }

    /// What is left, if anything. `waker` is woken when the clock was restored.
    fn left(&mut self, clock: &ClockHandle, waker: &Waker) -> Option<Duration> {
        if let Some(book) = &self.book {
            // The place is taken before the look: whoever restores after the look wakes it.
            let replaced = self.place.get_or_insert_with(|| book.place()).set(waker.clone());
            drop(replaced);
        }
        self.go_back();
        let now = clock.now();
        if self.until.has_come(now) {
            return None;
        }
        if let Some(book) = &self.book {
            book.measured(now);
        }
        Some(self.until.until(now).unwrap_or(Duration::MAX))
    }

    /// It moves with its clock.
    fn go_back(&mut self) {
        let Some(book) = &self.book else { return };
        let back = book.gone_back();
        if back != self.back {
            let step = back.saturating_sub(self.back);
            (self.since, self.until) = (self.since.before(step), self.until.before(step));
            (self.back, self.alarm) = (back, Alarm::Unset);
        }
    }

    /// When it began, as the clock reads now.
    pub(crate) fn since(&mut self) -> Moment {
        self.go_back();
        self.since
    }

    /// When it is over, as the clock reads now.
    pub(crate) fn until(&mut self) -> Moment {
        self.go_back();
        self.until
    }

    /// Is it over? If not, `waker` is woken when it is worth asking again.
    pub(crate) fn is_over(&mut self, clock: &ClockHandle, waker: &Waker) -> bool {
        let over = self.left(clock, waker).is_none();
        if !over {
            self.alarm.set(clock, self.until, waker);
        }
        over
    }

    /// A part of what is left: so long at most, or where nothing is said a fair share, with so many to come.
    pub(crate) fn share(&mut self, most: Option<Duration>, to_go: u32, clock: &ClockHandle) -> Self {
        let now = clock.now();
        let left = self.until().until(now);
        let fair = left.map_or(Duration::MAX, |left| left / to_go.max(1));
        let length = most.map_or(fair, |most| left.map_or(most, |left| most.min(left)));
        Self::between(now, now.after(length), clock)
    }

    /// How long it has been going on.
    pub(crate) fn waited(&self, clock: &ClockHandle) -> Duration {
        clock.now().since(self.since)
    }
}

/// Blocks this thread until `changed` is notified (true) or the limit is over (false).
pub(crate) fn block_until(changed: EventListener, clock: &ClockHandle, limit: &mut Limit) -> bool {
    drive(changed, clock, limit).is_some()
}

/// Drives a future on this thread; gives up at that time.
pub(crate) fn block_on_until<F: Future>(future: F, clock: &ClockHandle, until: Moment) -> Option<F::Output> {
    drive(future, clock, &mut Limit::at(until, clock))
}

fn drive<F: Future>(future: F, clock: &ClockHandle, limit: &mut Limit) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        if clock.is_system() {
            // A thread minds the time itself.
            std::thread::park_timeout(limit.left(clock, &waker)?);
        } else if limit.is_over(clock, &waker) {
            return None;
        } else {
            std::thread::park();
        }
    }
}

/// A future with a limit in time.
pub(crate) struct Within<'a, F> {
    future: Pin<Box<F>>,
    clock: &'a ClockHandle,
    limit: &'a mut Limit,
}

/// Gives `None` when the limit is over before the future is ready. Waits one after the other share a limit: made anew from its
/// time, it would know nothing of a restore before.
pub(crate) fn within<'a, F: Future>(future: F, clock: &'a ClockHandle, limit: &'a mut Limit) -> Within<'a, F> {
    Within { future: Box::pin(future), clock, limit }
}

impl<F: Future> Future for Within<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let clock = self.clock;
        if self.limit.is_over(clock, cx.waker()) { Poll::Ready(None) } else { Poll::Pending }
    }
}

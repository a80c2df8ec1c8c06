//! Waiting with a limit in time, for those limits that somebody wrote: `init_timeout`, a wait for a permit, and the deadlines of
//! `warm_up` and `shutdown`.
//!
//! Tasks of any runtime are woken from one thread, which is started with the first such wait and sleeps until the next is due:
//! a runtime's own timer cannot be named without depending on that runtime.

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
    /// Who is to be woken when the time has come.
    asked: Option<Waker>,
    /// Who is to be woken when the clock was restored.
    place: Option<Place>,
}

impl Limit {
    /// So long from now.
    pub(crate) fn begin(clock: &ClockHandle, length: Duration) -> Self {
        let now = clock.now();
        Self::between(now, now.after(length), clock)
    }

    /// Until then.
    pub(crate) fn at(until: Moment, clock: &ClockHandle) -> Self {
        Self::between(clock.now(), until, clock)
    }

    fn between(since: Moment, until: Moment, clock: &ClockHandle) -> Self {
        let book = (until != Moment::NEVER).then(Book::in_force).filter(|book| book.is_on(clock));
        let back = book.as_ref().map_or(Duration::ZERO, |book| book.gone_back());
        Self { since, until, book, back, asked: None, place: None }
    }

    /// What is left, if anything. `waker` is woken when the clock was restored.
    fn left(&mut self, clock: &ClockHandle, waker: &Waker) -> Option<Duration> {
        if let Some(book) = &self.book {
            // The place is taken before the look: whoever restores after the look wakes it.
            let replaced = self.place.get_or_insert_with(|| book.place()).set(waker.clone());
            drop(replaced);
            let back = book.gone_back();
            if back != self.back {
                let step = back.saturating_sub(self.back);
                (self.since, self.until) = (self.since.before(step), self.until.before(step));
                (self.back, self.asked) = (back, None);
            }
        }
        let now = clock.now();
        if self.until.has_come(now) {
            return None;
        }
        if let Some(book) = &self.book {
            book.measured(now);
        }
        Some(self.until.until(now).unwrap_or(Duration::MAX))
    }

    /// Is it over? If not, `waker` is woken when it is worth asking again.
    pub(crate) fn is_over(&mut self, clock: &ClockHandle, waker: &Waker) -> bool {
        let over = self.left(clock, waker).is_none();
        // Unless the same waker has been promised a wake-up.
        if !over && self.asked.as_ref().is_none_or(|asked| !asked.will_wake(waker)) {
            self.asked = Some(waker.clone());
            clock.wake_at(self.until, waker.clone());
        }
        over
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
    limit: Box<Limit>,
}

/// Gives `None` when the time comes before the future is ready.
pub(crate) fn within<F: Future>(future: F, clock: &ClockHandle, until: Moment) -> Within<'_, F> {
    Within { future: Box::pin(future), clock, limit: Box::new(Limit::at(until, clock)) }
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

//! Who runs a factory, who waits, and what is remembered of it: the same for declared and by-name singletons.
//!
//! The right to create belongs to one frame at a time. No lock is held while the factory runs; an error or a panic gives the
//! right back and wakes every waiter, the first of which takes it. A wait that would close a circle of frames is refused
//! before it begins (see [`scope::WaitEdge`]).

use crate::clock::{ClockHandle, Moment};
use crate::error::{CreateError, SingletonError};
use crate::scope::{self, Entry, Frame, FrameId, Subject, WaitEdge};
use crate::sync::{Mutex, thread};
use crate::telemetry;
use event_listener::{Event, Listener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// What is remembered of the creation of the present instance, and of failures before it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) created_at: Option<SystemTime>,
    pub(crate) took: Option<Duration>,
    pub(crate) order: Option<u64>,
    pub(crate) thread: Option<String>,
    pub(crate) asked_by: Option<String>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) failures: u64,
    pub(crate) last_error: Option<String>,
}

/// The right to create one instance.
#[derive(Debug)]
pub(crate) struct Creation {
    state: Mutex<State>,
    /// Notified, all at once, whenever the right to create is given back.
    ended: Event,
}

#[derive(Debug)]
struct State {
    /// The frame and, since factories are synchronous, the thread that runs it.
    creator: Option<(FrameId, thread::ThreadId)>,
    record: Option<Box<Record>>,
}

/// Creations of the process so far.
static ORDER: AtomicU64 = AtomicU64::new(0);

impl Creation {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self { state: Mutex::new(State { creator: None, record: None }), ended: Event::new() }
        }
    }

    /// What is remembered.
    pub(crate) fn record(&self) -> Record {
        self.state.lock().record.as_deref().cloned().unwrap_or_default()
    }

    /// Runs `change` while no factory result can be stored: for set, replace and delete. Own code only.
    pub(crate) fn exclusively<R>(&self, change: impl FnOnce(&mut Record) -> R) -> R {
        let result = change(self.state.lock().record.get_or_insert_default());
        // Those who wait for a factory need not wait any longer when a value is there.
        self.ended.notify(usize::MAX);
        result
    }

    /// The one instance: `existing`, or what `make` gives, put in its place by `store`.
    ///
    /// `existing` and `store` run under this creation's lock and are this crate's own code; `make` is the user's and runs
    /// under none. A value set meanwhile wins over the one just made, which is dropped.
    pub(crate) fn once<R, V, E>(
        &self,
        subject: &Subject,
        clock: &ClockHandle,
        existing: impl Fn() -> Option<R>,
        make: impl FnOnce() -> Result<V, E>,
        store: impl FnOnce(V) -> R,
        describe: impl FnOnce(&E) -> String,
    ) -> Result<R, CreateError<E>> {
        // When this thread blocks, every factory on whose behalf it runs does.
        let askers = scope::frames();
        let frame = loop {
            let mut state = self.state.lock();
            if let Some(found) = existing() {
                return Ok(found);
            }
            let Some((creator, thread)) = state.creator else {
                let frame = Frame::begin(subject.clone(), &askers);
                state.creator = Some((frame.id, thread::current().id()));
                break frame;
            };
            let ended = self.ended.listen();
            let waiting: Result<Vec<_>, _> = askers.iter().map(|asker| WaitEdge::enter(asker, creator)).collect();
            drop(state);
            let cycle = |path| CreateError::Refused(SingletonError::Cycle { path });
            let waiting = waiting.map_err(|path| cycle(path.to_string()))?;
            // Also where no frame is installed: a thread whose thread-locals are gone.
            if thread == thread::current().id() {
                return Err(cycle(format!("{subject} -> {}", subject.name)));
            }
            ended.wait();
            drop(waiting);
        };

        let mut attempt =
            Attempt { creation: self, subject, clock, frame: frame.clone(), started: clock.now(), settled: false };
        let made = {
            let _running = scope::install(Entry::Frame(frame.clone()));
            let _span =
                telemetry::singleton_init_span(&subject.name, std::any::type_name::<V>(), subject.place).entered();
            make()
        };
        let took = clock.now().since(attempt.started);
        let value = match made {
            Ok(value) => value,
            Err(error) => {
                attempt.fail(std::any::type_name::<E>(), describe(&error), took);
                return Err(CreateError::Factory(error));
            }
        };

        let mut state = self.state.lock();
        let (result, order, unused) = match existing() {
            Some(winner) => (winner, None, Some(value)),
            None => {
                let order = ORDER.fetch_add(1, Ordering::Relaxed) + 1;
                let old = state.record.take().unwrap_or_default();
                state.record = Some(Box::new(Record {
                    created_at: Some(clock.wall()),
                    took: Some(took),
                    order: Some(order),
                    thread: Some(thread_label()),
                    asked_by: askers.first().map(|frame| frame.subject.name.clone().into_owned()),
                    depends_on: frame.edges().iter().map(|name| name.clone().into_owned()).collect(),
                    failures: old.failures,
                    last_error: None,
                }));
                (store(value), Some(order), None)
            }
        };
        state.creator = None;
        drop(state);
        attempt.settled = true;
        frame.end();
        self.ended.notify(usize::MAX);
        drop(unused);
        if let Some(order) = order {
            telemetry::singleton_initialized(&subject.name, took, order);
        }
        Ok(result)
    }
}

fn thread_label() -> String {
    let thread = thread::current();
    thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned)
}

/// A running factory; dropping it unsettled is how a panic is noticed.
struct Attempt<'a> {
    creation: &'a Creation,
    subject: &'a Subject,
    clock: &'a ClockHandle,
    frame: Arc<Frame>,
    started: Moment,
    settled: bool,
}

impl Attempt<'_> {
    /// Gives the right to create back, remembers why, and wakes the waiters.
    fn fail(&mut self, error_type: &'static str, message: String, took: Duration) {
        self.settled = true;
        // The frame leaves the graph before anybody is woken to look for circles.
        self.frame.end();
        let mut state = self.creation.state.lock();
        let record = state.record.get_or_insert_default();
        record.failures = record.failures.saturating_add(1);
        record.last_error = Some(message.clone());
        state.creator = None;
        drop(state);
        self.creation.ended.notify(usize::MAX);
        telemetry::singleton_init_failed(&self.subject.name, error_type, &message, took);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.settled {
            let took = self.clock.now().since(self.started);
            self.fail("panic", "the factory panicked".to_owned(), took);
        }
    }
}

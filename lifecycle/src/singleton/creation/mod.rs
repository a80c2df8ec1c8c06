//! Who runs a factory, who waits, and what is remembered of it: the same for declared, keyed and by-name singletons.
//!
//! The right to create belongs to one frame at a time. No lock is held while a factory runs; an error or a panic gives the
//! right back and wakes every waiter, the first of which takes it. A wait that would close a circle of frames is refused
//! before it begins (see [`scope::WaitEdge`]).
//!
//! A synchronous factory runs on the thread that asked (`blocking`). An asynchronous one becomes a future that lives here and
//! that whichever waiter is polled drives (`flight`).

mod blocking;
mod flight;
mod record;
mod run;

pub use flight::Making;
pub(crate) use flight::Waiting;
pub(crate) use record::Record;
pub(crate) use run::next_order;

use super::drop_apart;
use crate::clock::{ClockHandle, Moment};
use crate::error::{SINGLETON, STEP, SingletonError};
use crate::process::Phase;
use crate::scope::{self, Entry, Frame, FrameId, Installed, InvocationState, StateRef, Subject};
use crate::sync::thread::Thread;
use crate::sync::{Arc, Mutex};
use crate::telemetry::Creates;
use crate::waiters::Waiters;
use event_listener::Event;
use flight::Flight;
use std::time::Duration;

/// The right to create one instance, and what is remembered of those who had it.
pub(crate) struct Creation<V> {
    state: Mutex<State<V>>,
    /// Threads that wait. Notified, all at once, whenever the right to create is given back or a value is put in place.
    changed: Event,
}

struct State<V> {
    creator: Creator<V>,
    record: Option<Box<Record>>,
    /// Tasks that wait for a factory on a thread.
    tasks: Option<Arc<Waiters>>,
}

/// Who has the right to create.
enum Creator<V> {
    Nobody,
    /// A factory runs on a thread.
    Running(Running),
    /// A factory's future, which its waiters drive.
    Flight(Box<Flight<V>>),
}

#[derive(Clone)]
struct Running {
    frame: FrameId,
    thread: Thread,
    /// After a fork the thread does not exist in the child.
    process: u32,
}

/// Which futures of factories are given up. Never one that is being polled.
#[derive(Debug, Clone, Copy)]
pub enum GiveUp<'a> {
    /// Those that nobody waits for.
    Unawaited,
    /// All but these runs.
    AllBut(&'a [FrameId]),
}

impl GiveUp<'_> {
    pub(crate) const ALL: Self = Self::AllBut(&[]);

    fn takes<V>(self, flight: &Flight<V>) -> bool {
        match self {
            Self::Unawaited => !flight.is_awaited(),
            Self::AllBut(spared) => !spared.contains(&flight.frame().id),
        }
    }
}

/// The limits on creating.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// How long somebody waits for another's factory.
    pub(crate) init_timeout: Option<Duration>,
    /// After a failure: the first pause, and the longest.
    pub(crate) retry_backoff: Option<(Duration, Duration)>,
}

/// What a creation needs to know of what it creates.
pub(crate) struct Plan<'a> {
    pub(crate) subject: Subject,
    pub(crate) type_name: &'static str,
    pub(crate) clock: &'a ClockHandle,
    pub(crate) limits: Limits,
    pub(crate) phase: StateRef<'static, Phase>,
    /// In whose name it is told of.
    pub(crate) creates: Creates,
    /// What it creates goes with that, if with any.
    pub(crate) invocation: Option<std::sync::Arc<InvocationState>>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(subject: Subject, type_name: &'static str, clock: &'a ClockHandle, limits: Limits) -> Self {
        Self {
            subject,
            type_name,
            clock,
            limits,
            phase: Phase::in_force(),
            creates: Creates::Singleton,
            invocation: None,
        }
    }

    /// What it creates, where that is no singleton.
    #[must_use]
    pub(crate) fn of(self, creates: Creates) -> Self {
        Self { creates, ..self }
    }

    /// What it creates lives for that invocation.
    pub(crate) fn within(mut self, invocation: Option<std::sync::Arc<InvocationState>>) -> Self {
        self.invocation = invocation;
        self
    }

    /// What it creates, in messages.
    fn what(&self) -> &'static str {
        if self.creates == Creates::Step { STEP } else { SINGLETON }
    }

    fn name(&self) -> String {
        self.subject.name.to_string()
    }

    fn shutting_down(&self) -> SingletonError {
        SingletonError::ShuttingDown { what: self.what(), name: self.name() }
    }

    /// Why it is too late for what it creates, if so.
    fn over(&self) -> Option<SingletonError> {
        let invocation = self.invocation.as_ref().filter(|invocation| invocation.has_ended())?;
        Some(SingletonError::InvocationEnded { name: self.name(), id: invocation.id().to_owned() })
    }

    /// What is installed while the factory runs: whoever polls it, it runs where it was asked for.
    fn install(&self, frame: &std::sync::Arc<Frame>) -> (Installed, Option<Installed>) {
        let invocation = self.invocation.clone().map(|invocation| scope::install(Entry::Invocation(invocation)));
        (scope::install(Entry::Frame(std::sync::Arc::clone(frame))), invocation)
    }

    /// May something be created here and now? Asked by whoever takes the right to create.
    fn admits(&self, record: Option<&Record>, now: Moment) -> Result<(), SingletonError> {
        if self.phase.refuses() {
            return Err(self.shutting_down());
        }
        if scope::universe().is_some_and(|universe| universe.has_ended()) {
            return Err(SingletonError::ContextEnded { what: self.what(), name: self.name() });
        }
        if let Some(over) = self.over() {
            return Err(over);
        }
        let pause = self.limits.retry_backoff.zip(record).and_then(|(pauses, record)| record.pause(pauses, now));
        match pause {
            Some((retry_after, last_error)) => {
                Err(SingletonError::Backoff { name: self.name(), retry_after, last_error })
            }
            None => Ok(()),
        }
    }
}

impl<V> Creation<V> {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self { state: Mutex::new(State { creator: Creator::Nobody, record: None, tasks: None }), changed: Event::new() }
        }
    }

    /// What is remembered.
    pub(crate) fn record(&self) -> Record {
        self.state.lock().record.as_deref().cloned().unwrap_or_default()
    }

    /// The place of the present instance in the order of storing.
    pub(crate) fn order(&self) -> Option<u64> {
        self.state.lock().record.as_deref().and_then(|record| record.order)
    }

    /// The clock may read anything now: a pause after failures is over.
    #[cfg(not(loom))]
    pub(crate) fn restored(&self) {
        if let Some(record) = &mut self.state.lock().record {
            record.failed = None;
        }
    }

    /// Does a factory run, or is a factory's future awaited?
    pub(crate) fn is_under_way(&self) -> bool {
        match &self.state.lock().creator {
            Creator::Nobody => false,
            Creator::Running(running) => running.process == std::process::id(),
            Creator::Flight(flight) => !flight.is_parked() || flight.is_awaited(),
        }
    }

    /// Runs `change` while no factory result can be stored: for set, replace and delete. Own code only; `taken` says whether a
    /// value is in place afterwards, which makes a factory that is under way pointless.
    pub(crate) fn exclusively<R>(&self, change: impl FnOnce(&mut Record) -> R, taken: bool) -> R {
        let mut state = self.state.lock();
        let result = change(state.record.get_or_insert_default());
        let pointless = if taken { state.take_parked() } else { None };
        let tasks = state.tasks.take();
        drop(state);
        self.tell(tasks);
        // The user's future is dropped with no lock held.
        drop_apart(pointless);
        result
    }

    /// Gives up a future that nobody is polling right now, if it is one of those.
    pub(crate) fn abandon(&self, which: GiveUp<'_>) {
        let mut state = self.state.lock();
        let stays = matches!(&state.creator, Creator::Flight(flight) if !which.takes(flight));
        let parked = if stays { None } else { state.take_parked() };
        let tasks = state.tasks.take();
        drop(state);
        self.tell(tasks);
        // The user's future is dropped with no lock held, and its panic stops nobody: many may be given up in a row.
        drop_apart(parked);
    }

    /// Wakes everybody who waits for a thread; a flight wakes its own when it goes.
    fn tell(&self, tasks: Option<Arc<Waiters>>) {
        self.changed.notify(usize::MAX);
        if let Some(tasks) = tasks {
            tasks.wake_all();
        }
    }
}

impl<V> State<V> {
    /// Takes out a flight whose future nobody is polling.
    fn take_parked(&mut self) -> Option<Box<Flight<V>>> {
        match &self.creator {
            Creator::Flight(flight) if flight.is_parked() => {
                match std::mem::replace(&mut self.creator, Creator::Nobody) {
                    Creator::Flight(flight) => {
                        flight.end();
                        Some(flight)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Does the right to create belong to that frame?
    fn belongs_to(&self, id: FrameId) -> bool {
        match &self.creator {
            Creator::Nobody => false,
            Creator::Running(running) => running.frame == id,
            Creator::Flight(flight) => flight.frame().id == id,
        }
    }
}

impl<V> std::fmt::Debug for Creation<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state.lock();
        let creator = match &state.creator {
            Creator::Nobody => "nobody",
            Creator::Running(_) => "a thread",
            Creator::Flight(_) => "a future",
        };
        f.debug_struct("Creation").field("creator", &creator).field("record", &state.record).finish_non_exhaustive()
    }
}

//! One run of a factory, from taking the right to create to giving it back.

use super::{Creation, Creator, Plan, Record, drop_apart};
use crate::clock::Moment;
use crate::error::{CreateError, SingletonError, caught, panic_text};
use crate::process::Busy;
use crate::scope::{Frame, FrameId, Subject};
use crate::sync::thread;
use crate::telemetry::{self, Creates};
use std::any::Any;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Instances stored so far in the process.
static ORDER: AtomicU64 = AtomicU64::new(0);

/// The next place in the order of storing.
pub(crate) fn next_order() -> u64 {
    ORDER.fetch_add(1, Ordering::Relaxed) + 1
}

/// A factory run under way; what has to be known of it until it is over.
pub(super) struct Run {
    pub(super) frame: Arc<Frame>,
    /// On whose behalf it was asked for, the innermost first.
    pub(super) askers: Vec<Arc<Frame>>,
    pub(super) started: Moment,
    /// Shutdown waits for those under way.
    _busy: Busy,
}

impl Run {
    /// The right to create was taken by somebody who asked at that time; those in `waiting` wait from now on.
    pub(super) fn begin(
        plan: &Plan<'_>,
        record: Option<&Record>,
        askers: Vec<Arc<Frame>>,
        waiting: &[Arc<Frame>],
        (asked, now): (Moment, Moment),
    ) -> Self {
        let waited = record.map(|record| record.waited.clone().since(asked)).unwrap_or_default();
        let waited = askers.iter().fold(waited, |waited, asker| waited.and(&asker.waited_before()));
        let frame = Frame::begin(plan.subject.clone(), plan.invocation.is_none(), waiting, waited);
        let busy = Busy::new(plan.phase.clone(), &frame);
        Self { frame, askers, started: now, _busy: busy }
    }

    fn took(&self, plan: &Plan<'_>) -> Duration {
        plan.clock.now().since(self.started)
    }

    /// Why `value` cannot be stored any more, if so.
    fn too_late(&self, plan: &Plan<'_>, mine: bool) -> Option<SingletonError> {
        if let Some(over) = plan.over() {
            return Some(over);
        }
        // Shutdown gave this run up: nobody would shut its instance down.
        (!mine || plan.phase.is_over()).then(|| plan.shutting_down())
    }
}

impl<V> Creation<V> {
    /// The factory is over: stores its value, unless another was put in place meanwhile, or remembers why there is none.
    /// Errors come with their text: finding it is the user's code, and no run is settled while that may still panic.
    /// That of `existing` and `store`, which look up by a key of the user's, gives the right to create back.
    pub(super) fn settle<R, E>(
        &self,
        attempt: Attempt<'_, V>,
        plan: &Plan<'_>,
        run: &Run,
        made: Result<V, (E, String)>,
        existing: impl Fn() -> Option<R>,
        store: impl FnOnce(V) -> R,
    ) -> Result<R, CreateError<E>> {
        let value = match made {
            Ok(value) => value,
            Err((error, text)) => {
                attempt.returned();
                self.fail(plan, run, std::any::type_name::<E>(), text);
                return Err(CreateError::Factory(error));
            }
        };
        // Clocks are somebody else's code: asked before the lock is taken.
        let (took, stored_at) = (run.took(plan), plan.clock.wall());
        let mut state = self.state.lock();
        let mine = state.belongs_to(run.frame.id);
        let (outcome, order, unused) = match (existing(), run.too_late(plan, mine)) {
            (Some(winner), _) => (Ok(winner), None, Some(value)),
            (None, Some(refused)) => (Err(CreateError::Refused(refused)), None, Some(value)),
            (None, None) => {
                let stored = store(value);
                let old = state.record.take().unwrap_or_default();
                // The initialization is no part of what is ordered.
                let listed = plan.creates != Creates::Initialization;
                let order = old.order.or_else(|| listed.then(next_order));
                state.record = Some(Box::new(Record {
                    created_at: Some(stored_at),
                    took: Some(took),
                    order,
                    began: Some(run.started),
                    thread: Some(thread_label(&thread::current())),
                    asked_by: run.askers.first().map(|frame| frame.subject.name.to_string()),
                    depends_on: run.frame.edges(),
                    failures: old.failures,
                    ..Record::default()
                }));
                (Ok(stored), order, None)
            }
        };
        let ended = if mine { state.release() } else { None };
        let tasks = state.tasks.take();
        drop(state);
        attempt.returned();
        run.frame.end();
        self.tell(tasks);
        drop(ended);
        drop_apart(unused);
        if let Some(order) = order {
            telemetry::created(plan.creates, &plan.subject.name, took, order);
        }
        outcome
    }

    /// Gives the right to create back, remembers why, and wakes the waiters.
    pub(super) fn fail(&self, plan: &Plan<'_>, run: &Run, error_type: &'static str, message: String) {
        let now = plan.clock.now();
        let took = now.since(run.started);
        let (path, waited) = (run.frame.failed_path(), run.frame.waited());
        for asker in &run.askers {
            asker.asked_in_vain(&path, &waited);
        }
        // The frame leaves the graph before anybody is woken to look for circles.
        run.frame.end();
        let mut state = self.state.lock();
        state.record.get_or_insert_default().note_failure(message.clone(), path, waited, now);
        let ended = if state.belongs_to(run.frame.id) { state.release() } else { None };
        let tasks = state.tasks.take();
        drop(state);
        self.tell(tasks);
        drop(ended);
        telemetry::creation_failed(plan.creates, &plan.subject.name, error_type, &message, took);
    }
}

impl<V> super::State<V> {
    /// Gives the right to create back; what is left of a flight wakes its waiters when it goes.
    fn release(&mut self) -> Option<Box<super::Flight<V>>> {
        match std::mem::replace(&mut self.creator, Creator::Nobody) {
            Creator::Flight(flight) => Some(flight),
            _ => None,
        }
    }
}

/// A run whose factory is being called or polled; dropping it unsettled is how any other panic is noticed.
pub(super) struct Attempt<'a, V> {
    creation: &'a Creation<V>,
    plan: &'a Plan<'a>,
    run: Option<&'a Run>,
    /// What the panic said.
    said: Option<String>,
}

impl<'a, V> Attempt<'a, V> {
    pub(super) fn new(creation: &'a Creation<V>, plan: &'a Plan<'a>, run: &'a Run) -> Self {
        Self { creation, plan, run: Some(run), said: None }
    }

    /// The user's code came back.
    pub(super) fn returned(mut self) {
        self.run = None;
    }

    /// The user's code panicked: that is noted with its words, and goes on.
    pub(super) fn panicked(mut self, panic: Box<dyn Any + Send>) -> ! {
        self.said = panic_text(&*panic).map(str::to_owned);
        drop(self);
        resume_unwind(panic)
    }
}

impl<V> Drop for Attempt<'_, V> {
    fn drop(&mut self) {
        if let Some(run) = self.run {
            let text = self.said.take().map_or_else(String::new, |said| format!(": {said}"));
            // A subscriber that panics as well must not end the process.
            let fail = || self.creation.fail(self.plan, run, "panic", format!("the factory panicked{text}"));
            _ = caught(fail);
        }
    }
}

pub(super) fn thread_label(thread: &thread::Thread) -> String {
    thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned)
}

/// `a (file:1) -> b (file:2)`
pub(crate) fn path_text(path: &[Subject]) -> String {
    path.iter().map(ToString::to_string).collect::<Vec<_>>().join(" -> ")
}

/// For messages about a wait that took too long.
pub(super) fn waits_of(id: FrameId) -> String {
    path_text(&Frame::waits(id))
}

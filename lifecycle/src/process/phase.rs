//! Where the process, or a test world, is in its life: up, shutting down, or down.

use super::report::{HookOutcomeReport, HookReport, ShutdownReport};
use super::shutdown::Left;
use crate::scope::{self, InvocationState, Scoped, StateRef, Tag};
use crate::sync::Mutex;
use event_listener::Event;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

const UP: u8 = 0;
/// Nothing new is created; factories under way may end.
const DRAINING: u8 = 1;
/// Hooks run or have run: what factories still give is not stored.
const DOWN: u8 = 2;

#[derive(Debug)]
pub(crate) struct Phase {
    state: AtomicU8,
    /// Factories under way.
    busy: AtomicUsize,
    /// Notified when one of them ends, and when somebody stops shutting down.
    ended: Event,
    /// Invocations that wait for the shutdown, which so does not wait for them. One may be there more than once.
    joined: Mutex<Vec<Arc<InvocationState>>>,
    work: Mutex<ShutdownWork>,
}

/// What the shutdown has done so far.
#[derive(Debug)]
struct ShutdownWork {
    /// Somebody is at it.
    driven: bool,
    complete: bool,
    abandoned: usize,
    /// Ids of invocations that were not over in time.
    unfinished: Vec<String>,
    took: Duration,
    /// The hooks of the level that is under way, those that ended taken out.
    running: Vec<Option<String>>,
    /// Its number.
    level: usize,
    hooks: Vec<HookReport>,
    /// Of a call that was dropped midway.
    left: Option<Left>,
}

static PHASE: Scoped<Phase> = Scoped::declared(Phase::new());

impl Phase {
    const fn new() -> Self {
        let work = ShutdownWork {
            driven: false,
            complete: false,
            abandoned: 0,
            unfinished: Vec::new(),
            took: Duration::ZERO,
            running: Vec::new(),
            level: 0,
            hooks: Vec::new(),
            left: None,
        };
        Self {
            state: AtomicU8::new(UP),
            busy: AtomicUsize::new(0),
            ended: Event::new(),
            joined: Mutex::new(Vec::new()),
            work: Mutex::new(work),
        }
    }

    /// That of the process.
    pub(super) fn process() -> &'static Self {
        PHASE.process()
    }

    /// That of the world this code runs in.
    pub(crate) fn in_force() -> StateRef<'static, Self> {
        PHASE.resolve(|_| Self::new())
    }

    /// Has the shutdown begun?
    pub(crate) fn has_begun(&self) -> bool {
        self.state.load(Ordering::SeqCst) != UP
    }

    /// Is creation refused here? While the shutdown waits for invocations, not inside them: they end as they would have ended.
    pub(crate) fn refuses(&self) -> bool {
        match self.state.load(Ordering::SeqCst) {
            UP => false,
            DRAINING => !scope::invocations().iter().any(|invocation| invocation.is_under_way()),
            _ => true,
        }
    }

    /// Is it too late to store what a factory gave?
    pub(crate) fn is_over(&self) -> bool {
        self.state.load(Ordering::SeqCst) == DOWN
    }

    /// Begins the shutdown, if nobody has.
    pub(super) fn drain(&self) {
        _ = self.state.compare_exchange(UP, DRAINING, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// The time of the hooks has come: factories still under way are given up.
    pub(super) fn go_down(&self, unfinished: Vec<String>) {
        self.state.store(DOWN, Ordering::SeqCst);
        let mut work = self.work.lock();
        (work.abandoned, work.unfinished) = (self.busy(), unfinished);
    }

    /// Takes the right to shut down, until it is dropped; `None` while somebody else has it.
    pub(super) fn drive(this: &StateRef<'static, Self>) -> Option<Driving> {
        let mut work = this.work.lock();
        if std::mem::replace(&mut work.driven, true) {
            return None;
        }
        Some(Driving { left: work.left.take(), phase: this.clone() })
    }

    /// Has everything been shut down?
    pub(super) fn is_complete(&self) -> bool {
        self.work.lock().complete
    }

    pub(super) fn complete(&self, took: Duration) {
        let mut work = self.work.lock();
        (work.complete, work.took) = (true, took);
    }

    /// The hooks of a level begin. They go by number: names need not be unique.
    pub(super) fn begin_level(&self, level: usize, names: impl IntoIterator<Item = String>) {
        let mut work = self.work.lock();
        work.running = names.into_iter().map(Some).collect();
        work.level = level;
    }

    /// A hook of the level ended. Gives its name.
    pub(super) fn end_hook(&self, number: usize, took: Duration, outcome: HookOutcomeReport) -> String {
        let mut work = self.work.lock();
        let (name, level) = (work.running.get_mut(number).and_then(Option::take).unwrap_or_default(), work.level);
        work.hooks.push(HookReport { name: name.clone(), level, took, outcome });
        name
    }

    /// The hooks of the level that have not ended are given up. Gives their names.
    pub(super) fn time_out_hooks(&self, took: Duration) -> Vec<String> {
        let mut work = self.work.lock();
        let late = work.unfinished(took);
        work.running.clear();
        work.hooks.extend_from_slice(&late);
        late.into_iter().map(|hook| hook.name).collect()
    }

    /// What was done.
    pub(super) fn report(&self) -> ShutdownReport {
        let work = self.work.lock();
        ShutdownReport {
            hooks: work.hooks.clone(),
            abandoned: work.abandoned,
            unfinished: work.unfinished.clone(),
            took: work.took,
        }
    }

    /// What was done so far, for somebody who waited for so long.
    pub(super) fn report_unfinished(&self, took: Duration, under_way: Vec<String>) -> ShutdownReport {
        let work = self.work.lock();
        let hooks = [work.hooks.clone(), work.unfinished(took)].concat();
        let (abandoned, unfinished) =
            if self.is_over() { (work.abandoned, work.unfinished.clone()) } else { (self.busy(), under_way) };
        ShutdownReport { hooks, abandoned, unfinished, took }
    }

    /// Factories under way.
    pub(super) fn busy(&self) -> usize {
        self.busy.load(Ordering::SeqCst)
    }

    /// Somebody waits no longer for a factory.
    pub(crate) fn one_less(&self) {
        if self.has_begun() {
            self.ended.notify(usize::MAX);
        }
    }

    /// The invocations that wait for the shutdown, each once: they are counted.
    pub(super) fn joined(&self) -> Vec<Arc<Tag>> {
        let mut tags: Vec<Arc<Tag>> = self.joined.lock().iter().map(|invocation| invocation.tag().clone()).collect();
        tags.sort_by_key(Arc::as_ptr);
        tags.dedup_by(|one, other| Arc::ptr_eq(one, other));
        tags
    }

    /// Notified when a factory ends.
    pub(super) fn ended(&self) -> &Event {
        &self.ended
    }
}

/// Whose invocations wait for the shutdown, for as long as this lives.
#[derive(Debug)]
pub(super) struct Joined {
    phase: StateRef<'static, Phase>,
    invocations: Vec<Arc<InvocationState>>,
}

impl Joined {
    /// Those this code is a part of: a shutdown that waited for them would wait for itself.
    pub(super) fn here(phase: &StateRef<'static, Phase>) -> Self {
        let invocations = scope::invocations();
        phase.joined.lock().extend(invocations.iter().cloned());
        // Somebody may be waiting for them.
        phase.ended.notify(usize::MAX);
        Self { phase: phase.clone(), invocations }
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        let mut joined = self.phase.joined.lock();
        for invocation in &self.invocations {
            if let Some(at) = joined.iter().position(|one| Arc::ptr_eq(one, invocation)) {
                // Never the last share: this has one.
                joined.swap_remove(at);
            }
        }
    }
}

/// A factory under way.
#[derive(Debug)]
pub(crate) struct Busy(StateRef<'static, Phase>);

impl Busy {
    pub(crate) fn new(phase: StateRef<'static, Phase>) -> Self {
        phase.busy.fetch_add(1, Ordering::SeqCst);
        Self(phase)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        self.0.ended.notify(usize::MAX);
    }
}

impl ShutdownWork {
    fn unfinished(&self, took: Duration) -> Vec<HookReport> {
        let late = |name: &String| HookReport {
            name: name.clone(),
            level: self.level,
            took,
            outcome: HookOutcomeReport::TimedOut,
        };
        self.running.iter().flatten().map(late).collect()
    }
}

/// The right to shut down.
#[derive(Debug)]
pub(super) struct Driving {
    phase: StateRef<'static, Phase>,
    /// What is still to be done, once that is known; kept for the next one when this goes midway.
    pub(super) left: Option<Left>,
}

impl Drop for Driving {
    fn drop(&mut self) {
        let mut work = self.phase.work.lock();
        (work.driven, work.left) = (false, self.left.take());
        drop(work);
        self.phase.ended.notify(usize::MAX);
    }
}

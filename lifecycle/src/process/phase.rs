//! Where the process, or a test world, is in its life: up, shutting down, or down.

use super::report::{HookOutcomeReport, HookReport, ShutdownReport};
use super::shutdown::Left;
use super::waits::Waits;
use crate::scope::{self, Frame, FrameId, Scoped, StateRef};
use crate::sync::Mutex;
use crate::waiters::{Place, Waiters};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
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
    busy: Mutex<BTreeMap<FrameId, Arc<Frame>>>,
    /// Who is to be woken when one of them ends or something is waited for, and when somebody stops shutting down.
    waiters: OnceLock<crate::sync::Arc<Waiters>>,
    pub(super) waits: Mutex<Waits>,
    work: Mutex<ShutdownWork>,
}

/// What the shutdown has done so far.
#[derive(Debug)]
struct ShutdownWork {
    /// Somebody is at it.
    driven: bool,
    complete: bool,
    /// Factories that were not over in time.
    abandoned: Vec<String>,
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
            abandoned: Vec::new(),
            unfinished: Vec::new(),
            took: Duration::ZERO,
            running: Vec::new(),
            level: 0,
            hooks: Vec::new(),
            left: None,
        };
        Self {
            state: AtomicU8::new(UP),
            busy: Mutex::new(BTreeMap::new()),
            waiters: OnceLock::new(),
            waits: Mutex::new(Waits::none()),
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

    /// The time of the hooks has come: factories still under way are given up. Gives their names.
    pub(super) fn go_down(&self, unfinished: Vec<String>) -> Vec<String> {
        self.state.store(DOWN, Ordering::SeqCst);
        let abandoned = self.under_way();
        let mut work = self.work.lock();
        (work.abandoned, work.unfinished) = (abandoned.clone(), unfinished);
        abandoned
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
            abandoned: work.abandoned.clone(),
            unfinished: work.unfinished.clone(),
            took: work.took,
        }
    }

    /// What was done so far, for somebody who waited for so long.
    pub(super) fn report_unfinished(&self, took: Duration, under_way: Vec<String>) -> ShutdownReport {
        let busy = self.under_way();
        let work = self.work.lock();
        let hooks = [work.hooks.clone(), work.unfinished(took)].concat();
        let (abandoned, unfinished) =
            if self.is_over() { (work.abandoned.clone(), work.unfinished.clone()) } else { (busy, under_way) };
        ShutdownReport { hooks, abandoned, unfinished, took }
    }

    /// The names of factories under way, in the order in which they began.
    fn under_way(&self) -> Vec<String> {
        self.busy.lock().values().map(|frame| frame.subject.name.to_string()).collect()
    }

    /// Is no factory under way but those that wait for the shutdown?
    pub(super) fn is_idle(&self) -> bool {
        let busy: Vec<FrameId> = self.busy.lock().keys().copied().collect();
        busy.into_iter().all(|factory| self.is_awaited_by(factory))
    }

    /// Those of the factories under way that wait for the shutdown.
    pub(super) fn spared(&self) -> Vec<FrameId> {
        let busy: Vec<FrameId> = self.busy.lock().keys().copied().collect();
        busy.into_iter().filter(|factory| self.is_awaited_by(*factory)).collect()
    }

    /// A place among those who are woken when there is something new for a shutdown.
    pub(super) fn place(&self) -> Place {
        Place::new(self.waiters.get_or_init(Waiters::new))
    }

    /// There is something new for a shutdown. Wakes with no lock held.
    pub(super) fn tell(&self) {
        if let Some(waiters) = self.waiters.get() {
            waiters.wake_all();
        }
    }
}

/// A factory under way.
#[derive(Debug)]
pub(crate) struct Busy {
    phase: StateRef<'static, Phase>,
    factory: FrameId,
}

impl Busy {
    pub(crate) fn new(phase: StateRef<'static, Phase>, frame: &Arc<Frame>) -> Self {
        phase.busy.lock().insert(frame.id, Arc::clone(frame));
        Self { phase, factory: frame.id }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let gone = self.phase.busy.lock().remove(&self.factory);
        drop(gone);
        self.phase.tell();
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
        self.phase.tell();
    }
}

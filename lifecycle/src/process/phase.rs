//! Where the process, or a test world, is in its life: up, shutting down, or down.

use super::shutdown::{HookOutcomeReport, HookReport, ShutdownReport};
use crate::scope::{Scoped, StateRef};
use crate::sync::Mutex;
use event_listener::Event;
use std::collections::BTreeSet;
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
    /// Notified when one of them ends, while shutting down also when nobody waits for one any more, and when somebody stops shutting down.
    ended: Event,
    work: Mutex<ShutdownWork>,
}

/// What the shutdown has done so far.
#[derive(Debug)]
struct ShutdownWork {
    /// Somebody is at it.
    driven: bool,
    complete: bool,
    abandoned: usize,
    took: Duration,
    /// Begun, not ended, with their levels.
    running: Vec<(HookId, usize)>,
    /// All that have begun.
    begun: BTreeSet<HookId>,
    hooks: Vec<HookReport>,
}

/// Which hook it is. Singletons of different modules may have one name, and so may two keys of one singleton.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HookId {
    /// The address of the singleton's descriptor.
    pub(super) singleton: usize,
    pub(super) name: String,
    /// Among those of this singleton and name.
    pub(super) number: usize,
}

static PHASE: Scoped<Phase> = Scoped::declared(Phase::new());

impl Phase {
    const fn new() -> Self {
        let work = ShutdownWork {
            driven: false,
            complete: false,
            abandoned: 0,
            took: Duration::ZERO,
            running: Vec::new(),
            begun: BTreeSet::new(),
            hooks: Vec::new(),
        };
        Self { state: AtomicU8::new(UP), busy: AtomicUsize::new(0), ended: Event::new(), work: Mutex::new(work) }
    }

    /// That of the process.
    pub(super) fn process() -> &'static Self {
        PHASE.process()
    }

    /// That of the world this code runs in.
    pub(crate) fn in_force() -> StateRef<'static, Self> {
        PHASE.resolve(|_| Self::new())
    }

    /// Is creation refused?
    pub(crate) fn refuses(&self) -> bool {
        self.state.load(Ordering::SeqCst) != UP
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
    pub(super) fn go_down(&self) {
        self.state.store(DOWN, Ordering::SeqCst);
        self.work.lock().abandoned = self.busy();
    }

    /// Takes the right to shut down, until it is dropped; `None` while somebody else has it.
    pub(super) fn drive(this: &StateRef<'static, Self>) -> Option<Driving> {
        let mut work = this.work.lock();
        if std::mem::replace(&mut work.driven, true) { None } else { Some(Driving(this.clone())) }
    }

    /// Has everything been shut down?
    pub(super) fn is_complete(&self) -> bool {
        self.work.lock().complete
    }

    pub(super) fn complete(&self, took: Duration) {
        let mut work = self.work.lock();
        (work.complete, work.took) = (true, took);
    }

    /// Notes that a hook begins; false when it has begun before.
    pub(super) fn begin_hook(&self, id: &HookId, level: usize) -> bool {
        let mut work = self.work.lock();
        let new = work.begun.insert(id.clone());
        if new {
            work.running.push((id.clone(), level));
        }
        new
    }

    pub(super) fn end_hook(&self, id: &HookId, took: Duration, outcome: HookOutcomeReport) {
        let mut work = self.work.lock();
        let at = work.running.iter().position(|(running, _)| running == id);
        if let Some((id, level)) = at.map(|at| work.running.remove(at)) {
            work.hooks.push(HookReport { name: id.name, level, took, outcome });
        }
    }

    /// The hooks of this level that have not ended are given up.
    pub(super) fn time_out_hooks(&self, level: usize, took: Duration) -> Vec<String> {
        let mut work = self.work.lock();
        let (late, running) = std::mem::take(&mut work.running).into_iter().partition(|(_, of)| *of <= level);
        work.running = running;
        let late: Vec<(HookId, usize)> = late;
        let reports = late.iter().map(|(id, level)| HookReport {
            name: id.name.clone(),
            level: *level,
            took,
            outcome: HookOutcomeReport::TimedOut,
        });
        work.hooks.extend(reports);
        late.into_iter().map(|(id, _)| id.name).collect()
    }

    /// What was done so far.
    pub(super) fn report(&self) -> ShutdownReport {
        let work = self.work.lock();
        ShutdownReport { hooks: work.hooks.clone(), abandoned: work.abandoned, took: work.took }
    }

    /// Factories under way.
    pub(super) fn busy(&self) -> usize {
        self.busy.load(Ordering::SeqCst)
    }

    /// Somebody waits no longer for a factory.
    pub(crate) fn one_less(&self) {
        if self.refuses() {
            self.ended.notify(usize::MAX);
        }
    }

    /// Notified when a factory ends.
    pub(super) fn ended(&self) -> &Event {
        &self.ended
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

/// The right to shut down.
#[derive(Debug)]
pub(super) struct Driving(StateRef<'static, Phase>);

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.work.lock().driven = false;
        self.0.ended.notify(usize::MAX);
    }
}

//! Shutting down: nothing new is created, hooks run in the order of dependence, and everything that went wrong is reported.

use super::Phase;
use super::gather::{Ended, Gather, Step, Work};
use super::order::{Level, levels};
use super::phase::HookId;
use super::warm_up::block_on;
use crate::clock::{ClockHandle, Moment};
use crate::error::wait;
use crate::registry::{self, Component};
use crate::scope::StateRef;
use crate::singleton::hooks::{HookResult, HookRun};
use crate::{telemetry, timer};
use std::fmt;
use std::time::Duration;

/// How long [`shutdown`] may take: in all, and each hook.
///
/// ```
/// use lifecycle::ShutdownLimits;
/// use std::time::Duration;
///
/// let limits = ShutdownLimits::total(Duration::from_secs(10)).per_hook(Duration::from_secs(2));
/// let report = lifecycle::shutdown_blocking(limits);
/// assert!(report.is_clean());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShutdownLimits {
    total: Duration,
    per_hook: Option<Duration>,
}

impl ShutdownLimits {
    /// So long in all. A hook may take its level's fair share of what is left, so that one that hangs does not eat up the
    /// others' time.
    #[must_use]
    pub const fn total(total: Duration) -> Self {
        Self { total, per_hook: None }
    }

    /// So long for each hook, within the total.
    #[must_use]
    pub const fn per_hook(self, limit: Duration) -> Self {
        Self { per_hook: Some(limit), ..self }
    }
}

impl From<Duration> for ShutdownLimits {
    fn from(total: Duration) -> Self {
        Self::total(total)
    }
}

/// What [`shutdown`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Every hook, in the order in which they ended: dependents before what they depend on.
    pub hooks: Vec<HookReport>,
    /// Factories that were under way and did not end in time; what they still give is dropped.
    pub abandoned: usize,
    /// How long it took in all.
    pub took: Duration,
}

/// One hook that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HookReport {
    /// The singleton; of a keyed one with the key in brackets.
    pub name: String,
    /// 0 for those nobody depends on, then one more a step. Hooks of one level run at the same time.
    pub level: usize,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: HookOutcomeReport,
}

/// How a hook ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HookOutcomeReport {
    /// Well.
    Done,
    /// With this error.
    Failed(String),
    /// With a panic of this text.
    Panicked(String),
    /// Not in time; it may still be running.
    TimedOut,
}

impl ShutdownReport {
    /// Did everything end well and in time?
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.abandoned == 0 && self.hooks.iter().all(|hook| hook.outcome == HookOutcomeReport::Done)
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shut down in {}: {} hooks", wait(&self.took), self.hooks.len())?;
        if self.abandoned > 0 {
            write!(f, ", {} factories abandoned", self.abandoned)?;
        }
        for hook in &self.hooks {
            match &hook.outcome {
                HookOutcomeReport::Done => Ok(()),
                HookOutcomeReport::Failed(error) => write!(f, "\n`{}` failed: {error}", hook.name),
                HookOutcomeReport::Panicked(text) => write!(f, "\n`{}` panicked: {text}", hook.name),
                HookOutcomeReport::TimedOut => write!(f, "\n`{}` not done after {}", hook.name, wait(&hook.took)),
            }?;
        }
        Ok(())
    }
}

/// Runs the `shutdown` hooks of all singletons that exist, dependents before what they depend on; who depends on whom was
/// observed while they were created, and is declared by `depends_on`.
///
/// From the beginning on nothing is created any more ([`SingletonError::ShuttingDown`](crate::SingletonError)); what exists
/// stays readable. Factories under way may end within half of the time. Hooks of one level run at the same time: synchronous
/// ones on threads of their own, futures in the task that awaits this. A hook that fails, panics or hangs is reported, and the
/// others run.
///
/// A second call waits for the first and gives its report; after a call that was dropped midway it goes on where that stopped.
///
/// ```
/// use lifecycle::singleton;
/// use std::time::Duration;
///
/// #[singleton(shutdown = |log: &Vec<u8>| println!("{} bytes written", log.len()))]
/// fn log() -> Vec<u8> {
///     vec![1, 2, 3]
/// }
///
/// # lifecycle::testing::isolated(|| {
/// log();
/// let report = lifecycle::shutdown_blocking(Duration::from_secs(5));
/// assert_eq!(report.hooks[0].name, "log");
/// assert!(report.is_clean());
/// # });
/// ```
pub async fn shutdown(limits: impl Into<ShutdownLimits>) -> ShutdownReport {
    let limits = limits.into();
    let clock = ClockHandle::in_force();
    let began = clock.now();
    run(&Phase::in_force(), limits, &clock, began).await
}

/// [`shutdown`] where there is no task: blocks this thread. Futures of hooks are polled on it, so one that needs a runtime needs
/// its guard here (`let _guard = runtime.enter();`).
pub fn shutdown_blocking(limits: impl Into<ShutdownLimits>) -> ShutdownReport {
    block_on(shutdown(limits))
}

/// From now on nothing is created any more in this process; [`shutdown`] does the rest. One atomic store: the one thing in this
/// crate that a signal handler may do.
pub fn request_shutdown() {
    Phase::process().drain();
}

/// Has [`shutdown`] or [`request_shutdown`] been called?
#[must_use]
pub fn is_shutting_down() -> bool {
    Phase::in_force().refuses()
}

async fn run(
    phase: &StateRef<'static, Phase>,
    limits: ShutdownLimits,
    clock: &ClockHandle,
    began: Moment,
) -> ShutdownReport {
    let until = began.after(limits.total);
    phase.drain();
    let Some(_driving) = wait_for_turn(phase, clock, until).await else {
        // Somebody else is at it, and is not done in time.
        return ShutdownReport { took: clock.now().since(began), ..phase.report() };
    };
    if phase.is_complete() {
        return phase.report();
    }
    drain(phase, clock, began.after(limits.total / 2)).await;
    let levels = levels();
    let count = levels.len();
    for (number, Level { hooks, .. }) in levels.into_iter().enumerate() {
        let now = clock.now();
        let left = until.since(now);
        let share =
            limits.per_hook.unwrap_or_else(|| left / u32::try_from(count - number).unwrap_or(u32::MAX)).min(left);
        let limit = if until == Moment::NEVER && limits.per_hook.is_none() { Moment::NEVER } else { now.after(share) };
        one_level(phase, number, hooks, clock, limit).await;
    }
    phase.complete(clock.now().since(began));
    let report = phase.report();
    telemetry::shut_down(report.hooks.len(), report.is_clean(), report.took);
    report
}

/// Waits until nobody else runs the shutdown.
async fn wait_for_turn(
    phase: &StateRef<'static, Phase>,
    clock: &ClockHandle,
    until: Moment,
) -> Option<super::phase::Driving> {
    loop {
        let ended = phase.ended().listen();
        if let Some(driving) = Phase::drive(phase) {
            return Some(driving);
        }
        timer::within(ended, clock, until).await?;
    }
}

/// Lets factories under way end, until the time has come.
async fn drain(phase: &Phase, clock: &ClockHandle, until: Moment) {
    loop {
        let ended = phase.ended().listen();
        // Also those whose last caller went meanwhile.
        abandon(false);
        if phase.busy() == 0 || timer::within(ended, clock, until).await.is_none() {
            break;
        }
    }
    abandon(true);
    phase.go_down();
}

fn abandon(even_if_awaited: bool) {
    let declared = registry::declared(|component| match component {
        Component::Singleton(singleton) => Some(singleton),
        _ => None,
    });
    declared.into_iter().for_each(|singleton| singleton.abandon(even_if_awaited));
    crate::singleton::singletons().abandon(even_if_awaited);
}

async fn one_level(
    phase: &Phase,
    level: usize,
    hooks: Vec<(HookId, crate::singleton::HookOf<HookRun>)>,
    clock: &ClockHandle,
    until: Moment,
) {
    let began = clock.now();
    // One that a dropped call has begun is not begun again.
    let hooks: Vec<_> = hooks.into_iter().filter(|(id, _)| phase.begin_hook(id, level)).collect();
    let ids: Vec<HookId> = hooks.iter().map(|(id, _)| id.clone()).collect();
    let work = hooks.into_iter().map(|(_, (_, run))| -> Work<HookResult> {
        Work::Blocking(Box::new(move || match run() {
            HookRun::Done(result) => Step::Done(result),
            HookRun::Future(future) => Step::Goes(future),
        }))
    });
    let mut under_way = Gather::new(work);
    while let Some(Some((number, ended))) = timer::within(under_way.next(), clock, until).await {
        let outcome = match ended {
            Ended::Gave(Ok(())) => HookOutcomeReport::Done,
            Ended::Gave(Err(error)) => HookOutcomeReport::Failed(error),
            Ended::Panicked(text) => HookOutcomeReport::Panicked(text),
            Ended::NoThread(error) => HookOutcomeReport::Failed(format!("no thread could be started: {error}")),
        };
        if let HookOutcomeReport::Failed(text) | HookOutcomeReport::Panicked(text) = &outcome {
            telemetry::singleton_hook_failed(&ids[number].name, "shutdown", text);
        }
        phase.end_hook(&ids[number], clock.now().since(began), outcome);
    }
    for name in phase.time_out_hooks(level, clock.now().since(began)) {
        telemetry::singleton_hook_failed(&name, "shutdown", "not done in time");
    }
}

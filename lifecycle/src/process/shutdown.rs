//! Shutting down: nothing new is created, hooks run in the order of dependence, and everything that went wrong is reported.

use super::Phase;
use super::gather::{Ended, Gather, Step, Work};
use super::order::{Level, levels};
use super::report::{HookOutcomeReport, ShutdownReport};
use super::waits::Joined;
use super::warm_up::block_on;
use crate::clock::{ClockHandle, Moment};
use crate::registry::{self, Component};
use crate::scope::{Book, Context, StateRef};
use crate::singleton::GiveUp;
use crate::singleton::hooks::{HookResult, HookRun};
use crate::telemetry;
use crate::timer::{self, Limit};
use std::fmt;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
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
    drain: Option<Duration>,
    per_hook: Option<Duration>,
}

impl ShutdownLimits {
    /// So long in all. A hook may take its level's fair share of what is left, so that one that hangs does not eat up the
    /// others' time.
    ///
    /// ```
    /// use lifecycle::ShutdownLimits;
    /// use std::time::Duration;
    ///
    /// let limits = ShutdownLimits::total(Duration::from_secs(10));
    /// assert_eq!(limits, Duration::from_secs(10).into());
    /// ```
    #[must_use]
    pub const fn total(total: Duration) -> Self {
        Self { total, drain: None, per_hook: None }
    }

    /// So long for what is under way, invocations and factories, within the total. By default it is half of that: the hooks need
    /// time, too.
    ///
    /// ```
    /// use lifecycle::ShutdownLimits;
    /// use std::time::Duration;
    ///
    /// // Of the 30 seconds that Kubernetes gives, 25 for requests.
    /// let limits = ShutdownLimits::total(Duration::from_secs(29)).drain(Duration::from_secs(25));
    /// ```
    #[must_use]
    pub const fn drain(self, limit: Duration) -> Self {
        Self { drain: Some(limit), ..self }
    }

    /// So long for each hook, within the total.
    ///
    /// ```
    /// use lifecycle::ShutdownLimits;
    /// use std::time::Duration;
    ///
    /// let limits = ShutdownLimits::total(Duration::from_secs(10)).per_hook(Duration::from_secs(2));
    /// ```
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

/// Runs the `shutdown` hooks of all singletons that exist, dependents before what they depend on; who depends on whom was
/// observed while they were created, and is declared by `depends_on`.
///
/// First it waits for what is under way, half of the time at most ([`ShutdownLimits::drain`]): factories, and
/// [invocations](crate::invocation()), which go on as if nothing were and may still create what they need. Everywhere else nothing is
/// created any more ([`SingletonError::ShuttingDown`](crate::SingletonError)); what exists stays readable. An invocation that begins
/// meanwhile is not refused but waited for like the others, so stop accepting requests first (axum's `with_graceful_shutdown`,
/// then this). Those that do not end are named in the report.
///
/// It does not wait for itself: not for the invocations it is called from inside of, nor for the factories it is called on behalf of,
/// nor for what waits for such a factory. Those factories are among the [`abandoned`](ShutdownReport::abandoned): the process is
/// down when they end. (A factory that waits for a thread or task that calls this is known to do so if that has its
/// [`Context`](crate::Context).)
///
/// Then the hooks run. Those of one level run at the same time: synchronous ones on threads of their own, futures in the task that
/// awaits this. A hook that fails, panics or hangs is reported, and the others run.
///
/// A second call waits for the first and gives its report (in a hook, which the first one waits for, and in what has the hook's
/// [`Context`](crate::Context), it gives at once what was done so far); after a call that was dropped midway it goes on where that stopped.
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
    let (began, phase) = (clock.now(), Phase::in_force());
    let mut joined = Joined::new(&phase);
    let mut running = pin!(run(&phase, limits, &clock, began));
    poll_fn(|cx| {
        // Before the shutdown is seen to have begun.
        joined.here();
        running.as_mut().poll(cx)
    })
    .await
}

/// [`shutdown`] where there is no task: blocks this thread. Futures of hooks are polled on it, so one that needs a runtime needs
/// its guard here (`let _guard = runtime.enter();`).
///
/// ```
/// use std::time::Duration;
///
/// let report = lifecycle::shutdown_blocking(Duration::from_secs(5));
/// println!("{report}");
/// ```
pub fn shutdown_blocking(limits: impl Into<ShutdownLimits>) -> ShutdownReport {
    let _joined = Joined::blocking(&Phase::in_force());
    block_on(shutdown(limits))
}

/// From now on nothing is created any more in this process, but inside [invocations](crate::invocation()), which end first;
/// [`shutdown`] does the rest. One atomic store: the one thing in this crate that a signal handler may do.
///
/// ```
/// use lifecycle::{Singleton, SingletonError, singleton};
///
/// #[singleton]
/// #[derive(Default)]
/// struct Cache;
///
/// lifecycle::request_shutdown();
/// assert!(lifecycle::is_shutting_down());
/// assert!(matches!(Cache::try_instance(), Err(SingletonError::ShuttingDown { .. })));
/// ```
pub fn request_shutdown() {
    Phase::process().drain();
}

/// Has [`shutdown`] or [`request_shutdown`] been called?
///
/// ```
/// # lifecycle::testing::isolated(|| {
/// assert!(!lifecycle::is_shutting_down());
/// lifecycle::shutdown_blocking(std::time::Duration::from_secs(1));
/// assert!(lifecycle::is_shutting_down());
/// # });
/// ```
#[must_use]
pub fn is_shutting_down() -> bool {
    Phase::in_force().has_begun()
}

async fn run(
    phase: &StateRef<'static, Phase>,
    limits: ShutdownLimits,
    clock: &ClockHandle,
    began: Moment,
) -> ShutdownReport {
    let mut total = Limit::at(began.after(limits.total), clock);
    let book = Book::in_force();
    // Before the shutdown is seen to have begun: so whoever ends after that tells.
    book.watch();
    phase.drain();
    if phase.runs_this_hook() && !phase.is_complete() {
        return phase.report_unfinished(clock.now().since(began), book.under_way(&phase.joined()));
    }
    let Some(mut driving) = wait_for_turn(phase, clock, &mut total).await else {
        // Somebody else is at it, and is not done in time.
        let took = clock.now().since(began);
        return phase.report_unfinished(took, book.under_way(&phase.joined()));
    };
    if phase.is_complete() {
        return phase.report();
    }
    if driving.left.is_none() {
        let share = limits.drain.unwrap_or(limits.total / 2).min(limits.total);
        drain(phase, &book, clock, &mut Limit::at(total.since().after(share), clock)).await;
        driving.left = Some(Left { levels: levels().into_iter(), under_way: None, begun: 0 });
    }
    while let Some(level) = driving.left.as_mut().and_then(|left| left.level(phase, clock)) {
        let mut limit = total.share(limits.per_hook, level.to_go, clock);
        one_level(phase, level.under_way, clock, &mut limit).await;
        if let Some(left) = &mut driving.left {
            left.under_way = None;
        }
    }
    driving.left = None;
    phase.complete(clock.now().since(began));
    let report = phase.report();
    telemetry::shut_down(report.hooks.len(), report.is_clean(), report.took);
    report
}

/// What a shutdown has still to do.
pub(super) struct Left {
    levels: std::vec::IntoIter<Level>,
    under_way: Option<UnderWay>,
    begun: usize,
}

impl fmt::Debug for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Left").field("levels", &self.levels.len()).finish_non_exhaustive()
    }
}

/// A level whose hooks have begun.
struct UnderWay {
    hooks: Gather<HookResult>,
    began: Moment,
}

struct LevelOf<'a> {
    under_way: &'a mut UnderWay,
    /// Levels still to be ended, this one included.
    to_go: u32,
}

impl Left {
    /// The level that is under way; the next one if none is. A hook that has begun is not begun again.
    fn level(&mut self, phase: &Phase, clock: &ClockHandle) -> Option<LevelOf<'_>> {
        if self.under_way.is_none() {
            let Level { hooks } = self.levels.next()?;
            phase.begin_level(self.begun, hooks.iter().map(|(name, _)| name.clone()));
            self.begun += 1;
            let inside = Context::of(phase.hook());
            let work = hooks.into_iter().map(|(_, run)| -> Work<HookResult> {
                let inside = inside.clone();
                Work::Blocking(Box::new(move || match inside.run(run) {
                    HookRun::Done(result) => Step::Done(result),
                    HookRun::Future(future) => Step::Goes(Box::pin(inside.wrap(future))),
                }))
            });
            let began = clock.now();
            self.under_way = Some(UnderWay { hooks: Gather::new(work), began });
        }
        let to_go = u32::try_from(self.levels.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.under_way.as_mut().map(|under_way| LevelOf { under_way, to_go })
    }
}

/// Waits until nobody else runs the shutdown.
async fn wait_for_turn(
    phase: &StateRef<'static, Phase>,
    clock: &ClockHandle,
    limit: &mut Limit,
) -> Option<super::phase::Driving> {
    let place = phase.place();
    let turn = poll_fn(|cx| {
        // Before the look: whoever stops after it wakes this.
        drop(place.set(cx.waker().clone()));
        let turn = Phase::drive(phase).or_else(|| {
            // It may be the future of a factory that has it, and nobody is left to poll that.
            abandon(GiveUp::Unawaited);
            Phase::drive(phase)
        });
        turn.map_or(Poll::Pending, Poll::Ready)
    });
    timer::within(turn, clock, limit).await
}

/// Lets invocations and factories under way end, until the time has come.
async fn drain(phase: &Phase, book: &Book, clock: &ClockHandle, limit: &mut Limit) {
    let late = loop {
        let in_time = timer::within(all_ended(phase, book), clock, limit).await.is_some();
        abandon(GiveUp::Unawaited);
        let late = book.under_way(&phase.joined());
        // One that began after the others had ended is waited for, too.
        if !in_time || late.is_empty() {
            break late;
        }
    };
    // What is under way from here on is told of, and not stored.
    for id in &late {
        telemetry::invocation_unfinished(id);
    }
    for name in phase.go_down(late) {
        telemetry::creation_abandoned(&name);
    }
    // Who waits for this is told how it ended.
    abandon(GiveUp::AllBut(&phase.spared()));
}

/// Waits until no invocation and no factory is under way, but those that wait for the shutdown.
async fn all_ended(phase: &Phase, book: &Book) {
    let places = [book.place(), phase.place()];
    poll_fn(|cx| {
        // Before the look: whoever ends after it wakes this.
        for place in &places {
            drop(place.set(cx.waker().clone()));
        }
        // Also those whose last caller went meanwhile.
        abandon(GiveUp::Unawaited);
        if phase.is_idle() && book.is_quiet_but(&phase.joined()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn abandon(which: GiveUp<'_>) {
    let declared = registry::declared(Component::created);
    declared.into_iter().for_each(|singleton| singleton.abandon(which));
    crate::singleton::singletons().abandon(which);
    crate::init::initialization().abandon(which);
}

async fn one_level(phase: &Phase, level: &mut UnderWay, clock: &ClockHandle, limit: &mut Limit) {
    let began = level.began;
    while let Some(Some((number, ended))) = timer::within(level.hooks.next(), clock, limit).await {
        let outcome = match ended {
            Ended::Gave(Ok(())) => HookOutcomeReport::Done,
            Ended::Gave(Err(error)) => HookOutcomeReport::Failed(error),
            Ended::Panicked(text) => HookOutcomeReport::Panicked(text),
            Ended::NoThread(error) => HookOutcomeReport::Failed(format!("no thread could be started: {error}")),
        };
        let name = phase.end_hook(number, clock.now().since(began), outcome.clone());
        if let HookOutcomeReport::Failed(text) | HookOutcomeReport::Panicked(text) = &outcome {
            telemetry::singleton_hook_failed(&name, "shutdown", text);
        }
    }
    for name in phase.time_out_hooks(clock.now().since(began)) {
        telemetry::singleton_hook_failed(&name, "shutdown", "not done in time");
    }
}

//! A process that is written to a snapshot and goes on from it later, perhaps many times and elsewhere, as Lambda's SnapStart does:
//! what has to be let go before, what has to be taken up after, and clocks that may read anything then.

use super::gather::{Ended, Step, Work, one_within};
use super::report::{HookOutcomeReport, HookReport};
use super::warm_up::block_on;
use crate::clock::{ClockHandle, Moment};
use crate::error::{counted, printable, wait};
use crate::registry::{self, Component};
use crate::scope::Book;
use crate::singleton::{AnySingleton, Running, Snapped, SnapshotHook};
use crate::telemetry;
use crate::timer::Limit;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll, Waker};
use std::time::Duration;

/// What [`before_snapshot`] and [`on_restore`] did.
///
/// ```
/// let report = lifecycle::before_snapshot_blocking();
/// assert!(report.is_clean());
/// println!("{report}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HooksReport {
    /// Every hook, in the order in which they ran, which their `level` numbers.
    pub hooks: Vec<HookReport>,
    /// How long they took in all.
    pub took: Duration,
    /// Invocations that were under way when it began. Before a snapshot there should be none.
    pub active_invocations: usize,
}

impl HooksReport {
    /// Did all hooks succeed? (Invocations under way are told of by a warning, and are for you to judge.)
    ///
    /// ```
    /// assert!(lifecycle::on_restore_blocking().is_clean());
    /// ```
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.hooks.iter().all(|hook| hook.outcome == HookOutcomeReport::Done)
    }
}

impl fmt::Display for HooksReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ran in {}", counted(self.hooks.len(), "hook", "hooks"), wait(&self.took))?;
        for hook in &self.hooks {
            let name = printable(&hook.name);
            match &hook.outcome {
                HookOutcomeReport::Failed(text) => write!(f, "; `{name}` failed: {text}")?,
                HookOutcomeReport::Panicked(text) => write!(f, "; `{name}` panicked: {text}")?,
                HookOutcomeReport::TimedOut => write!(f, "; `{name}` not done after {}", wait(&hook.took))?,
                HookOutcomeReport::Done => {}
            }
        }
        if self.active_invocations > 0 {
            let active = counted(self.active_invocations, "invocation was", "invocations were");
            write!(f, "; {active} under way")?;
        }
        Ok(())
    }
}

/// Runs the `before_snapshot` hooks of all singletons that exist, one after the other, the newest first, so that each still finds
/// what it was made of: connections are closed, files written, secrets forgotten. One that fails or panics does not stop the rest.
///
/// Call it last before the snapshot is taken, when no invocation is under way (if one is, a warning and the report say so), and [`on_restore`] first thing after it. Instances
/// stay: who was given a `&'static` reference goes on using it, so what cannot be in a snapshot is best kept behind a lock in
/// the value, or in a `swap` singleton.
///
/// A hook that hangs keeps this from ending: [`before_snapshot_within`] has a limit.
///
/// ```
/// use lifecycle::singleton;
/// use std::sync::Mutex;
///
/// struct Pool(Mutex<Vec<u32>>);
///
/// #[singleton(
///     before_snapshot = |pool: &Pool| pool.0.lock().unwrap().clear(),
///     after_restore = |pool: &Pool| pool.0.lock().unwrap().push(8),
/// )]
/// fn pool() -> Pool {
///     Pool(Mutex::new(vec![7]))
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// pool();
/// assert!(lifecycle::before_snapshot().await.is_clean());
/// assert!(pool().0.lock().unwrap().is_empty());
/// // .. the process sleeps, and wakes up somewhere else ..
/// assert!(lifecycle::on_restore().await.is_clean());
/// assert_eq!(*pool().0.lock().unwrap(), [8]);
/// # });
/// ```
pub async fn before_snapshot() -> HooksReport {
    run(Snapped::Before, Duration::MAX).await
}

/// [`before_snapshot`] with a limit in time: a hook that hangs is reported as [`TimedOut`](HookOutcomeReport::TimedOut), and the
/// others run. Each may take its fair share of what is left.
///
/// Synchronous hooks run on threads of their own then, the only way past one that hangs; they have this context and tracing
/// subscriber but no runtime. One that is late goes on there, and a snapshot may find it at work; a future is dropped.
///
/// ```
/// use lifecycle::{HookOutcomeReport, singleton};
/// use std::time::Duration;
///
/// #[singleton(before_snapshot = async |_: &u8| std::future::pending::<()>().await)]
/// fn uplink() -> u8 {
///     7
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// uplink();
/// let report = lifecycle::before_snapshot_within(Duration::from_millis(20)).await;
/// assert_eq!((report.hooks[0].name.as_str(), &report.hooks[0].outcome), ("uplink", &HookOutcomeReport::TimedOut));
/// assert!(!report.is_clean());
/// # });
/// ```
pub async fn before_snapshot_within(limit: Duration) -> HooksReport {
    run(Snapped::Before, limit).await
}

/// [`before_snapshot`] where there is no task: blocks this thread. Hooks that are futures are polled on it, so one that needs a
/// runtime needs its guard here (`let _guard = runtime.enter();`).
///
/// ```
/// let report = lifecycle::before_snapshot_blocking();
/// assert_eq!(report.hooks.len(), 0);
/// ```
#[allow(clippy::must_use_candidate, reason = "done is done")]
pub fn before_snapshot_blocking() -> HooksReport {
    block_on(before_snapshot())
}

/// [`before_snapshot_within`] where there is no task; see [`before_snapshot_blocking`].
///
/// ```
/// use std::time::Duration;
///
/// assert!(lifecycle::before_snapshot_blocking_within(Duration::from_secs(5)).is_clean());
/// ```
#[allow(clippy::must_use_candidate, reason = "done is done")]
pub fn before_snapshot_blocking_within(limit: Duration) -> HooksReport {
    block_on(before_snapshot_within(limit))
}

/// Takes up after a snapshot: first time begins anew, then the `after_restore` hooks of all singletons that exist run, one after
/// the other, the oldest first, so that each finds what it was made of ready.
///
/// A restored clock may have jumped by any amount, either way. So that nothing is decided by times from before:
///
/// - breakers that are open let the next call probe, probes under way get their whole time again, the windows of rates are empty;
/// - the windows of limiters are empty, those of the by-name cores too;
/// - `swap` singletons with `refresh` are due, pauses after failed creations are over;
/// - what [invocations](crate::invocation()) under way have left is measured anew, by the wall clock;
/// - who waits meanwhile (for a permit, with an `init_timeout` or another limit) is woken, and waits no longer than he said, in the
///   same order and at the same distances: by how much the clock went back is known from the waits themselves.
///
/// That holds for what is declared, with all keys, and for what the cores made. Of breakers and limiters that you built yourself
/// call [`CircuitBreaker::on_restore`](crate::CircuitBreaker::on_restore) and [`RateLimiter::reset`](crate::RateLimiter::reset).
///
/// A hook that hangs keeps this from ending: [`on_restore_within`] has a limit.
///
/// ```
/// #[lifecycle::rate_limit("1/h")]
/// fn report() -> Result<(), lifecycle::Rejected> {
///     Ok(())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// report().unwrap();
/// report().unwrap_err();
/// lifecycle::on_restore().await;
/// report().unwrap();
/// # });
/// ```
pub async fn on_restore() -> HooksReport {
    on_restore_within(Duration::MAX).await
}

/// [`on_restore`] with a limit in time for the hooks, which run as those of [`before_snapshot_within`]: a platform kills a
/// process that does not come back in its time, and one hook that hangs is no reason for that.
///
/// ```
/// use lifecycle::{HookOutcomeReport, singleton};
/// use std::time::Duration;
///
/// #[singleton(after_restore = async |_: &u8| std::future::pending::<()>().await)]
/// fn uplink() -> u8 {
///     7
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// uplink();
/// // Lambda gives 10 seconds; here they are fewer.
/// let report = lifecycle::on_restore_within(Duration::from_millis(20)).await;
/// assert_eq!(report.hooks[0].outcome, HookOutcomeReport::TimedOut);
/// println!("{report}"); // .. `uplink` not done after 20ms
/// # });
/// ```
pub async fn on_restore_within(limit: Duration) -> HooksReport {
    begin_anew();
    let report = run(Snapped::After, limit).await;
    telemetry::restored(report.hooks.len(), report.is_clean(), report.took);
    report
}

/// [`on_restore`] where there is no task; see [`before_snapshot_blocking`].
///
/// ```
/// assert!(lifecycle::on_restore_blocking().is_clean());
/// ```
#[allow(clippy::must_use_candidate, reason = "done is done")]
pub fn on_restore_blocking() -> HooksReport {
    block_on(on_restore())
}

/// [`on_restore_within`] where there is no task; see [`before_snapshot_blocking`].
///
/// ```
/// use std::time::Duration;
///
/// assert!(lifecycle::on_restore_blocking_within(Duration::from_secs(8)).is_clean());
/// ```
#[allow(clippy::must_use_candidate, reason = "done is done")]
pub fn on_restore_blocking_within(limit: Duration) -> HooksReport {
    block_on(on_restore_within(limit))
}

fn begin_anew() {
    for component in registry::components().iter() {
        match component {
            Component::Singleton(singleton) => singleton.restored(),
            Component::Step(step) => AnySingleton::restored(*step),
            Component::Breaker(breaker) => breaker.on_restore(),
            Component::KeyedBreaker(family) => family.on_restore(),
            Component::Limiter(limiter) => limiter.reset(),
            Component::KeyedLimiter(family) => family.reset(),
            Component::Flag(_) => {}
        }
    }
    crate::breaker::breakers().restored();
    crate::singleton::singletons().restored();
    crate::init::initialization().restored();
    // Last: who waits and is woken by this finds everything else done.
    Book::in_force().restored();
}

async fn run(when: Snapped, limit: Duration) -> HooksReport {
    let clock = ClockHandle::in_force();
    let began = clock.now();
    let mut total = Limit::begin(&clock, limit);
    let active_invocations = Book::in_force().active();
    if matches!(when, Snapped::Before) && active_invocations > 0 {
        telemetry::snapshot_while_active(active_invocations);
    }
    let all = registry::declared(|component| match component {
        Component::Singleton(singleton) => Some(singleton.snapshot_hooks(when)),
        _ => None,
    });
    let mut all: Vec<SnapshotHook> = all.into_iter().flatten().collect();
    all.sort_by_key(|hook| hook.order);
    let told = match when {
        Snapped::Before => {
            all.reverse();
            "before_snapshot"
        }
        Snapped::After => "after_restore",
    };
    let mut hooks = Vec::with_capacity(all.len());
    let mut to_go = u32::try_from(all.len()).unwrap_or(u32::MAX);
    for (level, SnapshotHook { name, run, .. }) in all.into_iter().enumerate() {
        let since = clock.now();
        let outcome = if total.until() == Moment::NEVER {
            Some(run.await)
        } else {
            within(run, &clock, &mut total.share(None, to_go, &clock)).await
        };
        let outcome = match outcome {
            Some(Ok(Ok(()))) => HookOutcomeReport::Done,
            Some(Ok(Err(text))) => HookOutcomeReport::Failed(text),
            Some(Err(text)) => HookOutcomeReport::Panicked(text),
            None => HookOutcomeReport::TimedOut,
        };
        to_go = to_go.saturating_sub(1);
        match &outcome {
            HookOutcomeReport::Failed(text) | HookOutcomeReport::Panicked(text) => {
                telemetry::singleton_hook_failed(&name, told, text);
            }
            HookOutcomeReport::TimedOut => telemetry::singleton_hook_failed(&name, told, "not done in time"),
            HookOutcomeReport::Done => {}
        }
        hooks.push(HookReport { name, level, took: clock.now().since(since), outcome });
    }
    HooksReport { hooks, took: clock.now().since(began), active_invocations }
}

/// What may block runs on a thread of its own, the rest here. `None` when the limit is over.
async fn within(mut hook: Running, clock: &ClockHandle, limit: &mut Limit) -> Option<<Running as Future>::Output> {
    let begin = move || {
        // Whoever awaits the rest polls it with a waker of its own.
        match Pin::new(&mut hook).poll(&mut task::Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Step::Done(outcome),
            Poll::Pending => Step::Goes(Box::pin(hook)),
        }
    };
    one_within(Work::Blocking(Box::new(begin)), clock, limit).await.map(|ended| match ended {
        Ended::Gave(outcome) => outcome,
        Ended::Panicked(text) => Err(text),
        Ended::NoThread(text) => Ok(Err(format!("no thread could be started: {text}"))),
    })
}

//! A process that is written to a snapshot and goes on from it later, perhaps many times and elsewhere, as Lambda's SnapStart does:
//! what has to be let go before, what has to be taken up after, and clocks that may read anything then.

use super::report::{HookOutcomeReport, HookReport};
use super::warm_up::block_on;
use crate::clock::ClockHandle;
use crate::error::{counted, wait};
use crate::registry::{self, Component};
use crate::scope::Book;
use crate::singleton::{AnySingleton, Snapped, SnapshotHook};
use crate::telemetry;
use std::fmt;
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
            match &hook.outcome {
                HookOutcomeReport::Failed(text) => write!(f, "; `{}` failed: {text}", hook.name)?,
                HookOutcomeReport::Panicked(text) => write!(f, "; `{}` panicked: {text}", hook.name)?,
                _ => {}
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
    run(Snapped::Before).await
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
    begin_anew();
    let report = run(Snapped::After).await;
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

async fn run(when: Snapped) -> HooksReport {
    let clock = ClockHandle::in_force();
    let began = clock.now();
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
    for (level, SnapshotHook { name, run, .. }) in all.into_iter().enumerate() {
        let since = clock.now();
        let outcome = match run.await {
            Ok(Ok(())) => HookOutcomeReport::Done,
            Ok(Err(text)) => HookOutcomeReport::Failed(text),
            Err(text) => HookOutcomeReport::Panicked(text),
        };
        if let HookOutcomeReport::Failed(text) | HookOutcomeReport::Panicked(text) = &outcome {
            telemetry::singleton_hook_failed(&name, told, text);
        }
        hooks.push(HookReport { name, level, took: clock.now().since(since), outcome });
    }
    HooksReport { hooks, took: clock.now().since(began), active_invocations }
}

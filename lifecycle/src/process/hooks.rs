//! The hooks that run on everything at once, whenever the application says so.

use super::gather::{Ended, Gather, Work};
use super::warm_up::block_on;
use crate::clock::ClockHandle;
use crate::error::{caught, counted};
use crate::registry::{self, Component};
use crate::scope::Book;
use crate::singleton::hooks::{Health, HealthRun};
use crate::singleton::{AnySingleton, HookOf};
use crate::telemetry;
use crate::timer::{self, Limit};
use serde::Serialize;
use std::time::Duration;

/// What the `health` hooks say.
///
/// ```
/// use std::time::Duration;
///
/// let report = lifecycle::health_blocking(Duration::from_secs(1));
/// assert_eq!((report.status, report.checks.len()), (lifecycle::Health::Up, 0)); // no instance, no check
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// The worst of all, `Up` when there are none. Its text is empty; the texts are with the checks.
    pub status: Health,
    /// Each check of a singleton that exists. One that was never created is not asked, and not created for that.
    pub checks: Vec<HealthCheck>,
}

/// One check.
///
/// ```
/// use lifecycle::{Health, HealthCheck, singleton};
/// use std::time::Duration;
///
/// #[singleton(health = |free: &u32| *free > 0)]
/// fn licenses() -> u32 {
///     3
/// }
///
/// licenses();
/// let checks: Vec<HealthCheck> = lifecycle::health_blocking(Duration::from_secs(1)).checks;
/// assert_eq!((checks[0].name.as_str(), &checks[0].health), ("licenses", &Health::Up));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealthCheck {
    /// The singleton; of a keyed one with the key in brackets.
    pub name: String,
    /// What it says.
    pub health: Health,
}

/// Asks the `health` hooks of all singletons that exist; futures are awaited at the same time. A check that panics is down, and
/// so is one whose future takes longer than `limit`. A synchronous check runs on this thread and is not interrupted.
///
/// ```
/// use lifecycle::{Health, singleton};
/// use std::time::Duration;
///
/// #[singleton(health = |pool: &Vec<u8>| !pool.is_empty())]
/// fn pool() -> Vec<u8> {
///     Vec::new()
/// }
///
/// pool();
/// let report = lifecycle::health_blocking(Duration::from_secs(1));
/// assert_eq!(report.status, Health::Down(String::new()));
/// ```
pub async fn health(limit: Duration) -> HealthReport {
    let clock = ClockHandle::in_force();
    let mut limit = Limit::begin(&clock, limit);
    let mut checks = Vec::new();
    let mut open = Vec::new();
    for (name, check) in collect(AnySingleton::health_hooks) {
        match caught(check) {
            Ok(HealthRun::Done(health)) => checks.push(HealthCheck { name, health }),
            Ok(HealthRun::Future(future)) => open.push((name, Work::Future(future))),
            Err(text) => checks.push(HealthCheck { name, health: panicked(&text) }),
        }
    }
    let (mut names, work): (Vec<_>, Vec<_>) = open.into_iter().map(|(name, work)| (Some(name), work)).unzip();
    let mut under_way = Gather::new(work);
    while let Some(Some((number, ended))) = timer::within(under_way.next(), &clock, &mut limit).await {
        let health = match ended {
            Ended::Gave(health) => health,
            Ended::Panicked(text) | Ended::NoThread(text) => panicked(&text),
        };
        checks.extend(names[number].take().map(|name| HealthCheck { name, health }));
    }
    let late = || Health::Down("the check took too long".to_owned());
    checks.extend(names.into_iter().flatten().map(|name| HealthCheck { name, health: late() }));
    checks.sort_by(|a, b| a.name.cmp(&b.name));
    let rank = |health: &Health| match health {
        Health::Up => 0,
        Health::Degraded(_) => 1,
        Health::Down(_) => 2,
    };
    let status = match checks.iter().map(|check| rank(&check.health)).max() {
        None | Some(0) => Health::Up,
        Some(1) => Health::Degraded(String::new()),
        Some(_) => Health::Down(String::new()),
    };
    HealthReport { status, checks }
}

fn panicked(text: &str) -> Health {
    Health::Down(format!("the check panicked: {text}"))
}

/// [`health`] where there is no task: blocks this thread.
///
/// ```
/// use lifecycle::Health;
/// use std::time::Duration;
///
/// assert_eq!(lifecycle::health_blocking(Duration::from_secs(1)).status, Health::Up);
/// ```
#[must_use]
pub fn health_blocking(limit: Duration) -> HealthReport {
    block_on(health(limit))
}

/// What [`run_reset_hooks`] did.
///
/// ```
/// let report = lifecycle::run_reset_hooks();
/// assert!(report.is_clean());
/// println!("{report}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ResetReport {
    /// Hooks that ran.
    pub hooks: usize,
    /// The name and text of each that failed or panicked.
    pub failed: Vec<(String, String)>,
    /// Invocations that were under way meanwhile. With more than one, what was reset may have been in use by others.
    pub active_invocations: usize,
}

impl ResetReport {
    /// Did all hooks succeed, with one invocation under way at most?
    ///
    /// ```
    /// use lifecycle::{invocation_blocking, run_reset_hooks};
    ///
    /// assert!(invocation_blocking("req-1", run_reset_hooks).is_clean());
    /// ```
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty() && self.active_invocations <= 1
    }
}

impl std::fmt::Display for ResetReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ran", counted(self.hooks, "reset hook", "reset hooks"))?;
        for (name, text) in &self.failed {
            write!(f, "; `{name}` failed: {text}")?;
        }
        if self.active_invocations > 1 {
            write!(
                f,
                "; {} invocations were under way: what was reset may be in use by another one, so declare what belongs to one \
                 `#[singleton(scope = invocation)]`",
                self.active_invocations
            )?;
        }
        Ok(())
    }
}

/// Runs the `reset` hooks of all singletons that exist, one after the other; says which failed. Instances stay, and so does what
/// [`initialize`](crate::initialize) set up.
///
/// For a process that serves one invocation at a time: what one leaves behind is cleared before the next. While several are under
/// way this takes away what others are using; that is told by an event and in the report. What belongs to one invocation is
/// better declared with `scope = invocation`, and then needs no reset.
///
/// ```
/// use lifecycle::singleton;
/// use std::sync::Mutex;
///
/// #[singleton(reset = |seen: &Mutex<Vec<u32>>| seen.lock().unwrap().clear())]
/// fn seen() -> Mutex<Vec<u32>> {
///     Mutex::default()
/// }
///
/// seen().lock().unwrap().push(7);
/// assert!(lifecycle::run_reset_hooks().is_clean());
/// assert!(seen().lock().unwrap().is_empty());
/// ```
#[allow(clippy::must_use_candidate, reason = "done is done")]
pub fn run_reset_hooks() -> ResetReport {
    let active_invocations = Book::in_force().active();
    if active_invocations > 1 {
        telemetry::reset_while_active(active_invocations);
    }
    let mut report = ResetReport { hooks: 0, failed: Vec::new(), active_invocations };
    for (name, hook) in collect(AnySingleton::reset_hooks) {
        report.hooks += 1;
        let outcome = caught(hook).unwrap_or_else(|text| Err(format!("it panicked: {text}")));
        if let Err(text) = outcome {
            telemetry::singleton_hook_failed(&name, "reset", &text);
            report.failed.push((name, text));
        }
    }
    report
}

/// [`run_reset_hooks`], by the name that handlers of the concept call at their beginning.
///
/// ```
/// use lifecycle::{invocation_blocking, reset_all_managers};
///
/// fn handler() {
///     assert!(reset_all_managers().is_clean());
///     // ..
/// }
///
/// invocation_blocking("req-1", handler);
/// ```
#[allow(clippy::must_use_candidate, reason = "done is done")]
pub fn reset_all_managers() -> ResetReport {
    run_reset_hooks()
}

/// Runs the `pressure` hooks of all singletons that exist, one after the other; gives the bytes they say they freed.
///
/// ```
/// use lifecycle::singleton;
/// use std::sync::Mutex;
///
/// #[singleton(pressure = |cache: &Mutex<Vec<u8>>| std::mem::take(&mut *cache.lock().unwrap()).capacity())]
/// fn cache() -> Mutex<Vec<u8>> {
///     Mutex::new(Vec::with_capacity(1024))
/// }
///
/// cache();
/// assert!(lifecycle::run_pressure_hooks() >= 1024);
/// ```
pub fn run_pressure_hooks() -> usize {
    let mut freed = 0usize;
    for (name, hook) in collect(AnySingleton::pressure_hooks) {
        match caught(hook) {
            Ok(bytes) => freed = freed.saturating_add(bytes),
            Err(text) => telemetry::singleton_hook_failed(&name, "pressure", &format!("it panicked: {text}")),
        }
    }
    freed
}

fn collect<R>(hooks: impl Fn(&'static dyn AnySingleton) -> Vec<HookOf<R>>) -> Vec<HookOf<R>> {
    let all = registry::declared(|component| match component {
        Component::Singleton(singleton) => Some(hooks(singleton)),
        _ => None,
    });
    all.into_iter().flatten().collect()
}

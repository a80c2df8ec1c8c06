//! What a shutdown did, and each of its hooks.

use crate::error::{counted, printable, wait};
use std::fmt;
use std::time::Duration;

/// What [`shutdown`](crate::shutdown) did.
///
/// ```
/// use lifecycle::{HookOutcomeReport, singleton};
/// use std::time::Duration;
///
/// #[singleton(shutdown = |_: &u32| Err::<(), _>("the disk is full"))]
/// fn archive() -> u32 {
///     7
/// }
///
/// # lifecycle::testing::isolated(|| {
/// archive();
/// let report = lifecycle::shutdown_blocking(Duration::from_secs(5));
/// assert!(!report.is_clean());
/// assert_eq!(report.hooks[0].outcome, HookOutcomeReport::Failed("the disk is full".to_owned()));
/// assert!(report.to_string().ends_with("`archive` failed: the disk is full"));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Every hook, in the order in which they ended: dependents before what they depend on.
    pub hooks: Vec<HookReport>,
    /// Singletons and steps (and `initialize`, as itself) that were being created and were not ready in time; what their factories
    /// still give is dropped. Those whose factories wait for the shutdown are among them.
    pub abandoned: Vec<String>,
    /// The ids of [invocations](crate::invocation()) that were not over in time (of long ones the first 100 bytes): the hooks ran while they went on.
    pub unfinished: Vec<String>,
    /// How long it took in all.
    pub took: Duration,
}

/// One hook that ran.
///
/// ```
/// let report = lifecycle::shutdown_blocking(std::time::Duration::from_secs(5));
/// for hook in &report.hooks {
///     println!("level {}: {} after {:?}: {:?}", hook.level, hook.name, hook.took, hook.outcome);
/// }
/// ```
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
///
/// ```
/// use lifecycle::{HookOutcomeReport, singleton};
/// use std::time::Duration;
///
/// #[singleton(shutdown = |_: &u8| -> () { panic!("no") })]
/// fn fragile() -> u8 {
///     7
/// }
///
/// # lifecycle::testing::isolated(|| {
/// fragile();
/// let report = lifecycle::shutdown_blocking(Duration::from_secs(5));
/// assert_eq!(report.hooks[0].outcome, HookOutcomeReport::Panicked("no".to_owned()));
/// # });
/// ```
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
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let report = lifecycle::shutdown_blocking(Duration::from_secs(5));
    /// let code = if report.is_clean() { 0 } else { 1 };
    /// ```
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.abandoned.is_empty()
            && self.unfinished.is_empty()
            && self.hooks.iter().all(|hook| hook.outcome == HookOutcomeReport::Done)
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shut down in {}: {}", wait(&self.took), counted(self.hooks.len(), "hook", "hooks"))?;
        if !self.abandoned.is_empty() {
            write!(f, ", {} abandoned", counted(self.abandoned.len(), "factory", "factories"))?;
        }
        for name in &self.abandoned {
            let name = printable(name);
            write!(f, "\n`{name}` was not created when the hooks began: what its factory still gives is dropped")?;
        }
        for id in &self.unfinished {
            write!(f, "\ninvocation `{}` was not over when the hooks began", printable(id))?;
        }
        for hook in &self.hooks {
            let name = printable(&hook.name);
            match &hook.outcome {
                HookOutcomeReport::Done => write!(f, "\n`{name}` done in {}", wait(&hook.took)),
                HookOutcomeReport::Failed(error) => write!(f, "\n`{name}` failed: {error}"),
                HookOutcomeReport::Panicked(text) => write!(f, "\n`{name}` panicked: {text}"),
                HookOutcomeReport::TimedOut => write!(f, "\n`{name}` not done after {}", wait(&hook.took)),
            }?;
        }
        Ok(())
    }
}

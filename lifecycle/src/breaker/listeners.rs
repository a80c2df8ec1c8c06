//! Who is told of a breaker's changes of state.

use super::state::State;
use crate::name::Name;
use std::time::Duration;

/// A breaker's change of state, as its listeners are told.
///
/// ```
/// use lifecycle::{CircuitBreaker, Transition};
/// use std::sync::{Arc, Mutex};
///
/// let log = Arc::new(Mutex::new(Vec::new()));
/// let breaker = CircuitBreaker::builder("db").threshold(2).build()?;
/// let lines = log.clone();
/// breaker.on_transition(move |change: &Transition| {
///     let Transition { name, from, to, failures, .. } = change;
///     lines.lock().unwrap().push(format!("{name}: {from} -> {to} after {failures} failures"));
/// });
/// for _ in 0..2 {
///     breaker.call(|| Err::<(), _>("down")).unwrap_err();
/// }
/// assert_eq!(*log.lock().unwrap(), ["db: closed -> open after 2 failures"]);
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The breaker's name.
    pub name: Name,
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Why, in a few words.
    pub reason: &'static str,
    /// Failures in a row at that moment.
    pub failures: u32,
    /// Opened: the time until a probe is admitted; `None` if only a reset helps.
    pub retry_after: Option<Duration>,
}

/// The listeners of one state of a breaker.
pub(super) type Listeners = crate::listeners::Listeners<dyn Fn(&Transition) + Send + Sync>;

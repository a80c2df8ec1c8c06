//! Who is told of a breaker's changes of state.

use super::state::State;
use crate::name::Name;
use std::time::Duration;

/// A breaker's change of state, as its listeners are told.
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

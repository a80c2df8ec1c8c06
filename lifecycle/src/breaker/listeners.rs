//! Who is told of a breaker's changes of state.

use super::state::State;
use crate::name::Name;
use std::sync::{Arc, Mutex, PoisonError};
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

/// A listener, to be removed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListenerId(u64);

type Listener = Arc<dyn Fn(&Transition) + Send + Sync>;

/// The listeners of one state of a breaker.
#[derive(Default)]
pub(super) struct Listeners(Mutex<(u64, Vec<(u64, Listener)>)>);

impl Listeners {
    pub(super) const fn new() -> Self {
        Self(Mutex::new((0, Vec::new())))
    }

    pub(super) fn add(&self, listener: Listener) -> ListenerId {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.0 += 1;
        let id = all.0;
        all.1.push((id, listener));
        ListenerId(id)
    }

    pub(super) fn remove(&self, id: ListenerId) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.1.iter().position(|(held, _)| *held == id.0);
        let gone = found.map(|at| all.1.remove(at));
        // What the listener holds is dropped without the lock.
        drop(all);
        gone.is_some()
    }

    /// Those to be called, without the lock.
    pub(super) fn all(&self) -> Vec<Listener> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.1.iter().map(|(_, listener)| listener.clone()).collect()
    }
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listeners").field("len", &self.all().len()).finish()
    }
}

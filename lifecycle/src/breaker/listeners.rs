//! Who is told of a breaker's changes of state.

use super::state::State;
use crate::name::Name;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// A listener, to be removed by. No two listeners of a process share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListenerId(u64);

type Listener = Arc<dyn Fn(&Transition) + Send + Sync>;

/// The listeners of one state of a breaker.
#[derive(Default)]
pub(super) struct Listeners(Mutex<Vec<(u64, Listener)>>);

impl Listeners {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(super) fn add(&self, listener: Listener) -> ListenerId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((id, listener));
        ListenerId(id)
    }

    pub(super) fn remove(&self, id: ListenerId) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().position(|(held, _)| *held == id.0);
        let gone = found.map(|at| all.remove(at));
        // What the listener holds is dropped without the lock.
        drop(all);
        gone.is_some()
    }

    /// Those to be called, without the lock.
    pub(super) fn all(&self) -> Vec<Listener> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(_, listener)| listener.clone()).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listeners").field("len", &self.all().len()).finish()
    }
}

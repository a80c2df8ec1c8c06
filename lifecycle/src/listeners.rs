//! Who is told of changes: lists of the users' functions, called with no lock held.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A listener, to be removed by. No two listeners of a process share one.
///
/// ```
/// static VERBOSE: lifecycle::Flag<bool> = lifecycle::Flag::new(false);
///
/// let id: lifecycle::ListenerId = VERBOSE.on_change(|_, now| println!("verbose: {now}"));
/// assert!(VERBOSE.remove_listener(id));
/// assert!(!VERBOSE.remove_listener(id)); // it is gone
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListenerId(u64);

/// The listeners of one state of a component, each an `F`.
pub(crate) struct Listeners<F: ?Sized>(Mutex<Vec<(u64, Arc<F>)>>);

impl<F: ?Sized> Listeners<F> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn add(&self, listener: Arc<F>) -> ListenerId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((id, listener));
        ListenerId(id)
    }

    pub(crate) fn remove(&self, id: ListenerId) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().position(|(held, _)| *held == id.0);
        let gone = found.map(|at| all.remove(at));
        // What the listener holds is dropped without the lock.
        drop(all);
        gone.is_some()
    }

    /// Those to be called, without the lock.
    pub(crate) fn all(&self) -> Vec<Arc<F>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(_, listener)| listener.clone()).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl<F: ?Sized> std::fmt::Debug for Listeners<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listeners").field("len", &self.all().len()).finish()
    }
}

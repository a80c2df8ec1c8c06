//! Replacements that hold for a thread or a universe until their guard goes, removed by id in any order.

use super::{Raised, current};
use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Value = Arc<dyn Any + Send + Sync>;

/// The overrides of one thread or universe; the newest for a component is the one in force.
#[derive(Default)]
pub(crate) struct OverrideList {
    entries: Mutex<(u64, Vec<(u64, usize, Value)>)>,
}

impl OverrideList {
    fn lock(&self) -> MutexGuard<'_, (u64, Vec<(u64, usize, Value)>)> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands in for component `key`, if its type is the one asked for.
    pub(crate) fn find<V: Send + Sync + 'static>(&self, key: usize) -> Option<Arc<V>> {
        let found = self.lock().1.iter().rev().find(|(_, of, _)| *of == key).map(|(_, _, value)| value.clone());
        found?.downcast().ok()
    }
}

/// Keeps an override in force; dropping it ends the override.
///
/// It may be sent to another thread: the override still ends where it was installed. Overrides end in any order.
#[must_use = "the override ends when the guard is dropped"]
pub struct OverrideGuard {
    list: Arc<OverrideList>,
    id: u64,
    _raised: Raised,
}

impl OverrideGuard {
    /// Lets `value` stand in for component `key` on this thread, or in the universe this code runs in.
    pub(crate) fn install<V: Send + Sync + 'static>(key: usize, value: V) -> Self {
        // While a thread is torn down nothing more runs on it that could see an override: a list of its own will do.
        let list = current::overrides_or_new().unwrap_or_default();
        let raised = Raised::new();
        let mut entries = list.lock();
        entries.0 += 1;
        let id = entries.0;
        entries.1.push((id, key, Arc::new(value)));
        drop(entries);
        Self { list, id, _raised: raised }
    }
}

impl Drop for OverrideGuard {
    fn drop(&mut self) {
        let mut entries = self.list.lock();
        let removed = entries.1.iter().position(|(id, ..)| *id == self.id).map(|at| entries.1.remove(at));
        drop(entries);
        // Outside the lock: this may run the value's destructor.
        drop(removed);
    }
}

impl std::fmt::Debug for OverrideGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OverrideGuard").field("id", &self.id).finish_non_exhaustive()
    }
}

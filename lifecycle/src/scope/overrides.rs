//! Replacements that hold for a thread or a universe until their guard goes, removed by id in any order.

use super::{Raised, current};
use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Value = Arc<dyn Any + Send + Sync>;

/// The overrides of one thread or universe; the newest for a component is the one in force.
#[derive(Default)]
pub(crate) struct OverrideList {
    installed: Mutex<Installed>,
}

#[derive(Default)]
struct Installed {
    last_id: u64,
    entries: Vec<Entry>,
}

struct Entry {
    id: u64,
    /// The component it stands in for.
    key: usize,
    value: Value,
}

impl OverrideList {
    fn lock(&self) -> MutexGuard<'_, Installed> {
        self.installed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands in for component `key`, if its type is the one asked for.
    pub(crate) fn find<V: Send + Sync + 'static>(&self, key: usize) -> Option<Arc<V>> {
        let found = self.lock().entries.iter().rev().find(|entry| entry.key == key).map(|entry| entry.value.clone());
        found?.downcast().ok()
    }
}

/// Keeps an override in force; dropping it ends the override.
///
/// It may be sent to another thread: the override still ends where it was installed. Overrides end in any order.
///
/// ```
/// use lifecycle::{OverrideGuard, Singleton, singleton};
///
/// #[singleton(factory = || Limits { most: 100 })]
/// struct Limits {
///     most: u32,
/// }
///
/// let few: OverrideGuard = Limits::override_with(Limits { most: 2 });
/// let fewer: OverrideGuard = Limits::override_with(Limits { most: 1 });
/// assert_eq!(Limits::instance().most, 1);
/// drop(few); // in any order
/// assert_eq!(Limits::instance().most, 1);
/// drop(fewer);
/// assert_eq!(Limits::instance().most, 100);
/// ```
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
        Self::install_in(current::overrides_or_new().unwrap_or_default(), key, value)
    }

    /// The same for those who look into `list`.
    pub(crate) fn install_in<V: Send + Sync + 'static>(list: Arc<OverrideList>, key: usize, value: V) -> Self {
        let raised = Raised::new();
        let value = Arc::new(value);
        let mut installed = list.lock();
        installed.last_id += 1;
        let id = installed.last_id;
        installed.entries.push(Entry { id, key, value });
        drop(installed);
        Self { list, id, _raised: raised }
    }
}

impl Drop for OverrideGuard {
    fn drop(&mut self) {
        let mut installed = self.list.lock();
        let at = installed.entries.iter().position(|entry| entry.id == self.id);
        let removed = at.map(|at| installed.entries.remove(at));
        drop(installed);
        // Outside the lock: this may run the value's destructor.
        drop(removed);
    }
}

impl std::fmt::Debug for OverrideGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OverrideGuard").field("id", &self.id).finish_non_exhaustive()
    }
}

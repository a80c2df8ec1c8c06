//! What one world has of a declared singleton.

use super::creation::Creation;
use super::output::SingletonValue;
use super::settings::Settings;
use super::storage::{Storage, Storing};
use crate::clock::{ClockHandle, Moment};
use crate::counter::Counters;
use crate::scope::Universe;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// One world's instance.
pub(super) struct Slot<T: 'static, S: Storage<T>> {
    pub(super) stored: S,
    pub(super) accesses: Counters<1>,
    pub(super) creation: Creation<T>,
    pub(super) retired: AtomicU64,
    /// Values put in place by hand; each wins over a factory that began before.
    pub(super) replaced: AtomicU64,
    pub(super) clock: ClockHandle,
    pub(super) settings: &'static Settings<T>,
}

impl<T: SingletonValue, S: Storing<T>> Slot<T, S> {
    pub(super) const fn new(settings: &'static Settings<T>) -> Self {
        Self {
            stored: S::EMPTY,
            accesses: Counters::new(),
            creation: Creation::new(),
            retired: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            clock: ClockHandle::System,
            settings,
        }
    }

    pub(super) fn in_universe(universe: &Universe, settings: &'static Settings<T>) -> Self {
        Self {
            stored: S::EMPTY,
            accesses: Counters::local(),
            creation: Creation::new(),
            retired: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            clock: universe.clock(),
            settings,
        }
    }

    /// The instance that was put in place by hand since there were `seen` such.
    pub(super) fn replaced_since(&self, seen: u64) -> Option<S::Owned> {
        if self.replaced.load(Ordering::Relaxed) == seen { None } else { self.stored.owned() }
    }

    /// Puts an instance, or none, in place; under the creation's lock.
    pub(super) fn put(&self, new: Option<S::Owned>) -> Option<S::Owned> {
        if let Some((due, every)) = self.stored.due().zip(self.settings.refresh) {
            // Without an instance it is the creation that looks at the clock next.
            let next = if new.is_some() { self.clock.now().after(every) } else { Moment::NEVER };
            due.store(next.as_nanos(), Ordering::Relaxed);
        }
        let old = self.stored.put(new);
        if old.is_some() && S::KEEPS {
            self.retired.fetch_add(1, Ordering::Relaxed);
        }
        old
    }
}

impl<T: 'static, S: Storage<T>> Drop for Slot<T, S> {
    /// A test world ends: what it created goes, or stays allocated for those who hold it.
    fn drop(&mut self) {
        self.creation.abandon(true);
        let Some(instance) = self.stored.put(None) else { return };
        if let Some(on_retire) = self.settings.on_retire {
            // Nobody is left to be told of a panic.
            _ = catch_unwind(AssertUnwindSafe(|| on_retire(&instance)));
        }
        super::drop_apart(instance);
    }
}


//! What one world, or one invocation, has of a declared singleton.

use super::bound::Bound;
use super::creation::{Creation, GiveUp};
use super::output::SingletonValue;
use super::settings::Settings;
use super::storage::{Storage, Storing};
use crate::clock::{ClockHandle, Moment};
use crate::counter::Counters;
use crate::error::caught;
use crate::scope::Universe;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

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
    /// Of one that lives for an invocation: which, and where it is counted.
    pub(super) bound: Option<Bound<T, S>>,
    /// In a world: the instances that its invocations have.
    pub(super) alive: AtomicUsize,
}

impl<T: SingletonValue, S: Storing<T>> Slot<T, S> {
    pub(super) const fn new(settings: &'static Settings<T>) -> Self {
        Self::with(settings, Counters::new(), ClockHandle::System, None)
    }

    pub(super) fn in_universe(universe: &Universe, settings: &'static Settings<T>) -> Self {
        Self::with(settings, Counters::local(), universe.clock(), None)
    }

    /// That of an invocation.
    pub(super) fn bound(bound: Bound<T, S>, settings: &'static Settings<T>) -> Self {
        let clock = bound.home().clock.clone();
        Self::with(settings, Counters::local(), clock, Some(bound))
    }

    const fn with(
        settings: &'static Settings<T>,
        accesses: Counters<1>,
        clock: ClockHandle,
        bound: Option<Bound<T, S>>,
    ) -> Self {
        Self {
            stored: S::EMPTY,
            accesses,
            creation: Creation::new(),
            retired: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            clock,
            settings,
            bound,
            alive: AtomicUsize::new(0),
        }
    }

    /// Counts an access.
    pub(super) fn hit(&self) {
        self.bound.as_ref().map_or(&self.accesses, |bound| &bound.home().accesses).hit::<0>();
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
        let comes = new.is_some();
        let old = self.stored.put(new);
        if let Some(bound) = &self.bound {
            bound.count(comes, old.is_some());
        }
        if old.is_some() && S::KEEPS {
            self.retired.fetch_add(1, Ordering::Relaxed);
        }
        old
    }
}

impl<T: 'static, S: Storage<T>> Drop for Slot<T, S> {
    /// A test world ends: what it created goes, or stays allocated for those who hold it.
    fn drop(&mut self) {
        self.creation.abandon(GiveUp::ALL);
        let Some(instance) = self.stored.put(None) else { return };
        if let Some(bound) = &self.bound {
            bound.count(false, true);
        }
        if let Some(on_retire) = self.settings.on_retire {
            // Nobody is left to be told of a panic.
            _ = caught(|| on_retire(&instance));
        }
        super::drop_apart(instance);
    }
}

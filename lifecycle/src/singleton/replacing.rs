//! A declared singleton's instance, put in place, taken away and retired.

use super::cell::Cell;
use super::creation::{Record, next_order};
use super::output::SingletonValue;
use super::slot::Slot;
use super::storage::Storing;
use crate::error::{SingletonError, caught};
use crate::registry::register;
use crate::telemetry;
use std::sync::atomic::Ordering;

impl<T: SingletonValue, S: Storing<T>> Cell<T, S> {
    /// Puts an instance in place; retires and gives what was there.
    ///
    /// # Errors
    /// For what lives for an invocation: there is none here.
    pub(super) fn put(&'static self, value: T) -> Result<Option<S::Owned>, SingletonError> {
        let slot = if S::BOUND { self.bind()? } else { self.home() };
        Ok(self.put_into(&slot, Some(value)))
    }

    /// The same, where there is no channel for an error.
    #[track_caller]
    pub(super) fn put_or_panic(&'static self, value: T) -> Option<S::Owned> {
        match self.put(value) {
            Ok(old) => old,
            Err(refused) => panic!("{refused}"),
        }
    }

    /// Takes the instance away; retires and gives it.
    pub(super) fn take(&'static self) -> Option<S::Owned> {
        self.put_into(&self.resolve(), None)
    }

    /// Takes the instance away and tells nobody; calling what it gives does.
    pub(crate) fn take_back(&'static self) -> Option<impl FnOnce() + use<T, S>> {
        let slot = self.resolve();
        let old = self.exchange(&slot, None)?;
        Some(move || self.retire(&slot, Some(old), None, "reset"))
    }

    fn put_into(&'static self, slot: &Slot<T, S>, value: Option<T>) -> Option<S::Owned> {
        let new = value.map(S::own);
        let old = self.exchange(slot, new.clone());
        self.retire(slot, old.clone(), new.as_ref(), if new.is_none() { "delete" } else { "replace" });
        old
    }

    /// Puts an instance, or none, in place; gives what was there.
    fn exchange(&'static self, slot: &Slot<T, S>, new: Option<S::Owned>) -> Option<S::Owned> {
        register(self.component());
        let taken = new.is_some();
        slot.creation.exclusively(
            |record| {
                let old = slot.put(new);
                if taken {
                    slot.replaced.fetch_add(1, Ordering::Relaxed);
                }
                slot.accesses.reset();
                let order = if taken { old.as_ref().and(record.order).or_else(|| Some(next_order())) } else { None };
                *record = Record { created_at: taken.then(|| slot.clock.wall()), order, ..Record::default() };
                old
            },
            taken,
        )
    }

    /// An instance has given way: hooks and events, with no lock held.
    pub(super) fn retire(
        &self,
        slot: &Slot<T, S>,
        old: Option<S::Owned>,
        new: Option<&S::Owned>,
        reason: &'static str,
    ) {
        let Some(old) = old else { return };
        if self.is_step() {
            // Nothing stays behind, and nobody holds it; that it ran again was told already.
            if new.is_none() {
                telemetry::step_reset(self.descriptor.name(), reason);
            }
            return;
        }
        if S::KEEPS {
            let retired = slot.retired.load(Ordering::Relaxed);
            if retired.is_power_of_two() {
                telemetry::singleton_retired(self.descriptor.name(), retired, size_of::<T>() * retired as usize);
            }
        }
        let hook = |name, run: &dyn Fn()| {
            if caught(run).is_err() {
                telemetry::singleton_hook_failed(self.descriptor.name(), name, "it panicked");
            }
        };
        if let Some((on_change, new)) = slot.settings.on_change.zip(new) {
            hook("on_change", &|| on_change(&old, new));
        }
        if let Some(on_retire) = slot.settings.on_retire {
            hook("on_retire", &|| on_retire(&old));
        }
        telemetry::singleton_reset(self.descriptor.name(), reason);
        super::drop_apart(old);
    }
}

//! What of a keyed singleton does not depend on its types.

use super::any::{AnySingleton, HookOf, Snapped, SnapshotHook, mismatch};
use super::asking::Asking;
use super::creation::GiveUp;
use super::drop_apart;
use super::face::Seen;
use super::hooks::{HealthRun, HookResult, HookRun};
use super::kept::keep;
use super::keyed::{Entry, Keyed, KeyedCell, SingletonKey};
use super::output::SingletonValue;
use super::running::Running;
use super::settings::{Dependency, Settings};
use crate::error::{Error, SINGLETON, SingletonError, caught};
use crate::instance::{AnyInstance, Instance};
use crate::registry::{Descriptor, SingletonSnapshot};
use crate::scope::OverrideGuard;
use crate::telemetry;
use std::any::{Any, TypeId, type_name};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl<K: SingletonKey, T: SingletonValue> KeyedCell<K, T> {
    fn by_label(&'static self, label: &str) -> Option<(K, Keyed<T>)> {
        self.with_instances().into_iter().find(|(key, _)| (self.label)(key) == label)
    }

    fn hooks<R: 'static>(&'static self, hook: Option<impl Fn(Arc<T>) -> R + Copy + Send + 'static>) -> Vec<HookOf<R>> {
        let Some(hook) = hook else { return Vec::new() };
        let all = self.with_instances().into_iter().filter_map(|(_, keyed)| {
            let instance = keyed.instance?;
            let run: Box<dyn FnOnce() -> R + Send> = Box::new(move || hook(instance));
            Some((keyed.entry.descriptor.name().to_owned(), run))
        });
        all.collect()
    }

    fn settings(&self) -> &'static Settings<T> {
        self.slots.process().settings
    }

    fn not_possible(&self) -> Error {
        Error::NotPossible {
            name: self.descriptor.name().to_owned(),
            reason: "a keyed singleton has one instance a key: `delete` the key's, or override what its function calls",
        }
    }

    fn unreachable(&self) -> SingletonError {
        SingletonError::NotReachable {
            what: SINGLETON,
            name: self.descriptor.name().to_owned(),
            why: "a keyed singleton is created by calling its function with the key; by name ask for one that exists, \
                  `name[key]`",
        }
    }
}

impl<K: SingletonKey, T: SingletonValue> AnySingleton for KeyedCell<K, T> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn type_name(&self) -> &'static str {
        type_name::<T>()
    }

    fn value_type(&self) -> Option<TypeId> {
        Some(TypeId::of::<T>())
    }

    fn observe(&'static self) -> Vec<SingletonSnapshot> {
        let slots = self.resolve();
        let entries = self.with_instances();
        let memory = self.settings().memory;
        let mut all = Vec::with_capacity(entries.len() + 1);
        let declared = self.settings().depends_on;
        let whole = Seen { accesses: slots.accesses.read(0), declared, ..Seen::default() };
        let mut whole = whole.snapshot(&self.descriptor, type_name::<T>(), size_of::<T>());
        whole.keys = Some(entries.len());
        whole.unkept = slots.unkept.load(Ordering::Relaxed);
        all.push(whole);
        for (_, keyed) in entries {
            let Some(instance) = keyed.instance else { continue };
            let seen = Seen {
                created: true,
                accesses: keyed.entry.accesses.read(0),
                // A hook that panics knows nothing.
                heap: memory.map(|memory| caught(|| memory(&instance)).unwrap_or(0)),
                record: keyed.entry.creation.record(),
                ..Seen::default()
            };
            let mut one = seen.snapshot(&keyed.entry.descriptor, type_name::<T>(), size_of::<T>());
            one.declared_at = self.descriptor.declared_at();
            let key = &one.name[self.descriptor.name().len()..];
            one.path = format!("{}{key}", self.descriptor.path());
            all.push(one);
            drop_apart(instance);
        }
        all
    }

    fn delete_any(&'static self) -> usize {
        let slots = self.resolve();
        let mut all: Vec<_> = self
            .with_instances()
            .into_iter()
            .map(|(key, keyed)| (keyed.entry.creation.order(), key, keyed.entry))
            .collect();
        all.sort_by_key(|(order, ..)| std::cmp::Reverse(*order));
        let taken = all.into_iter().filter_map(|(_, key, entry)| {
            let taken = Self::take(&slots, &key, &entry)?;
            self.let_go(&entry, taken);
            Some(())
        });
        let taken = taken.count();
        slots.keys.idle_again();
        taken
    }

    fn delete_key(&'static self, label: &str) -> bool {
        let slots = self.resolve();
        let Some((key, keyed)) = self.by_label(label) else { return false };
        let taken = Self::take(&slots, &key, &keyed.entry);
        slots.keys.idle_again();
        match taken {
            Some(taken) => {
                self.let_go(&keyed.entry, taken);
                true
            }
            None => false,
        }
    }

    fn needs(&'static self) -> Vec<usize> {
        let entries = self.with_instances().into_iter();
        entries.flat_map(|(_, keyed)| keyed.entry.creation.record().needs()).collect()
    }

    fn dependencies(&self) -> &'static [Dependency] {
        self.settings().depends_on
    }

    fn exists(&'static self) -> bool {
        !self.with_instances().is_empty()
    }

    fn existing_any(&'static self, key: &str) -> Option<AnyInstance> {
        let (_, keyed) = self.by_label(key)?;
        keyed.instance.map(|instance| Instance::Shared(instance as _))
    }

    fn ask_any(&'static self, key: &str) -> Result<Option<AnyInstance>, SingletonError> {
        if key.is_empty() {
            return Err(self.unreachable());
        }
        let Some((_, keyed)) = self.by_label(key) else { return Ok(None) };
        keyed.entry.accesses.hit::<0>();
        self.resolve().accesses.hit::<0>();
        Ok(keyed.instance.map(|instance| Instance::Shared(instance as _)))
    }

    fn ask_any_async(&'static self) -> Asking<AnyInstance> {
        let refused = self.unreachable();
        Box::pin(async move { Err(refused) })
    }

    fn reload_any(&'static self) -> Result<AnyInstance, SingletonError> {
        Err(self.unreachable())
    }

    fn reload_any_async(&'static self) -> Asking<AnyInstance> {
        self.ask_any_async()
    }

    fn replace_any(
        &'static self,
        _: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<Option<AnyInstance>, Error> {
        Err(if found == type_name::<T>() {
            self.not_possible()
        } else {
            mismatch(self.descriptor.name(), found, type_name::<T>())
        })
    }

    fn override_any(&'static self, _: Box<dyn Any + Send + Sync>, _: &'static str) -> Result<OverrideGuard, Error> {
        Err(self.not_possible())
    }

    fn order(&'static self) -> Option<u64> {
        self.with_instances().iter().filter_map(|(_, keyed)| keyed.entry.creation.order()).max()
    }

    fn abandon(&'static self, which: GiveUp<'_>) {
        for (_, keyed) in self.resolve().keys.entries() {
            keyed.entry.creation.abandon(which);
        }
    }

    fn shutdown_hooks(&'static self) -> Vec<HookOf<HookRun<'static>>> {
        // The process ends: an instance may as well stay for ever.
        self.hooks(self.settings().shutdown.map(|hook| move |instance: Arc<T>| hook(&**keep(instance))))
    }

    fn reset_hooks(&'static self) -> Vec<HookOf<HookResult>> {
        self.hooks(self.settings().reset.map(|hook| move |instance: Arc<T>| hook(&instance)))
    }

    fn pressure_hooks(&'static self) -> Vec<HookOf<usize>> {
        self.hooks(self.settings().pressure.map(|hook| move |instance: Arc<T>| hook(&instance)))
    }

    fn snapshot_hooks(&'static self, when: Snapped) -> Vec<SnapshotHook> {
        let Some(hook) = self.settings().around(when) else { return Vec::new() };
        let all = self.with_instances().into_iter().filter_map(|(_, keyed)| {
            let (name, order) = (keyed.entry.descriptor.name().to_owned(), keyed.entry.creation.order());
            Some(SnapshotHook { name, order, run: Running::in_two(hook, keyed.instance?) })
        });
        all.collect()
    }

    fn restored(&'static self) {
        for (_, keyed) in self.resolve().keys.entries() {
            keyed.entry.creation.restored();
        }
    }

    fn health_hooks(&'static self) -> Vec<HookOf<HealthRun>> {
        self.hooks(self.settings().health_ref.map(|hook| move |instance: Arc<T>| HealthRun::Done(hook(&instance))))
    }
}

impl<K: SingletonKey, T: SingletonValue> KeyedCell<K, T> {
    /// An instance was taken out of the map: hooks and events, with no lock held.
    fn let_go(&self, entry: &Entry<T>, instance: Arc<T>) {
        if let Some(on_retire) = self.settings().on_retire {
            if caught(|| on_retire(&instance)).is_err() {
                telemetry::singleton_hook_failed(entry.descriptor.name(), "on_retire", "it panicked");
            }
        }
        telemetry::singleton_reset(entry.descriptor.name(), "delete");
        drop_apart(instance);
    }
}

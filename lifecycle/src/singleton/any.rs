//! A declared singleton without its type: for lists, the by-name core, handles, warm-up and shutdown.

use super::asking::{Ask, Asking};
use super::cell::Cell;
use super::creation::GiveUp;
use super::hooks::{HealthRun, HookResult, HookRun};
use super::output::SingletonValue;
use super::running::Running;
use super::settings::Dependency;
use super::storage::Storing;
use crate::error::{Error, SingletonError};
use crate::instance::AnyInstance;
use crate::registry::{Descriptor, SingletonSnapshot};
use crate::scope::OverrideGuard;
use std::any::{Any, TypeId, type_name};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// One instance's hook: its label and what it gives.
#[doc(hidden)]
pub type HookOf<R> = (String, Box<dyn FnOnce() -> R + Send>);

/// When a hook runs that has to do with snapshots of the process.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapped {
    /// One is about to be taken.
    Before,
    /// The process went on from one.
    After,
}

/// One instance's hook around a snapshot.
#[doc(hidden)]
#[derive(Debug)]
pub struct SnapshotHook {
    /// The instance's label.
    pub name: String,
    /// Its place in the order of storing.
    pub order: Option<u64>,
    /// The hook: its first poll runs what may block.
    pub run: Running,
}

/// A declared singleton whose type is not known: what lists, reports and the by-name core work with.
#[doc(hidden)]
pub trait AnySingleton: std::fmt::Debug + Send + Sync {
    /// Who it is.
    fn descriptor(&self) -> &Descriptor;
    /// The full name of its type.
    fn type_name(&self) -> &'static str;
    /// Its type, once it is known.
    fn value_type(&self) -> Option<TypeId>;
    /// Its state and counts; keyed ones have one entry for themselves and one for each key.
    fn observe(&'static self) -> Vec<SingletonSnapshot>;
    /// Takes away what exists. Gives its number.
    fn delete_any(&'static self) -> usize;
    /// Takes one key's instance away.
    fn delete_key(&'static self, _key: &str) -> bool {
        false
    }
    /// What it was observed to use while it was created: the addresses of their descriptors.
    fn needs(&'static self) -> Vec<usize>;
    /// What it declares to use.
    fn dependencies(&self) -> &'static [Dependency] {
        &[]
    }
    /// Has it an instance?
    fn exists(&'static self) -> bool;

    /// The instance if it exists; never creates. `key` is empty but for keyed ones.
    fn existing_any(&'static self, key: &str) -> Option<AnyInstance>;
    /// The instance, created by its factory if need be; counted.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    fn ask_any(&'static self, key: &str) -> Result<Option<AnyInstance>, SingletonError>;
    /// As [`ask_any`](Self::ask_any), also where the factory is a future.
    fn ask_any_async(&'static self) -> Asking<AnyInstance>;
    /// The factory again.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    fn reload_any(&'static self) -> Result<AnyInstance, SingletonError>;
    /// As [`reload_any`](Self::reload_any), also where the factory is a future.
    fn reload_any_async(&'static self) -> Asking<AnyInstance>;
    /// Puts `value` in the instance's place; gives what was there.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] when `value` has another type; nothing is changed then.
    fn replace_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<Option<AnyInstance>, Error>;
    /// Lets `value` stand in for the instance.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] when `value` has another type.
    fn override_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<OverrideGuard, Error>;

    /// Is `warm_up` to create it?
    fn is_eager(&self) -> bool {
        false
    }
    /// How long somebody waits for its factory, if that is said.
    fn init_timeout(&self) -> Option<Duration> {
        None
    }
    /// Is its factory a future?
    fn is_async(&self) -> bool {
        false
    }
    /// The failed creation and what made it fail, down to what failed first; empty after a success.
    fn failed_path(&'static self) -> Vec<String> {
        Vec::new()
    }
    /// Its place in the order of storing.
    fn order(&'static self) -> Option<u64> {
        None
    }
    /// Gives up its factory's future, if it is one of those.
    fn abandon(&'static self, _which: GiveUp<'_>) {}
    /// Its shutdown hook, for each instance that exists.
    fn shutdown_hooks(&'static self) -> Vec<HookOf<HookRun<'static>>> {
        Vec::new()
    }
    /// Its reset hook.
    fn reset_hooks(&'static self) -> Vec<HookOf<HookResult>> {
        Vec::new()
    }
    /// Its pressure hook; gives the bytes it freed.
    fn pressure_hooks(&'static self) -> Vec<HookOf<usize>> {
        Vec::new()
    }
    /// Its hook before or after a snapshot, for each instance that exists.
    fn snapshot_hooks(&'static self, _when: Snapped) -> Vec<SnapshotHook> {
        Vec::new()
    }
    /// The clock may read anything now: what is made anew from time to time is due, and no pause goes on.
    fn restored(&'static self) {}
    /// Its health check.
    fn health_hooks(&'static self) -> Vec<HookOf<HealthRun>> {
        Vec::new()
    }
}

pub(super) fn mismatch(name: &str, expected: &'static str, found: &'static str) -> Error {
    Error::TypeMismatch { name: name.to_owned(), expected, found }
}

impl<T: SingletonValue, S: Storing<T>> Cell<T, S> {
    fn typed(&self, value: Box<dyn Any + Send + Sync>, found: &'static str) -> Result<T, Error> {
        // It holds a `T`, and `found` was offered.
        value.downcast::<T>().map(|value| *value).map_err(|_| mismatch(self.descriptor.name(), found, type_name::<T>()))
    }

    fn hook<R>(&'static self, hook: Option<impl FnOnce(S::Owned) -> R + Send + 'static>) -> Vec<HookOf<R>> {
        let run = hook.zip(self.owned()).map(|(hook, instance)| {
            let run: Box<dyn FnOnce() -> R + Send> = Box::new(move || hook(instance));
            (self.descriptor.name().to_owned(), run)
        });
        run.into_iter().collect()
    }
}

impl<T: SingletonValue, S: Storing<T>> AnySingleton for Cell<T, S> {
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
        vec![self.look().snapshot(&self.descriptor, type_name::<T>(), size_of::<T>())]
    }

    fn delete_any(&'static self) -> usize {
        usize::from(self.take().is_some())
    }

    fn needs(&'static self) -> Vec<usize> {
        self.resolve().creation.record().needs()
    }

    fn dependencies(&self) -> &'static [Dependency] {
        self.settings().depends_on
    }

    fn exists(&'static self) -> bool {
        self.owned().is_some()
    }

    fn existing_any(&'static self, key: &str) -> Option<AnyInstance> {
        if key.is_empty() { self.owned().map(|instance| S::share(instance).into_any()) } else { None }
    }

    fn ask_any(&'static self, key: &str) -> Result<Option<AnyInstance>, SingletonError> {
        if !key.is_empty() {
            return Ok(None);
        }
        let instance = match self.hot() {
            Some(found) => S::handed_instance(found),
            None => self.ask()?,
        };
        Ok(Some(instance.into_any()))
    }

    fn ask_any_async(&'static self) -> Asking<AnyInstance> {
        let asked = self.ask_async();
        Box::pin(async move { asked.await.map(crate::instance::Instance::into_any) })
    }

    fn reload_any(&'static self) -> Result<AnyInstance, SingletonError> {
        self.reload().map(crate::instance::Instance::into_any)
    }

    fn reload_any_async(&'static self) -> Asking<AnyInstance> {
        let reloaded = self.reload_async();
        Box::pin(async move { reloaded.await.map(crate::instance::Instance::into_any) })
    }

    fn replace_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<Option<AnyInstance>, Error> {
        Ok(self.put(self.typed(value, found)?)?.map(|old| S::share(old).into_any()))
    }

    fn override_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<OverrideGuard, Error> {
        Ok(self.override_with(self.typed(value, found)?))
    }

    fn is_eager(&self) -> bool {
        self.settings().eager
    }

    fn init_timeout(&self) -> Option<Duration> {
        self.settings().limits.init_timeout
    }

    fn is_async(&self) -> bool {
        matches!(self.ask_kind(), Ask::Async(_))
    }

    fn failed_path(&'static self) -> Vec<String> {
        self.resolve().creation.record().failed_path.iter().map(ToString::to_string).collect()
    }

    fn order(&'static self) -> Option<u64> {
        self.resolve().creation.order()
    }

    fn abandon(&'static self, which: GiveUp<'_>) {
        self.resolve().creation.abandon(which);
    }

    fn shutdown_hooks(&'static self) -> Vec<HookOf<HookRun<'static>>> {
        self.hook(self.settings().shutdown.map(|hook| move |instance| hook(S::forever(instance))))
    }

    fn reset_hooks(&'static self) -> Vec<HookOf<HookResult>> {
        self.hook(self.settings().reset.map(|hook| move |instance: S::Owned| hook(&instance)))
    }

    fn pressure_hooks(&'static self) -> Vec<HookOf<usize>> {
        self.hook(self.settings().pressure.map(|hook| move |instance: S::Owned| hook(&instance)))
    }

    fn snapshot_hooks(&'static self, when: Snapped) -> Vec<SnapshotHook> {
        let one = self.settings().around(when).zip(self.owned()).map(|(hook, instance)| SnapshotHook {
            name: self.descriptor.name().to_owned(),
            order: self.resolve().creation.order(),
            run: Running::in_two(hook, instance),
        });
        one.into_iter().collect()
    }

    fn restored(&'static self) {
        let slot = self.resolve();
        if let (Some(due), Some(_)) = (slot.stored.due(), slot.settings.refresh) {
            // Without an instance the next access makes one anyway.
            due.store(0, Ordering::Relaxed);
        }
        slot.creation.restored();
    }

    fn health_hooks(&'static self) -> Vec<HookOf<HealthRun>> {
        let lasting = self.settings().health.map(|hook| move |instance| hook(S::forever(instance)));
        let passing = self.settings().health_ref.map(|hook| move |instance: S::Owned| HealthRun::Done(hook(&instance)));
        let mut all = self.hook(lasting);
        all.extend(self.hook(passing));
        all
    }
}

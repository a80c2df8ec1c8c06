//! A singleton whose type its static cannot name: a function in an `impl` block whose signature says `Self`.
//!
//! A static is shared by all instantiations of a generic `impl`, so every read checks the type: the second type is told which
//! one the static belongs to, instead of being handed somebody else's value.

use super::any::{AnySingleton, mismatch};
use super::asking::{Ask, Asking};
use super::cell::SingletonCell;
use super::output::SingletonValue;
use super::settings::Settings;
use crate::error::{CreateError, Error, SingletonError};
use crate::instance::{AnyInstance, Instance};
use crate::registry::{Component, Descriptor, SingletonSnapshot, register};
use crate::scope::OverrideGuard;
use std::any::{Any, TypeId, type_name};
use std::sync::OnceLock;

struct Erased(Box<dyn Any + Send + Sync>);

static NO_SETTINGS: Settings<Erased> = Settings::new();

/// The home of one such singleton. Expansions put it into a static.
#[doc(hidden)]
pub struct ErasedCell {
    cell: SingletonCell<Erased>,
    /// Known from the first call on.
    known: OnceLock<(TypeId, &'static str, usize)>,
}

impl std::fmt::Debug for ErasedCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.cell.fmt(f)
    }
}

impl ErasedCell {
    /// A singleton that does not exist yet.
    #[must_use]
    pub const fn new(descriptor: Descriptor) -> Self {
        Self { cell: SingletonCell::new(descriptor, &NO_SETTINGS, Ask::Never), known: OnceLock::new() }
    }

    /// The instance, created by `factory` if there is none.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    ///
    /// # Panics
    /// When the function belongs to a generic `impl` and was called for another type before.
    #[track_caller]
    pub fn get_or_create<T: SingletonValue, E>(
        &'static self,
        factory: impl Fn() -> Result<T, E>,
        describe: fn(&E) -> String,
    ) -> Result<&'static T, CreateError<E>> {
        let known = self.known.get_or_init(|| (TypeId::of::<T>(), type_name::<T>(), size_of::<T>()));
        if known.0 != TypeId::of::<T>() {
            self.other_type(known.1, type_name::<T>());
        }
        let erased = match self.cell.hot() {
            Some(found) => found,
            None => {
                // Before the cell inside does so for itself.
                register(Component::Singleton(self));
                self.cell.create(&mut || factory().map(|value| Erased(Box::new(value))), describe)?
            }
        };
        match erased.0.downcast_ref() {
            Some(instance) => Ok(instance),
            None => self.other_type(known.1, type_name::<T>()),
        }
    }

    #[cold]
    #[track_caller]
    fn other_type(&self, known: &str, asked: &str) -> ! {
        panic!(
            "singleton `{}` is one value, a {known}, and was asked for as a {asked}: a function in a generic impl has one static \
             for all types, so write the function outside it, once a type",
            self.cell.descriptor.name()
        )
    }

    fn erase(&self, value: Box<dyn Any + Send + Sync>, found: &'static str) -> Result<Erased, Error> {
        match self.known.get() {
            Some((id, ..)) if (*value).type_id() == *id => Ok(Erased(value)),
            Some((_, expected, _)) => Err(mismatch(self.cell.descriptor.name(), expected, found)),
            None => Err(Error::NotPossible {
                name: self.cell.descriptor.name().to_owned(),
                reason: "its signature says `Self`, so its type is known from the first call on only",
            }),
        }
    }
}

fn inner(instance: AnyInstance) -> AnyInstance {
    match instance {
        Instance::Static(any) => Instance::Static(any.downcast_ref::<Erased>().map_or(any, |erased| &*erased.0)),
        shared @ Instance::Shared(_) => shared,
    }
}

impl AnySingleton for ErasedCell {
    fn descriptor(&self) -> &Descriptor {
        &self.cell.descriptor
    }

    fn type_name(&self) -> &'static str {
        self.known.get().map_or("Self", |known| known.1)
    }

    fn value_type(&self) -> Option<TypeId> {
        self.known.get().map(|known| known.0)
    }

    fn observe(&'static self) -> Vec<SingletonSnapshot> {
        let size = self.known.get().map_or(0, |known| known.2);
        let mut seen = self.cell.look();
        // The cell inside knows the box only.
        seen.retired_bytes = seen.retired.saturating_mul(size as u64);
        vec![seen.snapshot(&self.cell.descriptor, self.type_name(), size)]
    }

    fn delete_any(&'static self) -> usize {
        self.cell.delete_any()
    }

    fn needs(&'static self) -> Vec<usize> {
        self.cell.needs()
    }

    fn failed_path(&'static self) -> Vec<String> {
        self.cell.failed_path()
    }

    fn order(&'static self) -> Option<u64> {
        self.cell.order()
    }

    fn exists(&'static self) -> bool {
        self.cell.exists()
    }

    fn existing_any(&'static self, key: &str) -> Option<AnyInstance> {
        self.cell.existing_any(key).map(inner)
    }

    fn ask_any(&'static self, key: &str) -> Result<Option<AnyInstance>, SingletonError> {
        Ok(self.cell.ask_any(key)?.map(inner))
    }

    fn ask_any_async(&'static self) -> Asking<AnyInstance> {
        let asked = self.cell.ask_any_async();
        Box::pin(async move { asked.await.map(inner) })
    }

    fn reload_any(&'static self) -> Result<AnyInstance, SingletonError> {
        self.cell.reload_any().map(inner)
    }

    fn reload_any_async(&'static self) -> Asking<AnyInstance> {
        let reloaded = self.cell.reload_any_async();
        Box::pin(async move { reloaded.await.map(inner) })
    }

    fn replace_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<Option<AnyInstance>, Error> {
        let value = self.erase(value, found)?;
        Ok(self.cell.put(value)?.map(|old| inner(Instance::Static(old))))
    }

    fn override_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<OverrideGuard, Error> {
        Ok(self.cell.override_with(self.erase(value, found)?))
    }
}

//! The faces of a declared singleton: without its type for lists and the by-name core, with it for users.

use super::cell::SingletonCell;
use super::creation::Record;
use super::output::SingletonValue;
use crate::clock::unix_seconds;
use crate::error::{Error, SingletonError};
use crate::registry::{Descriptor, SingletonSnapshot};
use crate::scope::OverrideGuard;
use std::any::Any;

/// A declared singleton whose type is not known: what lists, reports and the by-name core work with.
pub trait AnySingleton: std::fmt::Debug + Send + Sync {
    /// Who it is.
    fn descriptor(&self) -> &Descriptor;
    /// The full name of its type.
    fn type_name(&self) -> &'static str;
    /// The instance if it exists; never creates.
    fn existing(&'static self) -> Option<&'static (dyn Any + Send + Sync)>;
    /// The instance, created by its factory if need be; counted.
    ///
    /// # Errors
    /// [`SingletonError`]: the factory's error, or a cycle.
    fn ask_any(&'static self) -> Result<&'static (dyn Any + Send + Sync), SingletonError>;
    /// Puts `value` in the instance's place and retires that.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] when `value` has another type; nothing is changed then.
    fn replace_any(&'static self, value: Box<dyn Any + Send + Sync>, found: &'static str) -> Result<bool, Error>;
    /// Retires the instance. Gives false when there is none.
    fn delete_any(&'static self) -> bool;
    /// Its state and counts.
    fn observe(&'static self) -> SingletonSnapshot;
}

impl<T: SingletonValue> AnySingleton for SingletonCell<T> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<T>()
    }

    fn existing(&'static self) -> Option<&'static (dyn Any + Send + Sync)> {
        self.get().map(|instance| instance as _)
    }

    fn ask_any(&'static self) -> Result<&'static (dyn Any + Send + Sync), SingletonError> {
        self.ask().map(|instance| instance as _)
    }

    fn replace_any(&'static self, value: Box<dyn Any + Send + Sync>, found: &'static str) -> Result<bool, Error> {
        let value = value.downcast::<T>().map_err(|_| Error::TypeMismatch {
            name: self.descriptor.name().to_owned(),
            expected: std::any::type_name::<T>(),
            found,
        })?;
        Ok(self.put(Some(*value)).is_some())
    }

    fn delete_any(&'static self) -> bool {
        self.put(None).is_some()
    }

    fn observe(&'static self) -> SingletonSnapshot {
        self.look().snapshot(&self.descriptor, std::any::type_name::<T>(), size_of::<T>())
    }
}

/// What a singleton looks like at one moment, declared or by name.
pub(super) struct Seen {
    pub(super) created: bool,
    pub(super) accesses: u64,
    pub(super) retired: u64,
    pub(super) record: Record,
}

impl Seen {
    pub(super) fn snapshot(self, descriptor: &Descriptor, type_name: &str, size: usize) -> SingletonSnapshot {
        let record = self.record;
        SingletonSnapshot {
            name: descriptor.name().to_owned(),
            path: descriptor.path(),
            declared_at: descriptor.declared_at(),
            type_name: short_type_name(type_name),
            created: self.created,
            accesses: self.accesses,
            created_at: record.created_at.map(unix_seconds),
            creation_us: record.took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
            order: record.order,
            thread: record.thread,
            asked_by: record.asked_by,
            depends_on: record.depends_on,
            failures: record.failures,
            last_error: record.last_error,
            retired: self.retired,
            size,
        }
    }
}

/// A type's name without the modules, with its generics: `alloc::vec::Vec<u8>` -> `Vec<u8>`.
pub(super) fn short_type_name(full: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    let mut rest = full.chars().peekable();
    while let Some(c) = rest.next() {
        if c == ':' && rest.peek() == Some(&':') {
            rest.next();
            word.clear();
        } else if c.is_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            short.push_str(&word);
            word.clear();
            short.push(c);
        }
    }
    short + &word
}

/// A type that `#[singleton]` made a lazy singleton.
///
/// The accessors are inherent too, so that no import is needed for them; this trait carries what is done less often.
///
/// ```
/// use lifecycle::{Singleton, singleton};
///
/// #[singleton]
/// #[derive(Default)]
/// struct Cache;
///
/// assert!(!Cache::is_created());
/// Cache::instance();
/// assert_eq!(Cache::stats().accesses, 1);
/// ```
pub trait Singleton: SingletonValue + Sized {
    #[doc(hidden)]
    fn __cell() -> &'static SingletonCell<Self>;

    /// The instance, created on first use.
    ///
    /// # Errors
    /// [`SingletonError`]: the factory's error (nothing is stored, the next access tries again), or a cycle.
    fn try_instance() -> Result<&'static Self, SingletonError> {
        Self::__cell().ask()
    }

    /// The instance if it exists: never creates, never waits, is not counted.
    #[must_use]
    fn get() -> Option<&'static Self> {
        Self::__cell().get()
    }

    /// Does an instance exist?
    #[must_use]
    fn is_created() -> bool {
        Self::__cell().get().is_some()
    }

    /// Puts `value` in the instance's place; gives the replaced one. Counts start again at zero.
    ///
    /// The replaced instance stays allocated for ever (references to it are `'static`) and is reported as retired.
    fn replace(value: Self) -> Option<&'static Self> {
        Self::__cell().put(Some(value))
    }

    /// Takes the instance away: the next access runs the factory again. Gives false when there is none.
    ///
    /// The instance stays allocated for ever (references to it are `'static`) and is reported as retired.
    fn delete() -> bool {
        Self::__cell().put(None).is_some()
    }

    /// Lets `value` stand in for the instance until the guard is dropped: in the test world this runs in, else on this thread.
    /// Inside a captured [`Context`](crate::Context) that is the world or thread it was captured from.
    ///
    /// The value stays allocated for ever, since references to it are `'static`.
    fn override_with(value: Self) -> OverrideGuard {
        Self::__cell().override_with(value)
    }

    /// State and counts.
    #[must_use]
    fn stats() -> SingletonSnapshot {
        Self::__cell().observe()
    }
}

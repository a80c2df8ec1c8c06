//! The declared singleton: one atomic pointer on the hot path, everything else outlined.

use super::creation::{Creation, Record};
use super::kept::keep;
use crate::clock::{ClockHandle, unix_seconds};
use crate::counter::Counters;
use crate::error::{BoxError, CreateError, Error, SingletonError};
use crate::registry::{Component, Descriptor, SingletonSnapshot, register};
use crate::scope::{self, OverrideGuard, Scoped, StateRef, Universe};
use crate::telemetry;
use std::any::Any;
use std::convert::Infallible;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// What a singleton may be: every thread gets the same `&'static` reference to it.
#[diagnostic::on_unimplemented(
    message = "a singleton is shared by all threads for ever, and `{Self}` cannot be",
    label = "must be `Send + Sync + 'static`",
    note = "wrap what is not thread-safe (`Rc` -> `Arc`, `RefCell` -> `Mutex`, `Cell` -> an atomic)"
)]
pub trait SingletonValue: Send + Sync + 'static {}
impl<T: Send + Sync + 'static> SingletonValue for T {}

/// What `factory` may give: the instance itself.
#[diagnostic::on_unimplemented(
    message = "this factory gives `{Self}`, not `{T}`",
    label = "gives `{Self}`",
    note = "a factory that returns a `Result` is written `try_factory = ..`; then `try_instance()` gives the error"
)]
pub trait FactoryOutput<T> {
    #[doc(hidden)]
    fn into_instance(self) -> T;
}
impl<T> FactoryOutput<T> for T {
    #[inline]
    fn into_instance(self) -> T {
        self
    }
}

/// What `try_factory` may give: a `Result` whose error can be boxed.
#[diagnostic::on_unimplemented(
    message = "this factory gives `{Self}`, not a `Result<{T}, E>`",
    label = "gives `{Self}`",
    note = "a factory that cannot fail is written `factory = ..`; the error of one that can must be a `std::error::Error` \
            (`Send + Sync + 'static`), a `String`, an `anyhow::Error` or a boxed error"
)]
pub trait TryFactoryOutput<T> {
    #[doc(hidden)]
    #[allow(clippy::missing_errors_doc, reason = "not called by users")]
    fn into_result(self) -> Result<T, BoxError>;
}
impl<T, E: Into<BoxError>> TryFactoryOutput<T> for Result<T, E> {
    fn into_result(self) -> Result<T, BoxError> {
        self.map_err(Into::into)
    }
}

/// The home of one declared singleton. Expansions put it into a static.
pub struct SingletonCell<T: 'static> {
    slot: Scoped<InstanceSlot<T>>,
    descriptor: Descriptor,
    ask: fn() -> Result<&'static T, SingletonError>,
}

impl<T> std::fmt::Debug for SingletonCell<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SingletonCell").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

/// One world's instance.
struct InstanceSlot<T: 'static> {
    /// Null, or from [`keep`]: what it points to is never freed.
    instance: AtomicPtr<T>,
    accesses: Counters<1>,
    creation: Creation,
    retired: AtomicU64,
    clock: ClockHandle,
}

impl<T: SingletonValue> InstanceSlot<T> {
    const fn new() -> Self {
        Self {
            instance: AtomicPtr::new(ptr::null_mut()),
            accesses: Counters::new(),
            creation: Creation::new(),
            retired: AtomicU64::new(0),
            clock: ClockHandle::System,
        }
    }

    fn in_universe(universe: &Universe) -> Self {
        Self { accesses: Counters::local(), clock: universe.clock(), ..Self::new() }
    }

    #[inline(always)]
    fn current(&self) -> Option<&'static T> {
        let instance = self.instance.load(Ordering::Acquire);
        // SAFETY: a non-null pointer came from `keep` and was stored with Release; it is never freed and never handed out
        // mutably.
        (!instance.is_null()).then(|| unsafe { &*instance })
    }

    /// Puts another instance, or none, in place, under the creation's lock.
    fn swap(&self, new: Option<&'static T>) -> Option<&'static T> {
        let old = self.current();
        self.instance.store(new.map_or(ptr::null_mut(), |new| ptr::from_ref(new).cast_mut()), Ordering::Release);
        if old.is_some() {
            self.retired.fetch_add(1, Ordering::Relaxed);
        }
        old
    }
}

/// Stands in for an instance.
struct Override<T: 'static>(&'static T);

impl<T: SingletonValue> SingletonCell<T> {
    /// A singleton that does not exist yet. `ask` is how it is reached without naming its factory.
    #[must_use]
    pub const fn new(descriptor: Descriptor, ask: fn() -> Result<&'static T, SingletonError>) -> Self {
        Self { slot: Scoped::declared(InstanceSlot::new()), descriptor, ask }
    }

    /// The instance of the process, counted, if that is what is meant, it exists and this thread has counted before: the
    /// hot path. Everything else is [`create`](Self::create)'s.
    #[inline(always)]
    fn hot(&'static self) -> Option<&'static T> {
        if !scope::quiet() {
            return None;
        }
        let slot = self.slot.process();
        slot.current().filter(|_| slot.accesses.try_hit::<0>())
    }

    /// The instance, created by `factory` if there is none.
    ///
    /// # Panics
    /// When the creation needs itself; the message names the circle.
    #[inline]
    #[track_caller]
    pub fn get_or_create<R: FactoryOutput<T>>(&'static self, factory: impl FnOnce() -> R) -> &'static T {
        match self.hot() {
            Some(found) => found,
            None => self.create_or_panic(factory),
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn create_or_panic<R: FactoryOutput<T>>(&'static self, factory: impl FnOnce() -> R) -> &'static T {
        match self.create(|| Ok(factory().into_instance()), never) {
            Ok(found) => found,
            Err(CreateError::Factory(never)) => match never {},
            Err(CreateError::Refused(refused)) => panic!("{refused}"),
        }
    }

    /// The instance, created by `factory` if there is none.
    ///
    /// # Errors
    /// [`SingletonError::Cycle`] when the creation needs itself.
    #[inline]
    pub fn try_get_or_create<R: FactoryOutput<T>>(
        &'static self,
        factory: impl FnOnce() -> R,
    ) -> Result<&'static T, SingletonError> {
        match self.hot() {
            Some(found) => Ok(found),
            None => self.create(|| Ok(factory().into_instance()), never).map_err(|error| match error {
                CreateError::Factory(never) => match never {},
                CreateError::Refused(refused) => refused,
            }),
        }
    }

    /// The instance, created by a factory whose error is boxed.
    ///
    /// # Errors
    /// [`SingletonError`]: the factory's error, or a cycle.
    #[inline]
    pub fn try_create<R: TryFactoryOutput<T>>(
        &'static self,
        factory: impl FnOnce() -> R,
    ) -> Result<&'static T, SingletonError> {
        match self.hot() {
            Some(found) => Ok(found),
            None => self.create(|| factory().into_result(), error_chain).map_err(|error| match error {
                CreateError::Factory(source) => SingletonError::factory(self.descriptor.name(), source),
                CreateError::Refused(refused) => refused,
            }),
        }
    }

    /// The instance, created by a factory with an error of its own.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    #[inline]
    pub fn get_or_try_create<E>(
        &'static self,
        factory: impl FnOnce() -> Result<T, E>,
    ) -> Result<&'static T, CreateError<E>> {
        match self.hot() {
            Some(found) => Ok(found),
            None => self.create(factory, |_| format!("the factory gave a {}", std::any::type_name::<E>())),
        }
    }

    /// The instance if it exists: never creates, never waits, is not counted.
    #[inline]
    pub fn get(&'static self) -> Option<&'static T> {
        if scope::quiet() { self.slot.process().current() } else { self.get_slow() }
    }

    #[cold]
    fn get_slow(&'static self) -> Option<&'static T> {
        self.overridden().or_else(|| self.resolve().current())
    }

    /// The instance by way of its own factory.
    ///
    /// # Errors
    /// [`SingletonError`]: the factory's error, or a cycle.
    pub fn ask(&'static self) -> Result<&'static T, SingletonError> {
        (self.ask)()
    }

    fn resolve(&'static self) -> StateRef<'static, InstanceSlot<T>> {
        self.slot.resolve(InstanceSlot::in_universe)
    }

    fn overridden(&'static self) -> Option<&'static T> {
        let list = scope::overrides()?;
        list.find::<Override<T>>(self.slot.key()).map(|found| found.0)
    }

    #[cold]
    #[inline(never)]
    fn create<E>(
        &'static self,
        factory: impl FnOnce() -> Result<T, E>,
        describe: impl FnOnce(&E) -> String,
    ) -> Result<&'static T, CreateError<E>> {
        if let Some(asker) = scope::frame() {
            asker.accessed(&self.descriptor.shared_name());
        }
        let slot = self.resolve();
        let found = match self.overridden().or_else(|| slot.current()) {
            Some(found) => found,
            None => {
                register(Component::Singleton(self));
                let subject = self.descriptor.subject();
                let store = |value| {
                    let instance = keep(value);
                    slot.swap(Some(instance));
                    instance
                };
                slot.creation.once(&subject, &slot.clock, || slot.current(), factory, store, describe)?
            }
        };
        slot.accesses.hit::<0>();
        Ok(found)
    }

    fn put(&'static self, value: Option<T>) -> Option<&'static T> {
        register(Component::Singleton(self));
        let slot = self.resolve();
        let new = value.map(keep);
        let old = slot.creation.exclusively(|record| {
            let old = slot.swap(new);
            slot.accesses.reset();
            *record = Record { created_at: new.map(|_| slot.clock.wall()), ..Record::default() };
            old
        });
        if old.is_some() {
            let retired = slot.retired.load(Ordering::Relaxed);
            if retired.is_power_of_two() {
                telemetry::singleton_retired(self.descriptor.name(), retired, size_of::<T>() * retired as usize);
            }
            let reason = if new.is_none() { "delete" } else { "replace" };
            telemetry::singleton_reset(self.descriptor.name(), reason);
        }
        old
    }
}

fn never(never: &Infallible) -> String {
    match *never {}
}

/// An error with all its causes, for records.
#[allow(clippy::borrowed_box, reason = "called with a reference to the factory's error type, which is the box")]
fn error_chain(error: &BoxError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

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
        let slot = self.resolve();
        let record = slot.creation.record();
        snapshot_of(
            &self.descriptor,
            std::any::type_name::<T>(),
            slot.current().is_some(),
            slot.accesses.read(0),
            record,
            slot.retired.load(Ordering::Relaxed),
            size_of::<T>(),
        )
    }
}

/// The snapshot of a singleton, declared or by name.
pub(super) fn snapshot_of(
    descriptor: &Descriptor,
    type_name: &str,
    created: bool,
    accesses: u64,
    record: Record,
    retired: u64,
    size: usize,
) -> SingletonSnapshot {
    SingletonSnapshot {
        name: descriptor.name().to_owned(),
        path: descriptor.path(),
        source: descriptor.source(),
        type_name: short_type_name(type_name),
        created,
        accesses,
        created_at: record.created_at.map(unix_seconds),
        creation_us: record.took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
        order: record.order,
        thread: record.thread,
        asked_by: record.asked_by,
        depends_on: record.depends_on,
        failures: record.failures,
        last_error: record.last_error,
        retired,
        size,
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

    /// Lets `value` stand in for the instance on this thread (in a test world: in that world) until the guard is dropped.
    fn override_with(value: Self) -> OverrideGuard {
        let cell = Self::__cell();
        OverrideGuard::install(cell.slot.key(), Override(keep(value)))
    }

    /// State and counts.
    #[must_use]
    fn stats() -> SingletonSnapshot {
        Self::__cell().observe()
    }
}

//! The by-name face of singletons: those declared by the macro and those stored here at run time. `manage` has what does not
//! create, `awaited` what waits for async factories.

mod awaited;

use super::any::{AnySingleton, mismatch};
use super::creation::{Limits, Plan};
use super::names::{CoreState, Entry, Held};
use crate::clock::{Clock, ClockHandle};
use crate::error::{BoxError, CreateError, Error, SingletonError, chain};
use crate::instance::{AnyInstance, Instance};
use crate::name::key_of;
use crate::registry::{self, Component, Kind};
use crate::scope::{self, Scoped, StateRef};
use crate::wire::Gate;
use std::any::{TypeId, type_name};
use std::sync::Arc;
use std::time::Duration;

/// Singletons by name.
///
/// It sees what `#[singleton]` declared and holds others under names of your own. Its operations share a limit of 1000 a
/// second; the accessors of declared singletons are not charged.
///
/// ```
/// let singletons = lifecycle::singletons();
/// let words = singletons.get_or_create("words", || vec!["one", "two"])?;
/// assert_eq!(words.len(), 2);
/// assert!(singletons.get::<Vec<&str>>("words")?.is_some());
/// assert!(singletons.get::<String>("words").is_err()); // another type: an error, not a panic
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug)]
pub struct SingletonCore {
    state: Scoped<CoreState>,
}

static CORE: SingletonCore = SingletonCore { state: Scoped::declared(CoreState::new(ClockHandle::System)) };

/// The process's singleton core.
///
/// ```
/// assert!(std::ptr::eq(lifecycle::singletons(), lifecycle::singletons()));
/// ```
#[must_use]
pub fn singletons() -> &'static SingletonCore {
    &CORE
}

/// [`singletons`], by its older name.
///
/// ```
/// assert!(std::ptr::eq(lifecycle::get_singleton_manager(), lifecycle::singletons()));
/// ```
#[inline]
#[must_use]
pub fn get_singleton_manager() -> &'static SingletonCore {
    singletons()
}

impl Default for SingletonCore {
    fn default() -> Self {
        Self::new()
    }
}

impl SingletonCore {
    /// A core of its own, which sees only what is stored in it.
    ///
    /// ```
    /// let own = lifecycle::SingletonCore::new();
    /// own.set("region", 1)?;
    /// assert!(own.has("region") && !lifecycle::singletons().has("region"));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { state: Scoped::owned(CoreState::on(ClockHandle::in_force())) }
    }

    /// [`new`](Self::new), with a clock and a limit on operations of its own; `None` is no limit.
    ///
    /// ```
    /// use lifecycle::{SingletonCore, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let core = SingletonCore::with_clock_and_limit(clock.clone(), Some((1, Duration::from_secs(1))))?;
    /// core.set("a", 1)?;
    /// assert!(core.set("a", 1).is_err());
    /// clock.advance(Duration::from_millis(1001));
    /// core.set("a", 1)?;
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a limit or window of zero.
    pub fn with_clock_and_limit(clock: Arc<dyn Clock>, limit: Option<(u32, Duration)>) -> Result<Self, Error> {
        let clock = ClockHandle::Custom(clock);
        let gate = Gate::limited("singleton", clock.clone(), limit)?;
        let mut state = CoreState::on(clock);
        state.gate = gate;
        Ok(Self { state: Scoped::owned(state) })
    }

    pub(super) fn resolve(&self) -> StateRef<'_, CoreState> {
        self.state.resolve(CoreState::in_universe)
    }

    /// Pays for one operation.
    pub(super) fn charge(&self) -> Result<(), Error> {
        self.resolve().gate.charge()
    }

    /// What an operation begins with: limiter first, then the name.
    pub(super) fn begin(&self, name: &str) -> Result<StateRef<'_, CoreState>, Error> {
        let state = self.resolve();
        state.gate.charge()?;
        if name.is_empty() { Err(Error::InvalidName { kind: "Singleton" }) } else { Ok(state) }
    }

    /// The declared singleton of that name, and the key in brackets if it is a keyed one's.
    #[inline]
    pub(super) fn declared_named<'a>(
        &self,
        name: &'a str,
    ) -> Result<Option<(&'static dyn AnySingleton, &'a str)>, Error> {
        let only = if self.state.is_declared() { registry::only_singleton(name) } else { None };
        match only {
            Some(only) => Ok(Some((only, ""))),
            None => self.declared_otherwise(name),
        }
    }

    /// By a key in brackets, or not at all.
    #[cold]
    #[inline(never)]
    fn declared_otherwise<'a>(&self, name: &'a str) -> Result<Option<(&'static dyn AnySingleton, &'a str)>, Error> {
        if !self.state.is_declared() {
            return Ok(None);
        }
        let found = match registry::find(Kind::Singleton, name)? {
            Some(found) => Some((found, "")),
            // `table[users]`
            None => match key_of(name) {
                Some((base, key)) => registry::find(Kind::Singleton, base)?.map(|found| (found, key)),
                None => None,
            },
        };
        Ok(found.and_then(|(component, key)| match component {
            Component::Singleton(singleton) => Some((singleton, key)),
            _ => None,
        }))
    }

    pub(super) fn all_declared(&self) -> Vec<&'static dyn AnySingleton> {
        let pick = |component| match component {
            Component::Singleton(singleton) => Some(singleton),
            _ => None,
        };
        if self.state.is_declared() { registry::declared(pick) } else { Vec::new() }
    }

    /// The instance of that name, if there is one; counted. A declared singleton is created by its own factory, unless that
    /// is async: then an instance is given only if it exists.
    ///
    /// ```
    /// let singletons = lifecycle::singletons();
    /// singletons.set("region", "eu-west-1".to_owned())?;
    /// assert_eq!(*singletons.get::<String>("region")?.unwrap(), "eu-west-1");
    /// assert!(singletons.get::<String>("zone")?.is_none());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::InvalidName`], [`Error::TypeMismatch`], [`Error::Ambiguous`]; of a declared one
    /// also [`Error::Singleton`].
    pub fn get<T: Send + Sync + 'static>(&self, name: &str) -> Result<Option<Instance<T>>, Error> {
        let state = self.begin(name)?;
        if let Some(found) = stored(&state, name) {
            return found.map(Some);
        }
        match self.declared_named(name)? {
            Some((declared, key)) => {
                fits::<T>(declared)?;
                let found = declared.ask_any(key).or_else(unless_async)?;
                found.map(|found| typed(declared, found)).transpose()
            }
            None => Ok(None),
        }
    }

    /// The instance of that name, created by `factory` if there is none: once, however many ask. A declared singleton is
    /// created by its own factory.
    ///
    /// ```
    /// let singletons = lifecycle::singletons();
    /// let words = singletons.get_or_create("words", || vec!["one", "two"])?;
    /// let same = singletons.get_or_create("words", || vec!["not called"])?;
    /// assert!(words.same_as(&same));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`Error::Full`]; [`Error::Singleton`] when the creation needs itself.
    pub fn get_or_create<T: Send + Sync + 'static>(
        &self,
        name: &str,
        factory: impl FnOnce() -> T,
    ) -> Result<Instance<T>, Error> {
        self.get_or_try_create(name, || Ok::<_, BoxError>(factory()))
    }

    /// [`get_or_create`](Self::get_or_create) with a factory that can fail; nothing is stored then.
    ///
    /// ```
    /// let port = lifecycle::singletons().get_or_try_create("port", || "8080".parse::<u16>())?;
    /// assert_eq!(*port, 8080);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there; the factory's own error comes as [`SingletonError::Factory`].
    pub fn get_or_try_create<T: Send + Sync + 'static, E: Into<BoxError>>(
        &self,
        name: &str,
        factory: impl FnOnce() -> Result<T, E>,
    ) -> Result<Instance<T>, Error> {
        let state = self.begin(name)?;
        let entry = match self.entry_for(&state, name)? {
            Found::Here(found) => return found,
            Found::Declared(declared, key) => {
                return match declared.ask_any(key)? {
                    Some(found) => typed(declared, found),
                    None => Err(not_found(name)),
                };
            }
            Found::Vacant(entry) => entry,
        };
        let made = entry.creation.once(
            &plan::<T>(&state, &entry),
            || state.held(name),
            || factory().map(Held::new).map_err(Into::<BoxError>::into),
            |held| keep(&state, &entry, held),
            |error: &BoxError| chain(&**error),
        );
        given(&entry, made)
    }

    /// Where a creating operation finds what it is to give.
    fn entry_for<'a, T: Send + Sync + 'static>(&self, state: &CoreState, name: &'a str) -> Result<Found<'a, T>, Error> {
        if let Some(found) = stored(state, name) {
            return Ok(Found::Here(found));
        }
        let known = state.names.read(name, |named| named.entry.clone());
        let entry = match known {
            Some(entry) => entry,
            None => match self.declared_named(name)? {
                Some((declared, key)) => {
                    fits::<T>(declared)?;
                    return Ok(Found::Declared(declared, key));
                }
                None => state.entry(name)?,
            },
        };
        if let Some(asker) = scope::frame() {
            asker.accessed(entry.descriptor.subject());
        }
        Ok(Found::Vacant(entry))
    }
}

/// What a creating operation finds under a name.
enum Found<'a, T: 'static> {
    /// An instance, or one of another type.
    Here(Result<Instance<T>, Error>),
    /// A declared singleton, and a key of it.
    Declared(&'static dyn AnySingleton, &'a str),
    /// Nothing yet.
    Vacant(Arc<Entry>),
}

/// The fast path: what is stored under the name, counted; without a lock.
#[inline]
fn stored<T: Send + Sync + 'static>(state: &CoreState, name: &str) -> Option<Result<Instance<T>, Error>> {
    let found = state.names.read(name, |named| {
        let held = named.held.as_ref()?;
        let Some(instance) = held.typed::<T>() else {
            return Some(Err(held.type_name));
        };
        named.entry.accesses.hit::<0>();
        Some(Ok(instance))
    });
    let found = found.flatten()?;
    note(name, state);
    Some(found.map(Instance::Shared).map_err(|found| mismatch(name, type_name::<T>(), found)))
}

/// Notes, while a factory runs, that it reached for the name.
#[inline]
fn note(name: &str, state: &CoreState) {
    if scope::quiet() {
        return;
    }
    if let Some(asker) = scope::frame() {
        if let Some(subject) = state.names.read(name, |named| named.entry.descriptor.subject()) {
            asker.accessed(subject);
        }
    }
}

fn plan<'a, T>(state: &'a CoreState, entry: &Entry) -> Plan<'a> {
    Plan::new(entry.descriptor.subject(), type_name::<T>(), &state.clock, Limits::default())
}

/// Puts a made value in place, under its creation's lock.
fn keep(state: &CoreState, entry: &Arc<Entry>, held: Held) -> Held {
    // Nothing is there: that was looked at under the same lock.
    let before = state.put(entry, Some(held.clone()));
    debug_assert!(before.is_none(), "a value was overwritten");
    held
}

/// The outcome of a creation by name; counted.
fn given<T: Send + Sync + 'static>(
    entry: &Entry,
    made: Result<Held, CreateError<BoxError>>,
) -> Result<Instance<T>, Error> {
    let name = entry.descriptor.name();
    let held = made.map_err(|error| match error {
        CreateError::Factory(source) => SingletonError::factory(name, source),
        CreateError::Refused(refused) => refused,
    })?;
    let instance = held.typed::<T>().ok_or_else(|| mismatch(name, type_name::<T>(), held.type_name))?;
    entry.accesses.hit::<0>();
    Ok(Instance::Shared(instance))
}

/// An async factory is not run by who does not await: its singleton does not exist, that is all.
pub(super) fn unless_async<R>(error: SingletonError) -> Result<Option<R>, SingletonError> {
    if matches!(error, SingletonError::NeedsAsync { .. }) { Ok(None) } else { Err(error) }
}

/// Whether a declared singleton is a `T`: asked first, so that who is mistaken neither creates nor counts.
fn fits<T: Send + Sync + 'static>(declared: &'static dyn AnySingleton) -> Result<(), Error> {
    match declared.value_type() {
        Some(id) if id != TypeId::of::<T>() => {
            Err(mismatch(declared.descriptor().name(), type_name::<T>(), declared.type_name()))
        }
        _ => Ok(()),
    }
}

pub(super) fn not_found(name: &str) -> Error {
    crate::registry::not_found(Kind::Singleton, name)
}

fn typed<T: Send + Sync + 'static>(
    declared: &'static dyn AnySingleton,
    instance: AnyInstance,
) -> Result<Instance<T>, Error> {
    let found = declared.type_name();
    instance.downcast::<T>().map_err(|_| mismatch(declared.descriptor().name(), type_name::<T>(), found))
}

//! The by-name face of singletons: those declared by the macro and those stored here at run time.

use super::creation::Record;
use super::face::{AnySingleton, Seen, short_type_name};
use super::names::{CoreState, Entry, Held, take};
use super::stats::SingletonStats;
use crate::clock::{ClockHandle, unix_seconds};
use crate::error::{BoxError, CreateError, Error, SingletonError, chain};
use crate::instance::Instance;
use crate::registry::{self, Component, Kind, SingletonSnapshot, components};
use crate::scope::{self, Scoped, StateRef};
use crate::telemetry;
use serde_json::Value;
use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
#[must_use]
pub fn singletons() -> &'static SingletonCore {
    &CORE
}

/// [`singletons`], by its older name.
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
    #[must_use]
    pub fn new() -> Self {
        Self { state: Scoped::owned(CoreState::on(ClockHandle::in_force())) }
    }

    fn resolve(&self) -> StateRef<'_, CoreState> {
        self.state.resolve(CoreState::in_universe)
    }

    /// Pays for one operation.
    pub(super) fn charge(&self) -> Result<(), Error> {
        self.resolve().gate.charge()
    }

    /// What an operation begins with: limiter first, then the name.
    fn begin(&self, name: &str) -> Result<StateRef<'_, CoreState>, Error> {
        let state = self.resolve();
        state.gate.charge()?;
        if name.is_empty() { Err(Error::InvalidName { kind: "Singleton" }) } else { Ok(state) }
    }

    /// The declared singleton of that name, unless one stored here goes by it.
    fn declared_named(&self, name: &str) -> Result<Option<&'static dyn AnySingleton>, Error> {
        let found = if self.state.is_declared() { registry::find(Kind::Singleton, name)? } else { None };
        Ok(found.and_then(|component| match component {
            Component::Singleton(singleton) => Some(singleton),
            _ => None,
        }))
    }

    fn declared(&self) -> impl DoubleEndedIterator<Item = &'static dyn AnySingleton> {
        let declared = if self.state.is_declared() { components() } else { Vec::new() };
        declared.into_iter().filter_map(|component| match component {
            Component::Singleton(singleton) => Some(singleton),
            _ => None,
        })
    }

    /// The instance of that name, if there is one; counted. A declared singleton is created by its own factory.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::InvalidName`], [`Error::TypeMismatch`], [`Error::Ambiguous`]; of a declared one
    /// also [`Error::Singleton`].
    pub fn get<T: Send + Sync + 'static>(&self, name: &str) -> Result<Option<Instance<T>>, Error> {
        let state = self.begin(name)?;
        if let Some((entry, held)) = state.find(name) {
            return hand_out(&entry, held).map(Some);
        }
        match self.declared_named(name)? {
            Some(declared) => ask(declared).map(Some),
            None => Ok(None),
        }
    }

    /// The instance of that name, created by `factory` if there is none: once, however many ask. A declared singleton is
    /// created by its own factory.
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
    /// # Errors
    /// As there; the factory's own error comes as [`SingletonError::Factory`].
    pub fn get_or_try_create<T: Send + Sync + 'static, E: Into<BoxError>>(
        &self,
        name: &str,
        factory: impl FnOnce() -> Result<T, E>,
    ) -> Result<Instance<T>, Error> {
        let state = self.begin(name)?;
        let entry = match state.names.get(name) {
            Some(entry) => entry,
            None => match self.declared_named(name)? {
                Some(declared) => return ask(declared),
                None => state.entry(name)?,
            },
        };
        let subject = entry.descriptor.subject();
        if let Some(asker) = scope::frame() {
            asker.accessed(subject.name.clone());
        }
        let held = match entry.held() {
            Some(held) => held,
            None => {
                let store = |value: Arc<T>| {
                    state.store(&entry, value);
                    entry.held()
                };
                let made = entry.creation.once(
                    &subject,
                    &state.clock,
                    || entry.held().map(Some),
                    || factory().map(Arc::new).map_err(Into::<BoxError>::into),
                    store,
                    |error: &BoxError| chain(&**error),
                );
                let held = made.map_err(|error| match error {
                    CreateError::Factory(source) => SingletonError::factory(name, source),
                    CreateError::Refused(refused) => refused,
                })?;
                match held {
                    Some(held) => held,
                    // Stored and taken away again under the creation's lock: impossible, since taking away needs that lock.
                    None => {
                        return Err(Error::NotFound { kind: Kind::Singleton.as_str(), name: name.to_owned() });
                    }
                }
            }
        };
        hand_out(&entry, held)
    }

    /// Stores `value` under that name; an earlier instance gives way (whoever holds it keeps it) and counts start again.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::InvalidName`], [`Error::Full`]; for a declared singleton [`Error::TypeMismatch`].
    pub fn set<T: Send + Sync + 'static>(&self, name: &str, value: T) -> Result<(), Error> {
        let state = self.begin(name)?;
        let entry = match (state.names.get(name), self.declared_named(name)) {
            (Some(entry), _) => entry,
            (None, Ok(Some(declared))) => {
                return declared.replace_any(Box::new(value), type_name::<T>()).map(drop);
            }
            (None, Ok(None)) => state.entry(name)?,
            (None, Err(ambiguous)) => return Err(ambiguous),
        };
        let value = Arc::new(value);
        let old = entry.creation.exclusively(|record| {
            *record = Record { created_at: Some(state.clock.wall()), ..Record::default() };
            entry.accesses.reset();
            state.store(&entry, value)
        });
        drop_apart(old);
        Ok(())
    }

    /// Is there an instance of that name? Never refused, never counted.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self.resolve().names.get(name).and_then(|entry| entry.seen()) {
            Some(_) => true,
            None => {
                matches!(self.declared_named(name), Ok(Some(declared)) if declared.existing().is_some())
            }
        }
    }

    /// Takes the instance of that name away; false when there is none. A declared one is retired: its memory stays.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::InvalidName`], [`Error::Ambiguous`].
    pub fn delete(&self, name: &str) -> Result<bool, Error> {
        let state = self.begin(name)?;
        if let Some(held) = state.names.get(name).and_then(|entry| take(&entry)) {
            state.names.idle_again();
            drop_apart(Some(held));
            telemetry::singleton_reset(name, "delete");
            return Ok(true);
        }
        Ok(self.declared_named(name)?.is_some_and(AnySingleton::delete_any))
    }

    /// Takes every instance away, the newest first; gives their number. Values made here are dropped (one whose destructor
    /// panics does not stop the rest), declared ones are retired: their memory stays.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub fn clear(&self) -> Result<usize, Error> {
        let state = self.resolve();
        state.gate.charge()?;
        let mut removed = 0;
        for (entry, _) in state.holding().into_iter().rev() {
            if let Some(taken) = take(&entry) {
                drop_apart(Some(taken));
                removed += 1;
            }
        }
        state.names.idle_again();
        removed += self.declared().rev().filter(|declared| declared.delete_any()).count();
        Ok(removed)
    }

    /// Older name of [`clear`](Self::clear).
    ///
    /// # Errors
    /// As there.
    #[deprecated(note = "use `clear`")]
    pub fn reset_all(&self) -> Result<usize, Error> {
        self.clear()
    }

    /// Older name of [`has`](Self::has).
    #[must_use]
    #[deprecated(note = "use `has`")]
    pub fn exists(&self, name: &str) -> bool {
        self.has(name)
    }

    /// The core's numbers: the instances that exist. Never refused, changes no count.
    #[must_use]
    pub fn get_stats(&self) -> SingletonStats {
        let state = self.resolve();
        let seen: Vec<_> = self.observe_all().into_iter().filter(|one| one.created).collect();
        SingletonStats::of(&seen, state.gate.rejected(), unix_seconds(state.clock.wall()))
    }

    /// What is declared, created or not.
    #[must_use]
    pub fn declared_singletons(&self) -> Vec<SingletonSnapshot> {
        self.declared().map(AnySingleton::observe).collect()
    }

    fn observe_all(&self) -> Vec<SingletonSnapshot> {
        let mut all = self.declared_singletons();
        all.sort_by_key(|one| one.order);
        all.extend(self.observe_dynamic());
        all
    }

    /// What [`snapshot`](crate::snapshot) lists beside the declared ones.
    pub(crate) fn observe_dynamic(&self) -> Vec<SingletonSnapshot> {
        let holding = self.resolve().holding().into_iter();
        holding
            .map(|(entry, held)| {
                let (accesses, record) = (entry.accesses.read(0), entry.creation.record());
                let seen = Seen { created: true, accesses, retired: 0, record };
                seen.snapshot(&entry.descriptor, held.type_name, held.size)
            })
            .collect()
    }

    /// Empties the limit's window and forgets its refusals; instances stay.
    ///
    /// # Errors
    /// [`Error::RateLimited`]; [`reset_unlimited`](Self::reset_unlimited) is never refused.
    pub fn reset(&self) -> Result<(), Error> {
        self.charge()?;
        self.reset_unlimited();
        Ok(())
    }

    /// [`reset`](Self::reset), by the name that says what it does.
    ///
    /// # Errors
    /// As there.
    pub fn reset_limiter(&self) -> Result<(), Error> {
        self.reset()
    }

    /// [`reset`](Self::reset) for the operator: never refused.
    pub fn reset_unlimited(&self) {
        self.resolve().gate.reset();
        telemetry::core_reset("singleton");
    }

    /// Changes the limit on operations: at most `limit` in any `window`; `None` removes it.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a limit or window of zero.
    pub fn set_rate_limit(&self, limit: Option<(u32, Duration)>) -> Result<(), Error> {
        self.resolve().gate.set_rate_limit(limit)
    }

    /// `get` for the wire: JSON values as they are, others described.
    pub(super) fn get_value(&self, name: &str) -> Result<Value, Error> {
        let state = self.begin(name)?;
        let describe = |type_name| serde_json::json!({ "name": name, "type": short_type_name(type_name) });
        if let Some((entry, held)) = state.find(name) {
            entry.accesses.hit::<0>();
            return Ok(held.value.downcast_ref::<Value>().cloned().unwrap_or_else(|| describe(held.type_name)));
        }
        let Some(declared) = self.declared_named(name)? else {
            return Ok(Value::Null);
        };
        let instance = declared.ask_any()?;
        Ok(instance.downcast_ref::<Value>().cloned().unwrap_or_else(|| describe(declared.type_name())))
    }
}

/// Drops a user's value with no lock held, and does not let its panic stop what comes after.
fn drop_apart(held: Option<Held>) {
    // Whatever a half-dropped value leaves behind is unreachable afterwards.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(held))) {
        std::mem::forget(panic);
    }
}

fn mismatch<T>(name: &str, found: &'static str) -> Error {
    Error::TypeMismatch { name: name.to_owned(), expected: type_name::<T>(), found }
}

fn hand_out<T: Send + Sync + 'static>(entry: &Entry, held: Held) -> Result<Instance<T>, Error> {
    let found = held.type_name;
    let instance = held.value.downcast::<T>().map_err(|_| mismatch::<T>(entry.descriptor.name(), found))?;
    entry.accesses.hit::<0>();
    Ok(Instance::Shared(instance))
}

fn ask<T: Send + Sync + 'static>(declared: &'static dyn AnySingleton) -> Result<Instance<T>, Error> {
    let instance = declared.ask_any()?.downcast_ref::<T>();
    instance.map(Instance::Static).ok_or_else(|| mismatch::<T>(declared.descriptor().name(), declared.type_name()))
}

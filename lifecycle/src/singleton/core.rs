//! The by-name face of singletons: those declared by the macro and those stored here at run time.

use super::cell::{AnySingleton, short_type_name, snapshot_of};
use super::creation::{Creation, Record};
use crate::clock::{ClockHandle, unix_seconds};
use crate::counter::Counters;
use crate::error::{BoxError, CreateError, Error, SingletonError};
use crate::instance::Instance;
use crate::keyed::{KeyedMap, Lookup};
use crate::registry::{self, Component, Descriptor, Kind, SingletonSnapshot, components};
use crate::scope::{self, Scoped, StateRef, Universe};
use crate::sync::Mutex;
use crate::telemetry;
use crate::wire::Gate;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::any::{Any, type_name};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Names a core holds; a name beyond them is refused with [`Error::Full`].
const MAX_SINGLETONS: usize = 65_536;

type Shared = Arc<dyn Any + Send + Sync>;

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

#[derive(Debug)]
struct CoreState {
    gate: Gate,
    clock: ClockHandle,
    names: KeyedMap<String, Arc<Entry>>,
    /// Positions in the order of storing.
    stored: AtomicU64,
}

/// One name. It stays in the map when its instance is taken away, so that whoever is creating under it stores into what
/// others will find; an entry that holds nothing gives way when the map is full.
#[derive(Debug)]
struct Entry {
    descriptor: Descriptor,
    held: Mutex<Option<Held>>,
    creation: Creation,
    accesses: Counters<1>,
}

#[derive(Clone)]
struct Held {
    value: Shared,
    type_name: &'static str,
    size: usize,
    /// Kept when the value is overwritten.
    position: u64,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.type_name)
    }
}

impl Entry {
    fn new(name: &str) -> Self {
        Self {
            descriptor: Descriptor::dynamic(Kind::Singleton, name.to_owned().into()),
            held: Mutex::new(None),
            creation: Creation::new(),
            accesses: Counters::new(),
        }
    }

    fn held(&self) -> Option<Held> {
        self.held.lock().clone()
    }
}

impl CoreState {
    const fn new(clock: ClockHandle) -> Self {
        Self { gate: Gate::new("singleton"), clock, names: KeyedMap::new(MAX_SINGLETONS), stored: AtomicU64::new(0) }
    }

    fn on(clock: ClockHandle) -> Self {
        Self { gate: Gate::for_universe("singleton", clock.clone()), ..Self::new(clock) }
    }

    fn in_universe(universe: &Universe) -> Self {
        Self::on(universe.clock())
    }

    /// The name's entry and what it holds, if it holds anything.
    fn find(&self, name: &str) -> Option<(Arc<Entry>, Held)> {
        let entry = self.names.get(name)?;
        let held = entry.held()?;
        Some((entry, held))
    }

    /// Entries that hold an instance, in the order of storing.
    fn holding(&self) -> Vec<(Arc<Entry>, Held)> {
        let entries = self.names.entries().into_iter();
        let mut all: Vec<_> = entries.filter_map(|(_, entry)| entry.held().map(|held| (entry, held))).collect();
        all.sort_by_key(|(_, held)| held.position);
        all
    }

    /// Puts a value into an entry, under its creation's lock. Gives what was there, to be dropped outside it.
    fn store<T: Send + Sync + 'static>(&self, entry: &Entry, value: Arc<T>) -> Option<Held> {
        let mut held = entry.held.lock();
        let position =
            held.as_ref().map_or_else(|| self.stored.fetch_add(1, Ordering::Relaxed), |known| known.position);
        held.replace(Held { value, type_name: type_name::<T>(), size: size_of::<T>(), position })
    }
}

static CORE: SingletonCore = SingletonCore { state: Scoped::declared(CoreState::new(ClockHandle::System)) };

/// The process's singleton core.
#[must_use]
pub fn singletons() -> &'static SingletonCore {
    &CORE
}

/// [`singletons`], under the name of the Python original.
#[inline]
#[must_use]
pub fn get_singleton_manager() -> &'static SingletonCore {
    singletons()
}

/// The numbers of a core, in the wire form of the contract (core-semantics 3.6).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SingletonStats {
    /// Instances that exist.
    pub total_singletons: usize,
    /// Their names, in the order of creation.
    pub singleton_names: Vec<String>,
    /// Their types.
    #[serde(serialize_with = "pairs")]
    pub singleton_types: Vec<(String, String)>,
    /// When each was stored, in seconds since 1970.
    #[serde(serialize_with = "pairs")]
    pub creation_times: Vec<(String, f64)>,
    /// How often each was handed out.
    #[serde(serialize_with = "pairs")]
    pub access_counts: Vec<(String, u64)>,
    /// Their shallow size.
    pub estimated_memory_bytes: usize,
    /// The same in KiB, to two decimals.
    pub estimated_memory_kb: f64,
    /// The same in MiB, to two decimals.
    pub estimated_memory_mb: f64,
    /// What the estimate covers.
    pub memory_note: &'static str,
    /// Operations refused by the limit.
    pub rate_limited_count: u64,
    /// When the numbers were taken.
    pub timestamp: f64,
}

/// On the wire a list of pairs is an object.
fn pairs<S: Serializer, V: Serialize>(pairs: &[(String, V)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// Half up, to two decimals.
fn round2(value: f64) -> f64 {
    (value * 100.0 + 0.5).floor() / 100.0
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

    /// What an operation begins with: limiter first, then the name (core-semantics 1.8).
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
                None => Self::entry(&state, name)?,
            },
        };
        let subject = entry.descriptor.subject();
        if let Some(asker) = scope::frame() {
            asker.accessed(&subject.name);
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
                    ToString::to_string,
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

    fn entry(state: &CoreState, name: &str) -> Result<Arc<Entry>, Error> {
        let idle = |entry: &Arc<Entry>| Arc::strong_count(entry) == 1 && entry.held.lock().is_none();
        match state.names.get_or_insert_with(name, || (name.to_owned(), Arc::new(Entry::new(name))), idle) {
            Lookup::Found(entry) | Lookup::Inserted(entry) => Ok(entry),
            Lookup::Full => {
                Err(Error::Full { what: "the singleton core", name: name.to_owned(), limit: MAX_SINGLETONS })
            }
        }
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
            (None, Ok(None)) => Self::entry(&state, name)?,
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
        match self.resolve().names.get(name).and_then(|entry| entry.held()) {
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
        for (entry, held) in state.holding().into_iter().rev() {
            drop(held);
            if let Some(taken) = take(&entry) {
                drop_apart(Some(taken));
                removed += 1;
            }
        }
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
        let bytes = seen.iter().map(|one| one.size).sum::<usize>();
        SingletonStats {
            total_singletons: seen.len(),
            singleton_names: seen.iter().map(|one| one.name.clone()).collect(),
            singleton_types: seen.iter().map(|one| (one.name.clone(), one.type_name.clone())).collect(),
            creation_times: seen.iter().map(|one| (one.name.clone(), one.created_at.unwrap_or_default())).collect(),
            access_counts: seen.iter().map(|one| (one.name.clone(), one.accesses)).collect(),
            estimated_memory_bytes: bytes,
            estimated_memory_kb: round2(bytes as f64 / 1024.0),
            estimated_memory_mb: round2(bytes as f64 / 1_048_576.0),
            memory_note: "Estimates are shallow size only (size_of)",
            rate_limited_count: state.gate.rejected(),
            timestamp: unix_seconds(SystemTime::now()),
        }
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
                let (count, record) = (entry.accesses.read(0), entry.creation.record());
                snapshot_of(&entry.descriptor, held.type_name, true, count, record, 0, held.size)
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

/// Takes an entry's value out, under its creation's lock; to be dropped outside it.
fn take(entry: &Entry) -> Option<Held> {
    entry.creation.exclusively(|record| {
        *record = Record::default();
        entry.accesses.reset();
        entry.held.lock().take()
    })
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

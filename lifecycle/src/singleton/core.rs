//! The by-name face of singletons: those declared by the macro and those stored here at run time.

use super::creation::{Limits, Plan, Record, Waiting, next_order};
use super::drop_apart;
use super::face::{AnySingleton, Seen, mismatch, short_type_name};
use super::names::{CoreState, Entry, Held};
use super::stats::SingletonStats;
use crate::clock::{Clock, ClockHandle, unix_seconds};
use crate::error::{BoxError, CreateError, Error, SingletonError, chain};
use crate::instance::{AnyInstance, Instance};
use crate::registry::{self, Component, Kind, SingletonSnapshot};
use crate::scope::{self, Scoped, StateRef};
use crate::telemetry;
use crate::wire::Gate;
use serde_json::Value;
use std::any::{TypeId, type_name};
use std::future::Future;
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

    /// The declared singleton of that name, and the key in brackets if it is a keyed one's.
    fn declared_named<'a>(&self, name: &'a str) -> Result<Option<(&'static dyn AnySingleton, &'a str)>, Error> {
        if !self.state.is_declared() {
            return Ok(None);
        }
        let found = match registry::find(Kind::Singleton, name)? {
            Some(found) => Some((found, "")),
            // `table[users]`
            None => match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
                Some((base, key)) => registry::find(Kind::Singleton, base)?.map(|found| (found, key)),
                None => None,
            },
        };
        Ok(found.and_then(|(component, key)| match component {
            Component::Singleton(singleton) => Some((singleton, key)),
            _ => None,
        }))
    }

    fn all_declared(&self) -> Vec<&'static dyn AnySingleton> {
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

    /// [`get`](Self::get), where a declared singleton may have an async factory.
    ///
    /// # Errors
    /// As there.
    pub async fn get_async<T: Send + Sync + 'static>(&self, name: &str) -> Result<Option<Instance<T>>, Error> {
        let declared = {
            let state = self.begin(name)?;
            if let Some(found) = stored(&state, name) {
                return found.map(Some);
            }
            self.declared_named(name)?
        };
        if let Some((declared, _)) = declared {
            fits::<T>(declared)?;
        }
        match declared {
            Some((declared, "")) => Ok(Some(typed(declared, declared.ask_any_async().await?)?)),
            Some((declared, key)) => declared.ask_any(key)?.map(|found| typed(declared, found)).transpose(),
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

    /// [`get_or_create`](Self::get_or_create) with an async factory. Its future is driven by whoever waits for it, so a
    /// caller that goes away stops nothing; it is called again only after a failure.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let table = lifecycle::singletons().get_or_create_async("table", || async { vec![1, 2, 3] }).await?;
    /// assert_eq!(table.len(), 3);
    /// # Ok::<(), lifecycle::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As there.
    pub async fn get_or_create_async<T, F, Fut>(&self, name: &str, factory: F) -> Result<Instance<T>, Error>
    where
        T: Send + Sync + 'static,
        F: Fn() -> Fut,
        Fut: Future<Output = T> + Send + 'static,
    {
        let factory = || {
            let made = factory();
            async move { Ok::<_, BoxError>(made.await) }
        };
        self.get_or_try_create_async(name, factory).await
    }

    /// [`get_or_try_create`](Self::get_or_try_create) with an async factory; see
    /// [`get_or_create_async`](Self::get_or_create_async).
    ///
    /// # Errors
    /// As there.
    pub async fn get_or_try_create_async<T, E, F, Fut>(&self, name: &str, factory: F) -> Result<Instance<T>, Error>
    where
        T: Send + Sync + 'static,
        E: Into<BoxError> + 'static,
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let (state, found) = {
            let state = self.begin(name)?;
            let found = self.entry_for(&state, name)?;
            (state, found)
        };
        let entry = match found {
            Found::Here(found) => return found,
            Found::Declared(declared, "") => return typed(declared, declared.ask_any_async().await?),
            Found::Declared(declared, key) => {
                return match declared.ask_any(key)? {
                    Some(found) => typed(declared, found),
                    None => Err(not_found(name)),
                };
            }
            Found::Vacant(entry) => entry,
        };
        let mut waiting = Waiting::default();
        let made = std::future::poll_fn(|cx| {
            entry.creation.poll_once(
                &mut waiting,
                cx,
                &plan::<T>(&state, &entry),
                || state.held(name),
                || {
                    let made = factory();
                    Box::pin(async move { made.await.map(Held::new).map_err(Into::<BoxError>::into) })
                },
                |held| keep(&state, &entry, held),
                |error: &BoxError| chain(&**error),
            )
        });
        let made = made.await;
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

    /// Stores `value` under that name; counts start again. Gives the instance it replaces, which whoever holds it keeps; a
    /// declared singleton's is retired.
    ///
    /// While a factory runs under that name, `value` wins: the factory's own value is dropped, and those who wait get this one.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::InvalidName`], [`Error::Full`]; for a declared singleton [`Error::TypeMismatch`].
    pub fn set<T: Send + Sync + 'static>(&self, name: &str, value: T) -> Result<Option<AnyInstance>, Error> {
        let state = self.begin(name)?;
        let known = state.names.read(name, |named| named.entry.clone());
        let entry = match known {
            Some(entry) => entry,
            None => match self.declared_named(name)? {
                Some((declared, "")) => return declared.replace_any(Box::new(value), type_name::<T>()),
                Some(_) => return Err(not_found(name)),
                None => state.entry(name)?,
            },
        };
        let held = Held::new(value);
        // Clocks are somebody else's code: asked before the lock is taken.
        let now = state.clock.wall();
        let old = entry.creation.exclusively(
            |record| {
                let order = record.order.filter(|_| record.created_at.is_some()).unwrap_or_else(next_order);
                *record = Record { created_at: Some(now), order: Some(order), ..Record::default() };
                entry.accesses.reset();
                state.put(&entry, Some(held))
            },
            true,
        );
        Ok(old.map(Held::into_any))
    }

    /// Is there an instance of that name? Never refused, never counted.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let here = self.resolve().names.read(name, |named| named.held.is_some());
        here == Some(true)
            || matches!(self.declared_named(name), Ok(Some((declared, key))) if declared.existing_any(key).is_some())
    }

    /// Takes the instance of that name away; false when there is none. A declared one is retired: its memory stays.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::InvalidName`], [`Error::Ambiguous`].
    pub fn delete(&self, name: &str) -> Result<bool, Error> {
        let state = self.begin(name)?;
        let entry = state.names.read(name, |named| named.held.is_some().then(|| named.entry.clone())).flatten();
        if let Some(held) = entry.and_then(|entry| take(&state, &entry)) {
            state.names.idle_again();
            drop_apart(held);
            telemetry::singleton_reset(name, "delete");
            return Ok(true);
        }
        Ok(match self.declared_named(name)? {
            Some((declared, "")) => declared.delete_any() > 0,
            Some((declared, key)) => declared.delete_key(key),
            None => false,
        })
    }

    /// Takes every instance away, the newest first; gives their number. Values made here are dropped (one whose destructor
    /// panics does not stop the rest), declared ones are retired: their memory stays.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub fn clear(&self) -> Result<usize, Error> {
        enum One {
            Named(Arc<Entry>),
            Declared(&'static dyn AnySingleton),
        }
        let state = self.resolve();
        state.gate.charge()?;
        let mut all: Vec<(Option<u64>, One)> = Vec::new();
        for named in state.holding() {
            all.push((named.entry.creation.record().order, One::Named(named.entry)));
        }
        for declared in self.all_declared() {
            all.push((declared.order(), One::Declared(declared)));
        }
        // Those that depend on others were stored after them.
        all.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
        let removed = all.into_iter().map(|(_, one)| match one {
            One::Named(entry) => take(&state, &entry).map_or(0, |held| {
                drop_apart(held);
                telemetry::singleton_reset(entry.descriptor.name(), "clear");
                1
            }),
            One::Declared(declared) => declared.delete_any(),
        });
        let removed = removed.sum();
        state.names.idle_again();
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
    ///
    /// ```
    /// #[lifecycle::singleton]
    /// fn ledger() -> Vec<u64> {
    ///     Vec::new()
    /// }
    ///
    /// let declared = lifecycle::singletons().declared();
    /// let ledger = declared.iter().find(|one| one.name == "ledger").unwrap();
    /// assert!(!ledger.created && ledger.type_name == "Vec<u64>");
    /// ```
    #[must_use]
    pub fn declared(&self) -> Vec<SingletonSnapshot> {
        self.all_declared().into_iter().flat_map(AnySingleton::observe).collect()
    }

    fn observe_all(&self) -> Vec<SingletonSnapshot> {
        let mut all = self.declared();
        all.extend(self.observe_dynamic());
        all.sort_by_key(|one| one.order);
        all
    }

    /// What [`snapshot`](crate::snapshot) lists beside the declared ones.
    pub(crate) fn observe_dynamic(&self) -> Vec<SingletonSnapshot> {
        let holding = self.resolve().holding().into_iter();
        let seen = holding.filter_map(|named| {
            let held = named.held.as_ref()?;
            let (accesses, record) = (named.entry.accesses.read(0), named.entry.creation.record());
            let seen = Seen { created: true, accesses, record, ..Seen::default() };
            let snapshot = seen.snapshot(&named.entry.descriptor, held.type_name, held.size);
            // It may have been taken away meanwhile, and then this is its last owner.
            drop_apart(named);
            Some(snapshot)
        });
        seen.collect()
    }

    /// Gives up futures of factories: only where nobody waits for them, or in any case.
    pub(crate) fn abandon(&self, even_if_awaited: bool) {
        for (_, named) in self.resolve().names.entries() {
            named.entry.creation.abandon(even_if_awaited);
        }
    }

    /// The instances made here and what their factories reached for, as addresses of descriptors.
    pub(crate) fn needs(&self) -> Vec<(usize, Vec<usize>)> {
        let holding = self.resolve().holding().into_iter();
        holding.map(|named| (named.entry.descriptor.subject().key, named.entry.creation.record().needs())).collect()
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
        let here = state.names.read(name, |named| {
            let held = named.held.as_ref()?;
            named.entry.accesses.hit::<0>();
            Some(held.value.downcast_ref::<Value>().cloned().unwrap_or_else(|| describe(held.type_name)))
        });
        if let Some(value) = here.flatten() {
            return Ok(value);
        }
        let Some((declared, key)) = self.declared_named(name)? else {
            return Ok(Value::Null);
        };
        Ok(match declared.ask_any(key).or_else(unless_async)? {
            Some(instance) => {
                (*instance).downcast_ref::<Value>().cloned().unwrap_or_else(|| describe(declared.type_name()))
            }
            None => Value::Null,
        })
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

/// Takes an entry's value out; to be dropped by the caller.
fn take(state: &CoreState, entry: &Arc<Entry>) -> Option<Held> {
    entry.creation.exclusively(
        |record| {
            *record = Record::default();
            entry.accesses.reset();
            state.put(entry, None)
        },
        false,
    )
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
fn unless_async<R>(error: SingletonError) -> Result<Option<R>, SingletonError> {
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

fn not_found(name: &str) -> Error {
    Error::NotFound { kind: Kind::Singleton.as_str(), name: name.to_owned() }
}

fn typed<T: Send + Sync + 'static>(
    declared: &'static dyn AnySingleton,
    instance: AnyInstance,
) -> Result<Instance<T>, Error> {
    let found = declared.type_name();
    instance.downcast::<T>().map_err(|_| mismatch(declared.descriptor().name(), type_name::<T>(), found))
}

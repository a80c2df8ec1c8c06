//! One instance for each key: `#[singleton(keyed)] fn table(name: &str) -> Table`.
//!
//! Each key has a creation of its own, so keys do not wait for each other. At `max_keys` a new key gets a fresh instance that
//! nobody keeps: an instance handed out must never change under its holder, and never is one given up that is in use.

use super::creation::{Creation, GiveUp, Making, Plan, Record, Waiting};
use super::drop_apart;
use super::home::Kept;
use super::output::SingletonValue;
use super::settings::Settings;
use crate::clock::ClockHandle;
use crate::counter::Counters;
use crate::error::{CreateError, SINGLETON, SingletonError, caught};
use crate::keyed::query::{Exactly, Query};
use crate::keyed::{KeyedMap, Lookup, Shared};
use crate::registry::{Component, Descriptor, Kind, register};
use crate::scope::{self, Scoped, StateRef, Universe};
use crate::telemetry;
use std::any::type_name;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A key: what tells instances apart.
pub trait SingletonKey: std::hash::Hash + Eq + Clone + Send + Sync + 'static {}
impl<K: std::hash::Hash + Eq + Clone + Send + Sync + 'static> SingletonKey for K {}

/// The home of one keyed singleton. Expansions put it into a static.
#[doc(hidden)]
pub struct KeyedCell<K: SingletonKey, T: SingletonValue> {
    pub(super) slots: Scoped<Slots<K, T>>,
    pub(super) descriptor: Descriptor,
    pub(super) label: fn(&K) -> String,
}

/// What a keyed declaration tells its instances apart by.
pub trait KeptByKey: Kept {
    /// The key's type.
    type Key: SingletonKey;
}

/// The static of a keyed declaration.
pub struct KeyedHome<K: KeptByKey>(KeyedCell<K::Key, K::Value>);

// SAFETY: the cell is `Sync` for every key and value that may stand in it (`cells_are_sync` below holds the compiler to it),
// and these are such. Said here, because otherwise an argument that cannot be a key would be one more error.
unsafe impl<K: KeptByKey> Sync for KeyedHome<K> {}

#[allow(dead_code, reason = "it only has to compile")]
fn cells_are_sync<K: SingletonKey, T: SingletonValue>() {
    fn sync<X: Sync>() {}
    sync::<KeyedCell<K, T>>();
}

impl<K: KeptByKey> KeyedHome<K> {
    pub(crate) const fn new(cell: KeyedCell<K::Key, K::Value>) -> Self {
        Self(cell)
    }

    pub(crate) const fn cell(&'static self) -> &'static KeyedCell<K::Key, K::Value> {
        &self.0
    }
}

impl<K: KeptByKey> std::fmt::Debug for KeyedHome<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

pub(super) struct Slots<K: SingletonKey, T: SingletonValue> {
    pub(super) keys: KeyedMap<K, Keyed<T>>,
    /// Calls of all keys that gave an instance.
    pub(super) accesses: Counters<1>,
    /// Instances that found no place.
    pub(super) unkept: AtomicU64,
    clock: ClockHandle,
    pub(super) settings: &'static Settings<T>,
    max_keys: usize,
}

pub(super) struct Keyed<T: SingletonValue> {
    pub(super) entry: Arc<Entry<T>>,
    /// Changed under the creation's lock only.
    pub(super) instance: Option<Arc<T>>,
}

impl<T: SingletonValue> Clone for Keyed<T> {
    fn clone(&self) -> Self {
        Self { entry: self.entry.clone(), instance: self.instance.clone() }
    }
}

impl<T: SingletonValue> Shared for Keyed<T> {
    fn is_alone(&mut self) -> bool {
        self.entry.is_alone()
    }
}

pub(super) struct Entry<T: SingletonValue> {
    pub(super) descriptor: Descriptor,
    pub(super) creation: Creation<T>,
    pub(super) accesses: Counters<1>,
}

impl<T: SingletonValue> Entry<T> {
    fn new(name: String) -> Arc<Self> {
        let descriptor = Descriptor::dynamic(Kind::Singleton, name.into());
        Arc::new(Self { descriptor, creation: Creation::new(), accesses: Counters::new() })
    }
}

impl<K: SingletonKey, T: SingletonValue> Slots<K, T> {
    const fn new(settings: &'static Settings<T>, max_keys: usize, clock: ClockHandle) -> Self {
        Self {
            keys: KeyedMap::new(max_keys),
            accesses: Counters::new(),
            unkept: AtomicU64::new(0),
            clock,
            settings,
            max_keys,
        }
    }

    fn instance<Q: Query<K> + ?Sized>(&self, query: &Q) -> Option<Arc<T>> {
        self.keys.read(query, |keyed| keyed.instance.clone()).flatten()
    }

    /// Puts a made value in place, under its creation's lock.
    fn store<Q: Query<K> + ?Sized>(&self, query: &Q, entry: &Arc<Entry<T>>, value: T) -> Arc<T> {
        let instance = Arc::new(value);
        let keyed = Keyed { entry: entry.clone(), instance: Some(instance.clone()) };
        // Its key is in the map for as long as somebody holds the entry; nothing was there, as seen under the same lock.
        _ = self.keys.update(query, |_| Some(keyed));
        instance
    }
}

impl<K: SingletonKey, T: SingletonValue> Drop for Slots<K, T> {
    /// A test world ends: what it created goes, the newest first, or stays with those who hold it.
    fn drop(&mut self) {
        let mut all: Vec<_> =
            self.keys.clear().into_iter().map(|keyed| (keyed.entry.creation.order(), keyed)).collect();
        all.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
        for (_, keyed) in all {
            keyed.entry.creation.abandon(GiveUp::ALL);
            if let Some((on_retire, instance)) = self.settings.on_retire.zip(keyed.instance.as_ref()) {
                // Nobody is left to be told of a panic.
                _ = caught(|| on_retire(instance));
            }
            drop_apart(keyed);
        }
    }
}

impl<K: SingletonKey, T: SingletonValue> std::fmt::Debug for KeyedCell<K, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyedCell").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

impl<K: SingletonKey, T: SingletonValue> KeyedCell<K, T> {
    /// A keyed singleton without any instance. `label` is how a key is shown.
    #[must_use]
    pub const fn new(
        descriptor: Descriptor,
        settings: &'static Settings<T>,
        max_keys: usize,
        label: fn(&K) -> String,
    ) -> Self {
        Self { slots: Scoped::declared(Slots::new(settings, max_keys, ClockHandle::System)), descriptor, label }
    }

    pub(super) fn resolve(&'static self) -> StateRef<'static, Slots<K, T>> {
        self.slots.resolve(|universe: &Universe| {
            let process = self.slots.process();
            let mut slots = Slots::new(process.settings, process.max_keys, universe.clock());
            slots.accesses = Counters::local();
            slots
        })
    }

    /// The instance of this key, counted, if it exists and no more than a look is needed.
    #[inline]
    pub fn hot<Q: Query<K> + ?Sized>(&'static self, query: &Q) -> Option<Arc<T>> {
        if !crate::counter::at_home() {
            return None;
        }
        let slots = self.slots.process();
        let found = slots.keys.read(query, |keyed| {
            let instance = keyed.instance.clone()?;
            keyed.entry.accesses.hit::<0>();
            Some(instance)
        });
        let found = found.flatten()?;
        slots.accesses.hit::<0>();
        Some(found)
    }

    /// What every access off the hot path begins with. Full: an entry of its own that is not in the map.
    fn enter<Q: Query<K> + ?Sized>(&'static self, query: &Q) -> Entered<K, T> {
        scope::look_again();
        register(Component::Singleton(self));
        let slots = self.resolve();
        let make = || {
            let name = format!("{}[{}]", self.descriptor.name(), (self.label)(&query.to_key()));
            Keyed { entry: Entry::new(name), instance: None }
        };
        let idle = |keyed: &Keyed<T>| keyed.instance.is_none() && Arc::strong_count(&keyed.entry) == 1;
        let (keyed, unkept) = match slots.keys.get_or_insert_with(query, make, idle) {
            Lookup::Found(keyed) | Lookup::Inserted(keyed) => (keyed, None),
            Lookup::Full(()) => {
                if slots.unkept.fetch_add(1, Ordering::Relaxed) == 0 {
                    telemetry::singleton_full(self.descriptor.name(), slots.max_keys);
                }
                (make(), Some(slots.keys.fingerprint(query) as usize))
            }
        };
        if let Some(asker) = scope::frame() {
            asker.accessed(self.descriptor.subject());
        }
        Entered { slots, entry: keyed.entry, unkept, found: keyed.instance }
    }

    /// The instance of this key, created by `factory` if there is none.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    #[inline]
    pub fn get_or_create<Q: Query<K>, E>(
        &'static self,
        query: Q,
        factory: impl FnOnce() -> Result<T, E>,
        describe: impl FnOnce(&E) -> String,
    ) -> Result<Arc<T>, CreateError<E>> {
        match self.hot(&query) {
            Some(found) => Ok(found),
            None => self.create(&query, factory, describe),
        }
    }

    #[cold]
    #[inline(never)]
    fn create<Q: Query<K>, E>(
        &'static self,
        query: &Q,
        factory: impl FnOnce() -> Result<T, E>,
        describe: impl FnOnce(&E) -> String,
    ) -> Result<Arc<T>, CreateError<E>> {
        let entered = self.enter(query);
        let instance = match entered.found.clone() {
            Some(found) => found,
            None => entered.entry.creation.once(
                &self.plan(&entered)?,
                || entered.existing(query),
                factory,
                |value| entered.store(query, value),
                describe,
            )?,
        };
        entered.count();
        Ok(instance)
    }

    /// The instance of this key, created by the future that `launch` makes of the key, if there is none.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    #[allow(clippy::manual_async_fn, reason = "an async fn could not promise `Send`")]
    pub fn get_or_create_async<L, D, E>(
        &'static self,
        key: K,
        launch: L,
        describe: D,
    ) -> impl Future<Output = Result<Arc<T>, CreateError<E>>> + Send
    where
        E: Send + 'static,
        L: Fn(K) -> Making<T, E> + Send + Sync,
        D: Fn(&E) -> String + Send + Sync,
    {
        async move {
            let entered = self.enter(&Exactly(&key));
            let instance = match entered.found.clone() {
                Some(found) => found,
                None => {
                    let mut waiting = Waiting::default();
                    self.plan(&entered)?;
                    std::future::poll_fn(|cx| {
                        entered.entry.creation.poll_once(
                            &mut waiting,
                            cx,
                            &self.plan_of(&entered),
                            || entered.existing(&Exactly(&key)),
                            || launch(key.clone()),
                            |value| entered.store(&Exactly(&key), value),
                            &describe,
                        )
                    })
                    .await?
                }
            };
            entered.count();
            Ok(instance)
        }
    }

    /// The plan, unless it would have no end: an entry that nobody keeps has no creation that others could find under way.
    fn plan<'a, E>(&self, entered: &'a Entered<K, T>) -> Result<Plan<'a>, CreateError<E>> {
        let plan = self.plan_of(entered);
        if entered.unkept.is_some() {
            let frames = scope::frames();
            if let Some(at) = frames.iter().position(|frame| frame.subject == plan.subject) {
                let mut path = String::new();
                for frame in frames[..=at].iter().rev() {
                    path.push_str(&format!("{} -> ", frame.subject));
                }
                path.push_str(&plan.subject.name);
                return Err(CreateError::Refused(SingletonError::Cycle { what: SINGLETON, path }));
            }
        }
        Ok(plan)
    }

    fn plan_of<'a>(&self, entered: &'a Entered<K, T>) -> Plan<'a> {
        let mut subject = entered.entry.descriptor.subject();
        subject.place = self.descriptor.subject().place;
        if let Some(fingerprint) = entered.unkept {
            subject.key = fingerprint;
        }
        Plan::new(subject, type_name::<T>(), &entered.slots.clock, entered.slots.settings.limits)
    }

    pub(super) fn with_instances(&'static self) -> Vec<(K, Keyed<T>)> {
        let entries = self.resolve().keys.entries().into_iter();
        entries.filter(|(_, keyed)| keyed.instance.is_some()).collect()
    }

    pub(super) fn take(slots: &Slots<K, T>, key: &K, entry: &Arc<Entry<T>>) -> Option<Arc<T>> {
        entry.creation.exclusively(
            |record| {
                *record = Record::default();
                entry.accesses.reset();
                let empty = Keyed { entry: entry.clone(), instance: None };
                slots.keys.update(&Exactly(key), |_| Some(empty)).ok().flatten().and_then(|keyed| keyed.instance)
            },
            false,
        )
    }
}

/// One access off the hot path.
struct Entered<K: SingletonKey, T: SingletonValue> {
    slots: StateRef<'static, Slots<K, T>>,
    pub(super) entry: Arc<Entry<T>>,
    /// The key's fingerprint, if the entry is not in the map.
    unkept: Option<usize>,
    found: Option<Arc<T>>,
}

impl<K: SingletonKey, T: SingletonValue> Entered<K, T> {
    fn existing<Q: Query<K> + ?Sized>(&self, query: &Q) -> Option<Arc<T>> {
        if self.unkept.is_none() { self.slots.instance(query) } else { None }
    }

    fn store<Q: Query<K> + ?Sized>(&self, query: &Q, value: T) -> Arc<T> {
        if self.unkept.is_none() { self.slots.store(query, &self.entry, value) } else { Arc::new(value) }
    }

    fn count(&self) {
        self.slots.accesses.hit::<0>();
        if self.unkept.is_none() {
            self.entry.accesses.hit::<0>();
        }
    }
}

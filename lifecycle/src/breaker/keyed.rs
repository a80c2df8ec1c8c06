//! A breaker a key: `#[circuit_breaker(key = host)]`, bounded.

use super::config::BreakerConfig;
use super::handle::{BreakerState, CircuitBreaker};
use crate::clock::ClockHandle;
use crate::error::Error;
use crate::keyed::text::with_text;
use crate::keyed::{KeyedMap, Lookup};
use crate::name::{Name, out_of_brackets};
use crate::registry::{BreakerSnapshot, Component, Descriptor, KeyedSnapshot, Kind, register};
use crate::scope::{Scoped, StateRef, Universe};
use crate::settings::{BreakerSettings, Layers, OfAllKeys};
use crate::sync::Mutex;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Breakers that a snapshot shows of one family.
const SHOWN: usize = 100;

/// A family of circuit breakers, one for each key: a host, a tenant, a shard.
///
/// Usually declared by [`#[circuit_breaker(key = ..)]`](macro@crate::circuit_breaker); this is the one to build at run time.
///
/// A key is what its value displays as. There are never more than `max_keys` (default 65,536): for a new key beyond them one
/// that holds nothing (closed, no failure counted, nobody at it, no numbers or listeners of its own) is given up, so a key that
/// fails is never reset. If all hold something, new keys share one breaker, `name[*]`, until there is room. A full family looks
/// for that among some of its keys at each call for a new one, so a few calls more may share it before it is found.
///
/// A key takes some 850 bytes, and its text twice: 65,536 short ones 56 MB. The bound is on keys, not on their text: where strangers
/// choose it, cut it short or hash it first.
///
/// ```
/// use lifecycle::{BreakerConfig, KeyedCircuitBreaker};
///
/// let hosts = KeyedCircuitBreaker::new("host", BreakerConfig::new().threshold(1))?;
/// let _ = hosts.at("a.example").call(|| Err::<(), _>("down"));
/// assert!(hosts.at("a.example").try_acquire().is_err());
/// assert!(hosts.at("b.example").try_acquire().is_ok());
/// assert_eq!(hosts.at("a.example").name(), "host[a.example]");
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug)]
pub struct KeyedCircuitBreaker {
    state: Scoped<Family>,
    descriptor: Descriptor,
    written: BreakerConfig,
    max_keys: usize,
    /// A declared family's way to its own static, to be registered on first use.
    me: Option<fn() -> &'static Self>,
}

/// One world's breakers.
#[derive(Debug)]
struct Family {
    clock: ClockHandle,
    /// What its keys are reconfigured to.
    settings: OfAllKeys<BreakerSettings>,
    listed: AtomicBool,
    keys: OnceLock<KeyedMap<String, Arc<CircuitBreaker>>>,
    overflow: OnceLock<Arc<CircuitBreaker>>,
    overflowed: AtomicU64,
}

impl Family {
    const fn new(clock: ClockHandle) -> Self {
        Self {
            clock,
            settings: OfAllKeys::new(),
            listed: AtomicBool::new(false),
            keys: OnceLock::new(),
            overflow: OnceLock::new(),
            overflowed: AtomicU64::new(0),
        }
    }

    fn in_universe(universe: &Universe) -> Self {
        Self::new(universe.clock())
    }

    fn all(&self) -> Vec<Arc<CircuitBreaker>> {
        let mut all = self.keys.get().map(KeyedMap::values).unwrap_or_default();
        all.extend(self.overflow.get().cloned());
        all
    }
}

impl KeyedCircuitBreaker {
    /// Keys a family holds where nothing else is said.
    pub const DEFAULT_MAX_KEYS: usize = 65_536;

    /// A family of that name, each breaker with the numbers of `config`, for [`DEFAULT_MAX_KEYS`](Self::DEFAULT_MAX_KEYS). Built inside
    /// a test world it runs on that world's clock. See [`KeyedCircuitBreaker`] for an example.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for an empty name, [`Error::InvalidConfig`] for a number a breaker cannot work with.
    pub fn new(name: impl Into<Name>, config: BreakerConfig) -> Result<Self, Error> {
        let name = name.into();
        if name.is_empty() {
            return Err(Error::InvalidName { kind: "Circuit breaker" });
        }
        config.validate(&name)?;
        let clock = ClockHandle::in_force();
        Ok(Self {
            state: Scoped::owned(Family { settings: OfAllKeys::here(), ..Family::new(clock) }),
            descriptor: Descriptor::dynamic(Kind::Breaker, name),
            written: config,
            max_keys: Self::DEFAULT_MAX_KEYS,
            me: None,
        })
    }

    /// Holds that many keys at most; zero counts as one.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, KeyedCircuitBreaker};
    ///
    /// let hosts = KeyedCircuitBreaker::new("host", BreakerConfig::new())?.max_keys(1);
    /// assert_eq!(hosts.at("a.example").name(), "host[a.example]");
    /// assert_eq!(hosts.at("b.example").name(), "host[b.example]"); // in the place of the other, which held nothing
    /// hosts.at("b.example").call(|| Err::<(), _>("down")).unwrap_err();
    /// assert_eq!(hosts.at("c.example").name(), "host[*]"); // that failure is not forgotten
    /// assert_eq!(hosts.len(), 1);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// What expansions put into a static. `me` gives that static.
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared(
        descriptor: Descriptor,
        written: BreakerConfig,
        max_keys: usize,
        me: fn() -> &'static Self,
    ) -> Self {
        let state = Scoped::declared(Family::new(ClockHandle::System));
        Self { state, descriptor, written, max_keys, me: Some(me) }
    }

    /// Who it is: see [`Descriptor`].
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Its name, as given to [`new`](Self::new) or by the declaration.
    #[must_use]
    pub fn name(&self) -> &str {
        self.descriptor.name()
    }

    /// What is said over the numbers its breakers begin with.
    pub(super) fn layers(&self) -> Layers<BreakerSettings> {
        self.resolve().settings.layers(None)
    }

    /// The same with what a new key begins with.
    pub(super) fn layers_of_new(&self) -> Layers<BreakerSettings> {
        let family = self.resolve();
        family.settings.layers(family.settings.get())
    }

    /// The numbers its breakers begin with.
    pub(super) fn written(&self) -> &BreakerConfig {
        &self.written
    }

    fn resolve(&self) -> StateRef<'_, Family> {
        self.state.resolve(Family::in_universe)
    }

    fn keys<'a>(&self, family: &'a Family) -> &'a KeyedMap<String, Arc<CircuitBreaker>> {
        family.keys.get_or_init(|| KeyedMap::new(self.max_keys.max(1)))
    }

    /// The key's breaker, made if there is none. No lock and no allocation if there is one and the key is no longer than 64
    /// bytes. Beyond [`max_keys`](Self::max_keys) it may be one that keys share.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, KeyedCircuitBreaker};
    ///
    /// let shards = KeyedCircuitBreaker::new("shard", BreakerConfig::new())?;
    /// shards.at(&7).force_open(); // a key is what its value displays as
    /// assert!(shards.at("7").try_acquire().is_err());
    /// assert!(shards.at(&8).try_acquire().is_ok());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn at(&self, key: &(impl Display + ?Sized)) -> Arc<CircuitBreaker> {
        with_text(key, |key| {
            let family = self.resolve();
            match self.keys(&family).get(key) {
                Some(found) => found,
                None => self.make(&family, key),
            }
        })
    }

    /// The key's breaker, if there is one. Asking makes none.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, KeyedCircuitBreaker};
    ///
    /// let hosts = KeyedCircuitBreaker::new("host", BreakerConfig::new())?;
    /// assert!(hosts.get("a.example").is_none() && hosts.is_empty());
    /// hosts.at("a.example");
    /// assert!(hosts.get("a.example").is_some() && hosts.len() == 1);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn get(&self, key: &(impl Display + ?Sized)) -> Option<Arc<CircuitBreaker>> {
        with_text(key, |key| self.resolve().keys.get()?.get(key))
    }

    /// The breaker of `name[text]`, if there is one.
    pub(crate) fn in_brackets(&self, text: &str) -> Option<Arc<CircuitBreaker>> {
        match out_of_brackets(text) {
            Some(key) => self.get(key),
            None => self.resolve().overflow.get().cloned(),
        }
    }

    #[cold]
    fn make(&self, family: &Family, key: &str) -> Arc<CircuitBreaker> {
        if let (Some(me), false) = (self.me, family.listed.swap(true, Ordering::Relaxed)) {
            register(Component::KeyedBreaker(me()));
        }
        // Not under the map's lock: the clock may be the user's.
        let now = family.clock.now();
        let given = family.settings.get();
        let idle = |one: &Arc<CircuitBreaker>| one.is_idle(now, given.as_ref());
        let child = |descriptor| self.child(family, given.clone(), descriptor);
        let breaker = match self.keys(family).get_or_insert_with(key, || child(self.descriptor.at_key(&key)), idle) {
            Lookup::Found(found) => return found,
            Lookup::Inserted(made) => made,
            Lookup::Full(()) => {
                family.overflowed.fetch_add(1, Ordering::Relaxed);
                family.overflow.get_or_init(|| child(self.descriptor.of_shared())).clone()
            }
        };
        family.settings.joined(given.as_ref(), |given| breaker.take_settings(given));
        breaker
    }

    fn child(
        &self,
        family: &Family,
        given: Option<Arc<BreakerSettings>>,
        descriptor: Descriptor,
    ) -> Arc<CircuitBreaker> {
        let layers = Mutex::new(family.settings.layers(given));
        let state = BreakerState { layers, ..BreakerState::local(family.clock.clone()) };
        Arc::new(CircuitBreaker::with_state(state, descriptor, self.written))
    }

    /// Changes numbers of all keys, those to come too; see [`CircuitBreaker::reconfigure`]. It replaces what an earlier `reconfigure`
    /// gave, to all or to one of them: what is meant for one key is said to its own breaker afterwards.
    ///
    /// ```
    /// use lifecycle::settings::Switch;
    /// use lifecycle::{BreakerConfig, BreakerSettings, KeyedCircuitBreaker};
    ///
    /// let hosts = KeyedCircuitBreaker::new("host", BreakerConfig::new().threshold(5))?;
    /// hosts.at("a.example");
    /// hosts.reconfigure(BreakerSettings::new().threshold(2))?;
    /// for host in ["a.example", "b.example"] {
    ///     assert_eq!(hosts.at(host).config().settings().threshold, Some(Switch::On(2)));
    /// }
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for numbers they cannot work with; then nothing changes.
    pub fn reconfigure(&self, settings: impl Into<BreakerSettings>) -> Result<(), Error> {
        let family = self.resolve();
        family.settings.reconfigure(&self.descriptor, &self.written, settings.into(), |given| {
            family.all().iter().for_each(|breaker| breaker.take_settings(given));
        })
    }

    /// All its breakers, as they are; the one that keys share when there is no room is last.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, KeyedCircuitBreaker, State};
    ///
    /// let hosts = KeyedCircuitBreaker::new("host", BreakerConfig::new().threshold(1))?;
    /// hosts.at("a.example").call(|| Err::<(), _>("down")).unwrap_err();
    /// hosts.at("b.example").call(|| Ok::<_, ()>(())).unwrap();
    /// let open = hosts.breakers().into_iter().filter(|one| one.state() == State::Open);
    /// assert_eq!(open.map(|one| one.name().to_owned()).collect::<Vec<_>>(), ["host[a.example]"]);
    ///
    /// hosts.reset();
    /// assert_eq!((hosts.at("a.example").state(), hosts.len()), (State::Closed, 2));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn breakers(&self) -> Vec<Arc<CircuitBreaker>> {
        self.resolve().all()
    }

    /// How many keys there are. See [`get`](Self::get) for an example.
    #[must_use]
    pub fn len(&self) -> usize {
        self.resolve().keys.get().map_or(0, KeyedMap::len)
    }

    /// Is there none? See [`get`](Self::get) for an example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes all of them and forgets their failures; statistics stay. See [`breakers`](Self::breakers) for an example.
    pub fn reset(&self) {
        let family = self.resolve();
        family.all().iter().for_each(|breaker| breaker.reset());
        if let Some(keys) = family.keys.get() {
            keys.idle_again();
        }
    }

    /// Gives up all keys. A breaker that somebody holds goes on working, for its holder.
    pub(super) fn clear(&self) {
        let family = self.resolve();
        let gone = family.keys.get().map(KeyedMap::clear);
        if let Some(overflow) = family.overflow.get() {
            overflow.forget();
        }
        family.overflowed.store(0, Ordering::Relaxed);
        drop(gone);
    }

    /// What a snapshot shows: how many there are, and those that are not as new, up to a hundred.
    pub(crate) fn observe(&self) -> KeyedSnapshot<BreakerSnapshot> {
        let family = self.resolve();
        let now = family.clock.now();
        let noteworthy = family.all().into_iter().filter(|breaker| !breaker.is_pristine(now));
        KeyedSnapshot {
            name: self.name().to_owned(),
            keys: family.keys.get().map_or(0, KeyedMap::len),
            max_keys: self.max_keys.max(1),
            overflowed: family.overflowed.load(Ordering::Relaxed),
            noteworthy: noteworthy.take(SHOWN).map(|breaker| breaker.observe()).collect(),
            path: self.descriptor.path(),
            declared_at: self.descriptor.declared_at(),
        }
    }
}

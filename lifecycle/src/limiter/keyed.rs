//! A limiter a key: `#[rate_limit("5/s", key = client)]`, bounded.

use super::builder::RateLimiterBuilder;
use super::cell::Rule;
use super::handle::{ALLOWED, LIMITED, RateLimiter};
use crate::clock::ClockHandle;
use crate::counter::Counters;
use crate::error::{Error, Rejected};
use crate::keyed::query::{Exactly, Query};
use crate::keyed::text::with_text;
use crate::keyed::{KeyedMap, Lookup};
use crate::name::{Name, out_of_brackets};
use crate::registry::{Component, Descriptor, KeyedSnapshot, Kind, LimiterSnapshot, register};
use crate::scope::{Scoped, StateRef, Universe};
use crate::settings::{OfAllKeys, RateLimiterSettings};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Limiters that a snapshot shows of one family.
const SHOWN: usize = 100;

/// Limiters that keys without room share.
const SHARED: usize = 16;

/// How often in a window a family without room looks through its keys for some to give up: a flood of new keys shall not make it
/// look through all of them each time.
const LOOKS: u64 = 16;

/// A family of rate limiters, one for each key: a client, a tenant, an address. Keys are text unless said otherwise.
///
/// Usually declared by [`#[rate_limit(.., key = ..)]`](macro@crate::rate_limit); this is the one to build at run time.
///
/// ```
/// use lifecycle::KeyedRateLimiter;
/// use std::time::Duration;
///
/// let clients = KeyedRateLimiter::new("client", 1, Duration::from_secs(1))?;
/// clients.at("acme").try_acquire()?;
/// assert_eq!(clients.at("acme").try_acquire().unwrap_err().name, "client[acme]");
/// clients.at(&7).try_acquire()?; // a key is what its value displays as
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Bounded.** There are never more than [`max_keys`](Self::max_keys) (65,536 unless said otherwise), whatever strangers send. For a new
/// key beyond them, one that nobody is at and whose permits are all older than the window is given up; nothing is lost by
/// that. If there is none, the key shares a limiter, `client[*]`, with others that found no room: they may be refused early, and
/// never get more than the limit. Once there is room it has its own, where what the shared one gave counts; while somebody
/// waits at the shared one, it goes on sharing. (Ask for it by its key each time; one that is kept goes on being shared.)
///
/// A key takes some 800 bytes, its text twice, and eight bytes a permit of the limit, rounded up to a power of two: 65,536 keys of up to
/// 100 permits some 120 MB. With [`gcra`](RateLimiterBuilder::gcra) permits take none. Finding a key takes no lock and allocates
/// nothing, and its hash is seeded from the system's randomness. The bound is on keys, not on their text: where strangers choose it, cut
/// it short or hash it first.
#[derive(Debug)]
pub struct KeyedRateLimiter<K = String> {
    state: Scoped<Family<K>>,
    pub(super) descriptor: Descriptor,
    /// As it was written, for each key.
    pub(super) written: Rule,
    max_keys: usize,
    /// A declared family's way to its own static, to be registered on first use.
    me: Option<fn() -> &'static KeyedRateLimiter>,
}

/// One world's limiters.
#[derive(Debug)]
pub(super) struct Family<K> {
    clock: ClockHandle,
    /// What its keys are reconfigured to.
    pub(super) settings: OfAllKeys<RateLimiterSettings>,
    /// The window in nanoseconds, by which keys become idle; 0: nobody has looked. One key's may be another.
    pub(super) window: AtomicU64,
    listed: AtomicBool,
    keys: OnceLock<KeyedMap<K, Arc<RateLimiter>>>,
    shared: [OnceLock<Arc<RateLimiter>>; SHARED],
    overflowed: AtomicU64,
    /// When it was last begun to look through the keys for some to give up, and that there are no more.
    looked: AtomicU64,
    barren: AtomicBool,
    totals: OnceLock<Arc<Counters<2>>>,
    /// Of a test world.
    is_local: bool,
}

/// What a family has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedUsage {
    /// Keys there are.
    pub keys: usize,
    /// Keys there can be.
    pub max_keys: usize,
    /// Permits given in all, to keys that are gone too.
    pub allowed: u64,
    /// Permits refused in all.
    pub limited: u64,
    /// Look-ups of new keys that found no room.
    pub overflowed: u64,
}

/// What tells limiters apart, if it is not text.
pub trait LimiterKey: Hash + Eq + Clone + Display + Send + Sync + 'static {}
impl<K: Hash + Eq + Clone + Display + Send + Sync + 'static> LimiterKey for K {}

impl<K> Family<K> {
    const fn new(clock: ClockHandle, is_local: bool) -> Self {
        Self {
            clock,
            settings: OfAllKeys::new(),
            window: AtomicU64::new(0),
            listed: AtomicBool::new(false),
            keys: OnceLock::new(),
            shared: [const { OnceLock::new() }; SHARED],
            overflowed: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            barren: AtomicBool::new(false),
            totals: OnceLock::new(),
            is_local,
        }
    }

    fn totals(&self) -> &Arc<Counters<2>> {
        let new = || Arc::new(if self.is_local { Counters::local() } else { Counters::new() });
        self.totals.get_or_init(new)
    }

    pub(super) fn all(&self) -> Vec<Arc<RateLimiter>> {
        let mut all = self.keys.get().map(KeyedMap::values).unwrap_or_default();
        all.extend(self.shared.iter().filter_map(|one| one.get().cloned()));
        all
    }
}

impl KeyedRateLimiter {
    /// Keys a family holds where nothing else is said.
    pub const DEFAULT_MAX_KEYS: usize = 65_536;

    /// A family of that name: `limit` permits in any `window` for each key.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for an empty name, [`Error::InvalidConfig`] for a limit of 0 or a window of no length.
    pub fn new(name: impl Into<Name>, limit: u32, window: Duration) -> Result<Self, Error> {
        Self::keyed_by(name, limit, window)
    }

    /// What expansions put into a static. `me` gives that static.
    ///
    /// # Panics
    /// At compile time, for what [`new`](Self::new) refuses, and for a limit above 1,048,576.
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared(
        descriptor: Descriptor,
        limit: u32,
        window: Duration,
        max_keys: usize,
        me: fn() -> &'static Self,
    ) -> Self {
        let rule = Rule::declared(limit, window, None);
        let state = Scoped::declared(Family::new(ClockHandle::System, false));
        Self { state, descriptor, written: rule, max_keys, me: Some(me) }
    }

    /// [`__declared`](Self::__declared) in the mode of [`gcra`](RateLimiterBuilder::gcra).
    ///
    /// # Panics
    /// As there, and for what [`build`](RateLimiterBuilder::build) refuses in that mode.
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared_gcra(
        descriptor: Descriptor,
        limit: u32,
        window: Duration,
        burst: u32,
        max_keys: usize,
        me: fn() -> &'static Self,
    ) -> Self {
        let rule = Rule::declared(limit, window, Some(burst));
        let state = Scoped::declared(Family::new(ClockHandle::System, false));
        Self { state, descriptor, written: rule, max_keys, me: Some(me) }
    }

    /// The limiter of what `key` displays as, made if there is none. No lock and no allocation if there is one and the text is
    /// no longer than 64 bytes.
    pub fn at(&self, key: &(impl Display + ?Sized)) -> Arc<RateLimiter> {
        with_text(key, |key| self.find_or_make(key, &key))
    }

    /// The limiter of what `key` displays as, if there is one.
    #[must_use]
    pub fn get(&self, key: &(impl Display + ?Sized)) -> Option<Arc<RateLimiter>> {
        with_text(key, |key| self.resolve().keys.get()?.get(key))
    }

    /// The limiter of `name[text]`, if there is one; the shared ones have one name.
    pub(crate) fn in_brackets(&self, text: &str) -> Option<Arc<RateLimiter>> {
        match out_of_brackets(text) {
            Some(key) => self.get(key),
            None => self.resolve().shared.iter().find_map(|one| one.get().cloned()),
        }
    }

    /// Takes one permit of that key.
    ///
    /// # Errors
    /// [`Rejected`] as for [`RateLimiter::try_acquire`].
    pub fn try_acquire(&self, key: &(impl Display + ?Sized)) -> Result<(), Rejected> {
        self.at(key).try_acquire()
    }
}

impl<K: LimiterKey> KeyedRateLimiter<K> {
    /// A family whose keys are values of a type and not text, which saves putting them into words.
    ///
    /// ```
    /// use lifecycle::KeyedRateLimiter;
    /// use std::{net::IpAddr, time::Duration};
    ///
    /// let addresses = KeyedRateLimiter::<IpAddr>::keyed_by("address", 10, Duration::from_secs(1))?.max_keys(10_000);
    /// addresses.of(&IpAddr::from([127, 0, 0, 1])).try_acquire()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](KeyedRateLimiter::new).
    pub fn keyed_by(name: impl Into<Name>, limit: u32, window: Duration) -> Result<Self, Error> {
        Self::from_builder(RateLimiter::builder(name).limit(limit, window))
    }

    /// A family of limiters as `builder` would build them, on its clock and in its mode.
    ///
    /// ```
    /// use lifecycle::{KeyedRateLimiter, RateLimiter};
    ///
    /// let each = RateLimiter::builder("tenant").per_second(100_000).gcra(1000);
    /// let tenants: KeyedRateLimiter<u64> = KeyedRateLimiter::from_builder(each)?;
    /// tenants.of(&7).try_acquire_n(1000)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`RateLimiterBuilder::build`].
    pub fn from_builder(builder: RateLimiterBuilder) -> Result<Self, Error> {
        let (name, rule, clock) = builder.checked()?;
        Ok(Self {
            state: Scoped::owned(Family { settings: OfAllKeys::here(), ..Family::new(clock, false) }),
            descriptor: Descriptor::dynamic(Kind::Limiter, name),
            written: rule,
            max_keys: KeyedRateLimiter::DEFAULT_MAX_KEYS,
            me: None,
        })
    }

    /// Holds that many keys at most; zero counts as one.
    #[must_use]
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// The limiter of that key, made if there is none. No lock and no allocation if there is one.
    pub fn of(&self, key: &K) -> Arc<RateLimiter> {
        self.find_or_make(&Exactly(key), key)
    }

    /// Who it is.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.descriptor.name()
    }

    pub(super) fn resolve(&self) -> StateRef<'_, Family<K>> {
        self.state.resolve(|universe: &Universe| Family::new(universe.clock(), true))
    }

    fn find_or_make<Q: Query<K> + ?Sized>(&self, query: &Q, label: &dyn Display) -> Arc<RateLimiter> {
        let family = self.resolve();
        let keys = family.keys.get_or_init(|| KeyedMap::new(self.max_keys.max(1)));
        match keys.get(query) {
            Some(found) => found,
            None => self.make(&family, keys, query, label),
        }
    }

    #[cold]
    fn make<Q: Query<K> + ?Sized>(
        &self,
        family: &Family<K>,
        keys: &KeyedMap<K, Arc<RateLimiter>>,
        query: &Q,
        label: &dyn Display,
    ) -> Arc<RateLimiter> {
        if let (Some(me), false) = (self.me, family.listed.swap(true, Ordering::Relaxed)) {
            register(Component::KeyedLimiter(me()));
        }
        // Before any lock is taken: the clock may be the user's.
        let now = family.clock.quick().as_nanos();
        if family.window.load(Ordering::Relaxed) == 0 {
            self.look_at_window();
        }
        let given = family.settings.get();
        // Keys become idle by time alone, which nobody tells the map.
        let looked = family.looked.load(Ordering::Relaxed);
        if now.abs_diff(looked) > family.window.load(Ordering::Relaxed) / LOOKS {
            family.looked.store(now, Ordering::Relaxed);
            family.barren.store(false, Ordering::Relaxed);
            keys.idle_again();
        }
        let barren = family.barren.load(Ordering::Relaxed);
        let shared = &family.shared[keys.fingerprint(query) as usize % SHARED];
        // What it gave for later cannot be taken over: until it was used, its keys go on sharing it.
        if let Some(shared) = shared.get().filter(|one| one.is_booked(now)) {
            family.overflowed.fetch_add(1, Ordering::Relaxed);
            return shared.clone();
        }
        let fresh = || {
            let own = self.child(family, given.clone(), self.descriptor.at_key(label));
            if let Some(shared) = shared.get() {
                own.take_over(shared);
            }
            own
        };
        // A limiter nobody holds and where nothing counts is as good as a fresh one.
        let idle = |one: &Arc<RateLimiter>| {
            !barren && Arc::strong_count(one) == 1 && Arc::weak_count(one) == 0 && one.is_idle(now, given.as_ref())
        };
        let limiter = match keys.get_or_insert_with(query, fresh, idle) {
            Lookup::Found(found) => return found,
            Lookup::Inserted(made) => made,
            Lookup::Full => {
                family.overflowed.fetch_add(1, Ordering::Relaxed);
                family.barren.store(true, Ordering::Relaxed);
                shared.get_or_init(|| self.child(family, given.clone(), self.descriptor.of_shared())).clone()
            }
        };
        family.settings.joined(given.as_ref(), |given| limiter.take_settings(given));
        limiter
    }

    fn child(
        &self,
        family: &Family<K>,
        given: Option<Arc<RateLimiterSettings>>,
        descriptor: Descriptor,
    ) -> Arc<RateLimiter> {
        let (clock, totals) = (family.clock.clone(), family.totals().clone());
        Arc::new(RateLimiter::of_key(descriptor, self.written, family.settings.layers(given), clock, totals))
    }

    /// Empties the windows of all keys: see [`RateLimiter::reset`].
    pub fn reset(&self) {
        let family = self.resolve();
        family.all().iter().for_each(|limiter| limiter.reset());
        if let Some(keys) = family.keys.get() {
            family.barren.store(false, Ordering::Relaxed);
            keys.idle_again();
        }
    }

    /// All its limiters, as they are; those that keys share where there was no room are last.
    #[must_use]
    pub fn limiters(&self) -> Vec<Arc<RateLimiter>> {
        self.resolve().all()
    }

    /// How many keys there are, and what they were given and refused.
    #[must_use]
    pub fn usage(&self) -> KeyedUsage {
        let family = self.resolve();
        let total = |which| family.totals.get().map_or(0, |totals| totals.read(which));
        KeyedUsage {
            keys: family.keys.get().map_or(0, KeyedMap::len),
            max_keys: self.max_keys.max(1),
            allowed: total(ALLOWED),
            limited: total(LIMITED),
            overflowed: family.overflowed.load(Ordering::Relaxed),
        }
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.resolve().keys.get().map_or(0, KeyedMap::len)
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a snapshot shows: how many there are, and those that are not as new, up to a hundred.
    pub(crate) fn observe(&self) -> KeyedSnapshot<LimiterSnapshot> {
        let family = self.resolve();
        let (now, given) = (family.clock.quick().as_nanos(), family.settings.get());
        let noteworthy = family.all().into_iter().filter(|limiter| !limiter.is_idle(now, given.as_ref()));
        let usage = self.usage();
        KeyedSnapshot {
            name: self.name().to_owned(),
            keys: usage.keys,
            max_keys: usage.max_keys,
            overflowed: usage.overflowed,
            noteworthy: noteworthy.take(SHOWN).map(|limiter| limiter.observe()).collect(),
            path: self.descriptor.path(),
            declared_at: self.descriptor.declared_at(),
        }
    }
}

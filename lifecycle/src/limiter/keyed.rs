//! A limiter a key: `#[rate_limit("5/s", key = client)]`, bounded.

use super::builder::RateLimiterBuilder;
use super::cell::Rule;
use super::family::Family;
use super::handle::{ALLOWED, LIMITED, RateLimiter};
use crate::clock::ClockHandle;
use crate::error::{Error, Rejected};
use crate::keyed::KeyedMap;
use crate::keyed::query::Exactly;
use crate::keyed::text::with_text;
use crate::name::{Name, out_of_brackets};
use crate::registry::{Descriptor, KeyedSnapshot, Kind, LimiterSnapshot};
use crate::scope::{Scoped, StateRef, Universe};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Limiters that a snapshot shows of one family.
const SHOWN: usize = 100;

/// A family of rate limiters, one for each key: a client, a tenant, an address. Keys are text unless said otherwise.
///
/// Usually declared by [`#[rate_limit(.., key = ..)]`](macro@crate::rate_limit); this is the one to build at run time.
///
/// ```
/// use lifecycle::KeyedRateLimiter;
/// use std::time::Duration;
///
/// let clients = KeyedRateLimiter::new("client", 1, Duration::from_secs(3600))?;
/// clients.at("acme").try_acquire()?;
/// assert_eq!(clients.at("acme").try_acquire().unwrap_err().name, "client[acme]");
/// clients.at(&7).try_acquire()?; // a key is what its value displays as
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Bounded.** There are never more than [`max_keys`](Self::max_keys) (65,536 unless said otherwise), whatever strangers send. For a new
/// key beyond them, one that nobody is at and whose permits are all older than the window is given up; nothing is lost by
/// that. If there is none, the key shares a limiter with others that found no room, always the same one of 16 that are all called
/// `client[*]`: they may be refused early, and never get more than the limit. Once there is room it has its own, where all that the shared one gave counts. Until then it goes on
/// sharing, though there be room, while anybody holds the shared limiter or waits at it: so it may be refused early for longer, and
/// never gets too much, whoever is stopped where. A limiter that is kept, its own or the shared one, is as exact as one that is asked
/// for by its key each time; but no key is given up, and none that shares gets its own, while somebody keeps its limiter.
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
    pub(super) max_keys: usize,
    /// A declared family's way to its own static, to be registered on first use.
    pub(super) me: Option<fn() -> &'static KeyedRateLimiter>,
}

/// What a family has come to; from [`KeyedRateLimiter::usage`].
///
/// ```
/// use lifecycle::KeyedRateLimiter;
/// use std::time::Duration;
///
/// let clients = KeyedRateLimiter::new("client", 1, Duration::from_secs(3600))?.max_keys(10);
/// let answers = ["acme", "acme", "initech"].map(|client| clients.try_acquire(client).is_ok());
/// assert_eq!(answers, [true, false, true]);
/// let usage = clients.usage();
/// assert_eq!((usage.keys, usage.max_keys, usage.overflowed), (2, 10, 0));
/// assert_eq!((usage.allowed, usage.limited), (2, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

/// What tells limiters apart, if it is not text: any type that has these traits. Its text stands in the limiter's name.
///
/// ```
/// use lifecycle::KeyedRateLimiter;
/// use std::{fmt, time::Duration};
///
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Tenant {
///     id: u32,
///     region: &'static str,
/// }
///
/// impl fmt::Display for Tenant {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(f, "{}/{}", self.region, self.id)
///     }
/// }
///
/// let tenants = KeyedRateLimiter::<Tenant>::keyed_by("tenant", 10, Duration::from_secs(1))?;
/// assert_eq!(tenants.of(&Tenant { id: 7, region: "eu" }).name(), "tenant[eu/7]");
/// # Ok::<(), lifecycle::Error>(())
/// ```
pub trait LimiterKey: Hash + Eq + Clone + Display + Send + Sync + 'static {}
impl<K: Hash + Eq + Clone + Display + Send + Sync + 'static> LimiterKey for K {}

impl KeyedRateLimiter {
    /// Keys a family holds where nothing else is said.
    pub const DEFAULT_MAX_KEYS: usize = 65_536;

    /// A family of that name: `limit` permits in any `window` for each key. Built inside a test world it runs on that world's clock.
    /// See [`KeyedRateLimiter`] for an example.
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
    /// no longer than 64 bytes. See [`KeyedRateLimiter`] for an example.
    pub fn at(&self, key: &(impl Display + ?Sized)) -> Arc<RateLimiter> {
        with_text(key, |key| self.find_or_make(key, &key))
    }

    /// The limiter of what `key` displays as, if there is one. Asking makes none.
    ///
    /// ```
    /// use lifecycle::KeyedRateLimiter;
    /// use std::time::Duration;
    ///
    /// let clients = KeyedRateLimiter::new("client", 5, Duration::from_secs(1))?;
    /// assert!(clients.get("acme").is_none() && clients.is_empty());
    /// clients.at("acme");
    /// assert!(clients.get("acme").is_some() && clients.len() == 1);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn get(&self, key: &(impl Display + ?Sized)) -> Option<Arc<RateLimiter>> {
        with_text(key, |key| self.resolve().keys.get()?.get(key))
    }

    /// The limiter of `name[text]`, if there is one; the shared ones have one name.
    pub(crate) fn in_brackets(&self, text: &str) -> Option<Arc<RateLimiter>> {
        match out_of_brackets(text) {
            Some(key) => self.get(key),
            None => self.resolve().shared().next(),
        }
    }

    /// Takes one permit of that key. See [`KeyedUsage`] for an example.
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
            state: Scoped::owned(Family::built(clock)),
            descriptor: Descriptor::dynamic(Kind::Limiter, name),
            written: rule,
            max_keys: KeyedRateLimiter::DEFAULT_MAX_KEYS,
            me: None,
        })
    }

    /// Holds that many keys at most; zero counts as one.
    ///
    /// ```
    /// use lifecycle::KeyedRateLimiter;
    /// use std::time::Duration;
    ///
    /// let clients = KeyedRateLimiter::new("client", 1, Duration::from_secs(3600))?.max_keys(1);
    /// clients.try_acquire("acme")?;
    /// clients.try_acquire("initech")?; // finds no room: `acme` has a permit in its window
    /// let refused = clients.try_acquire("initech").unwrap_err();
    /// assert_eq!((refused.name.as_str(), clients.len()), ("client[*]", 1)); // what it may share with others
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = keys;
        self
    }

    /// The limiter of that key, made if there is none. No lock and no allocation if there is one. See
    /// [`keyed_by`](Self::keyed_by) for an example.
    pub fn of(&self, key: &K) -> Arc<RateLimiter> {
        self.find_or_make(&Exactly(key), key)
    }

    /// Who it is: see [`Descriptor`].
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Its name, as given to [`new`](KeyedRateLimiter::new) or by the declaration.
    #[must_use]
    pub fn name(&self) -> &str {
        self.descriptor.name()
    }

    pub(super) fn resolve(&self) -> StateRef<'_, Family<K>> {
        self.state.resolve(|universe: &Universe| Family::new(universe.clock(), true))
    }

    /// Empties the windows of all keys: see [`RateLimiter::reset`], and [`limiters`](Self::limiters) for an example.
    pub fn reset(&self) {
        let family = self.resolve();
        family.all().iter().for_each(|limiter| limiter.reset());
        if let Some(keys) = family.keys.get() {
            family.barren.store(false, Ordering::Relaxed);
            keys.idle_again();
        }
    }

    /// All its limiters, as they are; those that keys share where there was no room are last.
    ///
    /// ```
    /// use lifecycle::KeyedRateLimiter;
    /// use std::time::Duration;
    ///
    /// let clients = KeyedRateLimiter::new("client", 5, Duration::from_secs(3600))?;
    /// clients.at("acme").try_acquire_n(5)?;
    /// clients.at("initech").try_acquire_n(1)?;
    /// let used = || clients.limiters().iter().map(|one| one.usage().used).sum::<u32>();
    /// assert_eq!(used(), 6);
    /// clients.reset();
    /// assert_eq!(used(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn limiters(&self) -> Vec<Arc<RateLimiter>> {
        self.resolve().all()
    }

    /// How many keys there are, and what they were given and refused. See [`KeyedUsage`] for an example.
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

    /// How many keys there are. See [`get`](KeyedRateLimiter::get) for an example.
    #[must_use]
    pub fn len(&self) -> usize {
        self.resolve().keys.get().map_or(0, KeyedMap::len)
    }

    /// Is there none? See [`get`](KeyedRateLimiter::get) for an example.
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

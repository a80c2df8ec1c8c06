//! One world's limiters of a family: how a key finds its own, and what it shares while there is no room.

use super::handle::RateLimiter;
use super::keyed::{KeyedRateLimiter, LimiterKey};
use crate::clock::ClockHandle;
use crate::counter::Counters;
use crate::keyed::query::Query;
use crate::keyed::{KeyedMap, Lookup, NoRoom, Shared};
use crate::registry::{Component, Descriptor, register};
use crate::settings::{OfAllKeys, RateLimiterSettings};
use crate::sync::Mutex;
use std::cell::Cell;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Limiters that keys without room share.
const SHARED: usize = 16;

/// How often in a window a family without room looks through its keys for some to give up: a flood of new keys shall not make it
/// look through all of them each time.
const LOOKS: u64 = 16;

/// One world's limiters.
#[derive(Debug)]
pub(super) struct Family<K> {
    pub(super) clock: ClockHandle,
    /// What its keys are reconfigured to.
    pub(super) settings: OfAllKeys<RateLimiterSettings>,
    /// The window in nanoseconds, by which keys become idle; 0: nobody has looked. One key's may be another.
    pub(super) window: AtomicU64,
    listed: AtomicBool,
    pub(super) keys: OnceLock<KeyedMap<K, Arc<RateLimiter>>>,
    /// What keys without room share, each of them always the same one: see [`Sharing`].
    shared: [Mutex<Option<Arc<RateLimiter>>>; SHARED],
    pub(super) overflowed: AtomicU64,
    /// When it was last begun to look through the keys for some to give up, and that there are no more.
    looked: AtomicU64,
    pub(super) barren: AtomicBool,
    pub(super) totals: OnceLock<Arc<Counters<2>>>,
    /// Of a test world.
    is_local: bool,
}

/// The limiter that a key without room shares with others, and when it may have its own.
///
/// **Never too much.** A key's own begins with all that the shared one gave, so nobody may take a permit of the shared one for that
/// key afterwards. Whoever asks by the key gets the shared one under the lock of the key's shard, while the key is not in; and the key
/// comes in under the same lock, only while nobody holds the shared one. What was done with it before is seen then, as `is_alone` says.
/// Keys of other shards may take it at the same time: what they are given is not this key's.
struct Sharing<'a, F> {
    slot: &'a Mutex<Option<Arc<RateLimiter>>>,
    /// What the clock said before any lock was taken. If the shared one has given a permit since, its key goes on sharing.
    now: u64,
    make: F,
    /// There may be room, but it was not time to leave.
    stays: Cell<bool>,
}

impl<F: Fn() -> Arc<RateLimiter>> NoRoom<Arc<RateLimiter>> for Sharing<'_, F> {
    type Instead = Arc<RateLimiter>;
    /// Permits that were given, to this key or to others.
    type Past = u32;

    fn past(&self, own: Option<&Arc<RateLimiter>>) -> Option<u32> {
        let past = match &mut *self.slot.lock() {
            None => Some(0),
            Some(shared) => shared.is_alone().then(|| shared.cell().taken(self.now)).flatten(),
        };
        // If their numbers differ, somebody is changing them.
        let past = past.filter(|taken| own.is_none_or(|own| own.cell().holds(*taken)));
        self.stays.set(past.is_none());
        past
    }

    fn begin(&self, own: &Arc<RateLimiter>, taken: u32) {
        if taken > 0 {
            own.begin_with(taken, self.now);
        }
    }

    fn instead(&self) -> Arc<RateLimiter> {
        self.slot.lock().get_or_insert_with(&self.make).clone()
    }
}

impl<K> Family<K> {
    pub(super) const fn new(clock: ClockHandle, is_local: bool) -> Self {
        Self {
            clock,
            settings: OfAllKeys::new(),
            window: AtomicU64::new(0),
            listed: AtomicBool::new(false),
            keys: OnceLock::new(),
            shared: [const { Mutex::new(None) }; SHARED],
            overflowed: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            barren: AtomicBool::new(false),
            totals: OnceLock::new(),
            is_local,
        }
    }

    /// Of a family that is built here.
    pub(super) fn built(clock: ClockHandle) -> Self {
        Self { settings: OfAllKeys::here(), ..Self::new(clock, false) }
    }

    fn totals(&self) -> &Arc<Counters<2>> {
        let new = || Arc::new(if self.is_local { Counters::local() } else { Counters::new() });
        self.totals.get_or_init(new)
    }

    /// Those that keys share.
    pub(super) fn shared(&self) -> impl Iterator<Item = Arc<RateLimiter>> {
        self.shared.iter().filter_map(|slot| slot.lock().clone())
    }

    pub(super) fn all(&self) -> Vec<Arc<RateLimiter>> {
        let mut all = self.keys.get().map(KeyedMap::values).unwrap_or_default();
        all.extend(self.shared());
        all
    }
}

impl<K: LimiterKey> KeyedRateLimiter<K> {
    pub(super) fn find_or_make<Q: Query<K> + ?Sized>(&self, query: &Q, label: &dyn Display) -> Arc<RateLimiter> {
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
        let now = self.written.reading(&family.clock);
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
        let fresh = || {
            let own = self.child(family, given.clone(), self.descriptor.at_key(label));
            // Configured before it may have to begin with what it was given elsewhere.
            drop(own.state());
            own
        };
        // A limiter nobody holds and where nothing counts is as good as a fresh one.
        let idle = |one: &Arc<RateLimiter>| {
            !barren && Arc::strong_count(one) == 1 && Arc::weak_count(one) == 0 && one.is_idle(now, given.as_ref())
        };
        let sharing = Sharing {
            slot: &family.shared[keys.fingerprint(query) as usize % SHARED],
            now,
            make: || self.child(family, given.clone(), self.descriptor.of_shared()),
            stays: Cell::new(false),
        };
        let limiter = match keys.get_or_insert_or(query, fresh, idle, &sharing) {
            Lookup::Found(found) => return found,
            Lookup::Inserted(made) => made,
            Lookup::Full(shared) => {
                family.overflowed.fetch_add(1, Ordering::Relaxed);
                if !sharing.stays.get() {
                    family.barren.store(true, Ordering::Relaxed);
                }
                shared
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
}

//! The one bounded keyed map: what the cores hold by name, and guards by key.
//!
//! Sharded, so that look-ups of different keys do not meet; bounded over all shards together, so that keys chosen by a
//! stranger cannot fill the memory; listed in the order of insertion, as the wire form has them.
//!
//! Nothing of the user's runs under a shard's lock but the `Eq` and `Clone` of keys (hashes are kept, so growing does not
//! hash again): values are made before and dropped after.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;
use std::borrow::Borrow;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A power of two; the shard is chosen by the hash's middle bits, since the table uses the highest and the lowest.
const SHARDS: usize = 16;

/// What [`KeyedMap::get_or_insert_with`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup<V> {
    /// It was there.
    Found(V),
    /// It was made.
    Inserted(V),
    /// It is not there and finds no place: the caller uses its overflow entry, or refuses.
    Full,
}

/// No place for another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

struct Entry<K, V> {
    hash: u64,
    /// The position in the order of insertion.
    position: u64,
    key: K,
    value: V,
}

type Shard<K, V> = RwLock<HashTable<Entry<K, V>>>;

struct Shards<K, V> {
    hasher: RandomState,
    tables: [Shard<K, V>; SHARDS],
}

/// A bounded map from keys to shared values (`V` is an `Arc` or as cheap to clone).
pub(crate) struct KeyedMap<K, V> {
    max_keys: usize,
    /// Keys that are in, or for which a place is taken.
    taken: AtomicUsize,
    next_position: AtomicU64,
    /// Where the next sweep for idle entries begins.
    sweep_from: AtomicUsize,
    /// After a sweep that found nothing, this many insertions are refused without another: a flood of new keys then
    /// costs a bounded number of looks each.
    sweepless: AtomicUsize,
    shards: OnceLock<Box<Shards<K, V>>>,
}

impl<K, V> KeyedMap<K, V> {
    /// An empty map for at most `max_keys` keys. It allocates with its first key.
    pub(crate) const fn new(max_keys: usize) -> Self {
        Self {
            max_keys,
            taken: AtomicUsize::new(0),
            next_position: AtomicU64::new(0),
            sweep_from: AtomicUsize::new(0),
            sweepless: AtomicUsize::new(0),
            shards: OnceLock::new(),
        }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> KeyedMap<K, V> {
    /// The value of `key`. Allocates nothing.
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let shards = self.shards.get()?;
        let hash = shards.hasher.hash_one(key);
        let table = shards.read(hash);
        table.find(hash, |entry| entry.hash == hash && entry.key.borrow() == key).map(|entry| entry.value.clone())
    }

    /// The value of `key`, or what `make` gives (the key to own and the value), which is stored.
    ///
    /// `make` runs outside the locks; when two callers make, one value is kept and the other dropped. A full map first gives
    /// up entries for which `idle` holds. `idle` decides under the shard's lock, so it must be this crate's own arithmetic:
    /// no clock, no callback; it must also hold only for values nobody else has a clone of (`Arc::strong_count == 1`), else
    /// somebody goes on using what is no longer in the map.
    pub(crate) fn get_or_insert_with<Q>(
        &self,
        key: &Q,
        make: impl FnOnce() -> (K, V),
        idle: impl Fn(&V) -> bool,
    ) -> Lookup<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(found) = self.get(key) {
            return Lookup::Found(found);
        }
        if !self.take_place() && !self.sweep(&idle) {
            // The last place may have gone to this very key meanwhile.
            return self.get(key).map_or(Lookup::Full, Lookup::Found);
        }
        let place = Place(&self.taken);
        let (owned, made) = make();
        let shards = self.shards();
        let hash = shards.hasher.hash_one(key);
        let mut table = shards.write(hash);
        match table.entry(hash, |entry| entry.hash == hash && entry.key.borrow() == key, |entry| entry.hash) {
            Slot::Occupied(winner) => {
                let found = winner.get().value.clone();
                drop(table);
                // Only now, without the lock, `owned`, `made` and the place go.
                Lookup::Found(found)
            }
            Slot::Vacant(slot) => {
                slot.insert(Entry { hash, position: self.position(), key: owned, value: made.clone() });
                place.keep();
                Lookup::Inserted(made)
            }
        }
    }

    /// Stores `value`; an overwritten one is handed back and the key keeps its place in the order.
    pub(crate) fn insert(&self, key: K, value: V) -> Result<Option<V>, Full> {
        let shards = self.shards();
        let hash = shards.hasher.hash_one(&key);
        let mut table = shards.write(hash);
        match table.entry(hash, |entry| entry.hash == hash && entry.key == key, |entry| entry.hash) {
            Slot::Occupied(mut known) => {
                let old = std::mem::replace(&mut known.get_mut().value, value);
                drop(table);
                Ok(Some(old))
            }
            Slot::Vacant(slot) => {
                // Both ways out drop `key` or `value` only after the lock: they are the function's own arguments.
                if !self.take_place() {
                    return Err(Full);
                }
                slot.insert(Entry { hash, position: self.position(), key, value });
                Ok(None)
            }
        }
    }

    /// Takes everything out, in the order of insertion.
    pub(crate) fn clear(&self) -> Vec<V> {
        let mut all = Vec::new();
        for shard in self.shards.get().iter().flat_map(|shards| &shards.tables) {
            let mut table = shard.write().unwrap_or_else(PoisonError::into_inner);
            let gone = std::mem::take(&mut *table);
            self.taken.fetch_sub(gone.len(), Ordering::Relaxed);
            drop(table);
            all.extend(gone);
        }
        all.sort_unstable_by_key(|entry| entry.position);
        all.into_iter().map(|entry| entry.value).collect()
    }

    /// All entries, in the order of insertion. Each shard is consistent in itself; writers wait for one shard at most.
    pub(crate) fn entries(&self) -> Vec<(K, V)> {
        let mut all = Vec::new();
        for shard in self.shards.get().iter().flat_map(|shards| &shards.tables) {
            let table = shard.read().unwrap_or_else(PoisonError::into_inner);
            all.extend(table.iter().map(|entry| (entry.position, entry.key.clone(), entry.value.clone())));
        }
        all.sort_unstable_by_key(|(position, ..)| *position);
        all.into_iter().map(|(_, key, value)| (key, value)).collect()
    }

    /// Values have become idle: the next insertion into a full map sweeps again.
    pub(crate) fn idle_again(&self) {
        self.sweepless.store(0, Ordering::Relaxed);
    }

    fn shards(&self) -> &Shards<K, V> {
        self.shards.get_or_init(|| {
            let tables = std::array::from_fn(|_| RwLock::new(HashTable::new()));
            Box::new(Shards { hasher: RandomState::new(), tables })
        })
    }

    fn position(&self) -> u64 {
        self.next_position.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a place for one more key, if there is one: the bound holds over all shards at each moment.
    fn take_place(&self) -> bool {
        let more = |taken: usize| (taken < self.max_keys).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Gives up the idle entries of one shard and takes the place of one of them.
    fn sweep(&self, idle: &impl Fn(&V) -> bool) -> bool {
        let fewer = |left: usize| left.checked_sub(1);
        if self.sweepless.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok() {
            return false;
        }
        let Some(shards) = self.shards.get() else {
            return false;
        };
        for _ in 0..SHARDS {
            let at = self.sweep_from.fetch_add(1, Ordering::Relaxed) % SHARDS;
            let mut table = shards.tables[at].write().unwrap_or_else(PoisonError::into_inner);
            let gone: Vec<_> = table.extract_if(|entry| idle(&entry.value)).collect();
            self.taken.fetch_sub(gone.len(), Ordering::Relaxed);
            drop(table);
            if !gone.is_empty() && self.take_place() {
                return true;
            }
        }
        // The sweep looked at every key; so many refusals go without another that each pays for eight looks.
        self.sweepless.store(self.max_keys / 8, Ordering::Relaxed);
        false
    }
}

impl<K, V> Shards<K, V> {
    fn shard(&self, hash: u64) -> &Shard<K, V> {
        &self.tables[(hash >> 32) as usize % SHARDS]
    }

    fn read(&self, hash: u64) -> RwLockReadGuard<'_, HashTable<Entry<K, V>>> {
        self.shard(hash).read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, hash: u64) -> RwLockWriteGuard<'_, HashTable<Entry<K, V>>> {
        self.shard(hash).write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place taken for a key that is not in yet; given back unless kept (`make` may panic).
struct Place<'a>(&'a AtomicUsize);

impl Place<'_> {
    fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<K, V> std::fmt::Debug for KeyedMap<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys and values may be anybody's secrets.
        let len = self.taken.load(Ordering::Relaxed);
        f.debug_struct("KeyedMap").field("len", &len).field("max_keys", &self.max_keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

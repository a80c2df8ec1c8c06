//! The one bounded keyed map: what the cores hold by name, guards and singletons by key.
//!
//! Reads take no lock: each shard is an immutable table behind one atomic pointer, and a writer publishes a changed copy (a
//! full map's shard has some 32 keys). Bounded over all shards together, so that keys chosen by a stranger cannot fill the memory;
//! listed in the order of insertion, as the wire form has them.
//!
//! **No user code runs under a lock**: keys are hashed, compared and cloned before it is taken (a writer then asks only
//! whether the table still is the one it looked at), values are made before and dropped after, tables too. Whoever uses a
//! table last drops what it alone still holds, so a value that was taken out may end in a reader.
//!
//! **Hostile keys.** The hash (foldhash, seeded for each map from the operating system's randomness) is no cryptographic one:
//! somebody who can time many look-ups might find keys that collide. A shard therefore takes at most [`CROWD`] keys, or 16
//! times its share in a map of more than four million; honest keys do not come near that. So an attack costs a look-up a walk
//! through one small table and an insertion a copy of it, and then finds the map full. (A key type whose own `Hash` is
//! constant finds it full there as well.)

pub mod held;
mod insert;
pub(crate) mod query;
mod shard;
pub(crate) mod text;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
pub(crate) use insert::{Lookup, NoRoom, Shared};
use query::Query;
use shard::{Node, Shard, into_value};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Keys of a shard when the map is full, on average. Copying so many is what an insertion costs.
const SHARE: usize = 32;

/// Shards there are at most: each takes 16 bytes from the map's first key on.
const MOST_SHARDS: usize = 1 << 16;

/// Keys a shard takes at most.
const CROWD: usize = 1024;

/// No place for another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

struct Shards<K, V> {
    hasher: SeedableRandomState,
    /// A power of two; chosen by the hash's middle bits, since a table uses the highest and the lowest.
    all: Box<[Shard<K, V>]>,
    /// Keys each takes at most.
    crowd: usize,
}

/// A bounded map from keys to shared values (`V` is an `Arc` or as cheap to clone).
pub(crate) struct KeyedMap<K, V> {
    max_keys: usize,
    /// Keys that are in, and those about to be published under their shard's lock.
    taken: AtomicUsize,
    next_position: AtomicU64,
    /// Where the next sweep for idle entries begins.
    sweep_from: AtomicUsize,
    /// Rises when values have become idle.
    news: AtomicUsize,
    /// The news up to which a sweep of all shards found nothing.
    swept: AtomicUsize,
    shards: OnceLock<Shards<K, V>>,
}

impl<K, V> KeyedMap<K, V> {
    /// An empty map for at most `max_keys` keys. It allocates with its first key.
    pub(crate) const fn new(max_keys: usize) -> Self {
        Self {
            max_keys,
            taken: AtomicUsize::new(0),
            next_position: AtomicU64::new(0),
            sweep_from: AtomicUsize::new(0),
            news: AtomicUsize::new(1),
            swept: AtomicUsize::new(0),
            shards: OnceLock::new(),
        }
    }

    /// Keys that are in.
    #[allow(dead_code, reason = "for keyed singletons")]
    pub(crate) fn len(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Values have become idle: the next insertion into a full map looks at all of them again.
    ///
    /// Whoever cannot tell (a value is idle as soon as its last handle is dropped) need not: a full map of `n` shards finds
    /// it after at most `n` refusals, since each of them looks at one shard.
    pub(crate) fn idle_again(&self) {
        self.news.fetch_add(1, Ordering::Relaxed);
    }

    fn has_room(&self) -> bool {
        self.taken.load(Ordering::Relaxed) < self.max_keys
    }

    /// Takes a place for one more key, if there is one: the bound holds over all shards at each moment. Only under the
    /// shard's lock and before publishing, so that whoever finds the map full and then, under that lock, no key, knows both.
    fn take_place(&self) -> bool {
        let more = |taken: usize| (taken < self.max_keys).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Only after publishing.
    fn give_back(&self, places: usize) {
        self.taken.fetch_sub(places, Ordering::Relaxed);
    }

    fn all_shards(&self) -> impl Iterator<Item = &Shard<K, V>> {
        self.shards.get().into_iter().flat_map(|shards| &shards.all)
    }

    fn shards(&self) -> &Shards<K, V> {
        self.shards.get_or_init(|| Shards::new(self.max_keys))
    }
}

impl<K, V: Clone> KeyedMap<K, V> {
    /// What `look` makes of the key's value. No lock, no allocation, no clone.
    ///
    /// If `look` clones a part of the value that outlasts it, `idle` must see that.
    #[inline]
    pub(crate) fn read<Q: Query<K> + ?Sized, R>(&self, query: &Q, look: impl FnOnce(&V) -> R) -> Option<R> {
        let shards = self.shards.get()?;
        let hash = shards.hash(query);
        shards.shard(hash).look(hash, query, |_, node| look(&node.value)).ok()
    }

    /// The key's value.
    #[inline]
    pub(crate) fn get<Q: Query<K> + ?Sized>(&self, query: &Q) -> Option<V> {
        self.read(query, V::clone)
    }

    /// Changes, stores or (with `None`) removes the key's value in one step; gives the one before. A key that is in keeps
    /// its place in the order. `change` runs once, under the shard's lock: it must be this crate's own code, and drop nothing.
    pub(crate) fn update<Q: Query<K> + ?Sized>(
        &self,
        query: &Q,
        change: impl FnOnce(Option<&V>) -> Option<V>,
    ) -> Result<Option<V>, Full> {
        let shards = self.shards();
        let hash = shards.hash(query);
        let shard = shards.shard(hash);
        let key = query.to_key();
        loop {
            let (seen, position) = match shard.look(hash, query, |table, node| (table.seen(), node.position)) {
                Ok((seen, position)) => (seen, Some(position)),
                Err(seen) => (seen, None),
            };
            let Some(lock) = shard.lock_at(seen) else {
                continue;
            };
            let mut nodes = shard.copy(&lock);
            let known = position.and_then(|position| nodes.find_entry(hash, |node| node.position == position).ok());
            let Some(mut known) = known else {
                let Some(value) = change(None) else {
                    drop(lock);
                    return Ok(None);
                };
                let mut node = Arc::new(Node { hash, position: 0, key, value });
                if seen.len >= shards.crowd || !self.take_place() {
                    drop(lock);
                    drop(node);
                    return Err(Full);
                }
                self.put_last(&mut node);
                nodes.insert_unique(hash, node, |node| node.hash);
                let old = shard.publish(&lock, nodes);
                drop(lock);
                drop(old);
                return Ok(None);
            };
            let before = match change(Some(&known.get().value)) {
                Some(value) => {
                    let position = known.get().position;
                    let node = Arc::new(Node { hash, position, key, value });
                    let before = std::mem::replace(known.get_mut(), node);
                    let old = shard.publish(&lock, nodes);
                    drop(lock);
                    drop(old);
                    before
                }
                None => {
                    let (before, _) = known.remove();
                    let old = shard.publish(&lock, nodes);
                    self.give_back(1);
                    drop(lock);
                    drop(old);
                    before
                }
            };
            return Ok(Some(into_value(before)));
        }
    }

    /// What tells this key from others, with all but certainty: for keys that are not in.
    pub(crate) fn fingerprint<Q: Query<K> + ?Sized>(&self, query: &Q) -> u64 {
        self.shards().hash(query)
    }

    /// Takes the key out.
    #[allow(dead_code, reason = "for keyed singletons")]
    pub(crate) fn remove<Q: Query<K> + ?Sized>(&self, query: &Q) -> Option<V> {
        // A key that is not in allocates nothing and takes no lock.
        self.read(query, |_| ())?;
        self.update(query, |_| None).ok().flatten()
    }

    /// Takes everything out, in the order of insertion.
    pub(crate) fn clear(&self) -> Vec<V> {
        let mut all = Vec::new();
        for shard in self.all_shards() {
            let lock = shard.lock();
            let old = shard.publish(&lock, Default::default());
            self.give_back(old.as_ref().map_or(0, |table| table.nodes.len()));
            drop(lock);
            if let Some(table) = old {
                all.extend(table.nodes.iter().cloned());
            }
        }
        all.sort_unstable_by_key(|node| node.position);
        all.into_iter().map(into_value).collect()
    }

    fn list<R>(&self, of: impl Fn(&Node<K, V>) -> R) -> Vec<R> {
        let mut all = Vec::with_capacity(self.taken.load(Ordering::Relaxed));
        for table in self.all_shards().filter_map(Shard::table) {
            all.extend(table.nodes.iter().map(|node| (node.position, of(node))));
        }
        all.sort_unstable_by_key(|(position, _)| *position);
        all.into_iter().map(|(_, one)| one).collect()
    }

    /// All entries, in the order of insertion. Each shard is consistent in itself; no writer waits.
    pub(crate) fn entries(&self) -> Vec<(K, V)>
    where
        K: Clone,
    {
        self.list(|node| (node.key.clone(), node.value.clone()))
    }

    /// All values, as [`entries`](Self::entries).
    pub(crate) fn values(&self) -> Vec<V> {
        self.list(|node| node.value.clone())
    }

    /// All keys, in the order of insertion, as [`entries`](Self::entries).
    #[allow(dead_code, reason = "for keyed singletons")]
    pub(crate) fn keys(&self) -> Vec<K>
    where
        K: Clone,
    {
        self.list(|node| node.key.clone())
    }

    /// Under the shard's lock, before publishing.
    fn put_last(&self, node: &mut Arc<Node<K, V>>) {
        if let Some(node) = Arc::get_mut(node) {
            node.position = self.next_position.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<K, V> Shards<K, V> {
    fn new(max_keys: usize) -> Self {
        /// What all maps' hashes have in common.
        static SEED: OnceLock<SharedSeed> = OnceLock::new();
        // The standard library's state is how to come by the operating system's randomness.
        let random = || RandomState::new().hash_one(0_u8);
        let hasher = SeedableRandomState::with_seed(random(), SEED.get_or_init(|| SharedSeed::from_u64(random())));
        let count = (max_keys / SHARE).clamp(16, MOST_SHARDS).next_power_of_two();
        let all = (0..count).map(|_| Shard::new()).collect();
        Self { hasher, all, crowd: CROWD.max(max_keys / count * 16) }
    }

    #[inline]
    fn hash<Q: Query<K> + ?Sized>(&self, query: &Q) -> u64 {
        let mut state = self.hasher.build_hasher();
        query.hash_into(&mut state);
        state.finish()
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard<K, V> {
        &self.all[(hash >> 32) as usize & (self.all.len() - 1)]
    }
}

impl<K, V> std::fmt::Debug for KeyedMap<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys and values may be anybody's secrets.
        f.debug_struct("KeyedMap").field("len", &self.len()).field("max_keys", &self.max_keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Putting a value in where there is none: what is given up for it, and what a key gets that finds no room.

use super::query::Query;
use super::shard::{Node, Shard};
use super::{KeyedMap, Shards};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What [`KeyedMap::get_or_insert_with`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup<V, I = ()> {
    /// It was there.
    Found(V),
    /// It was made.
    Inserted(V),
    /// It is not there and finds no place: the caller refuses, or has what is there [instead](NoRoom::Instead).
    Full(I),
}

/// A value that is held elsewhere too.
pub(crate) trait Shared: Clone {
    /// Does nobody else hold it any more? Then all that was done with it is seen from here on (`strong_count` does not say so).
    fn is_alone(&mut self) -> bool;
}

impl<T: ?Sized> Shared for Arc<T> {
    fn is_alone(&mut self) -> bool {
        Self::get_mut(self).is_some()
    }
}

/// What keys have that find no room, and how they leave it.
///
/// Asked under the lock of the key's shard, where the key is known not to be in: this crate's own code, no clock, no callback. So
/// whoever has something instead got it before the key was in, and whether somebody still has it can be known when it comes in.
pub(crate) trait NoRoom<V> {
    /// What a key has instead of a value.
    type Instead;
    /// What a value begins with, if its key had something instead before.
    type Past;

    /// The past of the key, for `value` to begin with; none, if it has to go on with what it has instead, though there be room.
    /// Also asked without the lock, to know whether it is worth making a value.
    fn past(&self, value: Option<&V>) -> Option<Self::Past>;
    /// It comes in.
    fn begin(&self, value: &V, past: Self::Past);
    /// It does not.
    fn instead(&self) -> Self::Instead;
}

/// There is nothing instead.
impl<V> NoRoom<V> for () {
    type Instead = ();
    type Past = ();

    fn past(&self, _: Option<&V>) -> Option<()> {
        Some(())
    }
    fn begin(&self, _: &V, (): ()) {}
    fn instead(&self) {}
}

impl<K, V: Shared> KeyedMap<K, V> {
    /// The key's value, or what `make` gives, which is stored.
    ///
    /// When two callers make, one value is kept and the other dropped. A full map first gives up entries for which `idle`
    /// holds, if nobody else [has](Shared::is_alone) a clone of the value. `idle` decides under the shard's lock, so it must be this
    /// crate's own arithmetic: no clock, no callback.
    pub(crate) fn get_or_insert_with<Q: Query<K> + ?Sized>(
        &self,
        query: &Q,
        make: impl FnOnce() -> V,
        idle: impl Fn(&V) -> bool,
    ) -> Lookup<V> {
        self.get_or_insert_or(query, make, idle, &())
    }

    /// [`get_or_insert_with`](Self::get_or_insert_with), where keys without room have something instead.
    pub(crate) fn get_or_insert_or<Q: Query<K> + ?Sized, R: NoRoom<V>>(
        &self,
        query: &Q,
        make: impl FnOnce() -> V,
        idle: impl Fn(&V) -> bool,
        no_room: &R,
    ) -> Lookup<V, R::Instead> {
        let shards = self.shards();
        let hash = shards.hash(query);
        let shard = shards.shard(hash);
        let mut make = Some(make);
        // Dropped on all ways out that do not store it, and then without the lock.
        let mut made = None;
        let mut is_full = false;
        loop {
            let seen = match shard.look(hash, query, |_, node| node.value.clone()) {
                Ok(found) => return Lookup::Found(found),
                Err(seen) => seen,
            };
            let crowded = seen.len >= shards.crowd;
            let stays = no_room.past(made.as_ref().map(|(_, value)| value)).is_none();
            if !crowded && !stays && self.has_room() {
                if let Some(make) = make.take() {
                    let value = make();
                    made =
                        Some((Arc::new(Node { hash, position: 0, key: query.to_key(), value: value.clone() }), value));
                }
            }
            let Some(lock) = shard.lock_at(seen) else {
                continue;
            };
            // From here on the key is not in.
            let comes = made.as_ref().filter(|_| !crowded);
            let past = comes.and_then(|(_, value)| no_room.past(Some(value)));
            if let Some(past) = past.filter(|_| self.take_place()) {
                if let Some((mut node, value)) = made.take() {
                    no_room.begin(&value, past);
                    self.put_last(&mut node);
                    let mut nodes = shard.copy(&lock);
                    nodes.insert_unique(hash, node, |node| node.hash);
                    let old = shard.publish(&lock, nodes);
                    drop(lock);
                    drop(old);
                    return Lookup::Inserted(value);
                }
            }
            if stays || is_full {
                let instead = no_room.instead();
                drop(lock);
                return Lookup::Full(instead);
            }
            drop(lock);
            let freed =
                if crowded { self.sweep_one(shard, &idle) } else { self.has_room() || self.sweep(shards, &idle) };
            // Once more, since that can be said under the lock only, of a table that was looked at.
            is_full = !freed;
        }
    }

    fn sweep_one(&self, shard: &Shard<K, V>, idle: &impl Fn(&V) -> bool) -> bool {
        shard.sweep(idle, |freed| self.give_back(freed))
    }

    /// Gives up the idle entries of one shard.
    ///
    /// After a sweep that found nothing anywhere, and until there are news, each insertion looks at the next shard only: a
    /// flood of new keys costs a bounded number of looks each, and what becomes idle silently is found all the same.
    fn sweep(&self, shards: &Shards<K, V>, idle: &impl Fn(&V) -> bool) -> bool {
        let news = self.news.load(Ordering::Relaxed);
        let nothing_new = self.swept.load(Ordering::Relaxed) == news;
        for _ in 0..if nothing_new { 1 } else { shards.all.len() } {
            let at = self.sweep_from.fetch_add(1, Ordering::Relaxed) & (shards.all.len() - 1);
            if self.sweep_one(&shards.all[at], idle) {
                return true;
            }
        }
        self.swept.store(news, Ordering::Relaxed);
        false
    }
}

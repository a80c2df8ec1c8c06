//! One shard: an immutable table that readers load without a lock, and the lock under which writers publish the next one.

use super::insert::Shared;
use super::query::Query;
use arc_swap::ArcSwapOption;
use hashbrown::HashTable;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often a sweep looks whether the last readers of what it wants to give up have gone.
const PATIENCE: usize = 64;

pub(super) struct Node<K, V> {
    pub(super) hash: u64,
    /// The position in the order of insertion; no other key of the map has it. Given when the node is published.
    pub(super) position: u64,
    pub(super) key: K,
    pub(super) value: V,
}

pub(super) type Nodes<K, V> = HashTable<Arc<Node<K, V>>>;

/// Which table it was, so that a writer that looked without the lock knows under the lock whether it still is the table:
/// that is why no `Eq` of a key runs under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// No other table has or had it; 0 is no table.
    version: u64,
    pub(super) len: usize,
}

impl Seen {
    const NOTHING: Self = Self { version: 0, len: 0 };
}

pub(super) struct Table<K, V> {
    version: u64,
    /// A sweep has taken nodes out and has not decided yet: what is not here may come back. Asking again once the lock is
    /// free tells.
    doubtful: AtomicBool,
    pub(super) nodes: Nodes<K, V>,
}

impl<K, V> Table<K, V> {
    #[inline]
    fn find<Q: Query<K> + ?Sized>(&self, hash: u64, query: &Q) -> Option<&Node<K, V>> {
        self.nodes.find(hash, |node| node.hash == hash && query.is(&node.key)).map(|node| &**node)
    }

    pub(super) fn seen(&self) -> Seen {
        Seen { version: self.version, len: self.nodes.len() }
    }

    fn is_doubtful(&self) -> bool {
        self.doubtful.load(Ordering::Acquire)
    }
}

/// The version of the next table of any shard: so a shard need not remember its own.
static NEXT_VERSION: AtomicU64 = AtomicU64::new(Seen::NOTHING.version + 1);

/// Held by the one writer. Only this crate's own code runs under it.
pub(super) type Lock<'a> = MutexGuard<'a, ()>;

/// An old table. It may own the last of a user's values: to be dropped without the lock.
pub(super) type Old<K, V> = Option<Arc<Table<K, V>>>;

/// Sixteen bytes: a map has many from its first key on.
pub(super) struct Shard<K, V> {
    table: ArcSwapOption<Table<K, V>>,
    writing: Mutex<()>,
}

impl<K, V> Shard<K, V> {
    pub(super) fn new() -> Self {
        Self { table: ArcSwapOption::const_empty(), writing: Mutex::new(()) }
    }

    /// What `found` makes of the key's node, or the table that has none. No lock, no allocation.
    #[inline]
    pub(super) fn look<Q: Query<K> + ?Sized, R>(
        &self,
        hash: u64,
        query: &Q,
        found: impl FnOnce(&Table<K, V>, &Node<K, V>) -> R,
    ) -> Result<R, Seen> {
        loop {
            let table = self.table.load();
            let Some(table) = table.as_deref() else {
                return Err(Seen::NOTHING);
            };
            if let Some(node) = table.find(hash, query) {
                return Ok(found(table, node));
            }
            if !table.is_doubtful() {
                return Err(table.seen());
            }
            self.settle();
        }
    }

    /// The present table, none of whose nodes is being given up.
    pub(super) fn table(&self) -> Option<Arc<Table<K, V>>> {
        loop {
            let table = self.table.load_full()?;
            if !table.is_doubtful() {
                return Some(table);
            }
            self.settle();
        }
    }

    /// Waits for the sweep.
    #[cold]
    fn settle(&self) {
        let lock = self.lock();
        if let Some(table) = &*self.table.load() {
            // Without effect, unless a sweep panicked.
            table.doubtful.store(false, Ordering::Release);
        }
        drop(lock);
    }

    pub(super) fn lock(&self) -> Lock<'_> {
        // Writers publish complete tables: a panic leaves the one before.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn is_locked(&self) -> bool {
        self.writing.try_lock().is_err()
    }

    /// The lock, if the table still is the one that was seen.
    pub(super) fn lock_at(&self, seen: Seen) -> Option<Lock<'_>> {
        let lock = self.lock();
        let present = self.table.load().as_deref().map_or(Seen::NOTHING, Table::seen);
        (present.version == seen.version).then_some(lock)
    }

    /// The nodes of the present table, to be changed and published. They stay shared with it.
    pub(super) fn copy(&self, _: &Lock<'_>) -> Nodes<K, V> {
        self.table.load().as_deref().map_or_else(HashTable::new, |table| table.nodes.clone())
    }

    pub(super) fn publish(&self, _: &Lock<'_>, nodes: Nodes<K, V>) -> Old<K, V> {
        self.table.swap((!nodes.is_empty()).then(|| Self::next(nodes, false)))
    }

    fn next(nodes: Nodes<K, V>, doubtful: bool) -> Arc<Table<K, V>> {
        let version = NEXT_VERSION.fetch_add(1, Ordering::Relaxed);
        Arc::new(Table { version, doubtful: AtomicBool::new(doubtful), nodes })
    }

    /// Takes the idle nodes out. `freed` is told how many before the lock is free.
    ///
    /// A reader without a lock may be about to clone a value that looks idle. So the candidates leave the table first
    /// (whoever misses them waits for the decision), and go only when no older table that somebody still reads holds them.
    pub(super) fn sweep(&self, idle: &impl Fn(&V) -> bool, freed: impl FnOnce(usize)) -> bool
    where
        V: Shared,
    {
        let candidate = |node: &Arc<Node<K, V>>| idle(&node.value);
        // Mostly there is none: this look disturbs nobody.
        if !self.table.load().as_ref().is_some_and(|table| table.nodes.iter().any(candidate)) {
            return false;
        }
        let lock = self.lock();
        let mut kept = self.copy(&lock);
        let candidates: Vec<_> = kept.extract_if(|node| candidate(node)).collect();
        if candidates.is_empty() {
            return false;
        }
        let next = Self::next(kept, true);
        // All its nodes are in `next` or among the candidates: no value ends here, under the lock.
        drop(self.table.swap(Some(next.clone())));
        let mut patience = PATIENCE;
        let (mut gone, mut back) = (Vec::new(), Vec::new());
        for mut node in candidates {
            let goes = is_left_alone(&mut node, &mut patience)
                && Arc::get_mut(&mut node).is_some_and(|node| node.value.is_alone())
                && candidate(&node);
            if goes { gone.push(node) } else { back.push(node) }
        }
        let old = if back.is_empty() {
            next.doubtful.store(false, Ordering::Release);
            None
        } else {
            let mut nodes = next.nodes.clone();
            for node in back {
                nodes.insert_unique(node.hash, node, |node| node.hash);
            }
            self.publish(&lock, nodes)
        };
        freed(gone.len());
        drop(lock);
        drop(old);
        !gone.is_empty()
    }
}

/// Does no table hold the node any more, so that nobody can reach its value but through a clone made earlier?
fn is_left_alone<T>(node: &mut Arc<T>, patience: &mut usize) -> bool {
    // Not `strong_count`: this also makes visible what the last reader did.
    while Arc::get_mut(node).is_none() {
        if *patience == 0 {
            return false;
        }
        *patience -= 1;
        std::hint::spin_loop();
    }
    true
}

/// The value of a node that was taken out, alone if no reader is at it.
pub(super) fn into_value<K, V: Clone>(node: Arc<Node<K, V>>) -> V {
    Arc::try_unwrap(node).map_or_else(|shared| shared.value.clone(), |node| node.value)
}

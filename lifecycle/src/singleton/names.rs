//! What the by-name core holds: one entry a name.

use super::creation::{Creation, Record};
use crate::clock::ClockHandle;
use crate::counter::Counters;
use crate::error::Error;
use crate::keyed::{KeyedMap, Lookup};
use crate::registry::{Descriptor, Kind};
use crate::scope::Universe;
use crate::sync::Mutex;
use crate::wire::Gate;
use std::any::{Any, type_name};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names a core holds; a name beyond them is refused with [`Error::Full`].
const MAX_SINGLETONS: usize = 65_536;

type Shared = Arc<dyn Any + Send + Sync>;

#[derive(Debug)]
pub(super) struct CoreState {
    pub(super) gate: Gate,
    pub(super) clock: ClockHandle,
    pub(super) names: KeyedMap<String, Arc<Entry>>,
    /// Positions in the order of storing.
    stored: AtomicU64,
}

/// One name. It stays in the map when its instance is taken away, so that whoever is creating under it stores into what
/// others will find; an entry that holds nothing gives way when the map is full.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) descriptor: Descriptor,
    held: Mutex<Option<Held>>,
    pub(super) creation: Creation,
    pub(super) accesses: Counters<1>,
}

#[derive(Clone)]
pub(super) struct Held {
    pub(super) value: Shared,
    pub(super) type_name: &'static str,
    pub(super) size: usize,
    /// Kept when the value is overwritten.
    position: u64,
}

/// A held value, described.
#[derive(Clone, Copy)]
pub(super) struct About {
    pub(super) type_name: &'static str,
    pub(super) size: usize,
    position: u64,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.type_name)
    }
}

impl Entry {
    pub(super) fn new(name: &str) -> Self {
        Self {
            descriptor: Descriptor::dynamic(Kind::Singleton, name.to_owned().into()),
            held: Mutex::new(None),
            creation: Creation::new(),
            accesses: Counters::new(),
        }
    }

    /// What is known of the value, without sharing it: a look must never be its last owner.
    pub(super) fn seen(&self) -> Option<About> {
        self.held.lock().as_ref().map(|held| About {
            type_name: held.type_name,
            size: held.size,
            position: held.position,
        })
    }

    pub(super) fn held(&self) -> Option<Held> {
        self.held.lock().clone()
    }
}

impl CoreState {
    pub(super) const fn new(clock: ClockHandle) -> Self {
        Self { gate: Gate::new("singleton"), clock, names: KeyedMap::new(MAX_SINGLETONS), stored: AtomicU64::new(0) }
    }

    pub(super) fn on(clock: ClockHandle) -> Self {
        Self { gate: Gate::for_universe("singleton", clock.clone()), ..Self::new(clock) }
    }

    pub(super) fn in_universe(universe: &Universe) -> Self {
        Self::on(universe.clock())
    }

    /// The name's entry and what it holds, if it holds anything.
    pub(super) fn find(&self, name: &str) -> Option<(Arc<Entry>, Held)> {
        let entry = self.names.get(name)?;
        let held = entry.held()?;
        Some((entry, held))
    }

    /// The name's entry, made if there is none.
    pub(super) fn entry(&self, name: &str) -> Result<Arc<Entry>, Error> {
        let idle = |entry: &Arc<Entry>| {
            Arc::strong_count(entry) == 1 && Arc::weak_count(entry) == 0 && entry.held.lock().is_none()
        };
        match self.names.get_or_insert_with(name, || Arc::new(Entry::new(name)), idle) {
            Lookup::Found(entry) | Lookup::Inserted(entry) => Ok(entry),
            Lookup::Full => {
                Err(Error::Full { what: "the singleton core", name: name.to_owned(), limit: MAX_SINGLETONS })
            }
        }
    }

    /// Entries that hold an instance, in the order of storing.
    pub(super) fn holding(&self) -> Vec<(Arc<Entry>, About)> {
        let entries = self.names.entries().into_iter();
        let mut all: Vec<_> = entries.filter_map(|(_, entry)| entry.seen().map(|about| (entry, about))).collect();
        all.sort_by_key(|(_, about)| about.position);
        all
    }

    /// Puts a value into an entry, under its creation's lock. Gives what was there, to be dropped outside it.
    pub(super) fn store<T: Send + Sync + 'static>(&self, entry: &Entry, value: Arc<T>) -> Option<Held> {
        let mut held = entry.held.lock();
        let position =
            held.as_ref().map_or_else(|| self.stored.fetch_add(1, Ordering::Relaxed), |known| known.position);
        held.replace(Held { value, type_name: type_name::<T>(), size: size_of::<T>(), position })
    }
}

/// Takes an entry's value out, under its creation's lock; to be dropped outside it.
pub(super) fn take(entry: &Entry) -> Option<Held> {
    entry.creation.exclusively(|record| {
        *record = Record::default();
        entry.accesses.reset();
        entry.held.lock().take()
    })
}

//! What the by-name core holds: one entry a name.

use super::creation::Creation;
use super::drop_apart;
use crate::clock::ClockHandle;
use crate::counter::Counters;
use crate::error::Error;
use crate::instance::{AnyInstance, Instance};
use crate::keyed::{KeyedMap, Lookup, Shared};
use crate::registry::{Descriptor, Kind};
use crate::scope::Universe;
use crate::wire::Gate;
use std::any::{Any, type_name};
use std::sync::Arc;

/// Names a core holds; a name beyond them is refused with [`Error::Full`].
const MAX_SINGLETONS: usize = 65_536;

#[derive(Debug)]
pub(super) struct CoreState {
    pub(super) gate: Gate,
    pub(super) clock: ClockHandle,
    pub(super) names: KeyedMap<String, Named>,
}

/// One name. It stays in the map when its instance is taken away, so that whoever is creating under it stores into what
/// others will find; an entry that holds nothing gives way when the map is full.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) entry: Arc<Entry>,
    /// In the map itself, where a look-up finds it with the name. Changed under the creation's lock only.
    pub(super) held: Option<Held>,
}

impl Shared for Named {
    fn is_alone(&mut self) -> bool {
        self.entry.is_alone()
    }
}

/// What stays of a name while its instance comes and goes.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) descriptor: Descriptor,
    pub(super) creation: Creation<Held>,
    pub(super) accesses: Counters<1>,
}

#[derive(Clone)]
pub(super) struct Held {
    pub(super) value: Arc<dyn Any + Send + Sync>,
    pub(super) type_name: &'static str,
    pub(super) size: usize,
}

impl Held {
    pub(super) fn new<T: Send + Sync + 'static>(value: T) -> Self {
        Self { value: Arc::new(value), type_name: type_name::<T>(), size: size_of::<T>() }
    }

    /// The value, if it is a `T`.
    pub(super) fn typed<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        // First asked, then shared: a look must not be the last owner of a value of another type.
        if (*self.value).is::<T>() { self.value.clone().downcast().ok() } else { None }
    }

    pub(super) fn into_any(self) -> AnyInstance {
        Instance::Shared(self.value)
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.type_name)
    }
}

impl Named {
    fn new(name: &str) -> Self {
        let entry = Entry {
            descriptor: Descriptor::dynamic(Kind::Singleton, name.to_owned().into()),
            creation: Creation::new(),
            accesses: Counters::new(),
        };
        Self { entry: Arc::new(entry), held: None }
    }
}

impl Drop for CoreState {
    /// A core of one's own or a world's goes: as with `clear`, the newest first, and a destructor that panics does not stop
    /// the rest.
    fn drop(&mut self) {
        let mut holding = self.holding();
        _ = self.names.clear();
        while let Some(newest) = holding.pop() {
            drop_apart(newest);
        }
    }
}

impl CoreState {
    pub(super) const fn new(clock: ClockHandle) -> Self {
        Self { gate: Gate::new("singleton"), clock, names: KeyedMap::new(MAX_SINGLETONS) }
    }

    pub(super) fn on(clock: ClockHandle) -> Self {
        let mut state = Self::new(clock.clone());
        state.gate = Gate::for_universe("singleton", clock);
        state
    }

    pub(super) fn in_universe(universe: &Universe) -> Self {
        Self::on(universe.clock())
    }

    /// The name's entry, made if there is none.
    pub(super) fn entry(&self, name: &str) -> Result<Arc<Entry>, Error> {
        let idle = |named: &Named| named.held.is_none() && Arc::strong_count(&named.entry) == 1;
        match self.names.get_or_insert_with(name, || Named::new(name), idle) {
            Lookup::Found(named) | Lookup::Inserted(named) => Ok(named.entry),
            Lookup::Full(()) => {
                Err(Error::Full { what: "the singleton core", name: name.to_owned(), limit: MAX_SINGLETONS })
            }
        }
    }

    /// What a name holds, shared.
    pub(super) fn held(&self, name: &str) -> Option<Held> {
        self.names.read(name, |named| named.held.clone()).flatten()
    }

    /// Entries that hold an instance, in the order of storing.
    pub(super) fn holding(&self) -> Vec<Named> {
        let holding = self.names.values().into_iter().filter(|named| named.held.is_some());
        let mut all: Vec<_> = holding.map(|named| (named.entry.creation.order(), named)).collect();
        all.sort_by_key(|(order, _)| *order);
        all.into_iter().map(|(_, named)| named).collect()
    }

    /// Puts a value, or none, under an entry's name, under its creation's lock. Gives what was there, to be dropped outside it.
    pub(super) fn put(&self, entry: &Arc<Entry>, held: Option<Held>) -> Option<Held> {
        let change = |_: Option<&Named>| Some(Named { entry: entry.clone(), held });
        // There is a place: the entry is in the map for as long as somebody holds it.
        self.names.update(entry.descriptor.name(), change).ok().flatten().and_then(|named| named.held)
    }
}

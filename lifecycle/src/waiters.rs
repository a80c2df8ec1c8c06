//! Those who wait, tasks above all, woken with no lock held: a waker is somebody else's code, and may poll where it is called.
//! (`event_listener` calls wakers under its own lock, so it serves threads only.)

use crate::error::caught;
use crate::sync::{Arc, Mutex};
use std::collections::BTreeMap;
use std::task::Waker;

pub(crate) struct Waiters {
    list: Mutex<List>,
}

struct List {
    next: u64,
    /// Without a waker: it was woken and has not looked again.
    places: BTreeMap<u64, Option<Waker>>,
}

impl Waiters {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { list: Mutex::new(List { next: 0, places: BTreeMap::new() }) })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.lock().places.is_empty()
    }

    pub(crate) fn wake_all(&self) {
        let wakers: Vec<Waker> = self.list.lock().places.values_mut().filter_map(Option::take).collect();
        for waker in wakers {
            // One that panics keeps nobody from being woken.
            _ = caught(|| waker.wake());
        }
    }
}

/// One task's place among them.
pub(crate) struct Place {
    waiters: Arc<Waiters>,
    id: u64,
}

impl Place {
    pub(crate) fn new(waiters: &Arc<Waiters>) -> Self {
        let mut list = waiters.list.lock();
        let id = list.next;
        list.next += 1;
        list.places.insert(id, None);
        drop(list);
        Self { waiters: Arc::clone(waiters), id }
    }

    pub(crate) fn is_among(&self, waiters: &Arc<Waiters>) -> bool {
        Arc::ptr_eq(&self.waiters, waiters)
    }

    /// The waker to call. Gives the one it replaces, to be dropped with no lock held.
    pub(crate) fn set(&self, waker: Waker) -> Option<Waker> {
        self.waiters.list.lock().places.insert(self.id, Some(waker)).flatten()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let gone = self.waiters.list.lock().places.remove(&self.id);
        // A waker, with no lock held.
        drop(gone);
    }
}

impl std::fmt::Debug for Waiters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiters").field("places", &self.list.lock().places.len()).finish()
    }
}

//! A test's world: nothing created, breakers closed, windows empty, flags at their defaults, a clock of its own.

use super::OverrideList;
use crate::clock::{ClockHandle, ManualClock};
use crate::telemetry::EventRecord;
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

type State = Arc<dyn Any + Send + Sync>;

pub(crate) struct Universe {
    clock: Arc<ManualClock>,
    /// By the address of the component's static, which no other component can have while the process lives.
    states: Mutex<BTreeMap<usize, State>>,
    overrides: Arc<OverrideList>,
    events: Mutex<Vec<EventRecord>>,
    /// Nothing more is created in it.
    ended: AtomicBool,
}

#[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only `testing` makes worlds"))]
impl Universe {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::new(ManualClock::new()),
            states: Mutex::default(),
            overrides: Arc::default(),
            events: Mutex::default(),
            ended: AtomicBool::new(false),
        })
    }

    pub(crate) fn manual_clock(&self) -> &Arc<ManualClock> {
        &self.clock
    }

    pub(crate) fn clock(&self) -> ClockHandle {
        ClockHandle::Custom(self.clock.clone())
    }

    pub(crate) fn overrides(&self) -> &Arc<OverrideList> {
        &self.overrides
    }

    /// This world's state of component `key`, made on first use. `fresh` is this crate's own code and takes no lock.
    pub(super) fn state<S: Send + Sync + 'static>(&self, key: usize, fresh: impl FnOnce(&Self) -> S) -> Arc<S> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let known = states.get(&key).and_then(|state| state.clone().downcast::<S>().ok());
        known.unwrap_or_else(|| {
            let state = Arc::new(fresh(self));
            states.insert(key, state.clone());
            state
        })
    }

    /// From now on nothing is created here; what exists stays readable for whoever carries the world on.
    pub(crate) fn finish(&self) {
        self.ended.store(true, Ordering::Release);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Drops the states, outside the lock: they may own the user's values.
    pub(crate) fn end(&self) {
        let gone = std::mem::take(&mut *self.states.lock().unwrap_or_else(PoisonError::into_inner));
        if std::thread::panicking() {
            // The test has failed already; a destructor that panics as well would end the process.
            gone.into_values().for_each(crate::singleton::drop_apart);
        } else {
            drop(gone);
        }
    }

    pub(crate) fn record(&self, event: EventRecord) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    pub(crate) fn events(&self) -> Vec<EventRecord> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

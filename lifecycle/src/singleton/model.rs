//! One singleton without name, counts and world: what `tests/loom_creation.rs` drives.

use super::creation::{Creation, Limits, Making, Plan, Record, Waiting};
use crate::clock::ClockHandle;
use crate::error::{CreateError, SingletonError};
use crate::scope::Subject;
use loom::cell::UnsafeCell;
use std::task::{Context, Poll};

/// A singleton of the model. Its value is not atomic: loom sees to it that it is touched under the creation's lock only.
pub struct Model {
    subject: Subject,
    creation: Creation<u32>,
    value: UnsafeCell<Option<u32>>,
}

// SAFETY: as `Mutex`'s, with the lock of `creation`; where that is not held, loom panics before anybody gets a pointer.
unsafe impl Sync for Model {}

/// A waiter's place.
#[derive(Default)]
pub struct Place(Waiting);

fn failed(error: CreateError<&'static str>) -> Failed {
    match error {
        CreateError::Factory(error) => Failed::Factory(error),
        CreateError::Refused(SingletonError::Cycle { path, .. }) => Failed::Cycle(path),
        CreateError::Refused(other) => Failed::Other(other.to_string()),
    }
}

/// Why there is no value.
#[derive(Debug, PartialEq, Eq)]
pub enum Failed {
    Factory(&'static str),
    Cycle(String),
    Other(String),
}

impl Model {
    pub fn new(name: &'static str) -> Self {
        Self {
            subject: Subject { name: name.into(), place: ("", 0), key: name.as_ptr().addr() },
            creation: Creation::new(),
            value: UnsafeCell::new(None),
        }
    }

    /// The value, made by `make` if there is none.
    ///
    /// # Errors
    /// What the factory says, or a circle.
    pub fn get(&self, make: impl FnOnce() -> Result<u32, &'static str>) -> Result<u32, Failed> {
        let store = |value| {
            self.put(Some(value));
            value
        };
        let made = self.creation.once(&self.plan(), || self.value(), make, store, |error| (*error).to_owned());
        made.map_err(failed)
    }

    /// Puts a value, or none, in place, as `replace` and `delete` do.
    pub fn set(&self, value: Option<u32>) {
        self.creation.exclusively(
            |record| {
                self.put(value);
                *record = Record::default();
            },
            value.is_some(),
        );
    }

    fn plan(&self) -> Plan<'static> {
        // Its clock's readings decide nothing.
        Plan::new(self.subject.clone(), "u32", &ClockHandle::System, Limits::default())
    }

    /// One step of one waiter for the value, made by the future of `launch` if there is none.
    pub fn poll(
        &self,
        place: &mut Place,
        cx: &mut Context<'_>,
        launch: impl FnOnce() -> Making<u32, &'static str>,
    ) -> Poll<Result<u32, Failed>> {
        let store = |value| {
            self.put(Some(value));
            value
        };
        let polled = self.creation.poll_once(
            &mut place.0,
            cx,
            &self.plan(),
            || self.value(),
            launch,
            store,
            |error: &&'static str| (*error).to_owned(),
        );
        polled.map_err(failed)
    }

    pub fn failures(&self) -> u64 {
        self.creation.record().failures
    }

    fn value(&self) -> Option<u32> {
        // SAFETY: the creation's lock is held, so nobody writes; loom panics otherwise.
        self.value.with(|value| unsafe { *value })
    }

    fn put(&self, new: Option<u32>) {
        // SAFETY: the creation's lock is held, so nobody else looks; loom panics otherwise.
        self.value.with_mut(|value| unsafe { *value = new });
    }
}

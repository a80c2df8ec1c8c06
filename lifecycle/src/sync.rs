//! The std/loom switch: cells that are model-checked take their atomics and locks from here.
//!
//! Process-wide statics (the registry, the counter book, `SLOW`) use `std` directly: loom's atomics have no const `new`,
//! so declared statics cannot exist in a model. A cell therefore has a `new` that is const outside loom only.

#[cfg(loom)]
pub(crate) use loom::sync::{Mutex as RawMutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex as RawMutex, MutexGuard, atomic};

/// A mutex without poisoning: one panic must never disable a component, and every critical section in this crate
/// leaves its data consistent at each point where it could unwind (no user code runs inside one).
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(RawMutex<T>);

impl<T> Mutex<T> {
    const_unless_loom! {
        pub(crate) fn new(value: T) -> Self {
            Self(RawMutex::new(value))
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

//! The std/loom switch: what is model-checked takes its atomics, locks, statics and thread-locals from here.
//!
//! loom's primitives have no const `new` and live for one execution of a model only, and loom runs all threads of a model on one
//! OS thread. A cell therefore has a `new` that is const outside loom only; a static is declared by [`process_static!`] and a
//! thread-local by [`thread_static!`], which are plain const-initialised ones outside loom. What no model looks into (`SLOW`,
//! the registry, records of a frame) may use `std` directly, if nothing of loom's happens while it is locked.

#[cfg(loom)]
pub(crate) use loom::{
    sync::{Arc, Mutex as RawMutex, MutexGuard, atomic},
    thread,
};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::{Arc, Mutex as RawMutex, MutexGuard, atomic},
    thread,
};

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

/// `N` atomic zeros.
#[cfg(not(loom))]
pub(crate) const fn zeros<const N: usize>() -> [atomic::AtomicU64; N] {
    [const { atomic::AtomicU64::new(0) }; N]
}

#[cfg(loom)]
pub(crate) fn zeros<const N: usize>() -> [atomic::AtomicU64; N] {
    std::array::from_fn(|_| atomic::AtomicU64::new(0))
}

/// What an atomic holds that nobody else can reach any more.
#[cfg(not(loom))]
pub(crate) fn owned(atomic: &mut atomic::AtomicU32) -> u32 {
    *atomic.get_mut()
}

/// Panics when others may still be at it.
#[cfg(loom)]
pub(crate) fn owned(atomic: &mut atomic::AtomicU32) -> u32 {
    atomic.with_mut(|value| *value)
}

/// Declares private statics of the process: `static NAME: Type = const expression;`. In a model each execution has its own, made
/// on first use; it is gone when the model's closure returns, before the main thread's thread-locals are.
macro_rules! process_static {
    ($($(#[$meta:meta])* static $name:ident: $type:ty = $value:expr;)*) => {$(
        #[cfg(not(loom))]
        $(#[$meta])* static $name: $type = $value;
        #[cfg(loom)]
        loom::lazy_static! { $(#[$meta])* static ref $name: $type = $value; }
    )*};
}
pub(crate) use process_static;

/// Declares private thread-locals: `static NAME: Type = const expression;`. Without a destructor of the type's own, reading one is
/// one thread-relative load. In a model each of loom's threads has its own.
macro_rules! thread_static {
    ($($(#[$meta:meta])* static $name:ident: $type:ty = $value:expr;)*) => {
        #[cfg(not(loom))]
        std::thread_local! { $($(#[$meta])* static $name: $type = const { $value };)* }
        $(
            #[cfg(loom)]
            $(#[$meta])* static $name: $crate::sync::ThreadStatic<$type> =
                $crate::sync::ThreadStatic(loom::thread::LocalKey { init: || $value, _p: std::marker::PhantomData });
        )*
    };
}
pub(crate) use thread_static;

/// loom's thread-local with the part of std's `LocalKey` that this crate uses.
#[cfg(loom)]
pub(crate) struct ThreadStatic<T: 'static>(pub(crate) thread::LocalKey<T>);

#[cfg(loom)]
impl<T> ThreadStatic<T> {
    pub(crate) fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, thread::AccessError> {
        self.0.try_with(f)
    }
}

#[cfg(loom)]
impl<T> ThreadStatic<std::cell::Cell<T>> {
    pub(crate) fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.0.with(std::cell::Cell::get)
    }

    pub(crate) fn set(&'static self, value: T) {
        self.0.with(|cell| cell.set(value));
    }

    pub(crate) fn replace(&'static self, value: T) -> T {
        self.0.with(|cell| cell.replace(value))
    }
}

//! Lazy singletons: created on first use, once across all threads, counted, listed before they exist.
//!
//! Most of it is [`#[singleton]`](macro@crate::singleton) and the accessors it makes; [`Singleton`] carries what is done less
//! often, and [`SingletonCore`] is the by-name face over declared and run-time singletons.

// `creation` decides who runs a factory and who waits; `storage` is where an instance is kept and what is handed out; `cell`
// puts the two together for a declared singleton; `face` is what of it does not depend on its type. Under loom there is only
// `creation`, and a model around it.

mod creation;
#[cfg(loom)]
pub mod model;

#[cfg(not(loom))]
mod any;
#[cfg(not(loom))]
mod asking;
#[cfg(not(loom))]
mod bound;
#[cfg(not(loom))]
mod cell;
#[cfg(not(loom))]
mod core;
#[cfg(not(loom))]
mod creating;
#[cfg(not(loom))]
mod erased;
#[cfg(not(loom))]
mod face;
#[cfg(not(loom))]
mod function;
#[cfg(not(loom))]
mod handle;
#[cfg(not(loom))]
mod home;
#[cfg(not(loom))]
#[doc(hidden)]
pub mod hooks;
#[cfg(not(loom))]
mod kept;
#[cfg(not(loom))]
mod keyed;
#[cfg(not(loom))]
mod keyed_face;
#[cfg(not(loom))]
mod lazy;
#[cfg(not(loom))]
mod manage;
#[cfg(not(loom))]
mod names;
#[cfg(not(loom))]
mod operation;
#[cfg(not(loom))]
mod output;
#[cfg(not(loom))]
mod replacing;
#[cfg(not(loom))]
mod running;
#[cfg(not(loom))]
mod settings;
#[cfg(not(loom))]
mod slot;
#[cfg(not(loom))]
mod stats;
#[cfg(not(loom))]
mod storage;

#[cfg(not(loom))]
pub use {
    self::core::{SingletonCore, get_singleton_manager, singletons},
    face::{Handed, Owned, Singleton},
    function::{SingletonFn, handle},
    handle::{Handle, singleton},
    hooks::Health,
    lazy::Lazy,
    operation::{SingletonOperation, execute_singleton_operation},
    stats::SingletonStats,
    storage::Current,
};
#[cfg(not(loom))]
pub(crate) use {
    creation::{Creation, Limits, Plan, Record, Waiting},
    function::of_function,
};

#[cfg(not(loom))]
#[doc(hidden)]
pub use {
    any::{AnySingleton, HookOf, Snapped, SnapshotHook},
    asking::{Ask, Asking},
    cell::{Cell, SingletonCell, SwapCell},
    creating::Creating,
    creation::{GiveUp, Making},
    erased::ErasedCell,
    home::{
        Awaited, AwaitedInstance, FailsWith, Forever, HandedBy, Home, Kept, Mode, PerInvocation, Replaceable,
        StorageOf, Stored,
    },
    keyed::{KeptByKey, KeyedCell, KeyedHome, SingletonKey},
    output::{FactoryOutput, SingletonValue, TryFactoryOutput},
    running::Running,
    settings::{Dependency, Needs, Settings},
    storage::{Static, Storage, Storing, Swapped},
};

/// Drops a user's value with no lock held, and does not let its panic stop what comes after.
pub(crate) fn drop_apart<T>(value: T) {
    _ = try_drop(value);
}

/// The same; gives what a panic said.
pub(crate) fn try_drop<T>(value: T) -> Result<(), String> {
    crate::error::caught(|| drop(value))
}

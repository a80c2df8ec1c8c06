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

macro_rules! outside_models {
    ($($item:item)*) => { $(#[cfg(not(loom))] $item)* };
}

outside_models! {
    mod any;
    mod asking;
    mod bound;
    mod cell;
    mod core;
    mod creating;
    mod erased;
    mod face;
    mod handle;
    mod home;
    #[doc(hidden)]
    pub mod hooks;
    mod kept;
    mod keyed;
    mod keyed_face;
    mod lazy;
    mod manage;
    mod names;
    mod operation;
    mod output;
    mod running;
    mod settings;
    mod slot;
    mod stats;
    mod storage;

    pub(crate) use creation::{Creation, Limits, Plan, Record, Waiting};
    pub use self::core::{SingletonCore, get_singleton_manager, singletons};
    pub use face::{Handed, Owned, Singleton};
    pub(crate) use handle::of_function;
    pub use handle::{Handle, SingletonFn, handle, singleton};
    pub use hooks::Health;
    pub use lazy::Lazy;
    pub use operation::{SingletonOperation, execute_singleton_operation};
    pub use stats::SingletonStats;
    pub use storage::Current;

    #[doc(hidden)]
    pub use {
        asking::{Ask, Asking},
        cell::{Cell, SingletonCell, SwapCell},
        creating::Creating,
        creation::Making,
        erased::ErasedCell,
        any::{AnySingleton, HookOf, SnapshotHook, Snapped},
        home::{
            Awaited, AwaitedInstance, FailsWith, Forever, HandedBy, Home, Kept, Mode, PerInvocation, Replaceable, StorageOf,
            Stored,
        },
        keyed::{KeptByKey, KeyedCell, KeyedHome, SingletonKey},
        output::{FactoryOutput, SingletonValue, TryFactoryOutput},
        running::Running,
        settings::{Dependency, Needs, Settings},
        storage::{Static, Storage, Storing, Swapped},
    };
}

/// Drops a user's value with no lock held, and does not let its panic stop what comes after.
pub(crate) fn drop_apart<T>(value: T) {
    _ = try_drop(value);
}

/// The same; gives what a panic said.
pub(crate) fn try_drop<T>(value: T) -> Result<(), String> {
    crate::error::caught(|| drop(value))
}

//! Lazy singletons: created on first use, once across all threads, counted, listed before they exist.
//!
//! Most of it is [`#[singleton]`](macro@crate::singleton) and the accessors it makes; [`Singleton`] carries what is done less
//! often, and [`SingletonCore`] is the by-name face over declared and run-time singletons.

// `creation` decides who runs a factory and who waits, `cell` keeps the declared instance behind one atomic pointer.

#[cfg(not(loom))]
mod cell;
#[cfg(not(loom))]
mod core;
mod creation;
#[cfg(not(loom))]
mod face;
#[cfg(not(loom))]
mod kept;
#[cfg(not(loom))]
mod names;
#[cfg(not(loom))]
mod operation;
#[cfg(not(loom))]
mod output;
#[cfg(not(loom))]
mod stats;

#[cfg(not(loom))]
#[doc(hidden)]
pub use self::{
    cell::SingletonCell,
    face::AnySingleton,
    output::{FactoryOutput, SingletonValue, TryFactoryOutput},
};
#[cfg(not(loom))]
pub use self::{
    core::{SingletonCore, get_singleton_manager, singletons},
    face::Singleton,
    operation::{SingletonOperation, execute_singleton_operation},
    stats::SingletonStats,
};

#[cfg(loom)]
pub mod model;

//! Lazy singletons: created on first use, once across all threads, counted, listed before they exist.
//!
//! Most of it is [`#[singleton]`](macro@crate::singleton) and the accessors it makes; [`Singleton`] carries what is done less
//! often, and [`SingletonCore`] is the by-name face over declared and run-time singletons.

// `creation` decides who runs a factory and who waits, `cell` keeps the declared instance behind one atomic pointer.

mod cell;
mod core;
mod creation;
mod face;
mod kept;
mod names;
mod operation;
mod output;
mod stats;

pub use self::core::{SingletonCore, get_singleton_manager, singletons};
#[doc(hidden)]
pub use cell::SingletonCell;
#[doc(hidden)]
pub use face::AnySingleton;
pub use face::Singleton;
pub use operation::{SingletonOperation, execute_singleton_operation};
#[doc(hidden)]
pub use output::{FactoryOutput, SingletonValue, TryFactoryOutput};
pub use stats::SingletonStats;

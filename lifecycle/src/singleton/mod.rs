//! Lazy singletons: created on first use, once across all threads, counted, listed before they exist.
//!
//! [`creation`](self) decides who runs a factory and who waits; the cell keeps the declared instance behind one atomic
//! pointer; the core is the by-name face over declared and run-time singletons.

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
pub use cell::SingletonCell;
pub use face::{AnySingleton, Singleton};
pub use operation::{SingletonOperation, execute_singleton_operation};
pub use output::{FactoryOutput, SingletonValue, TryFactoryOutput};
pub use stats::SingletonStats;

//! Initialization: the process's configuration, given once, and flags by name.
//!
//! `config` is the configuration, `outcome` what the operations answer and how the wire writes it, `core` the
//! [`InitializationCore`], `initializing` how it comes to be initialized, `steps` what is run then, `flags` its flags by name, `operation` its JSON face.

mod config;
mod core;
mod flags;
mod initializing;
mod operation;
mod outcome;
mod steps;

pub use config::InitConfig;
pub use core::{InitializationCore, get_initialization_manager, initialization};
pub use initializing::{initialize, initialize_async};
pub use operation::{InitializationOperation, execute_initialization_operation};
pub use outcome::{FlagChange, InitOutcome, InitReset, InitStatus};

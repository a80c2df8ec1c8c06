//! Circuit breakers: after enough failures in a row calls are refused for a while; then a probe decides.
//!
//! Most of it is [`#[circuit_breaker]`](macro@crate::circuit_breaker); [`CircuitBreaker`] is what it declares, and what one
//! builds at run time; [`CircuitBreakerCore`] is the by-name face.

// `machine` is the pure state machine (with `samples`, the windows of its rates), `cell` makes it concurrent, `handle` adds name,
// clock, counts and events; `control`, `settings` and `report` are the rest of the handle's face.

mod answer;
#[cfg(not(loom))]
mod builder;
#[cfg(not(loom))]
mod calling;
mod cell;
mod config;
#[cfg(not(loom))]
mod control;
#[cfg(not(loom))]
mod core;
#[cfg(not(loom))]
mod guarded;
#[cfg(not(loom))]
mod handle;
#[cfg(not(loom))]
mod keyed;
#[cfg(not(loom))]
mod listeners;
mod machine;
#[cfg(not(loom))]
mod operation;
#[cfg(not(loom))]
mod permit;
mod policy;
#[cfg(not(loom))]
mod probing;
#[cfg(not(loom))]
mod report;
mod samples;
#[cfg(not(loom))]
mod settings;
mod state;

pub use config::BreakerConfig;
#[cfg(not(loom))]
pub(crate) use guarded::Guarded;
#[cfg(not(loom))]
pub(crate) use permit::{Held, acquire};
pub use policy::{Backoff, Cancelled, Verdict, Window};
pub use state::State;
#[cfg(not(loom))]
pub use {
    self::core::{BreakerCoreStats, CircuitBreakerCore, breakers, get_circuit_breaker_manager},
    builder::CircuitBreakerBuilder,
    handle::CircuitBreaker,
    keyed::KeyedCircuitBreaker,
    listeners::Transition,
    operation::{CircuitBreakerOperation, execute_circuit_breaker_operation},
    permit::{OwnedPermit, Permit},
    report::{SavedBreaker, SavedCalls},
};

#[cfg(loom)]
pub mod model;

//! Circuit breakers: after enough failures in a row calls are refused for a while; then a probe decides.
//!
//! Most of it is [`#[circuit_breaker]`](macro@crate::circuit_breaker); [`CircuitBreaker`] is what it declares, and what one
//! builds at run time; [`CircuitBreakerCore`] is the by-name face.

// `machine` is the pure state machine, `cell` makes it concurrent, `handle` adds name, clock, counts and events.

#[cfg(not(loom))]
mod builder;
mod cell;
mod config;
#[cfg(not(loom))]
mod core;
#[cfg(not(loom))]
mod handle;
mod machine;
#[cfg(not(loom))]
mod operation;
#[cfg(not(loom))]
mod permit;
mod policy;

pub use config::BreakerConfig;
pub use machine::State;
pub use policy::{Backoff, Cancelled, Verdict, Window};
#[cfg(not(loom))]
pub use {
    self::core::{BreakerCoreStats, CircuitBreakerCore, breakers, get_circuit_breaker_manager},
    builder::CircuitBreakerBuilder,
    handle::CircuitBreaker,
    operation::{CircuitBreakerOperation, execute_circuit_breaker_operation},
    permit::{Guarded, Permit},
};

#[cfg(loom)]
pub mod model;

//! Circuit breakers: after enough failures in a row calls are refused for a while; then a probe decides.
//!
//! `machine` is the pure state machine, `cell` makes it concurrent, [`CircuitBreaker`] adds name, clock, counts and
//! events, and [`CircuitBreakerCore`] is the by-name face.

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

pub use config::BreakerConfig;
pub use machine::State;
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

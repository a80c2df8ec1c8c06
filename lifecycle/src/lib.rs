#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Under loom only what `tests/loom_*.rs` drive is built.
#![cfg_attr(loom, allow(dead_code, unused_imports, unreachable_pub, missing_docs, reason = "a part of the crate"))]

#[cfg(not(target_has_atomic = "64"))]
compile_error!("lifecycle counts, and measures time, in 64-bit atomics, and this target has none");

#[macro_use]
mod macros;

pub mod breaker;
pub mod clock;
#[cfg(not(loom))]
pub mod compat;
mod counter;
pub mod error;
#[cfg(not(loom))]
pub mod flag;
#[cfg(not(loom))]
pub mod guide;
#[cfg(not(loom))]
pub mod init;
#[cfg(not(loom))]
mod instance;
#[cfg(not(loom))]
pub mod invocation;
#[cfg(not(loom))]
pub(crate) mod keyed;
pub mod limiter;
mod listeners;
#[cfg(loom)]
pub mod model;
mod name;
#[cfg_attr(loom, path = "model/process.rs")]
mod process;
#[cfg(not(loom))]
pub mod registry;
mod scope;
#[cfg(not(loom))]
pub mod settings;
pub mod singleton;
mod sync;
mod telemetry;
#[cfg(all(feature = "testing", not(loom)))]
pub mod testing;
#[cfg_attr(loom, path = "model/timer.rs")]
mod timer;
#[cfg(not(loom))]
mod units;
mod waiters;
#[cfg(not(loom))]
pub mod wire;
#[cfg(not(loom))]
mod words;

#[cfg(not(loom))]
#[doc = include_str!("events.md")]
pub mod events {}

#[cfg(not(loom))]
#[doc(hidden)]
pub mod __private0;

/// What one calls, and what that gives. Beside it, under their kind: parts of these, and names that say nothing without it
/// (`limiter::Usage`).
#[cfg(not(loom))]
mod face {
    #[doc(inline)]
    pub use crate::breaker::{
        Backoff, BreakerConfig, BreakerCoreStats, Cancelled, CircuitBreaker, CircuitBreakerBuilder, CircuitBreakerCore,
        CircuitBreakerOperation, KeyedCircuitBreaker, OwnedPermit, Permit, SavedBreaker, SavedCalls, State, Transition,
        Verdict, Window, breakers, execute_circuit_breaker_operation, get_circuit_breaker_manager,
    };
    #[doc(inline)]
    pub use crate::error::{BoxError, CallError, Error, Rejected, RejectedKind, SingletonError};
    #[doc(inline)]
    pub use crate::flag::{Flag, FlagValue};
    #[doc(inline)]
    pub use crate::init::{
        FlagChange, InitConfig, InitOutcome, InitReset, InitStatus, InitializationCore, InitializationOperation,
        execute_initialization_operation, get_initialization_manager, initialization, initialize, initialize_async,
    };
    #[doc(inline)]
    pub use crate::instance::{AnyInstance, Instance};
    #[doc(inline)]
    pub use crate::invocation::{
        Deadline, InInvocation, Invocation, InvocationConfig, current_invocation, invocation, invocation_blocking,
    };
    #[doc(inline)]
    pub use crate::limiter::{KeyedRateLimiter, RateLimiter, RateLimiterBuilder};
    #[doc(inline)]
    pub use crate::listeners::ListenerId;
    #[doc(inline)]
    pub use crate::name::Name;
    #[doc(inline)]
    pub use crate::process::{
        HealthCheck, HealthReport, HookOutcomeReport, HookReport, HooksReport, MemoryReading, MemoryThreshold,
        ResetReport, ShutdownLimits, ShutdownReport, WarmUp, WarmUpError, WarmUpFailure, before_snapshot,
        before_snapshot_blocking, before_snapshot_blocking_within, before_snapshot_within, health, health_blocking,
        is_shutting_down, on_memory_pressure, on_restore, on_restore_blocking, on_restore_blocking_within,
        on_restore_within, request_shutdown, reset_all_managers, run_pressure_hooks, run_reset_hooks, shutdown,
        shutdown_blocking, warm_up, warm_up_blocking, warm_up_blocking_within, warm_up_within,
    };
    #[doc(inline)]
    pub use crate::registry::{Kind, Snapshot, breaker, flag, keyed_breaker, keyed_limiter, limiter, snapshot, verify};
    #[doc(inline)]
    pub use crate::scope::{
        Context, ContextGuard, InContext, OverrideGuard, with_correlation_id, with_correlation_id_async,
    };
    #[doc(inline)]
    pub use crate::settings::{BreakerSettings, Configured, RateLimiterSettings, Settings, configure};
    #[doc(inline)]
    pub use crate::singleton::{
        Current, Handle, Health, Lazy, Singleton, SingletonCore, SingletonOperation, SingletonStats,
        execute_singleton_operation, get_singleton_manager, handle, singleton, singletons,
    };
    #[doc(inline)]
    pub use crate::wire::Args;
    #[doc(inline)]
    pub use lifecycle_macros::{FlagValue, circuit_breaker, init_flag, rate_limit, singleton};
}
#[cfg(not(loom))]
pub use face::*;
/// Not among the others: a glob import of it would stand in the way of `#[test]`.
#[cfg(all(feature = "testing", not(loom)))]
#[doc(inline)]
pub use lifecycle_macros::test;

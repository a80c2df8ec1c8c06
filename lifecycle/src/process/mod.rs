//! The life of the process as a whole: warming up, shutting down, and the hooks that run on everything at once.

mod gather;
mod hooks;
mod memory;
mod order;
mod phase;
mod report;
mod shutdown;
mod snapstart;
mod waits;
mod warm_up;

pub(crate) use gather::{Ended, Step, Work, one_within};
pub use hooks::{
    HealthCheck, HealthReport, ResetReport, health, health_blocking, reset_all_managers, run_pressure_hooks,
    run_reset_hooks,
};
pub(crate) use memory::last_reading;
#[cfg(feature = "testing")]
pub(crate) use memory::stand_in;
pub use memory::{MemoryReading, MemoryThreshold, on_memory_pressure};
pub(crate) use order::resolve;
pub(crate) use phase::{Busy, Phase};
pub use report::{HookOutcomeReport, HookReport, ShutdownReport};
pub use shutdown::{ShutdownLimits, is_shutting_down, request_shutdown, shutdown, shutdown_blocking};
pub use snapstart::{
    HooksReport, before_snapshot, before_snapshot_blocking, before_snapshot_blocking_within, before_snapshot_within,
    on_restore, on_restore_blocking, on_restore_blocking_within, on_restore_within,
};
pub(crate) use waits::Awaits;
pub(crate) use warm_up::block_on;
pub use warm_up::{
    WarmUp, WarmUpError, WarmUpFailure, warm_up, warm_up_blocking, warm_up_blocking_within, warm_up_within,
};

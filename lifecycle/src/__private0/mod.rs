//! What expansions name. Not part of the public API: its name carries the patch version, so that the macros of one release
//! never meet the runtime of another. Everything here is sound for any safe caller.

pub mod channel;
pub mod declared;
pub mod guard;

pub use crate::breaker::{BreakerConfig, CircuitBreaker, Permit};
pub use crate::error::{BoxError, CreateError, Rejected, SingletonError};
pub use crate::flag::{Flag, FlagValue};
pub use crate::keyed::query as keyed;
pub use crate::limiter::RateLimiter;
pub use crate::registry::{Descriptor, Kind, Listed};
pub use crate::singleton::{FactoryOutput, Singleton, SingletonCell, SingletonValue, TryFactoryOutput};
pub use ::core;
pub use ::inventory;
pub use ::std;
pub use lifecycle_macros::__guard_part as guard_part;

//! What expansions name. Not part of the public API: its name carries the patch version, so that the macros of one release
//! never meet the runtime of another. Everything here is sound for any safe caller.

pub mod channel;
pub mod declared;
pub mod given;
pub mod guard;

pub use self::channel::Dispatched;
pub use crate::__flag_in_word as flag_in_word;
pub use crate::breaker::{
    Backoff, BreakerConfig, Cancelled, CircuitBreaker, KeyedCircuitBreaker, Permit, Verdict, Window,
};
pub use crate::error::{BoxError, CreateError, Rejected, SingletonError};
pub use crate::flag::in_word as word;
pub use crate::flag::{DeclaredFlag, Flag, FlagEnum, FlagValue, declared as declared_flag};
pub use crate::keyed::held as keyed;
pub use crate::limiter::{KeyedRateLimiter, RateLimiter};
pub use crate::registry::{Descriptor, Kind, Listed};
pub use crate::singleton::hooks;
pub use crate::singleton::hooks::{Health, HealthRun, HookResult, HookRun};
pub use crate::singleton::{
    Ask, Asking, Cell, Current, Dependency, ErasedCell, FactoryOutput, KeyedCell, Lazy, Making, Needs, Settings,
    Singleton, SingletonCell, SingletonValue, Static, Storage, SwapCell, Swapped, TryFactoryOutput,
};
pub use ::core;
pub use ::core::convert::Infallible;
pub use ::inventory;
pub use ::std;
pub use lifecycle_macros::__guard_part as guard_part;

/// How errors are put into words for the records.
pub mod describe {
    use crate::error::BoxError;
    use std::convert::Infallible;

    /// There is none.
    #[must_use]
    pub fn never(never: &Infallible) -> String {
        match *never {}
    }

    /// With all its causes.
    #[must_use]
    pub fn chain(error: &BoxError) -> String {
        crate::error::chain(&**error)
    }
}

/// The name of the function that this item stands in, as the compiler has it.
#[must_use]
pub fn path_of<F>(_: &F) -> &'static str {
    around(std::any::type_name::<F>())
}

/// Not in each declaration again.
#[inline(never)]
fn around(name: &'static str) -> &'static str {
    let function = name.rsplit_once("::").map_or(name, |(function, _)| function);
    // The body of an `async fn` is a closure to the compiler.
    function.strip_suffix("::{{closure}}").unwrap_or(function)
}

//! Building a breaker at run time.

use super::config::BreakerConfig;
use super::handle::{BreakerState, CircuitBreaker};
use crate::clock::{Clock, ClockHandle};
use crate::error::Error;
use crate::registry::{Descriptor, Kind};
use crate::scope::Scoped;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Builds a [`CircuitBreaker`]; methods are named as the options of the attribute.
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct CircuitBreakerBuilder {
    name: Cow<'static, str>,
    config: BreakerConfig,
    clock: Option<ClockHandle>,
}

impl std::fmt::Debug for CircuitBreakerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CircuitBreakerBuilder")
            .field("name", &self.name)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Hands each setting on to the configuration, under the same name.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $ty:ty),* $(,)?) => {$(
        $(#[$doc])*
        pub fn $name(mut self, value: $ty) -> Self {
            self.config = self.config.$name(value);
            self
        }
    )*};
}

impl CircuitBreakerBuilder {
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        Self { name, config: BreakerConfig::new(), clock: None }
    }

    settings! {
        /// Failures in a row that open the breaker (default 5).
        threshold: u32,
        /// How long it stays open before a probe is admitted (default 60 s). Not a limit on the call.
        timeout: Duration,
        /// Probes that may run at a time while half-open (default 1).
        half_open_calls: u32,
        /// Probes that must succeed in a row to close it (default 1).
        success_threshold: u32,
        /// How long a probe keeps its slot (default: `timeout`, at most five minutes).
        half_open_timeout: Duration,
        /// From this duration on a dropped call counts as a failure (default 10 s).
        slow_call: Duration,
    }

    /// All numbers at once.
    pub fn config(mut self, config: BreakerConfig) -> Self {
        self.config = config;
        self
    }

    /// The clock it goes by (default: that of the test world it is built in, else the system's).
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(ClockHandle::Custom(clock));
        self
    }

    /// As [`clock`](Self::clock), for a core's own.
    pub(super) fn on(mut self, clock: ClockHandle) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The breaker.
    ///
    /// # Errors
    /// [`Error::InvalidName`] for an empty name, [`Error::InvalidConfig`] for a number it cannot work with.
    pub fn build(self) -> Result<CircuitBreaker, Error> {
        if self.name.is_empty() {
            return Err(Error::InvalidName { kind: "Circuit breaker" });
        }
        self.config.validate(&self.name)?;
        let clock = self.clock.unwrap_or_else(ClockHandle::in_force);
        let state = Scoped::owned(BreakerState::new(clock));
        Ok(CircuitBreaker::with_state(state, Descriptor::dynamic(Kind::Breaker, self.name), self.config))
    }
}

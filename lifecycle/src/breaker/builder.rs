//! Building a breaker at run time.

use super::config::BreakerConfig;
use super::handle::{BreakerState, CircuitBreaker};
use super::policy::{Backoff, Cancelled, Window};
use crate::clock::{Clock, ClockHandle};
use crate::error::Error;
use crate::name::Name;
use crate::registry::{Descriptor, Kind};
use crate::settings::Layers;
use crate::sync::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Builds a [`CircuitBreaker`]; methods are named as the options of the attribute.
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct CircuitBreakerBuilder {
    name: Name,
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
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: BreakerConfig::new(), clock: None }
    }

    settings! {
        /// Failures in a row that open it (default 5; with a rate, only if said).
        threshold: u32,
        /// The percentage of failed calls in the window from which on it opens.
        failure_rate: u32,
        /// The percentage of slow calls in the window from which on it opens.
        slow_call_rate: u32,
        /// The calls that the rates look at (default: the last 100).
        window: Window,
        /// How many calls a window must hold before its rates count (default 10, or the window's size if that is less).
        minimum_calls: u32,
        /// How long it stays open before a probe is admitted (default 60 s). Not a limit on the call.
        timeout: Duration,
        /// Lets it stay open longer each time that it opens again without having closed.
        backoff: Backoff,
        /// Probes that may run at a time while half-open (default 1).
        half_open_calls: u32,
        /// Probes that must succeed in a row to close it (default 1).
        success_threshold: u32,
        /// How long a probe keeps its slot (default: `timeout`, at most five minutes).
        half_open_timeout: Duration,
        /// From this duration on a call is slow (default 10 s); dropped, it counts as a failure.
        slow_call: Duration,
        /// What a call is that its caller drops (default: a failure if it was slow, else nothing).
        cancelled: Cancelled,
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
        let descriptor = Descriptor::dynamic(Kind::Breaker, self.name);
        let state = BreakerState { layers: Mutex::new(Layers::here()), ..BreakerState::new(clock) };
        Ok(CircuitBreaker::with_state(state, descriptor, self.config))
    }
}

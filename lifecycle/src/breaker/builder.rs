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

/// Builds a [`CircuitBreaker`]; from [`CircuitBreaker::builder`]. Methods are named as the options of the attribute.
///
/// ```
/// use lifecycle::{Backoff, CircuitBreaker, State, Window, clock::ManualClock};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = Arc::new(ManualClock::new());
/// let breaker = CircuitBreaker::builder("db")
///     .failure_rate(50) // percent
///     .window(Window::Calls(100))
///     .minimum_calls(4)
///     .timeout(Duration::from_secs(5))
///     .backoff(Backoff::exponential().cap(Duration::from_secs(60)))
///     .clock(clock.clone())
///     .build()?;
///
/// for succeeds in [true, false, true, false] {
///     assert_eq!(breaker.state(), State::Closed);
///     assert_eq!(breaker.call(|| if succeeds { Ok(()) } else { Err("down") }).is_ok(), succeeds);
/// }
/// assert_eq!(breaker.state(), State::Open); // two of four
/// clock.advance(Duration::from_secs(5));
/// assert!(breaker.call(|| Ok::<_, &str>(())).is_ok()); // the probe
/// assert_eq!(breaker.state(), State::Closed);
/// # Ok::<(), lifecycle::Error>(())
/// ```
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
        ///
        #[doc = concat!("The whole of it: [`BreakerConfig::", stringify!($name), "`]; an example: [`CircuitBreakerBuilder`].")]
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
        /// The share of failed calls in the window, in percent from 1 to 100, from which on it opens.
        failure_rate: u32,
        /// The share of slow calls in the window, in percent from 1 to 100, from which on it opens.
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

    /// All numbers at once, in place of those given before.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, CircuitBreaker};
    /// use std::time::Duration;
    ///
    /// const OURS: BreakerConfig = BreakerConfig::new().threshold(3).timeout(Duration::from_secs(10));
    /// let breaker = CircuitBreaker::builder("db").config(OURS).threshold(2).build()?;
    /// assert_eq!(breaker.config().to_string(), "threshold 2, timeout 10s");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn config(mut self, config: BreakerConfig) -> Self {
        self.config = config;
        self
    }

    /// The clock it goes by (default: that of the test world it is built in, else the system's). See the
    /// [builder](CircuitBreakerBuilder) for an example.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(ClockHandle::Custom(clock));
        self
    }

    /// As [`clock`](Self::clock), for a core's own.
    pub(super) fn on(mut self, clock: ClockHandle) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The breaker, closed.
    ///
    /// ```
    /// let error = lifecycle::CircuitBreaker::builder("db").minimum_calls(20).build().unwrap_err();
    /// assert!(error.to_string().ends_with("`minimum_calls` is about rates: it needs `failure_rate` or `slow_call_rate`"));
    /// ```
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

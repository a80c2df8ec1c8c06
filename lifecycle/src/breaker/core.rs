//! The by-name face of circuit breakers: those declared by the macro and those made here at run time. `all` has what is about all.

mod all;

use super::config::BreakerConfig;
use super::handle::CircuitBreaker;
use super::keyed::KeyedCircuitBreaker;
use crate::clock::{Clock, ClockHandle};
use crate::error::{CallError, Error};
use crate::instance::Instance;
use crate::keyed::{KeyedMap, Lookup};
use crate::registry::{self, BreakerSnapshot};
use crate::scope::{Scoped, StateRef, Universe};
use crate::telemetry;
use crate::wire::Gate;
use serde::{Serialize, Serializer};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Breakers a core holds by name; a name beyond them is refused with [`Error::Full`].
const MAX_BREAKERS: usize = 65_536;

/// Circuit breakers by name.
///
/// It sees what `#[circuit_breaker]` declared and makes others on demand. Its operations share a limit of 1000 a second;
/// a guarded function, or a breaker you hold, is not charged.
///
/// ```
/// let breakers = lifecycle::breakers();
/// let answer = breakers.call("inventory", || Ok::<_, std::io::Error>(7))?;
/// assert_eq!(answer, 7);
/// assert_eq!(breakers.get("inventory")?.metrics().statistics.successful_calls, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CircuitBreakerCore {
    state: Scoped<CoreState>,
}

#[derive(Debug)]
struct CoreState {
    gate: Gate,
    /// Of the breakers made here.
    clock: ClockHandle,
    breakers: KeyedMap<String, Arc<CircuitBreaker>>,
    operations: AtomicU64,
}

impl CoreState {
    fn in_universe(universe: &Universe) -> Self {
        Self::on(universe.clock())
    }

    fn on(clock: ClockHandle) -> Self {
        Self { gate: Gate::for_universe("circuit_breaker", clock.clone()), clock, ..Self::new() }
    }

    const fn new() -> Self {
        Self {
            gate: Gate::new("circuit_breaker"),
            clock: ClockHandle::System,
            breakers: KeyedMap::new(MAX_BREAKERS),
            operations: AtomicU64::new(0),
        }
    }
}

static CORE: CircuitBreakerCore = CircuitBreakerCore { state: Scoped::declared(CoreState::new()) };

/// The process's circuit-breaker core.
///
/// ```
/// let breaker = lifecycle::breakers().get("db")?; // made with the defaults, if there is none
/// assert_eq!(breaker.name(), "db");
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[must_use]
pub fn breakers() -> &'static CircuitBreakerCore {
    &CORE
}

/// [`breakers`], by its older name: see there.
#[inline]
#[must_use]
pub fn get_circuit_breaker_manager() -> &'static CircuitBreakerCore {
    breakers()
}

/// The numbers of a core, from [`get_stats`](CircuitBreakerCore::get_stats).
///
/// ```
/// use lifecycle::CircuitBreakerCore;
/// use std::time::Duration;
///
/// let core = CircuitBreakerCore::new();
/// core.set_rate_limit(Some((2, Duration::from_secs(3600))))?;
/// core.get("db")?.force_open();
/// core.get("smtp")?;
/// assert!(core.get("db").is_err()); // the third operation within an hour
///
/// let stats = core.get_stats();
/// assert_eq!((stats.total_operations, stats.rate_limited_count), (2, 1));
/// assert_eq!((stats.current_rate_limit_size, stats.max_rate_limit), (2, 2));
/// let states: Vec<_> = stats.breakers.iter().map(|one| (one.name.as_str(), one.state.as_str())).collect();
/// assert_eq!(states, [("db", "forced_open"), ("smtp", "closed")]);
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BreakerCoreStats {
    /// Admitted `get` and `call` operations since the last reset.
    pub total_operations: u64,
    /// Breakers made here, and declared ones that were used.
    pub breakers_count: usize,
    /// Operations refused by the limit.
    pub rate_limited_count: u64,
    /// The limit's window in milliseconds.
    pub rate_limit_window_ms: u64,
    /// Operations in the window that ends now.
    pub current_rate_limit_size: u32,
    /// Operations a window allows.
    pub max_rate_limit: u32,
    /// Their states.
    #[serde(serialize_with = "by_name")]
    pub breakers: Vec<BreakerSnapshot>,
}

/// On the wire a list of breakers is a map from names, or from paths where several share a name.
pub(super) fn by_name<S: Serializer>(breakers: &[BreakerSnapshot], serializer: S) -> Result<S::Ok, S::Error> {
    let identities = breakers.iter().map(|one| (one.name.as_str(), one.path.as_str(), one.declared_at.as_str()));
    let states = breakers.iter().map(|one| one.clone().into_wire());
    serializer.collect_map(registry::labels(identities).into_iter().zip(states))
}

impl Default for CircuitBreakerCore {
    fn default() -> Self {
        Self::new()
    }
}

impl CircuitBreakerCore {
    /// A core of its own, which sees only what is made in it. Made inside a test world it runs on that world's clock.
    ///
    /// ```
    /// let ours = lifecycle::CircuitBreakerCore::new();
    /// ours.get("ours_alone")?.force_open();
    /// assert!(lifecycle::breaker("ours_alone").is_err()); // the process's core has none of that name
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self { state: Scoped::owned(CoreState::on(ClockHandle::in_force())) }
    }

    /// [`new`](Self::new), with a clock and a limit on operations of its own; `None` is no limit.
    ///
    /// ```
    /// use lifecycle::{CircuitBreakerCore, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let core = CircuitBreakerCore::with_clock_and_limit(clock.clone(), Some((1, Duration::from_secs(1))))?;
    /// core.get("a")?;
    /// assert!(core.get("a").is_err());
    /// clock.advance(Duration::from_millis(1001));
    /// core.get("a")?;
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a limit or window of zero.
    pub fn with_clock_and_limit(clock: Arc<dyn Clock>, limit: Option<(u32, Duration)>) -> Result<Self, Error> {
        let clock = ClockHandle::Custom(clock);
        let gate = Gate::limited("circuit_breaker", clock.clone(), limit)?;
        Ok(Self { state: Scoped::owned(CoreState { gate, ..CoreState::on(clock) }) })
    }

    fn resolve(&self) -> StateRef<'_, CoreState> {
        self.state.resolve(CoreState::in_universe)
    }

    /// One public operation: one token, one count, in that order.
    fn charge(state: &CoreState) -> Result<(), Error> {
        state.gate.charge()?;
        state.operations.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn charge_one(&self) -> Result<(), Error> {
        Self::charge(&self.resolve())
    }

    /// The breaker of that name, made with the defaults (5 failures, 60 s) if there is none.
    ///
    /// ```
    /// let breakers = lifecycle::breakers();
    /// breakers.get("db")?.force_open();
    /// assert!(breakers.get("db")?.try_acquire().is_err()); // the same
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`] beyond the limit on operations; [`Error::InvalidName`] for an empty name; [`Error::Ambiguous`] when several
    /// modules declare the short name; [`Error::NeedsKey`] for a declared family without a key (with one, `fetch[acme]`, it is that
    /// key's breaker, made if there is none); [`Error::Full`] when there are 65,536 names.
    pub fn get(&self, name: &str) -> Result<Instance<CircuitBreaker>, Error> {
        let state = self.resolve();
        Self::charge(&state)?;
        self.find_or_make(&state, name, BreakerConfig::new())
    }

    /// The breaker of that name, made with `config` if there is none. An existing one keeps its configuration; a differing
    /// `config` is told by an event.
    ///
    /// ```
    /// use lifecycle::BreakerConfig;
    ///
    /// let breaker = lifecycle::breakers().get_with("smtp", BreakerConfig::new().threshold(2))?;
    /// assert_eq!(breaker.config().to_string(), "threshold 2, timeout 60s");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`Error::InvalidConfig`].
    pub fn get_with(&self, name: &str, config: BreakerConfig) -> Result<Instance<CircuitBreaker>, Error> {
        let state = self.resolve();
        Self::charge(&state)?;
        let breaker = self.find_or_make(&state, name, config)?;
        if breaker.written != config {
            telemetry::breaker_config_differs(name, &breaker.written.to_string(), &config.to_string());
        }
        Ok(breaker)
    }

    /// [`get_with`](Self::get_with), where a differing configuration is an error.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, CircuitBreakerCore};
    ///
    /// let core = CircuitBreakerCore::new();
    /// core.try_get_with("smtp", BreakerConfig::new().threshold(2))?;
    /// core.try_get_with("smtp", BreakerConfig::new().threshold(2))?; // the same
    /// assert!(core.try_get_with("smtp", BreakerConfig::new().threshold(3)).is_err());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there, and [`Error::BreakerConfigMismatch`].
    pub fn try_get_with(&self, name: &str, config: BreakerConfig) -> Result<Instance<CircuitBreaker>, Error> {
        let state = self.resolve();
        Self::charge(&state)?;
        let breaker = self.find_or_make(&state, name, config)?;
        if breaker.written == config {
            return Ok(breaker);
        }
        Err(Error::BreakerConfigMismatch {
            name: name.to_owned(),
            existing: breaker.written.to_string(),
            requested: config.to_string(),
        })
    }

    fn find_or_make(
        &self,
        state: &CoreState,
        name: &str,
        config: BreakerConfig,
    ) -> Result<Instance<CircuitBreaker>, Error> {
        if name.is_empty() {
            return Err(Error::InvalidName { kind: "Circuit breaker" });
        }
        if let Some(found) = state.breakers.get(name) {
            return Ok(Instance::Shared(found));
        }
        if self.state.is_declared() {
            if let Some(declared) = registry::declared_breaker(name)? {
                return Ok(declared);
            }
        }
        let made = Arc::new(CircuitBreaker::builder(name.to_owned()).config(config).on(state.clock.clone()).build()?);
        // Not under the map's lock: the clock may be the user's.
        let now = state.clock.now();
        let idle = |one: &Arc<CircuitBreaker>| one.is_idle(now, None);
        match state.breakers.get_or_insert_with(name, || made, idle) {
            Lookup::Found(found) => Ok(Instance::Shared(found)),
            Lookup::Inserted(made) => {
                telemetry::breaker_created(name);
                Ok(Instance::Shared(made))
            }
            Lookup::Full(()) => {
                Err(Error::Full { what: "the circuit breaker core", name: name.to_owned(), limit: MAX_BREAKERS })
            }
        }
    }

    /// Runs `f` through the breaker of that name, made with the defaults if there is none.
    ///
    /// ```
    /// let rows = lifecycle::breakers().call("db", || Ok::<_, std::io::Error>(3));
    /// assert_eq!(rows.unwrap(), 3);
    /// ```
    ///
    /// # Errors
    /// [`CallError::RateLimited`], [`CallError::Invalid`] and [`CallError::Rejected`] when `f` did not run,
    /// [`CallError::Inner`] with its own error.
    pub fn call<T, E>(&self, name: &str, f: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.enter(name)?.call(f)
    }

    /// [`call`](Self::call) for a future. Its breaker is looked up, and made, when this is first polled.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let rows = lifecycle::breakers().call_async("db", async { Ok::<_, std::io::Error>(3) }).await;
    /// assert_eq!(rows.unwrap(), 3);
    /// # }
    /// ```
    ///
    /// # Errors
    /// As there.
    pub async fn call_async<T, E>(
        &self,
        name: &str,
        future: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CallError<E>> {
        let breaker = self.enter(name)?;
        breaker.call_async(future).await
    }

    fn enter<E>(&self, name: &str) -> Result<Instance<CircuitBreaker>, CallError<E>> {
        self.get(name).map_err(|error| match error {
            Error::RateLimited { manager, retry_after, .. } => CallError::RateLimited { manager, retry_after },
            other => CallError::Invalid(Box::new(other)),
        })
    }

    /// A breaker made here. Not charged.
    pub(crate) fn made(&self, name: &str) -> Option<Arc<CircuitBreaker>> {
        self.resolve().breakers.get(name)
    }
}

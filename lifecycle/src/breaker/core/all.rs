//! All breakers of a core at once, and its limit.

use super::CircuitBreakerCore;
use super::{BreakerCoreStats, CircuitBreaker, KeyedCircuitBreaker};
use crate::error::Error;
use crate::registry::{self, BreakerSnapshot, Component};
use crate::telemetry;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl CircuitBreakerCore {
    /// The states of all breakers, in the order of their making; declared ones first, once used. Never refused.
    ///
    /// ```
    /// let core = lifecycle::CircuitBreakerCore::new();
    /// core.get("smtp")?;
    /// core.get("db")?.force_open();
    /// let refusing = core.get_all_states().into_iter().filter(|one| one.state.ends_with("open"));
    /// assert_eq!(refusing.map(|one| one.name).collect::<Vec<_>>(), ["db"]);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn get_all_states(&self) -> Vec<BreakerSnapshot> {
        let (declared, families) = self.declared();
        let mut all: Vec<_> =
            declared.iter().filter(|breaker| !breaker.is_unused()).map(|breaker| breaker.metrics()).collect();
        for breaker in families.iter().flat_map(|family| family.breakers()) {
            all.push(breaker.metrics());
        }
        all.extend(self.observe_dynamic());
        all
    }

    /// The declared breakers and families, in the process's core.
    fn declared(&self) -> (Vec<&'static CircuitBreaker>, Vec<&'static KeyedCircuitBreaker>) {
        if !self.state.is_declared() {
            return (Vec::new(), Vec::new());
        }
        let breakers = registry::declared(|component| match component {
            Component::Breaker(breaker) => Some(breaker),
            _ => None,
        });
        let families = registry::declared(|component| match component {
            Component::KeyedBreaker(family) => Some(family),
            _ => None,
        });
        (breakers, families)
    }

    /// Those made here.
    pub(crate) fn dynamic(&self) -> Vec<Arc<CircuitBreaker>> {
        self.resolve().breakers.values()
    }

    /// What [`snapshot`](crate::snapshot) lists beside the declared ones.
    pub(crate) fn observe_dynamic(&self) -> Vec<BreakerSnapshot> {
        self.dynamic().iter().map(|breaker| breaker.observe()).collect()
    }

    /// The core's numbers. Never refused. See [`BreakerCoreStats`] for an example.
    #[must_use]
    pub fn get_stats(&self) -> BreakerCoreStats {
        let state = self.resolve();
        let (current, max, window) = state.gate.usage();
        let breakers = self.get_all_states();
        BreakerCoreStats {
            total_operations: state.operations.load(Ordering::Relaxed),
            breakers_count: breakers.len(),
            rate_limited_count: state.gate.rejected(),
            rate_limit_window_ms: u64::try_from(window.as_millis()).unwrap_or(u64::MAX),
            current_rate_limit_size: current,
            max_rate_limit: max,
            breakers,
        }
    }

    /// Closes every breaker and forgets its failures; statistics stay, breakers stay. Never refused.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, CircuitBreakerCore, State};
    ///
    /// let core = CircuitBreakerCore::new();
    /// let db = core.get_with("db", BreakerConfig::new().threshold(1))?;
    /// db.call(|| Err::<(), _>("down")).unwrap_err();
    /// assert_eq!(db.state(), State::Open);
    /// core.reset_all();
    /// assert_eq!(db.state(), State::Closed);
    /// assert_eq!(db.metrics().statistics.failed_calls, 1);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn reset_all(&self) {
        let (declared, families) = self.declared();
        declared.iter().filter(|breaker| !breaker.is_unused()).for_each(|breaker| breaker.reset());
        families.iter().for_each(|family| family.reset());
        let state = self.resolve();
        state.breakers.values().iter().for_each(|breaker| breaker.reset());
        state.breakers.idle_again();
    }

    /// [`reset_all`](Self::reset_all), by the name that says what it does.
    pub fn close_all(&self) {
        self.reset_all();
    }

    /// Removes every breaker (a declared one starts afresh), and forgets the counts and the limit's window. Breakers that
    /// somebody holds go on working but are listed no more.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, CircuitBreakerCore, State};
    ///
    /// let core = CircuitBreakerCore::new();
    /// let held = core.get_with("db", BreakerConfig::new().threshold(1))?;
    /// core.reset()?;
    /// assert!(core.get_all_states().is_empty());
    /// assert_eq!(core.get("db")?.config().to_string(), "threshold 5, timeout 60s"); // another one, with the defaults
    /// held.call(|| Err::<(), _>("down")).unwrap_err();
    /// assert_eq!((held.state(), core.get("db")?.state()), (State::Open, State::Closed));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`]; [`reset_unlimited`](Self::reset_unlimited) is never refused.
    pub fn reset(&self) -> Result<(), Error> {
        self.resolve().gate.charge()?;
        self.reset_unlimited();
        Ok(())
    }

    /// [`reset`](Self::reset), by the name that says what it does.
    ///
    /// # Errors
    /// As there.
    pub fn remove_all(&self) -> Result<(), Error> {
        self.reset()
    }

    /// [`reset`](Self::reset) for the operator: never refused.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let core = lifecycle::CircuitBreakerCore::new();
    /// core.set_rate_limit(Some((1, Duration::from_secs(3600))))?;
    /// core.get("db")?;
    /// assert!(core.reset().is_err()); // the limit
    /// core.reset_unlimited();
    /// core.get("db")?; // its window is empty, too
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn reset_unlimited(&self) {
        let state = self.resolve();
        let removed = state.breakers.clear();
        let (declared, families) = self.declared();
        declared.iter().for_each(|breaker| breaker.forget());
        families.iter().for_each(|family| family.clear());
        state.operations.store(0, Ordering::Relaxed);
        state.gate.reset();
        drop(removed);
        telemetry::core_reset("circuit_breaker");
    }

    /// The clock may read anything now, for the breakers made here and for the limit.
    pub(crate) fn restored(&self) {
        let state = self.resolve();
        state.breakers.values().iter().for_each(|breaker| breaker.on_restore());
        state.gate.restored();
    }

    /// Changes the limit on operations: at most `limit` in any `window`; `None` removes it. See
    /// [`reset_unlimited`](Self::reset_unlimited) for an example.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a limit or window of zero.
    pub fn set_rate_limit(&self, limit: Option<(u32, Duration)>) -> Result<(), Error> {
        self.resolve().gate.set_rate_limit(limit)
    }
}

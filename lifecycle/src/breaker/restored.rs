//! A breaker after its process went on from a snapshot: the clock may read anything, and what was known of the downstream is old.

use super::Machine;
use crate::breaker::state::State;
use crate::breaker::{CircuitBreaker, KeyedCircuitBreaker};
use crate::clock::Moment;

impl Machine {
    /// An opening is over, probes under way have their time anew, and the window of the rates is empty.
    pub(crate) fn restored(&mut self, now: Moment) {
        if self.state == State::Open {
            self.opened_at = now;
            self.open_until = now;
        }
        let lease_ends = now.after(self.config.probe_lease());
        self.probes.iter_mut().for_each(|probe| probe.lease_ends = lease_ends);
        if let Some(samples) = &mut self.samples {
            samples.clear();
        }
    }
}

impl CircuitBreaker {
    /// Begins anew with time: for a breaker that was built at run time and is in no core, after a snapshot of the process was
    /// restored. All others hear of that by [`lifecycle::on_restore`](crate::on_restore).
    ///
    /// Where it is open the next call is a probe, probes under way get their whole time again, and the window of its rates is empty.
    /// Failures in a row stay counted; what was opened, disabled or watched by hand stays so.
    ///
    /// ```
    /// use lifecycle::CircuitBreaker;
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// let _ = breaker.call(|| Err::<(), _>("down"));
    /// assert!(breaker.try_acquire().is_err());
    /// breaker.on_restore();
    /// assert!(breaker.try_acquire().is_ok());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn on_restore(&self) {
        let state = self.resolve();
        // Not under the lock: the clock may be the user's.
        let now = state.clock.now();
        state.cell.transition(|machine| {
            machine.restored(now);
            ((), None)
        });
    }
}

impl KeyedCircuitBreaker {
    /// [`CircuitBreaker::on_restore`] of all its breakers.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, KeyedCircuitBreaker};
    ///
    /// let hosts = KeyedCircuitBreaker::new("host", BreakerConfig::new().threshold(1))?;
    /// let _ = hosts.at("a.example").call(|| Err::<(), _>("down"));
    /// hosts.on_restore();
    /// assert!(hosts.at("a.example").try_acquire().is_ok());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn on_restore(&self) {
        self.breakers().iter().for_each(|breaker| breaker.on_restore());
    }
}

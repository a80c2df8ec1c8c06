//! A breaker's numbers: as they are written, and what settings make of them.

use super::handle::{BreakerState, CircuitBreaker};
use super::keyed::KeyedCircuitBreaker;
use crate::clock::ClockHandle;
use crate::error::Error;
use crate::registry::{Descriptor, SettingSnapshot};
use crate::settings::{BreakerSettings, Configurable, Problem, Proposed};
use crate::telemetry;
use std::sync::Arc;

impl CircuitBreaker {
    /// Puts the numbers in force, for the first time or anew: `by` says what changed. Nothing but numbers changes; what was
    /// counted stays counted.
    #[cold]
    pub(super) fn configure(&self, state: &BreakerState, by: &'static str) {
        // Test worlds, and whoever gives the clock, can repeat what happened; processes should not jitter alike.
        let seed = match &state.clock {
            ClockHandle::System => state.clock.now().as_nanos() ^ std::ptr::from_ref(state).addr() as u64,
            ClockHandle::Custom(_) => 0x9E37_79B9_7F4A_7C15,
        };
        // Before the lock: the clock may be the user's.
        let now = state.clock.now();
        let (home, before, after) = {
            // Under one lock from reading what is said to putting it in force, so that of two changes the later one stays.
            let mut layers = state.layers.lock();
            layers.refresh(&self.descriptor);
            let after = layers.effective(&self.descriptor, &self.written);
            let before = state.cell.traits().configured().then(|| state.cell.look(|_, machine| machine.config));
            if before != Some(after) {
                state.cell.configure(after, seed, now);
            }
            (layers.home(), before, after)
        };
        home.tell();
        if let Some(before) = before.filter(|before| *before != after) {
            let kind = self.descriptor.kind().as_str();
            telemetry::settings_changed(kind, self.name(), by, &before.to_string(), &after.to_string());
        }
    }

    /// Changes numbers while it runs; what is not given is as the layers below say. It replaces what an earlier `reconfigure` gave,
    /// so [`BreakerSettings::new`] takes all of that back. It counts more than the environment, `configure` and the attribute
    /// ([`guide::settings`](crate::guide::settings)).
    ///
    /// State, failures and statistics stay; a window of the same kind keeps the calls that fit. A `timeout` holds for an open
    /// breaker at once, counted from when it opened.
    ///
    /// ```
    /// use lifecycle::settings::BreakerSettings;
    /// use lifecycle::{CircuitBreaker, State};
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(5).build()?;
    /// let _ = breaker.call(|| Err::<(), _>("down"));
    /// breaker.reconfigure(BreakerSettings::new().threshold(2))?;
    /// let _ = breaker.call(|| Err::<(), _>("down")); // the second, all the same
    /// assert_eq!(breaker.state(), State::Open);
    /// assert!(breaker.reconfigure(BreakerSettings::new().threshold(0)).is_err());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for numbers it cannot work with; then nothing changes.
    pub fn reconfigure(&self, settings: impl Into<BreakerSettings>) -> Result<(), Error> {
        let (settings, state) = (settings.into(), self.resolve());
        {
            let mut layers = state.layers.lock();
            layers.reconfigure(&self.descriptor, &self.written, settings)?;
        }
        self.configure(&state, "reconfigure");
        Ok(())
    }

    /// Reconfigures it to what its family is.
    pub(super) fn take_settings(&self, given: Option<&Arc<BreakerSettings>>) {
        let state = self.resolve();
        state.layers.lock().take(given.cloned());
        self.configure(&state, "reconfigure");
    }

    /// The numbers it goes by, and where each comes from.
    ///
    /// ```
    /// use lifecycle::CircuitBreaker;
    /// use lifecycle::settings::Source;
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(2).build()?;
    /// let threshold = breaker.settings().into_iter().find(|one| one.option == "threshold").unwrap();
    /// assert_eq!((threshold.value, threshold.source), (2.into(), Source::Attribute));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn settings(&self) -> Vec<SettingSnapshot> {
        self.resolve().layers.lock().listed(&self.written)
    }
}

impl Configurable for CircuitBreaker {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn accepts(&self, settings: &Proposed<'_>) -> Result<(), Error> {
        let said = settings.of(&self.descriptor);
        self.resolve().layers.lock().accepts(&self.descriptor, &self.written, said)
    }

    fn settings_problems(&self) -> Vec<Problem> {
        let layers = self.unused().layers.lock().clone();
        layers.problems(&self.descriptor, &self.written)
    }

    fn settings_changed(&self) {
        self.configure(&self.resolve(), "configure");
    }
}

/// The family as such, for keys to come; each breaker it has is told by itself.
impl Configurable for KeyedCircuitBreaker {
    fn descriptor(&self) -> &Descriptor {
        self.descriptor()
    }

    fn accepts(&self, settings: &Proposed<'_>) -> Result<(), Error> {
        let mut layers = self.layers();
        layers.refresh(self.descriptor());
        layers.accepts(self.descriptor(), self.written(), settings.of(self.descriptor()))
    }

    fn settings_problems(&self) -> Vec<Problem> {
        self.layers_of_new().problems(self.descriptor(), self.written())
    }

    fn settings_changed(&self) {}
}

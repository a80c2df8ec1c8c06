//! What a limiter decides by, with a clock of the house.

use super::ring::{Outcome, Ring};
use crate::clock::{ClockHandle, nanos};
use std::time::Duration;

/// A window that any number of threads share.
#[derive(Debug)]
pub(crate) struct WindowCell(Ring);

impl WindowCell {
    pub(crate) const fn new(limit: u32, window: Duration) -> Self {
        Self(Ring::new(limit, nanos(window)))
    }

    /// Takes `permits`, all or none, to be used at most `patience` nanoseconds later.
    #[inline]
    pub(crate) fn acquire(&self, permits: u32, patience: u64, clock: &ClockHandle) -> Outcome {
        self.0.acquire(permits, patience, || clock.now().as_nanos())
    }

    /// The permits that count now.
    pub(crate) fn used(&self, clock: &ClockHandle) -> u32 {
        self.0.used(&|| clock.now().as_nanos())
    }

    /// How long until a permit can be had; zero when there is one now.
    pub(crate) fn wait(&self, clock: &ClockHandle) -> Duration {
        self.0.wait(1, &|| clock.now().as_nanos()).map_or(Duration::MAX, Duration::from_nanos)
    }

    pub(crate) fn limit(&self) -> (u32, Duration) {
        (self.0.limit(), Duration::from_nanos(self.0.window()))
    }

    pub(crate) fn reconfigure(&self, limit: u32, window: Duration, clock: &ClockHandle) {
        self.0.reconfigure(limit, nanos(window), &|| clock.now().as_nanos());
    }

    /// Empties the window.
    pub(crate) fn reset(&self, clock: &ClockHandle) {
        self.0.reset(&|| clock.now().as_nanos());
    }
}

//! The ring with a clock that the model moves: what `tests/loom_limiter.rs` drives.

use super::ring::{Outcome, Ring, Straight};

pub use super::probe::Written;

/// A ring without name, counts and events. Times are in nanoseconds.
pub struct Model(Ring);

impl Model {
    pub fn new(limit: u32, window: u64) -> Self {
        Self(Ring::new(limit, window))
    }

    /// Takes permits; gives what the clock said and the time after which they are to be used.
    pub fn take(&self, permits: u32, patience: u64, clock: impl Fn() -> u64) -> Option<(u64, u64)> {
        if (permits, patience) == (1, 0) {
            match self.0.try_one(|| Some(clock())) {
                Straight::Given { reading } => return Some((reading, 0)),
                Straight::Refused { .. } => return None,
                Straight::Busy | Straight::Unsure => {}
            }
        }
        match self.0.acquire(permits, patience, clock) {
            Outcome::Given { reading, wait } => Some((reading, wait)),
            Outcome::Refused { .. } => None,
        }
    }

    /// What the ring's scale is ahead of the clock by: one, while the clock is a good one and nothing was reset.
    pub fn ahead(&self) -> u64 {
        self.0.ahead()
    }

    pub fn used(&self, now: u64) -> u32 {
        self.0.used(&|| now)
    }

    pub fn reset(&self, now: u64) {
        self.0.reset(&|| now);
    }

    pub fn reconfigure(&self, limit: u32, window: u64, now: u64) {
        self.0.reconfigure(limit, window, &|| now);
    }

    /// Every write of a slot, by position; times count from 1.
    pub fn writes(&self) -> Vec<Written> {
        self.0.log.all()
    }
}

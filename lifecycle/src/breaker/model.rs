//! The cell with a clock that the model moves: what `tests/loom_breaker.rs` drives.

use super::BreakerConfig;
use super::cell::{Cell, Ticket};
use super::machine::{Outcome, State};
use crate::clock::Moment;

/// A breaker cell without name, counts and events.
pub struct Model {
    cell: Cell,
    config: BreakerConfig,
}

/// An admitted call.
pub struct Call(Ticket);

impl Model {
    pub fn new(config: BreakerConfig) -> Self {
        Self { cell: Cell::new(), config }
    }

    /// Asks to run a call at `now` (nanoseconds).
    pub fn admit(&self, now: u64) -> Option<Call> {
        self.cell.admit(&self.config, || Moment::from_nanos(now)).0.ok().map(Call)
    }

    pub fn succeed(&self, call: Call, now: u64) {
        self.cell.settle(&self.config, Outcome::Success, call.0, || Moment::from_nanos(now));
    }

    pub fn fail(&self, call: Call, now: u64) {
        self.cell.settle(&self.config, Outcome::Failure, call.0, || Moment::from_nanos(now));
    }

    pub fn cancel(&self, call: Call, now: u64) {
        self.cell.settle(&self.config, Outcome::Neutral, call.0, || Moment::from_nanos(now));
    }

    pub fn state(&self) -> State {
        self.cell.word().state()
    }

    pub fn failures(&self) -> u32 {
        self.cell.word().failures()
    }
}

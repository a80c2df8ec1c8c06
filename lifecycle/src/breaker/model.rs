//! The cell with a clock that the model moves: what `tests/loom_breaker.rs` drives.

use super::answer::Outcome;
use super::cell::{Cell, Ticket};
use super::{BreakerConfig, State};
use crate::clock::{Clock, ClockHandle, Moment};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A breaker cell without name, counts and events.
pub struct Model {
    cell: Cell,
}

/// An admitted call.
pub struct Call(Ticket);

struct At(u64);

impl Clock for At {
    fn now_mono(&self) -> u64 {
        self.0
    }

    fn now_wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

fn at(now: u64) -> ClockHandle {
    ClockHandle::Custom(Arc::new(At(now)))
}

impl Model {
    pub fn new(config: BreakerConfig) -> Self {
        let cell = Cell::new();
        cell.configure(config, 1, Moment::default());
        Self { cell }
    }

    /// Goes by other numbers from now on.
    pub fn configure(&self, config: BreakerConfig, now: u64) {
        self.cell.configure(config, 1, Moment::from_nanos(now));
    }

    /// Asks to run a call at `now` (nanoseconds).
    pub fn admit(&self, now: u64) -> Option<Call> {
        self.cell.admit(&at(now)).0.ok().map(Call)
    }

    pub fn succeed(&self, call: Call, now: u64) {
        self.settle(Outcome::Success, call, now);
    }

    pub fn fail(&self, call: Call, now: u64) {
        self.settle(Outcome::Failure, call, now);
    }

    pub fn cancel(&self, call: Call, now: u64) {
        self.settle(Outcome::Neutral, call, now);
    }

    fn settle(&self, outcome: Outcome, call: Call, now: u64) {
        self.cell.settle(outcome, call.0, Moment::NEVER, &at(now));
    }

    /// Opens for `how_long`, by hand.
    pub fn open_for(&self, how_long: Duration, now: u64) {
        self.cell.transition(|machine| ((), machine.open_for(how_long, Moment::from_nanos(now))));
    }

    /// Closes, by hand.
    pub fn reset(&self, now: u64) {
        self.cell.transition(|machine| ((), machine.force(State::Closed, Moment::from_nanos(now))));
    }

    /// Is it closed, with all there is to it in its word?
    pub fn is_plain(&self) -> bool {
        self.cell.word().is_plain()
    }

    pub fn state(&self) -> State {
        self.cell.word().state()
    }

    pub fn failures(&self) -> u32 {
        self.cell.word().failures()
    }
}

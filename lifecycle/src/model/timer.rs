//! In a model no time passes: what waits with a limit waits without.

use crate::clock::{ClockHandle, Moment};
use event_listener::{EventListener, Listener as _};
use std::task::Waker;
use std::time::Duration;

/// One that is never over.
pub(crate) struct Limit;

impl Limit {
    pub(crate) fn since_then(_: &ClockHandle, _: Option<Moment>, _: Duration) -> Self {
        Self
    }

    pub(crate) fn since(&mut self) -> Moment {
        Moment::NEVER
    }

    pub(crate) fn is_over(&mut self, _: &ClockHandle, _: &Waker) -> bool {
        false
    }

    pub(crate) fn waited(&self, _: &ClockHandle) -> Duration {
        Duration::ZERO
    }
}

pub(crate) fn block_until(changed: EventListener, _: &ClockHandle, _: &mut Limit) -> bool {
    changed.wait();
    true
}

//! In a model no time passes: what waits with a limit waits without.

use crate::clock::{ClockHandle, Moment};
use event_listener::{EventListener, Listener as _};
use std::task::Waker;

pub(crate) fn block_until(changed: EventListener, _: &ClockHandle, _: Moment) -> bool {
    changed.wait();
    true
}

#[derive(Debug, Default)]
pub(crate) struct Alarm;

impl Alarm {
    pub(crate) fn set(&mut self, _: &ClockHandle, _: Moment, _: &Waker) {}
}

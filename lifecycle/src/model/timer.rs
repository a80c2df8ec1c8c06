//! In a model no time passes: what waits with a limit waits without.

use crate::clock::{ClockHandle, Moment};
use event_listener::{EventListener, Listener as _};
use std::task::Waker;

pub(crate) fn block_until(changed: EventListener, _: &ClockHandle, _: Moment) -> bool {
    changed.wait();
    true
}

pub(crate) fn wake_once(_: &mut Option<Waker>, _: &ClockHandle, _: Moment, _: &Waker) {}

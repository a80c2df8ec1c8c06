//! The clock as a component's state holds it.

use super::{Clock, Moment, SystemClock, quick};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How far a coarse reading may lag behind: the longest timer tick of a Linux kernel (100 Hz).
pub(crate) const COARSE_TICK: Duration = Duration::from_millis(10);

/// How far a quick reading may be from the exact one, either side.
pub(crate) const QUICK_ERROR: Duration = Duration::from_nanos(quick::ERROR);

/// The clock a state holds. The system's needs no allocation, so that declared states are const.
#[derive(Clone)]
pub(crate) enum ClockHandle {
    System,
    Custom(Arc<dyn Clock>),
}

impl ClockHandle {
    /// The clock for a component built here: that of the test world, if this code runs in one.
    pub(crate) fn in_force() -> Self {
        crate::scope::universe().map_or(Self::System, |universe| universe.clock())
    }

    #[inline]
    pub(crate) fn now(&self) -> Moment {
        Moment::from_nanos(match self {
            Self::System => SystemClock.now_mono(),
            Self::Custom(clock) => clock.now_mono(),
        })
    }

    /// Cheaper, and up to [`QUICK_ERROR`] before or after [`now`](Self::now): by the system's clock; a custom one has no such
    /// reading, and gives the exact one. For whatever can bear a microsecond either way.
    #[inline(always)]
    pub(crate) fn quick(&self) -> Moment {
        Moment::from_nanos(match self {
            Self::System => SystemClock.now_quick(),
            Self::Custom(clock) => clock.now_mono(),
        })
    }

    /// The [quick](Self::quick) reading of the system's clock where it takes no call, so that a hot path keeps its registers, and where
    /// nothing is installed on this thread, so that the process's state is meant.
    #[inline(always)]
    pub(crate) fn glance() -> Option<Moment> {
        quick::glance().map(Moment::from_nanos)
    }

    /// Something was installed on this thread, or taken away: [`glance`](Self::glance) is to know.
    pub(crate) fn look_again() {
        quick::look_again();
    }

    /// Cheaper, and behind by up to [`COARSE_TICK`].
    #[inline]
    pub(crate) fn coarse(&self) -> Moment {
        Moment::from_nanos(match self {
            Self::System => SystemClock.now_coarse(),
            Self::Custom(clock) => coarse_of(&**clock),
        })
    }

    /// The time for a decision under a lock. A user's clock is read now, since it must not be called there; the system's when
    /// the decision asks.
    #[inline]
    pub(crate) fn reading(&self) -> Reading {
        Reading(match self {
            Self::System => None,
            Self::Custom(clock) => Some(Moment::from_nanos(clock.now_mono())),
        })
    }

    /// Does it run by itself, in real time?
    pub(crate) fn is_system(&self) -> bool {
        matches!(self, Self::System)
    }

    /// Is it the same clock?
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::System, Self::System) => true,
            (Self::Custom(clock), Self::Custom(other)) => Arc::ptr_eq(clock, other),
            _ => false,
        }
    }

    pub(crate) fn wall(&self) -> SystemTime {
        match self {
            Self::System => SystemClock.now_wall(),
            Self::Custom(clock) => clock.now_wall(),
        }
    }
}

/// Apart, so that a hot path keeps nothing in registers for a clock that it has not got.
#[cold]
#[inline(never)]
fn coarse_of(clock: &dyn Clock) -> u64 {
    clock.now_coarse()
}

/// See [`ClockHandle::reading`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading(Option<Moment>);

impl Reading {
    #[inline]
    pub(crate) fn now(self) -> Moment {
        self.0.unwrap_or_else(|| ClockHandle::System.now())
    }

    #[inline]
    pub(crate) fn coarse(self) -> Moment {
        self.0.unwrap_or_else(|| ClockHandle::System.coarse())
    }

    /// How far behind [`coarse`](Self::coarse) may be.
    pub(crate) fn lag(self) -> Duration {
        if self.0.is_none() { COARSE_TICK } else { Duration::ZERO }
    }
}

impl std::fmt::Debug for ClockHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Custom(_) => "Custom",
        })
    }
}

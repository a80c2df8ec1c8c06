//! What the state machine is told and what it answers.

use super::state::State;
use crate::clock::{Moment, nanos};
use std::time::Duration;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure,
    /// An ignored error, or a call dropped early: counts for nothing and gives a probe's slot back.
    Neutral,
}

/// The answer to a call that asks to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Run; `probe` identifies a half-open probe.
    Admitted { probe: Option<u64> },
    /// Open, for that long; `None` = until somebody resets it.
    Open(Option<Duration>),
    /// Half-open with all probes under way; for as long as until the oldest of them loses its slot.
    HalfOpenFull(Option<Duration>),
    /// Opened by hand.
    Forced,
}

/// How long a refusal holds, in nanoseconds: [`FOREVER`](Self::FOREVER) is until somebody resets it. Fits a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left(u64);

impl Left {
    const FOREVER: u64 = u64::MAX;

    #[inline]
    pub(crate) fn of(until: Moment, now: Moment) -> Self {
        if until == Moment::NEVER { Self(Self::FOREVER) } else { Self(until.as_nanos().saturating_sub(now.as_nanos())) }
    }

    pub(crate) fn given(duration: Option<Duration>) -> Self {
        Self(duration.map_or(Self::FOREVER, nanos))
    }

    #[inline]
    pub(crate) const fn nanos(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn duration(self) -> Option<Duration> {
        if self.0 == Self::FOREVER { None } else { Some(Duration::from_nanos(self.0)) }
    }
}

/// Something to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) from: State,
    /// The same as `from`: observing only, it would have opened.
    pub(crate) to: State,
    pub(crate) reason: &'static str,
}

impl Change {
    pub(crate) const fn would_have_opened(&self) -> bool {
        matches!((self.from, self.to), (State::ObserveOnly, State::ObserveOnly))
    }
}

/// A call that was admitted: what its outcome is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) generation: u32,
    pub(crate) probe: Option<u64>,
}

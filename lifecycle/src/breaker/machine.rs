//! The breaker as a pure state machine: no atomics, no clock, no lock. Every question gets the time as an argument.
//!
//! Asking never changes anything but through [`Machine::admit`] and [`Machine::settle`]: there is no timer, an expired
//! opening is noticed by the next call.

use super::config::BreakerConfig;
use crate::clock::Moment;
use std::time::Duration;

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls run; failures are counted.
    Closed,
    /// Calls are refused until the timeout is over; then the next call is a probe.
    Open,
    /// Probes are under way; their outcome decides.
    HalfOpen,
    /// Opened by hand: refused until reset, whatever the time.
    ForcedOpen,
    /// Switched off by hand: every call runs, nothing is recorded.
    Disabled,
    /// Watching only: every call runs and is recorded, none is refused.
    ObserveOnly,
}

impl State {
    /// The state's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::ObserveOnly => "observe_only",
        }
    }

    /// The state of a word's code. Codes come from [`Word::new`] alone; an unknown one would read as closed.
    const fn from_code(code: u64) -> Self {
        match code {
            1 => Self::Open,
            2 => Self::HalfOpen,
            3 => Self::ForcedOpen,
            4 => Self::Disabled,
            5 => Self::ObserveOnly,
            _ => Self::Closed,
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// State (4 bits), failures (32 bits) and generation (28 bits) in one word: what the lock-free paths work on.
///
/// The order makes the two questions of the hot path one comparison each: every state but closed has the top bit, and closed
/// without failures has nothing above the generation.
///
/// The generation goes up with every change of state, so that a result is known to be late. It wraps after 2^28 changes; a
/// call would have to stay in flight through exactly that many to be taken for a current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) u64);

const GENERATION_BITS: u32 = 28;
const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;
const NOT_CLOSED: u64 = 8;

impl Word {
    pub(crate) const CLOSED: Self = Self(0);

    const fn new(state: State, generation: u32, failures: u32) -> Self {
        let code = match state {
            State::Closed => 0,
            other => NOT_CLOSED | other as u64,
        };
        Self((code << 60) | ((failures as u64) << GENERATION_BITS) | (generation & GENERATION_MASK) as u64)
    }

    #[inline(always)]
    pub(crate) const fn state(self) -> State {
        State::from_code((self.0 >> 60) & !NOT_CLOSED)
    }

    #[inline(always)]
    pub(crate) const fn is_closed(self) -> bool {
        (self.0 as i64) >= 0
    }

    #[inline(always)]
    pub(crate) const fn is_closed_without_failures(self) -> bool {
        self.0 >> GENERATION_BITS == 0
    }

    #[inline(always)]
    pub(crate) const fn generation(self) -> u32 {
        self.0 as u32 & GENERATION_MASK
    }

    #[inline(always)]
    pub(crate) const fn failures(self) -> u32 {
        (self.0 >> GENERATION_BITS) as u32
    }

    /// The same state and generation with another failure count.
    pub(crate) const fn with_failures(self, failures: u32) -> Self {
        Self((self.0 & !((u32::MAX as u64) << GENERATION_BITS)) | ((failures as u64) << GENERATION_BITS))
    }
}

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

/// A change of state, for events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) from: State,
    pub(crate) to: State,
    pub(crate) reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Probe {
    ticket: u64,
    /// From then on the next caller may take its slot.
    lease_ends: Moment,
}

/// The whole state, as seen under the lock.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    state: State,
    generation: u32,
    failures: u32,
    opened_at: Moment,
    open_until: Moment,
    probes: Vec<Probe>,
    next_ticket: u64,
    /// Successes in a row since the breaker became half-open.
    successes: u32,
    times_opened: u64,
    changed_at: Option<Moment>,
}

impl Machine {
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Closed,
            generation: 0,
            failures: 0,
            opened_at: Moment::from_nanos(0),
            open_until: Moment::from_nanos(0),
            probes: Vec::new(),
            next_ticket: 0,
            successes: 0,
            times_opened: 0,
            changed_at: None,
        }
    }

    pub(crate) const fn word(&self) -> Word {
        Word::new(self.state, self.generation, self.failures)
    }

    /// Takes over the failure count, which the lock-free paths change while the breaker is closed.
    pub(crate) fn sync(&mut self, word: Word) {
        self.failures = word.failures();
    }

    /// Until when an open breaker refuses without asking further; [`Moment::NEVER`] when only a reset helps.
    pub(crate) const fn open_until(&self) -> Moment {
        match self.state {
            State::ForcedOpen => Moment::NEVER,
            _ => self.open_until,
        }
    }

    pub(crate) const fn opened_at(&self) -> Moment {
        self.opened_at
    }

    pub(crate) const fn times_opened(&self) -> u64 {
        self.times_opened
    }

    pub(crate) const fn changed_at(&self) -> Option<Moment> {
        self.changed_at
    }

    /// May a call run now? An opening that is over becomes half-open by this.
    pub(crate) fn admit(&mut self, config: &BreakerConfig, now: Moment) -> (Admission, Option<Change>) {
        match self.state {
            State::Closed | State::Disabled | State::ObserveOnly => (Admission::Admitted { probe: None }, None),
            State::ForcedOpen => (Admission::Forced, None),
            State::Open if !self.open_until.has_come(now) => (Admission::Open(self.open_until.until(now)), None),
            State::Open => {
                let change = self.enter(State::HalfOpen, "timeout over", now);
                (self.admit_probe(config, now), change)
            }
            State::HalfOpen => (self.admit_probe(config, now), None),
        }
    }

    fn admit_probe(&mut self, config: &BreakerConfig, now: Moment) -> Admission {
        self.probes.retain(|probe| !probe.lease_ends.has_come(now));
        let in_flight = u32::try_from(self.probes.len()).unwrap_or(u32::MAX);
        // No more than may run at a time, and no more than can still be needed to close.
        let needed = config.success_threshold.max(config.half_open_calls).saturating_sub(self.successes);
        if in_flight >= config.half_open_calls.min(needed) {
            let next = self.probes.iter().map(|probe| probe.lease_ends).min().unwrap_or(now);
            return Admission::HalfOpenFull(next.until(now));
        }
        self.next_ticket += 1;
        let lease_ends = now.after(config.probe_lease());
        self.probes.push(Probe { ticket: self.next_ticket, lease_ends });
        Admission::Admitted { probe: Some(self.next_ticket) }
    }

    /// Takes a call's outcome. A call of an older generation, or a probe that lost its slot, changes nothing.
    pub(crate) fn settle(
        &mut self,
        config: &BreakerConfig,
        outcome: Outcome,
        generation: u32,
        probe: Option<u64>,
        now: Moment,
    ) -> Option<Change> {
        if generation != self.generation {
            return None;
        }
        match self.state {
            State::Closed => match outcome {
                Outcome::Neutral => None,
                Outcome::Success => {
                    self.failures = 0;
                    None
                }
                Outcome::Failure => {
                    self.failures = self.failures.saturating_add(1);
                    (self.failures >= config.consecutive().unwrap_or(u32::MAX))
                        .then(|| self.open(config.timeout, "threshold reached", now))
                        .flatten()
                }
            },
            State::HalfOpen => {
                let slot = self.probes.iter().position(|held| Some(held.ticket) == probe)?;
                self.probes.swap_remove(slot);
                match outcome {
                    Outcome::Neutral => None,
                    Outcome::Failure => self.open(config.timeout, "probe failed", now),
                    Outcome::Success => {
                        self.successes = self.successes.saturating_add(1);
                        (self.successes >= config.success_threshold)
                            .then(|| self.close("probe succeeded", now))
                            .flatten()
                    }
                }
            }
            State::Open | State::ForcedOpen | State::Disabled | State::ObserveOnly => None,
        }
    }

    fn open(&mut self, how_long: Duration, reason: &'static str, now: Moment) -> Option<Change> {
        self.opened_at = now;
        self.open_until = now.after(how_long);
        self.times_opened = self.times_opened.saturating_add(1);
        self.enter(State::Open, reason, now)
    }

    fn close(&mut self, reason: &'static str, now: Moment) -> Option<Change> {
        self.failures = 0;
        self.enter(State::Closed, reason, now)
    }

    /// Opens by the caller's word, for `how_long`.
    pub(crate) fn open_for(&mut self, how_long: Duration, now: Moment) -> Option<Change> {
        self.open(how_long, "opened by hand", now)
    }

    /// Goes to a state that only the caller's word leads to, or back to closed.
    pub(crate) fn force(&mut self, to: State, now: Moment) -> Option<Change> {
        match to {
            State::Closed => self.close("reset", now),
            to => {
                self.failures = 0;
                self.opened_at = now;
                self.enter(to, "set by hand", now)
            }
        }
    }

    /// Back to the beginning, statistics included.
    pub(crate) fn forget(&mut self, now: Moment) -> Option<Change> {
        let change = self.close("reset", now);
        self.times_opened = 0;
        self.changed_at = None;
        change
    }

    /// Every entry begins a new generation, so that calls begun before it no longer count; only a change is told.
    fn enter(&mut self, to: State, reason: &'static str, now: Moment) -> Option<Change> {
        let from = std::mem::replace(&mut self.state, to);
        self.generation = (self.generation + 1) & GENERATION_MASK;
        self.probes.clear();
        self.successes = 0;
        if from == to {
            return None;
        }
        self.changed_at = Some(now);
        Some(Change { from, to, reason })
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;

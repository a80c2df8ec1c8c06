//! The breaker as a pure state machine: no atomics, no clock, no lock. Every question gets the time as an argument.
//!
//! Asking never changes anything but through [`Machine::admit`] and [`Machine::settle`]: there is no timer, an expired
//! opening is noticed by the next call.

use super::answer::{Admission, Change, Outcome, Ticket};
use super::config::BreakerConfig;
use super::samples::{Samples, Tally};
use super::state::{GENERATION_MASK, State, Word};
use crate::clock::Moment;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Probe {
    ticket: u64,
    /// From then on the next caller may take its slot.
    lease_ends: Moment,
}

/// The whole state, as seen under the lock.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(super) config: BreakerConfig,
    configured: bool,
    pub(super) state: State,
    pub(super) generation: u32,
    /// In a row.
    pub(super) failures: u32,
    pub(super) samples: Option<Box<Samples>>,
    pub(super) opened_at: Moment,
    pub(super) open_until: Moment,
    /// How often it has opened again since it was closed.
    pub(super) reopened: u32,
    /// Opened for a time somebody gave, which a new configuration leaves alone.
    pub(super) by_hand: bool,
    probes: Vec<Probe>,
    next_ticket: u64,
    /// Successes in a row since the breaker became half-open.
    pub(super) successes: u32,
    /// Observing only, it was told that it would have opened.
    told: bool,
    pub(super) times_opened: u64,
    pub(super) changed_at: Option<Moment>,
    /// For the jitter.
    random: u64,
}

impl Machine {
    pub(crate) const fn new() -> Self {
        Self {
            config: BreakerConfig::new(),
            configured: false,
            state: State::Closed,
            generation: 0,
            failures: 0,
            samples: None,
            opened_at: Moment::from_nanos(0),
            open_until: Moment::from_nanos(0),
            reopened: 0,
            by_hand: false,
            probes: Vec::new(),
            next_ticket: 0,
            successes: 0,
            told: false,
            times_opened: 0,
            changed_at: None,
            random: 0,
        }
    }

    pub(crate) const fn word(&self) -> Word {
        let plain = matches!(self.state, State::Closed) && self.configured && !self.config.has_rates();
        Word::new(self.state, plain, self.generation, self.failures)
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

    /// Goes by other numbers from now on. What was counted stays; the calls of a window of another kind are forgotten.
    pub(crate) fn configure(&mut self, config: BreakerConfig, seed: u64, now: Moment) {
        let window = config.rate_window();
        self.samples = match self.samples.take().filter(|_| config.has_rates()) {
            None => config.has_rates().then(|| Box::new(Samples::new(window))),
            Some(same) if same.window() == window => Some(same),
            Some(other) if std::mem::discriminant(&other.window()) == std::mem::discriminant(&window) => {
                Some(Box::new(other.resized(window, now)))
            }
            Some(_) => Some(Box::new(Samples::new(window))),
        };
        let times = |config: &BreakerConfig| (config.timeout, config.backoff);
        let other_times = self.configured && times(&config) != times(&self.config);
        if !self.configured {
            // Never zero, which the generator could not leave.
            self.random = seed | 1;
        }
        self.config = config;
        self.configured = true;
        if other_times && self.state == State::Open && !self.by_hand {
            self.open_until = self.opened_at.after(self.time_open());
        }
    }

    /// May a call run now? An opening that is over becomes half-open by this.
    pub(crate) fn admit(&mut self, now: Moment) -> (Admission, Option<Change>) {
        let change = match self.state {
            State::Open if self.open_until.has_come(now) => self.enter(State::HalfOpen, "timeout over", now),
            _ => None,
        };
        let answer = self.look(now);
        if self.state != State::HalfOpen || !matches!(answer, Admission::Admitted { .. }) {
            return (answer, change);
        }
        self.probes.retain(|probe| !probe.lease_ends.has_come(now));
        self.next_ticket += 1;
        let lease_ends = now.after(self.config.probe_lease());
        self.probes.push(Probe { ticket: self.next_ticket, lease_ends });
        (Admission::Admitted { probe: Some(self.next_ticket) }, change)
    }

    /// What [`admit`](Self::admit) would answer, without taking anything.
    pub(crate) fn look(&self, now: Moment) -> Admission {
        match self.state {
            State::Closed | State::Disabled | State::ObserveOnly => Admission::Admitted { probe: None },
            State::ForcedOpen => Admission::Forced,
            State::Open if !self.open_until.has_come(now) => Admission::Open(self.open_until.until(now)),
            State::Open => Admission::Admitted { probe: None },
            State::HalfOpen => {
                let leases = || self.probes.iter().map(|probe| probe.lease_ends).filter(|ends| !ends.has_come(now));
                let in_flight = u32::try_from(leases().count()).unwrap_or(u32::MAX);
                // No more than may run at a time, and no more than can still be needed to close: one at least, since numbers that
                // changed meanwhile may have been reached already.
                let most = self.config.success_threshold.max(self.config.half_open_calls);
                let allowed = self.config.half_open_calls.min(most.saturating_sub(self.successes).max(1));
                if in_flight < allowed {
                    return Admission::Admitted { probe: None };
                }
                let ends = match (in_flight - allowed) as usize {
                    0 => leases().min().unwrap_or(now),
                    // Fewer are allowed than when they began: as many more have to end first.
                    more => *leases().collect::<Vec<_>>().select_nth_unstable(more).1,
                };
                Admission::HalfOpenFull(ends.until(now))
            }
        }
    }

    /// Takes the outcome of a call that ended at `ended`; `now` is asked only if it changes the state. A call of an older
    /// generation, or a probe that lost its slot, changes nothing.
    pub(crate) fn settle(
        &mut self,
        outcome: Outcome,
        slow: bool,
        ticket: Ticket,
        ended: Moment,
        now: impl FnOnce() -> Moment,
    ) -> Option<Change> {
        if ticket.generation != self.generation {
            return None;
        }
        match self.state {
            State::Closed | State::ObserveOnly => {
                let failed = match outcome {
                    Outcome::Neutral => return None,
                    Outcome::Success => false,
                    Outcome::Failure => true,
                };
                self.record(failed, slow, ended);
                let reason = self.reason(failed, slow)?;
                if self.state == State::Closed {
                    return self.open(reason, now());
                }
                let told = std::mem::replace(&mut self.told, true);
                (!told).then_some(Change { from: self.state, to: self.state, reason })
            }
            State::HalfOpen => {
                let slot = self.probes.iter().position(|held| Some(held.ticket) == ticket.probe)?;
                self.probes.swap_remove(slot);
                match outcome {
                    Outcome::Neutral => None,
                    Outcome::Failure => self.reopen("probe failed", now()),
                    // What opened it for being slow must not close it while it still is.
                    Outcome::Success if slow => self.reopen("probe was slow", now()),
                    Outcome::Success => {
                        self.successes = self.successes.saturating_add(1);
                        (self.successes >= self.config.success_threshold)
                            .then(|| self.close("probe succeeded", now()))
                            .flatten()
                    }
                }
            }
            State::Open | State::ForcedOpen | State::Disabled => None,
        }
    }

    /// What [`settle`](Self::settle) does with a success that was not slow, if no more comes of it: it was a call of this generation,
    /// and the breaker is watching. Such a success is never a reason to do anything.
    #[inline]
    pub(crate) fn watch_success(&mut self, generation: u32, ended: Moment) -> bool {
        let watching = matches!(self.state, State::Closed | State::ObserveOnly) && generation == self.generation;
        if watching {
            self.record(false, false, ended);
        }
        watching
    }

    /// Counts an outcome.
    #[inline]
    fn record(&mut self, failed: bool, slow: bool, ended: Moment) {
        self.failures = if failed { self.failures.saturating_add(1) } else { 0 };
        if let Some(samples) = &mut self.samples {
            samples.add(ended, failed, slow);
        }
    }

    /// The reason to open, if what was recorded last gives one. A success never does, except by being slow.
    fn reason(&self, failed: bool, slow: bool) -> Option<&'static str> {
        let tally = self.samples.as_ref().map_or_else(Tally::default, |samples| samples.tally());
        if failed && self.config.consecutive().is_some_and(|threshold| self.failures >= threshold) {
            return Some("threshold reached");
        }
        if !(failed || slow) || tally.calls < self.config.calls_needed() {
            return None;
        }
        let reached = |rate: Option<u32>, part| rate.is_some_and(|percent| tally.reaches(part, percent));
        if failed && reached(self.config.failure_rate, tally.failures) {
            return Some("failure rate reached");
        }
        (slow && reached(self.config.slow_call_rate, tally.slow)).then_some("slow-call rate reached")
    }

    /// How long to stay open this time.
    fn time_open(&mut self) -> Duration {
        let Some(backoff) = self.config.backoff else { return self.config.timeout };
        let random = || {
            // xorshift64 (Marsaglia, "Xorshift RNGs", 2003), of which the upper 53 bits make a number from 0 to 1.
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            (self.random >> 11) as f64 / (1_u64 << 53) as f64
        };
        backoff.time(self.config.timeout, self.reopened, random)
    }

    fn reopen(&mut self, reason: &'static str, now: Moment) -> Option<Change> {
        self.reopened = self.reopened.saturating_add(1);
        self.open(reason, now)
    }

    fn open(&mut self, reason: &'static str, now: Moment) -> Option<Change> {
        self.opened_at = now;
        self.open_until = now.after(self.time_open());
        self.by_hand = false;
        self.times_opened = self.times_opened.saturating_add(1);
        self.enter(State::Open, reason, now)
    }

    /// Forgets what was counted.
    fn clear(&mut self) {
        self.failures = 0;
        self.reopened = 0;
        if let Some(samples) = &mut self.samples {
            samples.clear();
        }
    }

    fn close(&mut self, reason: &'static str, now: Moment) -> Option<Change> {
        self.clear();
        self.enter(State::Closed, reason, now)
    }

    /// Opens by the caller's word, for `how_long`.
    pub(crate) fn open_for(&mut self, how_long: Duration, now: Moment) -> Option<Change> {
        let opened = self.times_opened + u64::from(self.state != State::Open);
        let change = self.open("opened by hand", now);
        self.times_opened = opened;
        self.open_until = now.after(how_long);
        self.by_hand = true;
        change
    }

    /// Goes to a state that only the caller's word leads to, or back to closed.
    pub(crate) fn force(&mut self, to: State, now: Moment) -> Option<Change> {
        self.clear();
        if to == State::Closed {
            return self.enter(to, "reset", now);
        }
        self.opened_at = now;
        self.enter(to, "set by hand", now)
    }

    /// Back to the beginning, statistics included.
    pub(crate) fn forget(&mut self, now: Moment) -> Option<Change> {
        let change = self.close("reset", now);
        self.times_opened = 0;
        self.changed_at = None;
        change
    }

    /// Every entry begins a new generation, so that calls begun before it no longer count; only a change is told.
    pub(super) fn enter(&mut self, to: State, reason: &'static str, now: Moment) -> Option<Change> {
        let from = std::mem::replace(&mut self.state, to);
        self.generation = (self.generation + 1) & GENERATION_MASK;
        self.probes.clear();
        self.successes = 0;
        self.told = false;
        if from == to {
            return None;
        }
        self.changed_at = Some(now);
        Some(Change { from, to, reason })
    }

    /// The calls the rates look at.
    pub(crate) fn tally(&self, now: Moment) -> Option<Tally> {
        self.samples.as_ref().map(|samples| samples.tally_at(now))
    }
}

#[cfg(not(loom))]
#[path = "restored.rs"]
mod restored;
#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;

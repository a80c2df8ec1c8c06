//! The rules, the naive way: every call is remembered, every question asks all of them.

use crate::Random;
use lifecycle::{Backoff, BreakerConfig, Cancelled, RejectedKind, State, Window};
use std::time::Duration;

/// A unit of time of the model.
pub(crate) fn time(units: u64) -> Duration {
    Duration::from_millis(units)
}

/// The numbers, in the model's units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) threshold: Option<u32>,
    pub(crate) failure_rate: Option<u32>,
    pub(crate) slow_rate: Option<u32>,
    /// The last so many calls, or those of so much time.
    pub(crate) window: Result<u32, u64>,
    pub(crate) needed: u32,
    pub(crate) slow: u64,
    pub(crate) timeout: u64,
    pub(crate) cap: Option<u64>,
    pub(crate) probes: u32,
    pub(crate) successes: u32,
    pub(crate) lease: u64,
    pub(crate) cancelled: Cancelled,
}

impl Numbers {
    pub(crate) fn any(random: &mut Random) -> Self {
        const RATES: [u32; 5] = [1, 34, 50, 67, 100];
        let window = if random.below(2) == 0 { Ok(random.some(6)) } else { Err(random.below(12) + 1) };
        let mut numbers = Self {
            threshold: random.maybe(|random| random.some(3)),
            failure_rate: random.maybe(|random| RATES[random.below(5) as usize]),
            slow_rate: random.maybe(|random| RATES[random.below(5) as usize]),
            window,
            needed: random.some(4).min(window.unwrap_or(u32::MAX)),
            slow: random.below(4) + 1,
            timeout: random.below(4) + 1,
            cap: random.maybe(|random| random.below(10) + 1),
            probes: random.some(3),
            successes: random.some(3),
            lease: random.below(5) + 1,
            cancelled: [Cancelled::FailureWhenSlow, Cancelled::Neutral, Cancelled::Failure][random.below(3) as usize],
        };
        if !numbers.has_rates() && numbers.threshold.is_none() {
            numbers.threshold = Some(2);
        }
        numbers
    }

    fn has_rates(&self) -> bool {
        self.failure_rate.is_some() || self.slow_rate.is_some()
    }

    pub(crate) fn config(&self) -> BreakerConfig {
        let mut config = BreakerConfig::new().timeout(time(self.timeout)).half_open_timeout(time(self.lease));
        config = config.half_open_calls(self.probes).success_threshold(self.successes);
        config = config.slow_call(time(self.slow)).cancelled(self.cancelled);
        if let Some(threshold) = self.threshold {
            config = config.threshold(threshold);
        }
        if let Some(percent) = self.failure_rate {
            config = config.failure_rate(percent);
        }
        if let Some(percent) = self.slow_rate {
            config = config.slow_call_rate(percent);
        }
        if self.has_rates() {
            let window = self.window.map_or_else(|length| Window::Time(time(length)), Window::Calls);
            config = config.window(window).minimum_calls(self.needed);
        }
        if let Some(cap) = self.cap {
            config = config.backoff(Backoff::exponential().cap(time(cap)));
        }
        config
    }
}

/// What is remembered of a call that ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) at: u64,
    pub(crate) failed: bool,
    pub(crate) slow: bool,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Counted {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    pub(crate) cancelled: u64,
    pub(crate) refused: u64,
    pub(crate) opened: u64,
}

#[derive(Debug)]
pub(crate) struct Naive {
    pub(crate) numbers: Numbers,
    pub(crate) state: State,
    /// Goes up whenever a state is entered, be it the same.
    pub(crate) era: u64,
    /// All calls that counted since it was last closed or moved by hand.
    pub(crate) ended: Vec<Ended>,
    pub(crate) open_until: u64,
    pub(crate) reopened: u32,
    /// Who holds a slot, and until when nobody can take it.
    pub(crate) probes: Vec<(u64, u64)>,
    pub(crate) succeeded: u32,
    pub(crate) counted: Counted,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    Success,
    Failure,
    Ignored,
    Dropped,
}

/// A call under way, as the model knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) id: u64,
    pub(crate) era: u64,
    pub(crate) at: u64,
    pub(crate) future: bool,
}

impl Naive {
    pub(crate) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            state: State::Closed,
            era: 0,
            ended: Vec::new(),
            open_until: 0,
            reopened: 0,
            probes: Vec::new(),
            succeeded: 0,
            counted: Counted::default(),
        }
    }

    fn enter(&mut self, state: State) {
        (self.state, self.succeeded) = (state, 0);
        self.era += 1;
        self.probes.clear();
    }

    pub(crate) fn force(&mut self, state: State) {
        self.ended.clear();
        self.reopened = 0;
        self.enter(state);
    }

    pub(crate) fn open(&mut self, until: u64) {
        self.counted.opened += 1;
        self.open_until = until;
        self.enter(State::Open);
    }

    /// How long it would open now.
    fn time_open(&self) -> u64 {
        let timeout = self.numbers.timeout;
        self.numbers.cap.map_or(timeout, |cap| cap.min(timeout << self.reopened.min(20)))
    }

    pub(crate) fn admit(&mut self, id: u64, now: u64) -> Result<(), (RejectedKind, Option<Duration>)> {
        if self.state == State::Open {
            if now < self.open_until {
                return Err((RejectedKind::Open, Some(time(self.open_until - now))));
            }
            self.enter(State::HalfOpen);
        }
        match self.state {
            State::ForcedOpen => Err((RejectedKind::ForcedOpen, None)),
            State::HalfOpen => {
                let held: Vec<u64> = self.probes.iter().map(|probe| probe.1).filter(|ends| now < *ends).collect();
                let useful = self.numbers.probes.max(self.numbers.successes) - self.succeeded;
                if held.len() as u32 >= self.numbers.probes.min(useful) {
                    return Err((RejectedKind::HalfOpenFull, Some(time(held.iter().min().unwrap() - now))));
                }
                self.probes.retain(|probe| now < probe.1);
                self.probes.push((id, now + self.numbers.lease));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn end(&mut self, call: Begun, outcome: Outcome, now: u64) {
        if self.state == State::Disabled {
            return;
        }
        let measured = self.numbers.slow_rate.is_some();
        let long = now - call.at >= self.numbers.slow;
        let failed = match outcome {
            Outcome::Success => false,
            Outcome::Failure => true,
            Outcome::Ignored => {
                self.counted.ignored += 1;
                return self.give_back(call);
            }
            Outcome::Dropped => {
                let failed = match self.numbers.cancelled {
                    Cancelled::Neutral => false,
                    Cancelled::Failure => true,
                    // A permit that is dropped says nothing, however late; a future does.
                    _ => long && call.future,
                };
                if !failed {
                    self.counted.cancelled += 1;
                    return self.give_back(call);
                }
                true
            }
        };
        *if failed { &mut self.counted.failed } else { &mut self.counted.succeeded } += 1;
        if call.era != self.era {
            return;
        }
        let slow = measured && long;
        match self.state {
            State::HalfOpen => {
                if !self.take_slot(call) {
                    return;
                }
                if failed || slow {
                    self.reopened += 1;
                    return self.open(now + self.time_open());
                }
                self.succeeded += 1;
                if self.succeeded >= self.numbers.successes {
                    self.force(State::Closed);
                }
            }
            State::Closed | State::ObserveOnly => {
                self.ended.push(Ended { at: now, failed, slow });
                if self.state == State::Closed && self.must_open(now) {
                    self.open(now + self.time_open());
                }
            }
            _ => {}
        }
    }

    fn take_slot(&mut self, call: Begun) -> bool {
        let held = self.probes.len();
        self.probes.retain(|probe| probe.0 != call.id);
        self.probes.len() < held
    }

    fn give_back(&mut self, call: Begun) {
        if call.era == self.era {
            self.take_slot(call);
        }
    }

    pub(crate) fn in_row(&self) -> u32 {
        self.ended.iter().rev().take_while(|call| call.failed).count() as u32
    }

    pub(crate) fn window(&self, now: u64) -> Vec<Ended> {
        match self.numbers.window {
            Ok(calls) => self.ended.iter().rev().take(calls as usize).copied().collect(),
            Err(length) => self.ended.iter().filter(|call| now - call.at < length).copied().collect(),
        }
    }

    /// Does the call that has just ended open it?
    fn must_open(&self, now: u64) -> bool {
        let Some(last) = self.ended.last() else { return false };
        if last.failed && self.numbers.threshold.is_some_and(|threshold| self.in_row() >= threshold) {
            return true;
        }
        let window = self.window(now);
        let reached = |rate: Option<u32>, which: fn(&Ended) -> bool| {
            let part = window.iter().filter(|call| which(call)).count();
            rate.is_some_and(|percent| part * 100 >= percent as usize * window.len())
        };
        window.len() as u32 >= self.numbers.needed
            && (last.failed && reached(self.numbers.failure_rate, |call| call.failed)
                || last.slow && reached(self.numbers.slow_rate, |call| call.slow))
    }
}

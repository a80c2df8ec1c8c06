//! The concurrent cell around the machine.
//!
//! State, generation and failure count are one atomic word. While closed, successes and failures below the threshold change
//! it lock-free; every change of state runs the pure machine under a small mutex and publishes the word last. An open
//! breaker refuses from the word and one more atomic, without the lock.

use super::config::BreakerConfig;
use super::machine::{Admission, Change, Machine, Outcome, State, Word};
use crate::clock::Moment;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// A breaker's state shared between threads.
#[derive(Debug)]
pub(crate) struct Cell {
    word: AtomicU64,
    /// When an open breaker's refusals end; written before the word that says open.
    open_until: AtomicU64,
    machine: Mutex<Machine>,
}

/// The right to run one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) generation: u32,
    pub(crate) probe: Option<u64>,
}

/// What reporting an outcome did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Recorded without a change of state.
    Quietly,
    /// It changed the state.
    Changed(Change),
}

impl Cell {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self {
                word: AtomicU64::new(Word::CLOSED.0),
                open_until: AtomicU64::new(0),
                machine: Mutex::new(Machine::new()),
            }
        }
    }

    #[inline(always)]
    pub(crate) fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// Reads everything consistently.
    pub(crate) fn look<R>(&self, read: impl FnOnce(Word, &Machine) -> R) -> R {
        let machine = self.machine.lock();
        read(self.word(), &machine)
    }

    /// May a call run? Not asked for a closed breaker, whose word says so.
    pub(crate) fn admit(
        &self,
        config: &BreakerConfig,
        now: impl Fn() -> Moment,
    ) -> (Result<Ticket, Admission>, Option<Change>) {
        let word = self.word();
        match word.state() {
            State::Closed | State::Disabled | State::ObserveOnly => {
                return (Ok(Ticket { generation: word.generation(), probe: None }), None);
            }
            State::ForcedOpen => return (Err(Admission::Forced), None),
            State::Open => {
                // Acquire above pairs with the publication, which wrote this first. A later opening may have moved it since:
                // then refusing is right all the more.
                let until = Moment::from_nanos(self.open_until.load(Ordering::Relaxed));
                let now = now();
                if !until.has_come(now) {
                    return (Err(Admission::Open(until.until(now))), None);
                }
            }
            State::HalfOpen => {}
        }
        let now = now();
        let mut generation = 0;
        let (admission, change) = self.transition(|machine| {
            let answer = machine.admit(config, now);
            generation = machine.word().generation();
            answer
        });
        match admission {
            Admission::Admitted { probe } => (Ok(Ticket { generation, probe }), change),
            refused => (Err(refused), change),
        }
    }

    /// Takes an outcome.
    #[inline]
    pub(crate) fn settle(
        &self,
        config: &BreakerConfig,
        outcome: Outcome,
        ticket: Ticket,
        now: impl FnOnce() -> Moment,
    ) -> Settled {
        let mut word = self.word();
        while word.is_closed() && word.generation() == ticket.generation {
            let failures = match outcome {
                Outcome::Neutral => return Settled::Quietly,
                Outcome::Success => 0,
                Outcome::Failure => word.failures().saturating_add(1),
            };
            if failures == word.failures() {
                return Settled::Quietly;
            }
            if failures >= config.consecutive().unwrap_or(u32::MAX) {
                break;
            }
            let new = word.with_failures(failures);
            match self.word.compare_exchange(word.0, new.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Settled::Quietly,
                Err(changed) => word = Word(changed),
            }
        }
        // Of the other states only half-open makes anything of an outcome, and no outcome outlives its generation.
        if word.generation() != ticket.generation || !matches!(word.state(), State::Closed | State::HalfOpen) {
            return Settled::Quietly;
        }
        self.settle_locked(config, outcome, ticket, now())
    }

    #[cold]
    #[inline(never)]
    fn settle_locked(&self, config: &BreakerConfig, outcome: Outcome, ticket: Ticket, now: Moment) -> Settled {
        let ((), change) =
            self.transition(|machine| ((), machine.settle(config, outcome, ticket.generation, ticket.probe, now)));
        change.map_or(Settled::Quietly, Settled::Changed)
    }

    /// Runs the machine under the lock and publishes what it came to. While closed the word moves without the lock, so the
    /// step is tried again from the new failure count if it did.
    pub(crate) fn transition<R>(
        &self,
        mut step: impl FnMut(&mut Machine) -> (R, Option<Change>),
    ) -> (R, Option<Change>) {
        let mut machine = self.machine.lock();
        loop {
            let word = self.word();
            let mut next = machine.clone();
            next.sync(word);
            let answer = step(&mut next);
            self.open_until.store(next.open_until().as_nanos(), Ordering::Relaxed);
            let published = self.word.compare_exchange(word.0, next.word().0, Ordering::AcqRel, Ordering::Acquire);
            if published.is_ok() {
                *machine = next;
                return answer;
            }
        }
    }
}

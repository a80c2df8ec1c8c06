//! A breaker moved by hand, and listened to.

use super::answer::Change;
use super::handle::{BreakerState, CircuitBreaker};
use super::listeners::Transition;
use super::machine::Machine;
use super::state::State;
use crate::clock::Moment;
use crate::listeners::ListenerId;
use crate::telemetry;
use std::sync::Arc;
use std::time::Duration;

impl CircuitBreaker {
    /// Refuses every call until [`reset`](Self::reset), whatever the time.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State};
    ///
    /// let breaker = CircuitBreaker::builder("db").build()?;
    /// breaker.force_open(); // maintenance
    /// assert!(breaker.try_acquire().unwrap_err().retry_after.is_none()); // nobody knows how long
    /// breaker.reset();
    /// assert_eq!(breaker.state(), State::Closed);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn force_open(&self) {
        self.force(State::ForcedOpen);
    }

    /// Lets every call run and records nothing, until [`reset`](Self::reset).
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State};
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// breaker.disable();
    /// let _ = breaker.call(|| Err::<(), _>("down"));
    /// assert_eq!(breaker.state(), State::Disabled);
    /// assert_eq!(breaker.metrics().statistics.failed_calls, 0);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn disable(&self) {
        self.force(State::Disabled);
    }

    /// Lets every call run and records it, until [`reset`](Self::reset). An event says once when it would have opened.
    ///
    /// ```
    /// use lifecycle::CircuitBreaker;
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// breaker.observe_only(); // how would it do?
    /// let _ = breaker.call(|| Err::<(), _>("down"));
    /// assert!(breaker.try_acquire().is_ok());
    /// assert_eq!(breaker.metrics().statistics.failed_calls, 1);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn observe_only(&self) {
        self.force(State::ObserveOnly);
    }

    /// Closes it and forgets the failures. Its statistics stay.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State};
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// let _ = breaker.call(|| Err::<(), _>("down"));
    /// breaker.reset();
    /// assert_eq!(breaker.state(), State::Closed);
    /// assert_eq!(breaker.metrics().statistics.times_opened, 1);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn reset(&self) {
        self.force(State::Closed);
    }

    /// Opens it for `how_long` from now; then a probe decides. An open one stays open for so long, whatever it had left: that is
    /// no change of state, but an event says that somebody did it.
    /// One that was [forced open](Self::force_open) is open for that time only.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let breaker = CircuitBreaker::builder("db").clock(clock.clone()).build()?;
    /// breaker.open_for(Duration::from_secs(600)); // a maintenance window
    /// assert_eq!(breaker.state(), State::Open);
    /// assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(Duration::from_secs(600)));
    /// clock.advance(Duration::from_secs(600));
    /// assert!(breaker.try_acquire().is_ok());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn open_for(&self, how_long: Duration) {
        let was_open = self.state() == State::Open;
        self.by_hand(|machine, now| machine.open_for(how_long, now));
        if was_open {
            telemetry::breaker_forced(self.name(), State::Open.as_str());
        }
    }

    fn force(&self, to: State) {
        self.by_hand(|machine, now| machine.force(to, now));
    }

    fn by_hand(&self, step: impl FnOnce(&mut Machine, Moment) -> Option<Change>) {
        let state = self.resolve();
        // Not under the lock: the clock may be the user's.
        let now = state.clock.now();
        let ((), change) = state.cell.transition(|machine| ((), step(machine, now)));
        self.tell_forced(&state, change);
    }

    pub(super) fn tell_forced(&self, state: &BreakerState, change: Option<Change>) {
        if let Some(change) = change {
            telemetry::breaker_forced(self.name(), change.to.as_str());
            self.tell(state, change);
        }
    }

    /// Closes it and forgets everything, statistics too.
    pub(super) fn forget(&self) {
        self.by_hand(Machine::forget);
        let state = self.resolve();
        state.counts.reset();
        state.cell.forget_failure();
    }

    /// Calls `listener` after each change of state, on the thread that caused it, with no lock held: it may use this breaker
    /// and all else. One that panics is reported by an event; the call goes on. In a test world it hears of that world only.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State};
    /// use std::sync::mpsc;
    ///
    /// let (told, changes) = mpsc::channel();
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// let listener = breaker.on_transition(move |change| told.send((change.from, change.to)).unwrap());
    /// let _ = breaker.call(|| Err::<(), _>("down"));
    /// assert_eq!(changes.try_recv(), Ok((State::Closed, State::Open)));
    ///
    /// assert!(breaker.remove_listener(listener));
    /// breaker.reset();
    /// assert!(changes.try_recv().is_err());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn on_transition(&self, listener: impl Fn(&Transition) + Send + Sync + 'static) -> ListenerId {
        self.resolve().listeners.add(Arc::new(listener))
    }

    /// Removes a listener; `false` if it is none (any more). See [`on_transition`](Self::on_transition) for an example.
    pub fn remove_listener(&self, id: ListenerId) -> bool {
        self.resolve().listeners.remove(id)
    }
}

//! `CircuitBreaker`: the cell with its name, configuration, clock, counts and events.

use super::answer::{Admission, Change, Left, Outcome, Ticket};
use super::builder::CircuitBreakerBuilder;
use super::cell::{Cell, Traits};
use super::config::BreakerConfig;
use super::listeners::{Listeners, Transition};
use super::permit::{Admitted, Answer, OwnedPermit, Permit, acquire};
use super::probing::is_inside;
use super::state::State;
use crate::clock::{ClockHandle, Moment};
use crate::counter::{self, Counters};
use crate::error::{Rejected, RejectedKind, caught};
use crate::name::Name;
use crate::registry::{Component, Descriptor, register};
use crate::scope::{self, Scoped, StateRef, Universe};
use crate::settings::{BreakerSettings, Layers};
use crate::sync::Mutex;
use crate::telemetry::{self, BreakerChange};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A circuit breaker.
///
/// Usually declared by [`#[circuit_breaker]`](macro@crate::circuit_breaker); this is the one to build at run time.
///
/// ```
/// use lifecycle::{CallError, CircuitBreaker, State};
/// use std::time::Duration;
///
/// let breaker = CircuitBreaker::builder("db").threshold(2).timeout(Duration::from_secs(30)).build()?;
/// for _ in 0..2 {
///     let _ = breaker.call(|| Err::<(), _>("connection refused"));
/// }
/// assert_eq!(breaker.state(), State::Open);
/// let refused = breaker.call(|| Ok::<_, &str>(42));
/// assert!(matches!(refused, Err(CallError::Rejected(_))));
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug)]
pub struct CircuitBreaker {
    state: Scoped<BreakerState>,
    pub(super) descriptor: Descriptor,
    /// As it was written; what holds is in the cell.
    pub(super) written: BreakerConfig,
    /// A declared breaker's way to its own static, to be registered on first use.
    me: Option<fn() -> &'static CircuitBreaker>,
}

/// One world's state of a breaker.
#[derive(Debug)]
pub(super) struct BreakerState {
    pub(super) cell: Cell,
    pub(super) counts: Counters<5>,
    pub(super) clock: ClockHandle,
    /// How far the wall clock was ahead of the other when they were read together, in nanoseconds; 0 = not yet.
    pub(super) wall_apart: AtomicU64,
    pub(super) listeners: Listeners,
    /// What is said over `written`; locked while that is put in force.
    pub(super) layers: Mutex<Layers<BreakerSettings>>,
}

pub(super) const SUCCEEDED: usize = 0;
pub(super) const FAILED: usize = 1;
pub(super) const REJECTED: usize = 2;
pub(super) const CANCELLED: usize = 3;
pub(super) const IGNORED: usize = 4;

impl BreakerState {
    pub(super) const fn new(clock: ClockHandle) -> Self {
        Self {
            cell: Cell::new(),
            counts: Counters::new(),
            clock,
            wall_apart: AtomicU64::new(0),
            listeners: Listeners::new(),
            layers: Mutex::new(Layers::new()),
        }
    }

    /// Counted in place, not thread by thread: one of many, or of a test world.
    pub(super) fn local(clock: ClockHandle) -> Self {
        Self { counts: Counters::local(), ..Self::new(clock) }
    }

    fn in_universe(universe: &Universe) -> Self {
        Self::local(universe.clock())
    }

    /// When a call begins, if calls are measured.
    #[inline]
    fn began(&self, traits: Traits) -> Moment {
        if traits.measured() { traits.now(self.clock.reading()) } else { Moment::NEVER }
    }
}

/// Gives a probe's slot back when telling of it unwinds. Neutral changes no state, so there is nothing to tell; and it asks no
/// clock, which may be what unwinds: a second panic would abort.
struct GiveBack<'a>(&'a BreakerState, Option<Ticket>);

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.1 {
            self.0.cell.give_back(ticket);
        }
    }
}

impl CircuitBreaker {
    /// Begins a breaker of that name with the defaults of [`BreakerConfig::new`]; an example is at the [builder](CircuitBreakerBuilder).
    pub fn builder(name: impl Into<Name>) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::new(name.into())
    }

    pub(super) const fn with_state(state: BreakerState, descriptor: Descriptor, written: BreakerConfig) -> Self {
        Self { state: Scoped::owned(state), descriptor, written, me: None }
    }

    /// What expansions put into a static. `me` gives that static.
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared(descriptor: Descriptor, written: BreakerConfig, me: fn() -> &'static Self) -> Self {
        let state = Scoped::declared(BreakerState::new(ClockHandle::System));
        Self { state, descriptor, written, me: Some(me) }
    }

    /// Who it is: see [`Descriptor`].
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Its name, as given to [`builder`](Self::builder) or by the declaration.
    #[must_use]
    pub fn name(&self) -> &str {
        self.descriptor.name()
    }

    /// The numbers it goes by now.
    ///
    /// ```
    /// use lifecycle::CircuitBreaker;
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(3).build()?;
    /// assert_eq!(breaker.config().to_string(), "threshold 3, timeout 60s");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn config(&self) -> BreakerConfig {
        self.resolve().cell.look(|_, machine| machine.config)
    }

    /// The state that is meant here, configured.
    #[inline]
    pub(super) fn resolve(&self) -> StateRef<'_, BreakerState> {
        let state = self.unused();
        if !state.cell.traits().configured() {
            self.configure(&state, "first use");
        }
        state
    }

    /// The same, for a look that is no first use.
    #[inline]
    pub(super) fn unused(&self) -> StateRef<'_, BreakerState> {
        self.state.resolve(BreakerState::in_universe)
    }

    /// Where it stands. Asking changes nothing: an opening that is over reads as open until a call comes.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State};
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// let _ = breaker.call(|| Err::<(), _>("down"));
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn state(&self) -> State {
        self.resolve().cell.word().state()
    }

    /// Asks to run one call. Report its outcome to the permit.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State};
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// let permit = breaker.try_acquire().expect("it is closed");
    /// permit.failure(); // or success(), or ignore(); dropped it counts for nothing
    /// let refused = breaker.try_acquire().unwrap_err();
    /// assert!(refused.to_string().starts_with("`db`: circuit breaker is open, retry after"));
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] when the breaker is open (by failures or by hand), or half-open with all its probes under way.
    #[inline(always)]
    pub fn try_acquire(&self) -> Result<Permit<'_>, Rejected> {
        acquire(self).map(Permit)
    }

    /// [`try_acquire`](Self::try_acquire) for a permit that goes elsewhere: to a task, into a struct.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State};
    /// use std::sync::Arc;
    ///
    /// let breaker = Arc::new(CircuitBreaker::builder("db").threshold(1).build()?);
    /// let permit = breaker.try_acquire_owned().expect("it is closed");
    /// std::thread::spawn(move || permit.failure()).join().unwrap();
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn try_acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit, Rejected> {
        acquire(self.clone()).map(OwnedPermit)
    }

    /// The process's state.
    #[inline(always)]
    pub(super) fn process(&self) -> &BreakerState {
        self.state.process()
    }

    /// Off the hot path: not plain, or something is installed on this thread.
    #[inline(never)]
    pub(super) fn acquire_slow(&self) -> Answer {
        if counter::at_home() {
            let state = self.process();
            let word = state.cell.word();
            let traits = state.cell.traits();
            if word.state() == State::Closed && traits.configured() {
                return Answer::Here { generation: word.generation(), started: state.began(traits) };
            }
        }
        self.acquire_anywhere()
    }

    /// The refusal of a breaker whose word says open, at home: the way of those who call it while it is. `None` if its time is over.
    #[inline(never)]
    pub(super) fn refuse_open(&self) -> Option<Left> {
        let state = self.process();
        let left = state.cell.still_open(&state.clock)?;
        self.refuse(state, left);
        Some(left)
    }

    #[cold]
    #[inline(never)]
    fn acquire_anywhere(&self) -> Answer {
        counter::prepare();
        scope::look_again();
        let state = self.resolve();
        let (ticket, change) = state.cell.admit(&state.clock);
        if let Some(change) = change {
            // A subscriber (or clock) that panics must not keep the probe's slot: there is no permit yet.
            let give_back = GiveBack(&state, ticket.as_ref().ok().copied());
            self.tell(&state, change);
            std::mem::forget(give_back);
        }
        let ticket = match ticket {
            // A part of the probe that has the slot; what it comes to is the probe's to say.
            Err(Admission::HalfOpenFull(_)) if is_inside(&state) => {
                Ticket { generation: state.cell.word().generation(), probe: None }
            }
            Err(refused) => {
                let (kind, left) = self.refuse_admission(&state, refused);
                return Answer::Refused(kind, left);
            }
            Ok(ticket) => ticket,
        };
        let started = state.began(state.cell.traits());
        let state = match state {
            StateRef::Process(_) if ticket.probe.is_none() => {
                return Answer::Here { generation: ticket.generation, started };
            }
            StateRef::Process(_) => None,
            StateRef::Own(state) => Some(state),
        };
        Answer::Elsewhere(Box::new(Admitted { state, ticket, started }))
    }

    /// Looks whether a call would be refused now, and takes nothing: what a guarded function does before it spends a permit
    /// of its limiter. A refusal is counted as one, since the caller gives up.
    #[inline]
    pub(crate) fn look(&self) -> Result<(), Rejected> {
        if counter::at_home() {
            let word = self.process().cell.word();
            if word.is_plain() {
                return Ok(());
            }
            if word.is_open()
                && let Some(left) = self.refuse_open()
            {
                return Err(self.rejected(RejectedKind::Open, left));
            }
        }
        self.look_slow()
    }

    #[cold]
    #[inline(never)]
    fn look_slow(&self) -> Result<(), Rejected> {
        let state = self.resolve();
        match state.cell.peek(&state.clock) {
            Admission::Admitted { .. } => Ok(()),
            Admission::HalfOpenFull(_) if is_inside(&state) => Ok(()),
            refused => {
                let (kind, left) = self.refuse_admission(&state, refused);
                Err(self.rejected(kind, left))
            }
        }
    }

    fn refuse_admission(&self, state: &BreakerState, refused: Admission) -> (RejectedKind, Left) {
        let (kind, left) = match refused {
            Admission::Forced | Admission::Admitted { .. } => (RejectedKind::ForcedOpen, None),
            Admission::Open(left) => (RejectedKind::Open, left),
            Admission::HalfOpenFull(left) => (RejectedKind::HalfOpenFull, left),
        };
        let left = Left::given(left);
        self.refuse(state, left);
        (kind, left)
    }

    /// Counts a refusal and tells of it.
    #[inline]
    fn refuse(&self, state: &BreakerState, left: Left) {
        self.count::<REJECTED>(state);
        telemetry::breaker_rejected(|| (self.name(), left.duration()));
    }

    /// A refusal as its caller gets it. Inlined: made where it stays, it is never moved.
    #[inline]
    pub(super) fn rejected(&self, kind: RejectedKind, left: Left) -> Rejected {
        Rejected::new(kind, self.descriptor.shared_name(), left.duration())
    }

    #[inline(always)]
    pub(super) fn count<const WHICH: usize>(&self, state: &BreakerState) {
        if state.counts.hit::<WHICH>() {
            self.register();
        }
    }

    #[cold]
    fn register(&self) {
        if let Some(me) = self.me {
            register(Component::Breaker(me()));
        }
    }

    /// Takes a call's outcome: the failure clock, the cell, the event. Counting is the permit's.
    pub(super) fn settle(&self, state: &BreakerState, outcome: Outcome, ticket: Ticket, started: Moment) {
        if outcome == Outcome::Failure {
            state.cell.note_failure(state.clock.coarse());
        }
        if let Some(change) = state.cell.settle(outcome, ticket, started, &state.clock) {
            self.tell(state, change);
        }
    }

    /// Tells of a change: first the subscriber, then the listeners. No lock is held.
    #[cold]
    pub(super) fn tell(&self, state: &BreakerState, change: Change) {
        let now = state.clock.now();
        let (failures, retry_after, threshold) = state.cell.look(|word, machine| {
            let retry_after = if change.to == State::Open { machine.open_until().until(now) } else { None };
            (word.failures(), retry_after, machine.config.consecutive())
        });
        if change.would_have_opened() {
            return telemetry::breaker_would_open(self.name(), change.reason, failures);
        }
        telemetry::breaker_state_changed(&BreakerChange {
            name: self.name(),
            from: change.from.as_str(),
            to: change.to.as_str(),
            reason: change.reason,
            failures,
            threshold,
            retry_after,
        });
        let listeners = state.listeners.all();
        if listeners.is_empty() {
            return;
        }
        let Change { from, to, reason } = change;
        let transition = Transition { name: self.descriptor.shared_name(), from, to, reason, failures, retry_after };
        for listener in listeners {
            // One that panics keeps neither the others nor the call from going on, even if what it panics with does so again.
            if caught(|| listener(&transition)).is_err() {
                telemetry::breaker_listener_panicked(self.name());
            }
        }
    }
}

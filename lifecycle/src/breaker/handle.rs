//! `CircuitBreaker`: the cell with its name, configuration, clock, counts and events.

use super::builder::CircuitBreakerBuilder;
use super::cell::{Cell, Settled, Ticket};
use super::config::BreakerConfig;
use super::machine::{Admission, Change, Outcome, State};
use super::permit::{Admitted, Permit};
use crate::clock::{ClockHandle, Moment, unix_seconds};
use crate::counter::{self, Counters};
use crate::error::{CallError, Rejected, RejectedKind};
use crate::registry::{BreakerSnapshot, BreakerStatistics, Component, Descriptor, register};
use crate::scope::{self, Scoped, StateRef, Universe};
use crate::telemetry::{self, BreakerChange};
use std::borrow::Cow;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
    descriptor: Descriptor,
    config: BreakerConfig,
    /// A declared breaker's way to its own static, to be registered on first use.
    me: Option<fn() -> &'static CircuitBreaker>,
}

/// One world's state of a breaker.
#[derive(Debug)]
pub(super) struct BreakerState {
    pub(super) cell: Cell,
    pub(super) counts: Counters<5>,
    /// Monotonic time of the last counted failure; 0 = never.
    last_failure: AtomicU64,
    pub(super) clock: ClockHandle,
}

pub(super) const SUCCEEDED: usize = 0;
pub(super) const FAILED: usize = 1;
pub(super) const REJECTED: usize = 2;
pub(super) const CANCELLED: usize = 3;
pub(super) const IGNORED: usize = 4;

impl BreakerState {
    pub(super) const fn new(clock: ClockHandle) -> Self {
        Self { cell: Cell::new(), counts: Counters::new(), last_failure: AtomicU64::new(0), clock }
    }

    fn in_universe(universe: &Universe) -> Self {
        Self { counts: Counters::local(), ..Self::new(universe.clock()) }
    }
}

/// Gives a probe's slot back when telling of it unwinds. Neutral changes no state, so there is nothing to tell.
struct GiveBack<'a>(&'a CircuitBreaker, &'a BreakerState, Option<Ticket>);

impl Drop for GiveBack<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.2 {
            self.1.cell.settle(&self.0.config, Outcome::Neutral, ticket, Moment::default);
        }
    }
}

impl CircuitBreaker {
    /// Begins a breaker of that name with the defaults of [`BreakerConfig::new`].
    pub fn builder(name: impl Into<Cow<'static, str>>) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::new(name.into())
    }

    pub(super) const fn with_state(state: Scoped<BreakerState>, descriptor: Descriptor, config: BreakerConfig) -> Self {
        Self { state, descriptor, config, me: None }
    }

    /// What expansions put into a static. `me` gives that static.
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared(descriptor: Descriptor, config: BreakerConfig, me: fn() -> &'static Self) -> Self {
        Self { state: Scoped::declared(BreakerState::new(ClockHandle::System)), descriptor, config, me: Some(me) }
    }

    /// Who it is.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.descriptor.name()
    }

    /// Its numbers.
    #[must_use]
    pub fn config(&self) -> &BreakerConfig {
        &self.config
    }

    #[inline]
    pub(super) fn resolve(&self) -> StateRef<'_, BreakerState> {
        self.state.resolve(BreakerState::in_universe)
    }

    /// Where it stands. Asking changes nothing: an opening that is over reads as open until a call comes.
    #[must_use]
    pub fn state(&self) -> State {
        self.resolve().cell.word().state()
    }

    /// Asks to run one call. Report its outcome to the permit.
    ///
    /// # Errors
    /// [`Rejected`] when the breaker is open (by failures or by hand), or half-open with all its probes under way.
    #[inline(always)]
    pub fn try_acquire(&self) -> Result<Permit<'_>, Rejected> {
        if counter::at_home() {
            let word = self.process().cell.word();
            if word.is_closed() {
                return Ok(Permit::closed(self, word));
            }
        }
        match self.acquire_slow() {
            Ok(admitted) => Ok(Permit::slow(self, admitted)),
            Err(rejected) => Err(rejected),
        }
    }

    /// The process's state.
    #[inline(always)]
    pub(super) fn process(&self) -> &BreakerState {
        self.state.process()
    }

    /// Boxed, so that the permit of the hot path stays in registers: this is a probe or a test world.
    #[cold]
    #[inline(never)]
    fn acquire_slow(&self) -> Result<Box<Admitted<'_>>, Rejected> {
        counter::prepare();
        scope::look_again();
        let state = self.resolve();
        let (ticket, change) = state.cell.admit(&self.config, || state.clock.now());
        if let Some(change) = change {
            // A subscriber (or clock) that panics must not keep the probe's slot: there is no permit yet.
            let give_back = GiveBack(self, &state, ticket.as_ref().ok().copied());
            self.tell(&state, change);
            std::mem::forget(give_back);
        }
        match ticket {
            Ok(ticket) => Ok(Box::new(Admitted { state, ticket })),
            Err(refused) => Err(self.refuse(&state, refused)),
        }
    }

    /// Looks whether a call would be refused now, and takes nothing: what a guarded function does before it spends a permit
    /// of its limiter. A refusal is counted as one, since the caller gives up.
    #[doc(hidden)]
    #[allow(clippy::missing_errors_doc, reason = "not for users")]
    #[inline]
    pub fn __look(&self) -> Result<(), Rejected> {
        if counter::at_home() && self.process().cell.word().is_closed() {
            return Ok(());
        }
        self.look_slow()
    }

    #[cold]
    #[inline(never)]
    fn look_slow(&self) -> Result<(), Rejected> {
        let state = self.resolve();
        let now = state.clock.now();
        // On a copy: what the machine would answer, without the probe being taken.
        let (answer, _) = state.cell.look(|_, machine| machine.clone().admit(&self.config, now));
        match answer {
            Admission::Admitted { .. } => Ok(()),
            refused => Err(self.refuse(&state, refused)),
        }
    }

    fn refuse(&self, state: &BreakerState, refused: Admission) -> Rejected {
        self.count::<REJECTED>(state);
        let (kind, retry_after) = match refused {
            Admission::Forced | Admission::Admitted { .. } => (RejectedKind::ForcedOpen, None),
            Admission::Open(left) => (RejectedKind::Open, left),
            Admission::HalfOpenFull(left) => (RejectedKind::HalfOpenFull, left),
        };
        telemetry::breaker_rejected(self.name(), retry_after);
        Rejected::new(kind, self.descriptor.shared_name(), retry_after)
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
    pub(super) fn settle(&self, state: &BreakerState, outcome: Outcome, ticket: Ticket) {
        if outcome == Outcome::Failure {
            state.last_failure.store(state.clock.now().as_nanos(), Ordering::Relaxed);
        }
        if let Settled::Changed(change) = state.cell.settle(&self.config, outcome, ticket, || state.clock.now()) {
            self.tell(state, change);
        }
    }

    #[cold]
    fn tell(&self, state: &BreakerState, change: Change) {
        // The clock may be the user's: it is read without the machine's lock.
        let now = state.clock.now();
        let (failures, retry_after) = state.cell.look(|word, machine| {
            (word.failures(), if change.to == State::Open { machine.open_until().until(now) } else { None })
        });
        telemetry::breaker_state_changed(&BreakerChange {
            name: self.name(),
            from: change.from.as_str(),
            to: change.to.as_str(),
            reason: change.reason,
            failures,
            threshold: self.config.consecutive().unwrap_or(0),
            retry_after,
        });
    }

    /// Runs `f` through the breaker. An `Err` is a failure; a panic is one too and goes on.
    ///
    /// # Errors
    /// [`CallError::Rejected`] when it did not run, [`CallError::Inner`] with its own error.
    pub fn call<T, E>(&self, f: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        let permit = self.try_acquire()?;
        let result = f();
        permit.settle_result(&result);
        result.map_err(CallError::Inner)
    }

    /// Runs `future` through the breaker; it is admitted when first polled. Dropped before it ends it counts for nothing,
    /// unless it has run for [`slow_call`](BreakerConfig::slow_call): then it is a failure.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async<T, E>(&self, future: impl Future<Output = Result<T, E>>) -> Result<T, CallError<E>> {
        let permit = self.try_acquire()?;
        permit.run_async(future, Permit::settle_result).await.map_err(CallError::Inner)
    }

    /// Refuses every call until [`reset`](Self::reset), whatever the time.
    pub fn force_open(&self) {
        self.force(State::ForcedOpen);
    }

    /// Lets every call run and records nothing, until [`reset`](Self::reset).
    pub fn disable(&self) {
        self.force(State::Disabled);
    }

    /// Lets every call run and records it, until [`reset`](Self::reset).
    pub fn observe_only(&self) {
        self.force(State::ObserveOnly);
    }

    /// Closes it and forgets the failures. Its statistics stay.
    pub fn reset(&self) {
        self.force(State::Closed);
    }

    /// Opens it for `how_long`; then a probe decides.
    pub fn open_for(&self, how_long: Duration) {
        let state = self.resolve();
        let now = state.clock.now();
        let ((), change) = state.cell.transition(|machine| ((), machine.open_for(how_long, now)));
        self.tell_forced(&state, change);
    }

    fn force(&self, to: State) {
        let state = self.resolve();
        let now = state.clock.now();
        let ((), change) = state.cell.transition(|machine| ((), machine.force(to, now)));
        self.tell_forced(&state, change);
    }

    fn tell_forced(&self, state: &BreakerState, change: Option<Change>) {
        if let Some(change) = change {
            telemetry::breaker_forced(self.name(), change.to.as_str());
            self.tell(state, change);
        }
    }

    /// Closes it and forgets everything, statistics too.
    pub(super) fn forget(&self) {
        let state = self.resolve();
        let now = state.clock.now();
        let ((), change) = state.cell.transition(|machine| ((), machine.forget(now)));
        self.tell_forced(&state, change);
        state.counts.reset();
        state.last_failure.store(0, Ordering::Relaxed);
    }

    /// State, failures and statistics.
    #[must_use]
    pub fn metrics(&self) -> BreakerSnapshot {
        let state = self.resolve();
        let now = state.clock.now();
        let wall = state.clock.wall();
        let on_wall = |at: Moment| unix_seconds(wall.checked_sub(now.since(at)).unwrap_or(wall));
        let (word, opened_at, until, times_opened, changed_at) = state.cell.look(|word, machine| {
            (word, machine.opened_at(), machine.open_until(), machine.times_opened(), machine.changed_at())
        });
        let open = matches!(word.state(), State::Open | State::ForcedOpen);
        let last_failure = Moment::from_nanos(state.last_failure.load(Ordering::Relaxed));
        let read = |which| state.counts.read(which);
        let (successful, failed, cancelled, ignored) = (read(SUCCEEDED), read(FAILED), read(CANCELLED), read(IGNORED));
        BreakerSnapshot {
            name: self.name().to_owned(),
            state: word.state().as_str().to_owned(),
            failures: word.failures(),
            threshold: self.config.consecutive().unwrap_or(0),
            timeout: self.config.timeout.as_secs_f64(),
            last_failure_time: (last_failure.as_nanos() > 0).then(|| on_wall(last_failure)),
            opened_at: open.then(|| on_wall(opened_at)),
            retry_after_seconds: match word.state() {
                State::Open => until.until(now).map(|left| left.as_secs_f64()),
                _ => None,
            },
            statistics: BreakerStatistics {
                total_calls: successful + failed + cancelled + ignored,
                successful_calls: successful,
                failed_calls: failed,
                rejected_calls: read(REJECTED),
                cancelled_calls: cancelled,
                ignored_calls: ignored,
                times_opened,
                last_state_change: changed_at.map(on_wall),
            },
            path: self.descriptor.path(),
            declared_at: self.descriptor.declared_at(),
        }
    }
}

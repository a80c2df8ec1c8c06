//! The permit: one admitted call, whose outcome is reported exactly once.

use super::answer::{Left, Outcome, Ticket};
use super::guarded::Guarded;
use super::handle::{BreakerState, CANCELLED, CircuitBreaker, FAILED, IGNORED, SUCCEEDED};
use super::policy::{Cancelled, Verdict};
use super::probing::Inside;
use super::state::{State, Word};
use crate::clock::Moment;
use crate::counter;
use crate::error::{Rejected, RejectedKind};
use std::future::Future;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Arc;

/// One call that a [`CircuitBreaker`] let through.
///
/// Report the outcome with [`success`](Self::success), [`failure`](Self::failure) or [`ignore`](Self::ignore). Dropped
/// without one it counts for nothing and gives a probe's slot back, however long it was held, unless the breaker says
/// [`cancelled = failure`](Cancelled::Failure); dropped by a panic it is a failure. (Futures are different: one that is dropped
/// after [`slow_call`](crate::BreakerConfig::slow_call) fails, see [`Cancelled`].)
/// An outcome that comes after the breaker changed state goes to the statistics only.
///
/// ```
/// let breaker = lifecycle::CircuitBreaker::builder("db").build()?;
/// let permit = breaker.try_acquire()?;
/// // ... the call ...
/// permit.success();
/// breaker.try_acquire()?.failure();
/// breaker.try_acquire()?.ignore(); // "no such user" is no fault of the database
/// drop(breaker.try_acquire()?); // given up
///
/// let seen = breaker.metrics();
/// let counts = &seen.statistics;
/// assert_eq!((counts.successful_calls, counts.failed_calls), (1, 1));
/// assert_eq!((counts.ignored_calls, counts.cancelled_calls), (1, 1));
/// assert_eq!(seen.failures, 1); // those that count for nothing did not end the row
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a permit that is dropped counts for nothing"]
pub struct Permit<'a>(pub(super) Held<&'a CircuitBreaker>);

/// A [`Permit`] that owns its breaker: for what outlives the place where it began.
///
/// ```
/// use lifecycle::CircuitBreaker;
/// use std::sync::Arc;
///
/// let breaker = Arc::new(CircuitBreaker::builder("db").build()?);
/// let permit = breaker.try_acquire_owned()?;
/// std::thread::spawn(move || permit.success()).join().unwrap();
/// assert_eq!(breaker.metrics().statistics.successful_calls, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a permit that is dropped counts for nothing"]
pub struct OwnedPermit(pub(super) Held<Arc<CircuitBreaker>>);

/// What both permits do.
macro_rules! reports {
    ($permit:ty) => {
        impl $permit {
            /// The call succeeded. (All its ends are shown at [`Permit`].)
            #[inline]
            pub fn success(self) {
                self.0.success();
            }

            /// The call failed. See [`Permit`] for an example.
            #[inline]
            pub fn failure(self) {
                self.0.failure();
            }

            /// The call's error is none of the breaker's business: counts for nothing, gives a probe's slot back. See
            /// [`Permit`] for an example.
            #[inline]
            pub fn ignore(self) {
                self.0.ignore();
            }

            /// The call ended with that verdict: see [`Verdict`].
            #[inline]
            pub fn settle(self, verdict: Verdict) {
                self.0.settle(verdict);
            }
        }
    };
}
reports!(Permit<'_>);
reports!(OwnedPermit);

/// A permit, and how it holds its breaker: what guarded functions use, too.
#[derive(Debug)]
pub(crate) struct Held<B: Deref<Target = CircuitBreaker>> {
    breaker: B,
    /// `None` on the hot path: admitted by the process's state, and not as a probe.
    admitted: Option<Box<Admitted>>,
    /// What the breaker's word said on the hot path; off it, only the generation is right.
    seen: Word,
    /// When the call began, as far as it matters: on admission if slow calls count, else when a guarded future first did not
    /// finish at once; [`Moment::NEVER`] before that. (An `Option` would cost every guarded future eight bytes.)
    started: Moment,
}

/// An admission that is more than a generation: by a test world's state, or as a probe.
#[derive(Debug)]
pub(super) struct Admitted {
    /// `None` is the process's.
    pub(super) state: Option<Arc<BreakerState>>,
    pub(super) ticket: Ticket,
    pub(super) started: Moment,
}

/// The answer off the hot path: it fits two registers.
#[derive(Debug)]
pub(super) enum Answer {
    /// Admitted by the process's state, and not as a probe.
    Here { generation: u32, started: Moment },
    /// Boxed, so that the permit of the hot path stays in registers.
    Elsewhere(Box<Admitted>),
    /// Counted and told, and not written out yet.
    Refused(RejectedKind, Left),
}

/// How a permit ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Success,
    Failure,
    Ignored,
    Cancelled,
}

/// Asks `breaker` to run one call.
///
/// # Errors
/// Its refusal.
#[inline(always)]
pub(crate) fn acquire<B: Deref<Target = CircuitBreaker>>(breaker: B) -> Result<Held<B>, Rejected> {
    let (kind, left) = 'refused: {
        if counter::at_home() {
            let word = breaker.process().cell.word();
            if word.is_plain() {
                return Ok(Held { breaker, admitted: None, seen: word, started: Moment::NEVER });
            }
            if word.is_open()
                && let Some(left) = breaker.refuse_open()
            {
                break 'refused (RejectedKind::Open, left);
            }
        }
        // The compiler is to see that these are never plain: then the hot path keeps nothing but the word.
        match breaker.acquire_slow() {
            Answer::Here { generation, started } => {
                return Ok(Held { breaker, admitted: None, seen: Word::off_path(generation), started });
            }
            Answer::Elsewhere(admitted) => {
                let (seen, started) = (Word::off_path(admitted.ticket.generation), admitted.started);
                return Ok(Held { breaker, admitted: Some(admitted), seen, started });
            }
            Answer::Refused(kind, left) => (kind, left),
        }
    };
    Err(breaker.rejected(kind, left))
}

impl<B: Deref<Target = CircuitBreaker>> Held<B> {
    /// Was it given on the hot path? Then there is nothing to it but the word.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.seen.is_plain()
    }

    #[inline(always)]
    pub(crate) fn success(self) {
        if self.is_plain() {
            let state = self.breaker.process();
            // Nothing to reset, and a late success of a closed breaker changes nothing either.
            if state.cell.word().is_plain_without_failures() && state.counts.try_hit::<SUCCEEDED>() {
                drop(self.into_breaker());
                return;
            }
        }
        self.succeed();
    }

    /// Apart, so that the permit of the hot path is never anywhere but in registers.
    #[inline(always)]
    fn succeed(mut self) {
        let (admitted, seen, started) = (self.admitted.take(), self.seen, self.started);
        succeeded(&self.into_breaker(), admitted, seen, started);
    }

    /// Takes the permit apart without its drop; the rest of a plain one needs none.
    #[inline(always)]
    fn into_breaker(self) -> B {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used any more and never dropped, so its breaker is moved out once.
        unsafe { std::ptr::read(&raw const this.breaker) }
    }

    // Always: the inliner takes less trouble where what follows is cold, and handed over by reference the permit would have to be
    // in memory on the hot path too.
    #[inline(always)]
    pub(crate) fn failure(self) {
        if self.is_plain() {
            let seen = self.seen;
            failed(&self.into_breaker(), seen);
        } else {
            self.end(End::Failure);
        }
    }

    #[inline(always)]
    pub(crate) fn ignore(self) {
        self.end(End::Ignored);
    }

    #[inline(always)]
    pub(crate) fn settle(self, verdict: Verdict) {
        match verdict {
            Verdict::Success => self.success(),
            Verdict::Failure => self.failure(),
            Verdict::Ignored => self.ignore(),
        }
    }

    /// Says, while it lives, that this thread runs the probe that this is, if it is one.
    #[inline(always)]
    pub(crate) fn inside(&self) -> Option<Inside> {
        match &self.admitted {
            Some(admitted) if !self.is_plain() => self.inside_probe(admitted),
            _ => None,
        }
    }

    #[cold]
    #[inline(never)]
    fn inside_probe(&self, admitted: &Admitted) -> Option<Inside> {
        admitted.ticket.probe?;
        Inside::enter(state_of(&self.breaker, Some(admitted)))
    }

    /// A panic went through the call: a failure.
    #[cold]
    pub(super) fn panicked(self) {
        self.failure();
    }

    /// A guarded future did not finish at once: from now on dropping it may be a failure. Reads the clock the first time.
    #[inline]
    pub(super) fn suspended(&mut self) {
        if self.started == Moment::NEVER {
            self.started = self.now();
        }
    }

    #[cold]
    fn now(&self) -> Moment {
        let state = state_of(&self.breaker, self.admitted.as_deref());
        state.cell.traits().now(state.clock.reading())
    }

    #[inline(always)]
    fn end(mut self, end: End) {
        let (admitted, seen, started) = (self.admitted.take(), self.seen, self.started);
        finish(&self.into_breaker(), admitted, seen, started, end);
    }

    /// Runs a future under this permit and gives its output to `judge`.
    #[inline]
    pub(crate) fn run_async<F: Future, J: FnOnce(&F::Output) -> Verdict>(
        self,
        future: F,
        judge: J,
    ) -> Guarded<B, F, J> {
        Guarded::running(self, future, judge)
    }

    /// A future is given up; no panic of its own is the reason.
    #[inline]
    pub(super) fn cancelled(mut self) {
        let (admitted, seen, started) = (self.admitted.take(), self.seen, self.started);
        abandoned(&self.into_breaker(), admitted, seen, started);
    }
}

impl<B: Deref<Target = CircuitBreaker>> Drop for Held<B> {
    #[cold]
    fn drop(&mut self) {
        // No more than this call: inlined, it leaves a permit of the hot path in registers.
        dropped(&self.breaker, self.admitted.take(), self.seen, self.started, std::thread::panicking());
    }
}

fn state_of<'a>(breaker: &'a CircuitBreaker, admitted: Option<&'a Admitted>) -> &'a BreakerState {
    match admitted.and_then(|admitted| admitted.state.as_deref()) {
        Some(own) => own,
        None => breaker.process(),
    }
}

/// A permit that goes without an outcome.
#[cold]
#[inline(never)]
fn dropped(breaker: &CircuitBreaker, admitted: Option<Box<Admitted>>, seen: Word, started: Moment, panicked: bool) {
    let state = state_of(breaker, admitted.as_deref());
    let failed = panicked || state.cell.traits().cancelled() == Cancelled::Failure;
    given_up(breaker, admitted, seen, started, failed);
}

/// A future that its caller gave up. Only here the time matters: a permit that is dropped by hand, be it late, says nothing of the
/// call.
#[cold]
#[inline(never)]
fn abandoned(breaker: &CircuitBreaker, admitted: Option<Box<Admitted>>, seen: Word, started: Moment) {
    let state = state_of(breaker, admitted.as_deref());
    let traits = state.cell.traits();
    let failed = match traits.cancelled() {
        Cancelled::Failure => true,
        Cancelled::Neutral => false,
        // Without a look at the clock, if it never waited.
        Cancelled::FailureWhenSlow if started == Moment::NEVER => false,
        Cancelled::FailureWhenSlow => {
            let reading = state.clock.reading();
            state.cell.was_slow(traits, started, traits.now(reading), reading)
        }
    };
    given_up(breaker, admitted, seen, started, failed);
}

/// A call that ends without an outcome.
#[cold]
fn given_up(breaker: &CircuitBreaker, admitted: Option<Box<Admitted>>, seen: Word, started: Moment, failed: bool) {
    finish(breaker, admitted, seen, started, if failed { End::Failure } else { End::Cancelled });
}

/// The failure of a permit of the hot path: while the breaker is plain, no more than a coarse reading and a compare-exchange.
#[cold]
#[inline(never)]
fn failed(breaker: &CircuitBreaker, seen: Word) {
    let state = breaker.process();
    // Read first: between the word's load and its exchange there is to be as little as possible.
    let now = state.clock.coarse();
    if state.cell.settle_plain(Outcome::Failure, seen.generation()) {
        state.cell.note_failure(now);
        breaker.count::<FAILED>(state);
    } else {
        finish(breaker, None, seen, Moment::NEVER, End::Failure);
    }
}

/// A success that is more than a look at the word: mostly of a breaker that watches rates.
#[cold]
#[inline(never)]
fn succeeded(breaker: &CircuitBreaker, admitted: Option<Box<Admitted>>, seen: Word, started: Moment) {
    if admitted.is_some() {
        return finish(breaker, admitted, seen, started, End::Success);
    }
    conclude(breaker, breaker.process(), Ticket { generation: seen.generation(), probe: None }, started, End::Success);
}

/// Any other end, of any permit.
#[cold]
#[inline(never)]
fn finish(breaker: &CircuitBreaker, admitted: Option<Box<Admitted>>, seen: Word, started: Moment, end: End) {
    let ticket = match &admitted {
        Some(admitted) => admitted.ticket,
        None => Ticket { generation: seen.generation(), probe: None },
    };
    conclude(breaker, state_of(breaker, admitted.as_deref()), ticket, started, end);
}

/// Counts the outcome and gives it to the state it was admitted by.
#[inline(always)]
fn conclude(breaker: &CircuitBreaker, state: &BreakerState, ticket: Ticket, started: Moment, end: End) {
    // A disabled breaker records nothing.
    if state.cell.word().state() == State::Disabled {
        return;
    }
    let outcome = match end {
        End::Success => {
            breaker.count::<SUCCEEDED>(state);
            Outcome::Success
        }
        End::Failure => {
            breaker.count::<FAILED>(state);
            Outcome::Failure
        }
        End::Ignored => {
            breaker.count::<IGNORED>(state);
            Outcome::Neutral
        }
        End::Cancelled => {
            breaker.count::<CANCELLED>(state);
            Outcome::Neutral
        }
    };
    breaker.settle(state, outcome, ticket, started);
}

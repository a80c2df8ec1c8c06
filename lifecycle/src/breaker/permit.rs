//! The permit: one admitted call, whose outcome is reported exactly once.

use super::cell::Ticket;
use super::handle::{BreakerState, CANCELLED, CircuitBreaker, FAILED, IGNORED, SUCCEEDED};
use super::machine::{Outcome, State, Word};
use crate::clock::Moment;
use crate::scope::StateRef;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

/// One call that a [`CircuitBreaker`] let through.
///
/// Report the outcome with [`success`](Self::success), [`failure`](Self::failure) or [`ignore`](Self::ignore). Dropped
/// without one it counts for nothing and gives a probe's slot back; dropped by a panic it is a failure. An outcome that
/// comes after the breaker changed state goes to the statistics only.
///
/// ```
/// let breaker = lifecycle::CircuitBreaker::builder("db").build()?;
/// let permit = breaker.try_acquire()?;
/// // ... the call ...
/// permit.success();
/// assert_eq!(breaker.metrics().statistics.successful_calls, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a permit that is dropped counts for nothing"]
pub struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    /// `None` on the hot path: admitted by the process's closed state, which needs no owner.
    admitted: Option<Box<Admitted<'a>>>,
    /// What the breaker's word said on admission; only the generation is asked for later.
    seen: Word,
    /// When a guarded future first did not finish at once; [`Moment::NEVER`] before that. (An `Option` would cost every
    /// guarded future eight bytes.)
    suspended_at: Moment,
}

/// An admission that is more than a generation: by a test world's state, or as a probe.
#[derive(Debug)]
pub(super) struct Admitted<'a> {
    pub(super) state: StateRef<'a, BreakerState>,
    pub(super) ticket: Ticket,
}

/// How a permit ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Success,
    Failure,
    Ignored,
    Cancelled,
}

impl<'a> Permit<'a> {
    #[inline(always)]
    pub(super) fn closed(breaker: &'a CircuitBreaker, seen: Word) -> Self {
        Self { breaker, admitted: None, seen, suspended_at: Moment::NEVER }
    }

    #[inline(always)]
    pub(super) fn slow(breaker: &'a CircuitBreaker, admitted: Box<Admitted<'a>>) -> Self {
        Self { breaker, seen: Word::CLOSED, admitted: Some(admitted), suspended_at: Moment::NEVER }
    }

    /// Was it given by the process's closed breaker?
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        self.admitted.is_none()
    }

    /// The call succeeded.
    #[inline(always)]
    pub fn success(self) {
        if self.admitted.is_none() {
            let state = self.breaker.process();
            let word = state.cell.word();
            // Nothing to reset, and a late success of a closed breaker changes nothing either.
            if word.is_closed_without_failures() && state.counts.try_hit::<SUCCEEDED>() {
                std::mem::forget(self);
                return;
            }
        }
        self.end(End::Success);
    }

    /// The call failed.
    #[inline]
    pub fn failure(self) {
        self.end(End::Failure);
    }

    /// The call's error is none of the breaker's business: counts for nothing, gives a probe's slot back.
    #[inline]
    pub fn ignore(self) {
        self.end(End::Ignored);
    }

    /// `Err` is a failure.
    #[inline]
    pub(crate) fn settle_result<T, E>(self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.success(),
            Err(_) => self.failure(),
        }
    }

    /// A panic went through the call: a failure.
    #[doc(hidden)]
    #[cold]
    pub fn panicked(self) {
        self.failure();
    }

    /// A guarded future did not finish at once: from now on dropping it may be a failure. Reads the clock the first time.
    #[doc(hidden)]
    #[inline]
    pub fn suspended(&mut self) {
        if self.suspended_at == Moment::NEVER {
            self.suspended_at = self.now();
        }
    }

    #[cold]
    fn now(&self) -> Moment {
        self.admitted.as_ref().map_or_else(|| self.breaker.process(), |admitted| &*admitted.state).clock.now()
    }

    #[inline(always)]
    fn end(self, end: End) {
        let mut this = ManuallyDrop::new(self);
        finish(this.breaker, this.admitted.take(), this.seen, end);
    }

    /// Runs a future under this permit and gives its output to `settle`.
    #[doc(hidden)]
    #[inline]
    pub fn run_async<F: Future, S: FnOnce(Permit<'a>, &F::Output)>(self, future: F, settle: S) -> Guarded<'a, F, S> {
        Guarded { under_way: Some((self, settle)), future }
    }
}

impl Drop for Permit<'_> {
    #[cold]
    fn drop(&mut self) {
        let hung = self.suspended_at != Moment::NEVER;
        let slow = hung && self.now().since(self.suspended_at) >= self.breaker.config().slow_after();
        let end = if slow || std::thread::panicking() { End::Failure } else { End::Cancelled };
        finish(self.breaker, self.admitted.take(), self.seen, end);
    }
}

/// Counts the outcome and gives it to the state it was admitted by.
#[cold]
#[inline(never)]
fn finish(breaker: &CircuitBreaker, admitted: Option<Box<Admitted<'_>>>, seen: Word, end: End) {
    let (state, ticket) = match &admitted {
        Some(admitted) => (&*admitted.state, admitted.ticket),
        None => (breaker.process(), Ticket { generation: seen.generation(), probe: None }),
    };
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
    breaker.settle(state, outcome, ticket);
}

/// A future under a permit. Dropped early it drops the permit, which knows since when it hung; a panic inside a poll is a
/// failure at once, because the future itself may be dropped much later.
#[doc(hidden)]
#[must_use = "futures do nothing unless polled"]
pub struct Guarded<'a, F, S> {
    /// Gone once the outcome is reported. Declared first: the permit is settled before the future's own drop runs.
    under_way: Option<(Permit<'a>, S)>,
    future: F,
}

impl<'a, F: Future, S: FnOnce(Permit<'a>, &F::Output)> Future for Guarded<'a, F, S> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        /// Dropped while armed: the poll below unwinds.
        struct OnPanic<'b, 'a, S> {
            under_way: &'b mut Option<(Permit<'a>, S)>,
            armed: bool,
        }
        impl<S> Drop for OnPanic<'_, '_, S> {
            #[inline]
            fn drop(&mut self) {
                if !self.armed {
                    return;
                }
                if let Some((permit, _)) = self.under_way.take() {
                    permit.panicked();
                }
            }
        }

        // SAFETY: `future` is structurally pinned: it is never moved out of `self` and has no `Drop` of ours around it;
        // `under_way` is never pinned. `Guarded` is `Unpin` only if `F` is, since it holds an `F` by value.
        let (under_way, future) = unsafe {
            let this = self.get_unchecked_mut();
            (&mut this.under_way, Pin::new_unchecked(&mut this.future))
        };
        let mut guard = OnPanic { under_way, armed: true };
        let polled = future.poll(cx);
        guard.armed = false;
        match &polled {
            Poll::Pending => {
                if let Some((permit, _)) = guard.under_way {
                    permit.suspended();
                }
            }
            Poll::Ready(output) => {
                if let Some((permit, settle)) = guard.under_way.take() {
                    settle(permit, output);
                }
            }
        }
        polled
    }
}

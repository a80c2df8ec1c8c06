//! A factory that is a future: it lives in the creation, and whichever waiter is polled drives it.
//!
//! So a caller that is dropped loses nothing, a caller's deadline does not start the factory again, and a caller that is alive
//! but never polled holds nobody up. Each wake-up of the future wakes *all* waiters, since any one of them may be gone by then.

use super::run::{Attempt, Run, waits_of};
use super::{Creation, Creator, Plan, drop_apart};
use crate::clock::Moment;
use crate::error::{CreateError, SingletonError};
use crate::process::Awaits;
use crate::scope::{self, Frame, FrameId, WaitEdge};
use crate::sync::Arc as SyncArc;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::telemetry;
use crate::timer::Limit;
use crate::waiters::{Place, Waiters};
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// What an asynchronous factory becomes.
pub type Making<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// The same, with the error's type left to those who ask.
type Erased<V> = Making<V, Box<dyn Any + Send>>;

/// A factory's future, and who is to be woken for it.
pub(super) struct Flight<V> {
    run: Arc<Run>,
    /// Out while somebody polls it.
    future: Option<Erased<V>>,
    /// Who took it out last. After a fork that thread does not exist in the child.
    process: u32,
    wakes: SyncArc<Wakes>,
    /// Of an [`Alarm`]: one for all who drive, so that what the future registers stays registered.
    waker: Waker,
    /// Made by the first who drives it: a subscriber is not told with a lock held.
    span: Option<tracing::Span>,
}

/// What its waiters and its waker share.
struct Wakes {
    /// The future asked to be polled, and has not been since.
    ///
    /// Only ever read and written in one step: of two such steps one sees the other. So whoever takes a place and then looks
    /// here either finds `true`, or is woken by whoever sets it and then wakes all.
    woken: AtomicBool,
    waiters: SyncArc<Waiters>,
}

/// The waker that the future is polled with.
struct Alarm(SyncArc<Wakes>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A share of its own: in a model, what the counting of `std` orders is not seen.
        let wakes = SyncArc::clone(&self.0);
        wakes.woken.swap(true, Ordering::AcqRel);
        wakes.waiters.wake_all();
    }
}

impl<V> Flight<V> {
    pub(super) fn is_parked(&self) -> bool {
        self.future.is_some()
    }

    pub(super) fn is_awaited(&self) -> bool {
        !self.wakes.waiters.is_empty()
    }

    pub(super) fn frame(&self) -> &Frame {
        &self.run.frame
    }

    pub(super) fn end(&self) {
        self.run.frame.end();
    }

    pub(super) fn wake_all(&self) {
        self.wakes.waiters.wake_all();
    }
}

impl<V> Drop for Flight<V> {
    fn drop(&mut self) {
        self.wake_all();
    }
}

/// One caller's place among those who wait.
#[derive(Default)]
pub(crate) struct Waiting {
    place: Option<Place>,
    /// On whose behalf it waits, kept in the graph while it does.
    edge: Option<WaitEdge>,
    /// The run it waits for.
    joined: Option<FrameId>,
    /// When it first asked.
    asked: Option<Moment>,
    /// Of its patience, where the declaration has one.
    limit: Option<Limit>,
    /// What is to be dropped with no lock held.
    gone: (Option<Place>, Option<Waker>),
    /// The last to be dropped.
    awaits: Option<Awaits>,
}

impl Waiting {
    /// Enters the wait for `run` into the graph, once. Gives false when that was done before.
    ///
    /// Only the innermost frame waits: the task may be polled inside frames that have nothing to do with it.
    fn join(&mut self, run: FrameId, plan: &Plan<'_>) -> Result<bool, SingletonError> {
        if self.joined == Some(run) {
            return Ok(false);
        }
        self.edge = None;
        if let Some(asker) = scope::frame() {
            let edge = WaitEdge::enter(&asker, run);
            self.edge = Some(edge.map_err(|path| SingletonError::Cycle { what: plan.what(), path: path.to_string() })?);
        }
        self.joined = Some(run);
        Ok(true)
    }

    /// Is woken with these from now on.
    fn enter(&mut self, waiters: &SyncArc<Waiters>, waker: Waker) {
        if !self.place.as_ref().is_some_and(|place| place.is_among(waiters)) {
            self.gone.0 = self.place.replace(Place::new(waiters));
        }
        self.gone.1 = self.place.as_ref().and_then(|place| place.set(waker));
    }
}

/// What a look at the creation came to.
enum Step<V> {
    /// It is this caller's turn to poll the future; none yet when the factory has not been called.
    Drive { run: Arc<Run>, future: Option<Erased<V>>, wakes: SyncArc<Wakes>, waker: Waker, span: Option<tracing::Span> },
    /// Somebody else does, or nothing has happened.
    Wait,
}

impl<V: Send + 'static> Creation<V> {
    /// As [`once`](Creation::once), for a factory that is a future: one step of one waiter.
    ///
    /// `launch` calls the factory; it and its future are the user's code and run under no lock.
    #[allow(clippy::too_many_arguments, reason = "the creator's means, as in `once`, and the waiter's")]
    pub(crate) fn poll_once<R, E: Send + 'static>(
        &self,
        waiting: &mut Waiting,
        cx: &mut Context<'_>,
        plan: &Plan<'_>,
        existing: impl Fn() -> Option<R>,
        launch: impl FnOnce() -> Making<V, E>,
        store: impl FnOnce(V) -> R,
        describe: impl FnOnce(&E) -> String,
    ) -> Poll<Result<R, CreateError<E>>> {
        let looked = self.look(waiting, cx, plan, &existing);
        waiting.gone = (None, None);
        if waiting.awaits.as_ref().map(|awaits| awaits.factory) != waiting.joined {
            waiting.awaits = waiting.joined.map(|factory| Awaits::new(&plan.phase, factory));
        }
        let step = match looked {
            Ok(Ok(found)) => return done(waiting, Ok(found)),
            Ok(Err(step)) => step,
            Err(refused) => return done(waiting, Err(CreateError::Refused(refused))),
        };
        if let Step::Drive { run, future, wakes, waker, span } = step {
            // From here on a panic, also a subscriber's, gives the right to create back.
            let attempt = Attempt::new(self, plan, &run);
            let span = span.unwrap_or_else(|| {
                telemetry::creation_span(plan.creates, &plan.subject.name, plan.type_name, plan.subject.place)
            });
            let polled = catch_unwind(AssertUnwindSafe(|| {
                let _running = plan.install(&run.frame);
                let _span = span.enter();
                let mut future = future.unwrap_or_else(|| erased(launch()));
                match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Pending => (None, Some(future)),
                    Poll::Ready(made) => {
                        // The user's future goes while it still counts as running.
                        drop(future);
                        (Some(made.map_err(|error| with_text(error, describe))), None)
                    }
                }
            }));
            let (polled, future) = match polled {
                Ok(polled) => polled,
                Err(panic) => attempt.panicked(panic),
            };
            match (polled, future) {
                (Some(Ok(value)), _) => {
                    return done(waiting, self.settle(attempt, plan, &run, Ok(value), existing, store));
                }
                (Some(Err(Some(error))), _) => {
                    return done(waiting, self.settle(attempt, plan, &run, Err(error), existing, store));
                }
                // All who ask for one singleton ask with one type of error.
                (Some(Err(None)), _) => {
                    attempt.returned();
                    self.fail(plan, &run, "unknown", "an error of another type".to_owned());
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                (None, future) => {
                    attempt.returned();
                    // A shutdown that it waits for may be driven by it.
                    let too_late = || plan.phase.is_over() && !plan.phase.is_awaited_by(run.frame.id);
                    let pointless = || existing().is_some() || too_late() || plan.over().is_some();
                    self.park(&run, future, span, pointless);
                }
            }
            if wakes.woken.fetch_or(false, Ordering::AcqRel) {
                // While it was out: those who looked meanwhile found nothing to poll. This caller is among them.
                wakes.waiters.wake_all();
            }
        }
        rest(waiting, cx, plan)
    }

    /// Looks at the state of things, under the lock.
    fn look<R>(
        &self,
        waiting: &mut Waiting,
        cx: &Context<'_>,
        plan: &Plan<'_>,
        existing: &impl Fn() -> Option<R>,
    ) -> Result<Result<R, Step<V>>, SingletonError> {
        // Clocks and wakers are somebody else's code: asked before the lock is taken.
        let (now, waker) = (plan.clock.now(), cx.waker().clone());
        let asked = *waiting.asked.get_or_insert(now);
        let mut state = self.state.lock();
        if let Some(found) = existing() {
            return Ok(Ok(found));
        }
        let step = match &mut state.creator {
            Creator::Nobody => {
                let record = state.record.as_deref();
                plan.admits(record, now)?;
                // That those who ask wait for it is entered by `join`, for as long as they do.
                let askers = scope::frame().into_iter().collect();
                let run = Arc::new(Run::begin(plan, record, askers, &[], (asked, now)));
                waiting.join(run.frame.id, plan)?;
                let wakes = SyncArc::new(Wakes { woken: AtomicBool::new(false), waiters: Waiters::new() });
                waiting.enter(&wakes.waiters, waker);
                let waker = Waker::from(Arc::new(Alarm(SyncArc::clone(&wakes))));
                state.creator = Creator::Flight(Box::new(Flight {
                    run: Arc::clone(&run),
                    future: None,
                    process: std::process::id(),
                    wakes: SyncArc::clone(&wakes),
                    waker: waker.clone(),
                    span: None,
                }));
                Step::Drive { run, future: None, wakes, waker, span: None }
            }
            Creator::Flight(flight) => {
                let process = std::process::id();
                if !flight.is_parked() && flight.process != process {
                    return Err(SingletonError::Forked { what: plan.what(), name: plan.name() });
                }
                // What it gives is not stored; only who has been driving it does so until it is given up.
                if plan.phase.is_over() && waiting.joined != Some(flight.run.frame.id) {
                    return Err(plan.shutting_down());
                }
                let first = waiting.join(flight.run.frame.id, plan)?;
                if first {
                    flight.run.frame.joined_at(asked);
                }
                // Before the look at `woken`: whoever sets it after that look wakes this caller.
                waiting.enter(&flight.wakes.waiters, waker);
                // Somebody new polls it once in any case: its last waker may have died with a runtime.
                let turn = flight.is_parked() && (flight.wakes.woken.swap(false, Ordering::AcqRel) || first);
                match turn.then(|| flight.future.take()).flatten() {
                    Some(future) => {
                        flight.process = process;
                        Step::Drive {
                            run: Arc::clone(&flight.run),
                            future: Some(future),
                            wakes: SyncArc::clone(&flight.wakes),
                            waker: flight.waker.clone(),
                            span: flight.span.clone(),
                        }
                    }
                    None => Step::Wait,
                }
            }
            Creator::Running(running) => {
                if running.process != std::process::id() {
                    return Err(SingletonError::Forked { what: plan.what(), name: plan.name() });
                }
                if plan.phase.is_over() {
                    return Err(plan.shutting_down());
                }
                waiting.join(running.frame, plan)?;
                waiting.enter(state.tasks.get_or_insert_with(Waiters::new), waker);
                Step::Wait
            }
        };
        Ok(Err(step))
    }

    /// Puts a future that is not ready back, unless it has become pointless.
    fn park(&self, run: &Run, future: Option<Erased<V>>, span: tracing::Span, pointless: impl Fn() -> bool) {
        let mut state = self.state.lock();
        let left = match &mut state.creator {
            Creator::Flight(flight) if flight.run.frame.id == run.frame.id => {
                flight.future = future;
                flight.span = Some(span);
                if pointless() { (state.take_parked(), None) } else { (None, None) }
            }
            _ => (None, future),
        };
        drop(state);
        // The user's future is dropped with no lock held.
        drop_apart(left);
    }
}

/// Nothing to do for this caller; it may have waited too long by now.
fn rest<R, E>(waiting: &mut Waiting, cx: &mut Context<'_>, plan: &Plan<'_>) -> Poll<Result<R, CreateError<E>>> {
    let Some(limit) = plan.limits.init_timeout else {
        return Poll::Pending;
    };
    let asker = scope::frame();
    let limit = waiting.limit.get_or_insert_with(|| {
        let since = asker.as_ref().zip(waiting.joined).and_then(|(asker, run)| asker.has_waited_for(run));
        Limit::since_then(plan.clock, since, limit)
    });
    if !limit.is_over(plan.clock, cx.waker()) {
        return Poll::Pending;
    }
    if let Some((asker, run)) = asker.zip(waiting.joined) {
        asker.waited_for(run, limit.since());
    }
    let waited = limit.waited(plan.clock);
    let waiting_for = waiting.joined.map(waits_of).unwrap_or_default();
    let error = SingletonError::InitTimeout { what: plan.what(), name: plan.name(), waited, waiting_for };
    done(waiting, Err(CreateError::Refused(error)))
}

/// The wait is over: the caller leaves the graph and the list of waiters.
fn done<T>(waiting: &mut Waiting, outcome: T) -> Poll<T> {
    *waiting = Waiting::default();
    Poll::Ready(outcome)
}

fn erased<V: 'static, E: Send + 'static>(making: Making<V, E>) -> Erased<V> {
    Box::pin(async move { making.await.map_err(|error| Box::new(error) as Box<dyn Any + Send>) })
}

/// The error as what it is, with its text.
fn with_text<E: 'static>(error: Box<dyn Any + Send>, describe: impl FnOnce(&E) -> String) -> Option<(E, String)> {
    let error = *error.downcast::<E>().ok()?;
    let text = describe(&error);
    Some((error, text))
}

//! The future of an accessor whose factory is a future.

use super::cell::{Cell, Found};
use super::creation::{Making, Waiting};
use super::output::SingletonValue;
use super::slot::Slot;
use super::storage::{Storage, Storing};
use crate::error::CreateError;
use crate::registry::register;
use crate::scope::StateRef;
use std::convert::Infallible;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{self, Poll};

/// The future of an accessor: it takes no more room than its reference and a pointer, whatever the factory needs.
#[doc(hidden)]
#[must_use = "futures do nothing unless polled"]
pub struct Creating<T: 'static, S: Storage<T>, L, D> {
    cell: &'static Cell<T, S>,
    launch: L,
    describe: D,
    place: Taken<T, S>,
}

/// A caller that waits has a place.
pub(super) type Wait<T, S> = Option<Box<Place<T, S>>>;

/// There from the first poll on that has to wait.
struct Taken<T: 'static, S: Storage<T>>(ManuallyDrop<Wait<T, S>>);

impl<T: 'static, S: Storage<T>> Taken<T, S> {
    #[cold]
    #[inline(never)]
    fn leave(&mut self) {
        drop(self.0.take());
    }
}

/// By hand, so that an accessor's code holds no more of it than the question.
impl<T: 'static, S: Storage<T>> Drop for Taken<T, S> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.leave();
        }
    }
}

pub(super) struct Place<T: 'static, S: Storage<T>> {
    slot: StateRef<'static, Slot<T, S>>,
    waiting: Waiting,
    /// The instance is being made anew: until that is done this one is good enough.
    stale: Option<S::Owned>,
    /// It is to be made anew, whatever is there.
    reloading: bool,
    /// Values put in place by hand when this began.
    seen: u64,
}

impl<T: 'static, S: Storage<T>> Drop for Place<T, S> {
    fn drop(&mut self) {
        if let Some(due) = self.stale.as_ref().and_then(|_| self.slot.stored.due()) {
            // This caller goes before the new instance is there: the next one takes over.
            due.store(0, Ordering::Relaxed);
        }
    }
}

impl<T: 'static, S: Storage<T>, L, D> Unpin for Creating<T, S, L, D> {}

impl<T, S, L, D, E> Future for Creating<T, S, L, D>
where
    T: SingletonValue,
    S: Storing<T>,
    E: Send + 'static,
    L: Fn() -> Making<T, E>,
    D: Fn(&E) -> String,
{
    type Output = Result<S::Handed, CreateError<E>>;

    /// Without a look at the hot path: accessors look before they make this.
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.cell.poll_create(&mut this.place.0, &this.launch, &this.describe, cx)
    }
}

impl<T: SingletonValue, S: Storing<T>, L, D> Creating<T, S, L, D> {
    /// The instance of `cell`, created by the future that `launch` makes if there is none.
    #[inline(always)]
    pub(crate) fn new(cell: &'static Cell<T, S>, launch: L, describe: D) -> Self {
        Self { cell, launch, describe, place: Taken(ManuallyDrop::new(None)) }
    }

    /// As [`poll`](Future::poll), where the factory cannot fail.
    ///
    /// # Panics
    /// On a refusal.
    #[inline(always)]
    #[track_caller]
    pub(super) fn poll_or_panic(&mut self, cx: &mut task::Context<'_>) -> Poll<S::Handed>
    where
        L: Fn() -> Making<T, Infallible>,
    {
        self.cell.poll_or_panic(&mut self.place.0, &self.launch, cx)
    }
}

impl<T: SingletonValue, S: Storing<T>> Cell<T, S> {
    /// [`Creating`] off the hot path: one for all declarations of one type.
    #[cold]
    #[inline(never)]
    pub(super) fn poll_create<E: Send + 'static>(
        &'static self,
        waiting: &mut Wait<T, S>,
        launch: &dyn Fn() -> Making<T, E>,
        describe: &dyn Fn(&E) -> String,
        cx: &mut task::Context<'_>,
    ) -> Poll<Result<S::Handed, CreateError<E>>> {
        if waiting.is_none() {
            let (slot, found) = match self.enter() {
                Ok(entered) => entered,
                Err(refused) => return Poll::Ready(Err(CreateError::Refused(refused))),
            };
            let reloading = self.is_renewing();
            let stale = match found {
                None => None,
                Some(_) if reloading => None,
                Some(Found::Instance(stale)) if self.is_due(&slot) => Some(stale),
                Some(found) => {
                    slot.hit();
                    return Poll::Ready(Ok(S::hand(found.into_inner())));
                }
            };
            register(self.component());
            let seen = slot.replaced.load(Ordering::Relaxed);
            *waiting = Some(Box::new(Place { slot, waiting: Waiting::default(), stale, reloading, seen }));
        }
        let Some(place) = waiting else { return Poll::Pending };
        let Place { slot, waiting: inner, stale, reloading, seen } = &mut **place;
        let mut old = None;
        let renewing = *reloading || stale.is_some();
        let polled = slot.creation.poll_once(
            inner,
            cx,
            &self.plan(slot),
            // While it is made anew, the instance that is there is no answer.
            || if renewing { slot.replaced_since(*seen) } else { slot.stored.owned() },
            launch,
            |value| {
                let instance = S::own(value);
                old = slot.put(Some(instance.clone()));
                instance
            },
            describe,
        );
        let Poll::Ready(outcome) = polled else { return Poll::Pending };
        if let Ok(new) = &outcome {
            self.retire(slot, old, Some(new), "reload");
        }
        let outcome = match (outcome, stale.take()) {
            (Err(_), Some(stale)) => Ok(stale),
            (outcome, _) => outcome,
        };
        if outcome.is_ok() && !*reloading {
            slot.hit();
        }
        *waiting = None;
        Poll::Ready(outcome.map(S::hand))
    }
}

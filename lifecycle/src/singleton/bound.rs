//! A singleton that lives for an invocation: where it is found, and how it goes.

use super::cell::Cell;
use super::creation::GiveUp;
use super::hooks::HookResult;
use super::output::SingletonValue;
use super::running::Running;
use super::slot::Slot;
use super::storage::{Storage, Storing};
use super::try_drop;
use crate::error::SingletonError;
use crate::scope::{self, Asker, InvocationState, Leaving, Resident, StateRef};
use crate::telemetry;
use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{self, Poll};

/// What the slot of an invocation knows beside its instance.
pub(super) struct Bound<T: 'static, S: Storage<T>> {
    cell: &'static Cell<T, S>,
    invocation: Arc<InvocationState>,
    /// The world's slot: what is counted is counted there.
    home: StateRef<'static, Slot<T, S>>,
}

impl<T: 'static, S: Storage<T>> Bound<T, S> {
    pub(super) fn home(&self) -> &Slot<T, S> {
        &self.home
    }

    pub(super) const fn invocation(&self) -> &Arc<InvocationState> {
        &self.invocation
    }

    /// An instance comes, one goes, or both.
    pub(super) fn count(&self, comes: bool, goes: bool) {
        match (comes, goes) {
            (true, false) => _ = self.home.alive.fetch_add(1, Ordering::Relaxed),
            (false, true) => _ = self.home.alive.fetch_sub(1, Ordering::Relaxed),
            _ => {}
        }
    }
}

impl<T: SingletonValue, S: Storing<T>> Cell<T, S> {
    /// The slot that the invocation has, if it has one.
    pub(super) fn bound(&'static self) -> Option<Arc<Slot<T, S>>> {
        scope::invocation()?.find(self.slot.key())
    }

    /// The slot of the invocation this code runs in.
    ///
    /// # Errors
    /// There is no invocation, it is over, or what asks would outlive it.
    pub(super) fn bind(&'static self) -> Result<StateRef<'static, Slot<T, S>>, SingletonError> {
        let name = || self.descriptor.name().to_owned();
        let invocation = match scope::asker() {
            Asker::Invocation(invocation) => invocation,
            Asker::Nobody => return Err(SingletonError::NoInvocation { name: name() }),
            Asker::Process(frame) => {
                let needs = self.descriptor.subject().to_string();
                return Err(SingletonError::OutlivesInvocation { name: frame.subject.to_string(), needs });
            }
        };
        let home = self.home();
        let slot = invocation.find_or_make(self.slot.key(), || {
            Arc::new(Slot::bound(Bound { cell: self, invocation: invocation.clone(), home }, self.settings()))
        });
        slot.map(StateRef::Own)
            .ok_or_else(|| SingletonError::InvocationEnded { name: name(), id: invocation.id().to_owned() })
    }
}

impl<T: SingletonValue, S: Storing<T>> Resident for Slot<T, S> {
    fn order(&self) -> Option<u64> {
        self.creation.order()
    }

    fn leave(self: Arc<Self>) -> Option<Leaving> {
        // The invocation has ended: what a factory still gives is not stored.
        self.creation.abandon(GiveUp::ALL);
        let (instance, record) = self.creation.exclusively(|record| (self.put(None), std::mem::take(record)), false);
        if let Some(bound) = &self.bound {
            bound.home.creation.exclusively(|of_all| of_all.absorb(record), false);
        }
        let instance = instance?;
        let name = self.bound.as_ref().map_or("", |bound| bound.cell.descriptor.name());
        match self.settings.leave {
            Some(hook) => Some(Box::pin(Farewell {
                name,
                running: Some(Running::new(hook, instance.clone())),
                instance: Some(instance),
            })),
            None => {
                drop_told(name, instance);
                None
            }
        }
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// An instance that goes once its hook is done.
struct Farewell<O> {
    name: &'static str,
    running: Option<Running>,
    instance: Option<O>,
}

impl<O> Farewell<O> {
    fn end(&mut self, outcome: HookResult) {
        // It owns the instance, too.
        self.running = None;
        if let Err(text) = outcome {
            telemetry::singleton_hook_failed(self.name, "shutdown", &text);
        }
        if let Some(instance) = self.instance.take() {
            drop_told(self.name, instance);
        }
    }
}

impl<O> Unpin for Farewell<O> {}

impl<O> Future for Farewell<O> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<()> {
        let Some(running) = &mut self.running else { return Poll::Ready(()) };
        let Poll::Ready(outcome) = Pin::new(running).poll(cx) else { return Poll::Pending };
        self.end(outcome.unwrap_or_else(|panic| Err(format!("it panicked: {panic}"))));
        Poll::Ready(())
    }
}

impl<O> Drop for Farewell<O> {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.end(Err("its invocation was dropped before it was done".to_owned()));
        }
    }
}

/// Drops an instance; a panic of its destructor is told.
fn drop_told<O>(name: &str, instance: O) {
    if let Err(text) = try_drop(instance) {
        telemetry::singleton_hook_failed(name, "drop", &format!("it panicked: {text}"));
    }
}

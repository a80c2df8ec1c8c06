//! Who waits for the shutdown: it does not wait for them, as that would be waiting for itself.

use super::Phase;
use crate::scope::{self, Frame, FrameId, InvocationState, StateRef, Tag};
use std::cell::Cell;
use std::sync::Arc;

/// What is known of that.
#[derive(Debug)]
pub(super) struct Waits {
    /// Invocations from inside which it was called. One may be there more than once.
    invocations: Vec<Arc<InvocationState>>,
    /// Factories on whose behalf it was called, likewise.
    factories: Vec<FrameId>,
    /// Invocations, each with a factory that it waits for.
    behind: Vec<(FrameId, Arc<InvocationState>)>,
}

impl Waits {
    pub(super) const fn none() -> Self {
        Self { invocations: Vec::new(), factories: Vec::new(), behind: Vec::new() }
    }
}

impl Phase {
    /// Does that factory wait for the shutdown, be it by way of others?
    pub(crate) fn is_awaited_by(&self, factory: FrameId) -> bool {
        let callers = self.waits.lock().factories.clone();
        Frame::waits_for_any(factory, &callers)
    }

    /// The invocations that wait for it, each once: they are counted.
    pub(super) fn joined(&self) -> Vec<Arc<Tag>> {
        let tag = |invocation: &Arc<InvocationState>| Arc::clone(invocation.tag());
        let (mut tags, behind) = {
            let waits = self.waits.lock();
            let tags: Vec<_> = waits.invocations.iter().map(tag).collect();
            (tags, waits.behind.iter().map(|(factory, one)| (*factory, tag(one))).collect::<Vec<_>>())
        };
        tags.extend(behind.into_iter().filter(|(factory, _)| self.is_awaited_by(*factory)).map(|(_, tag)| tag));
        tags.sort_by_key(Arc::as_ptr);
        tags.dedup_by(|one, other| Arc::ptr_eq(one, other));
        tags
    }
}

/// Takes one entry out. Never the last share of an invocation: who asks has one.
fn take_out<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool) {
    if let Some(at) = all.iter().position(is_it) {
        all.swap_remove(at);
    }
}

/// A call of `shutdown`: while it lives, the invocations and factories it was made on behalf of wait for the shutdown.
#[derive(Debug)]
pub(super) struct Joined {
    phase: StateRef<'static, Phase>,
    invocations: Vec<Arc<InvocationState>>,
    factories: Vec<FrameId>,
}

impl Joined {
    /// Of those this code is a part of.
    pub(super) fn here(phase: &StateRef<'static, Phase>) -> Self {
        let factories: Vec<FrameId> = scope::frames().iter().map(|frame| frame.id).collect();
        let this = Self { phase: phase.clone(), invocations: scope::invocations(), factories };
        let mut waits = phase.waits.lock();
        waits.invocations.extend(this.invocations.iter().cloned());
        waits.factories.extend(&this.factories);
        drop(waits);
        // Somebody may be waiting for them.
        phase.tell();
        this
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        let mut waits = self.phase.waits.lock();
        for invocation in &self.invocations {
            take_out(&mut waits.invocations, |one| Arc::ptr_eq(one, invocation));
        }
        for factory in &self.factories {
            take_out(&mut waits.factories, |one| one == factory);
        }
    }
}

thread_local! {
    /// The phase, by its address, whose shutdown hook runs here. No destructor: legal in other destructors.
    static HOOK_OF: Cell<usize> = const { Cell::new(0) };
}

/// A shutdown hook runs on this thread, for as long as this lives.
#[derive(Debug)]
pub(super) struct InHook {
    around: usize,
}

impl InHook {
    pub(super) fn enter(phase: usize) -> Self {
        Self { around: HOOK_OF.replace(phase) }
    }
}

impl Drop for InHook {
    fn drop(&mut self) {
        HOOK_OF.set(self.around);
    }
}

impl Phase {
    pub(super) fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Is this code a hook of its shutdown, which waits for that?
    pub(super) fn runs_this_hook(&self) -> bool {
        HOOK_OF.get() == self.key()
    }
}

/// A wait for a factory: who waits for one that waits for the shutdown waits for it, too. The graph knows that of factories, this
/// of invocations.
#[derive(Debug)]
pub(crate) struct Awaits {
    phase: StateRef<'static, Phase>,
    pub(crate) factory: FrameId,
    invocations: Vec<Arc<InvocationState>>,
}

impl Awaits {
    /// That of this code, whose edge in the graph has been made. Called and dropped with no lock held: it wakes the shutdown.
    pub(crate) fn new(phase: &StateRef<'static, Phase>, factory: FrameId) -> Self {
        let this = Self { phase: phase.clone(), factory, invocations: scope::invocations() };
        if !this.invocations.is_empty() {
            phase.waits.lock().behind.extend(this.invocations.iter().map(|one| (factory, Arc::clone(one))));
        }
        phase.tell();
        this
    }
}

impl Drop for Awaits {
    fn drop(&mut self) {
        if !self.invocations.is_empty() {
            let mut waits = self.phase.waits.lock();
            for invocation in &self.invocations {
                let is_it = |(factory, one): &(_, Arc<_>)| *factory == self.factory && Arc::ptr_eq(one, invocation);
                take_out(&mut waits.behind, is_it);
            }
        }
        // A future that nobody waits for is nothing to wait for.
        self.phase.tell();
    }
}

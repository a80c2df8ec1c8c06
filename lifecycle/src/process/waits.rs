//! Who waits for the shutdown: it does not wait for them, as that would be waiting for itself.

use super::Phase;
use crate::scope::{self, Entry, Frame, FrameId, InvocationState, StateRef, Tag};
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
    pub(super) fn new(phase: &StateRef<'static, Phase>) -> Self {
        Self { phase: phase.clone(), invocations: Vec::new(), factories: Vec::new() }
    }

    /// The innermost factory of this code, and the invocations inside it, from now on: a future may come from elsewhere. Who is
    /// around that factory waits for it, and is known to for as long as he does.
    pub(super) fn here(&mut self) {
        let factory = scope::frame().map(|frame| frame.id);
        self.and(factory.into_iter().collect(), scope::inner_invocations());
    }

    /// All that this thread is at: it blocks.
    pub(super) fn blocking(phase: &StateRef<'static, Phase>) -> Self {
        let mut this = Self::new(phase);
        this.and(scope::frames().iter().map(|frame| frame.id).collect(), scope::invocations());
        this
    }

    fn and(&mut self, mut factories: Vec<FrameId>, mut invocations: Vec<Arc<InvocationState>>) {
        factories.retain(|factory| !self.factories.contains(factory));
        invocations.retain(|one| !self.invocations.iter().any(|known| Arc::ptr_eq(known, one)));
        if factories.is_empty() && invocations.is_empty() {
            return;
        }
        let mut waits = self.phase.waits.lock();
        waits.invocations.extend(invocations.iter().cloned());
        waits.factories.extend(&factories);
        drop(waits);
        self.invocations.append(&mut invocations);
        self.factories.append(&mut factories);
        // Somebody may be waiting for them.
        self.phase.tell();
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

impl Phase {
    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// What is installed where hooks of its shutdown run.
    pub(super) fn hook(&self) -> Entry {
        Entry::Hook(self.key())
    }

    /// Is this code part of a hook of its shutdown, which waits for that?
    pub(super) fn runs_this_hook(&self) -> bool {
        scope::in_hook(self.key())
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
    /// That of a future's innermost factory, whose edge in the graph has been made, and of the invocations inside it: who is around
    /// that one waits for it, and may cease to. Called and dropped with no lock held: it wakes the shutdown.
    pub(crate) fn new(phase: &StateRef<'static, Phase>, factory: FrameId) -> Self {
        Self::of(phase, factory, scope::inner_invocations())
    }

    /// That of all that this thread is at, likewise: it blocks, or runs the factory.
    pub(crate) fn blocking(phase: &StateRef<'static, Phase>, factory: FrameId) -> Self {
        Self::of(phase, factory, scope::invocations())
    }

    fn of(phase: &StateRef<'static, Phase>, factory: FrameId, invocations: Vec<Arc<InvocationState>>) -> Self {
        let this = Self { phase: phase.clone(), factory, invocations };
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

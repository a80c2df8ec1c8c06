//! Whose state is meant: the process's, or that of the world (universe), override or factory run this code runs in.
//!
//! Everything here is asked only when something is installed: hot paths that count learn that of their own thread from its
//! counter block (`counter::at_home`), the others learn from [`SLOW`] that nobody anywhere installed anything.

mod book;
mod context;
mod current;
mod frame;
mod invocation;
mod overrides;
mod universe;

pub(crate) use book::{Book, Tag};
pub use context::{Context, ContextGuard, InContext, with_correlation_id, with_correlation_id_async};
pub(crate) use current::{
    Asker, Entry, Installed, asker, correlation_id, frame, frames, install, invocation, invocations, look_again,
    overrides, renewing, universe,
};
#[cfg(not(loom))]
pub(crate) use current::{in_hook, inner_invocations};
#[cfg(loom)]
pub(crate) use frame::waits;
pub(crate) use frame::{Frame, FrameId, Subject, WaitEdge, Waited};
pub(crate) use invocation::{InvocationState, Leaving, Limit, Resident};
pub use overrides::OverrideGuard;
pub(crate) use overrides::OverrideList;
pub(crate) use universe::Universe;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many universes, overrides and running factories are installed anywhere in the process.
///
/// One relaxed load is sound: the thread that installs sees its own increment, and whatever a context is sent through to
/// another thread carries happens-before. Code without a context need not see the increment: for it nothing changed.
static SLOW: AtomicUsize = AtomicUsize::new(0);

/// True when the process-wide state is meant without looking further.
#[inline(always)]
pub(crate) fn quiet() -> bool {
    SLOW.load(Ordering::Relaxed) == 0
}

/// Keeps [`SLOW`] raised while it lives.
#[derive(Debug)]
pub(crate) struct Raised(());

impl Raised {
    pub(crate) fn new() -> Self {
        SLOW.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        SLOW.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The state of a component: one for the process and, for declared components, one more in each universe that uses it.
#[derive(Debug)]
pub(crate) struct Scoped<S> {
    process: S,
    /// Components built at run time own their state: a universe does not give them another.
    declared: bool,
}

impl<S> Scoped<S> {
    /// The state of a component that lives in a static.
    pub(crate) const fn declared(process: S) -> Self {
        Self { process, declared: true }
    }

    /// The state of a component built at run time.
    pub(crate) const fn owned(process: S) -> Self {
        Self { process, declared: false }
    }

    /// The process-wide state; right without further questions when [`quiet`].
    #[inline(always)]
    pub(crate) const fn process(&self) -> &S {
        &self.process
    }

    pub(crate) const fn is_declared(&self) -> bool {
        self.declared
    }

    /// What identifies the component to universes and overrides.
    pub(crate) fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl<S: Send + Sync + 'static> Scoped<S> {
    /// The state that is meant where this is called; `fresh` makes a universe's own on its first use there.
    #[inline]
    pub(crate) fn resolve(&self, fresh: impl FnOnce(&Universe) -> S) -> StateRef<'_, S> {
        if quiet() { StateRef::Process(&self.process) } else { self.resolve_slow(fresh) }
    }

    #[cold]
    #[inline(never)]
    fn resolve_slow(&self, fresh: impl FnOnce(&Universe) -> S) -> StateRef<'_, S> {
        match universe() {
            Some(universe) if self.declared => StateRef::Own(universe.state(self.key(), fresh)),
            _ => StateRef::Process(&self.process),
        }
    }
}

/// A state, borrowed from its component or shared with the universe it lives in. A result reported through it settles in
/// that state even after the universe has ended.
#[derive(Debug)]
pub(crate) enum StateRef<'a, S> {
    Process(&'a S),
    Own(Arc<S>),
}

impl<S> Clone for StateRef<'_, S> {
    fn clone(&self) -> Self {
        match self {
            Self::Process(state) => Self::Process(state),
            Self::Own(state) => Self::Own(state.clone()),
        }
    }
}

impl<S> std::ops::Deref for StateRef<'_, S> {
    type Target = S;

    #[inline]
    fn deref(&self) -> &S {
        match self {
            Self::Process(state) => state,
            Self::Own(state) => state,
        }
    }
}

//! Where the process, or a test world, is in its life: up, shutting down, or down.

use crate::scope::{Scoped, StateRef};
use event_listener::Event;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const UP: u8 = 0;
/// Nothing new is created; factories under way may end.
const DRAINING: u8 = 1;
/// Hooks run or have run: what factories still give is not stored.
const DOWN: u8 = 2;

#[derive(Debug)]
pub(crate) struct Phase {
    state: AtomicU8,
    /// Factories under way.
    busy: AtomicUsize,
    /// Notified when one of them ends.
    ended: Event,
}

static PHASE: Scoped<Phase> = Scoped::declared(Phase::new());

impl Phase {
    const fn new() -> Self {
        Self { state: AtomicU8::new(UP), busy: AtomicUsize::new(0), ended: Event::new() }
    }

    /// That of the world this code runs in.
    pub(crate) fn in_force() -> StateRef<'static, Self> {
        PHASE.resolve(|_| Self::new())
    }

    /// Is creation refused?
    pub(crate) fn refuses(&self) -> bool {
        self.state.load(Ordering::SeqCst) != UP
    }

    /// Is it too late to store what a factory gave?
    pub(crate) fn is_over(&self) -> bool {
        self.state.load(Ordering::SeqCst) == DOWN
    }

    /// Begins the shutdown; false when somebody else has.
    pub(crate) fn drain(&self) -> bool {
        self.state.compare_exchange(UP, DRAINING, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// The time of the hooks has come.
    pub(crate) fn go_down(&self) {
        self.state.store(DOWN, Ordering::SeqCst);
    }

    /// Factories under way.
    pub(crate) fn busy(&self) -> usize {
        self.busy.load(Ordering::SeqCst)
    }

    /// Notified when a factory ends.
    pub(crate) fn ended(&self) -> &Event {
        &self.ended
    }
}

/// A factory under way.
#[derive(Debug)]
pub(crate) struct Busy(StateRef<'static, Phase>);

impl Busy {
    pub(crate) fn new(phase: StateRef<'static, Phase>) -> Self {
        phase.busy.fetch_add(1, Ordering::SeqCst);
        Self(phase)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        self.0.ended.notify(usize::MAX);
    }
}

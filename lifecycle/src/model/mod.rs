//! What `tests/loom_frames.rs` and `tests/loom_counters.rs` drive; the models of cells are beside their cells.

use crate::counter::{self, Counters};
use crate::scope::{self, Frame, FrameId, Subject, WaitEdge, Waited};
use std::sync::Arc;

/// A thread of a model, with the end that threads of the process have: it folds its counts before it can be joined.
pub fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> loom::thread::JoinHandle<T> {
    loom::thread::spawn(|| {
        let result = f();
        end_thread();
        result
    })
}

/// What the destructor of a thread's locals does: whatever is counted here later is counted by a dead thread.
pub fn end_thread() {
    counter::fold_this_thread();
}

/// One count of one component.
pub struct Count(Counters<1>);

impl Count {
    #[expect(clippy::new_without_default, reason = "no other way in a model")]
    pub fn new() -> Self {
        Self(Counters::new())
    }

    /// Gives true when this was the component's first count.
    pub fn hit(&self) -> bool {
        self.0.hit::<0>()
    }

    /// [`hit`](Self::hit) while something is installed on this thread.
    pub fn hit_elsewhere(&self) -> bool {
        counter::installed(true);
        let first = self.hit();
        counter::installed(false);
        first
    }

    pub fn read(&self) -> u64 {
        self.0.read(0)
    }

    pub fn reset(&self) {
        self.0.reset();
    }
}

/// One run of a factory.
#[derive(Clone)]
pub struct Run(Arc<Frame>);

/// Keeps a wait in the graph.
pub struct Wait(#[expect(dead_code, reason = "for its drop")] WaitEdge);

impl Run {
    /// Begins a run that `askers` wait for.
    pub fn begin(name: &'static str, askers: &[&Self]) -> Self {
        let askers: Vec<_> = askers.iter().map(|asker| asker.0.clone()).collect();
        let subject = Subject { name: name.into(), place: ("", 0), key: name.as_ptr().addr() };
        Self(Frame::begin(subject, true, &askers, Waited::default()))
    }

    /// Waits for `other`, or gives the circle that this would close.
    ///
    /// # Errors
    /// The circle in words.
    pub fn wait_for(&self, other: &Self) -> Result<Wait, String> {
        WaitEdge::enter(&self.0, other.0.id).map(Wait).map_err(|path| path.to_string())
    }

    pub fn end(&self) {
        self.0.end();
    }

    /// Is it in the graph, and for how many does it wait?
    pub fn waits(&self) -> Option<usize> {
        scope::waits().get(&self.0.id).map(Vec::len)
    }
}

/// Frames in the graph, and waits.
pub fn graph() -> (usize, usize) {
    let waits = scope::waits();
    (waits.len(), waits.values().map(Vec::len).sum())
}

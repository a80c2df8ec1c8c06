//! What tests see of a ring, and how they stop threads inside of it. Nothing, outside of tests.

/// A place where a thread may be stopped at any moment.
#[cfg(not(test))]
#[inline(always)]
pub(super) fn stall() {}

#[cfg(test)]
pub(super) fn stall() {
    STALL.with(|stall| {
        if let Some(stall) = stall.get() {
            stall();
        }
    });
}

#[cfg(test)]
std::thread_local! {
    /// What this thread does wherever it may be stopped.
    pub(super) static STALL: std::cell::Cell<Option<fn()>> = const { std::cell::Cell::new(None) };
}

/// A slot that was written.
#[cfg(any(test, loom))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(loom), allow(unreachable_pub, reason = "for models"))]
pub struct Written {
    /// Which permit.
    pub position: u64,
    /// What the slot held.
    pub old: u64,
    /// When it counts as given.
    pub time: u64,
}

/// Every write of a slot.
#[cfg(any(test, loom))]
#[derive(Debug)]
pub(super) struct Log(std::sync::Mutex<Vec<Written>>);

#[cfg(any(test, loom))]
impl Log {
    pub(super) const fn new() -> Self {
        Self(std::sync::Mutex::new(Vec::new()))
    }

    pub(super) fn note(&self, position: u64, old: u64, time: u64) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(Written { position, old, time });
    }

    /// In the order of positions.
    pub(super) fn all(&self) -> Vec<Written> {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        all.sort_unstable();
        all
    }
}

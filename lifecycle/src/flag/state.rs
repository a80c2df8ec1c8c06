//! The mutable part of a flag: a word for readers, and behind a mutex what the word says and where it comes from.

use super::FlagSource;
use super::value::UNRESOLVED;
use crate::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A flag's value in one world.
#[derive(Debug)]
pub(super) struct FlagState {
    /// What readers look at: `held`'s word while it is [published](super::published), else [`UNRESOLVED`]. Written only with
    /// `held` locked, so both have one order of changes.
    word: AtomicU64,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    /// `None` until the first read, and after a reset.
    value: Option<Sourced>,
    published: bool,
    /// It stands on the list of flags that worlds hide.
    listed: bool,
    /// The unusable environment variable was reported; a reset does not report it again.
    warned: bool,
}

/// A value's word and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sourced {
    pub(super) word: u64,
    pub(super) source: FlagSource,
}

/// What resolving came to.
pub(super) struct Resolved {
    pub(super) value: Sourced,
    /// This call resolved it, not another thread.
    pub(super) newly: bool,
    /// The environment variable is unusable and nobody said so yet.
    pub(super) warn: bool,
}

impl FlagState {
    const_unless_loom! {
        pub(super) fn new() -> Self {
            Self { word: AtomicU64::new(UNRESOLVED), held: Mutex::new(Held { value: None, published: false, listed: false, warned: false }) }
        }
    }

    /// The value's word, or [`UNRESOLVED`]. A flag orders nothing but itself, so relaxed.
    #[inline(always)]
    pub(super) fn word(&self) -> u64 {
        self.word.load(Ordering::Relaxed)
    }

    /// The value, once it is resolved.
    pub(super) fn read(&self) -> Option<Sourced> {
        self.held.lock().value
    }

    /// Settles what the first read found, unless another thread settled something before.
    pub(super) fn resolve(&self, found: Sourced) -> Resolved {
        let mut held = self.held.lock();
        if let Some(value) = held.value {
            return Resolved { value, newly: false, warn: false };
        }
        let warn = found.source == FlagSource::EnvInvalid && !std::mem::replace(&mut held.warned, true);
        self.store(&mut held, found);
        Resolved { value: found, newly: true, warn }
    }

    /// Sets the value and gives the one before; does nothing while there is none.
    pub(super) fn set(&self, word: u64) -> Option<Sourced> {
        let mut held = self.held.lock();
        let old = held.value?;
        self.store(&mut held, Sourced { word, source: FlagSource::Set });
        Some(old)
    }

    /// Forgets the value and gives it.
    pub(super) fn clear(&self) -> Option<Sourced> {
        let mut held = self.held.lock();
        // Its next reader, who settles it anew, publishes it again; it is still listed, so `published` stays.
        self.word.store(UNRESOLVED, Ordering::Relaxed);
        held.value.take()
    }

    /// Lets readers see the value; gives true if they could not before. Only [`published`](super::published) calls this.
    pub(super) fn publish(&self) -> bool {
        let mut held = self.held.lock();
        let Some(value) = held.value else { return false };
        self.word.store(value.word, Ordering::Relaxed);
        held.published = true;
        !std::mem::replace(&mut held.listed, true)
    }

    /// Sends readers the slow way; `unlist`: it was taken from the list.
    pub(super) fn hide(&self, unlist: bool) {
        let mut held = self.held.lock();
        held.listed &= !unlist;
        held.published = false;
        self.word.store(UNRESOLVED, Ordering::Relaxed);
    }

    fn store(&self, held: &mut Held, value: Sourced) {
        held.value = Some(value);
        if held.published {
            self.word.store(value.word, Ordering::Relaxed);
        }
    }
}

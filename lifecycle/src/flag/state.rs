//! The mutable part of a flag: what readers see, and behind a mutex what the value is and where it comes from.

use super::FlagSource;
use super::value::{FlagValue, Published};
use crate::listeners::Listeners;
use crate::sync::Mutex;

/// Who is told of changes: with the old value and the new one.
pub(super) type Told<T> = dyn Fn(<T as FlagValue>::Given, <T as FlagValue>::Given) + Send + Sync;

/// A flag's value in one world.
pub(super) struct FlagState<T: FlagValue> {
    /// What readers look at: `held`'s value while it is [published](super::published), else hidden. Written only with `held`
    /// locked, so both have one order of changes.
    shown: T::Published,
    held: Mutex<Held<T::Held>>,
    pub(super) listeners: Listeners<Told<T>>,
}

#[derive(Debug)]
struct Held<H> {
    /// `None` until the first read, and after a reset.
    value: Option<Sourced<H>>,
    published: bool,
    /// It stands on the list of flags that worlds hide.
    listed: bool,
    /// The unusable environment variable was reported; a reset does not report it again.
    warned: bool,
}

/// A value and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sourced<H> {
    pub(super) held: H,
    pub(super) source: FlagSource,
}

/// What resolving came to.
pub(super) struct Resolved<H> {
    pub(super) value: Sourced<H>,
    /// This call resolved it, not another thread.
    pub(super) newly: bool,
    /// The environment variable is unusable and nobody said so yet.
    pub(super) warn: bool,
}

impl<T: FlagValue> FlagState<T> {
    pub(super) const fn new() -> Self {
        let held = Held { value: None, published: false, listed: false, warned: false };
        Self { shown: T::Published::HIDDEN, held: Mutex::new(held), listeners: Listeners::new() }
    }

    /// The value, unless readers are to take the slow way.
    #[inline(always)]
    pub(super) fn shown(&self) -> Option<T::Given> {
        T::__read(&self.shown)
    }

    /// The value, once it is resolved.
    pub(super) fn read(&self) -> Option<Sourced<T::Held>> {
        self.held.lock().value.clone()
    }

    /// Settles what the first read found, unless another thread settled something before.
    pub(super) fn resolve(&self, found: Sourced<T::Held>) -> Resolved<T::Held> {
        let mut held = self.held.lock();
        if let Some(value) = held.value.clone() {
            return Resolved { value, newly: false, warn: false };
        }
        let warn = found.source == FlagSource::EnvInvalid && !std::mem::replace(&mut held.warned, true);
        self.store(&mut held, found.clone());
        Resolved { value: found, newly: true, warn }
    }

    /// Sets the value and gives the one before; does nothing while there is none.
    pub(super) fn set(&self, new: T::Held) -> Option<Sourced<T::Held>> {
        let mut held = self.held.lock();
        let old = held.value.clone()?;
        self.store(&mut held, Sourced { held: new, source: FlagSource::Set });
        Some(old)
    }

    /// Forgets the value and gives it.
    pub(super) fn clear(&self) -> Option<Sourced<T::Held>> {
        let mut held = self.held.lock();
        // Its next reader, who settles it anew, publishes it again; it is still listed, so `published` stays.
        self.shown.hide();
        held.value.take()
    }

    /// Lets readers see the value; gives true if they could not before. Only [`published`](super::published) calls this.
    pub(super) fn publish(&self) -> bool {
        let mut held = self.held.lock();
        let Some(value) = &held.value else { return false };
        self.shown.show(&value.held);
        held.published = true;
        !std::mem::replace(&mut held.listed, true)
    }

    /// Sends readers the slow way; `unlist`: it was taken from the list.
    pub(super) fn hide(&self, unlist: bool) {
        let mut held = self.held.lock();
        held.listed &= !unlist;
        held.published = false;
        self.shown.hide();
    }

    fn store(&self, held: &mut Held<T::Held>, value: Sourced<T::Held>) {
        if held.published {
            self.shown.show(&value.held);
        }
        held.value = Some(value);
    }
}

//! Which flags readers may look at without asking in whose world they are.
//!
//! A flag's word is *published* (holds its value) only while no test world and no override is installed anywhere; while it
//! is not, its readers take the slow path, which looks at world and override. So the fast path needs no look at
//! [`scope::quiet`], which would make more than half of its instructions:
//!
//! - a word is published under the lock here, after finding the process quiet;
//! - whoever installs a world raises `scope::SLOW` first and then hides every published word under the same lock;
//! - whoever overrides a flag hides that one.
//!
//! Publishing therefore comes either before the hiding, and is undone by it, or after it, and finds the process not quiet. A
//! running factory, too, keeps flags from being published, but hides none.

use super::state::FlagState;
use super::{AnyFlag, FlagValue};
use crate::scope;
use crate::sync::Mutex;

/// The declared flags that are published. Those without a declaration are not in worlds, so worlds need not hide them.
static PUBLISHED: Mutex<Vec<&'static dyn AnyFlag>> = Mutex::new(Vec::new());

/// Publishes the process's value of a flag, if the process is quiet.
pub(super) fn publish<T: FlagValue>(state: &FlagState<T>, flag: Option<&'static dyn AnyFlag>) {
    let mut published = PUBLISHED.lock();
    if scope::quiet() && state.publish() {
        published.extend(flag);
    }
}

/// Hides one flag: an override is installed.
pub(super) fn hide<T: FlagValue>(state: &FlagState<T>) {
    let _order = PUBLISHED.lock();
    // It stays on the list until the next world comes.
    state.hide(false);
}

/// Hides all flags: a world is installed.
pub(crate) fn hide_all() {
    let mut published = PUBLISHED.lock();
    for flag in published.drain(..) {
        flag.__hide();
    }
}

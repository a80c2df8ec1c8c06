//! Instances handed out for `'static`: never freed, and reachable from a static, so that leak checkers see what this is:
//! memory in use, not memory lost.

use super::output::SingletonValue;
use std::any::Any;
use std::sync::{Mutex, PoisonError};

static KEPT: Mutex<Vec<&'static (dyn Any + Send + Sync)>> = Mutex::new(Vec::new());

/// Keeps `value` for ever.
pub(super) fn keep<T: SingletonValue>(value: T) -> &'static T {
    let kept: &'static T = Box::leak(Box::new(value));
    if size_of::<T>() == 0 {
        // It takes no memory: nothing to be found.
        return kept;
    }
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    kept
}

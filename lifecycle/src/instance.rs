//! What a look-up by name gives.

use std::ops::Deref;
use std::sync::Arc;

/// A component found by name: a declared one (`&'static`) or one made at run time (shared). Derefs to `T`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Instance<T: ?Sized + 'static> {
    /// Declared: lives as long as the process.
    Static(&'static T),
    /// Made at run time: lives as long as somebody holds it.
    Shared(Arc<T>),
}

impl<T: ?Sized> Clone for Instance<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Static(instance) => Self::Static(instance),
            Self::Shared(instance) => Self::Shared(instance.clone()),
        }
    }
}

impl<T: ?Sized> Deref for Instance<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Static(instance) => instance,
            Self::Shared(instance) => instance,
        }
    }
}

impl<T: ?Sized> Instance<T> {
    /// Are these the very same object?
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        std::ptr::addr_eq(&raw const **self, &raw const **other)
    }
}

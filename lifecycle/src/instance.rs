//! What a look-up by name gives.

use std::any::Any;
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
    /// The instance without its holder, if it lives as long as the process.
    #[must_use]
    pub fn as_static(&self) -> Option<&'static T> {
        match self {
            Self::Static(instance) => Some(instance),
            Self::Shared(_) => None,
        }
    }

    /// Are these the very same object?
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        std::ptr::addr_eq(&raw const **self, &raw const **other)
    }
}

/// An instance whose type is not known.
pub type AnyInstance = Instance<dyn Any + Send + Sync>;

impl<T: Send + Sync + 'static> Instance<T> {
    /// The same instance without its type.
    #[must_use]
    pub fn into_any(self) -> AnyInstance {
        match self {
            Self::Static(instance) => Instance::Static(instance),
            Self::Shared(instance) => Instance::Shared(instance),
        }
    }
}

impl AnyInstance {
    /// The same instance with its type.
    ///
    /// # Errors
    /// The instance, when it has another type.
    pub fn downcast<T: Send + Sync + 'static>(self) -> Result<Instance<T>, Self> {
        match self {
            Self::Static(instance) => instance.downcast_ref().map(Instance::Static).ok_or(self),
            Self::Shared(instance) => instance.downcast().map(Instance::Shared).map_err(Instance::Shared),
        }
    }
}

//! What a look-up by name gives.

use std::any::Any;
use std::ops::Deref;
use std::sync::Arc;

/// A component found by name: a declared one (`&'static`) or one made at run time (shared). Derefs to `T`.
///
/// ```
/// let found = lifecycle::singletons().get_or_create("greeting_by_name", || "hello".to_owned())?;
/// assert_eq!(found.len(), 5); // a `&String`
/// let kept = found.clone(); // the same instance
/// assert!(kept.same_as(&found));
/// # Ok::<(), lifecycle::Error>(())
/// ```
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
    ///
    /// ```
    /// #[lifecycle::singleton]
    /// fn alphabet() -> String {
    ///     "abc".to_owned()
    /// }
    ///
    /// alphabet();
    /// let declared = lifecycle::handle(alphabet)?.get().unwrap();
    /// let kept: &'static String = declared.as_static().unwrap();
    /// let by_name = lifecycle::singletons().get_or_create("digits", || "123".to_owned())?;
    /// assert!(kept == "abc" && by_name.as_static().is_none());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn as_static(&self) -> Option<&'static T> {
        match self {
            Self::Static(instance) => Some(instance),
            Self::Shared(_) => None,
        }
    }

    /// Are these the very same object?
    ///
    /// ```
    /// let singletons = lifecycle::singletons();
    /// let first = singletons.get_or_create("first", || 1)?;
    /// assert!(first.same_as(&singletons.get_or_create("first", || 2)?));
    /// assert!(!first.same_as(&singletons.get_or_create("second", || 1)?));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        std::ptr::addr_eq(&raw const **self, &raw const **other)
    }
}

/// An instance whose type is not known.
///
/// ```
/// let singletons = lifecycle::singletons();
/// singletons.set("answer", 42)?;
/// let replaced: lifecycle::AnyInstance = singletons.set("answer", "no number")?.unwrap();
/// assert_eq!(*replaced.downcast::<i32>().unwrap(), 42);
/// # Ok::<(), lifecycle::Error>(())
/// ```
pub type AnyInstance = Instance<dyn Any + Send + Sync>;

impl<T: Send + Sync + 'static> Instance<T> {
    /// The same instance without its type.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let any = lifecycle::Instance::Shared(Arc::new(7_u8)).into_any();
    /// assert!(any.is::<u8>());
    /// ```
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
    /// ```
    /// use lifecycle::Instance;
    /// use std::sync::Arc;
    ///
    /// let any = Instance::Shared(Arc::new(7_u8)).into_any();
    /// let any = any.downcast::<String>().unwrap_err(); // still there
    /// assert_eq!(*any.downcast::<u8>().unwrap(), 7);
    /// ```
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

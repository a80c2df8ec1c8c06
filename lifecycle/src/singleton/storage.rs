//! Where a declared singleton keeps its instance, and what it hands out: for ever ([`Static`]), or until it is replaced or its
//! invocation ends ([`Swapped`]).

use super::kept::keep;
use super::output::SingletonValue;
use crate::clock::Moment;
use crate::instance::Instance;
use arc_swap::{ArcSwapOption, Guard};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// How an instance is kept, of whatever type: that one cannot be shared between threads is said where the type is, and not once
/// more for everything that keeps it. Sealed: `unsafe` code relies on what the two implementations promise.
pub trait Storage<T: 'static>: sealed::Sealed + Sized + 'static {
    /// What accessors give.
    type Handed: Deref<Target = T> + 'static;
    /// A shared owner of the instance.
    type Owned: Deref<Target = T> + Clone + 'static;
    /// Without an instance.
    #[allow(clippy::declare_interior_mutable_const, reason = "each use makes a storage of its own")]
    #[doc(hidden)]
    const EMPTY: Self;
    /// Whether instances stay allocated after they were replaced.
    #[doc(hidden)]
    const KEEPS: bool;
    /// Whether each invocation has an instance of its own.
    #[doc(hidden)]
    const BOUND: bool;
    /// The instance, for readers.
    #[doc(hidden)]
    fn load(&self) -> Option<Self::Handed>;
    /// Whether a reader may take [`load`](Self::load)'s answer without asking for its age.
    #[doc(hidden)]
    fn fresh(&self) -> bool;
    /// When the instance is to be made anew, in nanoseconds of its state's clock.
    #[doc(hidden)]
    fn due(&self) -> Option<&AtomicU64>;
    #[doc(hidden)]
    fn owned(&self) -> Option<Self::Owned>;
    /// Puts another instance, or none, in place; gives what was there.
    #[doc(hidden)]
    fn put(&self, new: Option<Self::Owned>) -> Option<Self::Owned>;
    #[doc(hidden)]
    fn own(value: T) -> Self::Owned
    where
        T: SingletonValue;
    #[doc(hidden)]
    fn hand(owned: Self::Owned) -> Self::Handed;
    #[doc(hidden)]
    fn share(owned: Self::Owned) -> Instance<T>;
    #[doc(hidden)]
    fn handed_instance(handed: Self::Handed) -> Instance<T>;
    /// A reference that may outlive everything: for hooks that run when the process ends.
    #[doc(hidden)]
    fn forever(owned: Self::Owned) -> &'static T
    where
        T: SingletonValue;
}

/// A [`Storage`] of what threads can share, and what follows from that.
pub trait Storing<T: SingletonValue>: Storage<T, Handed: Send, Owned: Send + Sync> + Send + Sync {}
impl<T: SingletonValue> Storing<T> for Static<T> {}
impl<T: SingletonValue, const BOUND: bool> Storing<T> for Swapped<T, BOUND> {}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for super::Static<T> {}
    impl<T, const BOUND: bool> Sealed for super::Swapped<T, BOUND> {}
}

/// Hands out `&'static T`: what was handed out is never freed.
pub struct Static<T: 'static> {
    /// Null, or from [`keep`].
    instance: AtomicPtr<T>,
    /// An `AtomicPtr` goes between threads whatever it points to; this does not.
    shared: PhantomData<&'static T>,
}

impl<T: 'static> Storage<T> for Static<T> {
    type Handed = &'static T;
    type Owned = &'static T;
    #[allow(clippy::declare_interior_mutable_const, reason = "each use makes a storage of its own")]
    const EMPTY: Self = Self { instance: AtomicPtr::new(ptr::null_mut()), shared: PhantomData };
    const KEEPS: bool = true;
    const BOUND: bool = false;

    #[inline(always)]
    fn load(&self) -> Option<&'static T> {
        let instance = self.instance.load(Ordering::Acquire);
        // SAFETY: a non-null pointer came from a `&'static T` (`put`) and was stored with Release; what it points to is never
        // freed and never handed out mutably.
        (!instance.is_null()).then(|| unsafe { &*instance })
    }

    #[inline(always)]
    fn fresh(&self) -> bool {
        true
    }

    fn due(&self) -> Option<&AtomicU64> {
        None
    }

    fn owned(&self) -> Option<&'static T> {
        self.load()
    }

    fn put(&self, new: Option<&'static T>) -> Option<&'static T> {
        let old = self.load();
        self.instance.store(new.map_or(ptr::null_mut(), |new| ptr::from_ref(new).cast_mut()), Ordering::Release);
        old
    }

    fn own(value: T) -> &'static T
    where
        T: SingletonValue,
    {
        keep(value)
    }

    fn hand(owned: &'static T) -> &'static T {
        owned
    }

    fn share(owned: &'static T) -> Instance<T> {
        Instance::Static(owned)
    }

    fn handed_instance(handed: &'static T) -> Instance<T> {
        Instance::Static(handed)
    }

    fn forever(owned: &'static T) -> &'static T
    where
        T: SingletonValue,
    {
        owned
    }
}

/// Hands out [`Current`]: a replaced instance is freed with its last holder, and so is a `BOUND` one, which lives for an
/// invocation.
pub struct Swapped<T: 'static, const BOUND: bool = false> {
    instance: ArcSwapOption<T>,
    /// [`Moment::NEVER`] where no `refresh` was asked for.
    due: AtomicU64,
}

impl<T: 'static, const BOUND: bool> Storage<T> for Swapped<T, BOUND> {
    type Handed = Current<T>;
    type Owned = Arc<T>;
    #[allow(clippy::declare_interior_mutable_const, reason = "each use makes a storage of its own")]
    const EMPTY: Self = Self { instance: ArcSwapOption::const_empty(), due: AtomicU64::new(Moment::NEVER.as_nanos()) };
    const KEEPS: bool = false;
    const BOUND: bool = BOUND;

    #[inline(always)]
    fn load(&self) -> Option<Current<T>> {
        let guard = self.instance.load();
        if guard.is_some() { Some(Current(guard)) } else { None }
    }

    #[inline(always)]
    fn fresh(&self) -> bool {
        self.due.load(Ordering::Relaxed) == Moment::NEVER.as_nanos()
    }

    fn due(&self) -> Option<&AtomicU64> {
        Some(&self.due)
    }

    fn owned(&self) -> Option<Arc<T>> {
        self.instance.load_full()
    }

    fn put(&self, new: Option<Arc<T>>) -> Option<Arc<T>> {
        self.instance.swap(new)
    }

    fn own(value: T) -> Arc<T>
    where
        T: SingletonValue,
    {
        Arc::new(value)
    }

    fn hand(owned: Arc<T>) -> Current<T> {
        Current(Guard::from_inner(Some(owned)))
    }

    fn share(owned: Arc<T>) -> Instance<T> {
        Instance::Shared(owned)
    }

    fn handed_instance(handed: Current<T>) -> Instance<T> {
        Instance::Shared(handed.to_arc())
    }

    fn forever(owned: Arc<T>) -> &'static T
    where
        T: SingletonValue,
    {
        // Once, at the end of the process: a hook's future may borrow from it for as long as it likes.
        let kept: &'static Arc<T> = keep(owned);
        kept
    }
}

impl<T> fmt::Debug for Static<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Static")
    }
}

impl<T, const BOUND: bool> fmt::Debug for Swapped<T, BOUND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Swapped")
    }
}

/// The instance of a `#[singleton(swap)]` at the moment it was asked for, or that of an invocation
/// (`#[singleton(scope = invocation)]`); derefs to `T`.
///
/// Take it, read, let it go: it is cheap to get and meant to be short-lived. While one is held, `T::current()` may already
/// give a newer instance; this one stays as it is, and is freed with its last holder. To keep it for long, or to hold many,
/// take [`to_arc`](Self::to_arc).
///
/// ```
/// use lifecycle::{Singleton, singleton};
///
/// #[singleton(swap, factory = || Limits { per_user: 10 })]
/// struct Limits {
///     per_user: u32,
/// }
///
/// let before = Limits::current();
/// Limits::replace(Limits { per_user: 20 });
/// assert_eq!((before.per_user, Limits::current().per_user), (10, 20));
/// ```
pub struct Current<T: 'static>(
    /// Never `None`. What the storage gives as it is: nothing is moved or told apart on the way to it.
    Guard<Option<Arc<T>>>,
);

impl<T> Current<T> {
    /// A shared owner of the same instance.
    ///
    /// ```
    /// # use lifecycle::{Singleton, singleton};
    /// # #[singleton(swap, factory = || Limits { per_user: 10 })]
    /// # struct Limits { per_user: u32 }
    /// let kept: std::sync::Arc<Limits> = Limits::current().to_arc();
    /// Limits::replace(Limits { per_user: 20 });
    /// assert_eq!(kept.per_user, 10);
    /// ```
    #[must_use]
    pub fn to_arc(&self) -> Arc<T> {
        self.arc().clone()
    }

    #[inline(always)]
    #[allow(clippy::unreachable, reason = "see the note at the field")]
    fn arc(&self) -> &Arc<T> {
        match &*self.0 {
            Some(instance) => instance,
            None => unreachable!("a guard is only kept around an instance"),
        }
    }
}

impl<T> Deref for Current<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        self.arc()
    }
}

impl<T> From<Current<T>> for Arc<T> {
    fn from(current: Current<T>) -> Self {
        current.to_arc()
    }
}

impl<T: fmt::Debug> fmt::Debug for Current<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Current<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

//! One face for managing any singleton: declared by a type, a function or a static, or stored by name.

use super::any::{AnySingleton, mismatch};
use super::asking::Asking;
use super::function::Nothing;
use super::output::SingletonValue;
use crate::error::{Error, SingletonError};
use crate::instance::{AnyInstance, Instance};
use crate::registry::{Component, Kind, SingletonSnapshot, find};
use crate::scope::OverrideGuard;
use std::any::{TypeId, type_name};
use std::future::Future;
use std::marker::PhantomData;

/// A declared singleton whose value is a `T`, for managing it: what [`Singleton`](crate::Singleton) is for types, this is for
/// functions and statics. From [`handle`](super::handle()) or [`singleton`].
///
/// ```
/// use lifecycle::singleton;
///
/// #[singleton]
/// fn greeting() -> String {
///     "hello".to_owned()
/// }
///
/// let handle = lifecycle::handle(greeting)?;
/// assert!(!handle.is_created() && handle.get().is_none());
/// assert_eq!(greeting(), "hello");
/// assert_eq!(*handle.get().unwrap(), "hello");
/// handle.replace("hi".to_owned())?;
/// assert_eq!((greeting().as_str(), handle.stats().retired), ("hi", 1));
/// handle.reload()?; // its factory again
/// assert_eq!(greeting(), "hello");
/// assert!(handle.delete() && !handle.is_created());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Handle<T> {
    component: &'static dyn AnySingleton,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Handle<T> {}

impl<T> std::fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Handle").field(&self.component.descriptor().path()).finish()
    }
}

impl<T: SingletonValue> Handle<T> {
    pub(super) fn new(component: &'static dyn AnySingleton) -> Result<Self, Error> {
        if component.value_type().is_none_or(|id| id == TypeId::of::<T>()) {
            Ok(Self { component, value: PhantomData })
        } else {
            Err(mismatch(component.descriptor().name(), type_name::<T>(), component.type_name()))
        }
    }

    fn typed(instance: AnyInstance) -> Option<Instance<T>> {
        instance.downcast().ok()
    }

    /// Its short name.
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// # #[singleton]
    /// # fn greeting() -> String { "hello".to_owned() }
    /// let handle = lifecycle::handle(greeting)?;
    /// assert_eq!(handle.name(), "greeting");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.component.descriptor().name()
    }

    /// The instance if it exists: never creates, never waits, is not counted.
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// # #[singleton]
    /// # fn greeting() -> String { "hello".to_owned() }
    /// let handle = lifecycle::handle(greeting)?;
    /// assert!(handle.get().is_none());
    /// greeting();
    /// assert_eq!(*handle.get().unwrap(), "hello");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn get(&self) -> Option<Instance<T>> {
        self.component.existing_any("").and_then(Self::typed)
    }

    /// Does an instance exist?
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// # #[singleton]
    /// # fn greeting() -> String { "hello".to_owned() }
    /// let handle = lifecycle::handle(greeting)?;
    /// assert!(!handle.is_created());
    /// greeting();
    /// assert!(handle.is_created());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn is_created(&self) -> bool {
        self.component.exists()
    }

    /// Of a step (`#[init_flag]` on a function): has it run? [`is_created`](Self::is_created) by the name one expects.
    ///
    /// ```
    /// #[lifecycle::init_flag]
    /// fn load_tables() {}
    ///
    /// let step = lifecycle::handle(load_tables)?;
    /// assert!(!step.is_done());
    /// load_tables();
    /// assert!(step.is_done());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn is_done(&self) -> bool
    where
        T: Nothing,
    {
        self.is_created()
    }

    /// Puts `value` in the instance's place; gives the replaced one. Counts start again at zero.
    ///
    /// A replaced `&'static` instance stays allocated for ever and is reported as retired.
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// # #[singleton]
    /// # fn greeting() -> String { "hello".to_owned() }
    /// let handle = lifecycle::handle(greeting)?;
    /// assert!(handle.replace("hi".to_owned())?.is_none()); // its factory need not run
    /// let old = handle.replace("good morning".to_owned())?;
    /// assert_eq!((old.unwrap().as_str(), greeting().as_str()), ("hi", "good morning"));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotPossible`] for a keyed singleton: it has an instance a key.
    pub fn replace(&self, value: T) -> Result<Option<Instance<T>>, Error> {
        Ok(self.component.replace_any(Box::new(value), type_name::<T>())?.and_then(Self::typed))
    }

    /// Takes the instance away (of a keyed singleton: all of them): the next access runs the factory again. Gives false when
    /// there is none.
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// # #[singleton]
    /// # fn greeting() -> String { "hello".to_owned() }
    /// let handle = lifecycle::handle(greeting)?;
    /// greeting();
    /// assert!(handle.delete() && !handle.delete());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    pub fn delete(&self) -> bool {
        self.component.delete_any() > 0
    }

    /// Runs the factory again and puts its value in the instance's place, if it succeeds.
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// # use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// # static VERSION: AtomicU32 = AtomicU32::new(1);
    /// #[singleton(swap)]
    /// fn version() -> u32 {
    ///     VERSION.load(Relaxed)
    /// }
    ///
    /// assert_eq!(*version(), 1);
    /// VERSION.store(2, Relaxed);
    /// lifecycle::handle(version)?.reload()?;
    /// assert_eq!(*version(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The factory's error, and the instance stays; [`SingletonError::NeedsAsync`] for an async factory.
    pub fn reload(&self) -> Result<(), SingletonError> {
        self.component.reload_any().map(drop)
    }

    /// [`reload`](Self::reload), also for an async factory.
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// #[singleton(swap)]
    /// async fn token() -> String {
    ///     "s3cret".to_owned()
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// lifecycle::handle(token)?.reload_async().await?;
    /// assert_eq!(token().await.as_str(), "s3cret");
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The factory's error, and the instance stays.
    pub fn reload_async(&self) -> impl Future<Output = Result<(), SingletonError>> + Send + 'static {
        let reloaded: Asking<AnyInstance> = self.component.reload_any_async();
        async move { reloaded.await.map(drop) }
    }

    /// Lets `value` stand in for the instance until the guard is dropped: in the test world this runs in, else on this thread.
    ///
    /// Outside a test world, what other singletons make of it while it stands in is made for the whole process and stays.
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// # #[singleton]
    /// # fn greeting() -> String { "hello".to_owned() }
    /// let handle = lifecycle::handle(greeting)?;
    /// let stand_in = handle.override_with("hi".to_owned())?;
    /// assert_eq!(greeting(), "hi");
    /// drop(stand_in);
    /// assert_eq!(greeting(), "hello");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotPossible`] for a keyed singleton: it has an instance a key.
    pub fn override_with(&self, value: T) -> Result<OverrideGuard, Error> {
        self.component.override_any(Box::new(value), type_name::<T>())
    }

    /// State and counts; of a keyed singleton those of all keys together.
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// # #[singleton]
    /// # fn greeting() -> String { "hello".to_owned() }
    /// let handle = lifecycle::handle(greeting)?;
    /// greeting();
    /// assert!(handle.stats().created && handle.stats().accesses == 1);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> SingletonSnapshot {
        self.component.observe().swap_remove(0)
    }

    /// Of a keyed singleton: the instances that exist, each with its key in brackets. Else empty.
    ///
    /// ```
    /// # use lifecycle::singleton;
    /// #[singleton(keyed)]
    /// fn shelf(name: &str) -> String {
    ///     format!("books of {name}")
    /// }
    ///
    /// shelf("novels");
    /// shelf("maps");
    /// let handle = lifecycle::handle(shelf)?;
    /// let mut keys: Vec<String> = handle.keys().into_iter().map(|one| one.name).collect();
    /// keys.sort();
    /// assert_eq!(keys, ["shelf[maps]", "shelf[novels]"]);
    /// assert_eq!(handle.stats().keys, Some(2));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<SingletonSnapshot> {
        self.component.observe().split_off(1)
    }
}

/// The declared singleton of that name (or `module::name`), for managing it.
///
/// ```
/// use lifecycle::singleton;
///
/// #[singleton]
/// fn pool_size() -> u32 {
///     8
/// }
///
/// let pool_size_handle = lifecycle::singleton::<u32>("pool_size")?;
/// pool_size_handle.replace(16)?;
/// assert_eq!(*pool_size(), 16);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFound`]; [`Error::TypeMismatch`]; [`Error::Ambiguous`] when several modules declare the short name.
pub fn singleton<T: SingletonValue>(name: &str) -> Result<Handle<T>, Error> {
    match find(Kind::Singleton, name)? {
        Some(Component::Singleton(component)) => Handle::new(component),
        _ => Err(crate::registry::not_found(Kind::Singleton, name)),
    }
}

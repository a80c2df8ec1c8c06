//! A lazy static: `#[singleton] static POOL: Lazy<Pool> = expr;`

use super::asking::Ask;
use super::cell::SingletonCell;
use super::output::SingletonValue;
use super::settings::Settings;
use crate::error::{CreateError, SingletonError};
use crate::instance::Instance;
use crate::registry::{Descriptor, SingletonSnapshot};
use crate::scope::OverrideGuard;
use std::convert::Infallible;
use std::ops::Deref;

/// A static that is created when it is first dereferenced: `std::sync::LazyLock`, listed, counted, retried after a panic,
/// replaceable in tests.
///
/// What manages it are associated functions, so that nothing of `T` is shadowed.
///
/// ```
/// use lifecycle::{Lazy, singleton};
///
/// #[singleton]
/// static SEASONS: Lazy<Vec<&'static str>> = vec!["one", "two"];
///
/// assert!(!Lazy::is_created(&SEASONS));
/// assert_eq!(SEASONS.len(), 2);
/// Lazy::replace(&SEASONS, vec!["three"]);
/// assert_eq!(SEASONS.len(), 1);
/// ```
///
/// # Panics
/// Dereferencing panics when the creation needs itself (the message is the path), and once the process is shutting down.
pub struct Lazy<T: SingletonValue> {
    cell: SingletonCell<T>,
    create: fn() -> Result<T, Infallible>,
    /// The way to the static itself.
    me: fn() -> &'static Self,
}

impl<T: SingletonValue> Lazy<T> {
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared(
        descriptor: Descriptor,
        settings: &'static Settings<T>,
        create: fn() -> Result<T, Infallible>,
        me: fn() -> &'static Self,
        ask: fn() -> Result<&'static T, SingletonError>,
    ) -> Self {
        Self { cell: SingletonCell::new(descriptor, settings, Ask::Sync(ask)), create, me }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn __cell(&'static self) -> &'static SingletonCell<T> {
        &self.cell
    }

    /// The value, created if there is none.
    ///
    /// ```
    /// # use lifecycle::{Lazy, singleton};
    /// # #[singleton]
    /// # static MOTTO: Lazy<String> = "be brief".to_owned();
    /// assert_eq!(Lazy::try_get(&MOTTO)?, "be brief");
    /// # Ok::<(), lifecycle::SingletonError>(())
    /// ```
    ///
    /// # Errors
    /// [`SingletonError`]: why the factory was not run.
    pub fn try_get(this: &'static Self) -> Result<&'static T, SingletonError> {
        this.cell.get_or_create(this.create, |never| match *never {}).map_err(|error| match error {
            CreateError::Factory(never) => match never {},
            CreateError::Refused(refused) => refused,
        })
    }

    /// The value if it exists: never creates, never waits, is not counted.
    ///
    /// ```
    /// # use lifecycle::{Lazy, singleton};
    /// # #[singleton]
    /// # static MOTTO: Lazy<String> = "be brief".to_owned();
    /// assert!(Lazy::get(&MOTTO).is_none());
    /// assert_eq!(MOTTO.len(), 8);
    /// assert!(Lazy::get(&MOTTO).is_some());
    /// ```
    #[must_use]
    pub fn get(this: &'static Self) -> Option<&'static T> {
        this.cell.existing()
    }

    /// Does the value exist?
    ///
    /// ```
    /// # use lifecycle::{Lazy, singleton};
    /// # #[singleton]
    /// # static MOTTO: Lazy<String> = "be brief".to_owned();
    /// assert!(!Lazy::is_created(&MOTTO));
    /// assert_eq!(MOTTO.len(), 8);
    /// assert!(Lazy::is_created(&MOTTO));
    /// ```
    #[must_use]
    pub fn is_created(this: &'static Self) -> bool {
        this.cell.existing().is_some()
    }

    /// Creates the value, if there is none; gives it.
    ///
    /// ```
    /// # use lifecycle::{Lazy, singleton};
    /// # #[singleton]
    /// # static MOTTO: Lazy<String> = "be brief".to_owned();
    /// let motto: &'static String = Lazy::force(&MOTTO);
    /// assert_eq!(motto, "be brief");
    /// ```
    ///
    /// # Panics
    /// As dereferencing.
    #[track_caller]
    pub fn force(this: &'static Self) -> &'static T {
        match this.cell.hot() {
            Some(found) => found,
            None => this.create_or_panic(),
        }
    }

    /// Puts `value` in place; gives the replaced one, which stays allocated for ever and is reported as retired.
    ///
    /// ```
    /// # use lifecycle::{Lazy, singleton};
    /// # #[singleton]
    /// # static MOTTO: Lazy<String> = "be brief".to_owned();
    /// Lazy::replace(&MOTTO, "be kind".to_owned());
    /// assert_eq!(*MOTTO, "be kind");
    /// ```
    pub fn replace(this: &'static Self, value: T) -> Option<&'static T> {
        this.cell.put_or_panic(value)
    }

    /// Takes the value away, which stays allocated for ever: the next access runs the factory again. Gives false when there
    /// is none.
    ///
    /// ```
    /// # use lifecycle::{Lazy, singleton};
    /// # #[singleton]
    /// # static MOTTO: Lazy<String> = "be brief".to_owned();
    /// Lazy::replace(&MOTTO, "be kind".to_owned());
    /// assert!(Lazy::delete(&MOTTO) && !Lazy::is_created(&MOTTO));
    /// assert_eq!(*MOTTO, "be brief");
    /// ```
    pub fn delete(this: &'static Self) -> bool {
        this.cell.take().is_some()
    }

    /// Runs the factory again and puts its value in place.
    ///
    /// ```
    /// # use lifecycle::{Lazy, singleton};
    /// # #[singleton]
    /// # static MOTTO: Lazy<String> = "be brief".to_owned();
    /// Lazy::replace(&MOTTO, "be kind".to_owned());
    /// Lazy::reload(&MOTTO)?;
    /// assert_eq!(*MOTTO, "be brief");
    /// # Ok::<(), lifecycle::SingletonError>(())
    /// ```
    ///
    /// # Errors
    /// [`SingletonError`]: why the factory was not run.
    pub fn reload(this: &'static Self) -> Result<(), SingletonError> {
        this.cell.reload().map(drop::<Instance<T>>)
    }

    /// Lets `value` stand in until the guard is dropped: in the test world this runs in, else on this thread.
    ///
    /// Outside a test world, what other singletons make of it while it stands in is made for the whole process and stays.
    ///
    /// ```
    /// # use lifecycle::{Lazy, singleton};
    /// # #[singleton]
    /// # static MOTTO: Lazy<String> = "be brief".to_owned();
    /// let stand_in = Lazy::override_with(&MOTTO, "nowhere".to_owned());
    /// assert_eq!(*MOTTO, "nowhere");
    /// drop(stand_in);
    /// assert_eq!(*MOTTO, "be brief");
    /// ```
    pub fn override_with(this: &'static Self, value: T) -> OverrideGuard {
        this.cell.override_with(value)
    }

    /// State and counts.
    ///
    /// ```
    /// # use lifecycle::{Lazy, singleton};
    /// # #[singleton]
    /// # static MOTTO: Lazy<String> = "be brief".to_owned();
    /// assert_eq!(MOTTO.len(), 8);
    /// assert_eq!(Lazy::stats(&MOTTO).accesses, 1);
    /// ```
    #[must_use]
    pub fn stats(this: &'static Self) -> SingletonSnapshot {
        this.cell.look().snapshot(&this.cell.descriptor, std::any::type_name::<T>(), size_of::<T>())
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn create_or_panic(&self) -> &'static T {
        match Self::try_get((self.me)()) {
            Ok(found) => found,
            Err(refused) => panic!("{refused}"),
        }
    }
}

impl<T: SingletonValue> Deref for Lazy<T> {
    type Target = T;

    #[inline(always)]
    #[track_caller]
    fn deref(&self) -> &T {
        match self.cell.hot() {
            Some(found) => found,
            None => self.create_or_panic(),
        }
    }
}

impl<T: SingletonValue> std::fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lazy").field("cell", &self.cell).finish_non_exhaustive()
    }
}

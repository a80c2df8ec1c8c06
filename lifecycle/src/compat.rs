//! The framework's functions under the names that the concept's gateway gave them, for code that is moved here as it was.
//!
//! ```
//! use lifecycle::compat::{singleton_get, singleton_get_or_create, singleton_register};
//!
//! singleton_register("region", "eu-west-1".to_owned())?;
//! assert_eq!(*singleton_get::<String>("region")?.unwrap(), "eu-west-1");
//!
//! #[derive(Default)]
//! struct Cache;
//! let cache = singleton_get_or_create("page_cache", Cache::default)?;
//! assert!(cache.same_as(&singleton_get_or_create("page_cache", Cache::default)?));
//! # Ok::<(), lifecycle::Error>(())
//! ```

use crate::error::Error;
use crate::instance::{AnyInstance, Instance};
use crate::singleton::singletons;

#[doc(inline)]
pub use crate::breaker::get_circuit_breaker_manager;
#[doc(inline)]
pub use crate::init::get_initialization_manager;
#[doc(inline)]
pub use crate::process::reset_all_managers;
#[doc(inline)]
pub use crate::singleton::get_singleton_manager;

/// [`SingletonCore::get`](crate::SingletonCore::get) of the process: the instance of that name, if there is one.
///
/// ```
/// assert!(lifecycle::compat::singleton_get::<u32>("nobody stored this")?.is_none());
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// As there.
pub fn singleton_get<T: Send + Sync + 'static>(name: &str) -> Result<Option<Instance<T>>, Error> {
    singletons().get(name)
}

/// [`SingletonCore::set`](crate::SingletonCore::set) of the process: stores `instance` under that name, and gives what it
/// replaces.
///
/// ```
/// use lifecycle::compat::singleton_register;
///
/// assert!(singleton_register("answer", 41_u32)?.is_none());
/// let old = singleton_register("answer", 42_u32)?.unwrap();
/// assert_eq!(*old.downcast::<u32>().unwrap(), 41);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// As there.
pub fn singleton_register<T: Send + Sync + 'static>(name: &str, instance: T) -> Result<Option<AnyInstance>, Error> {
    singletons().set(name, instance)
}

/// [`SingletonCore::get_or_create`](crate::SingletonCore::get_or_create) of the process: the instance of that name, created by
/// `factory` if there is none.
///
/// ```
/// let words = lifecycle::compat::singleton_get_or_create("words", || vec!["one", "two"])?;
/// assert_eq!(words.len(), 2);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// As there.
pub fn singleton_get_or_create<T: Send + Sync + 'static>(
    name: &str,
    factory: impl FnOnce() -> T,
) -> Result<Instance<T>, Error> {
    singletons().get_or_create(name, factory)
}

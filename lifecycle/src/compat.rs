//! The names by which Python services reach their singletons, for ports that go over step by step.
//!
//! All of them are operations of [`singletons`](crate::singletons), and share its limit on operations.
//!
//! ```
//! use lifecycle::compat::{singleton_get, singleton_get_or_create, singleton_register};
//!
//! singleton_register("region", "eu-west-1".to_owned())?;
//! assert_eq!(*singleton_get::<String>("region")?.unwrap(), "eu-west-1");
//! let words = singleton_get_or_create("words", || vec!["one", "two"])?;
//! assert_eq!(words.len(), 2);
//! # Ok::<(), lifecycle::Error>(())
//! ```

use crate::error::Error;
use crate::instance::{AnyInstance, Instance};
use crate::singleton::singletons;

/// [`SingletonCore::get`](crate::SingletonCore::get).
///
/// # Errors
/// As there.
pub fn singleton_get<T: Send + Sync + 'static>(name: &str) -> Result<Option<Instance<T>>, Error> {
    singletons().get(name)
}

/// [`SingletonCore::get_or_create`](crate::SingletonCore::get_or_create).
///
/// # Errors
/// As there.
pub fn singleton_get_or_create<T: Send + Sync + 'static>(
    name: &str,
    factory: impl FnOnce() -> T,
) -> Result<Instance<T>, Error> {
    singletons().get_or_create(name, factory)
}

/// [`SingletonCore::set`](crate::SingletonCore::set).
///
/// # Errors
/// As there.
pub fn singleton_register<T: Send + Sync + 'static>(name: &str, instance: T) -> Result<Option<AnyInstance>, Error> {
    singletons().set(name, instance)
}

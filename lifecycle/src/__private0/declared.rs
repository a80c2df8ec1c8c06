//! What the expansion of `#[singleton]` calls. The bound on the value's type is stated once, on the user's own token: a type
//! that threads cannot share is one error, and everything here, which only asks for [`Kept`], is silent about it.

use crate::error::{BoxError, CreateError, SingletonError};
use crate::registry::{Descriptor, Listed};
use crate::singleton::{FactoryOutput, Singleton, SingletonCell, SingletonValue, TryFactoryOutput};

/// What a declaration keeps: a singleton type keeps itself, a function has a type of its own to say what it keeps.
pub trait Kept {
    /// The value's type.
    type Value: SingletonValue;
}

impl<T: Singleton> Kept for T {
    type Value = T;
}

/// What a declaration fails with; the expansion knows the type, so it can say the most of it (see [`channel::text`]).
///
/// [`channel::text`]: super::channel::text
pub trait Fails<E> {
    /// The error's text, for records and events.
    fn text(error: &E) -> String;
}

/// The cell of a declaration.
#[must_use]
pub const fn cell<K: Kept>(
    descriptor: Descriptor,
    ask: fn() -> Result<&'static K::Value, SingletonError>,
) -> SingletonCell<K::Value> {
    SingletonCell::new(descriptor, ask)
}

/// The cell's entry in the link-time list.
#[must_use]
pub const fn listed<K: Kept>(cell: &'static SingletonCell<K::Value>) -> Listed {
    Listed::singleton(cell)
}

/// Calls a factory that cannot fail.
pub fn made<T, F: FnOnce() -> R, R: FactoryOutput<T>>(factory: F) -> T {
    factory().into_instance()
}

/// Calls a factory that can fail.
///
/// # Errors
/// The factory's own.
pub fn tried<T, F: FnOnce() -> R, R: TryFactoryOutput<T>>(factory: F) -> Result<T, BoxError> {
    factory().into_result()
}

/// `instance()`, and a function that gives `&'static T`.
#[inline(always)]
#[track_caller]
pub fn instance<K: Kept>(
    cell: &'static SingletonCell<K::Value>,
    create: impl FnOnce() -> K::Value,
) -> &'static K::Value {
    cell.get_or_create(create)
}

/// `try_instance()` beside `instance()`.
///
/// # Errors
/// A refusal to create.
#[inline(always)]
pub fn try_instance<K: Kept>(
    cell: &'static SingletonCell<K::Value>,
    create: impl FnOnce() -> K::Value,
) -> Result<&'static K::Value, SingletonError> {
    cell.try_get_or_create(create)
}

/// `try_instance()` over a factory that can fail.
///
/// # Errors
/// The factory's error, or a refusal to create.
#[inline(always)]
pub fn try_create<K: Kept>(
    cell: &'static SingletonCell<K::Value>,
    create: fn() -> Result<K::Value, BoxError>,
) -> Result<&'static K::Value, SingletonError> {
    cell.try_create(create)
}

/// A function that gives `Result<&'static T, E>`.
///
/// # Errors
/// The body's error, or a refusal to run it.
#[inline(always)]
pub fn fallible<K: Kept + Fails<E>, E>(
    cell: &'static SingletonCell<K::Value>,
    create: impl FnOnce() -> Result<K::Value, E>,
) -> Result<&'static K::Value, CreateError<E>> {
    cell.get_or_try_create(create, K::text)
}

/// `get()`.
#[inline(always)]
pub fn get<K: Kept>(cell: &'static SingletonCell<K::Value>) -> Option<&'static K::Value> {
    cell.get()
}

/// For a function whose body says `Self`: by name it is found once it exists.
///
/// # Errors
/// When the function has not been called yet.
pub fn only_created<K: Kept>(
    cell: &'static SingletonCell<K::Value>,
    name: &str,
) -> Result<&'static K::Value, SingletonError> {
    let why = "its body says `Self`, so only a call of the function itself can create it";
    cell.get().ok_or_else(|| SingletonError::factory(name, why.into()))
}

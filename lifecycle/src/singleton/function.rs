//! Singletons found by the functions that declare them.

use super::any::AnySingleton;
use super::handle::Handle;
use super::output::SingletonValue;
use crate::error::Error;
use crate::registry::{Kind, components};
use std::future::Future;
use std::marker::PhantomData;

/// The singleton that a function declares, for managing it: any function with `#[singleton]` on it, also an associated,
/// nested or asynchronous one, called before or not.
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
/// assert!(!handle.is_created());
/// let stand_in = handle.override_with("hi".to_owned())?;
/// assert_eq!(greeting(), "hi");
/// drop(stand_in);
/// assert_eq!(greeting(), "hello");
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFound`] for a function that declares no singleton; [`Error::Ambiguous`] for two functions of one name in two
/// blocks of one function.
pub fn handle<F: SingletonFn<M>, M>(function: F) -> Result<Handle<F::Value>, Error> {
    let name = std::any::type_name_of_val(&function);
    Handle::new(of_function(name)?)
}

/// The singleton that the function of this name declares.
///
/// The compiler's name of the function's type is the one thing that is known both in its body and to those who name it, before
/// any call. Should two functions share it, that is an error, and a value of another type is one too.
pub(crate) fn of_function(name: &str) -> Result<&'static dyn AnySingleton, Error> {
    let all = components();
    let created = all.iter().filter_map(|component| component.created());
    let mut found = created.filter(|created| created.descriptor().function() == Some(name));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(one), Some(other)) => {
            Err(crate::registry::ambiguous(name, [one.descriptor(), other.descriptor()].into_iter()))
        }
        (None, _) => Err(crate::registry::not_found(Kind::Singleton, name)),
    }
}

/// A function that declares a singleton; `M` only tells the forms apart.
///
/// ```
/// use lifecycle::{singleton, singleton::SingletonFn};
///
/// #[singleton]
/// fn most() -> u32 {
///     10
/// }
///
/// fn name_of<M>(function: impl SingletonFn<M>) -> Result<&'static str, lifecycle::Error> {
///     Ok(lifecycle::handle(function)?.name())
/// }
/// assert_eq!(name_of(most)?, "most");
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "this is not a singleton's function",
    label = "expected a function with `#[singleton]` on it",
    note = "pass the function itself, without calling it: `lifecycle::handle(db)`"
)]
pub trait SingletonFn<M> {
    /// The singleton's value.
    type Value: SingletonValue;
}

/// What the accessors of singletons give, once awaited.
#[doc(hidden)]
pub trait Gives {
    /// The singleton's value.
    type Value: SingletonValue;
}

/// What a step gives.
#[doc(hidden)]
pub trait Nothing {}
impl Nothing for () {}

impl Gives for () {
    type Value = ();
}
impl<T: SingletonValue> Gives for &'static T {
    type Value = T;
}
impl<T: SingletonValue> Gives for crate::Current<T> {
    type Value = T;
}
impl<T: SingletonValue> Gives for std::sync::Arc<T> {
    type Value = T;
}
impl<T: Gives, E> Gives for Result<T, E> {
    type Value = T::Value;
}

/// The function gives at once.
#[doc(hidden)]
#[derive(Debug)]
pub struct AtOnce<A>(PhantomData<A>);

/// The function is to be awaited.
#[doc(hidden)]
#[derive(Debug)]
pub struct Awaited<A>(PhantomData<A>);

macro_rules! functions {
    ($(($($argument:ident),*))*) => {$(
        impl<F, R, $($argument),*> SingletonFn<AtOnce<($($argument,)* R,)>> for F
        where
            F: Fn($($argument),*) -> R,
            R: Gives,
        {
            type Value = R::Value;
        }
        impl<F, R, $($argument),*> SingletonFn<Awaited<($($argument,)* R,)>> for F
        where
            F: Fn($($argument),*) -> R,
            R: Future,
            R::Output: Gives,
        {
            type Value = <R::Output as Gives>::Value;
        }
    )*};
}
// As many as a key has parts.
functions! {
    () (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, G) (A, B, C, D, E, G, H) (A, B, C, D, E, G, H, I)
}

//! What the expansion of `#[singleton]` calls. The bound on the value's type is stated once, on the user's own token: a type
//! that threads cannot share is one error, and everything here, which only asks for [`Kept`], is silent about it.

use crate::error::{BoxError, CreateError, SingletonError};
use crate::keyed::query::Query;
use crate::registry::{Descriptor, Listed};
use crate::singleton::{
    AnySingleton, Ask, Cell, Creating, ErasedCell, FactoryOutput, KeyedCell, Lazy, Making, Settings, Singleton,
    SingletonFn, SingletonValue, TryFactoryOutput,
};
pub use crate::singleton::{
    Awaited, AwaitedInstance, FailsWith, Forever, HandedBy, Home, Kept, KeptByKey as Keyed, KeyedHome, Mode,
    PerInvocation, Replaceable, StorageOf, Stored,
};
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

/// The cell of a declaration.
#[must_use]
pub const fn cell<K: Stored>(
    descriptor: Descriptor,
    settings: &'static Settings<K::Value>,
    ask: Ask<K::Value, HandedBy<K>>,
) -> Home<K> {
    Home::new(Cell::new(descriptor, settings, ask))
}

/// The cell's entry in the link-time list, where it is a step's.
#[must_use]
pub const fn listed_step<K: Stored<Value = (), Mode = Forever>>(home: &'static Home<K>) -> Listed {
    Listed::step(home.cell())
}

/// The cell's entry in the link-time list.
#[must_use]
pub const fn listed<K: Stored>(home: &'static Home<K>) -> Listed {
    Listed::singleton(home.cell())
}

/// The hot path alone, for async accessors.
#[inline(always)]
#[must_use]
pub fn hot<K: Stored>(home: &'static Home<K>) -> Option<HandedBy<K>> {
    home.cell().hot()
}

/// An access that creates.
///
/// # Errors
/// The factory's error, or a refusal to run it.
#[inline(always)]
pub fn get<K: Stored, E>(
    home: &'static Home<K>,
    create: fn() -> Result<K::Value, E>,
    describe: fn(&E) -> String,
) -> Result<HandedBy<K>, CreateError<E>> {
    home.cell().get_or_create(create, describe)
}

/// An access that creates by a future.
#[inline(always)]
pub fn get_async<K: FailsWith, L, D>(home: &'static Home<K>, create: L, describe: D) -> Awaited<K, L, D>
where
    L: Fn() -> Making<K::Value, K::Error>,
    D: Fn(&K::Error) -> String,
{
    Awaited(Creating::new(home.cell(), create, describe))
}

/// An access that creates, where the factory cannot fail and there is no channel for a refusal.
///
/// # Panics
/// On a refusal; the message is its text.
#[inline(always)]
#[track_caller]
pub fn instance<K: Stored>(home: &'static Home<K>, create: fn() -> Result<K::Value, Infallible>) -> HandedBy<K> {
    home.cell().get_or_make(create)
}

/// The same by a future.
#[inline(always)]
pub fn instance_async<K: Stored, L>(home: &'static Home<K>, create: L) -> AwaitedInstance<K, L>
where
    L: Fn() -> Making<K::Value, Infallible>,
{
    AwaitedInstance(Awaited(Creating::new(home.cell(), create, ())))
}

/// `get()`.
#[inline(always)]
#[must_use]
pub fn existing<K: Stored>(home: &'static Home<K>) -> Option<HandedBy<K>> {
    home.cell().existing()
}

/// Where the factory cannot fail and there is no channel for a refusal.
///
/// # Panics
/// On a refusal; the message is its text.
#[inline(always)]
#[track_caller]
pub fn or_panic<H>(outcome: Result<H, CreateError<Infallible>>) -> H {
    match outcome {
        Ok(handed) => handed,
        Err(error) => refuse(error),
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse(error: CreateError<Infallible>) -> ! {
    panic!("{}", refusal(error))
}

fn refusal(error: CreateError<Infallible>) -> SingletonError {
    match error {
        CreateError::Factory(never) => match never {},
        CreateError::Refused(refused) => refused,
    }
}

/// Where the factory cannot fail.
///
/// # Errors
/// A refusal.
#[inline(always)]
pub fn or_refused<H>(outcome: Result<H, CreateError<Infallible>>) -> Result<H, SingletonError> {
    outcome.map_err(refusal)
}

/// Where the factory's error is boxed.
///
/// # Errors
/// The factory's error under the singleton's name, or a refusal.
#[inline(always)]
pub fn or_boxed<H>(name: &str, outcome: Result<H, CreateError<BoxError>>) -> Result<H, SingletonError> {
    outcome.map_err(|error| match error {
        CreateError::Factory(source) => SingletonError::factory(name, source),
        CreateError::Refused(refused) => refused,
    })
}

/// Calls a factory that cannot fail.
///
/// # Errors
/// None.
pub fn made<T, F: FnOnce() -> R, R: FactoryOutput<T>>(factory: F) -> Result<T, Infallible> {
    Ok(factory().given())
}

/// Calls a factory that can fail.
///
/// # Errors
/// The factory's own.
pub fn tried<T, F: FnOnce() -> R, R: TryFactoryOutput<T>>(factory: F) -> Result<T, BoxError> {
    factory().into_result()
}

/// Calls an async factory that cannot fail.
pub fn making<T, F, Fut>(factory: F) -> Making<T, Infallible>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output: FactoryOutput<T>> + Send + 'static,
{
    let made = factory();
    Box::pin(async move { Ok(made.await.given()) })
}

/// Calls an async factory that can fail.
pub fn trying<T, F, Fut>(factory: F) -> Making<T, BoxError>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output: TryFactoryOutput<T>> + Send + 'static,
{
    let made = factory();
    Box::pin(async move { made.await.into_result() })
}

/// The cell of a keyed declaration.
#[must_use]
pub const fn keyed_cell<K: Keyed>(
    descriptor: Descriptor,
    settings: &'static Settings<K::Value>,
    max_keys: usize,
    label: fn(&K::Key) -> String,
) -> KeyedHome<K> {
    KeyedHome::new(KeyedCell::new(descriptor, settings, max_keys, label))
}

/// The entry of a keyed cell in the link-time list.
#[must_use]
pub const fn listed_keyed<K: Keyed>(home: &'static KeyedHome<K>) -> Listed {
    Listed::singleton(home.cell())
}

/// The hot path of a keyed access alone.
#[inline]
pub fn keyed_hot<K: Keyed, Q: Query<K::Key>>(home: &'static KeyedHome<K>, query: &Q) -> Option<Arc<K::Value>> {
    home.cell().hot(query)
}

/// A keyed access that creates.
///
/// # Errors
/// The factory's error, or a refusal to run it.
#[inline]
pub fn keyed_get<K: Keyed, Q: Query<K::Key>, E>(
    home: &'static KeyedHome<K>,
    query: Q,
    create: impl FnOnce() -> Result<K::Value, E>,
    describe: impl FnOnce(&E) -> String,
) -> Result<Arc<K::Value>, CreateError<E>> {
    home.cell().get_or_create(query, create, describe)
}

/// A keyed access that creates by a future made of the key.
pub fn keyed_get_async<K: Keyed, Q: Query<K::Key>, E, L, D>(
    home: &'static KeyedHome<K>,
    query: Q,
    create: L,
    describe: D,
) -> impl Future<Output = Result<Arc<K::Value>, CreateError<E>>> + Send + use<K, Q, E, L, D>
where
    E: Send + 'static,
    L: Fn(K::Key) -> Making<K::Value, E> + Send + Sync,
    D: Fn(&E) -> String + Send + Sync,
{
    home.cell().get_or_create_async(query.to_key(), create, describe)
}

/// The cell of a function whose signature says `Self`.
#[must_use]
pub const fn erased_cell(descriptor: Descriptor) -> ErasedCell {
    ErasedCell::new(descriptor)
}

/// Its entry in the link-time list.
#[must_use]
pub const fn listed_erased(cell: &'static ErasedCell) -> Listed {
    Listed::singleton(cell)
}

/// An access to it.
///
/// # Errors
/// The factory's error, or a refusal to run it.
#[inline]
#[track_caller]
pub fn erased_get<T: SingletonValue, E>(
    cell: &'static ErasedCell,
    create: impl Fn() -> Result<T, E>,
    describe: fn(&E) -> String,
) -> Result<&'static T, CreateError<E>> {
    cell.get_or_create(create, describe)
}

/// The entry of a lazy static in the link-time list.
#[must_use]
pub const fn listed_lazy<T: SingletonValue>(lazy: &'static Lazy<T>) -> Listed {
    Listed::singleton(lazy.__cell())
}

/// Another singleton by its type, for `depends_on(Config)`.
#[must_use]
pub fn cell_of<T: Singleton>() -> &'static dyn AnySingleton {
    T::__cell().cell()
}

/// Another singleton by its function, for `depends_on(db)`: its name, as the compiler has it.
#[must_use]
pub fn name_of<F: SingletonFn<M>, M>(_: &F) -> &'static str {
    std::any::type_name::<F>()
}

/// Another singleton by its static, for `depends_on(POOL)`.
#[must_use]
pub fn cell_of_lazy<T: SingletonValue>(lazy: &'static Lazy<T>) -> &'static dyn AnySingleton {
    lazy.__cell()
}

//! The faces of a declared singleton: without its type for lists and the by-name core, with it for users.

use super::cell::{Ask, Asking, Cell};
use super::creation::Record;
use super::home::{Home, Mode};
use super::hooks::{HealthRun, HookResult, HookRun};
use super::output::SingletonValue;
use super::settings::Dependency;
use super::storage::{Storage, Storing};
use crate::clock::unix_seconds;
use crate::error::{Error, SingletonError};
use crate::instance::AnyInstance;
use crate::registry::{Descriptor, SingletonSnapshot};
use crate::scope::OverrideGuard;
use std::any::{Any, TypeId, type_name};

/// One instance's hook: its label and what it gives.
#[doc(hidden)]
pub type HookOf<R> = (String, Box<dyn FnOnce() -> R + Send>);

/// A declared singleton whose type is not known: what lists, reports and the by-name core work with.
#[doc(hidden)]
pub trait AnySingleton: std::fmt::Debug + Send + Sync {
    /// Who it is.
    fn descriptor(&self) -> &Descriptor;
    /// The full name of its type.
    fn type_name(&self) -> &'static str;
    /// Its type, once it is known.
    fn value_type(&self) -> Option<TypeId>;
    /// Its state and counts; keyed ones have one entry for themselves and one for each key.
    fn observe(&'static self) -> Vec<SingletonSnapshot>;
    /// Takes away what exists. Gives its number.
    fn delete_any(&'static self) -> usize;
    /// Takes one key's instance away.
    fn delete_key(&'static self, _key: &str) -> bool {
        false
    }
    /// What it was observed to use while it was created: the addresses of their descriptors.
    fn needs(&'static self) -> Vec<usize>;
    /// What it declares to use.
    fn dependencies(&self) -> &'static [Dependency] {
        &[]
    }
    /// Has it an instance?
    fn exists(&'static self) -> bool;

    /// The instance if it exists; never creates. `key` is empty but for keyed ones.
    fn existing_any(&'static self, key: &str) -> Option<AnyInstance>;
    /// The instance, created by its factory if need be; counted.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    fn ask_any(&'static self, key: &str) -> Result<Option<AnyInstance>, SingletonError>;
    /// As [`ask_any`](Self::ask_any), also where the factory is a future.
    fn ask_any_async(&'static self) -> Asking<AnyInstance>;
    /// The factory again.
    ///
    /// # Errors
    /// The factory's error, or why it was not run.
    fn reload_any(&'static self) -> Result<AnyInstance, SingletonError>;
    /// As [`reload_any`](Self::reload_any), also where the factory is a future.
    fn reload_any_async(&'static self) -> Asking<AnyInstance>;
    /// Puts `value` in the instance's place; gives what was there.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] when `value` has another type; nothing is changed then.
    fn replace_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<Option<AnyInstance>, Error>;
    /// Lets `value` stand in for the instance.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] when `value` has another type.
    fn override_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<OverrideGuard, Error>;

    /// Is `warm_up` to create it?
    fn is_eager(&self) -> bool {
        false
    }
    /// Is its factory a future?
    fn is_async(&self) -> bool {
        false
    }
    /// The failed creation and what made it fail, down to what failed first; empty after a success.
    fn failed_path(&'static self) -> Vec<String> {
        Vec::new()
    }
    /// Its place in the order of storing.
    fn order(&'static self) -> Option<u64> {
        None
    }
    /// Gives up a factory's future: only where nobody waits for it, or in any case.
    fn abandon(&'static self, _even_if_awaited: bool) {}
    /// Its shutdown hook, for each instance that exists.
    fn shutdown_hooks(&'static self) -> Vec<HookOf<HookRun>> {
        Vec::new()
    }
    /// Its reset hook.
    fn reset_hooks(&'static self) -> Vec<HookOf<HookResult>> {
        Vec::new()
    }
    /// Its pressure hook; gives the bytes it freed.
    fn pressure_hooks(&'static self) -> Vec<HookOf<usize>> {
        Vec::new()
    }
    /// Its health check.
    fn health_hooks(&'static self) -> Vec<HookOf<HealthRun>> {
        Vec::new()
    }
}

pub(super) fn mismatch(name: &str, expected: &'static str, found: &'static str) -> Error {
    Error::TypeMismatch { name: name.to_owned(), expected, found }
}

impl<T: SingletonValue, S: Storing<T>> Cell<T, S> {
    fn typed(&self, value: Box<dyn Any + Send + Sync>, found: &'static str) -> Result<T, Error> {
        // It holds a `T`, and `found` was offered.
        value.downcast::<T>().map(|value| *value).map_err(|_| mismatch(self.descriptor.name(), found, type_name::<T>()))
    }

    fn hook<R>(&'static self, hook: Option<impl FnOnce(S::Owned) -> R + Send + 'static>) -> Vec<HookOf<R>> {
        let run = hook.zip(self.owned()).map(|(hook, instance)| {
            let run: Box<dyn FnOnce() -> R + Send> = Box::new(move || hook(instance));
            (self.descriptor.name().to_owned(), run)
        });
        run.into_iter().collect()
    }
}

impl<T: SingletonValue, S: Storing<T>> AnySingleton for Cell<T, S> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn type_name(&self) -> &'static str {
        type_name::<T>()
    }

    fn value_type(&self) -> Option<TypeId> {
        Some(TypeId::of::<T>())
    }

    fn observe(&'static self) -> Vec<SingletonSnapshot> {
        vec![self.look().snapshot(&self.descriptor, type_name::<T>(), size_of::<T>())]
    }

    fn delete_any(&'static self) -> usize {
        usize::from(self.put(None).is_some())
    }

    fn needs(&'static self) -> Vec<usize> {
        self.resolve().creation.record().needs()
    }

    fn dependencies(&self) -> &'static [Dependency] {
        self.settings().depends_on
    }

    fn exists(&'static self) -> bool {
        self.owned().is_some()
    }

    fn existing_any(&'static self, key: &str) -> Option<AnyInstance> {
        if key.is_empty() { self.owned().map(|instance| S::instance(instance).into_any()) } else { None }
    }

    fn ask_any(&'static self, key: &str) -> Result<Option<AnyInstance>, SingletonError> {
        if key.is_empty() { self.ask().map(|instance| Some(instance.into_any())) } else { Ok(None) }
    }

    fn ask_any_async(&'static self) -> Asking<AnyInstance> {
        let asked = self.ask_async();
        Box::pin(async move { asked.await.map(crate::instance::Instance::into_any) })
    }

    fn reload_any(&'static self) -> Result<AnyInstance, SingletonError> {
        self.reload().map(crate::instance::Instance::into_any)
    }

    fn reload_any_async(&'static self) -> Asking<AnyInstance> {
        let reloaded = self.reload_async();
        Box::pin(async move { reloaded.await.map(crate::instance::Instance::into_any) })
    }

    fn replace_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<Option<AnyInstance>, Error> {
        Ok(self.put(Some(self.typed(value, found)?)).map(|old| S::instance(old).into_any()))
    }

    fn override_any(
        &'static self,
        value: Box<dyn Any + Send + Sync>,
        found: &'static str,
    ) -> Result<OverrideGuard, Error> {
        Ok(self.override_with(self.typed(value, found)?))
    }

    fn is_eager(&self) -> bool {
        self.settings().eager
    }

    fn is_async(&self) -> bool {
        matches!(self.ask_kind(), Ask::Async(_))
    }

    fn failed_path(&'static self) -> Vec<String> {
        self.resolve().creation.record().failed_path.iter().map(ToString::to_string).collect()
    }

    fn order(&'static self) -> Option<u64> {
        self.resolve().creation.order()
    }

    fn abandon(&'static self, even_if_awaited: bool) {
        self.resolve().creation.abandon(even_if_awaited);
    }

    fn shutdown_hooks(&'static self) -> Vec<HookOf<HookRun>> {
        self.hook(self.settings().shutdown.map(|hook| move |instance| hook(S::forever(instance))))
    }

    fn reset_hooks(&'static self) -> Vec<HookOf<HookResult>> {
        self.hook(self.settings().reset.map(|hook| move |instance: S::Owned| hook(&instance)))
    }

    fn pressure_hooks(&'static self) -> Vec<HookOf<usize>> {
        self.hook(self.settings().pressure.map(|hook| move |instance: S::Owned| hook(&instance)))
    }

    fn health_hooks(&'static self) -> Vec<HookOf<HealthRun>> {
        let lasting = self.settings().health.map(|hook| move |instance| hook(S::forever(instance)));
        let passing = self.settings().health_ref.map(|hook| move |instance: S::Owned| HealthRun::Done(hook(&instance)));
        let mut all = self.hook(lasting);
        all.extend(self.hook(passing));
        all
    }
}

/// What a singleton looks like at one moment, declared or by name.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) created: bool,
    pub(super) accesses: u64,
    pub(super) retired: u64,
    pub(super) retired_bytes: u64,
    /// What its `memory` hook says.
    pub(super) heap: Option<usize>,
    pub(super) eager: bool,
    /// What it says it depends on.
    pub(super) declared: &'static [Dependency],
    pub(super) record: Record,
}

impl Seen {
    pub(super) fn snapshot(self, descriptor: &Descriptor, type_name: &str, size: usize) -> SingletonSnapshot {
        let record = self.record;
        let mut depends_on: Vec<String> = record.depends_on.into_iter().map(|other| other.name.into_owned()).collect();
        for other in self.declared.iter().filter_map(|find| crate::process::resolve(find())) {
            let name = other.descriptor().name();
            if !depends_on.iter().any(|known| known == name) {
                depends_on.push(name.to_owned());
            }
        }
        SingletonSnapshot {
            name: descriptor.name().to_owned(),
            path: descriptor.path(),
            declared_at: descriptor.declared_at(),
            type_name: short_type_name(type_name),
            created: self.created,
            eager: self.eager,
            accesses: self.accesses,
            created_at: record.created_at.map(unix_seconds),
            began_us: record.began.map(|began| began.as_nanos() / 1000),
            creation_us: record.took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
            order: record.order,
            thread: record.thread,
            asked_by: record.asked_by,
            depends_on,
            failures: record.failures,
            last_error: record.last_error,
            retired: self.retired,
            retired_bytes: self.retired_bytes,
            size,
            heap: self.heap,
            keys: None,
            unkept: 0,
        }
    }
}

/// A type's name without the modules, with its generics: `alloc::vec::Vec<u8>` -> `Vec<u8>`.
pub(super) fn short_type_name(full: &str) -> String {
    if !full.contains("::") {
        return full.to_owned();
    }
    let mut short = String::with_capacity(full.len());
    let mut word = String::new();
    let mut rest = full.chars().peekable();
    while let Some(c) = rest.next() {
        if c == ':' && rest.peek() == Some(&':') {
            rest.next();
            word.clear();
        } else if c.is_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            short.push_str(&word);
            word.clear();
            short.push(c);
        }
    }
    short + &word
}

/// A type that `#[singleton]` made a lazy singleton.
///
/// The accessors are inherent too, so that no import is needed for them; this trait carries what is done less often, and serves
/// generic code. What it hands out is `&'static Self`, or [`Current<Self>`](crate::Current) for the `swap` kind.
///
/// ```
/// use lifecycle::{Singleton, singleton};
///
/// #[singleton]
/// #[derive(Default)]
/// struct Cache;
///
/// assert!(!Cache::is_created());
/// Cache::instance();
/// assert_eq!(Cache::stats().accesses, 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a singleton",
    label = "has no `#[singleton]`",
    note = "put `#[singleton]` on the type"
)]
pub trait Singleton: SingletonValue + Sized {
    /// How instances are kept: for ever, or until replaced.
    #[doc(hidden)]
    type Mode: Mode<Self>;

    #[doc(hidden)]
    fn __cell() -> &'static Home<Self>;

    /// The instance if it exists: never creates, never waits, is not counted.
    ///
    /// ```
    /// # use lifecycle::{Singleton, singleton};
    /// # #[singleton]
    /// # #[derive(Default, PartialEq, Debug)]
    /// # struct Hits(u32);
    /// assert!(Hits::get().is_none());
    /// Hits::instance();
    /// assert!(Hits::get().is_some());
    /// ```
    #[must_use]
    fn get() -> Option<Handed<Self>> {
        Self::__cell().cell().existing()
    }

    /// Does an instance exist?
    ///
    /// ```
    /// # use lifecycle::{Singleton, singleton};
    /// # #[singleton]
    /// # #[derive(Default, PartialEq, Debug)]
    /// # struct Hits(u32);
    /// assert!(!Hits::is_created());
    /// Hits::instance();
    /// assert!(Hits::is_created());
    /// ```
    #[must_use]
    fn is_created() -> bool {
        Self::__cell().cell().exists()
    }

    /// Puts `value` in the instance's place; gives the replaced one. Counts start again at zero.
    ///
    /// A replaced `&'static` instance stays allocated for ever and is reported as retired; one of the `swap` kind is freed
    /// with its last holder.
    ///
    /// ```
    /// # use lifecycle::{Singleton, singleton};
    /// # #[singleton]
    /// # #[derive(Default, PartialEq, Debug)]
    /// # struct Hits(u32);
    /// let first: &'static Hits = Hits::instance();
    /// let old = Hits::replace(Hits(7));
    /// assert_eq!((old, Hits::instance()), (Some(first), &Hits(7)));
    /// ```
    fn replace(value: Self) -> Option<Owned<Self>> {
        Self::__cell().cell().put(Some(value))
    }

    /// Takes the instance away: the next access runs the factory again. Gives false when there is none.
    ///
    /// A `&'static` instance stays allocated for ever and is reported as retired.
    ///
    /// ```
    /// # use lifecycle::{Singleton, singleton};
    /// # #[singleton]
    /// # #[derive(Default, PartialEq, Debug)]
    /// # struct Hits(u32);
    /// Hits::replace(Hits(7));
    /// assert!(Hits::delete() && !Hits::delete());
    /// assert_eq!(Hits::instance(), &Hits(0));
    /// ```
    fn delete() -> bool {
        Self::__cell().cell().put(None).is_some()
    }

    /// Runs the factory again and puts its value in the instance's place, if it succeeds; readers go on with the old one
    /// meanwhile.
    ///
    /// ```
    /// use lifecycle::{Singleton, singleton};
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    ///
    /// static VERSION: AtomicU32 = AtomicU32::new(1);
    ///
    /// #[singleton(swap, factory = || Secret(VERSION.load(Relaxed)))]
    /// struct Secret(u32);
    ///
    /// assert_eq!(Secret::current().0, 1);
    /// VERSION.store(2, Relaxed);
    /// Secret::reload()?;
    /// assert_eq!(Secret::current().0, 2);
    /// # Ok::<(), lifecycle::SingletonError>(())
    /// ```
    ///
    /// # Errors
    /// The factory's error, and the instance stays; [`SingletonError::NeedsAsync`] for an async factory.
    fn reload() -> Result<(), SingletonError> {
        Self::__cell().cell().reload().map(drop)
    }

    /// [`reload`](Self::reload), also for an async factory.
    ///
    /// ```
    /// # use lifecycle::{Singleton, singleton};
    /// #[singleton(swap, async_factory = || async { Secret("s3cret") })]
    /// struct Secret(&'static str);
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// assert_eq!(Secret::current().await.0, "s3cret");
    /// Secret::reload_async().await?;
    /// # Ok::<(), lifecycle::SingletonError>(()) })?;
    /// # Ok::<(), lifecycle::SingletonError>(())
    /// ```
    ///
    /// # Errors
    /// The factory's error, and the instance stays.
    fn reload_async() -> impl Future<Output = Result<(), SingletonError>> + Send {
        async { Self::__cell().cell().reload_async().await.map(drop) }
    }

    /// Lets `value` stand in for the instance until the guard is dropped: in the test world this runs in, else on this thread.
    /// Inside a captured [`Context`](crate::Context) that is the world or thread it was captured from.
    ///
    /// Outside a test world, what other singletons make of it while it stands in is made for the whole process and stays.
    ///
    /// The value stays allocated for ever if references to it are `'static`.
    ///
    /// ```
    /// # use lifecycle::{Singleton, singleton};
    /// # #[singleton]
    /// # #[derive(Default, PartialEq, Debug)]
    /// # struct Hits(u32);
    /// let stand_in = Hits::override_with(Hits(7));
    /// assert_eq!(Hits::instance(), &Hits(7));
    /// drop(stand_in);
    /// assert_eq!(Hits::instance(), &Hits(0));
    /// ```
    fn override_with(value: Self) -> OverrideGuard {
        Self::__cell().cell().override_with(value)
    }

    /// State and counts.
    ///
    /// ```
    /// # use lifecycle::{Singleton, singleton};
    /// # #[singleton]
    /// # #[derive(Default, PartialEq, Debug)]
    /// # struct Hits(u32);
    /// Hits::instance();
    /// Hits::instance();
    /// let stats = Hits::stats();
    /// assert!(stats.created && stats.accesses == 2 && stats.failures == 0);
    /// ```
    #[must_use]
    fn stats() -> SingletonSnapshot {
        Self::__cell().cell().look().snapshot(
            Self::__cell().cell().descriptor(),
            type_name::<Self>(),
            size_of::<Self>(),
        )
    }
}

/// What a singleton type hands out.
///
/// ```
/// use lifecycle::{Singleton, singleton, singleton::Handed};
///
/// #[singleton]
/// #[derive(Default)]
/// struct Fixed;
///
/// #[singleton(swap)]
/// #[derive(Default)]
/// struct Swapped;
///
/// Fixed::instance();
/// Swapped::current();
/// let fixed: Option<Handed<Fixed>> = Fixed::get(); // a `&'static Fixed`
/// let swapped: Option<Handed<Swapped>> = Swapped::get(); // a `Current<Swapped>`
/// assert!(fixed.is_some() && swapped.is_some());
/// ```
pub type Handed<T> = <<T as Singleton>::Mode as Mode<T>>::Handed;

/// A shared owner of a singleton type's instance.
///
/// ```
/// use lifecycle::{Singleton, singleton, singleton::Owned};
///
/// #[singleton(swap, factory = || Limit(10))]
/// struct Limit(u32);
///
/// Limit::current();
/// let before: Option<Owned<Limit>> = Limit::replace(Limit(20)); // an `Arc<Limit>`
/// assert_eq!(before.unwrap().0, 10);
/// ```
pub type Owned<T> = <<<T as Singleton>::Mode as Mode<T>>::Of as Storage<T>>::Owned;

//! The faces of a declared singleton: [`Singleton`] for users, and what it looks like at one moment.

use super::any::AnySingleton;
use super::creation::Record;
use super::home::{Home, Mode};
use super::output::SingletonValue;
use super::settings::Dependency;
use super::storage::Storage;
use crate::clock::unix_seconds;
use crate::error::SingletonError;
use crate::registry::{Descriptor, SingletonSnapshot};
use crate::scope::OverrideGuard;
use std::any::type_name;

/// What a singleton looks like at one moment, declared or by name.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) created: bool,
    pub(super) accesses: u64,
    /// Of what lives for an invocation: instances in all of them.
    pub(super) alive: Option<usize>,
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
        let mut depends_on: Vec<String> = record.depends_on.into_iter().map(|other| other.name.to_string()).collect();
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
            alive: self.alive,
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
    ///
    /// # Panics
    /// For one with `scope = invocation`, outside of any invocation.
    #[track_caller]
    fn replace(value: Self) -> Option<Owned<Self>> {
        Self::__cell().cell().put_or_panic(value)
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
        Self::__cell().cell().take().is_some()
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
    /// Inside a captured [`Context`](crate::Context) that is the world or thread it was captured from. One with
    /// `scope = invocation` is stood in for in the invocation this runs in, if it runs in one.
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

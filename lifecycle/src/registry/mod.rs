//! What is declared and what exists: one list for all kinds.
//!
//! A component gets on it at link time (`inventory`) and again when it is first used, so that nothing depends on the linker
//! for correctness. The list holds references to statics; it never creates, calls or drops anything of the user's.

mod by_name;
mod index;
mod labels;
mod snapshot;
mod table;

pub(crate) use by_name::{declared_breaker, not_found};
pub(crate) use index::register;
pub(crate) use labels::labels;

pub use by_name::{breaker, flag, keyed_breaker, keyed_limiter, limiter};
pub use snapshot::{
    BreakerRates, BreakerSnapshot, BreakerStatistics, FlagSnapshot, InitializationSnapshot, InvocationsSnapshot,
    KeyedSnapshot, LimiterSnapshot, SettingSnapshot, SingletonSnapshot, Snapshot, snapshot,
};

use crate::breaker::{CircuitBreaker, KeyedCircuitBreaker};
use crate::error::Error;
use crate::flag::AnyFlag;
use crate::limiter::{KeyedRateLimiter, RateLimiter};
use crate::name::{Name, SHARED, in_brackets};
use crate::scope::Subject;
use crate::singleton::{AnySingleton, Needs, SingletonCell};
use std::sync::Arc;

/// The four kinds of components.
///
/// ```
/// use lifecycle::{CircuitBreaker, Kind};
///
/// let breaker = CircuitBreaker::builder("db").build()?;
/// assert_eq!(breaker.descriptor().kind(), Kind::Breaker);
/// assert_eq!(Kind::Breaker.as_str(), "circuit breaker");
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `#[singleton]`
    Singleton,
    /// `#[circuit_breaker]`
    Breaker,
    /// `#[rate_limit]`
    Limiter,
    /// `#[init_flag]`
    Flag,
}

impl Kind {
    /// The kind in words, for messages: see [`Kind`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Singleton => "singleton",
            Self::Breaker => "circuit breaker",
            Self::Limiter => "rate limiter",
            Self::Flag => "flag",
        }
    }
}

/// Who a component is: its name and the place of its declaration.
///
/// ```
/// use lifecycle::{Kind, registry::Descriptor};
///
/// #[lifecycle::init_flag(name = "described")]
/// static DESCRIBED: lifecycle::Flag<bool> = true;
///
/// let who: &Descriptor = lifecycle::flag("described")?.descriptor();
/// assert_eq!((who.kind(), who.name()), (Kind::Flag, "described"));
/// assert_eq!(who.path(), format!("{}::described", module_path!()));
/// assert!(who.declared_at().starts_with(file!()) && who.declared_at().contains(':')); // file:line
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug)]
pub struct Descriptor {
    kind: Kind,
    name: Name,
    module: &'static str,
    file: &'static str,
    line: u32,
    /// The name of the function it is declared in, which is its item.
    inside: Option<fn() -> &'static str>,
}

impl Descriptor {
    /// Describes a declared component: for expansions.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(kind: Kind, name: &'static str, module: &'static str, file: &'static str, line: u32) -> Self {
        Self { kind, name: Name::from_static(name), module, file, line, inside: None }
    }

    /// Describes a component made at run time.
    pub(crate) const fn dynamic(kind: Kind, name: Name) -> Self {
        Self { kind, name, module: "", file: "", line: 0, inside: None }
    }

    /// Describes one key of a family that this describes.
    pub(crate) fn at_key(&self, key: &dyn std::fmt::Display) -> Self {
        self.in_brackets(&in_brackets(key))
    }

    /// Describes what keys without room share.
    pub(crate) fn of_shared(&self) -> Self {
        self.in_brackets(SHARED)
    }

    fn in_brackets(&self, text: &str) -> Self {
        Self { name: Name::from(format!("{}[{text}]", self.name)), inside: None, ..*self }
    }

    /// Declared by a function: its name with all that it is in. For expansions.
    #[doc(hidden)]
    #[must_use]
    pub const fn inside(mut self, function: fn() -> &'static str) -> Self {
        self.inside = Some(function);
        self
    }

    /// The name of the function that declares it, as the compiler knows it.
    pub(crate) fn function(&self) -> Option<&'static str> {
        self.inside.map(|function| function())
    }

    /// The kind. [`Descriptor`] has an example for this and the others.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The short name: see [`Descriptor`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name as errors carry it: without a copy for declared components.
    pub(crate) fn shared_name(&self) -> Name {
        self.name.clone()
    }

    /// `module::name`, unique unless one module declares a name twice; the name alone for components made at run time. See
    /// [`Descriptor`].
    #[must_use]
    pub fn path(&self) -> String {
        if self.module.is_empty() { self.name().to_owned() } else { format!("{}::{}", self.module, self.name) }
    }

    /// `file:line` of the declaration; empty for components made at run time. See [`Descriptor`].
    #[must_use]
    pub fn declared_at(&self) -> String {
        if self.file.is_empty() { String::new() } else { format!("{}:{}", self.file, self.line) }
    }

    pub(crate) fn subject(&self) -> Subject {
        Subject { name: self.name.clone(), place: (self.file, self.line), key: std::ptr::from_ref(self).addr() }
    }
}

/// A declared component, of any kind.
#[derive(Clone, Copy)]
pub(crate) enum Component {
    Singleton(&'static dyn AnySingleton),
    Breaker(&'static CircuitBreaker),
    KeyedBreaker(&'static KeyedCircuitBreaker),
    Limiter(&'static RateLimiter),
    KeyedLimiter(&'static KeyedRateLimiter),
    Flag(&'static dyn AnyFlag),
    /// `#[init_flag]` on a function: a flag by its kind, and a singleton of `()` to all who create and order.
    Step(&'static SingletonCell<()>),
}

impl Component {
    /// As what is created: a singleton or a step.
    pub(crate) fn created(self) -> Option<&'static dyn AnySingleton> {
        match self {
            Self::Singleton(singleton) => Some(singleton),
            Self::Step(step) => Some(step),
            _ => None,
        }
    }

    /// As a flag.
    pub(crate) fn flag(self) -> Option<&'static dyn AnyFlag> {
        match self {
            Self::Flag(flag) => Some(flag),
            Self::Step(step) => Some(step),
            _ => None,
        }
    }

    pub(crate) fn descriptor(&self) -> &'static Descriptor {
        match self {
            Self::Singleton(singleton) => singleton.descriptor(),
            Self::Breaker(breaker) => breaker.descriptor(),
            Self::KeyedBreaker(family) => family.descriptor(),
            Self::Limiter(limiter) => limiter.descriptor(),
            Self::KeyedLimiter(family) => family.descriptor(),
            Self::Flag(flag) => flag.descriptor(),
            Self::Step(step) => AnySingleton::descriptor(*step),
        }
    }
}

/// A component on the link-time list.
#[doc(hidden)]
pub struct Listed(Component, Option<Dispatch>);

/// A guarded function that may be called by name.
type Dispatch = fn() -> Result<serde_json::Value, String>;

impl Listed {
    #[must_use]
    pub const fn singleton(singleton: &'static dyn AnySingleton) -> Self {
        Self(Component::Singleton(singleton), None)
    }

    #[must_use]
    pub const fn breaker(breaker: &'static CircuitBreaker) -> Self {
        Self(Component::Breaker(breaker), None)
    }

    /// With the function it guards, which may be called by name.
    #[must_use]
    pub const fn breaker_with(breaker: &'static CircuitBreaker, call: Dispatch) -> Self {
        Self(Component::Breaker(breaker), Some(call))
    }

    #[must_use]
    pub const fn keyed_breaker(family: &'static KeyedCircuitBreaker) -> Self {
        Self(Component::KeyedBreaker(family), None)
    }

    #[must_use]
    pub const fn limiter(limiter: &'static RateLimiter) -> Self {
        Self(Component::Limiter(limiter), None)
    }

    #[must_use]
    pub const fn keyed_limiter(family: &'static KeyedRateLimiter) -> Self {
        Self(Component::KeyedLimiter(family), None)
    }

    #[must_use]
    pub const fn flag(flag: &'static dyn AnyFlag) -> Self {
        Self(Component::Flag(flag), None)
    }

    #[must_use]
    pub const fn step(step: &'static SingletonCell<()>) -> Self {
        Self(Component::Step(step), None)
    }
}

inventory::collect!(Listed);

/// The function behind a declared breaker, if it may be called by name.
pub(crate) fn dispatch(breaker: &CircuitBreaker) -> Option<Dispatch> {
    let mut listed = inventory::iter::<Listed>.into_iter();
    listed.find_map(|Listed(component, call)| match component {
        Component::Breaker(one) if std::ptr::eq(*one, breaker) => *call,
        _ => None,
    })
}

/// All declared components, each once, in a stable order: by kind, then module, file and line.
pub(crate) fn components() -> Arc<[Component]> {
    index::with(|index| index.all.clone())
}

/// Those of the declared components that `pick` knows.
pub(crate) fn declared<R>(pick: impl Fn(Component) -> Option<R>) -> Vec<R> {
    components().iter().filter_map(|component| pick(*component)).collect()
}

/// The declared component of that kind and name: the short name while it is unambiguous, else `module::name`.
pub(crate) fn find(kind: Kind, name: &str) -> Result<Option<Component>, Error> {
    index::with(|index| match index.named(kind, name) {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => Err(ambiguous(name, several.iter().map(Component::descriptor))),
    })
}

/// The declared singleton of that name, if it is the only one: what [`find`] finds mostly. In two registers; with an error beside it
/// it would be handed over in memory, which costs more than the look-up.
#[inline(never)]
pub(crate) fn only_singleton(name: &str) -> Option<&'static dyn AnySingleton> {
    index::with(|index| match index.named(Kind::Singleton, name) {
        [Component::Singleton(one)] => Some(*one),
        _ => None,
    })
}

pub(crate) fn ambiguous<'a>(name: &str, several: impl Iterator<Item = &'a Descriptor>) -> Error {
    let place = |descriptor: &Descriptor| format!("{} ({})", descriptor.path(), descriptor.declared_at());
    Error::Ambiguous { name: name.to_owned(), candidates: several.map(place).collect() }
}

/// What is wrong with the declarations: names declared more than once within a kind, and a `depends_on` that names nothing;
/// flags whose environment variable cannot be used; and what is wrong with the [settings](crate::settings) in force: values that are left out, names that may be slips.
/// Names declared more than once are reachable by `module::name`, unless that is shared too, as by two
/// methods of one name in one file: give one of them a `name = ".."`.
///
/// ```
/// use lifecycle::{Rejected, circuit_breaker};
///
/// mod inner {
///     #[lifecycle::circuit_breaker(name = "twice")]
///     pub fn one() -> Result<(), lifecycle::Rejected> { Ok(()) }
/// }
///
/// #[circuit_breaker(name = "twice")]
/// fn other() -> Result<(), Rejected> { Ok(()) }
///
/// // In a test: `assert!(lifecycle::verify().is_empty())`, which prints what is wrong.
/// let wrong: Vec<String> = lifecycle::verify().iter().map(ToString::to_string).collect();
/// assert!(wrong.iter().any(|text| text.starts_with("`twice` is declared more than once: ")));
/// ```
#[must_use]
pub fn verify() -> Vec<Error> {
    let mut by_name = std::collections::BTreeMap::<(Kind, &str), Vec<&Descriptor>>::new();
    for component in components().iter() {
        let descriptor = component.descriptor();
        by_name.entry((descriptor.kind, descriptor.name())).or_default().push(descriptor);
    }
    let several = by_name.into_iter().filter(|(_, all)| all.len() > 1);
    let mut errors: Vec<Error> = several.map(|((_, name), all)| ambiguous(name, all.into_iter())).collect();
    let dependencies = declared(|component| component.created().map(AnySingleton::dependencies));
    for needs in dependencies.into_iter().flatten().map(|find| find()) {
        if let (Needs::Function(name) | Needs::Name(name), None) = (needs, crate::process::resolve(needs)) {
            errors.push(not_found(Kind::Singleton, name));
        }
    }
    errors.extend(declared(Component::flag).into_iter().filter_map(AnyFlag::__problem));
    errors.extend(crate::settings::problems().into_iter().map(|problem| Error::IgnoredSetting { problem }));
    errors
}

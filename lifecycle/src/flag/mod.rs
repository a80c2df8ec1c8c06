//! Typed flags: a default in the code, an environment variable over it, `set` over both, an override over all.
//!
//! Reading one is a load and a branch: the value sits encoded in one atomic word, or, a text, behind one atomic pointer. `value`
//! says what a type needs for that, `word` and `text` have it; `state` is what readers look at and what is behind it, `published`
//! when readers may take that as it is, `any` the flag as the by-name face sees it, this file [`Flag`] itself.

mod any;
mod published;
mod state;
mod text;
mod value;
mod word;

pub use any::AnyFlag;
pub(crate) use any::shortened;
pub(crate) use published::hide_all;
pub use value::FlagValue;
#[doc(hidden)]
pub use word::FlagEnum;

/// What the impls for types that go into a word name, here and in expansions.
#[doc(hidden)]
pub mod in_word {
    pub use super::value::sealed::Sealed;
    pub use super::word::{InWord, Word, encoded, read};
    pub use serde_json::Value;
}

use crate::error::caught;
use crate::listeners::ListenerId;
use crate::name::Name;
use crate::registry::{self, Component, Descriptor, Kind};
use crate::scope::{self, OverrideGuard, Scoped, StateRef};
use crate::telemetry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use state::{FlagState, Sourced};
use std::sync::Arc;

/// A flag of type `T`, in a static.
///
/// ```
/// use lifecycle::{Flag, init_flag};
///
/// #[init_flag(env = "DOC_USE_CACHE")]
/// static USE_CACHE: Flag<bool> = true;
///
/// assert!(USE_CACHE.get());
/// assert_eq!(USE_CACHE.source().as_str(), "default");
/// let old = USE_CACHE.set(false);
/// assert_eq!((old, USE_CACHE.get()), (true, false));
/// ```
///
/// An override (in tests) counts more than what was [`set`](Self::set), that more than the environment variable, and that
/// more than the default. The variable is read once, by the first look at the flag; if it holds no value of the flag's type,
/// a warning says so and the default holds. What types there are and how they are written: [`FlagValue`].
///
/// A flag can be read from the beginning: before [`initialize`](crate::initialize) it has the value it has after it, which
/// touches no flag; there is no "not initialized" that a read could fail with. Whether a value is more than the default is told by
/// [`source`](Self::source), and by name a flag that nobody declared or set is `None`.
///
/// In a test world ([`testing::isolated`](crate::testing)) a declared flag starts at its default, whatever the environment
/// says, and what is set there stays there.
///
/// A flag declared `secret` shows its value to those who have the static and to nobody else: not by name, in the snapshot, in
/// events, or in `Debug`.
///
/// A flag orders no other memory accesses: it tells what to do, not that something has been done.
pub struct Flag<T: FlagValue> {
    state: Scoped<FlagState<T>>,
    default: T::Init,
    descriptor: Descriptor,
    env: Option<&'static str>,
    secret: bool,
    /// How a declared flag puts itself on the list.
    me: Option<fn() -> &'static dyn AnyFlag>,
}

/// Where a flag's value comes from.
///
/// ```
/// use lifecycle::flag::{Flag, FlagSource};
///
/// static DRY_RUN: Flag<bool> = Flag::new(false);
/// assert_eq!(DRY_RUN.source(), FlagSource::Default);
/// DRY_RUN.set(true);
/// assert_eq!(DRY_RUN.source(), FlagSource::Set);
/// {
///     let _guard = DRY_RUN.override_with(false);
///     assert_eq!(DRY_RUN.source(), FlagSource::Override);
/// }
/// DRY_RUN.reset();
/// assert_eq!(DRY_RUN.source().as_str(), "default");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FlagSource {
    /// The declaration.
    #[serde(rename = "default")]
    Default,
    /// The environment variable.
    #[serde(rename = "env")]
    Env,
    /// The declaration, since the environment variable holds no value of the flag's type.
    #[serde(rename = "default (env invalid)")]
    EnvInvalid,
    /// [`Flag::set`], or the same by name.
    #[serde(rename = "set")]
    Set,
    /// [`Flag::override_with`].
    #[serde(rename = "override")]
    Override,
    /// A step (`#[init_flag]` on a function): true once it has run.
    #[serde(rename = "step")]
    Step,
}

impl FlagSource {
    /// The source in words, as in the snapshot: see [`FlagSource`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Env => "env",
            Self::EnvInvalid => "default (env invalid)",
            Self::Set => "set",
            Self::Override => "override",
            Self::Step => "step",
        }
    }
}

impl std::fmt::Display for FlagSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a declaration gives, by the flag's type: so that one of another type is told of where it stands.
#[doc(hidden)]
pub trait DeclaredFlag {
    type Default;
}

impl<T: FlagValue> DeclaredFlag for Flag<T> {
    type Default = T::Init;
}

/// A declared flag. `me` gives the static it stands in. No method: where the type is none for a flag, the compiler says so of the
/// type, and not also that such a flag has no such method.
#[doc(hidden)]
#[must_use]
pub const fn declared<T: FlagValue>(
    default: T::Init,
    descriptor: Descriptor,
    env: Option<&'static str>,
    secret: bool,
    me: fn() -> &'static dyn AnyFlag,
) -> Flag<T> {
    Flag { state: Scoped::declared(FlagState::new()), default, descriptor, env, secret, me: Some(me) }
}

impl<T: FlagValue> Flag<T> {
    /// A flag without a name: it works, but nobody finds it by name and the snapshot does not show it. In test worlds, too,
    /// it has the one value. `#[init_flag]` declares one that is listed and isolated.
    ///
    /// ```
    /// static VERBOSE: lifecycle::Flag<bool> = lifecycle::Flag::new(false);
    /// VERBOSE.set(true);
    /// assert!(VERBOSE.get());
    /// ```
    #[must_use]
    pub const fn new(default: T::Init) -> Self {
        let descriptor = Descriptor::dynamic(Kind::Flag, Name::from_static("flag"));
        Self { state: Scoped::owned(FlagState::new()), default, descriptor, env: None, secret: false, me: None }
    }

    /// Its value: see [`Flag`] for an example.
    #[inline(always)]
    pub fn get(&self) -> T::Given {
        // No look at `scope::quiet`: see `published`.
        match self.state.process().shown() {
            Some(value) => value,
            None => self.get_slow(),
        }
    }

    #[cold]
    #[inline(never)]
    fn get_slow(&self) -> T::Given {
        let held = self.current().0;
        if scope::quiet() {
            published::publish(self.state.process(), self.me.map(|me| me()));
        }
        T::__give(&held)
    }

    /// Sets it, and gives the value it had before. An override in force goes on hiding both.
    ///
    /// ```
    /// static RETRIES: lifecycle::Flag<u32> = lifecycle::Flag::new(3);
    /// let guard = RETRIES.override_with(0);
    /// assert_eq!(RETRIES.set(5), 3); // what was set, or the default; not the override
    /// assert_eq!(RETRIES.get(), 0);
    /// drop(guard);
    /// assert_eq!(RETRIES.get(), 5);
    /// ```
    pub fn set(&self, value: T) -> T::Given {
        T::__give(&self.replace(value.__hold()).held)
    }

    /// Calls `listener` with the old value and the new one after each change by [`set`](Self::set) or [`reset`](Self::reset), here
    /// or by name, with no lock held: it may do what it likes to this flag. Its panics end with it. Changes at the same time may
    /// be told in any order; overrides are not told of. In a test world it hears of that world's changes.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    ///
    /// static LIMIT: lifecycle::Flag<u32> = lifecycle::Flag::new(10);
    /// static RAISED: AtomicU32 = AtomicU32::new(0);
    ///
    /// let listener = LIMIT.on_change(|old, new| _ = RAISED.fetch_add(new - old, Relaxed));
    /// LIMIT.set(15);
    /// assert_eq!(RAISED.load(Relaxed), 5);
    /// assert!(LIMIT.remove_listener(listener));
    /// ```
    pub fn on_change(&self, listener: impl Fn(T::Given, T::Given) + Send + Sync + 'static) -> ListenerId {
        self.state().listeners.add(Arc::new(listener))
    }

    /// Removes a listener; false when it is none of this flag's. See [`on_change`](Self::on_change) for an example.
    pub fn remove_listener(&self, id: ListenerId) -> bool {
        self.state().listeners.remove(id)
    }

    /// Takes back what was set: the environment variable, read anew, or else the default holds again.
    ///
    /// ```
    /// static RETRIES: lifecycle::Flag<u32> = lifecycle::Flag::new(3);
    /// RETRIES.set(5);
    /// RETRIES.reset();
    /// assert_eq!(RETRIES.get(), 3);
    /// ```
    pub fn reset(&self) {
        if let Some(tell) = self.take_back() {
            tell();
        }
    }

    /// The first part of a reset, which tells nobody; calling what it gives does.
    fn take_back(&self) -> Option<impl FnOnce() + '_> {
        let old = self.state().clear()?;
        Some(move || self.tell_change(&old.held, &self.settled().held, "reset"))
    }

    /// Where its value comes from: see [`FlagSource`].
    #[must_use]
    pub fn source(&self) -> FlagSource {
        self.current().1
    }

    /// Its name; `flag` for one that is not declared.
    ///
    /// ```
    /// #[lifecycle::init_flag]
    /// static READ_ONLY: lifecycle::Flag<bool> = false;
    ///
    /// assert_eq!(READ_ONLY.name(), "read_only");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        self.descriptor.name()
    }

    /// Lets it have `value` on this thread, or in the test world this code runs in, until the guard is dropped.
    ///
    /// ```
    /// static DRY_RUN: lifecycle::Flag<bool> = lifecycle::Flag::new(false);
    ///
    /// let guard = DRY_RUN.override_with(true);
    /// assert!(DRY_RUN.get());
    /// std::thread::spawn(|| assert!(!DRY_RUN.get())).join().unwrap();
    /// drop(guard);
    /// assert!(!DRY_RUN.get());
    /// ```
    pub fn override_with(&'static self, value: T) -> OverrideGuard {
        let guard = OverrideGuard::install(self.state.key(), value.__hold());
        published::hide(self.state.process());
        guard
    }

    fn state(&self) -> StateRef<'_, FlagState<T>> {
        self.state.resolve(|_| FlagState::new())
    }

    /// The value in force here, and its source.
    fn current(&self) -> (T::Held, FlagSource) {
        let overridden = if scope::quiet() { None } else { scope::overrides() };
        match overridden.and_then(|list| list.find::<T::Held>(self.state.key())) {
            Some(held) => ((*held).clone(), FlagSource::Override),
            None => {
                let Sourced { held, source } = self.settled();
                (held, source)
            }
        }
    }

    /// The value without overrides. The first look settles it, lists the flag, and complains of an unusable variable.
    fn settled(&self) -> Sourced<T::Held> {
        let state = self.state();
        if let Some(value) = state.read() {
            return value;
        }
        // A test world does not depend on the environment it runs in.
        let env = self.env.filter(|_| matches!(state, StateRef::Process(_)));
        let resolved = state.resolve(self.initial(env));
        if let (true, Some(me)) = (resolved.newly, self.me) {
            registry::register(Component::Flag(me()));
        }
        if let (true, Some(variable)) = (resolved.warn, env) {
            telemetry::flag_env_invalid(self.name(), variable, T::__EXPECTED);
        }
        resolved.value
    }

    fn initial(&self, env: Option<&str>) -> Sourced<T::Held> {
        let default = |source| Sourced { held: T::__initial(&self.default), source };
        match env.and_then(std::env::var_os) {
            None => default(FlagSource::Default),
            Some(text) => match text.to_str().and_then(T::__parse) {
                Some(held) => Sourced { held, source: FlagSource::Env },
                None => default(FlagSource::EnvInvalid),
            },
        }
    }

    /// Sets it, and gives the value before with its source.
    fn replace(&self, new: T::Held) -> Sourced<T::Held> {
        let state = self.state();
        let old = loop {
            // It has a value to replace once it is settled, unless another thread resets it just then.
            self.settled();
            if let Some(old) = state.set(new.clone()) {
                break old;
            }
        };
        self.tell_change(&old.held, &new, "set");
        old
    }

    /// With no lock held: subscribers and listeners are somebody else's code.
    fn tell_change(&self, old: &T::Held, new: &T::Held, by: &'static str) {
        if old == new {
            return;
        }
        telemetry::flag_changed(self.name(), &self.shown(old).to_string(), &self.shown(new).to_string(), by);
        for listener in self.state().listeners.all() {
            if caught(|| listener(T::__give(old), T::__give(new))).is_err() {
                telemetry::flag_listener_panicked(self.name());
            }
        }
    }

    /// A value as it may be shown.
    fn shown(&self, held: &T::Held) -> Value {
        if self.secret { REDACTED.into() } else { T::__to_json(held) }
    }
}

/// What stands for a value that is not to be seen.
pub(crate) const REDACTED: &str = "***";

impl<T: FlagValue> std::fmt::Debug for Flag<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (held, source) = self.current();
        let value = self.shown(&held);
        f.debug_struct("Flag").field("name", &self.name()).field("value", &value).field("source", &source).finish()
    }
}

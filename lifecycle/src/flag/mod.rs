//! Typed flags: a default in the code, an environment variable over it, `set` over both, an override over all.
//!
//! Reading one is a load and a branch: the value sits encoded in one atomic word. `value` is the encoding and the reading of
//! text, `state` the word and what is behind it, `published` when readers may take the word as it is, `any` the flag as the
//! by-name face sees it, this file [`Flag`] itself.

mod any;
mod published;
mod state;
mod value;

pub use any::AnyFlag;
pub(crate) use published::hide_all;
pub use value::FlagValue;

use crate::name::Name;
use crate::registry::{self, Component, Descriptor, Kind};
use crate::scope::{self, OverrideGuard, Scoped, StateRef};
use crate::telemetry;
use serde::{Deserialize, Serialize};
use state::{FlagState, Sourced};

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
/// In a test world ([`testing::isolated`](crate::testing)) a declared flag starts at its default, whatever the environment
/// says, and what is set there stays there.
///
/// A flag orders no other memory accesses: it tells what to do, not that something has been done.
pub struct Flag<T: FlagValue> {
    state: Scoped<FlagState>,
    default: T,
    descriptor: Descriptor,
    env: Option<&'static str>,
    /// How a declared flag puts itself on the list.
    me: Option<fn() -> &'static dyn AnyFlag>,
}

/// Where a flag's value comes from.
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
    /// The source in words, as in the snapshot.
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
    pub const fn new(default: T) -> Self {
        let descriptor = Descriptor::dynamic(Kind::Flag, Name::from_static("flag"));
        Self { state: Scoped::owned(FlagState::new()), default, descriptor, env: None, me: None }
    }

    /// A declared flag. `me` gives the static it stands in.
    #[doc(hidden)]
    #[must_use]
    pub const fn __declared(
        default: T,
        descriptor: Descriptor,
        env: Option<&'static str>,
        me: fn() -> &'static dyn AnyFlag,
    ) -> Self {
        Self { state: Scoped::declared(FlagState::new()), default, descriptor, env, me: Some(me) }
    }

    /// Its value.
    #[inline(always)]
    pub fn get(&self) -> T {
        // No look at `scope::quiet`: see `published`.
        let word = self.state.process().word();
        if !T::is_resolved(word) {
            return self.get_slow();
        }
        T::decode(word)
    }

    #[cold]
    #[inline(never)]
    fn get_slow(&self) -> T {
        let value = self.current().0;
        if scope::quiet() {
            published::publish(self.state.process(), self.me.map(|me| me()));
        }
        value
    }

    /// Sets it, and gives the value it had before. An override in force goes on hiding both.
    pub fn set(&self, value: T) -> T {
        T::decode(self.replace(value).word)
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
        Some(move || self.tell_change(old.word, self.settled().word, "reset"))
    }

    /// Where its value comes from.
    #[must_use]
    pub fn source(&self) -> FlagSource {
        self.current().1
    }

    /// Its name; `flag` for one that is not declared.
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
        let guard = OverrideGuard::install(self.state.key(), value);
        published::hide(self.state.process());
        guard
    }

    fn state(&self) -> StateRef<'_, FlagState> {
        self.state.resolve(|_| FlagState::new())
    }

    /// The value in force here, and its source.
    fn current(&self) -> (T, FlagSource) {
        let overridden = if scope::quiet() { None } else { scope::overrides() };
        match overridden.and_then(|list| list.find::<T>(self.state.key())) {
            Some(value) => (*value, FlagSource::Override),
            None => {
                let Sourced { word, source } = self.settled();
                (T::decode(word), source)
            }
        }
    }

    /// The value without overrides. The first look settles it, lists the flag, and complains of an unusable variable.
    fn settled(&self) -> Sourced {
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
            telemetry::flag_env_invalid(self.name(), variable, T::EXPECTED);
        }
        resolved.value
    }

    fn initial(&self, env: Option<&str>) -> Sourced {
        let sourced = |value: T, source| Sourced { word: value.encode(), source };
        match env.and_then(std::env::var_os) {
            None => sourced(self.default, FlagSource::Default),
            Some(text) => match text.to_str().and_then(T::parse) {
                Some(value) => sourced(value, FlagSource::Env),
                None => sourced(self.default, FlagSource::EnvInvalid),
            },
        }
    }

    /// Sets it, and gives the value before with its source.
    fn replace(&self, value: T) -> Sourced {
        let (state, new) = (self.state(), value.encode());
        let old = loop {
            // It has a value to replace once it is settled, unless another thread resets it just then.
            self.settled();
            if let Some(old) = state.set(new) {
                break old;
            }
        };
        self.tell_change(old.word, new, "set");
        old
    }

    fn tell_change(&self, old: u64, new: u64, by: &'static str) {
        if old != new {
            let text = |word| T::decode(word).to_json().to_string();
            telemetry::flag_changed(self.name(), &text(old), &text(new), by);
        }
    }
}

impl<T: FlagValue> std::fmt::Debug for Flag<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (value, source) = self.current();
        let value = value.to_json();
        f.debug_struct("Flag").field("name", &self.name()).field("value", &value).field("source", &source).finish()
    }
}

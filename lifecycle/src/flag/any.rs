//! A flag of whatever type: what the by-name face and the snapshot see.

use super::state::Sourced;
use super::{Flag, FlagSource, FlagValue, REDACTED};
use crate::error::Error;
use crate::listeners::ListenerId;
use crate::registry::{Descriptor, FlagSnapshot};
use crate::singleton::{AnySingleton, SingletonCell};
use serde_json::Value;
use std::sync::Arc;

/// Told of an old value and a new one; `None` where there is none.
pub(crate) type JsonListener = Arc<dyn Fn(Option<&Value>, Option<&Value>) + Send + Sync>;

mod sealed {
    pub trait Sealed {}
}

impl<T: FlagValue> sealed::Sealed for Flag<T> {}

/// A [`Flag`] whose type is not known here: values go in and out as JSON.
///
/// ```
/// #[lifecycle::init_flag]
/// static MAX_UPLOADS: lifecycle::Flag<u8> = 4;
///
/// let flag = lifecycle::flag("max_uploads")?;
/// assert_eq!((flag.name(), flag.type_name()), ("max_uploads", "u8"));
/// assert_eq!((flag.get_json(), flag.source().as_str()), (4.into(), "default"));
/// assert_eq!(flag.set_json(&8.into())?, 4);
/// assert_eq!((MAX_UPLOADS.get(), flag.source().as_str()), (8, "set"));
/// assert_eq!(flag.set_json(&300.into()).unwrap_err().to_string(), "flag `max_uploads` is a u8; 300 does not fit");
/// flag.reset();
/// assert_eq!(MAX_UPLOADS.get(), 4);
/// # Ok::<(), lifecycle::Error>(())
/// ```
pub trait AnyFlag: sealed::Sealed + Send + Sync {
    /// Its name and where it is declared: see [`Descriptor`].
    fn descriptor(&self) -> &Descriptor;

    /// Its name. [`AnyFlag`] has an example for this and the others.
    fn name(&self) -> &str {
        self.descriptor().name()
    }

    /// Its type: see [`AnyFlag`].
    fn type_name(&self) -> &'static str;

    /// Its value; `***` of a secret one: see [`AnyFlag`].
    fn get_json(&'static self) -> Value;

    /// Is its value shown to nobody?
    ///
    /// ```
    /// #[lifecycle::init_flag(secret)]
    /// static ADMIN_TOKEN: lifecycle::Flag<String> = "s3cr3t";
    ///
    /// let flag = lifecycle::flag("admin_token")?;
    /// assert!(flag.is_secret() && flag.get_json() == "***");
    /// assert_eq!(&*ADMIN_TOKEN.get(), "s3cr3t"); // who has the static
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    fn is_secret(&self) -> bool {
        false
    }

    /// Sets it; gives the value before. See [`AnyFlag`] for an example.
    ///
    /// # Errors
    /// [`Error::FlagType`] when the value is not one of its type, [`Error::NotPossible`] for a step; the flag stays as it is.
    fn set_json(&'static self, value: &Value) -> Result<Value, Error> {
        self.__replace_json(value).map(|(old, _)| old)
    }

    /// [`set_json`](Self::set_json) that tells where the value before came from.
    #[doc(hidden)]
    fn __replace_json(&'static self, value: &Value) -> Result<(Value, FlagSource), Error>;

    /// Is it a function's? Known without a look at its value.
    #[doc(hidden)]
    fn __is_step(&self) -> bool {
        false
    }

    /// Sends its readers the slow way, for a test world that begins.
    #[doc(hidden)]
    fn __hide(&self);

    /// Takes back what was set: the environment variable or the default holds again. A step runs again when it is called
    /// next. See [`AnyFlag`] for an example.
    fn reset(&'static self) {
        if let Some(tell) = self.__take_back() {
            tell();
        }
    }

    /// [`reset`](Self::reset) in two parts: the first under a caller's lock, silently; calling what it gives tells of it.
    #[doc(hidden)]
    fn __take_back(&'static self) -> Option<Box<dyn FnOnce()>>;

    /// Tells `listener` of changes: the old value and the new one, `***` of a secret one.
    #[doc(hidden)]
    fn __on_change(&'static self, listener: JsonListener) -> Result<ListenerId, Error>;

    #[doc(hidden)]
    fn __remove_listener(&'static self, id: ListenerId) -> bool;

    /// What is wrong with its declaration and its environment, for [`verify`](crate::verify).
    #[doc(hidden)]
    fn __problem(&'static self) -> Option<Error> {
        None
    }

    /// Where its value comes from: see [`FlagSource`].
    fn source(&self) -> FlagSource;

    /// Its value and source as they stand in [`snapshot`](crate::snapshot()): see [`FlagSnapshot`].
    fn observe(&'static self) -> FlagSnapshot;
}

impl<T: FlagValue> AnyFlag for Flag<T> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn type_name(&self) -> &'static str {
        T::__NAME
    }

    fn get_json(&'static self) -> Value {
        self.shown(&self.current().0)
    }

    fn is_secret(&self) -> bool {
        self.secret
    }

    fn __replace_json(&'static self, value: &Value) -> Result<(Value, FlagSource), Error> {
        let Some(new) = T::__from_json(value) else {
            let name = self.name().to_owned();
            let found = match value {
                _ if self.secret => REDACTED.to_owned(),
                value => shortened(value),
            };
            let text = value.as_str().filter(|_| !self.secret);
            // Text that would do in a variable.
            let plain = text.and_then(T::__parse).map(|held| format!(", did you mean {}?", T::__to_json(&held)));
            let hint = plain.or_else(|| text.map(T::__near)).unwrap_or_default();
            return Err(Error::FlagType { name, expected: T::__EXPECTED, found, hint });
        };
        let Sourced { held, source } = self.replace(new);
        Ok((self.shown(&held), source))
    }

    fn __hide(&self) {
        self.state.process().hide(true);
    }

    fn __take_back(&'static self) -> Option<Box<dyn FnOnce()>> {
        let tell = self.take_back()?;
        Some(Box::new(tell))
    }

    fn __on_change(&'static self, listener: JsonListener) -> Result<ListenerId, Error> {
        Ok(self.state().listeners.add(Arc::new(move |old, new| {
            let json = |given| match self.secret {
                true => REDACTED.into(),
                false => T::__given_to_json(&given),
            };
            listener(Some(&json(old)), Some(&json(new)));
        })))
    }

    fn __remove_listener(&'static self, id: ListenerId) -> bool {
        self.remove_listener(id)
    }

    fn __problem(&'static self) -> Option<Error> {
        let variable = self.env.filter(|_| self.source() == FlagSource::EnvInvalid)?;
        let text = std::env::var(variable).ok().filter(|_| !self.secret);
        let hint = text.as_deref().map(T::__near).unwrap_or_default();
        let (name, variable) = (self.name().to_owned(), variable.to_owned());
        Some(Error::InvalidEnv { name, variable, expected: T::__EXPECTED, hint })
    }

    fn source(&self) -> FlagSource {
        Flag::source(self)
    }

    fn observe(&'static self) -> FlagSnapshot {
        let (held, source) = self.current();
        FlagSnapshot {
            name: self.name().to_owned(),
            path: self.descriptor.path(),
            declared_at: self.descriptor.declared_at(),
            type_name: T::__NAME.to_owned(),
            value: self.shown(&held),
            source: source.as_str().to_owned(),
        }
    }
}

impl sealed::Sealed for SingletonCell<()> {}

/// A step: true once it has run.
impl AnyFlag for SingletonCell<()> {
    fn descriptor(&self) -> &Descriptor {
        AnySingleton::descriptor(self)
    }

    fn type_name(&self) -> &'static str {
        <bool as FlagValue>::__NAME
    }

    fn get_json(&'static self) -> Value {
        self.exists().into()
    }

    fn __is_step(&self) -> bool {
        true
    }

    fn __replace_json(&'static self, _: &Value) -> Result<(Value, FlagSource), Error> {
        let reason = "it is a step, true once it has run: call the function, or let `lifecycle::handle(the_function)?.override_with(())` \
                      stand in for it in a test";
        Err(Error::NotPossible { name: self.name().to_owned(), reason })
    }

    fn __hide(&self) {}

    fn __take_back(&'static self) -> Option<Box<dyn FnOnce()>> {
        let tell = self.take_back()?;
        Some(Box::new(tell))
    }

    fn __on_change(&'static self, _: JsonListener) -> Result<ListenerId, Error> {
        let reason = "it is a step, true once it has run: what is to happen then stands at its end";
        Err(Error::NotPossible { name: self.name().to_owned(), reason })
    }

    fn __remove_listener(&'static self, _: ListenerId) -> bool {
        false
    }

    fn source(&self) -> FlagSource {
        FlagSource::Step
    }

    fn observe(&'static self) -> FlagSnapshot {
        let descriptor = AnySingleton::descriptor(self);
        FlagSnapshot {
            name: descriptor.name().to_owned(),
            path: descriptor.path(),
            declared_at: descriptor.declared_at(),
            type_name: <bool as FlagValue>::__NAME.to_owned(),
            value: self.exists().into(),
            source: FlagSource::Step.as_str().to_owned(),
        }
    }
}

impl std::fmt::Debug for dyn AnyFlag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnyFlag").field("name", &self.descriptor().name()).field("type", &self.type_name()).finish()
    }
}

/// The value for a message, which a caller may print: not longer than a line.
pub(crate) fn shortened(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}

//! A flag of whatever type: what the by-name face and the snapshot see.

use super::state::Sourced;
use super::{Flag, FlagSource, FlagValue};
use crate::error::Error;
use crate::registry::{Descriptor, FlagSnapshot};
use serde_json::Value;

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
/// assert_eq!(flag.set_json(&8.into())?, 4);
/// assert_eq!(MAX_UPLOADS.get(), 8);
/// assert_eq!(flag.set_json(&300.into()).unwrap_err().to_string(), "flag `max_uploads` is a u8; 300 does not fit");
/// # Ok::<(), lifecycle::Error>(())
/// ```
pub trait AnyFlag: sealed::Sealed + Send + Sync {
    /// Its name and where it is declared.
    fn descriptor(&self) -> &Descriptor;

    /// Its name.
    fn name(&self) -> &str {
        self.descriptor().name()
    }

    /// Its type.
    fn type_name(&self) -> &'static str;

    /// Its value.
    fn get_json(&self) -> Value;

    /// Sets it; gives the value before.
    ///
    /// # Errors
    /// [`Error::FlagType`] when the value is not one of its type; the flag stays as it is.
    fn set_json(&self, value: &Value) -> Result<Value, Error> {
        self.__replace_json(value).map(|(old, _)| old)
    }

    /// [`set_json`](Self::set_json) that tells where the value before came from.
    #[doc(hidden)]
    fn __replace_json(&self, value: &Value) -> Result<(Value, FlagSource), Error>;

    /// Sends its readers the slow way, for a test world that begins.
    #[doc(hidden)]
    fn __hide(&self);

    /// Takes back what was set: the environment variable or the default holds again.
    fn reset(&self);

    /// [`reset`](Self::reset) in two steps: the first under a caller's lock, silently, the second tells of it.
    #[doc(hidden)]
    fn __take_back(&self) -> Option<u64>;

    #[doc(hidden)]
    fn __tell_taken_back(&self, old: u64);

    /// Where its value comes from.
    fn source(&self) -> FlagSource;

    /// Its value and source as they stand in [`snapshot`](crate::snapshot).
    fn observe(&self) -> FlagSnapshot;
}

impl<T: FlagValue> AnyFlag for Flag<T> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn type_name(&self) -> &'static str {
        T::NAME
    }

    fn get_json(&self) -> Value {
        self.get().to_json()
    }

    fn __replace_json(&self, value: &Value) -> Result<(Value, FlagSource), Error> {
        let Some(new) = T::from_json(value) else {
            let name = self.name().to_owned();
            return Err(Error::FlagType { name, expected: T::EXPECTED, found: shortened(value) });
        };
        let Sourced { word, source } = self.replace(new);
        Ok((T::decode(word).to_json(), source))
    }

    fn __hide(&self) {
        self.state.process().hide(true);
    }

    fn reset(&self) {
        Flag::reset(self);
    }

    fn __take_back(&self) -> Option<u64> {
        self.state().clear().map(|old| old.word)
    }

    fn __tell_taken_back(&self, old: u64) {
        self.tell_change(old, self.settled().word, "reset");
    }

    fn source(&self) -> FlagSource {
        Flag::source(self)
    }

    fn observe(&self) -> FlagSnapshot {
        let (value, source) = self.current();
        FlagSnapshot {
            name: self.name().to_owned(),
            path: self.descriptor.path(),
            declared_at: self.descriptor.declared_at(),
            type_name: T::NAME.to_owned(),
            value: value.to_json(),
            source: source.as_str().to_owned(),
        }
    }
}

impl std::fmt::Debug for dyn AnyFlag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnyFlag").field("name", &self.descriptor().name()).field("type", &self.type_name()).finish()
    }
}

/// The value for a message, which a caller may print: not longer than a line.
fn shortened(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}

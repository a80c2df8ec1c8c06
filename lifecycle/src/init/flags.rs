//! Flags by name: any JSON value under any name, and declared flags by theirs.

use super::config::json_size;
use super::core::{CoreState, InitializationCore};
use super::outcome::FlagChange;
use crate::error::{Error, caught};
use crate::flag::{AnyFlag, FlagSource, REDACTED, shortened};
use crate::keyed::KeyedMap;
use crate::listeners::{ListenerId, Listeners};
use crate::registry::{self, Component, FlagSnapshot, Kind};
use crate::telemetry;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Names come from outside, so there is a bound on how many, how long, and how much each holds.
const MAX_FLAGS: usize = 1024;
const MAX_NAME_BYTES: usize = 256;
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// The flags that were set by name and are not declared.
#[derive(Debug)]
pub(super) struct Flags {
    all: KeyedMap<Arc<str>, Arc<ByName>>,
    /// Each looks for its own flag.
    listeners: Listeners<Told>,
}

/// Told of a flag's name, its old value and its new one.
type Told = dyn Fn(&str, Option<&Value>, Option<&Value>) + Send + Sync;

/// A flag that was set by name.
#[derive(Debug, Clone)]
pub(super) struct ByName {
    name: Arc<str>,
    value: Value,
}

impl Flags {
    pub(super) const fn new() -> Self {
        Self { all: KeyedMap::new(MAX_FLAGS), listeners: Listeners::new() }
    }

    /// Takes them out, and tells nobody. The caller drops the values when it holds no lock.
    pub(super) fn clear(&self) -> Vec<Arc<ByName>> {
        self.all.clear()
    }

    /// They were taken out.
    pub(super) fn tell_cleared(&self, gone: &[Arc<ByName>]) {
        gone.iter().for_each(|flag| self.tell(&flag.name, Some(&flag.value), None, "reset"));
    }

    fn get(&self, name: &str) -> Option<Value> {
        self.all.read(name, |flag| flag.value.clone())
    }

    fn has(&self, name: &str) -> bool {
        self.all.read(name, |_| ()).is_some()
    }

    fn entries(&self) -> impl Iterator<Item = ByName> {
        self.all.values().into_iter().map(Arc::unwrap_or_clone)
    }

    fn set(&self, name: &str, value: Value) -> Result<FlagChange, Error> {
        let new = Arc::new(ByName { name: name.into(), value: value.clone() });
        let old = self.all.update(name, |_| Some(new)).map_err(|_| Error::Full {
            what: "the list of flags set by name",
            name: name.to_owned(),
            limit: MAX_FLAGS,
        })?;
        let old = old.map(|old| Arc::unwrap_or_clone(old).value);
        self.tell(name, old.as_ref(), Some(&value), "set");
        Ok(FlagChange::new(value, old))
    }

    /// With no lock held.
    fn tell(&self, name: &str, old: Option<&Value>, new: Option<&Value>, by: &'static str) {
        if old == new {
            return;
        }
        let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), shortened);
        telemetry::flag_changed(name, &text(old), &text(new), by);
        for listener in self.listeners.all() {
            if caught(|| listener(name, old, new)).is_err() {
                telemetry::flag_listener_panicked(name);
            }
        }
    }
}

/// The name of a value's JSON type.
const fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::InvalidName { kind: "Flag" });
    }
    if name.len() > MAX_NAME_BYTES {
        let short: String = name.chars().take(32).collect();
        return Err(Error::TooLarge { name: format!("{short}.."), size: name.len(), limit: MAX_NAME_BYTES });
    }
    Ok(())
}

/// Of the errors of a look-up by name, the one that does not mean "not declared".
fn found(looked_up: Result<Option<Component>, Error>) -> Result<Option<&'static dyn AnyFlag>, Error> {
    Ok(looked_up?.and_then(Component::flag))
}

impl InitializationCore {
    /// The declared flag of that name, unless one that was set by name before holds the name.
    fn declared_flag(&self, state: &CoreState, name: &str) -> Result<Option<&'static dyn AnyFlag>, Error> {
        if !self.sees_declared() || state.flags.has(name) {
            return Ok(None);
        }
        found(registry::find(Kind::Flag, name))
    }

    fn all_declared(&self) -> impl Iterator<Item = &'static dyn AnyFlag> {
        let declared = if self.sees_declared() { registry::declared(Component::flag) } else { Vec::new() };
        declared.into_iter()
    }

    /// Sets a flag by name: a declared one to a value of its type, any other to any value, which may differ in type from
    /// the one before. It does not take an initialized core.
    ///
    /// ```
    /// let core = lifecycle::InitializationCore::new();
    /// let change = core.set_flag("dark_mode", true)?;
    /// assert!(change.was_new);
    /// let change = core.set_flag("dark_mode", "auto")?;
    /// assert_eq!(change.old_value, Some(true.into()));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`]; [`Error::InvalidName`] for an empty name; [`Error::TooLarge`] for a name of more than 256
    /// bytes or a value of more than 64 KiB; [`Error::Full`] when 1024 flags are set; [`Error::FlagType`] when the flag is
    /// declared with another type; [`Error::Ambiguous`] when several flags are declared under the name.
    pub fn set_flag(&self, name: &str, value: impl Into<Value>) -> Result<FlagChange, Error> {
        let state = self.resolve();
        state.gate.charge()?;
        check_name(name)?;
        let value = value.into();
        let size = json_size(&value);
        if size > MAX_VALUE_BYTES {
            return Err(Error::TooLarge { name: name.to_owned(), size, limit: MAX_VALUE_BYTES });
        }
        let Some(flag) = self.declared_flag(&state, name)? else {
            return state.flags.set(name, value);
        };
        let (old, source) = flag.__replace_json(&value)?;
        let value = if flag.is_secret() { REDACTED.into() } else { value };
        Ok(FlagChange::new(value, (source == FlagSource::Set).then_some(old)))
    }

    /// Calls `listener` with the old value and the new one whenever the flag of that name changes, declared or not; `None` is
    /// no value. Flags that are not declared need not exist. What else holds for it stands at [`Flag::on_change`](crate::Flag::on_change).
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// let core = lifecycle::InitializationCore::new();
    /// let seen = Arc::new(Mutex::new(Vec::new()));
    /// let all = seen.clone();
    /// let listener = core.on_flag_change("beta", move |old, new| all.lock().unwrap().push((old.cloned(), new.cloned())))?;
    /// core.set_flag("beta", true)?;
    /// core.reset();
    /// assert_eq!(*seen.lock().unwrap(), [(None, Some(true.into())), (Some(true.into()), None)]);
    /// assert!(core.remove_flag_listener(listener));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidName`] and [`Error::TooLarge`] for the name, [`Error::Ambiguous`], [`Error::NotPossible`] for a step.
    pub fn on_flag_change(
        &self,
        name: &str,
        listener: impl Fn(Option<&Value>, Option<&Value>) + Send + Sync + 'static,
    ) -> Result<ListenerId, Error> {
        let state = self.resolve();
        check_name(name)?;
        if let Some(flag) = self.declared_flag(&state, name)? {
            return flag.__on_change(Arc::new(listener));
        }
        let own = name.to_owned();
        Ok(state.flags.listeners.add(Arc::new(move |name, old, new| {
            if name == own {
                listener(old, new);
            }
        })))
    }

    /// Removes a listener that [`on_flag_change`](Self::on_flag_change) added, where an example is; false when there is none such.
    pub fn remove_flag_listener(&self, id: ListenerId) -> bool {
        self.resolve().flags.listeners.remove(id) || self.all_declared().any(|flag| flag.__remove_listener(id))
    }

    /// The value of a flag by name, declared or not; none when there is no such flag. Asking makes none.
    ///
    /// ```
    /// #[lifecycle::init_flag]
    /// static PAGE_SIZE: lifecycle::Flag<u32> = 50;
    ///
    /// let core = lifecycle::initialization();
    /// core.set_flag("theme", "dark")?;
    /// assert_eq!(core.get_flag("theme")?, Some("dark".into()));
    /// assert_eq!(core.get_flag("page_size")?, Some(50.into())); // a declared one has a value from the beginning
    /// assert_eq!(core.get_flag("unheard_of")?, None);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::RateLimited`] for flags that are not declared; [`Error::InvalidName`] for an empty name;
    /// [`Error::Ambiguous`]; [`Error::NotPossible`] for a flag declared `secret`.
    pub fn get_flag(&self, name: &str) -> Result<Option<Value>, Error> {
        let state = self.resolve();
        let declared = if name.is_empty() { None } else { self.declared_flag(&state, name)? };
        if let Some(flag) = declared.filter(|flag| flag.is_secret()) {
            let reason = "it is secret: only the code that has its static can read it";
            return Err(Error::NotPossible { name: flag.name().to_owned(), reason });
        }
        if let Some(flag) = declared {
            return Ok(Some(flag.get_json()));
        }
        state.gate.charge()?;
        check_name(name)?;
        Ok(state.flags.get(name))
    }

    /// The value of a flag by name, as a `T`.
    ///
    /// ```
    /// let core = lifecycle::InitializationCore::new();
    /// core.set_flag("retries", 3)?;
    /// assert_eq!(core.flag::<u32>("retries")?, Some(3));
    /// assert_eq!(core.flag::<u32>("unknown")?, None);
    /// assert!(core.flag::<String>("retries").is_err());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`get_flag`](Self::get_flag), and [`Error::TypeMismatch`] when the value is no `T`.
    pub fn flag<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.get_flag(name)? else {
            return Ok(None);
        };
        let mismatch = |_| Error::TypeMismatch {
            name: name.to_owned(),
            expected: std::any::type_name::<T>(),
            found: json_type(&value),
        };
        T::deserialize(&value).map(Some).map_err(mismatch)
    }

    /// The value of a flag by name, or `default` where there is none, it has another type (which is told by a warning), or
    /// the limit refuses. Never fails.
    ///
    /// ```
    /// let core = lifecycle::InitializationCore::new();
    /// core.set_flag("retries", 3)?;
    /// assert_eq!(core.flag_or("retries", 5), 3);
    /// assert_eq!(core.flag_or("unheard_of", 5), 5);
    /// assert_eq!(core.flag_or("retries", "none".to_owned()), "none"); // 3 is no text
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn flag_or<T: DeserializeOwned>(&self, name: &str, default: T) -> T {
        match self.flag(name) {
            Ok(value) => value.unwrap_or(default),
            Err(error) => {
                if matches!(error, Error::TypeMismatch { .. }) {
                    telemetry::flag_type_mismatch(name, std::any::type_name::<T>());
                }
                default
            }
        }
    }

    /// All declared flags with their values, whether they were set or not.
    ///
    /// ```
    /// #[lifecycle::init_flag]
    /// static BATCH_SIZE: lifecycle::Flag<u32> = 100;
    ///
    /// let declared = lifecycle::initialization().declared_flags();
    /// let batch_size = declared.iter().find(|flag| flag.name == "batch_size").unwrap();
    /// assert_eq!((&batch_size.value, batch_size.source.as_str()), (&100.into(), "default"));
    /// ```
    #[must_use]
    pub fn declared_flags(&self) -> Vec<FlagSnapshot> {
        self.all_declared().map(AnyFlag::observe).collect()
    }

    /// The flags set by name that are not declared, as they stand in [`snapshot`](crate::snapshot()).
    ///
    /// ```
    /// let core = lifecycle::InitializationCore::new();
    /// core.set_flag("theme", "dark")?;
    /// let theme = &core.observe_dynamic()[0];
    /// assert_eq!((theme.name.as_str(), theme.type_name.as_str(), &theme.value), ("theme", "string", &"dark".into()));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn observe_dynamic(&self) -> Vec<FlagSnapshot> {
        let observe = |ByName { name, value }| FlagSnapshot {
            name: name.to_string(),
            path: name.to_string(),
            declared_at: String::new(),
            type_name: json_type(&value).to_owned(),
            value,
            source: FlagSource::Set.as_str().to_owned(),
        };
        self.resolve().flags.entries().map(observe).collect()
    }

    /// The flags that were set: by name, then declared ones.
    pub(super) fn flags_set(&self, state: &CoreState) -> Map<String, Value> {
        let by_name = state.flags.entries().map(|flag| (flag.name.to_string(), flag.value));
        let declared = self.all_declared().filter(|flag| flag.source() == FlagSource::Set);
        let mut flags: Map<String, Value> = by_name.collect();
        for flag in declared {
            let descriptor = flag.descriptor();
            // A name that is taken leaves the declared flag its path.
            let taken = flags.contains_key(descriptor.name());
            let name = if taken { descriptor.path() } else { descriptor.name().to_owned() };
            flags.insert(name, flag.get_json());
        }
        flags
    }

    pub(super) fn declared_flags_here(&self) -> Vec<&'static dyn AnyFlag> {
        self.all_declared().collect()
    }
}

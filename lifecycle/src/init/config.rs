//! The configuration: named JSON values in the order they were given, hidden unless revealed.

use crate::error::Error;
use crate::flag::REDACTED;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The largest configuration, as JSON text.
const MAX_BYTES: usize = 1 << 20;

/// The process's configuration: values by name, in the order they were added.
///
/// ```
/// use lifecycle::InitConfig;
///
/// let config = InitConfig::new().with("region", "eu-west-1").with("token", "s3cr3t").reveal("region");
/// assert_eq!(config.get("token"), Some(&"s3cr3t".into()));
/// assert_eq!(format!("{config:?}"), r#"InitConfig {"region": String("eu-west-1"), "token": String("***")}"#);
/// ```
///
/// A configuration holds secrets, so what prints or serialises it shows `***` for each value that was not
/// [revealed](Self::reveal).
#[derive(Clone, Default, PartialEq)]
pub struct InitConfig {
    values: Map<String, Value>,
    revealed: BTreeSet<String>,
}

impl InitConfig {
    /// An empty configuration: see [`InitConfig`] for an example. A map, an array of pairs or an iterator of them makes one, too.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The fields of any type that serialises as an object.
    ///
    /// ```
    /// #[derive(serde::Serialize)]
    /// struct Settings { region: &'static str, retries: u32 }
    ///
    /// let config = lifecycle::InitConfig::from_serialize(&Settings { region: "eu-west-1", retries: 3 })?;
    /// assert_eq!(config.get("retries"), Some(&3.into()));
    /// assert!(lifecycle::InitConfig::from_serialize("no object").is_err());
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for what does not.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        match serde_json::to_value(value) {
            Ok(Value::Object(values)) => Ok(values.into()),
            // What serde says may hold values.
            _ => Err(invalid(format!("`{}` does not serialise as an object", std::any::type_name::<T>()))),
        }
    }

    /// Adds a value. One of that name gives way, in its place. See [`InitConfig`] for an example.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }

    /// Adds the values of `other`. On equal names those of `other` win, in the place of the old.
    ///
    /// ```
    /// use lifecycle::InitConfig;
    ///
    /// let config = InitConfig::from([("debug", true), ("trace", false)]);
    /// let config = config.merge(InitConfig::new().with("region", "eu").with("debug", false));
    /// assert_eq!(config.keys().collect::<Vec<_>>(), ["debug", "trace", "region"]);
    /// assert_eq!(config.get("debug"), Some(&false.into()));
    /// ```
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.values.extend(other.values);
        self.revealed.extend(other.revealed);
        self
    }

    /// Lets the value of that name be seen in status, `Debug` and serialised forms. See [`InitConfig`] for an example.
    #[must_use]
    pub fn reveal(mut self, name: impl Into<String>) -> Self {
        self.revealed.insert(name.into());
        self
    }

    /// The value of that name, in clear. See [`InitConfig`] for an example.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The names, in order. See [`merge`](Self::merge) for an example.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// All values, in order and in clear.
    ///
    /// ```
    /// use lifecycle::InitConfig;
    ///
    /// let config = InitConfig::new().with("token", "s3cr3t");
    /// assert_eq!((config.len(), config.is_empty()), (1, false));
    /// assert_eq!(config.values()["token"], "s3cr3t");
    /// assert_eq!(serde_json::to_value(&config)?["token"], "***"); // as it may be shown
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub const fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// How many values there are. See [`values`](Self::values) for an example.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Is there none? See [`values`](Self::values) for an example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values as a type of your own.
    ///
    /// ```
    /// #[derive(serde::Deserialize)]
    /// struct Settings { retries: u32 }
    ///
    /// let config = lifecycle::InitConfig::new().with("retries", 3);
    /// assert_eq!(config.deserialize::<Settings>()?.retries, 3);
    ///
    /// let wrong = lifecycle::InitConfig::new().with("retries", "canary");
    /// let error = wrong.deserialize::<Settings>().err().unwrap().to_string();
    /// assert!(error.ends_with("expected u32") && !error.contains("canary"));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] when they do not fit it. The message names the type and what was expected, never a value.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.values).map_err(|error| {
            let type_name = std::any::type_name::<T>();
            invalid(match without_values(&error.to_string()) {
                Some(why) => format!("it does not fit `{type_name}`: {why}"),
                None => format!("it does not fit `{type_name}`"),
            })
        })
    }

    /// The names of what `self` and `other` do not have alike, in the order of `self`.
    pub(super) fn differing(&self, other: &Self) -> Vec<String> {
        let own = self.values.iter().filter(|(name, value)| other.get(name) != Some(*value)).map(|(name, _)| name);
        let left_out = other.values.keys().filter(|name| !self.values.contains_key(*name));
        own.chain(left_out).cloned().collect()
    }

    /// The values as they may be shown.
    pub(super) fn redacted(&self) -> Map<String, Value> {
        let shown = |(name, value): (&String, &Value)| {
            let value = if self.revealed.contains(name) { value.clone() } else { REDACTED.into() };
            (name.clone(), value)
        };
        self.values.iter().map(shown).collect()
    }

    /// Refuses what is too large to keep.
    pub(super) fn check_size(&self) -> Result<(), Error> {
        match json_size(&self.values) {
            size if size > MAX_BYTES => Err(Error::TooLarge { name: "config".to_owned(), size, limit: MAX_BYTES }),
            _ => Ok(()),
        }
    }
}

fn invalid(reason: String) -> Error {
    Error::InvalidConfig { name: "config".to_owned(), reason }
}

/// The part of a serde message that holds no value: what was expected, or which field is missing, unknown or twice there.
fn without_values(message: &str) -> Option<&str> {
    let about_fields = ["missing field", "duplicate field", "unknown field"];
    if about_fields.iter().any(|start| message.starts_with(start)) {
        return Some(message);
    }
    message.rfind(", expected ").map(|at| &message[at + ", ".len()..])
}

/// The length of a value as JSON text.
pub(super) fn json_size(value: &impl Serialize) -> usize {
    struct Counter(usize);

    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        // Values with string keys always serialise.
        Err(_) => usize::MAX,
    }
}

impl std::fmt::Debug for InitConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InitConfig ")?;
        f.debug_map().entries(&self.redacted()).finish()
    }
}

/// With `***` for what is not revealed. In clear: [`values`](InitConfig::values).
impl Serialize for InitConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.redacted().serialize(serializer)
    }
}

/// From an object; nothing in it is revealed.
impl<'de> Deserialize<'de> for InitConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

impl From<Map<String, Value>> for InitConfig {
    fn from(values: Map<String, Value>) -> Self {
        Self { values, revealed: BTreeSet::new() }
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for InitConfig {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect::<Map<_, _>>().into()
    }
}

impl<N: Into<String>, V: Into<Value>, const LEN: usize> From<[(N, V); LEN]> for InitConfig {
    fn from(pairs: [(N, V); LEN]) -> Self {
        pairs.into_iter().collect()
    }
}

impl<V: Into<Value>> From<BTreeMap<String, V>> for InitConfig {
    fn from(map: BTreeMap<String, V>) -> Self {
        map.into_iter().collect()
    }
}

/// In the order of the names: a hash map has none of its own.
impl<V: Into<Value>> From<HashMap<String, V>> for InitConfig {
    fn from(map: HashMap<String, V>) -> Self {
        map.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

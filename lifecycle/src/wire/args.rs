//! Arguments of an operation, as they come from JSON, and their one check.

use super::Signature;
use crate::error::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The named arguments of a core's operation, in order.
///
/// ```
/// use lifecycle::Args;
///
/// let args = Args::new().with("flag_name", "dark_mode").with("value", true);
/// assert_eq!(args.get("value"), Some(&true.into()));
///
/// let same: Args = serde_json::from_str(r#"{ "flag_name": "dark_mode", "value": true }"#)?;
/// assert_eq!(same, args);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Its `Debug` form shows the names only: values may be secrets.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Args(Map<String, Value>);

impl Args {
    /// No arguments: see [`Args`] for an example.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument; an earlier one of that name gives way. See [`Args`] for an example.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The argument of that name. See [`Args`] for an example.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The arguments' names, in order.
    ///
    /// ```
    /// let args = lifecycle::Args::new().with("flag_name", "token").with("value", "s3cr3t");
    /// assert_eq!(args.names().collect::<Vec<_>>(), ["flag_name", "value"]);
    /// assert!(!format!("{args:?}").contains("s3cr3t"));
    /// ```
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Checks the arguments against an operation's signature and takes the correlation id, which every operation accepts.
    pub(crate) fn check(mut self, signature: &Signature) -> Result<Checked, Error> {
        // `shift_remove` keeps the order of the others, which are the configuration's keys in `initialize`.
        let correlation_id = match self.0.shift_remove("correlation_id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id),
            // It never changes a result, so an odd one is no error.
            Some(other) => Some(other.to_string()),
        };
        let known = || signature.required.iter().chain(signature.optional);
        let unknown = self.0.keys().find(|name| !signature.any_other && !known().any(|known| known == name));
        if let Some(name) = unknown {
            let known = known().copied().chain(["correlation_id"]).collect();
            return Err(Error::UnknownArgument { op: signature.op, name: name.clone(), known });
        }
        if let Some(name) = signature.required.iter().find(|name| !self.0.contains_key(**name)) {
            return Err(Error::MissingArgument { op: signature.op, name });
        }
        Ok(Checked { args: self.0, correlation_id })
    }
}

/// From a JSON object.
impl From<Map<String, Value>> for Args {
    fn from(object: Map<String, Value>) -> Self {
        Self(object)
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Args {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl std::fmt::Debug for Args {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Args")?;
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Arguments that fit their operation.
pub(crate) struct Checked {
    args: Map<String, Value>,
    correlation_id: Option<String>,
}

impl Checked {
    /// Takes an argument; `null` where an optional one is not given.
    pub(crate) fn take(&mut self, name: &str) -> Value {
        self.args.shift_remove(name).unwrap_or_default()
    }

    /// Takes a name. What is no string counts as empty, so that it meets the same error.
    pub(crate) fn take_name(&mut self, name: &str) -> String {
        match self.take(name) {
            Value::String(name) => name,
            _ => String::new(),
        }
    }

    /// What was not taken by name.
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.args
    }

    /// Runs the operation under its correlation id.
    pub(crate) fn run<R>(mut self, operation: impl FnOnce(Self) -> R) -> R {
        match self.correlation_id.take() {
            Some(id) => crate::scope::with_correlation_id(&id, || operation(self)),
            None => operation(self),
        }
    }
}

//! What is wrong with settings, and where a number comes from.

use crate::error::printable;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a component's number comes from. A later one of these counts more than an earlier one.
///
/// ```
/// use lifecycle::settings::Source;
///
/// assert!(Source::Environment > Source::Configured);
/// assert_eq!(Source::Attribute.to_string(), "attribute");
/// assert_eq!(serde_json::to_value(Source::Reconfigured)?, "reconfigured");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// The attribute, or the builder.
    Attribute,
    /// [`configure`](crate::configure).
    Configured,
    /// An environment variable.
    Environment,
    /// The component's own `reconfigure`, or the like.
    Reconfigured,
}

impl Source {
    /// The source in words, as in the snapshot: see [`Source`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Attribute => "attribute",
            Self::Configured => "configured",
            Self::Environment => "environment",
            Self::Reconfigured => "reconfigured",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A setting that cannot be used, in words. It never holds what stood in an environment variable, which may be a secret.
///
/// ```
/// let error = lifecycle::configure(serde_json::json!({ "fetch_user": { "treshold": 3 } })).unwrap_err();
/// let lifecycle::Error::InvalidSettings { problems } = &error else { panic!("{error}") };
/// assert_eq!(
///     problems[0].to_string(),
///     "`fetch_user`: no option `treshold`, did you mean `threshold`?"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The component, as it was named.
    pub name: String,
    /// The option; `None` where several of them do not go together.
    pub option: Option<String>,
    /// The environment variable, if it stands in one.
    pub variable: Option<String>,
    /// Where it was said.
    pub source: Source,
    /// What is wrong and what to write.
    pub reason: String,
}

/// After a colon: one alone on its line, several each on one of their own.
pub(crate) fn listed(problems: &[Problem]) -> String {
    match problems {
        [one] => format!(" {one}"),
        several => several.iter().map(|problem| format!("\n  {problem}")).collect(),
    }
}

impl Problem {
    pub(super) fn new(name: &str, source: Source, reason: impl Into<String>) -> Self {
        Self { name: name.to_owned(), option: None, variable: None, source, reason: reason.into() }
    }

    pub(super) fn at(self, option: &str) -> Self {
        Self { option: Some(option.to_owned()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, reason) = (printable(&self.name), printable(&self.reason));
        match (&self.variable, self.source) {
            (Some(variable), _) => write!(f, "environment variable `{}` is ignored: {reason}", printable(variable)),
            (None, Source::Environment) => write!(f, "`{name}`: its environment variables are ignored: {reason}"),
            (None, _) if self.name.is_empty() => f.write_str(&reason),
            (None, _) => write!(f, "`{name}`: {reason}"),
        }
    }
}

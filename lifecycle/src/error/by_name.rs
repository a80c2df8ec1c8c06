//! What the by-name face, the builders and `initialize` report.

use super::text::{printable, wait};
use super::{BoxError, SingletonError};
use std::time::Duration;

/// What the by-name face of the cores and the builders report.
///
/// ```
/// use lifecycle::Error;
///
/// let slip = lifecycle::breakers().get("").err().unwrap();
/// assert!(matches!(slip, Error::InvalidName { .. }));
/// assert_eq!(slip.to_string(), "Circuit breaker name must be a non-empty string");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A core's limit on operations is used up.
    #[error("Rate limit exceeded: {manager} allows {limit} operations in {window:?}, retry after {}", wait(.retry_after))]
    RateLimited {
        /// Which core: `initialization`, `singleton` or `circuit_breaker`.
        manager: &'static str,
        /// Operations a window allows.
        limit: u32,
        /// The window.
        window: Duration,
        /// After this much time a retry can succeed.
        retry_after: Duration,
    },
    /// An empty name.
    #[error("{kind} name must be a non-empty string")]
    InvalidName {
        /// What was to be named: `Singleton`, `Flag`, `Circuit breaker`.
        kind: &'static str,
    },
    /// Nothing of that name is declared or stored.
    #[error("no {kind} named `{}`{}", printable(.name), printable(.hint))]
    NotFound {
        /// What was looked for.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// What may be meant: `, did you mean ..?`, or nothing.
        hint: String,
    },
    /// A function that was called by name failed, or was refused.
    #[error("`{}`: {message}", printable(.name))]
    CallFailed {
        /// The function's breaker.
        name: String,
        /// The error's text.
        message: String,
    },
    /// It is a family of components, one for each key, and no key was named.
    #[error(
        "`{}` is a family of {kind}s: name one of them, as `{}[key]`, or ask for all by `lifecycle::{look_up}`",
        printable(.name), printable(.name)
    )]
    NeedsKey {
        /// What was looked for.
        kind: &'static str,
        /// The function that finds families.
        look_up: &'static str,
        /// The name that was asked for.
        name: String,
    },
    /// The name is declared more than once.
    #[error(
        "`{}` is declared more than once: {}; ask by path, or give one of them a `name = \"..\"`",
        printable(.name), .candidates.join(", ")
    )]
    Ambiguous {
        /// The name that was asked for.
        name: String,
        /// The path and place of each.
        candidates: Vec<String>,
    },
    /// The stored value has another type.
    #[error("`{}` holds a {found}, not a {expected}", printable(.name))]
    TypeMismatch {
        /// The component.
        name: String,
        /// The type asked for, or offered in its place.
        expected: &'static str,
        /// The type found.
        found: &'static str,
    },
    /// A declared flag was set to a value of another type.
    #[error("flag `{}` is a {expected}; {found} does not fit{}", printable(.name), printable(.hint))]
    FlagType {
        /// The flag.
        name: String,
        /// The flag's type.
        expected: &'static str,
        /// The value offered.
        found: String,
        /// What may be meant: `, did you mean ..?`, or nothing.
        hint: String,
    },
    /// A flag's environment variable holds no value of its type, so its default is in force; for [`verify`](crate::verify).
    #[error("flag `{}`: the environment variable `{}` holds no {expected}, so the default is in force{}", printable(.name), printable(.variable), printable(.hint))]
    InvalidEnv {
        /// The flag.
        name: String,
        /// The variable. Its value is not shown: what stands in the wrong variable may be a secret.
        variable: String,
        /// The flag's type.
        expected: &'static str,
        /// What may be meant: `, did you mean ..?`, or nothing.
        hint: String,
    },
    /// A singleton could not be created.
    #[error(transparent)]
    Singleton(#[from] SingletonError),
    /// A step failed, so `initialize` did.
    #[error("step `{}` failed, so nothing is initialized", printable(.name))]
    Step {
        /// The step.
        name: String,
        /// Its own error, or why it was not run.
        source: BoxError,
    },
    /// Steps that `initialize` is to run are async.
    #[error("steps are async: {}; await `initialize_async(config)` instead", .names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))]
    AsyncSteps {
        /// Their names.
        names: Vec<String>,
    },
    /// `initialize` was called by what it waits for.
    #[error(
        "already initializing, and that waits for this call: {path}; steps find the configuration by `initialization().config()`"
    )]
    Initializing {
        /// The circle, with the place of each declaration.
        path: String,
    },
    /// The configuration was asked for before `initialize`.
    #[error("not initialized: call `initialize` first")]
    NotInitialized,
    /// A breaker of that name exists with another configuration; the existing one stays in force.
    #[error("circuit breaker `{}` exists with {existing}; {requested} was asked for", printable(.name))]
    BreakerConfigMismatch {
        /// The breaker.
        name: String,
        /// The configuration in force.
        existing: String,
        /// The configuration asked for.
        requested: String,
    },
    /// A configuration value that cannot work.
    #[error("`{}`: {reason}", printable(.name))]
    InvalidConfig {
        /// The component.
        name: String,
        /// What is wrong and what to write.
        reason: String,
    },
    /// Settings that cannot be used: nothing of them was applied.
    #[cfg(not(loom))]
    #[error("nothing of the settings was applied:{}", crate::settings::listed(.problems))]
    InvalidSettings {
        /// All that is wrong.
        problems: Vec<crate::settings::Problem>,
    },
    /// A setting that cannot be used and is left out, for [`verify`](crate::verify).
    #[cfg(not(loom))]
    #[error("{problem}")]
    IgnoredSetting {
        /// What is wrong.
        problem: crate::settings::Problem,
    },
    /// A bound on run-time entries is reached.
    #[error("`{}` not stored: {what} holds its {limit} entries", printable(.name))]
    Full {
        /// What is full.
        what: &'static str,
        /// The entry that found no place.
        name: String,
        /// The bound.
        limit: usize,
    },
    /// A value or name is larger than what is stored.
    #[error("`{}`: {size} bytes, at most {limit} are stored", printable(.name))]
    TooLarge {
        /// The entry, cut short.
        name: String,
        /// Its size in bytes.
        size: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// No operation of that name.
    #[error("unknown operation `{}`; there are: {}", printable(.op), .known.join(", "))]
    UnknownOperation {
        /// What was asked for.
        op: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// The operation does not take that argument.
    #[error("operation `{op}` takes no argument `{}`; it takes: {}", printable(.name), .known.join(", "))]
    UnknownArgument {
        /// The operation.
        op: &'static str,
        /// The argument.
        name: String,
        /// What it takes.
        known: Vec<&'static str>,
    },
    /// The operation needs that argument.
    #[error("operation `{op}` needs the argument `{name}`")]
    MissingArgument {
        /// The operation.
        op: &'static str,
        /// The argument.
        name: &'static str,
    },
    /// The component has no such operation.
    #[error("`{}`: {reason}", printable(.name))]
    NotPossible {
        /// The component.
        name: String,
        /// Why, and what to do.
        reason: &'static str,
    },
    /// The operation cannot be carried out from JSON arguments.
    #[error("`{}` cannot be called by name: {reason}", printable(.name))]
    NotDispatchable {
        /// The component.
        name: String,
        /// Why, and what to do.
        reason: &'static str,
    },
}

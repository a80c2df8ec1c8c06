//! The by-name, JSON face that the three cores share: operations and their arguments, the limit on operations, errors as
//! objects.
//!
//! A core declares its operations with `operations!`; its dispatcher takes `(operation, Args)`, checks the arguments
//! against the operation's signature here and answers with its wire shape.

mod args;
mod gate;
mod operation;

pub use args::Args;
pub(crate) use args::Checked;
pub(crate) use gate::Gate;
pub(crate) use operation::{Signature, operations, unknown_operation};

use crate::error::{Error, SingletonError};
use serde_json::{Map, Value, json};

/// Wire text of a refusal by a core's limit; the native error adds the details.
pub(crate) const LIMITED: &str = "Rate limit exceeded";

/// An error as the wire carries it: `{"error": text, "kind": word}`, and how long to wait where that is known.
pub(crate) fn error_object(error: &Error) -> Value {
    let mut object = Map::new();
    object.insert("error".to_owned(), error.to_string().into());
    object.insert("kind".to_owned(), kind(error).into());
    if let Error::RateLimited { retry_after, .. } = error {
        object.insert("retry_after_seconds".to_owned(), json!(retry_after.as_secs_f64()));
    }
    Value::Object(object)
}

/// One word for each error, for programs.
fn kind(error: &Error) -> &'static str {
    match error {
        Error::RateLimited { .. } => "rate_limited",
        Error::InvalidName { .. } => "invalid_name",
        Error::NotFound { .. } => "not_found",
        Error::Ambiguous { .. } => "ambiguous",
        Error::TypeMismatch { .. } => "type_mismatch",
        Error::FlagType { .. } => "flag_type",
        Error::InvalidEnv { .. } => "invalid_env",
        Error::Singleton(SingletonError::Factory { .. }) => "factory",
        Error::Singleton(SingletonError::Cycle { .. }) => "cycle",
        Error::Singleton(SingletonError::InitTimeout { .. }) => "init_timeout",
        Error::Singleton(SingletonError::Backoff { .. }) => "backoff",
        Error::Singleton(SingletonError::ShuttingDown { .. }) => "shutting_down",
        Error::Singleton(SingletonError::ContextEnded { .. }) => "context_ended",
        Error::Singleton(SingletonError::NoInvocation { .. }) => "no_invocation",
        Error::Singleton(SingletonError::InvocationEnded { .. }) => "invocation_ended",
        Error::Singleton(SingletonError::OutlivesInvocation { .. }) => "outlives_invocation",
        Error::Singleton(SingletonError::NeedsAsync { .. }) => "needs_async",
        Error::Singleton(SingletonError::Forked { .. }) => "forked",
        Error::Singleton(SingletonError::NotReachable { .. }) => "not_reachable",
        Error::NotInitialized => "not_initialized",
        Error::Initializing { .. } => "initializing",
        Error::Step { .. } => "step",
        Error::AsyncSteps { .. } => "async_steps",
        Error::BreakerConfigMismatch { .. } => "breaker_config_mismatch",
        Error::NeedsKey { .. } => "needs_key",
        Error::CallFailed { .. } => "call_failed",
        Error::InvalidConfig { .. } => "invalid_config",
        Error::InvalidSettings { .. } => "invalid_settings",
        Error::IgnoredSetting { .. } => "ignored_setting",
        Error::Full { .. } => "full",
        Error::TooLarge { .. } => "too_large",
        Error::UnknownOperation { .. } => "unknown_operation",
        Error::UnknownArgument { .. } => "unknown_argument",
        Error::MissingArgument { .. } => "missing_argument",
        Error::NotPossible { .. } => "not_possible",
        Error::NotDispatchable { .. } => "not_dispatchable",
    }
}

/// An operation given as the enum itself cannot be unknown.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests;

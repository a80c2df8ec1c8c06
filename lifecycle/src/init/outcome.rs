//! What the operations answer, and how the wire writes it.

use crate::clock::unix_seconds;
use crate::error::Error;
use crate::wire::LIMITED;
use serde_json::{Map, Value, json};
use std::time::{Duration, SystemTime};

/// What [`initialize`](crate::initialize) came to.
///
/// ```
/// use lifecycle::{InitConfig, InitializationCore};
///
/// let core = InitializationCore::new();
/// let first = core.initialize(InitConfig::new().with("region", "eu-west-1"))?;
/// assert!(!first.cached && first.config_keys == ["region"]);
///
/// let again = core.initialize(InitConfig::new().with("region", "us-east-1"))?;
/// assert!(again.cached && again.ignored); // the first one stays
/// assert_eq!(again.ignored_keys, ["region"]);
/// assert_eq!(again.timestamp, first.timestamp);
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InitOutcome {
    /// It was initialized before; this call changed nothing.
    pub cached: bool,
    /// This call gave a configuration that differs from the one in force, which was ignored.
    pub ignored: bool,
    /// The names of what differs: given with another value, given in addition, or left out.
    pub ignored_keys: Vec<String>,
    /// When the initialization in force began.
    pub timestamp: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// How long ago it began.
    pub uptime: Duration,
    /// The names of the configuration's values, in order.
    pub config_keys: Vec<String>,
}

impl InitOutcome {
    pub(super) fn to_wire(&self) -> Value {
        if self.cached {
            json!({
                "status": "already_initialized",
                "cached": true,
                "timestamp": unix_seconds(self.timestamp),
                "init_duration_ms": millis(self.duration),
                "uptime_seconds": self.uptime.as_secs_f64(),
                "config_keys": self.config_keys,
            })
        } else {
            json!({
                "status": "initialized",
                "cached": false,
                "timestamp": unix_seconds(self.timestamp),
                "duration_ms": millis(self.duration),
                "config_keys": self.config_keys,
            })
        }
    }

    /// The answer when the limit refuses.
    pub(super) fn limited(initialized: bool) -> Value {
        json!({ "status": "rate_limited", "cached": initialized, "timestamp": null, "config_keys": [] })
    }
}

/// What [`reset`](crate::InitializationCore::reset) came to; there is an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitReset {
    /// Was it initialized?
    pub was_initialized: bool,
    /// When it was reset.
    pub timestamp: SystemTime,
}

impl InitReset {
    pub(super) fn to_wire(&self) -> Value {
        json!({
            "status": "reset",
            "was_initialized": self.was_initialized,
            "timestamp": unix_seconds(self.timestamp),
        })
    }
}

/// The state of initialization; from [`get_status`](crate::InitializationCore::get_status).
///
/// ```
/// use lifecycle::{InitConfig, InitializationCore};
///
/// let core = InitializationCore::new();
/// core.set_flag("beta", true)?;
/// let status = core.get_status();
/// assert!(!status.initialized && status.uptime.is_none());
/// assert_eq!((status.flag_count, &status.flags["beta"]), (1, &true.into()));
///
/// core.initialize(InitConfig::new().with("region", "eu-west-1").with("token", "s3cr3t").reveal("region"))?;
/// let status = core.get_status();
/// assert_eq!((&status.config["region"], &status.config["token"]), (&"eu-west-1".into(), &"***".into()));
/// assert!(status.initialized && status.uptime.is_some());
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InitStatus {
    /// Is it initialized?
    pub initialized: bool,
    /// The configuration as it may be shown: `***` for what is not revealed.
    pub config: Map<String, Value>,
    /// Flags set by name, then declared flags that were set.
    pub flags: Map<String, Value>,
    /// When initialization began.
    pub init_timestamp: Option<SystemTime>,
    /// How long it took.
    pub init_duration: Option<Duration>,
    /// How long ago it began.
    pub uptime: Option<Duration>,
    /// How many flags there are in `flags`.
    pub flag_count: usize,
    /// The names of the configuration's values, in order.
    pub config_keys: Vec<String>,
    /// Operations refused by the limit.
    pub rate_limited_count: u64,
}

impl InitStatus {
    pub(super) fn to_wire(&self) -> Value {
        json!({
            "initialized": self.initialized,
            "config": self.config,
            "flags": self.flags,
            "init_timestamp": self.init_timestamp.map(unix_seconds),
            "init_duration_ms": self.init_duration.map(millis),
            "uptime_seconds": self.uptime.map(|uptime| uptime.as_secs_f64()),
            "flag_count": self.flag_count,
            "config_keys": self.config_keys,
            "rate_limited_count": self.rate_limited_count,
        })
    }
}

/// What [`set_flag`](crate::InitializationCore::set_flag) came to; there is an example.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FlagChange {
    /// The value now.
    pub value: Value,
    /// The value before; none when the flag was not set before.
    pub old_value: Option<Value>,
    /// It was not set before.
    pub was_new: bool,
}

impl FlagChange {
    pub(super) fn new(value: Value, old_value: Option<Value>) -> Self {
        Self { value, was_new: old_value.is_none(), old_value }
    }

    pub(super) fn to_wire(&self, name: Value) -> Value {
        json!({
            "success": true,
            "flag_name": name,
            "value": self.value,
            "old_value": self.old_value,
            "was_new": self.was_new,
        })
    }

    /// The answer when it was refused.
    pub(super) fn refused(error: &Error, name: Value) -> Value {
        let why = match error {
            Error::RateLimited { .. } => LIMITED.to_owned(),
            other => other.to_string(),
        };
        json!({ "success": false, "error": why, "flag_name": name })
    }
}

/// Milliseconds with fraction: the wire form of durations.
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

//! What a snapshot shows of one component, a kind after the other.

use crate::settings::Source;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One singleton.
///
/// ```
/// #[lifecycle::singleton(eager)]
/// fn price_list() -> Vec<u64> {
///     vec![3, 5]
/// }
///
/// let seen = || lifecycle::snapshot().singletons.into_iter().find(|one| one.name == "price_list").unwrap();
/// let before = seen();
/// assert!(!before.created && before.eager && before.creation_us.is_none());
/// price_list();
/// price_list();
/// let after = seen();
/// assert!(after.created && after.created_at.is_some());
/// assert_eq!((after.accesses, after.type_name.as_str(), after.size), (2, "Vec<u64>", size_of::<Vec<u64>>()));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SingletonSnapshot {
    /// Its short name.
    pub name: String,
    /// `module::name`.
    pub path: String,
    /// `file:line`; empty for those made at run time.
    pub declared_at: String,
    /// The type, without its module.
    pub type_name: String,
    /// Does an instance exist?
    pub created: bool,
    /// Is it created by `warm_up`?
    pub eager: bool,
    /// How often an instance was handed out.
    pub accesses: u64,
    /// Of one with `scope = invocation`: the instances there are, in all invocations. `created` and the like speak of the
    /// invocation in which the snapshot is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alive: Option<usize>,
    /// When the present instance was stored, in seconds since 1970.
    pub created_at: Option<f64>,
    /// When its factory began, in microseconds of the process's monotonic clock: for a waterfall of the start.
    pub began_us: Option<u64>,
    /// How long its factory ran, in microseconds.
    pub creation_us: Option<u64>,
    /// Its place in the order of all creations, from 1.
    pub order: Option<u64>,
    /// The thread that ran the factory.
    pub thread: Option<String>,
    /// The singleton whose factory asked for it.
    pub asked_by: Option<String>,
    /// What its factory reached for, as observed, then what its `depends_on` says beside that.
    pub depends_on: Vec<String>,
    /// Factory runs that gave an error or panicked.
    pub failures: u64,
    /// The last such error, while there is no instance.
    pub last_error: Option<String>,
    /// Replaced instances that stay allocated.
    pub retired: u64,
    /// Their shallow size in bytes.
    pub retired_bytes: u64,
    /// Shallow size of an instance in bytes.
    pub size: usize,
    /// What its `memory` hook says it holds beside that, in bytes.
    pub heap: Option<usize>,
    /// Of a keyed singleton as a whole: keys that have an instance. Each of them follows as an entry of its own.
    pub keys: Option<usize>,
    /// Of a keyed singleton: instances that found no place and were kept by nobody but their callers.
    pub unkept: u64,
}

/// One circuit breaker, from [`metrics`](crate::CircuitBreaker::metrics) and in a [`Snapshot`](super::Snapshot).
///
/// ```
/// use lifecycle::{CircuitBreaker, clock::ManualClock};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = Arc::new(ManualClock::new());
/// let breaker = CircuitBreaker::builder("db").threshold(2).clock(clock.clone()).build()?;
/// for _ in 0..2 {
///     breaker.call(|| Err::<(), _>("down")).unwrap_err();
/// }
/// clock.advance(Duration::from_secs(20));
/// let seen = breaker.metrics();
/// assert_eq!((seen.state.as_str(), seen.failures, seen.threshold), ("open", 2, Some(2)));
/// assert_eq!((seen.timeout, seen.retry_after_seconds), (60.0, Some(40.0)));
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// On the wire of the by-name core it goes without `path` and `declared_at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BreakerSnapshot {
    /// Its short name.
    pub name: String,
    /// `closed`, `open`, `half_open`, `forced_open`, `disabled` or `observe_only`.
    pub state: String,
    /// Failures in a row; of a breaker that looks at rates only, failures in its window.
    pub failures: u32,
    /// Failures in a row that open it, if it looks at them.
    pub threshold: Option<u32>,
    /// How long it stays open, in seconds.
    pub timeout: f64,
    /// When it last counted a failure, in seconds since 1970.
    pub last_failure_time: Option<f64>,
    /// When it opened, if it is open, in seconds since 1970.
    pub opened_at: Option<f64>,
    /// Seconds until the next probe is admitted; 0 when the next call is one.
    pub retry_after_seconds: Option<f64>,
    /// What went through it.
    pub statistics: BreakerStatistics,
    /// What its rates look at, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<BreakerRates>,
    /// In [`snapshot`](crate::snapshot): the numbers it goes by, and where each comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingSnapshot>,
    /// `module::name`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// `file:line`; empty for those made at run time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub declared_at: String,
}

impl BreakerSnapshot {
    /// Without what the wire form does not have: the place of the declaration, the rates.
    pub(crate) fn into_wire(self) -> Self {
        Self { path: String::new(), declared_at: String::new(), rates: None, settings: Vec::new(), ..self }
    }
}

/// A family of components, one for each key.
///
/// ```
/// use lifecycle::{Rejected, circuit_breaker};
///
/// #[circuit_breaker(threshold = 3, key = host)]
/// fn ping(host: &str) -> Result<(), Rejected> {
///     Ok(())
/// }
///
/// ping("a.example")?;
/// ping("b.example")?;
/// lifecycle::keyed_breaker("ping")?.at("b.example").force_open();
///
/// let all = lifecycle::snapshot();
/// let family = all.keyed_breakers.iter().find(|family| family.name == "ping").unwrap();
/// assert_eq!((family.keys, family.max_keys), (2, 65_536));
/// let noteworthy: Vec<_> = family.noteworthy.iter().map(|one| (one.name.as_str(), one.state.as_str())).collect();
/// assert_eq!(noteworthy, [("ping[b.example]", "forced_open")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyedSnapshot<S> {
    /// Its short name.
    pub name: String,
    /// Keys there are.
    pub keys: usize,
    /// Keys there can be.
    pub max_keys: usize,
    /// Calls for new keys that found no room and shared one component.
    pub overflowed: u64,
    /// Those that hold something, a hundred at most.
    pub noteworthy: Vec<S>,
    /// `module::name`.
    pub path: String,
    /// `file:line`; empty for those made at run time.
    pub declared_at: String,
}

/// A number of a component that [`settings`](crate::settings) can change.
///
/// ```
/// use lifecycle::{RateLimiter, settings::Source};
///
/// let limiter = RateLimiter::per_second(100)?;
/// limiter.set_limit(50, std::time::Duration::from_secs(1))?;
/// let limit = limiter.settings().into_iter().find(|one| one.option == "limit").unwrap();
/// assert_eq!((limit.value, limit.source), (50.into(), Source::Reconfigured));
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SettingSnapshot {
    /// The option.
    pub option: String,
    /// Its value, as settings take it.
    pub value: Value,
    /// Who said so.
    pub source: Source,
}

/// The window of a breaker that looks at rates.
///
/// ```
/// let breaker = lifecycle::CircuitBreaker::builder("db").failure_rate(50).minimum_calls(4).build()?;
/// for succeeds in [true, true, true, false] {
///     assert_eq!(breaker.metrics().rates.unwrap().failure_rate, None); // too few calls to tell
///     assert_eq!(breaker.call(|| if succeeds { Ok(()) } else { Err("down") }).is_ok(), succeeds);
/// }
/// let rates = breaker.metrics().rates.unwrap();
/// assert_eq!((rates.calls, rates.failures, rates.failure_rate), (4, 1, Some(25.0)));
/// assert_eq!((rates.window.as_str(), rates.opens_at_failure_rate), ("100 calls", Some(50)));
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BreakerRates {
    /// `100 calls`, or `10s`.
    pub window: String,
    /// Calls in it.
    pub calls: u32,
    /// Failed ones.
    pub failures: u32,
    /// Slow ones, failed or not.
    pub slow_calls: u32,
    /// Calls it must hold before its rates count.
    pub minimum_calls: u32,
    /// Failures in percent of the calls; missing while it holds too few.
    pub failure_rate: Option<f64>,
    /// Slow calls in percent of the calls; missing while it holds too few.
    pub slow_call_rate: Option<f64>,
    /// The failure rate that opens the breaker.
    pub opens_at_failure_rate: Option<u32>,
    /// The slow-call rate that opens it.
    pub opens_at_slow_call_rate: Option<u32>,
}

/// What went through a breaker. Without the feature `counters` the counts of calls are 0.
///
/// ```
/// let breaker = lifecycle::CircuitBreaker::builder("db").threshold(1).build()?;
/// breaker.call(|| Ok::<_, &str>(())).unwrap();
/// breaker.call(|| Err::<(), _>("down")).unwrap_err();
/// breaker.call(|| Ok::<_, &str>(())).unwrap_err(); // refused
/// let counts = breaker.metrics().statistics;
/// assert_eq!((counts.total_calls, counts.successful_calls, counts.failed_calls), (2, 1, 1));
/// assert_eq!((counts.rejected_calls, counts.times_opened), (1, 1));
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BreakerStatistics {
    /// Calls that ran and ended: the sum of successful, failed, cancelled and ignored ones.
    pub total_calls: u64,
    /// Calls that succeeded.
    pub successful_calls: u64,
    /// Calls that failed.
    pub failed_calls: u64,
    /// Calls refused without running.
    pub rejected_calls: u64,
    /// Calls dropped before they ended.
    pub cancelled_calls: u64,
    /// Calls whose error was ignored.
    pub ignored_calls: u64,
    /// How often it opened.
    pub times_opened: u64,
    /// When it last changed state, in seconds since 1970.
    pub last_state_change: Option<f64>,
}

/// One rate limiter, from [`observe`](crate::RateLimiter::observe) and in a [`Snapshot`](super::Snapshot).
///
/// ```
/// use lifecycle::{RateLimiter, clock::ManualClock};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = Arc::new(ManualClock::new());
/// let limiter = RateLimiter::new(2, Duration::from_secs(10))?.with_clock(clock.clone());
/// limiter.try_acquire_n(2)?;
/// clock.advance(Duration::from_secs(6));
/// assert!(limiter.try_acquire().is_err());
/// let seen = limiter.observe();
/// assert_eq!((seen.limit, seen.window_seconds, seen.used), (2, 10.0, 2));
/// assert_eq!((seen.allowed, seen.limited), (2, 1));
/// assert!((4.0..4.1).contains(&seen.retry_after_seconds));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimiterSnapshot {
    /// Its short name.
    pub name: String,
    /// `module::name`.
    pub path: String,
    /// `file:line`; empty for those made at run time.
    pub declared_at: String,
    /// Permits a window holds.
    pub limit: u32,
    /// The window, in seconds.
    pub window_seconds: f64,
    /// Permits given within the window that ends now.
    pub used: u32,
    /// Permits given in all.
    pub allowed: u64,
    /// Permits refused in all.
    pub limited: u64,
    /// Seconds until the next permit; 0 when there is one now.
    pub retry_after_seconds: f64,
    /// The numbers it goes by, and where each comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingSnapshot>,
}

/// One flag; [`Snapshot`](super::Snapshot) has an example. A secret one shows `***` as its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FlagSnapshot {
    /// Its name.
    pub name: String,
    /// `module::name`.
    pub path: String,
    /// `file:line`; empty for those set by name at run time.
    pub declared_at: String,
    /// Its type.
    pub type_name: String,
    /// Its value now.
    pub value: Value,
    /// Where the value comes from: `default`, `env`, `default (env invalid)`, `set`, `override`, or `step`; see
    /// [`FlagSource`](crate::flag::FlagSource).
    pub source: String,
}

/// The state of [`initialize`](crate::initialize); from [`observe`](crate::InitializationCore::observe) and in a [`Snapshot`](super::Snapshot).
///
/// ```
/// use lifecycle::{InitConfig, initialize};
///
/// assert!(!lifecycle::snapshot().initialization.initialized);
/// initialize(InitConfig::new().with("token", "s3cr3t"))?;
/// let seen = lifecycle::snapshot().initialization;
/// assert!(seen.initialized && seen.duration_ms.is_some());
/// assert_eq!(seen.config_keys, ["token"]); // names, and no values
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InitializationSnapshot {
    /// Was it done?
    pub initialized: bool,
    /// When it began, in seconds since 1970.
    pub timestamp: Option<f64>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// The steps that it ran or found done, in that order.
    #[serde(default)]
    pub steps: Vec<String>,
    /// How often it failed.
    #[serde(default)]
    pub failures: u64,
    /// Why it last did, while it is not initialized.
    #[serde(default)]
    pub last_error: Option<String>,
    /// The names of the configuration's values; the values may be secret.
    pub config_keys: Vec<String>,
}

/// [Invocations](mod@crate::invocation) of the process.
///
/// ```
/// let active = || lifecycle::snapshot().invocations.active;
/// assert_eq!((active(), lifecycle::invocation_blocking("req-1", active), active()), (0, 1, 0));
/// assert_eq!(lifecycle::snapshot().invocations.begun, 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InvocationsSnapshot {
    /// Those that began.
    pub begun: u64,
    /// Those that go on now.
    pub active: usize,
}

//! The settings of circuit breakers.

use super::options::{ComponentSettings, Number, Setting};
use super::table::{self, Entry};
use super::value::{Calls, Count, Growth, Length, Percent, Spelling, Timeout, Word};
use crate::breaker::{Backoff, BreakerConfig, Cancelled, Window};
use crate::error::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// One line an option: its type, and how its value is written. The names are those of [`BreakerConfig`].
macro_rules! breaker_settings {
    ($(#[$meta:meta])* { $($(#[$doc:meta])* $name:ident: $ty:ty as $spelling:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        #[non_exhaustive]
        pub struct BreakerSettings {
            $($(#[$doc])* pub $name: Option<$ty>,)*
        }

        impl BreakerSettings {
            $($(#[$doc])*
            #[must_use]
            pub const fn $name(mut self, value: $ty) -> Self {
                self.$name = Some(value);
                self
            })*

            /// Changes nothing.
            #[must_use]
            pub const fn new() -> Self {
                Self { $($name: None,)* }
            }
        }

        impl ComponentSettings for BreakerSettings {
            type Config = BreakerConfig;

            const OPTIONS: &'static [Setting<Self>] = &[$(Setting {
                name: stringify!($name),
                read: |settings, value| {
                    settings.$name = Some(<$spelling>::read(value)?);
                    Ok(())
                },
                write: |settings| settings.$name.as_ref().map(<$spelling>::write),
            },)*];

            const NUMBERS: &'static [Number<Self>] = &[$(Number {
                name: stringify!($name),
                given: |settings| settings.$name.is_some(),
                said: |config| config.$name != BreakerConfig::new().$name,
                write: |settings| settings.$name.as_ref().map(<$spelling>::write),
            },)*];

            fn overlay(&self, mut config: BreakerConfig) -> BreakerConfig {
                $(if let Some(value) = self.$name {
                    config = config.$name(value);
                })*
                config
            }

            fn merged(self, over: &Self) -> Self {
                Self { $($name: over.$name.or(self.$name),)* }
            }

            fn numbers(config: &BreakerConfig) -> Self {
                config.settings()
            }

            fn validate(config: &BreakerConfig, name: &str) -> Result<(), Error> {
                config.validate(name)
            }

            fn part(entry: &Entry) -> Option<&Self> {
                entry.breaker.as_ref()
            }
        }
    };
}

breaker_settings! {
    /// Numbers of a circuit breaker to be changed without a rebuild; what is not given stays as it is.
    ///
    /// The options are those of the attribute, in serde as in its methods. In a file a duration is text with its unit (only
    /// `timeout` may be bare seconds), a number may be text:
    ///
    /// ```
    /// use lifecycle::settings::BreakerSettings;
    /// use lifecycle::{Backoff, Window};
    /// use std::time::Duration;
    ///
    /// let read: BreakerSettings = serde_json::from_str(r#"{
    ///     "failure_rate": 50,
    ///     "window": "10s",
    ///     "timeout": 30,
    ///     "backoff": "exponential(factor = 2, cap = 10m)"
    /// }"#)?;
    /// let same = BreakerSettings::new()
    ///     .failure_rate(50)
    ///     .window(Window::Time(Duration::from_secs(10)))
    ///     .timeout(Duration::from_secs(30))
    ///     .backoff(Backoff::exponential().cap(Duration::from_secs(600)));
    /// assert_eq!(read, same);
    ///
    /// let slip = serde_json::from_str::<BreakerSettings>(r#"{ "slow_call": 2 }"#).unwrap_err();
    /// assert_eq!(slip.to_string(), "`slow_call` must have a unit, such as \"250ms\" or \"2s\", found 2");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    {
        /// Failures in a row that open it.
        threshold: u32 as Count,
        /// The share of failed calls in the window, in percent from 1 to 100, from which on it opens.
        failure_rate: u32 as Percent,
        /// The share of slow calls in the window, in percent from 1 to 100, from which on it opens.
        slow_call_rate: u32 as Percent,
        /// The calls that the rates look at: `"100 calls"` or `"10s"`.
        window: Window as Calls,
        /// How many calls a window must hold before its rates count.
        minimum_calls: u32 as Count,
        /// From this duration on a call is slow.
        slow_call: Duration as Length,
        /// What a call is that its caller drops: `neutral`, `failure` or `failure_when_slow`.
        cancelled: Cancelled as Word,
        /// How long it stays open before a probe is admitted; bare integers are seconds. Not a limit on the call.
        timeout: Duration as Timeout,
        /// Lets it stay open longer each time: `exponential`, `exponential(factor = 2, cap = 10m, jitter = 10)`, or
        /// `{ "exponential": { "factor": 2 } }`.
        backoff: Backoff as Growth,
        /// Probes that may run at a time while half-open.
        half_open_calls: u32 as Count,
        /// Probes that must succeed in a row to close it.
        success_threshold: u32 as Count,
        /// How long a probe keeps its slot.
        half_open_timeout: Duration as Length,
    }
}

/// Everything that the configuration says: what has a default of its own there is given here.
impl From<BreakerConfig> for BreakerSettings {
    fn from(config: BreakerConfig) -> Self {
        Self {
            threshold: config.threshold,
            failure_rate: config.failure_rate,
            slow_call_rate: config.slow_call_rate,
            window: config.window,
            minimum_calls: config.minimum_calls,
            slow_call: config.slow_call,
            cancelled: Some(config.cancelled),
            timeout: Some(config.timeout),
            backoff: config.backoff,
            half_open_calls: Some(config.half_open_calls),
            success_threshold: Some(config.success_threshold),
            half_open_timeout: config.half_open_timeout,
        }
    }
}

impl BreakerConfig {
    /// All numbers, to read: also those of which nothing is said are given here, as what holds then. What stays `None` does not
    /// apply: the threshold where only rates are looked at, the rates' window where there are none, a backoff.
    ///
    /// ```
    /// use lifecycle::{BreakerConfig, Window};
    /// use std::time::Duration;
    ///
    /// let rates = BreakerConfig::new().failure_rate(50).timeout(Duration::from_secs(30)).settings();
    /// assert_eq!((rates.threshold, rates.window), (None, Some(Window::Calls(100))));
    /// assert_eq!((rates.timeout, rates.half_open_timeout), (Some(Duration::from_secs(30)), Some(Duration::from_secs(30))));
    /// assert_eq!(BreakerConfig::new().settings().threshold, Some(5));
    /// ```
    #[must_use]
    pub fn settings(&self) -> BreakerSettings {
        BreakerSettings {
            threshold: self.consecutive(),
            window: self.has_rates().then(|| self.rate_window()),
            minimum_calls: self.has_rates().then(|| self.calls_needed()),
            slow_call: Some(self.slow_after()),
            half_open_timeout: Some(self.probe_lease()),
            ..BreakerSettings::from(*self)
        }
    }
}

impl Serialize for BreakerSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        table::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for BreakerSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table::deserialize(deserializer)
    }
}

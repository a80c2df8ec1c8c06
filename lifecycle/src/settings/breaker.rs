//! The settings of circuit breakers.

use super::options::{ComponentSettings, Number, Setting};
use super::table::{self, Entry};
use super::value::{Calls, Count, Growth, Length, OrOff, Percent, Spelling, Switch, Timeout, Word};
use crate::breaker::{Backoff, BreakerConfig, Cancelled, Window};
use crate::error::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// What differs where an option can be taken away: then the method that does is given as well.
macro_rules! switched {
    (type $ty:ty) => { $ty };
    (type $ty:ty, $without:ident) => { Switch<$ty> };
    (on $value:ident) => { $value };
    (on $value:ident, $without:ident) => { Switch::On($value) };
    (spelling $spelling:ty) => { $spelling };
    (spelling $spelling:ty, $without:ident) => { OrOff<$spelling> };
    (put $config:ident.$name:ident, $value:ident) => { $config = $config.$name($value) };
    (put $config:ident.$name:ident, $value:ident, $without:ident) => { $config.$name = $value.on() };
}

/// One line an option: its type, how its value is written, and by which method it is taken away. The names are those of
/// [`BreakerConfig`].
macro_rules! breaker_settings {
    ($(#[$meta:meta])* { $($(#[$doc:meta])* $name:ident: $ty:ty as $spelling:ty $(, off by $without:ident)?;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        #[non_exhaustive]
        pub struct BreakerSettings {
            $($(#[$doc])* pub $name: Option<switched!(type $ty $(, $without)?)>,)*
        }

        impl BreakerSettings {
            $($(#[$doc])*
            ///
            #[doc = concat!("What it does shows [`BreakerConfig::", stringify!($name), "`], how it is given [`BreakerSettings`].")]
            #[must_use]
            pub const fn $name(mut self, value: $ty) -> Self {
                self.$name = Some(switched!(on value $(, $without)?));
                self
            }

            $(#[doc = concat!("Takes `", stringify!($name), "` away: as if nobody had said it. In a file it is `\"off\"`; [`BreakerSettings`] shows it.")]
            #[must_use]
            pub const fn $without(mut self) -> Self {
                self.$name = Some(Switch::Off);
                self
            })?)*

            /// Changes nothing: see [`BreakerSettings`] for an example.
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
                    settings.$name = Some(<switched!(spelling $spelling $(, $without)?)>::read(value)?);
                    Ok(())
                },
                write: |settings| settings.$name.as_ref().map(<switched!(spelling $spelling $(, $without)?)>::write),
            },)*];

            const NUMBERS: &'static [Number<Self>] = &[$(Number {
                name: stringify!($name),
                given: |settings| settings.$name.is_some(),
                said: |config| config.$name != BreakerConfig::new().$name,
                write: |settings| settings.$name.as_ref().map(<switched!(spelling $spelling $(, $without)?)>::write),
            },)*];

            fn overlay(&self, mut config: BreakerConfig) -> BreakerConfig {
                $(if let Some(value) = self.$name {
                    switched!(put config.$name, value $(, $without)?);
                })*
                if [self.failure_rate, self.slow_call_rate].contains(&Some(Switch::Off)) && !config.has_rates() {
                    // Nobody looks at them any more.
                    (config.window, config.minimum_calls) = (None, None);
                }
                config
            }

            fn merged(self, over: &Self) -> Self {
                Self { $($name: over.$name.or(self.$name),)* }
            }

            const TAKE_OTHERS: &'static [&'static str] = &["failure_rate", "slow_call_rate"];

            fn numbers(config: &BreakerConfig) -> Self {
                config.settings()
            }

            fn validate(&self, config: &BreakerConfig, name: &str) -> Result<(), Error> {
                self.leave_a_rule(config, name)?;
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
    /// // What the attribute says can be taken away too.
    /// let read: BreakerSettings = serde_json::from_str(r#"{ "failure_rate": "off", "backoff": "off" }"#)?;
    /// assert_eq!(read, BreakerSettings::new().without_failure_rate().without_backoff());
    ///
    /// let slip = serde_json::from_str::<BreakerSettings>(r#"{ "slow_call": 2 }"#).unwrap_err();
    /// assert_eq!(slip.to_string(), "`slow_call` must have a unit, such as \"250ms\" or \"2s\", found 2");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    {
        /// Failures in a row that open it. Taken away only rates open it; where there are none that is an error.
        threshold: u32 as Count, off by without_threshold;
        /// The share of failed calls in the window, in percent from 1 to 100, from which on it opens.
        failure_rate: u32 as Percent, off by without_failure_rate;
        /// The share of slow calls in the window, in percent from 1 to 100, from which on it opens.
        slow_call_rate: u32 as Percent, off by without_slow_call_rate;
        /// The calls that the rates look at: `"100 calls"` or `"10s"`.
        window: Window as Calls;
        /// How many calls a window must hold before its rates count.
        minimum_calls: u32 as Count;
        /// From this duration on a call is slow.
        slow_call: Duration as Length;
        /// What a call is that its caller drops: `neutral`, `failure` or `failure_when_slow`.
        cancelled: Cancelled as Word;
        /// How long it stays open before a probe is admitted; bare integers are seconds. Not a limit on the call.
        timeout: Duration as Timeout;
        /// Lets it stay open longer each time: `exponential`, `exponential(factor = 2, cap = 10m, jitter = 10)`, or
        /// `{ "exponential": { "factor": 2 } }`.
        backoff: Backoff as Growth, off by without_backoff;
        /// Probes that may run at a time while half-open.
        half_open_calls: u32 as Count;
        /// Probes that must succeed in a row to close it.
        success_threshold: u32 as Count;
        /// How long a probe keeps its slot.
        half_open_timeout: Duration as Length;
    }
}

impl BreakerSettings {
    /// A `threshold` that is off is no wish for the default one: who says so wants rates to decide.
    fn leave_a_rule(&self, config: &BreakerConfig, name: &str) -> Result<(), Error> {
        if self.threshold != Some(Switch::Off) || config.has_rates() {
            return Ok(());
        }
        let rates = [("failure_rate", self.failure_rate), ("slow_call_rate", self.slow_call_rate)];
        let off = rates.iter().filter(|(_, rate)| *rate == Some(Switch::Off)).map(|(option, _)| format!("`{option}`"));
        let off = std::iter::once("`threshold`".to_owned()).chain(off).collect::<Vec<_>>();
        let (and_no_rate, are) = if off.len() == 1 { (" and there is no rate", "is") } else { ("", "are") };
        let reason = format!(
            "{} {are} off{and_no_rate}, so nothing would open the breaker: give `failure_rate` or `slow_call_rate`, or a \
             `threshold` (to let all calls pass, call `disable()`)",
            off.join(" and ")
        );
        Err(Error::InvalidConfig { name: name.to_owned(), reason })
    }
}

/// Everything that the configuration says: what has a default of its own there is given here.
impl From<BreakerConfig> for BreakerSettings {
    fn from(config: BreakerConfig) -> Self {
        Self {
            threshold: config.threshold.map(Switch::On),
            failure_rate: config.failure_rate.map(Switch::On),
            slow_call_rate: config.slow_call_rate.map(Switch::On),
            window: config.window,
            minimum_calls: config.minimum_calls,
            slow_call: config.slow_call,
            cancelled: Some(config.cancelled),
            timeout: Some(config.timeout),
            backoff: config.backoff.map(Switch::On),
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
    /// use lifecycle::settings::Switch;
    /// use lifecycle::{BreakerConfig, Window};
    /// use std::time::Duration;
    ///
    /// let rates = BreakerConfig::new().failure_rate(50).timeout(Duration::from_secs(30)).settings();
    /// assert_eq!((rates.threshold, rates.window), (None, Some(Window::Calls(100))));
    /// assert_eq!((rates.timeout, rates.half_open_timeout), (Some(Duration::from_secs(30)), Some(Duration::from_secs(30))));
    /// assert_eq!(BreakerConfig::new().settings().threshold, Some(Switch::On(5)));
    /// ```
    #[must_use]
    pub fn settings(&self) -> BreakerSettings {
        BreakerSettings {
            threshold: self.consecutive().map(Switch::On),
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

//! The settings of rate limiters.

use super::options::{ComponentSettings, Number, Setting};
use super::table::{self, Entry};
use super::value::{Count, Length, Rate, Spelling};
use crate::error::Error;
use crate::limiter::{Rule, check_limit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// Numbers of a rate limiter to be changed without a rebuild; what is not given stays as it is.
///
/// In a file it is `rate = "100/s"`, or `limit = 100` with or without `window = "1s"`.
///
/// ```
/// use lifecycle::settings::RateLimiterSettings;
/// use std::time::Duration;
///
/// let settings = RateLimiterSettings::new().limit(5).window(Duration::from_millis(250));
/// assert_eq!(serde_json::from_str::<RateLimiterSettings>(r#"{ "rate": "5/250ms" }"#)?, settings);
/// assert_eq!(serde_json::from_str::<RateLimiterSettings>(r#"{ "limit": 5, "window": "250ms" }"#)?, settings);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RateLimiterSettings {
    /// Permits that a window holds.
    pub limit: Option<u32>,
    /// The window.
    pub window: Option<Duration>,
}

impl RateLimiterSettings {
    /// Changes nothing: see [`RateLimiterSettings`] for an example.
    #[must_use]
    pub const fn new() -> Self {
        Self { limit: None, window: None }
    }

    /// Permits that a window holds: see [`RateLimiterSettings`] for an example.
    #[must_use]
    pub const fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The window: see [`RateLimiterSettings`] for an example.
    #[must_use]
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = Some(window);
        self
    }

    fn rate(&self) -> Option<(u32, Duration)> {
        self.limit.zip(self.window)
    }
}

/// What a limiter goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LimiterConfig {
    pub(crate) limit: u32,
    pub(crate) window: Duration,
    /// What it was made with: how it counts stays.
    made: Rule,
}

impl LimiterConfig {
    pub(crate) const fn of(made: Rule) -> Self {
        Self { limit: made.limit, window: made.window, made }
    }
}

impl ComponentSettings for RateLimiterSettings {
    type Config = LimiterConfig;

    const OPTIONS: &'static [Setting<Self>] = &[
        Setting {
            name: "rate",
            read: |settings, value| {
                let (limit, window) = Rate::read(value)?;
                *settings = Self::new().limit(limit).window(window);
                Ok(())
            },
            write: |settings| settings.rate().as_ref().map(Rate::write),
        },
        Setting {
            name: "limit",
            read: |settings, value| {
                settings.limit = Some(Count::read(value)?);
                Ok(())
            },
            write: |settings| settings.limit.filter(|_| settings.window.is_none()).as_ref().map(Count::write),
        },
        Setting {
            name: "window",
            read: |settings, value| {
                settings.window = Some(Length::read(value)?);
                Ok(())
            },
            write: |settings| settings.window.filter(|_| settings.limit.is_none()).as_ref().map(Length::write),
        },
    ];

    const NUMBERS: &'static [Number<Self>] = &[
        // A limiter has no defaults: what no layer gives is the declaration's.
        Number {
            name: "limit",
            given: |settings| settings.limit.is_some(),
            said: |_| true,
            write: |settings| settings.limit.as_ref().map(Count::write),
        },
        Number {
            name: "window",
            given: |settings| settings.window.is_some(),
            said: |_| true,
            write: |settings| settings.window.as_ref().map(Length::write),
        },
    ];

    fn overlay(&self, config: LimiterConfig) -> LimiterConfig {
        let (limit, window) = (self.limit.unwrap_or(config.limit), self.window.unwrap_or(config.window));
        LimiterConfig { limit, window, ..config }
    }

    fn merged(self, over: &Self) -> Self {
        Self { limit: over.limit.or(self.limit), window: over.window.or(self.window) }
    }

    fn numbers(config: &LimiterConfig) -> Self {
        Self { limit: Some(config.limit), window: Some(config.window) }
    }

    fn validate(&self, config: &LimiterConfig, name: &str) -> Result<(), Error> {
        check_limit(name, config.limit, config.window)?;
        let invalid = |reason| Error::InvalidConfig { name: name.to_owned(), reason };
        config.made.can_become(config.limit, config.window).map_err(invalid)
    }

    fn part(entry: &Entry) -> Option<&Self> {
        entry.limiter.as_ref()
    }
}

impl Serialize for RateLimiterSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        table::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for RateLimiterSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        table::deserialize(deserializer)
    }
}

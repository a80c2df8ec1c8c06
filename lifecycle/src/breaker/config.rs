//! A breaker's numbers.

use crate::error::Error;
use std::fmt;
use std::time::Duration;

/// What a breaker goes by. Everything has a default; the builder is `const`, so that declared breakers are too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerConfig {
    pub(crate) threshold: u32,
    pub(crate) timeout: Duration,
    pub(crate) half_open_calls: u32,
    pub(crate) success_threshold: u32,
    pub(crate) half_open_timeout: Option<Duration>,
    pub(crate) slow_call: Option<Duration>,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl BreakerConfig {
    /// Five failures in a row open it, for 60 seconds; then one probe decides.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            threshold: 5,
            timeout: Duration::from_secs(60),
            half_open_calls: 1,
            success_threshold: 1,
            half_open_timeout: None,
            slow_call: None,
        }
    }

    /// Failures in a row that open the breaker (default 5).
    #[must_use]
    pub const fn threshold(mut self, failures: u32) -> Self {
        self.threshold = failures;
        self
    }

    /// How long it stays open before a probe is admitted (default 60 s). Not a limit on the call.
    #[must_use]
    pub const fn timeout(mut self, open: Duration) -> Self {
        self.timeout = open;
        self
    }

    /// Probes that may run at a time while half-open (default 1).
    #[must_use]
    pub const fn half_open_calls(mut self, probes: u32) -> Self {
        self.half_open_calls = probes;
        self
    }

    /// Probes that must succeed in a row to close it (default 1).
    #[must_use]
    pub const fn success_threshold(mut self, successes: u32) -> Self {
        self.success_threshold = successes;
        self
    }

    /// How long a probe keeps its slot (default: `timeout`, at most five minutes); later the next caller probes instead.
    #[must_use]
    pub const fn half_open_timeout(mut self, lease: Duration) -> Self {
        self.half_open_timeout = Some(lease);
        self
    }

    /// From this duration on a dropped call counts as a failure: what hangs until its caller gives up opens the breaker
    /// (default 10 s).
    #[must_use]
    pub const fn slow_call(mut self, limit: Duration) -> Self {
        self.slow_call = Some(limit);
        self
    }

    pub(crate) fn probe_lease(&self) -> Duration {
        self.half_open_timeout.unwrap_or_else(|| self.timeout.min(Duration::from_secs(300)))
    }

    pub(crate) fn slow_after(&self) -> Duration {
        self.slow_call.unwrap_or(Duration::from_secs(10))
    }

    /// Numbers a breaker cannot work with.
    pub(crate) fn validate(&self, name: &str) -> Result<(), Error> {
        let zero = [
            ("threshold", self.threshold == 0),
            ("timeout", self.timeout.is_zero()),
            ("half_open_calls", self.half_open_calls == 0),
            ("success_threshold", self.success_threshold == 0),
            ("half_open_timeout", self.half_open_timeout == Some(Duration::ZERO)),
            ("slow_call", self.slow_call == Some(Duration::ZERO)),
        ];
        match zero.iter().find(|(_, wrong)| *wrong) {
            Some((option, _)) => Err(Error::InvalidConfig {
                name: name.to_owned(),
                reason: format!("`{option}` must be more than zero"),
            }),
            None => Ok(()),
        }
    }
}

impl fmt::Display for BreakerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "threshold {}, timeout {:?}", self.threshold, self.timeout)?;
        if (self.half_open_calls, self.success_threshold) != (1, 1) {
            write!(f, ", half_open_calls {}, success_threshold {}", self.half_open_calls, self.success_threshold)?;
        }
        for (option, value) in [("half_open_timeout", self.half_open_timeout), ("slow_call", self.slow_call)] {
            if let Some(value) = value {
                write!(f, ", {option} {value:?}")?;
            }
        }
        Ok(())
    }
}

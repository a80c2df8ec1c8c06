//! The words of a breaker's configuration that are more than a number.

use std::fmt;
use std::time::Duration;

/// Which calls the rates look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The last so many calls. Exact; takes two bits a call.
    Calls(u32),
    /// The calls that ended within the last so much time. Calls of one instant share an entry; up to 1,024 entries the window
    /// is exact, beyond them neighbours within a 512th of its length are merged. Takes at most 24 KiB.
    Time(Duration),
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls(calls) => write!(f, "{calls} calls"),
            Self::Time(length) => write!(f, "{length:?}"),
        }
    }
}

/// How a breaker stays open longer each time that it opens again without having closed in between.
///
/// ```
/// use lifecycle::{Backoff, BreakerConfig};
/// use std::time::Duration;
///
/// // open for 5 s, 10 s, 20 s, 40 s, 60 s, 60 s, ...
/// let config = BreakerConfig::new()
///     .timeout(Duration::from_secs(5))
///     .backoff(Backoff::exponential().cap(Duration::from_secs(60)));
/// # let _ = config;
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    factor: f64,
    cap: Option<Duration>,
    jitter: u32,
}

impl Backoff {
    /// Twice as long each time, without a cap and without jitter.
    #[must_use]
    pub const fn exponential() -> Self {
        Self { factor: 2.0, cap: None, jitter: 0 }
    }

    /// How many times as long as the time before (default 2).
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// The longest it stays open (default: no bound).
    #[must_use]
    pub const fn cap(mut self, longest: Duration) -> Self {
        self.cap = Some(longest);
        self
    }

    /// By how many percent, at most, the time is made longer or shorter at random (default 0), so that many processes do not
    /// probe at the same moment. The cap holds with it.
    #[must_use]
    pub const fn jitter(mut self, percent: u32) -> Self {
        self.jitter = percent;
        self
    }

    /// How long to stay open the `again`-th time in a row (0 is the first), with `random` from 0 to 1.
    pub(crate) fn time(&self, first: Duration, again: u32, random: impl FnOnce() -> f64) -> Duration {
        let exponent = i32::try_from(again).unwrap_or(i32::MAX);
        let mut seconds = first.as_secs_f64() * self.factor.powi(exponent);
        let longest = self.cap.unwrap_or(Duration::MAX);
        seconds = seconds.min(longest.as_secs_f64());
        if self.jitter > 0 {
            seconds *= 1.0 + f64::from(self.jitter) / 100.0 * (2.0 * random() - 1.0);
        } else if again == 0 {
            // Without a detour over floating point.
            return first.min(longest);
        }
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).min(longest)
    }

    pub(crate) const fn fault(&self) -> Option<&'static str> {
        if !(self.factor.is_finite() && self.factor >= 1.0) {
            return Some("`backoff`: the factor must be a number from 1 on");
        }
        if let Some(Duration::ZERO) = self.cap {
            return Some("`backoff`: the cap must be more than zero");
        }
        if self.jitter > 100 { Some("`backoff`: the jitter is in percent, from 0 to 100") } else { None }
    }
}

impl fmt::Display for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exponential(factor {}", self.factor)?;
        if let Some(cap) = self.cap {
            write!(f, ", cap {cap:?}")?;
        }
        if self.jitter > 0 {
            write!(f, ", jitter {} %", self.jitter)?;
        }
        f.write_str(")")
    }
}

/// What a call is that its caller drops before it ends.
///
/// ```
/// use lifecycle::{BreakerConfig, Cancelled};
///
/// let config = BreakerConfig::new().cancelled(Cancelled::Neutral); // those who give up say nothing of the service
/// assert_eq!(config.to_string(), "threshold 5, timeout 60s, cancelled neutral");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancelled {
    /// From `slow_call` on a failure, before it nothing: who gives up on what hangs tells the breaker, who just changes their
    /// mind does not.
    FailureWhenSlow,
    /// Always nothing; a probe's slot is free again.
    Neutral,
    /// Always a failure.
    Failure,
}

impl Cancelled {
    /// As the attribute spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailureWhenSlow => "failure_when_slow",
            Self::Neutral => "neutral",
            Self::Failure => "failure",
        }
    }
}

/// What a call's value means to the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The call succeeded.
    Success,
    /// The call failed.
    Failure,
    /// None of the breaker's business: counts for nothing, gives a probe's slot back.
    Ignored,
}

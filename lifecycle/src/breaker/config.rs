//! A breaker's numbers.

use super::policy::{Backoff, Cancelled, Window};
use crate::error::Error;
use std::fmt;
use std::time::Duration;

/// What a breaker goes by. Everything has a default; the builder is `const`, so that declared breakers are too.
///
/// ```
/// use lifecycle::{BreakerConfig, Window};
/// use std::time::Duration;
///
/// const DB: BreakerConfig = BreakerConfig::new()
///     .failure_rate(50)
///     .window(Window::Time(Duration::from_secs(10)))
///     .minimum_calls(20)
///     .timeout(Duration::from_secs(30));
/// assert_eq!(DB.to_string(), "failure_rate 50 %, window 10s, minimum_calls 20, timeout 30s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerConfig {
    pub(crate) threshold: Option<u32>,
    pub(crate) failure_rate: Option<u32>,
    pub(crate) slow_call_rate: Option<u32>,
    pub(crate) window: Option<Window>,
    pub(crate) minimum_calls: Option<u32>,
    pub(crate) slow_call: Option<Duration>,
    pub(crate) cancelled: Cancelled,
    pub(crate) timeout: Duration,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) half_open_calls: u32,
    pub(crate) success_threshold: u32,
    pub(crate) half_open_timeout: Option<Duration>,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl BreakerConfig {
    /// Failures in a row that open a breaker for which nothing else is said.
    pub const DEFAULT_THRESHOLD: u32 = 5;
    /// The window of the rates where none is said.
    pub const DEFAULT_WINDOW: Window = Window::Calls(100);
    /// The calls a rate needs where nothing is said (fewer if the window is smaller).
    pub const DEFAULT_MINIMUM_CALLS: u32 = 10;
    /// The largest window of calls: it takes 256 KiB.
    pub const MAX_WINDOW_CALLS: u32 = 1 << 20;

    /// Five failures in a row open it, for 60 seconds; then one probe decides.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            threshold: None,
            failure_rate: None,
            slow_call_rate: None,
            window: None,
            minimum_calls: None,
            slow_call: None,
            cancelled: Cancelled::FailureWhenSlow,
            timeout: Duration::from_secs(60),
            backoff: None,
            half_open_calls: 1,
            success_threshold: 1,
            half_open_timeout: None,
        }
    }

    /// Failures in a row that open it (default 5; with a rate, only if said).
    #[must_use]
    pub const fn threshold(mut self, failures: u32) -> Self {
        self.threshold = Some(failures);
        self
    }

    /// The share of failed calls in the window, in percent from 1 to 100, from which on it opens. Looked at when a call fails,
    /// once the window holds [`minimum_calls`](Self::minimum_calls).
    #[must_use]
    pub const fn failure_rate(mut self, percent: u32) -> Self {
        self.failure_rate = Some(percent);
        self
    }

    /// The share of slow calls in the window, in percent from 1 to 100, from which on it opens; a call is slow from
    /// [`slow_call`](Self::slow_call) on, whether it succeeds or not. A slow probe opens it again.
    #[must_use]
    pub const fn slow_call_rate(mut self, percent: u32) -> Self {
        self.slow_call_rate = Some(percent);
        self
    }

    /// The calls that the rates look at (default: the last 100).
    #[must_use]
    pub const fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// How many calls a window must hold before its rates count (default 10, or the window's size if that is less).
    #[must_use]
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = Some(calls);
        self
    }

    /// How long it stays open before a probe is admitted (default 60 s). Not a limit on the call.
    #[must_use]
    pub const fn timeout(mut self, open: Duration) -> Self {
        self.timeout = open;
        self
    }

    /// Lets it stay open longer each time that it opens again without having closed; [`timeout`](Self::timeout) is the first.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
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

    /// From this duration on a call is slow (default 10 s): it counts for the [`slow_call_rate`](Self::slow_call_rate), and
    /// dropped by its caller it counts as a failure, so that what hangs until its callers give up opens the breaker. One second and
    /// more are measured by the [coarse clock](crate::clock::Clock::now_coarse), so that what took so long is always slow, and what
    /// took 20 ms less never.
    #[must_use]
    pub const fn slow_call(mut self, limit: Duration) -> Self {
        self.slow_call = Some(limit);
        self
    }

    /// What a call is that its caller drops (default: a failure if it was slow, else nothing).
    #[must_use]
    pub const fn cancelled(mut self, cancelled: Cancelled) -> Self {
        self.cancelled = cancelled;
        self
    }

    /// Failures in a row that open it, if it looks at them.
    pub(crate) const fn consecutive(&self) -> Option<u32> {
        match self.threshold {
            None if !self.has_rates() => Some(Self::DEFAULT_THRESHOLD),
            given => given,
        }
    }

    /// Does it look at more than failures in a row?
    pub(crate) const fn has_rates(&self) -> bool {
        self.failure_rate.is_some() || self.slow_call_rate.is_some()
    }

    pub(crate) fn rate_window(&self) -> Window {
        self.window.unwrap_or(Self::DEFAULT_WINDOW)
    }

    pub(crate) fn calls_needed(&self) -> u32 {
        let most = match self.rate_window() {
            Window::Calls(calls) => calls,
            Window::Time(_) => u32::MAX,
        };
        self.minimum_calls.unwrap_or(Self::DEFAULT_MINIMUM_CALLS.min(most))
    }

    pub(crate) fn probe_lease(&self) -> Duration {
        self.half_open_timeout.unwrap_or_else(|| self.timeout.min(Duration::from_secs(300)))
    }

    pub(crate) fn slow_after(&self) -> Duration {
        self.slow_call.unwrap_or(Duration::from_secs(10))
    }

    /// Numbers a breaker cannot work with.
    pub(crate) fn validate(&self, name: &str) -> Result<(), Error> {
        match self.fault() {
            Some(reason) => Err(Error::InvalidConfig { name: name.to_owned(), reason }),
            None => Ok(()),
        }
    }

    fn fault(&self) -> Option<String> {
        let window = match self.window {
            Some(Window::Calls(0)) => true,
            Some(Window::Time(length)) => length.is_zero(),
            _ => false,
        };
        let zero = [
            ("threshold", self.threshold == Some(0)),
            ("timeout", self.timeout.is_zero()),
            ("window", window),
            ("minimum_calls", self.minimum_calls == Some(0)),
            ("half_open_calls", self.half_open_calls == 0),
            ("success_threshold", self.success_threshold == 0),
            ("half_open_timeout", self.half_open_timeout == Some(Duration::ZERO)),
            ("slow_call", self.slow_call == Some(Duration::ZERO)),
        ];
        if let Some((option, _)) = zero.iter().find(|(_, wrong)| *wrong) {
            return Some(format!("`{option}` must be more than zero"));
        }
        let rates = [("failure_rate", self.failure_rate), ("slow_call_rate", self.slow_call_rate)];
        if let Some((option, _)) = rates.iter().find(|(_, rate)| rate.is_some_and(|rate| !(1..=100).contains(&rate))) {
            return Some(format!("`{option}` is in percent, from 1 to 100"));
        }
        if !self.has_rates() {
            let options = [("window", self.window.is_some()), ("minimum_calls", self.minimum_calls.is_some())];
            if let Some((option, _)) = options.iter().find(|(_, given)| *given) {
                return Some(format!("`{option}` is about rates: it needs `failure_rate` or `slow_call_rate`"));
            }
        }
        if let Window::Calls(calls) = self.rate_window() {
            if calls > Self::MAX_WINDOW_CALLS {
                return Some(format!("`window` can be {} calls at most", Self::MAX_WINDOW_CALLS));
            }
            if self.has_rates() && self.calls_needed() > calls {
                return Some(format!(
                    "`minimum_calls` is more than the window can hold: {} of {calls} calls (a larger `window`, or a smaller \
                     `minimum_calls`)",
                    self.calls_needed()
                ));
            }
        }
        self.backoff.and_then(|backoff| backoff.fault()).map(str::to_owned)
    }
}

impl fmt::Display for BreakerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(threshold) = self.consecutive() {
            write!(f, "threshold {threshold}, ")?;
        }
        for (option, rate) in [("failure_rate", self.failure_rate), ("slow_call_rate", self.slow_call_rate)] {
            if let Some(rate) = rate {
                write!(f, "{option} {rate} %, ")?;
            }
        }
        if self.has_rates() {
            write!(f, "window {}, minimum_calls {}, ", self.rate_window(), self.calls_needed())?;
        }
        write!(f, "timeout {:?}", self.timeout)?;
        if let Some(backoff) = self.backoff {
            write!(f, ", backoff {backoff}")?;
        }
        if (self.half_open_calls, self.success_threshold) != (1, 1) {
            write!(f, ", half_open_calls {}, success_threshold {}", self.half_open_calls, self.success_threshold)?;
        }
        for (option, value) in [("half_open_timeout", self.half_open_timeout), ("slow_call", self.slow_call)] {
            if let Some(value) = value {
                write!(f, ", {option} {value:?}")?;
            }
        }
        if self.cancelled != Cancelled::FailureWhenSlow {
            write!(f, ", cancelled {}", self.cancelled.as_str())?;
        }
        Ok(())
    }
}

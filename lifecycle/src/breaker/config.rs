//! A breaker's numbers.

use super::policy::{Backoff, Cancelled, Window};
use crate::error::Error;
use std::fmt;
use std::time::Duration;

/// What a breaker goes by. Everything has a default; the builder is `const`, so that declared breakers are too.
///
/// Numbers are checked where a breaker is made of them ([`build`](crate::breaker::CircuitBreakerBuilder::build),
/// [`get_with`](crate::CircuitBreakerCore::get_with), [`KeyedCircuitBreaker::new`](crate::KeyedCircuitBreaker::new)): one that no
/// breaker can work with, such as a threshold of 0, is [`Error::InvalidConfig`] there.
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
    ///
    /// ```
    /// use lifecycle::BreakerConfig;
    ///
    /// assert_eq!(BreakerConfig::new().to_string(), "threshold 5, timeout 60s");
    /// ```
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

    /// Failures in a row that open it (default 5; with a rate, only if said). A success in between begins the count anew.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State};
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(2).build()?;
    /// for succeeds in [false, true, false] {
    ///     assert_eq!(breaker.call(|| if succeeds { Ok(()) } else { Err("down") }).is_ok(), succeeds);
    /// }
    /// assert_eq!(breaker.state(), State::Closed); // two failures, but not in a row
    /// breaker.call(|| Err::<(), _>("down")).unwrap_err();
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub const fn threshold(mut self, failures: u32) -> Self {
        self.threshold = Some(failures);
        self
    }

    /// The share of failed calls in the window, in percent from 1 to 100, from which on it opens. Looked at when a call fails,
    /// once the window holds [`minimum_calls`](Self::minimum_calls).
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State, Window};
    ///
    /// let breaker = CircuitBreaker::builder("db")
    ///     .failure_rate(25)
    ///     .window(Window::Calls(8)) // the ninth call pushes the first one out
    ///     .minimum_calls(3)
    ///     .build()?;
    /// let call = |succeeds| breaker.call(|| if succeeds { Ok(()) } else { Err("down") }).is_ok();
    /// assert!(!call(false)); // one of one, but too few calls to tell
    /// assert!((0..7).all(|_| call(true)));
    /// assert_eq!(breaker.state(), State::Closed);
    /// assert!(!call(false)); // one of the last eight
    /// assert_eq!(breaker.state(), State::Closed);
    /// assert!(!call(false)); // two: 25 %
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub const fn failure_rate(mut self, percent: u32) -> Self {
        self.failure_rate = Some(percent);
        self
    }

    /// The share of slow calls in the window, in percent from 1 to 100, from which on it opens; a call is slow from
    /// [`slow_call`](Self::slow_call) on, whether it succeeds or not. A slow probe opens it again.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let breaker = CircuitBreaker::builder("db")
    ///     .slow_call(Duration::from_secs(2))
    ///     .slow_call_rate(50)
    ///     .minimum_calls(2)
    ///     .clock(clock.clone())
    ///     .build()?;
    /// for took in [1, 2] {
    ///     assert_eq!(breaker.state(), State::Closed);
    ///     breaker.call(|| Ok::<_, ()>(clock.advance(Duration::from_secs(took)))).unwrap();
    /// }
    /// assert_eq!(breaker.state(), State::Open); // one of two was slow, though both succeeded
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub const fn slow_call_rate(mut self, percent: u32) -> Self {
        self.slow_call_rate = Some(percent);
        self
    }

    /// The calls that the rates look at (default: the last 100; [`MAX_WINDOW_CALLS`](Self::MAX_WINDOW_CALLS) at most). It needs one of the
    /// rates; see [`failure_rate`](Self::failure_rate) and [`Window`] for examples.
    #[must_use]
    pub const fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// How many calls a window must hold before its rates count (default 10, or the window's size if that is less). It needs one of
    /// the rates; see [`failure_rate`](Self::failure_rate) for an example.
    #[must_use]
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = Some(calls);
        self
    }

    /// How long it stays open before a probe is admitted (default 60 s). Not a limit on the call. [`Duration::MAX`] is for ever.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let breaker = CircuitBreaker::builder("db")
    ///     .threshold(1)
    ///     .timeout(Duration::from_secs(30))
    ///     .clock(clock.clone())
    ///     .build()?;
    /// breaker.call(|| Err::<(), _>("down")).unwrap_err();
    /// clock.advance(Duration::from_millis(29_999));
    /// assert_eq!(breaker.try_acquire().unwrap_err().retry_after, Some(Duration::from_millis(1)));
    /// clock.advance(Duration::from_millis(1));
    /// assert!(breaker.call(|| Ok::<_, &str>(())).is_ok()); // the probe
    /// assert_eq!(breaker.state(), State::Closed);
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub const fn timeout(mut self, open: Duration) -> Self {
        self.timeout = open;
        self
    }

    /// Lets it stay open longer each time that it opens again without having closed; [`timeout`](Self::timeout) is the first. See
    /// [`Backoff`] for an example.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Probes that may run at a time while half-open (default 1).
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, RejectedKind, State, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let breaker = CircuitBreaker::builder("db")
    ///     .threshold(1)
    ///     .half_open_calls(2)
    ///     .success_threshold(2)
    ///     .clock(clock.clone())
    ///     .build()?;
    /// breaker.call(|| Err::<(), _>("down")).unwrap_err();
    /// clock.advance(Duration::from_secs(60));
    ///
    /// let (one, other) = (breaker.try_acquire()?, breaker.try_acquire()?);
    /// assert_eq!(breaker.try_acquire().unwrap_err().kind, RejectedKind::HalfOpenFull);
    /// one.success();
    /// assert_eq!(breaker.state(), State::HalfOpen); // one success is not enough
    /// other.success();
    /// assert_eq!(breaker.state(), State::Closed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn half_open_calls(mut self, probes: u32) -> Self {
        self.half_open_calls = probes;
        self
    }

    /// Probes that must succeed in a row to close it (default 1); one that fails opens it again. See
    /// [`half_open_calls`](Self::half_open_calls) for an example.
    #[must_use]
    pub const fn success_threshold(mut self, successes: u32) -> Self {
        self.success_threshold = successes;
        self
    }

    /// How long a probe keeps its slot (default: `timeout`, at most five minutes); later the next caller probes instead.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, State, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let breaker = CircuitBreaker::builder("db")
    ///     .threshold(1)
    ///     .half_open_timeout(Duration::from_secs(5))
    ///     .clock(clock.clone())
    ///     .build()?;
    /// breaker.call(|| Err::<(), _>("down")).unwrap_err();
    /// clock.advance(Duration::from_secs(60));
    ///
    /// let hangs = breaker.try_acquire()?;
    /// assert!(breaker.try_acquire().is_err());
    /// clock.advance(Duration::from_secs(5));
    /// breaker.try_acquire()?.success(); // in its stead
    /// assert_eq!(breaker.state(), State::Closed);
    /// hangs.failure(); // late: for the statistics only
    /// assert_eq!(breaker.state(), State::Closed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn half_open_timeout(mut self, lease: Duration) -> Self {
        self.half_open_timeout = Some(lease);
        self
    }

    /// From this duration on a call is slow (default 10 s): it counts for the [`slow_call_rate`](Self::slow_call_rate), and
    /// dropped by its caller it counts as a failure, so that what hangs until its callers give up opens the breaker. One second and
    /// more are measured by the [coarse clock](crate::clock::Clock::now_coarse), so that what took so long is always slow, and what
    /// took 20 ms less never. See [`slow_call_rate`](Self::slow_call_rate) and [`Cancelled`] for examples.
    #[must_use]
    pub const fn slow_call(mut self, limit: Duration) -> Self {
        self.slow_call = Some(limit);
        self
    }

    /// What a call is that its caller drops (default: a failure if it was slow, else nothing). See [`Cancelled`] for an example.
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

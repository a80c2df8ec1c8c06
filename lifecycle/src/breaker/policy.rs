//! The words of a breaker's configuration that are more than a number.

use std::fmt;
use std::time::Duration;

/// Which calls the rates look at.
///
/// ```
/// use lifecycle::{CircuitBreaker, Window, clock::ManualClock};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = Arc::new(ManualClock::new());
/// let breaker = CircuitBreaker::builder("db")
///     .failure_rate(50)
///     .window(Window::Time(Duration::from_secs(10)))
///     .clock(clock.clone())
///     .build()?;
/// breaker.call(|| Err::<(), _>("down")).unwrap_err();
/// clock.advance(Duration::from_secs(11));
/// breaker.call(|| Ok::<_, ()>(())).unwrap();
/// let rates = breaker.metrics().rates.unwrap();
/// assert_eq!((rates.window.as_str(), rates.calls, rates.failures), ("10s", 1, 0)); // the failure is out of it
/// # Ok::<(), lifecycle::Error>(())
/// ```
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
/// use lifecycle::{Backoff, CircuitBreaker, clock::ManualClock};
/// use std::{sync::Arc, time::Duration};
///
/// let clock = Arc::new(ManualClock::new());
/// let breaker = CircuitBreaker::builder("db")
///     .threshold(1)
///     .timeout(Duration::from_secs(5)) // the first time
///     .backoff(Backoff::exponential().cap(Duration::from_secs(30)))
///     .clock(clock.clone())
///     .build()?;
/// for seconds in [5, 10, 20, 30, 30] {
///     breaker.call(|| Err::<(), _>("down")).unwrap_err();
///     let open = breaker.try_acquire().unwrap_err().retry_after.unwrap();
///     assert_eq!(open, Duration::from_secs(seconds));
///     clock.advance(open);
/// }
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    factor: f64,
    cap: Option<Duration>,
    jitter: u32,
}

impl Backoff {
    /// Twice as long each time, without a cap and without jitter. What the rest changes:
    ///
    /// ```
    /// use lifecycle::Backoff;
    /// use std::time::Duration;
    ///
    /// let backoff = Backoff::exponential().factor(1.5).cap(Duration::from_secs(600)).jitter(10);
    /// assert_eq!(backoff.to_string(), "exponential(factor 1.5, cap 600s, jitter 10 %)"); // 10 % more or less
    /// ```
    #[must_use]
    pub const fn exponential() -> Self {
        Self { factor: 2.0, cap: None, jitter: 0 }
    }

    /// How many times as long as the time before (default 2; 1 or more). See [`exponential`](Self::exponential) for an example.
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// The longest it stays open (default: no bound). See [`Backoff`] for an example.
    #[must_use]
    pub const fn cap(mut self, longest: Duration) -> Self {
        self.cap = Some(longest);
        self
    }

    /// By how many percent, at most, the time is made longer or shorter at random (default 0, at most 100), so that many processes do
    /// not probe at the same moment. The cap holds with it. See [`exponential`](Self::exponential) for an example.
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
/// use lifecycle::{Cancelled, CircuitBreaker, State, clock::ManualClock};
/// use std::future::{Future, pending};
/// use std::task::{Context, Waker};
/// use std::{sync::Arc, time::Duration};
///
/// /// The breaker's state after a call that its caller dropped after so many seconds.
/// fn after(cancelled: Cancelled, seconds: u64) -> Result<State, lifecycle::Error> {
///     let clock = Arc::new(ManualClock::new());
///     let breaker = CircuitBreaker::builder("db").threshold(1).cancelled(cancelled).clock(clock.clone()).build()?;
///     let mut hangs = Box::pin(breaker.call_async(pending::<Result<(), ()>>()));
///     assert!(hangs.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
///     clock.advance(Duration::from_secs(seconds));
///     drop(hangs);
///     Ok(breaker.state())
/// }
///
/// assert_eq!(after(Cancelled::FailureWhenSlow, 1)?, State::Closed); // the default
/// assert_eq!(after(Cancelled::FailureWhenSlow, 10)?, State::Open); // `slow_call` is 10 s where nothing is said
/// assert_eq!(after(Cancelled::Neutral, 10)?, State::Closed);
/// assert_eq!(after(Cancelled::Failure, 1)?, State::Open);
/// # Ok::<(), lifecycle::Error>(())
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
    ///
    /// ```
    /// assert_eq!(lifecycle::Cancelled::Neutral.as_str(), "neutral");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailureWhenSlow => "failure_when_slow",
            Self::Neutral => "neutral",
            Self::Failure => "failure",
        }
    }
}

/// What a call's value means to the breaker. [`call_with`](crate::CircuitBreaker::call_with) asks for it; a permit can be given it, too:
///
/// ```
/// use lifecycle::{CircuitBreaker, State, Verdict};
///
/// let breaker = CircuitBreaker::builder("search").threshold(1).build()?;
/// for (status, state) in [(200, State::Closed), (404, State::Closed), (503, State::Open)] {
///     breaker.try_acquire()?.settle(match status {
///         500.. => Verdict::Failure,
///         400.. => Verdict::Ignored,
///         _ => Verdict::Success,
///     });
///     assert_eq!(breaker.state(), state);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The call succeeded.
    Success,
    /// The call failed.
    Failure,
    /// None of the breaker's business: counts for nothing, gives a probe's slot back.
    Ignored,
}

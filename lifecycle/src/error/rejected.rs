//! A refusal, what it says to those who pass it on, and how it is found in whatever error it was put into.

use super::text::{causes, printable, wait};
use crate::name::Name;
use crate::sync::thread_static;
use std::cell::{Cell, RefCell};
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Why a guarded call was refused without running.
///
/// Implement `From<Rejected>` for your error type and guarded functions return it as their own error:
///
/// ```
/// #[derive(Debug, thiserror::Error)]
/// enum ApiError {
///     #[error(transparent)]
///     Rejected(#[from] lifecycle::Rejected),
/// }
/// ```
///
/// A guarded function that gives the refusal of another one as its own error has not failed: see [`find_in`](Self::find_in).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// Which guard refused, and why.
    pub kind: RejectedKind,
    /// The breaker's or limiter's name.
    pub name: Name,
    /// After this much time a retry can succeed; `None` when time alone changes nothing: opened by hand, or more permits asked for
    /// than the limit has.
    pub retry_after: Option<Duration>,
}

impl Rejected {
    pub(crate) fn new(kind: RejectedKind, name: Name, retry_after: Option<Duration>) -> Self {
        Self { kind, name, retry_after }
    }

    /// [`retry_after`](Self::retry_after) in whole seconds, as the header `Retry-After` has it: rounded up, so that whoever waits
    /// that long is not early, and at least 1. What exceeds a whole second by less than a millisecond does not count; the way to
    /// the client and back takes longer.
    ///
    /// ```
    /// use lifecycle::{RateLimiter, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let limiter = RateLimiter::new(1, Duration::from_secs(30))?.with_clock(clock.clone());
    /// limiter.try_acquire()?;
    /// clock.advance(Duration::from_millis(1500));
    /// assert_eq!(limiter.try_acquire().unwrap_err().retry_after_secs(), Some(29)); // 28.5 s and a nanosecond
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn retry_after_secs(&self) -> Option<u64> {
        let seconds = |after: Duration| {
            let begun = u64::from(after.subsec_nanos() >= 1_000_000);
            after.as_secs().saturating_add(begun).max(1)
        };
        self.retry_after.map(seconds)
    }

    /// The status with which an HTTP service answers: 429 (too many requests) where a limiter refused, 503 (service
    /// unavailable) where a breaker did.
    ///
    /// ```
    /// # mod axum { pub mod http { pub struct StatusCode(pub u16); impl StatusCode {
    /// #     pub fn from_u16(code: u16) -> Result<Self, std::num::ParseIntError> { Ok(Self(code)) }
    /// # } } }
    /// use axum::http::StatusCode;
    /// use lifecycle::{Rejected, circuit_breaker};
    ///
    /// type Response = (StatusCode, [(&'static str, String); 1], String);
    ///
    /// fn refused(rejected: Rejected) -> Response {
    ///     let status = StatusCode::from_u16(rejected.http_status()).unwrap();
    ///     let after = rejected.retry_after_secs().unwrap_or(60); // opened by hand: nobody knows
    ///     (status, [("retry-after", after.to_string())], format!("{rejected}\n"))
    /// }
    ///
    /// #[circuit_breaker(timeout = 30, on_rejected = refused, failure_if = |response| response.0.0 >= 500)]
    /// async fn availability() -> Response {
    ///     // ..
    /// #   (StatusCode(200), [("retry-after", String::new())], String::new())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), lifecycle::Error> {
    /// # lifecycle::testing::isolated_async(async { // whose clock stands still
    /// lifecycle::breaker("availability")?.open_for(std::time::Duration::from_secs(20));
    /// let (status, [(_, after)], _) = availability().await;
    /// assert_eq!((status.0, after.as_str()), (503, "20"));
    /// # Ok(()) }).await }
    /// ```
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        match self.kind {
            RejectedKind::RateLimited => 429,
            RejectedKind::Open | RejectedKind::HalfOpenFull | RejectedKind::ForcedOpen => 503,
        }
    }

    /// The refusal that an error is or was made from: of a breaker or limiter further down, whose function did not run. Through
    /// `#[error(transparent)]` too, whose errors hide what they wrap from [`source`](StdError::source).
    ///
    /// Guarded functions ask this themselves: such an error is no failure of theirs. [`CircuitBreaker::call`] takes any error,
    /// so it cannot ask; [`call_with`](crate::CircuitBreaker::call_with) can:
    ///
    /// ```
    /// use lifecycle::{BoxError, CircuitBreaker, Rejected, Verdict, circuit_breaker};
    ///
    /// #[circuit_breaker]
    /// fn rate(currency: &str) -> Result<f64, BoxError> {
    ///     // ..
    /// #   Ok(1.1)
    /// }
    ///
    /// let checkout = CircuitBreaker::builder("checkout").threshold(1).build()?;
    /// lifecycle::breaker("rate")?.force_open();
    /// let price = checkout.call_with(
    ///     || Ok::<_, BoxError>(20.0 * rate("EUR")?),
    ///     |price| match price {
    ///         Ok(_) => Verdict::Success,
    ///         Err(error) if Rejected::find_in(&**error).is_some() => Verdict::Ignored,
    ///         Err(_) => Verdict::Failure,
    ///     },
    /// )?;
    /// assert_eq!(Rejected::find_in(&*price.unwrap_err()).unwrap().name, "rate");
    /// assert_eq!(checkout.state(), lifecycle::State::Closed);
    /// # Ok::<(), BoxError>(())
    /// ```
    ///
    /// It is found where errors lead to it by `source`, as those of `thiserror` and `anyhow` do: not among several causes, nor in
    /// a text. What the errors' own `source` panics with goes on.
    ///
    /// [`CircuitBreaker::call`]: crate::CircuitBreaker::call
    #[must_use]
    pub fn find_in(error: &(dyn StdError + '_)) -> Option<Self> {
        let looking = Looking::at(error, Look::Keep);
        if looking.seen() { KEPT.try_with(RefCell::take).ok().flatten() } else { None }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = printable(&self.name);
        write!(f, "`{name}`: {}", self.kind.why())?;
        match &self.retry_after {
            Some(after) => write!(f, ", retry after {}", wait(after)),
            None if self.kind == RejectedKind::RateLimited => f.write_str(": there are never so many permits at once"),
            None => Ok(()),
        }
    }
}

impl StdError for Rejected {
    /// None. Asking is what shows a refusal to who looks for one: whatever wraps it passes the question on.
    #[inline]
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // Nobody looks while thread-locals are being destroyed.
        if LOOK.try_with(Cell::get).unwrap_or(Look::Away) != Look::Away {
            self.seen();
        }
        None
    }
}

impl Rejected {
    #[cold]
    fn seen(&self) {
        let how = LOOK.try_with(|look| look.replace(Look::Seen)).unwrap_or(Look::Away);
        if how == Look::Keep {
            _ = KEPT.try_with(|kept| kept.replace(Some(self.clone())));
        }
    }
}

/// Whether somebody on this thread looks for a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Away,
    /// The first that is seen is the answer.
    Ask,
    /// It leaves a copy.
    Keep,
    Seen,
}

thread_static! {
    static LOOK: Cell<Look> = Cell::new(Look::Away);
}

std::thread_local! {
    /// The copy. Apart, because it has a destructor, which the first use on a thread has to register.
    static KEPT: RefCell<Option<Rejected>> = const { RefCell::new(None) };
}

/// While it lives a refusal shows itself when it is asked for its source. An error's `source` is the user's: it may panic, and may
/// look for refusals itself. So what was before is put back in any case.
struct Looking {
    before: Look,
}

impl Looking {
    /// Asks an error and its causes, until a refusal is seen.
    #[inline]
    fn at<E: StdError + ?Sized>(error: &E, how: Look) -> Self {
        let looking = Self { before: LOOK.try_with(|look| look.replace(how)).unwrap_or(Look::Away) };
        if let Some(cause) = error.source() {
            looking.at_causes(cause);
        }
        looking
    }

    #[cold]
    #[inline(never)]
    fn at_causes(&self, first: &(dyn StdError + 'static)) {
        if !self.seen() {
            _ = causes(first).any(|_| self.seen());
        }
    }

    #[inline]
    fn seen(&self) -> bool {
        LOOK.try_with(Cell::get).unwrap_or(Look::Away) == Look::Seen
    }
}

impl Drop for Looking {
    #[inline]
    fn drop(&mut self) {
        _ = LOOK.try_with(|look| look.set(self.before));
    }
}

/// Is this error a refusal, or made from one? An error without causes costs next to nothing.
#[inline]
pub(crate) fn is_refusal<E: StdError + ?Sized>(error: &E) -> bool {
    Looking::at(error, Look::Ask).seen()
}

/// The reasons for a refusal.
///
/// ```
/// use lifecycle::{CircuitBreaker, RejectedKind};
///
/// let breaker = CircuitBreaker::builder("db").build()?;
/// breaker.force_open();
/// assert_eq!(breaker.try_acquire().unwrap_err().kind, RejectedKind::ForcedOpen);
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectedKind {
    /// The breaker is open: too many failures, and its timeout is not over.
    Open,
    /// The breaker is half-open and all its probes are under way.
    HalfOpenFull,
    /// The rate limit is used up.
    RateLimited,
    /// The breaker was opened by hand.
    ForcedOpen,
}

impl RejectedKind {
    const fn why(self) -> &'static str {
        match self {
            Self::Open => "circuit breaker is open",
            Self::HalfOpenFull => "circuit breaker is half-open and its probes are under way",
            Self::RateLimited => "rate limit exceeded",
            Self::ForcedOpen => "circuit breaker was opened by hand",
        }
    }
}

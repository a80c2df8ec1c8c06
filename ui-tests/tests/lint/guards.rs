//! Breakers and limiters.

use super::singletons::{Fallible, Rich};
use alloc::sync::Arc;
use core::future::ready;
use core::pin::Pin;
use core::time::Duration;
use lifecycle::{CircuitBreaker, RateLimiter, Rejected, circuit_breaker, rate_limit};

/// What the guarded functions may say.
const FAILURES: u32 = 3;

/// Minimal.
///
/// # Errors
/// A refusal.
#[circuit_breaker]
#[inline]
pub fn guarded(id: u8) -> Result<u8, Rejected> {
    return Ok(id);
}

/// All options.
///
/// # Errors
/// A refusal.
#[circuit_breaker(
    threshold = FAILURES,
    timeout = "250ms",
    slow_call = "2s",
    half_open_calls = 1,
    success_threshold = 1,
    half_open_timeout = "30s",
    name = "rich-guard",
    on_rejected = |rejected| return format!("{id}: {rejected}"),
    crate = ::lifecycle
)]
#[inline]
pub fn guarded_rich<T: Into<String>>(id: u8, text: T) -> Result<String, String> {
    let mut owned: String = text.into();
    owned.push(char::from(id));
    return Ok(owned);
}

/// Async.
///
/// # Errors
/// A refusal.
#[circuit_breaker]
#[inline]
pub async fn guarded_async(id: &str) -> Result<&str, Rejected> {
    ready(()).await;
    return Ok(id);
}

/// Both guards.
///
/// # Errors
/// A refusal.
#[circuit_breaker(threshold = FAILURES)]
#[rate_limit("100/s")]
#[inline]
pub async fn both(id: &str) -> Result<&str, Rejected> {
    ready(()).await;
    return Ok(id);
}

/// A limiter.
///
/// # Errors
/// A refusal.
#[rate_limit("100/s")]
#[inline]
pub fn limited(id: &str) -> Result<&str, Rejected> {
    return Ok(id);
}

/// All options of a limiter.
#[rate_limit(limit = FAILURES, window = "250ms", name = "rich-limit", on_rejected = |_| return None)]
#[must_use]
#[inline]
pub fn limited_rich(id: u8) -> Option<u8> {
    return Some(id);
}

/// Waits for its permits.
///
/// # Errors
/// A refusal.
#[rate_limit("100/s", permits = u32::from(id), on_limit = wait("50ms"), mode = gcra(burst = FAILURES))]
#[inline]
pub fn waits(id: u8) -> Result<u8, Rejected> {
    return Ok(id);
}

/// Waits for its permits, and the breaker is looked at first.
///
/// # Errors
/// A refusal.
#[circuit_breaker(SHARED)]
#[rate_limit(LIMITED, permits = 2, on_limit = wait(PATIENCE), fallback = instead)]
#[inline]
pub async fn waits_async(id: u8) -> Result<u8, Rejected> {
    ready(()).await;
    return Ok(id);
}

/// What is given instead.
///
/// # Errors
/// None.
#[inline]
pub async fn instead(id: u8) -> Result<u8, Rejected> {
    ready(()).await;
    return Ok(id);
}

/// How long a call waits.
const PATIENCE: Duration = Duration::from_secs(1);

/// Nothing to give.
#[rate_limit("100/s", on_rejected = drop)]
#[inline]
pub fn silent() {}

/// A fallback.
#[rate_limit("100/s", fallback = cached)]
#[must_use]
#[inline]
pub fn fetched(id: u8, (left, _right): (u8, u8)) -> u8 {
    return id.wrapping_add(left);
}

/// What is given instead.
#[must_use]
#[inline]
pub const fn cached(id: u8, _pair: (u8, u8)) -> u8 {
    return id;
}

/// A future that is built.
///
/// # Errors
/// A refusal.
#[circuit_breaker]
#[inline]
pub fn built(id: &u8) -> impl Future<Output = Result<u8, Rejected>> + use<> {
    let copy = *id;
    return ready(Ok(copy));
}

/// A future in a box.
#[circuit_breaker]
#[must_use]
#[inline]
pub fn boxed<'text>(id: &'text str) -> Pin<Box<dyn Future<Output = Result<&'text str, Rejected>> + Send + 'text>> {
    return Box::pin(async move {
        return Ok(id);
    });
}

impl Rich {
    /// A method.
    ///
    /// # Errors
    /// A refusal.
    #[circuit_breaker]
    #[inline]
    pub fn method(&mut self) -> Result<&mut u8, Rejected> {
        self.field.push(1);
        return Ok(self.field.first_mut().unwrap_or(&mut self.other));
    }
}

/// A share of a hundred.
const PERCENT: u32 = 50;

/// Policies, predicates, keys.
///
/// # Errors
/// A refusal.
#[circuit_breaker(
    failure_rate = PERCENT,
    slow_call_rate = 80,
    window = "10s",
    minimum_calls = 20,
    backoff = exponential(factor = 1.5, cap = "10m", jitter = PERCENT),
    cancelled = neutral,
    ignore = |error| return error.retry_after.is_none(),
    failure_if = |outcome| return outcome.is_err(),
    key = host,
    max_keys = 3
)]
#[rate_limit("100/s", key = host.len())]
#[inline]
pub async fn with_policies(host: &str) -> Result<&str, Rejected> {
    ready(()).await;
    return Ok(host);
}

/// A breaker to share.
#[circuit_breaker(threshold = FAILURES)]
pub static SHARED: CircuitBreaker;

/// A limiter to share.
#[rate_limit("100/s")]
pub static LIMITED: RateLimiter;

/// Shares them.
///
/// # Errors
/// A refusal.
#[circuit_breaker(SHARED)]
#[rate_limit(LIMITED)]
#[inline]
pub fn shares(id: u8) -> Result<u8, Rejected> {
    return Ok(id);
}

/// Executed by name.
///
/// # Errors
/// A refusal.
#[circuit_breaker(dispatch)]
#[inline]
pub fn executed() -> Result<u8, Rejected> {
    return Ok(3);
}

/// Has its own.
#[derive(Debug)]
#[non_exhaustive]
pub struct Client {
    /// The breaker.
    pub breaker: Arc<CircuitBreaker>,
    /// A field.
    pub field: Vec<u8>,
}

/// Whose breaker is in a field.
impl Client {
    /// By reference.
    ///
    /// # Errors
    /// A refusal.
    #[circuit_breaker(self.breaker)]
    #[inline]
    pub fn by_ref(&self) -> Result<&[u8], Rejected> {
        return Ok(&*self.field);
    }

    /// All of it.
    ///
    /// # Errors
    /// A refusal.
    #[circuit_breaker(self.breaker)]
    #[inline]
    pub async fn by_mut(&mut self) -> Result<&mut Vec<u8>, Rejected> {
        ready(()).await;
        return Ok(&mut self.field);
    }
}

/// All methods.
#[circuit_breaker(threshold = 3, on_rejected = |rejected| return rejected)]
#[rate_limit("100/s")]
impl Fallible {
    /// One.
    #[must_use]
    #[inline]
    pub const fn left_out(self) -> u8 {
        return self.value;
    }

    /// Another.
    ///
    /// # Errors
    /// A refusal.
    #[inline]
    pub fn shared(self) -> Result<Self, Rejected> {
        return Ok(self);
    }

    /// A third.
    ///
    /// # Errors
    /// A refusal.
    #[circuit_breaker(skip)]
    #[rate_limit(skip)]
    #[inline]
    pub const fn skipped(self) -> Result<Self, Rejected> {
        return Ok(self);
    }
}

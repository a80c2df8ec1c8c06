//! Calls through a breaker. The futures are written out, since an `async fn` keeps its argument twice, and two of them four times.

use super::guarded::Guarded;
use super::handle::CircuitBreaker;
use super::permit::acquire;
use super::policy::Verdict;
use crate::__private0::guard;
use crate::error::{CallError, Rejected};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

impl CircuitBreaker {
    /// Runs `f` through the breaker. An `Err` is a failure; a panic is one too and goes on. It cannot see whether an `Err` is the
    /// refusal of another breaker, which is nobody's failure: [`Rejected::find_in`] shows how to say so.
    ///
    /// ```
    /// use lifecycle::{CallError, CircuitBreaker};
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// let number = breaker.call(|| "x".parse::<u8>());
    /// assert!(matches!(number, Err(CallError::Inner(_)))); // it ran, and failed
    /// let number = breaker.call(|| "3".parse::<u8>());
    /// assert!(matches!(number, Err(CallError::Rejected(_)))); // it did not run
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`CallError::Rejected`] when it did not run, [`CallError::Inner`] with its own error.
    pub fn call<T, E>(&self, f: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.call_with(f, by_result)?.map_err(CallError::Inner)
    }

    /// Runs `f` through the breaker, and lets `judge` say what its value means: for values that are no `Result`, errors that
    /// are nobody's fault, answers that are failures. A panic is a failure and goes on, also one of `judge`.
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, Verdict};
    ///
    /// let breaker = CircuitBreaker::builder("search").threshold(1).build()?;
    /// let status = breaker.call_with(|| 404, |status| match status {
    ///     500.. => Verdict::Failure,
    ///     404 => Verdict::Ignored,
    ///     _ => Verdict::Success,
    /// })?;
    /// assert_eq!((status, breaker.metrics().statistics.ignored_calls), (404, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] when it did not run.
    pub fn call_with<R>(&self, f: impl FnOnce() -> R, judge: impl FnOnce(&R) -> Verdict) -> Result<R, Rejected> {
        Ok(guard::breaker(self)?.run(f, judge))
    }

    /// Runs `future` through the breaker; it is admitted when first polled. Dropped before it ends it counts for nothing,
    /// unless it has run for [`slow_call`](crate::BreakerConfig::slow_call): then it is a failure.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), lifecycle::Error> {
    /// let breaker = lifecycle::CircuitBreaker::builder("db").build()?;
    /// let rows = breaker.call_async(async { Ok::<_, std::io::Error>(3) }).await;
    /// assert_eq!(rows.unwrap(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_async<T, E>(
        &self,
        future: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, CallError<E>>> {
        Flat(self.call_async_with(future, by_result))
    }

    /// [`call_with`](Self::call_with) for a future.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use lifecycle::{CircuitBreaker, State, Verdict};
    ///
    /// let breaker = CircuitBreaker::builder("search").threshold(1).build()?;
    /// let failed = |status: &u16| if *status >= 500 { Verdict::Failure } else { Verdict::Success };
    /// assert_eq!(breaker.call_async_with(async { 503 }, failed).await?, 503);
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn call_async_with<F: Future>(
        &self,
        future: F,
        judge: impl FnOnce(&F::Output) -> Verdict,
    ) -> impl Future<Output = Result<F::Output, Rejected>> {
        Calling::new(self, future, judge)
    }
}

/// An `Err` is a failure.
fn by_result<T, E>(result: &Result<T, E>) -> Verdict {
    if result.is_ok() { Verdict::Success } else { Verdict::Failure }
}

/// A future through a breaker, admitted when first polled.
pub(super) struct Calling<'a, F, J> {
    /// Gone once it was polled.
    asks: Option<(&'a CircuitBreaker, J)>,
    guarded: Guarded<&'a CircuitBreaker, F, J>,
}

impl<'a, F, J> Calling<'a, F, J> {
    pub(super) const fn new(breaker: &'a CircuitBreaker, future: F, judge: J) -> Self {
        Self { asks: Some((breaker, judge)), guarded: Guarded::waiting(future) }
    }
}

impl<F: Future, J: FnOnce(&F::Output) -> Verdict> Future for Calling<'_, F, J> {
    type Output = Result<F::Output, Rejected>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `guarded` is structurally pinned: it is never moved out of `self`, which has no `Drop` of its own; `asks` is never
        // pinned. `Calling` is `Unpin` only if `Guarded` is, since it holds one by value.
        let (asks, mut guarded) = unsafe {
            let this = self.get_unchecked_mut();
            (&mut this.asks, Pin::new_unchecked(&mut this.guarded))
        };
        if let Some((breaker, judge)) = asks.take() {
            match acquire(breaker) {
                Ok(permit) => guarded.as_mut().begin(permit, judge),
                Err(rejected) => return Poll::Ready(Err(rejected)),
            }
        }
        assert!(guarded.is_under_way(), "a call was polled again after it had ended");
        guarded.poll(cx).map(Ok)
    }
}

/// The same with one error for both: the refusal and the future's own.
pub(super) struct Flat<C>(pub(super) C);

impl<C, T, E> Future for Flat<C>
where
    C: Future<Output = Result<Result<T, E>, Rejected>>,
{
    type Output = Result<T, CallError<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the only field is structurally pinned: it is never moved, and `Flat` has no `Drop`.
        let call = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        Poll::Ready(ready!(call.poll(cx))?.map_err(CallError::Inner))
    }
}

//! The futures of `call_async`: written out, since an `async fn` keeps its argument twice, and two of them four times.

use super::guarded::Guarded;
use super::handle::CircuitBreaker;
use super::permit::acquire;
use super::policy::Verdict;
use crate::error::{CallError, Rejected};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

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

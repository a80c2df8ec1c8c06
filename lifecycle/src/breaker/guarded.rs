//! A guarded future: the call of a permit that may be suspended, and given up.

use super::handle::CircuitBreaker;
use super::permit::Held;
use super::policy::Verdict;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future under a permit. Dropped early it drops the permit, which knows since when it hung; a panic inside a poll is a
/// failure at once, because the future itself may be dropped much later.
#[doc(hidden)]
#[must_use = "futures do nothing unless polled"]
pub struct Guarded<B: Deref<Target = CircuitBreaker>, F, J> {
    /// Declared first: the permit is settled before the future's own drop runs.
    under_way: UnderWay<B, J>,
    future: F,
}

/// A future's permit and judge; gone once the outcome is reported. A panic of a poll is settled there, so whatever unwinds while
/// this is dropped is somebody else's: the call is cancelled.
struct UnderWay<B: Deref<Target = CircuitBreaker>, J>(Option<(Held<B>, J)>);

impl<B: Deref<Target = CircuitBreaker>, J> Drop for UnderWay<B, J> {
    #[inline]
    fn drop(&mut self) {
        if let Some((permit, _)) = self.0.take() {
            permit.cancelled();
        }
    }
}

impl<B: Deref<Target = CircuitBreaker>, F, J> Guarded<B, F, J> {
    #[inline]
    pub(super) const fn running(permit: Held<B>, future: F, judge: J) -> Self {
        Self { under_way: UnderWay(Some((permit, judge))), future }
    }

    /// Nothing to poll before it has a permit.
    pub(super) const fn waiting(future: F) -> Self {
        Self { under_way: UnderWay(None), future }
    }

    pub(super) fn begin(self: Pin<&mut Self>, permit: Held<B>, judge: J) {
        // SAFETY: nothing is moved but what stands in `under_way`, which is never pinned.
        unsafe { self.get_unchecked_mut() }.under_way.0 = Some((permit, judge));
    }

    pub(super) const fn is_under_way(&self) -> bool {
        self.under_way.0.is_some()
    }
}

impl<B, F, J> Future for Guarded<B, F, J>
where
    B: Deref<Target = CircuitBreaker>,
    F: Future,
    J: FnOnce(&F::Output) -> Verdict,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        /// Dropped while armed: the poll below unwinds.
        struct OnPanic<'b, B: Deref<Target = CircuitBreaker>, J> {
            under_way: &'b mut Option<(Held<B>, J)>,
            armed: bool,
        }
        impl<B: Deref<Target = CircuitBreaker>, J> Drop for OnPanic<'_, B, J> {
            #[inline]
            fn drop(&mut self) {
                if !self.armed {
                    return;
                }
                if let Some((permit, _)) = self.under_way.take() {
                    permit.panicked();
                }
            }
        }

        // SAFETY: `future` is structurally pinned: it is never moved out of `self` and has no `Drop` of ours around it;
        // `under_way` is never pinned. `Guarded` is `Unpin` only if `F` is, since it holds an `F` by value.
        let (under_way, future) = unsafe {
            let this = self.get_unchecked_mut();
            (&mut this.under_way.0, Pin::new_unchecked(&mut this.future))
        };
        let _inside = under_way.as_ref().and_then(|(permit, _)| permit.inside());
        let mut guard = OnPanic { under_way, armed: true };
        // The output is moved as what it is: as a part of the `Poll` it would be copied byte by byte, which stalls.
        match future.poll(cx) {
            Poll::Pending => {
                guard.armed = false;
                if let Some((permit, _)) = guard.under_way {
                    permit.suspended();
                }
                Poll::Pending
            }
            Poll::Ready(output) => {
                guard.armed = false;
                if let Some((permit, judge)) = guard.under_way.take() {
                    permit.settle(judge(&output));
                }
                Poll::Ready(output)
            }
        }
    }
}

//! The end of an invocation: what lived for it goes, the newest first.

use crate::scope::{InvocationState, Leaving, Resident};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Runs inside the invocation. Dropped before it is done, it does the rest without waiting for anybody.
pub(super) struct Ending {
    left: Vec<Arc<dyn Resident>>,
    under_way: Option<Leaving>,
}

impl Ending {
    /// `None` where nothing lived.
    pub(super) fn begin(invocation: &InvocationState) -> Option<Self> {
        let left = invocation.finish();
        (!left.is_empty()).then_some(Self { left, under_way: None })
    }
}

impl Future for Ending {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(leaving) = &mut self.under_way {
                if leaving.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.under_way = None;
            }
            match self.left.pop() {
                Some(newest) => self.under_way = newest.leave(),
                None => return Poll::Ready(()),
            }
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // One that waits says itself what becomes of it.
        self.under_way = None;
        while let Some(newest) = self.left.pop() {
            if let Some(mut leaving) = newest.leave() {
                // What needs no waiting is done by one poll.
                _ = leaving.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
        }
    }
}

//! A hook under way on its instance, which it holds for as long as it takes.

use super::hooks::{HookResult, HookRun};
use super::output::SingletonValue;
use super::settings::InstanceHook;
use super::try_drop;
use crate::error::caught;
use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

/// It begins with its first poll. Gives what the hook gave, or what its panic said: none comes out of this, nor out of its drop.
#[doc(hidden)]
pub struct Running(Option<Pin<Box<dyn Future<Output = HookResult> + Send>>>);

impl Running {
    pub(super) fn new<T, O>(hook: InstanceHook<T>, instance: O) -> Self
    where
        T: SingletonValue,
        O: Deref<Target = T> + Send + Sync + 'static,
    {
        Self::pausing(hook, instance, false)
    }

    /// One whose first poll runs the hook itself, which may block, and no more: what the hook gives to be awaited, later ones.
    pub(super) fn in_two<T, O>(hook: InstanceHook<T>, instance: O) -> Self
    where
        T: SingletonValue,
        O: Deref<Target = T> + Send + Sync + 'static,
    {
        Self::pausing(hook, instance, true)
    }

    fn pausing<T, O>(hook: InstanceHook<T>, instance: O, mut pauses: bool) -> Self
    where
        T: SingletonValue,
        O: Deref<Target = T> + Send + Sync + 'static,
    {
        Self(Some(Box::pin(async move {
            let future = match hook(&instance) {
                HookRun::Done(result) => return result,
                HookRun::Future(future) => future,
            };
            poll_fn(|cx| {
                if std::mem::take(&mut pauses) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
            future.await
        })))
    }
}

impl Future for Running {
    type Output = Result<HookResult, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        let outcome = match caught(|| future.as_mut().poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(outcome)) => Ok(outcome),
            Err(text) => Err(text),
        };
        let gone = try_drop(self.0.take());
        Poll::Ready(outcome.and_then(|outcome| gone.map(|()| outcome)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        super::drop_apart(self.0.take());
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Running")
    }
}

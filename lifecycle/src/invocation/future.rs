//! Code that runs as an invocation: a future, or a closure on this thread.

use super::config::InvocationConfig;
use super::ending::Ending;
use crate::clock::{ClockHandle, Moment};
use crate::error::caught;
use crate::scope::{Entry, Installed, InvocationState, install};
use crate::{telemetry, timer};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tracing::Span;

/// Runs `future` as one invocation, which begins with its first poll.
///
/// `id` is a text, or an [`InvocationConfig`] with a deadline. Inside, [`current_invocation`](crate::current_invocation) tells what
/// is to be known of it, events carry the id as `correlation_id`, and singletons with `scope = invocation` are its own; a
/// [`Context`](crate::Context) brings it to threads and tasks. When the future is done those singletons go, in the reverse order of
/// their creation: each with its `shutdown` hook, which is awaited, then its destructor; then the output is given. Any
/// number of invocations go on at a time without seeing each other; an inner one hides the one around it.
///
/// When this future is dropped before it is done, the invocation ends by that, in the same order. Hooks that are futures are
/// polled once then, since nobody is left to await them; an event (`lifecycle.singleton.hook_failed`) tells of those that needed more.
///
/// ```
/// use lifecycle::{current_invocation, singleton};
///
/// #[singleton(scope = invocation)]
/// async fn user() -> String {
///     let id = current_invocation().unwrap().id().to_owned(); // look the user up ..
///     format!("user of {id}")
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let one = lifecycle::invocation("req-1", async { user().await.to_string() });
/// let other = lifecycle::invocation("req-2", async { user().await.to_string() });
/// assert_eq!(tokio::join!(one, other), ("user of req-1".to_owned(), "user of req-2".to_owned()));
/// # });
/// ```
///
/// An invocation in which nothing is created allocates nothing but the room for its future and, the first on a thread, for its id.
pub fn invocation<'a, F: Future>(id: impl Into<InvocationConfig<'a>>, future: F) -> InInvocation<F> {
    let config = id.into();
    InInvocation {
        invocation: Some(InvocationState::new(config.id(), config.limit())),
        future: Some(future),
        begun: false,
        span: Span::none(),
        output: None,
        ending: None,
    }
}

/// [`invocation`] for code that is no future: runs `f` on this thread. `shutdown` hooks that are futures are driven here, too, with
/// no runtime around them.
///
/// ```
/// use lifecycle::{current_invocation, invocation_blocking};
///
/// for message in ["m-1", "m-2"] {
///     invocation_blocking(message, || assert_eq!(current_invocation().unwrap().id(), message));
/// }
/// ```
pub fn invocation_blocking<'a, R>(id: impl Into<InvocationConfig<'a>>, f: impl FnOnce() -> R) -> R {
    let config = id.into();
    let mut active = Active::enter(InvocationState::begun(config.id(), config.limit()), "panicked");
    drop(config);
    let span = active.invocation.as_deref().map_or_else(Span::none, |invocation| {
        telemetry::invocation_began(invocation);
        telemetry::invocation_span(invocation)
    });
    let inside = span.enter();
    let result = f();
    drop(inside);
    // Not as a part of a panic: then it ends without waiting.
    active.end();
    result
}

/// One that has begun, installed on this thread: it ends with this.
struct Active {
    invocation: Option<Arc<InvocationState>>,
    inside: Option<Installed>,
    /// How it ends if it ends now.
    outcome: &'static str,
}

impl Active {
    fn enter(invocation: Arc<InvocationState>, outcome: &'static str) -> Self {
        let inside = install(Entry::Invocation(Arc::clone(&invocation)));
        Self { invocation: Some(invocation), inside: Some(inside), outcome }
    }

    /// Waits for the hooks of what lived for it.
    fn end(&mut self) {
        self.outcome = "done";
        if let Some(ending) = self.invocation.as_ref().and_then(|invocation| Ending::begin(invocation)) {
            _ = timer::block_on_until(ending, &ClockHandle::System, Moment::NEVER);
        }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let Some(invocation) = self.invocation.take() else { return };
        if !invocation.has_ended() {
            drop(Ending::begin(&invocation));
        }
        let tell = || telemetry::invocation_ended(&invocation, self.outcome);
        if std::thread::panicking() {
            // A subscriber that panics as well must not end the process.
            _ = caught(tell);
        } else {
            tell();
        }
        self.inside = None;
        InvocationState::over(invocation);
    }
}

/// A future that runs as an invocation; from [`invocation`].
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let running: lifecycle::InInvocation<_> = lifecycle::invocation("req-7", async { 42 });
/// assert_eq!(running.await, 42);
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct InInvocation<F: Future> {
    /// `None` once it is over.
    invocation: Option<Arc<InvocationState>>,
    begun: bool,
    span: Span,
    /// `None` once it is done.
    future: Option<F>,
    /// What it gave, while what lived for the invocation goes.
    output: Option<F::Output>,
    ending: Option<Ending>,
}

impl<F: Future> Future for InInvocation<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is structurally pinned: nothing moves it out of `self`; it is dropped in place by assigning `None`, here
        // and in `drop`. The other fields are never pinned. `InInvocation` is not `Unpin` unless `F` is, since it holds an `F` by
        // value (and an `F::Output`, which is never pinned).
        let this = unsafe { self.get_unchecked_mut() };
        let Some(invocation) = &mut this.invocation else { return Poll::Pending };
        let first = !std::mem::replace(&mut this.begun, true);
        if first {
            InvocationState::begin(invocation);
        }
        let inside = install(Entry::Invocation(Arc::clone(invocation)));
        if first {
            telemetry::invocation_began(invocation);
            this.span = telemetry::invocation_span(invocation);
        }
        let in_span = this.span.enter();
        if let Some(future) = &mut this.future {
            // SAFETY: as above.
            match unsafe { Pin::new_unchecked(future) }.poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(output) => this.output = Some(output),
            }
            // It may hold what lived for the invocation.
            this.future = None;
            this.ending = Ending::begin(invocation);
        }
        if let Some(ending) = &mut this.ending {
            if Pin::new(ending).poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.ending = None;
        }
        drop(in_span);
        telemetry::invocation_ended(invocation, "done");
        drop(inside);
        if let Some(invocation) = this.invocation.take() {
            InvocationState::over(invocation);
        }
        this.output.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<F: Future> Drop for InInvocation<F> {
    fn drop(&mut self) {
        let Some(invocation) = self.invocation.take() else { return };
        if !self.begun {
            return InvocationState::over(invocation);
        }
        let outcome = if std::thread::panicking() { "panicked" } else { "dropped" };
        let active = Active::enter(invocation, outcome);
        let in_span = self.span.clone().entered();
        // Assigning drops the old values in place, as pinning asks for.
        self.future = None;
        self.output = None;
        self.ending = None;
        drop(in_span);
        // And with this the invocation ends.
        drop(active);
    }
}

impl<F: Future> std::fmt::Debug for InInvocation<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InInvocation").field("invocation", &self.invocation).finish_non_exhaustive()
    }
}

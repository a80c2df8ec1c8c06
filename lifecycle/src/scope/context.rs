//! Carrying what is installed here to another thread or task.

use super::current::{self, Entry, Installed, install};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task;

/// What is in force where it was captured: the test world, the overrides, the invocation, the correlation id and the running
/// factory.
///
/// Threads and tasks start with nothing installed; a captured context brings it to them.
///
/// ```
/// # lifecycle::testing::isolated(|| {
/// let context = lifecycle::Context::capture();
/// std::thread::spawn(move || context.run(|| { /* sees the same world */ })).join().unwrap();
/// # });
/// ```
///
/// The running factory is held weakly: once it is over, the context merely no longer speaks for it. Until then whatever runs in
/// the context counts as something the factory waits for, so a detached thread that asks for the singleton being created is told
/// of a circle.
#[derive(Clone)]
pub struct Context {
    entries: Arc<[Entry]>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("entries", &self.entries.len()).finish()
    }
}

/// Keeps a [`Context`] installed on the thread that entered it.
///
/// ```
/// use lifecycle::Context;
///
/// let context = lifecycle::with_correlation_id("req-7", Context::capture);
/// let inside = context.enter(); // what happens here is told with req-7
/// drop(inside);
/// ```
#[must_use = "the context is left when the guard is dropped"]
pub struct ContextGuard {
    /// In the order of installation; each is removed by its own id, so the order of dropping does not matter.
    _installed: Vec<Installed>,
}

impl Context {
    /// Captures what is in force here.
    ///
    /// ```
    /// # lifecycle::testing::isolated(|| {
    /// let context = lifecycle::Context::capture();
    /// # });
    /// ```
    #[must_use]
    pub fn capture() -> Self {
        Self { entries: current::capture().into() }
    }

    pub(crate) fn of(entry: Entry) -> Self {
        Self { entries: Arc::new([entry]) }
    }

    /// Installs the context on this thread until the guard is dropped. Guards may be dropped in any order.
    ///
    /// ```
    /// use lifecycle::{Context, Singleton, singleton, testing};
    ///
    /// #[singleton]
    /// #[derive(Default)]
    /// struct Cache;
    ///
    /// let world = testing::isolated(|| {
    ///     Cache::instance();
    ///     Context::capture()
    /// });
    /// assert!(!Cache::is_created());
    /// let inside = world.enter();
    /// assert!(Cache::is_created());
    /// drop(inside);
    /// assert!(!Cache::is_created());
    /// ```
    pub fn enter(&self) -> ContextGuard {
        ContextGuard { _installed: self.entries.iter().cloned().map(install).collect() }
    }

    /// Runs `f` inside the context.
    ///
    /// ```
    /// # use lifecycle::{Context, Singleton, singleton, testing};
    /// # #[singleton]
    /// # #[derive(Default)]
    /// # struct Cache;
    /// testing::isolated(|| {
    ///     Cache::instance();
    ///     let context = Context::capture();
    ///     let there = std::thread::spawn(move || context.run(Cache::is_created));
    ///     assert!(there.join().unwrap());
    /// });
    /// ```
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = self.enter();
        f()
    }

    /// Wraps a future so that each of its polls, and its drop, happen inside the context.
    ///
    /// ```
    /// # use lifecycle::{Context, Singleton, singleton, testing};
    /// # #[singleton]
    /// # #[derive(Default)]
    /// # struct Cache;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(
    /// testing::isolated_async(async {
    ///     Cache::instance();
    ///     let task = tokio::spawn(Context::capture().wrap(async { Cache::is_created() }));
    ///     assert!(task.await.unwrap());
    /// })
    /// # );
    /// ```
    pub fn wrap<F: Future>(self, future: F) -> InContext<F> {
        InContext { context: self, future: Some(future) }
    }
}

/// A future that runs inside a [`Context`], whichever thread polls it.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let wrapped: lifecycle::InContext<_> = lifecycle::Context::capture().wrap(async { 42 });
/// assert_eq!(wrapped.await, 42);
/// # });
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct InContext<F> {
    context: Context,
    /// `None` only after the drop has begun.
    future: Option<F>,
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<F::Output> {
        // SAFETY: `future` is structurally pinned: nothing moves it out of `self`, and `drop` below drops it in place.
        // `InContext` is not `Unpin` unless `F` is, since it holds an `F` by value. `context` is never pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let _guard = this.context.enter();
        match &mut this.future {
            // SAFETY: as above.
            Some(future) => unsafe { Pin::new_unchecked(future) }.poll(cx),
            None => task::Poll::Pending,
        }
    }
}

impl<F> Drop for InContext<F> {
    fn drop(&mut self) {
        let _guard = self.context.enter();
        // Assigning drops the old value in place, as pinning asks for.
        self.future = None;
    }
}

/// Runs `f` with a correlation id: every tracing event of this crate carries it as `correlation_id`.
///
/// ```
/// lifecycle::with_correlation_id("req-7", || { /* events in here carry req-7 */ });
/// ```
pub fn with_correlation_id<R>(id: &str, f: impl FnOnce() -> R) -> R {
    let _installed = install(Entry::Correlation(id.into()));
    f()
}

/// [`with_correlation_id`] for a future: the id is in force during each of its polls.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let answer = lifecycle::with_correlation_id_async("req-7", async { 42 }).await;
/// assert_eq!(answer, 42);
/// # });
/// ```
pub fn with_correlation_id_async<F: Future>(id: &str, future: F) -> InContext<F> {
    Context::of(Entry::Correlation(id.into())).wrap(future)
}

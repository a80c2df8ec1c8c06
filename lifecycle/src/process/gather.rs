//! Running many pieces of the users' code at once: what blocks on threads of its own, futures in the task that asked.
//!
//! A thread is the only way to go on when somebody's synchronous code hangs. Threads are started for `warm_up` and `shutdown`
//! only, for the time these take; one that does not come back is left alone.

use crate::scope::Context;
use event_listener::{Event, EventListener};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};

/// A piece of work that is awaited.
type Awaited<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// One piece of work.
pub(super) enum Work<R> {
    /// Code that may block, and what it may give to be awaited.
    Blocking(Box<dyn FnOnce() -> Step<R> + Send>),
    /// A future, polled in the task that gathers.
    Future(Awaited<R>),
}

/// What blocking code came to.
pub(super) enum Step<R> {
    Done(R),
    Goes(Awaited<R>),
}

/// How a piece of work ended.
#[derive(Debug)]
pub(super) enum Ended<R> {
    Gave(R),
    Panicked(String),
    /// No thread could be started for it.
    NoThread(String),
}

type Inbox<R> = Mutex<Vec<(usize, Result<Step<R>, Ended<R>>)>>;

/// Work under way. Awaiting it gives each result, with its number, as soon as it is there; then `None`.
pub(super) struct Gather<R> {
    futures: Vec<(usize, Awaited<R>)>,
    threads: Arc<(Inbox<R>, Event)>,
    /// On threads, not heard of yet.
    out: usize,
    listener: Option<EventListener>,
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    crate::error::panic_text(panic).unwrap_or("(no text)").to_owned()
}

impl<R: Send + 'static> Gather<R> {
    /// Starts everything, numbered in order.
    pub(super) fn new(all: impl IntoIterator<Item = Work<R>>) -> Self {
        let mut this = Self { futures: Vec::new(), threads: Arc::default(), out: 0, listener: None };
        for (number, work) in all.into_iter().enumerate() {
            match work {
                Work::Future(future) => this.futures.push((number, future)),
                Work::Blocking(run) => this.start(number, run),
            }
        }
        this
    }

    fn start(&mut self, number: usize, run: Box<dyn FnOnce() -> Step<R> + Send>) {
        let (context, threads) = (Context::capture(), Arc::clone(&self.threads));
        let (subscriber, span) = (tracing::dispatcher::get_default(Clone::clone), tracing::Span::current());
        let on_thread = move || {
            let told = tracing::dispatcher::with_default(&subscriber, || {
                let _span = span.enter();
                context.run(|| catch_unwind(AssertUnwindSafe(run)))
            });
            let told = told.map_err(|panic| Ended::Panicked(panic_text(&*panic)));
            threads.0.lock().unwrap_or_else(PoisonError::into_inner).push((number, told));
            threads.1.notify(usize::MAX);
        };
        self.out += 1;
        if let Err(error) = std::thread::Builder::new().name("lifecycle-worker".to_owned()).spawn(on_thread) {
            let told = Err(Ended::NoThread(error.to_string()));
            self.threads.0.lock().unwrap_or_else(PoisonError::into_inner).push((number, told));
        }
    }

    /// The next result, or `None` when all are in.
    pub(super) fn next(&mut self) -> impl Future<Output = Option<(usize, Ended<R>)>> + Send + '_ {
        std::future::poll_fn(|cx| self.poll_next(cx))
    }

    fn poll_next(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<(usize, Ended<R>)>> {
        loop {
            // Before the look into the inbox: what comes in after it is heard of.
            let threads = Arc::clone(&self.threads);
            self.listener.get_or_insert_with(|| threads.1.listen());
            let told = self.threads.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match told {
                Some((number, told)) => {
                    self.out -= 1;
                    match told {
                        Ok(Step::Done(gave)) => return Poll::Ready(Some((number, Ended::Gave(gave)))),
                        Ok(Step::Goes(future)) => self.futures.push((number, future)),
                        Err(ended) => return Poll::Ready(Some((number, ended))),
                    }
                    continue;
                }
                None => {
                    for at in 0..self.futures.len() {
                        let (number, future) = &mut self.futures[at];
                        let number = *number;
                        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
                        let ended = match polled {
                            Ok(Poll::Pending) => continue,
                            Ok(Poll::Ready(gave)) => Ended::Gave(gave),
                            Err(panic) => Ended::Panicked(panic_text(&*panic)),
                        };
                        crate::singleton::drop_apart(self.futures.swap_remove(at));
                        return Poll::Ready(Some((number, ended)));
                    }
                }
            }
            if self.futures.is_empty() && self.out == 0 {
                return Poll::Ready(None);
            }
            match self.listener.as_mut().map(|listener| Pin::new(listener).poll(cx)) {
                Some(Poll::Ready(())) => self.listener = None,
                _ => return Poll::Pending,
            }
        }
    }
}

//! Running many pieces of the users' code at once: what blocks on threads of its own, futures in the task that asked.
//!
//! A thread is the only way to go on when somebody's synchronous code hangs. Threads are started for `warm_up`, `shutdown`, and
//! for those steps of `initialize` and hooks around snapshots that have a limit, for the time these take; one that does not come back
//! is left alone.

use crate::clock::ClockHandle;
use crate::error::caught;
use crate::scope::Context;
use crate::timer::{self, Limit};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll, Waker};

/// A piece of work that is awaited.
type Awaited<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// One piece of work.
pub(crate) enum Work<R> {
    /// Code that may block, and what it may give to be awaited.
    Blocking(Box<dyn FnOnce() -> Step<R> + Send>),
    /// A future, polled in the task that gathers.
    Future(Awaited<R>),
}

/// What blocking code came to.
pub(crate) enum Step<R> {
    Done(R),
    Goes(Awaited<R>),
}

/// How a piece of work ended.
#[derive(Debug)]
pub(crate) enum Ended<R> {
    Gave(R),
    Panicked(String),
    /// No thread could be started for it.
    NoThread(String),
}

type Told<R> = Result<Step<R>, Ended<R>>;

/// What threads tell, and who is to be woken for it.
struct Inbox<R> {
    told: VecDeque<(usize, Told<R>)>,
    waker: Option<Waker>,
}

/// Work under way. Awaiting it gives each result, with its number, as soon as it is there; then `None`.
pub(crate) struct Gather<R> {
    futures: Vec<(usize, Awaited<R>)>,
    inbox: Arc<Mutex<Inbox<R>>>,
    /// On threads, not heard of yet.
    out: usize,
}

impl<R> Drop for Gather<R> {
    fn drop(&mut self) {
        // What is given up may panic when it goes; the rest goes all the same.
        self.futures.drain(..).for_each(crate::singleton::drop_apart);
    }
}

/// One piece of work, with a limit. `None` when that is over: what blocks goes on where it is, what is awaited is dropped.
pub(crate) async fn one_within<R: Send + 'static>(
    work: Work<R>,
    clock: &ClockHandle,
    limit: &mut Limit,
) -> Option<Ended<R>> {
    let mut under_way = Gather::new([work]);
    timer::within(under_way.next(), clock, limit).await.flatten().map(|(_, ended)| ended)
}

impl<R: Send + 'static> Gather<R> {
    /// Starts everything, numbered in order.
    pub(crate) fn new(all: impl IntoIterator<Item = Work<R>>) -> Self {
        let mut this = Self {
            futures: Vec::new(),
            inbox: Arc::new(Mutex::new(Inbox { told: VecDeque::new(), waker: None })),
            out: 0,
        };
        for (number, work) in all.into_iter().enumerate() {
            match work {
                Work::Future(future) => this.futures.push((number, future)),
                Work::Blocking(run) => this.start(number, run),
            }
        }
        this
    }

    fn start(&mut self, number: usize, run: Box<dyn FnOnce() -> Step<R> + Send>) {
        let (context, inbox) = (Context::capture(), Arc::clone(&self.inbox));
        let (subscriber, span) = (tracing::dispatcher::get_default(Clone::clone), tracing::Span::current());
        let on_thread = move || {
            let inside = || {
                tracing::dispatcher::with_default(&subscriber, || {
                    let _span = span.enter();
                    context.run(run)
                })
            };
            // The subscriber is somebody else's code, too.
            let told = caught(inside).map_err(Ended::Panicked);
            let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
            inbox.told.push_back((number, told));
            let waker = inbox.waker.take();
            drop(inbox);
            // With no lock held: it may poll where it is called.
            waker.into_iter().for_each(Waker::wake);
        };
        self.out += 1;
        if let Err(error) = std::thread::Builder::new().name("lifecycle-worker".to_owned()).spawn(on_thread) {
            let told = Err(Ended::NoThread(error.to_string()));
            self.inbox.lock().unwrap_or_else(PoisonError::into_inner).told.push_back((number, told));
        }
    }

    /// The next result, or `None` when all are in.
    pub(crate) fn next(&mut self) -> impl Future<Output = Option<(usize, Ended<R>)>> + Send + '_ {
        std::future::poll_fn(|cx| self.poll_next(cx))
    }

    fn poll_next(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<(usize, Ended<R>)>> {
        loop {
            let waker = cx.waker().clone();
            let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
            let told = inbox.told.pop_front();
            let replaced = inbox.waker.replace(waker);
            drop(inbox);
            drop(replaced);
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
                        let ended = match caught(|| future.as_mut().poll(cx)) {
                            Ok(Poll::Pending) => continue,
                            Ok(Poll::Ready(gave)) => Ended::Gave(gave),
                            Err(text) => Ended::Panicked(text),
                        };
                        crate::singleton::drop_apart(self.futures.swap_remove(at));
                        return Poll::Ready(Some((number, ended)));
                    }
                }
            }
            if self.futures.is_empty() && self.out == 0 {
                return Poll::Ready(None);
            }
            return Poll::Pending;
        }
    }
}

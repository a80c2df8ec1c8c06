//! Worlds for tests: nothing created, breakers closed, windows empty, flags at their defaults, a clock of its own.
//!
//! Any number of them live side by side in one process without seeing each other, so tests run in parallel.
//!
//! ```
//! use lifecycle::{circuit_breaker, testing};
//! use std::time::Duration;
//!
//! #[circuit_breaker(threshold = 1, timeout = 30)]
//! fn fetch(ok: bool) -> Result<(), Box<dyn std::error::Error>> {
//!     if ok { Ok(()) } else { Err("down".into()) }
//! }
//!
//! testing::isolated(|| {
//!     fetch(false).unwrap_err();
//!     assert_eq!(fetch(true).unwrap_err().to_string(), "`fetch`: circuit breaker is open, retry after 30s");
//!     testing::advance(Duration::from_secs(30));
//!     fetch(true).unwrap();
//! });
//! ```
//!
//! A thread or task started inside a world is outside it, unless it is given [`Context::capture`]: that goes for
//! `tokio::spawn` too. A world's clock moves by [`advance`] only; a paused tokio clock is another one, so a test that uses both
//! advances both. To get past a refusal, advance by its own `retry_after`, which is exact.

use crate::clock::ManualClock;
use crate::scope::{self, Entry, InContext, Universe};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use crate::scope::Context;
pub use crate::telemetry::EventRecord;

/// A world that ends: nothing is created in it any more, and what it holds goes while its thread is still inside, so that
/// destructors do not reach the process's state.
struct End(Arc<Universe>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.finish();
        // Owners: this, the context around it, its entry on this thread. With more, somebody carries the world on.
        if Arc::strong_count(&self.0) <= 3 {
            self.0.end();
        }
    }
}

/// Runs `f` in a world of its own.
///
/// Once it returns the world has ended: who carries it on by a [`Context`] can read what exists there, but nothing is created any
/// more ([`SingletonError::ContextEnded`](crate::SingletonError::ContextEnded)).
///
/// ```
/// use lifecycle::{Singleton, singleton, testing};
///
/// #[singleton]
/// #[derive(Default)]
/// struct Cache;
///
/// testing::isolated(|| assert!(Cache::try_instance().is_ok()));
/// assert!(!Cache::is_created());
/// ```
pub fn isolated<R>(f: impl FnOnce() -> R) -> R {
    let universe = Universe::new();
    let context = Context::of(Entry::Universe(universe.clone()));
    let _inside = context.enter();
    let _end = End(universe);
    f()
}

/// Runs `future` in a world of its own: each of its polls, and its drop, happen there. The world ends with it.
///
/// ```
/// # use lifecycle::{singleton, testing};
/// #[singleton]
/// async fn motd() -> String {
///     "hello".to_owned()
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// testing::isolated_async(async { assert_eq!(motd().await, "hello") }).await;
/// assert!(!lifecycle::handle(motd).unwrap().is_created());
/// # });
/// ```
pub fn isolated_async<F: Future>(future: F) -> InContext<impl Future<Output = F::Output>> {
    let universe = Universe::new();
    let context = Context::of(Entry::Universe(universe.clone()));
    context.wrap(async move {
        let _end = End(universe);
        future.await
    })
}

/// Moves this world's clock on.
///
/// ```
/// use lifecycle::testing;
/// use std::time::Duration;
///
/// #[lifecycle::rate_limit("1/min")]
/// fn report() -> Result<(), lifecycle::Rejected> {
///     Ok(())
/// }
///
/// testing::isolated(|| {
///     report().unwrap();
///     let refused = report().unwrap_err();
///     testing::advance(refused.retry_after.unwrap());
///     report().unwrap();
/// });
/// ```
///
/// # Panics
/// Outside [`isolated`] and [`isolated_async`]: the process's clock cannot be moved.
#[track_caller]
pub fn advance(by: Duration) {
    clock().advance(by);
}

/// This world's clock, for components built at run time and for moving it by other means.
///
/// ```
/// use lifecycle::{CircuitBreaker, State, testing};
/// use std::time::Duration;
///
/// testing::isolated(|| {
///     let clock = testing::clock();
///     let breaker = CircuitBreaker::builder("api").threshold(1).clock(clock.clone()).build().unwrap();
///     let _ = breaker.call(|| Err::<(), _>("down"));
///     assert_eq!(breaker.state(), State::Open);
///     clock.advance(Duration::from_secs(60));
///     assert!(breaker.call(|| Ok::<_, &str>(())).is_ok());
/// });
/// ```
///
/// # Panics
/// Outside [`isolated`] and [`isolated_async`].
#[must_use]
#[track_caller]
pub fn clock() -> Arc<ManualClock> {
    world().manual_clock().clone()
}

/// Says how much memory the process takes, in bytes, for [`on_memory_pressure`](crate::on_memory_pressure) in this world;
/// `None` for a system that does not tell.
///
/// ```
/// use lifecycle::{on_memory_pressure, testing};
///
/// testing::isolated(|| {
///     testing::set_memory(Some(500));
///     assert!(on_memory_pressure(400).is_short() && !on_memory_pressure(500).is_short());
/// });
/// ```
///
/// # Panics
/// Outside [`isolated`] and [`isolated_async`].
#[track_caller]
pub fn set_memory(resident: Option<u64>) {
    _ = world();
    crate::process::stand_in(resident);
}

/// The events of this world so far, oldest first: what tracing subscribers were told.
///
/// ```
/// use lifecycle::{Singleton, singleton, testing};
///
/// #[singleton]
/// #[derive(Default)]
/// struct Cache;
///
/// testing::isolated(|| {
///     Cache::instance();
///     let told = testing::events();
///     assert_eq!((told[0].name, told[0].component.as_str()), ("lifecycle.singleton.initialized", "cache"));
/// });
/// ```
///
/// # Panics
/// Outside [`isolated`] and [`isolated_async`].
#[must_use]
#[track_caller]
pub fn events() -> Vec<EventRecord> {
    world().events()
}

#[track_caller]
fn world() -> Arc<Universe> {
    match scope::universe() {
        Some(universe) => universe,
        None => panic!(
            "this needs a test world: call it inside `lifecycle::testing::isolated`, or carry the world here with \
             `Context::capture()` (threads and tasks do not inherit it)"
        ),
    }
}

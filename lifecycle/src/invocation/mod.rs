//! Invocations: the requests a process serves one after the other, or many at a time, each with what belongs to it alone.
//!
//! A process that is frozen, thawed and used again keeps everything that lives as long as it does: that is what singletons are
//! for, and what makes a value of one request appear in the next if it was put there. What belongs to a request is declared with
//! `#[singleton(scope = invocation)]`: [`invocation`] gives each its own, and drops it at the end.
//!
//! ```
//! use lifecycle::{Singleton, current_invocation, invocation_blocking, singleton};
//! use std::sync::Mutex;
//!
//! #[singleton(scope = invocation)]
//! #[derive(Default)]
//! struct Seen(Mutex<Vec<u32>>);
//!
//! fn handle(item: u32) -> usize {
//!     let seen = Seen::current();
//!     seen.0.lock().unwrap().push(item);
//!     seen.0.lock().unwrap().len()
//! }
//!
//! assert_eq!(invocation_blocking("req-1", || (handle(7), handle(8))), (1, 2));
//! assert_eq!(invocation_blocking("req-2", || handle(9)), 1); // nothing of req-1 is left
//! assert!(Seen::try_current().is_err()); // and outside there is none
//! ```
//!
//! The whole story is in the [guide](crate::guide::invocations).

mod config;
mod ending;
mod future;

pub use config::{Deadline, InvocationConfig};
pub use future::{InInvocation, invocation, invocation_blocking};

use crate::scope::{self, InvocationState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The invocation that this code runs in: the innermost one, if they are nested.
///
/// ```
/// use lifecycle::{current_invocation, invocation_blocking};
///
/// invocation_blocking("req-7", || {
///     let invocation = current_invocation().unwrap();
///     assert_eq!((invocation.id(), invocation.count()), ("req-7", 1));
/// });
/// assert!(current_invocation().is_none());
/// ```
#[must_use]
pub fn current_invocation() -> Option<Invocation> {
    scope::invocation().map(Invocation)
}

/// What can be asked of an invocation; from [`current_invocation`].
///
/// ```
/// use lifecycle::{Invocation, InvocationConfig, current_invocation, invocation_blocking};
/// use std::time::Duration;
///
/// fn enough_time_left() -> bool {
///     let left = current_invocation().as_ref().and_then(Invocation::remaining);
///     left.is_none_or(|left| left > Duration::from_millis(200))
/// }
///
/// let config = InvocationConfig::new("req-7").deadline(Duration::from_millis(100));
/// assert!(!invocation_blocking(config, enough_time_left));
/// ```
#[derive(Debug, Clone)]
pub struct Invocation(Arc<InvocationState>);

impl Invocation {
    /// Its id, which is the correlation id of the events inside it.
    ///
    /// ```
    /// # use lifecycle::{current_invocation, invocation_blocking};
    /// let id = invocation_blocking("req-7", || current_invocation().unwrap().id().to_owned());
    /// assert_eq!(id, "req-7");
    /// ```
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.id()
    }

    /// Is it the first of the process (in tests, of the test world)? What is made once for the process is made in this one, unless
    /// [`warm_up`](crate::warm_up) made it before. Of several that begin at the same time only one is.
    ///
    /// ```
    /// # use lifecycle::{current_invocation, invocation_blocking};
    /// let is_cold = || current_invocation().unwrap().is_cold();
    /// assert!(invocation_blocking("req-1", is_cold));
    /// assert!(!invocation_blocking("req-2", is_cold));
    /// ```
    #[must_use]
    pub fn is_cold(&self) -> bool {
        self.0.number() == 1
    }

    /// Which one it is, in the order in which they began, from 1. Nested ones count too.
    ///
    /// ```
    /// # use lifecycle::{current_invocation, invocation_blocking};
    /// let count = || current_invocation().unwrap().count();
    /// assert_eq!((invocation_blocking("a", count), invocation_blocking("b", count)), (1, 2));
    /// ```
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.number()
    }

    /// What is left until its deadline, zero after it; `None` if it has none.
    ///
    /// ```
    /// # use lifecycle::{InvocationConfig, current_invocation, invocation_blocking, testing};
    /// use std::time::Duration;
    ///
    /// testing::isolated(|| {
    ///     invocation_blocking(InvocationConfig::new("req-7").deadline(Duration::from_secs(3)), || {
    ///         testing::advance(Duration::from_secs(2));
    ///         let left = current_invocation().unwrap().remaining();
    ///         assert_eq!(left, Some(Duration::from_secs(1)));
    ///     });
    /// });
    /// ```
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.0.remaining()
    }

    /// How long it has been going on.
    ///
    /// ```
    /// # use lifecycle::{current_invocation, invocation_blocking, testing};
    /// # use std::time::Duration;
    /// testing::isolated(|| {
    ///     invocation_blocking("req-7", || {
    ///         testing::advance(Duration::from_secs(2));
    ///         assert_eq!(current_invocation().unwrap().elapsed(), Duration::from_secs(2));
    ///     });
    /// });
    /// ```
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// When it began, by the wall clock, for display.
    ///
    /// ```
    /// # use lifecycle::{current_invocation, invocation_blocking, testing};
    /// # use std::time::Duration;
    /// testing::isolated(|| {
    ///     let started = || current_invocation().unwrap().started();
    ///     let first = invocation_blocking("req-7", started);
    ///     testing::advance(Duration::from_secs(2));
    ///     assert_eq!(invocation_blocking("req-8", started), first + Duration::from_secs(2));
    /// });
    /// ```
    #[must_use]
    pub fn started(&self) -> SystemTime {
        self.0.started()
    }

    /// Is it over? A captured [`Context`](crate::Context) may outlive its invocation: what lived for it is gone then, and nothing
    /// more is made.
    ///
    /// ```
    /// # use lifecycle::{current_invocation, invocation_blocking};
    /// let invocation = invocation_blocking("req-7", || current_invocation().unwrap());
    /// assert!(invocation.has_ended());
    /// ```
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.0.has_ended()
    }
}

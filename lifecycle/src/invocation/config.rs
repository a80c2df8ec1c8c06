//! How an invocation is asked for.

use crate::clock::nanos;
use crate::scope::Limit;
use std::borrow::Cow;
use std::time::{Duration, SystemTime};

/// An invocation's id and deadline. A text alone is an id without a deadline.
///
/// ```
/// use lifecycle::{InvocationConfig, current_invocation, invocation_blocking};
/// use std::time::{Duration, SystemTime};
///
/// // What AWS Lambda gives with each event: milliseconds since 1970.
/// # let (request_id, deadline_ms) = ("8476a536", u64::MAX / 4_000_000);
/// let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(deadline_ms);
/// invocation_blocking(InvocationConfig::new(request_id).deadline(deadline), || {
///     assert!(current_invocation().unwrap().remaining().is_some());
/// });
/// ```
#[derive(Debug, Clone)]
#[must_use = "it is for `lifecycle::invocation`"]
pub struct InvocationConfig<'a> {
    id: Cow<'a, str>,
    deadline: Option<Deadline>,
}

/// Until when an invocation has to be done. What is left is told by [`remaining`](crate::Invocation::remaining); nothing is
/// cancelled by it.
///
/// ```
/// use lifecycle::Deadline;
/// use std::time::{Duration, SystemTime};
///
/// assert_eq!(Deadline::from(SystemTime::UNIX_EPOCH), Deadline::At(SystemTime::UNIX_EPOCH));
/// assert_eq!(Deadline::from(Duration::from_secs(3)), Deadline::In(Duration::from_secs(3)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deadline {
    /// At that wall time, as platforms say it.
    At(SystemTime),
    /// So long after it began.
    In(Duration),
}

impl From<SystemTime> for Deadline {
    fn from(at: SystemTime) -> Self {
        Self::At(at)
    }
}

impl From<Duration> for Deadline {
    fn from(time: Duration) -> Self {
        Self::In(time)
    }
}

impl<'a> InvocationConfig<'a> {
    /// Of that id, which may be any text: a request's id, a message's. See [`InvocationConfig`] for an example.
    pub fn new(id: impl Into<Cow<'a, str>>) -> Self {
        Self { id: id.into(), deadline: None }
    }

    /// It has to be done by then: a `SystemTime`, or a `Duration` from its beginning.
    ///
    /// ```
    /// use lifecycle::{InvocationConfig, current_invocation, invocation_blocking, testing};
    /// use std::time::Duration;
    ///
    /// testing::isolated(|| {
    ///     let config = InvocationConfig::new("req-7").deadline(Duration::from_secs(3));
    ///     let left = invocation_blocking(config, || current_invocation().unwrap().remaining());
    ///     assert_eq!(left, Some(Duration::from_secs(3)));
    /// });
    /// ```
    pub fn deadline(mut self, deadline: impl Into<Deadline>) -> Self {
        self.deadline = Some(deadline.into());
        self
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn limit(&self) -> Option<Limit> {
        self.deadline.map(|deadline| match deadline {
            Deadline::At(at) => Limit { at: Some(at), most: Duration::MAX },
            // As long as any clock of ours counts, which is what it means.
            Deadline::In(time) => Limit { at: None, most: Duration::from_nanos(nanos(time)) },
        })
    }
}

impl<'a> From<&'a str> for InvocationConfig<'a> {
    fn from(id: &'a str) -> Self {
        Self::new(id)
    }
}

impl<'a> From<&'a String> for InvocationConfig<'a> {
    fn from(id: &'a String) -> Self {
        Self::new(id.as_str())
    }
}

impl From<String> for InvocationConfig<'_> {
    fn from(id: String) -> Self {
        Self::new(id)
    }
}

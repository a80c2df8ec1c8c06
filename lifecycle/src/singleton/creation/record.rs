//! What is remembered of the creation of the present instance, and of failures before it.

use crate::clock::Moment;
use crate::scope::{Subject, Waited};
use std::time::{Duration, SystemTime};

#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) created_at: Option<SystemTime>,
    pub(crate) took: Option<Duration>,
    /// Its place in the order of storing; kept while the instance is replaced.
    pub(crate) order: Option<u64>,
    /// When the factory began, on the state's clock.
    pub(crate) began: Option<Moment>,
    pub(crate) thread: Option<String>,
    pub(crate) asked_by: Option<String>,
    pub(crate) depends_on: Vec<Subject>,
    pub(crate) failures: u64,
    pub(crate) last_error: Option<String>,
    /// The failed creation and what made it fail, by name.
    pub(crate) failed_path: Vec<Subject>,
    /// What the failed creation had waited for in vain.
    pub(crate) waited: Waited,
    /// Failures since the last success, and when the last of them was.
    pub(crate) failed: Option<(u32, Moment)>,
}

impl Record {
    /// What the factory reached for, as addresses of descriptors.
    pub(crate) fn needs(&self) -> Vec<usize> {
        self.depends_on.iter().map(|other| other.key).collect()
    }

    /// Takes over what a part of it remembers that goes: its failures, and of its last creation what does not speak of an instance.
    pub(crate) fn absorb(&mut self, part: Self) {
        self.failures = self.failures.saturating_add(part.failures);
        if part.created_at.is_some() {
            (self.took, self.depends_on) = (part.took, part.depends_on);
            self.last_error = None;
        } else if part.last_error.is_some() {
            (self.last_error, self.failed_path) = (part.last_error, part.failed_path);
        }
    }

    /// A factory failed.
    pub(super) fn note_failure(&mut self, message: String, path: Vec<Subject>, waited: Waited, now: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(message);
        self.failed_path = path;
        self.waited = waited;
        self.failed = Some((self.failed.map_or(1, |(in_a_row, _)| in_a_row.saturating_add(1)), now));
    }

    /// What is left of a pause after failures, with the last error: the first pause doubles with each failure in a row, up to
    /// the longest.
    pub(super) fn pause(&self, (first, longest): (Duration, Duration), now: Moment) -> Option<(Duration, String)> {
        let (in_a_row, at) = self.failed?;
        let doubled = 2u32.saturating_pow(in_a_row.saturating_sub(1));
        let until = at.after(first.saturating_mul(doubled).min(longest.max(first)));
        if until.has_come(now) {
            return None;
        }
        // "Never" is far enough away to say so.
        let left = until.until(now).unwrap_or(Duration::MAX);
        Some((left, self.last_error.clone().unwrap_or_default()))
    }
}

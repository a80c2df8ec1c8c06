//! Points in time, and what is done with them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point on some clock's monotonic scale. All its arithmetic saturates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Later than everything: "never".
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(crate) const fn as_nanos(self) -> u64 {
        self.0
    }

    pub(crate) fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(nanos(by)))
    }

    pub(crate) const fn before(self, by: Duration) -> Self {
        if self.0 == u64::MAX { self } else { Self(self.0.saturating_sub(nanos(by))) }
    }

    /// Has it come, by `now`? "Never" has not, even at the end of time.
    #[inline]
    pub(crate) fn has_come(self, now: Self) -> bool {
        now >= self && self != Self::NEVER
    }

    /// The time from `now` until it comes; `None` for "never".
    pub(crate) fn until(self, now: Self) -> Option<Duration> {
        (self != Self::NEVER).then(|| self.since(now))
    }

    /// The time since `earlier`; zero when the clock went back.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A duration in whole nanoseconds, saturating (`Duration::MAX` means never, and stays never).
pub(crate) const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

/// Seconds since 1970 with fraction: the wire form of wall times.
pub(crate) fn unix_seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Moment(5).after(Duration::MAX), Moment::NEVER);
        assert_eq!(Moment(5).since(Moment(9)), Duration::ZERO);
        assert_eq!(nanos(Duration::from_secs(600 * 365 * 86_400)), u64::MAX);
    }
}

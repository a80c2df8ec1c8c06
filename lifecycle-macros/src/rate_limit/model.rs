//! The numbers of one declared limiter.

use crate::options::{Count, Gcra, Options, Rate, TimeSpan};
use std::time::Duration;

/// So many in each window.
pub(crate) struct Numbers {
    pub(super) limit: Count,
    pub(super) window: TimeSpan,
    /// A mean rate with bursts instead of the exact window.
    pub(super) mode: Option<Gcra>,
}

impl Numbers {
    /// Without a rate (after a mistake, or where the limiter is declared elsewhere) this is a stand-in, which is never expanded.
    pub(super) fn take(rate: Option<Rate>, options: &mut Options) -> Self {
        let Rate { limit, window } = rate.unwrap_or(Rate { limit: 1, window: Duration::from_secs(1) });
        Self {
            limit: options.count("limit").unwrap_or(Count::Literal(limit)),
            window: options.time("window").unwrap_or(TimeSpan::Literal(window)),
            mode: options.mode("mode"),
        }
    }
}

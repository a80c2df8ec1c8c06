//! One declared limiter.

use super::args::Args;
use crate::guarded_fn::WayOut;
use crate::options::{Count, Rate, TimeSpan};
use crate::runtime::Runtime;
use proc_macro2::Span;
use std::time::Duration;

/// What `#[rate_limit(..)]` says.
pub(crate) struct Limiter {
    /// Where the attribute stands.
    pub(super) at: Span,
    pub(crate) runtime: Runtime,
    pub(crate) way_out: WayOut,
    pub(super) name: Option<String>,
    pub(super) limit: Count,
    pub(super) window: TimeSpan,
}

impl Limiter {
    /// After a mistake this is a stand-in, which is never expanded.
    pub(super) fn new(Args { rate, mut options }: Args, at: Span) -> Self {
        let Rate { limit, window } = rate.unwrap_or(Rate { limit: 1, window: Duration::from_secs(1) });
        Self {
            at,
            runtime: Runtime::at(options.path("crate")),
            way_out: WayOut::take(&mut options),
            name: options.text("name").map(|name| name.value()),
            limit: options.count("limit").unwrap_or(Count::Literal(limit)),
            window: options.time("window").unwrap_or(TimeSpan::Literal(window)),
        }
    }
}

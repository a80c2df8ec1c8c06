//! One declared breaker.

use super::args::{Args, COUNTS, TIMES};
use crate::guarded_fn::WayOut;
use crate::options::{Count, TimeSpan};
use crate::runtime::Runtime;
use proc_macro2::Span;

/// What `#[circuit_breaker(..)]` says.
pub(crate) struct Breaker {
    /// Where the attribute stands.
    pub(super) at: Span,
    pub(crate) runtime: Runtime,
    pub(crate) way_out: WayOut,
    pub(super) name: Option<String>,
    /// Builder method and value; only what was written, the rest is the runtime's default.
    pub(super) counts: Vec<(&'static str, Count)>,
    pub(super) times: Vec<(&'static str, TimeSpan)>,
}

impl Breaker {
    pub(super) fn new(Args { mut options }: Args, at: Span) -> Self {
        Self {
            at,
            runtime: Runtime::at(options.path("crate")),
            way_out: WayOut::take(&mut options),
            name: options.text("name").map(|name| name.value()),
            counts: COUNTS.into_iter().filter_map(|key| Some((key, options.count(key)?))).collect(),
            times: TIMES.into_iter().filter_map(|key| Some((key, options.time(key)?))).collect(),
        }
    }
}

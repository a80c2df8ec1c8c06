//! The numbers of one declared breaker.

use super::args::{COUNTS, TIMES};
use crate::options::{Backoff, CallWindow, Count, Options, TimeSpan};
use proc_macro2::Ident;

/// Builder methods and values; only what was written, the rest is the runtime's default.
pub(crate) struct Numbers {
    pub(super) counts: Vec<(&'static str, Count)>,
    pub(super) times: Vec<(&'static str, TimeSpan)>,
    pub(super) window: Option<CallWindow>,
    pub(super) backoff: Option<Backoff>,
    pub(super) cancelled: Option<Ident>,
}

impl Numbers {
    pub(super) fn take(options: &mut Options) -> Self {
        Self {
            counts: COUNTS.into_iter().filter_map(|key| Some((key, options.count(key)?))).collect(),
            times: TIMES.into_iter().filter_map(|key| Some((key, options.time(key)?))).collect(),
            window: options.window("window"),
            backoff: options.backoff("backoff"),
            cancelled: options.chosen("cancelled"),
        }
    }
}

//! Exact rate limits: never more than N permits in any window, by the closed sliding window.
//!
//! A token bucket of 1000 a second lets 1999 pass within one second; this limiter lets 1000, whichever second one looks at.
//! A refusal takes nothing, and says after what time a retry can succeed.

// `ring` is the lock-free window over a `table`, `buckets` and `gcra` are what may be chosen instead; `cell` is one of them,
// `handle` adds name, clock, counts and events, `wait` waits for permits, `keyed` has one a key (`family` those of one world),
// `settings` changes numbers.

#[cfg(not(loom))]
mod asking;
#[cfg(not(loom))]
mod buckets;
#[cfg(not(loom))]
mod builder;
#[cfg(not(loom))]
mod cell;
#[cfg(not(loom))]
mod episode;
#[cfg(not(loom))]
mod family;
#[cfg(not(loom))]
mod gcra;
#[cfg(not(loom))]
mod handle;
#[cfg(not(loom))]
mod keyed;
mod probe;
mod ring;
#[cfg(all(test, not(loom)))]
mod ring_clock_tests;
#[cfg(all(test, not(loom)))]
mod ring_tests;
#[cfg(not(loom))]
mod settings;
mod table;
#[cfg(not(loom))]
mod wait;

#[cfg(not(loom))]
pub(crate) use {
    cell::{LimiterCell, Rule},
    handle::check_limit,
    ring::Outcome,
};

#[cfg(not(loom))]
pub use {
    builder::RateLimiterBuilder,
    handle::{RateLimiter, Usage},
    keyed::{KeyedRateLimiter, KeyedUsage, LimiterKey},
};

#[cfg(loom)]
pub mod model;

//! Pages to read: what to use when, and what to expect of it.
//!
//! - [`singleton_or_cache`]: singleton, cache or static? What is given back, and what never; circles; how it ends.
//! - [`testing`]: worlds, overrides, contexts and clocks.
//!
//! Every example on them is run as a test.

#[doc = include_str!("singleton_or_cache.md")]
pub mod singleton_or_cache {}

#[doc = include_str!("testing.md")]
pub mod testing {}

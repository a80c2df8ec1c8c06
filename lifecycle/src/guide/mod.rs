//! Pages to read: what to use when, and what to expect of it.
//!
//! - [`invocations`]: processes that are used again: what belongs to the process and what to a request, memory, snapshots.
//! - [`python`]: each method of the Python managers that this crate's concept comes from, as a Rust call.
//! - [`settings`]: numbers that change without a rebuild: files, environment variables, by hand.
//! - [`singleton_or_cache`]: singleton, cache or static? What is given back, and what never; circles; how it ends.
//! - [`testing`]: worlds, overrides, contexts and clocks.
//!
//! Every example on them is run as a test.

#[doc = include_str!("invocations.md")]
pub mod invocations {}

#[doc = include_str!("python.md")]
pub mod python {}

#[doc = include_str!("settings.md")]
pub mod settings {}

#[doc = include_str!("singleton_or_cache.md")]
pub mod singleton_or_cache {}

#[doc = include_str!("testing.md")]
pub mod testing {}

//! Tests of the macros from outside: see `tests/`.
//!
//! - `fail/`: compile errors, each with the message one gets (`ui.rs` runs them)
//! - `pass_*.rs`: everything that must work, run as ordinary tests
//! - `lint.rs`: every lint of rustc and clippy over every macro
//! - `hygiene_*.rs`, `edition_*.rs`: hostile surroundings

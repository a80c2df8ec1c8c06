//! No lint leaks out of an expansion: every lint of rustc and clippy is on, over each macro.
//!
//! `cargo clippy -p lifecycle-ui-tests --test lint -- -D warnings` must be silent. An exception is only for what stands in
//! these files themselves, with its reason.

#![forbid(unsafe_code)]
// Every lint of rustc that is off by default and exists on stable (`rustc -W help`).
#![deny(
    absolute_paths_not_starting_with_crate,
    ambiguous_negative_literals,
    closure_returning_async_block,
    deprecated_in_future,
    deprecated_safe_2024,
    edition_2024_expr_fragment_specifier,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    ffi_unwind_calls,
    if_let_rescope,
    impl_trait_overcaptures,
    impl_trait_redundant_captures,
    keyword_idents_2018,
    keyword_idents_2024,
    let_underscore_drop,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    missing_unsafe_on_extern,
    non_ascii_idents,
    redundant_imports,
    redundant_lifetimes,
    rust_2021_incompatible_closure_captures,
    rust_2021_incompatible_or_patterns,
    rust_2021_prefixes_incompatible_syntax,
    rust_2021_prelude_collisions,
    rust_2024_guarded_string_incompatible_syntax,
    rust_2024_incompatible_pat,
    rust_2024_prelude_collisions,
    single_use_lifetimes,
    tail_expr_drop_order,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_attr_outside_unsafe,
    unsafe_op_in_unsafe_fn,
    unstable_features,
    unused_extern_crates,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![deny(
    future_incompatible,
    let_underscore,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_idioms,
    unused,
    warnings
)]
#![warn(
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    clippy::restriction,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason
)]
#![allow(clippy::blanket_clippy_restriction_lints, reason = "all of them on is the purpose of these files")]
#![allow(clippy::needless_return, reason = "the opposite of clippy::implicit_return: one of the two must be off")]
#![allow(
    clippy::arbitrary_source_item_ordering,
    clippy::multiple_inherent_impl,
    reason = "these files are ordered by macro, and have an impl for each"
)]

extern crate alloc;

use lifecycle::{Flag, Rejected, circuit_breaker, init_flag, rate_limit, singleton};

pub mod flags;
pub mod guards;
pub mod singletons;

/// The same from a `macro_rules!`.
macro_rules! declared {
    ($name:ident, $function:ident, $method:ident, $flag:ident) => {
        /// From a macro.
        #[singleton]
        #[derive(Debug, Default, Clone, Copy)]
        #[non_exhaustive]
        pub struct $name;

        /// From a macro.
        ///
        /// # Errors
        /// A refusal.
        #[circuit_breaker]
        #[rate_limit("3/s")]
        #[inline]
        pub fn $function(id: u8) -> Result<u8, Rejected> {
            return Ok(id);
        }

        /// From a macro.
        #[singleton]
        #[must_use]
        #[inline]
        pub fn $method() -> u8 {
            return 3;
        }

        /// From a macro.
        #[init_flag]
        pub static $flag: Flag<bool> = true;
    };
}

declared!(FromMacro, function_from_macro, value_from_macro, FLAG_FROM_MACRO);

/// A type that warns wherever it is named by somebody who should know better.
#[deprecated(note = "old")]
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Old;

/// Only the user's own mention of a deprecated type counts, and that is allowed.
///
/// # Errors
/// A refusal.
#[circuit_breaker]
#[inline]
#[expect(deprecated, reason = "the user knows")]
pub fn old(old: Old) -> Result<Old, Rejected> {
    return Ok(old);
}

//! Which attributes of a function can be macros that have not run yet.

use super::marker;
use syn::Attribute;

/// Attributes the compiler knows that never rewrite a function; `test` and `bench` leave it as it is.
const BUILT_IN: [&str; 32] = [
    "allow",
    "automatically_derived",
    "bench",
    "cfg",
    "cold",
    "coverage",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "ignore",
    "inline",
    "instruction_set",
    "link_name",
    "link_section",
    "must_use",
    "naked",
    "no_mangle",
    "non_exhaustive",
    "optimize",
    "panic_handler",
    "rustc_test_marker",
    "should_panic",
    "stable",
    "target_feature",
    "test",
    "track_caller",
    "unsafe",
    "unstable",
    "warn",
];
const TOOLS: [&str; 5] = ["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

/// Another guard's attribute may go by any name (an alias, a path, behind `cfg_attr`), so everything that is not known to be
/// inert may be one.
pub(super) fn may_be_a_macro(attr: &Attribute) -> bool {
    let path = attr.path();
    let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let inert = match path.get_ident() {
        Some(_) => BUILT_IN.contains(&&*first),
        None => TOOLS.contains(&&*first) || marker::is_marker(attr),
    };
    !inert
}

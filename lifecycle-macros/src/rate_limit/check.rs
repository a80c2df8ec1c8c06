//! What single options cannot see.

use super::args::Args;
use crate::errors::Errors;
use proc_macro2::Span;

pub(super) fn check(args: &Args, at: Span, errors: &mut Errors) {
    let options = &args.options;
    // Where the limiter is another's there is no rate to say, and what is said beside it has an error of its own.
    if options.positional.is_some() || options.mentions("skip") || options.mentions("include") {
        return;
    }
    if options.leading.is_some() {
        for key in ["limit", "window"] {
            if let Some(ident) = options.ident(key) {
                errors.on(ident, format!("the rate says the {key} already: leave one of the two away"));
            }
        }
        return;
    }
    match (options.mentions("limit"), options.mentions("window")) {
        (true, true) => {}
        (true, false) => {
            if let Some(ident) = options.ident("limit") {
                errors.on(ident, "in which time? add `window = \"1s\"`");
            }
        }
        (false, true) => {
            if let Some(ident) = options.ident("window") {
                errors.on(ident, "how many in this window? add `limit = 100`");
            }
        }
        // Something else is wrong already: the missing rate may well be that.
        (false, false) if !errors.is_empty() => {}
        (false, false) => {
            errors.at(at, "`#[rate_limit]` needs its rate: write `#[rate_limit(\"100/s\")]`");
        }
    }
}

//! `#[rate_limit]`: args -> model -> check -> expand; the wrapper around the function is [`guarded_fn`]'s.

mod args;
mod check;
mod expand;
mod model;
#[cfg(test)]
mod tests;

pub(crate) use args::GRAMMAR;
pub(crate) use model::Limiter;

use crate::errors::Errors;
use crate::guarded_fn::{self, Kind};
use proc_macro2::{Span, TokenStream};

/// The macro.
pub(crate) fn rate_limit(args: TokenStream, item: TokenStream) -> TokenStream {
    guarded_fn::guard(Kind::Limiter, args, item)
}

/// Reads the options of one use, whose attribute stands at `at`.
pub(crate) fn read(args: TokenStream, at: Span, errors: &mut Errors) -> Limiter {
    let args = args::Args::parse(args, errors);
    check::check(&args, errors);
    Limiter::new(args, at)
}

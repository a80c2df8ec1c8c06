//! `#[circuit_breaker]`: args -> model -> check -> expand; the wrapper around the function is [`guarded_fn`]'s.

mod args;
mod check;
mod expand;
mod model;
#[cfg(test)]
mod tests;

pub(crate) use args::GRAMMAR;
pub(crate) use model::Breaker;

use crate::errors::Errors;
use crate::guarded_fn::{self, Kind};
use proc_macro2::{Span, TokenStream};

/// The macro.
pub(crate) fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    guarded_fn::guard(Kind::Breaker, args, item)
}

/// Reads the options of one use, whose attribute stands at `at`.
pub(crate) fn read(args: TokenStream, at: Span, errors: &mut Errors) -> Breaker {
    let args = args::Args::parse(args, errors);
    check::check(&args, errors);
    Breaker::new(args, at)
}

//! `#[circuit_breaker]`: args -> model -> check -> expand; what it has in common with `#[rate_limit]` is [`guarded_fn`]'s.

mod args;
mod check;
mod expand;
mod model;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_options;

pub(crate) use args::GRAMMAR;
pub(crate) use model::Numbers;

use crate::errors::Errors;
use crate::guarded_fn::{self, Guard, Kind};
use proc_macro2::{Span, TokenStream};

/// The macro.
pub(crate) fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    guarded_fn::guard(Kind::Breaker, args, item)
}

/// Reads the options of one use, whose attribute stands at `at`.
pub(crate) fn read(args: TokenStream, at: Span, errors: &mut Errors) -> Guard {
    let args = args::Args::parse(args, errors);
    check::check(&args.options, errors);
    let numbers = |options: &mut _| guarded_fn::Numbers::Breaker(Box::new(Numbers::take(options)));
    Guard::new(Kind::Breaker, at, args.options, numbers, errors)
}

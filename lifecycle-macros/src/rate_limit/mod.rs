//! `#[rate_limit]`: args -> model -> check -> expand; what it has in common with `#[circuit_breaker]` is [`guarded_fn`]'s.

mod args;
mod check;
mod expand;
mod model;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_options;
#[cfg(test)]
mod tests_slips;

pub(crate) use args::GRAMMAR;
pub(crate) use model::Numbers;

use crate::errors::Errors;
use crate::guarded_fn::{self, Guard, Kind};
use proc_macro2::{Span, TokenStream};

/// The macro.
pub(crate) fn rate_limit(args: TokenStream, item: TokenStream) -> TokenStream {
    guarded_fn::guard(Kind::Limiter, args, item)
}

/// Reads the options of one use, whose attribute stands at `at`.
pub(crate) fn read(args: TokenStream, at: Span, errors: &mut Errors) -> Guard {
    let args = args::Args::parse(args, errors);
    check::check(&args, at, errors);
    let numbers = |options: &mut _| guarded_fn::Numbers::Limiter(Box::new(Numbers::take(args.rate, options)));
    Guard::new(Kind::Limiter, at, args.options, numbers, errors)
}

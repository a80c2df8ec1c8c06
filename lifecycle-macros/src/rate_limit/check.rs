//! What single options cannot see.

use super::args::Args;
use crate::errors::Errors;
use crate::options::{Count, Gcra, Rate, Value};
use proc_macro2::Span;
use syn::{Expr, ExprLit, Lit};

pub(super) fn check(args: &Args, at: Span, errors: &mut Errors) {
    let options = &args.options;
    // Where the limiter is another's there is no rate to say, and what is said beside it has an error of its own.
    if options.positional.is_some() || options.mentions("skip") || options.mentions("include") {
        return;
    }
    fits(args, errors);
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

/// What literals tell: permits that nobody can ever have, permits closer together than the clock can tell.
fn fits(args: &Args, errors: &mut Errors) {
    let options = &args.options;
    let limit = match (&args.rate, options.look("limit")) {
        (Some(rate), _) => Some(rate.limit),
        (None, Some(Value::Count(Count::Literal(limit)))) => Some(*limit),
        _ => None,
    };
    let most = match options.look("mode") {
        Some(Value::Mode(Gcra { burst: Count::Literal(burst) })) => Some((*burst, "burst")),
        Some(_) => None,
        None => limit.map(|limit| (limit, "window")),
    };
    if let (Some((most, held_by)), Some(Value::Expression(permits))) = (most, options.look("permits")) {
        if let Some(number) = literal(permits).filter(|number| *number > most) {
            errors.on(
                permits,
                format!(
                    "{number} permits can never be had: a {held_by} holds {most}; write fewer, or a larger {held_by}"
                ),
            );
        }
    }
    if let (Some(Rate { limit, window }), Some(mode)) = (&args.rate, options.ident("mode")) {
        if u128::from(*limit) > window.as_nanos() {
            errors.on(mode, "with `gcra` permits are at least a nanosecond apart: write a lower rate");
        }
    }
}

fn literal(value: &Expr) -> Option<u32> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        _ => None,
    }
}

//! What breaker and limiter have in common: one wrapper a function, whichever guards stand on it.

mod arguments;
mod attributes;
mod check;
mod expand;
mod marker;
mod refusal;
mod shape;

pub(crate) use marker::guard_part;
pub(crate) use refusal::{WayOut, check_way_out};

use crate::circuit_breaker::{self, Breaker};
use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::Function;
use crate::rate_limit::{self, Limiter};
use crate::runtime::Runtime;
use proc_macro2::{Span, TokenStream};
use quote::quote;

/// The guards.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Breaker,
    Limiter,
}

impl Kind {
    fn macro_name(self) -> &'static str {
        match self {
            Self::Breaker => circuit_breaker::GRAMMAR.name,
            Self::Limiter => rate_limit::GRAMMAR.name,
        }
    }

    fn wants(self) -> &'static str {
        match self {
            Self::Breaker => "guards functions and methods",
            Self::Limiter => "limits functions and methods",
        }
    }
}

/// One guard as it was written: which, where, with which options.
struct Part {
    kind: Kind,
    span: Span,
    args: TokenStream,
}

/// The guards of one function, at most one of each kind.
#[derive(Default)]
struct Guards {
    breaker: Option<Breaker>,
    limiter: Option<Limiter>,
}

impl Guards {
    /// Reads the options of one more guard.
    fn add(&mut self, part: Part, errors: &mut Errors) {
        let twice = match part.kind {
            Kind::Breaker => self.breaker.replace(circuit_breaker::read(part.args, part.span, errors)).is_some(),
            Kind::Limiter => self.limiter.replace(rate_limit::read(part.args, part.span, errors)).is_some(),
        };
        if twice {
            let name = part.kind.macro_name();
            errors
                .at(part.span, format!("`#[{name}]` stands on this function already: write all its options into one"));
        }
    }

    /// Where the runtime is: one `crate = path` is enough for both.
    fn runtime(&self) -> Runtime {
        let runtimes = [self.breaker.as_ref().map(|b| &b.runtime), self.limiter.as_ref().map(|l| &l.runtime)];
        runtimes.into_iter().flatten().find(|runtime| runtime.given().is_some()).cloned().unwrap_or_default()
    }
}

/// A guard's attribute: wraps the function now, or lets the attributes below expand first.
fn guard_with(part: Part, may_wait: bool, item: TokenStream) -> TokenStream {
    let (kind, span, mut errors) = (part.kind, part.span, Errors::default());
    let mut guards = Guards::default();
    let marker = marker::tokens(&part);
    guards.add(part, &mut errors);
    if let Some(error) = check::other_item(kind, &item) {
        errors.push(error);
        return item_and(item, errors);
    }
    let mut function = match Function::read(kind.macro_name(), kind.wants(), item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            return item_and(item, errors);
        }
    };
    check::check(kind, &function, &mut errors);
    if !errors.is_empty() {
        return item_and(item, errors);
    }
    if may_wait && function.attrs.iter().any(attributes::may_be_a_macro) {
        return marker::requeue(&guards.runtime(), &marker, &function);
    }
    for mut waiting in marker::take(&mut function.attrs) {
        // Of two of a kind the lower one is too many: that is this one.
        if waiting.kind == kind {
            waiting.span = span;
        }
        guards.add(waiting, &mut errors);
    }
    refusal::check_channel(&guards, &function, &mut errors);
    if !errors.is_empty() {
        return item_and(quote!(#function), errors);
    }
    expand::expand(&guards, &function).unwrap_or_else(|error| {
        errors.push(error);
        item_and(quote!(#function), errors)
    })
}

/// `#[circuit_breaker(args)]` or `#[rate_limit(args)]` on an item.
pub(crate) fn guard(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    guard_with(Part { kind, span: Span::call_site(), args }, true, item)
}

#[cfg(test)]
mod tests;

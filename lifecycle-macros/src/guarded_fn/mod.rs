//! What breaker and limiter have in common: one wrapper a function, whichever guards stand on it; statics to share; impl blocks.

mod arguments;
mod attributes;
mod check;
mod check_options;
mod component;
mod expand;
mod guard;
mod judge;
mod limit;
mod marker;
mod on_impl;
mod on_static;
mod parts;
mod reach;
mod refusal;
mod shape;

use guard::Member;
pub(crate) use guard::{Guard, Numbers};
pub(crate) use marker::guard_part;
pub(crate) use parts::Kind;
use refusal::{WayOut, check_way_out};

use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::{Function, ItemKind};
use parts::{Guards, Part, Role};
use proc_macro2::{Span, TokenStream};
use quote::quote;

/// `#[circuit_breaker(args)]` or `#[rate_limit(args)]` on an item.
pub(crate) fn guard(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    guard_with(Part { kind, role: Role::Own, span: Span::call_site(), args }, true, item)
}

/// A guard's attribute: does its work now, or lets the attributes below expand first.
fn guard_with(part: Part, may_wait: bool, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let guard = part.read(&mut errors);
    match ItemKind::of(&item).0 {
        ItemKind::Static => on_static::declare(&guard, item, errors),
        ItemKind::Impl => on_impl::guard(part, &guard, may_wait, item, errors),
        _ => on_function(part, &guard, may_wait, item, errors),
    }
}

fn on_function(part: Part, guard: &Guard, may_wait: bool, item: TokenStream, mut errors: Errors) -> TokenStream {
    let kind = part.kind;
    let mut function = match Function::read(kind.macro_name(), kind.wants(), item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            return item_and(item, errors);
        }
    };
    if !matches!(guard.member, Some(Member::Skip(_))) {
        check::check(&part, &function, &mut errors);
    }
    check_options::on_function(guard, &function, &mut errors);
    if !errors.is_empty() {
        // Those that wait would say the same again.
        marker::take(&mut function.attrs);
        return item_and(quote!(#function), errors);
    }
    if may_wait && function.attrs.iter().any(attributes::may_be_a_macro) {
        let marker = marker::attribute(&guard.runtime, &part);
        let Function { attrs, vis, sig, body } = &function;
        return quote!(#(#attrs)* #marker #vis #sig #body);
    }
    let parts = gathered(part, marker::take(&mut function.attrs));
    let guards = Guards::of(&parts, "function", &mut errors);
    if errors.is_empty() {
        refusal::check_channel(&guards, &function, &mut errors);
        check::check_fallback(&guards, &function, &mut errors);
    }
    if !errors.is_empty() || guards.all().next().is_none() {
        return item_and(quote!(#function), errors);
    }
    expand::expand(&guards, &function).unwrap_or_else(|error| {
        errors.push(error);
        item_and(quote!(#function), errors)
    })
}

/// This part and those that waited for it. Of two of a kind the lower one is too many: that is this one.
fn gathered(part: Part, mut waiting: Vec<Part>) -> Vec<Part> {
    for other in waiting.iter_mut().filter(|other| other.kind == part.kind && other.role == Role::Own) {
        other.span = part.span;
    }
    waiting.insert(0, part);
    waiting
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_forms;
#[cfg(test)]
mod tests_shared;

//! How two guards on one function meet, whatever stands between them.
//!
//! The guard that expands first cannot tell whether an attribute below it is the other guard. So it steps aside: it leaves a
//! marker as the **last** attribute and re-emits the item. The last of ours to expand finds the markers of all others, takes
//! them away, and makes one wrapper. A marker never steps aside, so this ends.

//!
//! A guard on an impl block leaves a marker on each method it may be for, and there the method's own guard finds it.

use super::guard_with;
use super::parts::{Kind, Part, Role};
use crate::entry::item_and;
use crate::errors::Errors;
use crate::runtime::{Runtime, is_private};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Meta, Token};

const NAME: &str = "guard_part";

/// `breaker`, `breaker_of_impl`, `limiter_offered`
fn word(kind: Kind, role: Role) -> String {
    let role = match role {
        Role::Own => "",
        Role::OfImpl => "_of_impl",
        Role::Offered => "_offered",
        Role::Mistaken => "_mistaken",
    };
    format!("{}{role}", kind.noun())
}

pub(super) fn is_marker(attr: &Attribute) -> bool {
    is_private(attr.path(), NAME)
}

/// Input: `#[circuit_breaker(threshold = 3)]`
/// Output: `#[::lifecycle::__private0::guard_part(breaker, threshold = 3)]`; the word keeps the place of the attribute.
pub(super) fn attribute(runtime: &Runtime, Part { kind, role, span, args }: &Part) -> TokenStream {
    let private = runtime.private();
    let name = format_ident!("{NAME}");
    let word = Ident::new(&word(*kind, *role), *span);
    quote!(#[#private::#name(#word, #args)])
}

/// Takes the markers away and gives what they carry.
pub(super) fn take(attrs: &mut Vec<Attribute>) -> Vec<Part> {
    let (markers, rest) = std::mem::take(attrs).into_iter().partition(is_marker);
    *attrs = rest;
    let markers: Vec<Attribute> = markers;
    let carried = markers.into_iter().filter_map(|marker| match marker.meta {
        Meta::List(list) => read(list.tokens),
        _ => None,
    });
    carried.collect()
}

fn read(tokens: TokenStream) -> Option<Part> {
    let parts = |input: ParseStream<'_>| {
        Ok((input.parse::<Ident>()?, input.parse::<Option<Token![,]>>()?, input.parse::<TokenStream>()?))
    };
    let (written, _, args) = parts.parse2(tokens).ok()?;
    let kinds = [Kind::Breaker, Kind::Limiter].into_iter();
    let all = kinds.flat_map(|kind| [Role::Own, Role::OfImpl, Role::Offered, Role::Mistaken].map(|role| (kind, role)));
    let (kind, role) = all.into_iter().find(|(kind, role)| written == word(*kind, *role))?;
    Some(Part { kind, role, span: written.span(), args })
}

/// The marker's own macro: it is its turn when no guard was left to take it.
pub(crate) fn guard_part(args: TokenStream, item: TokenStream) -> TokenStream {
    match read(args) {
        Some(part) => guard_with(part, false, item),
        None => {
            let mut errors = Errors::default();
            errors.at(
                Span::call_site(),
                "this attribute belongs to lifecycle's macros: write `#[circuit_breaker]` or `#[rate_limit]`",
            );
            item_and(item, errors)
        }
    }
}

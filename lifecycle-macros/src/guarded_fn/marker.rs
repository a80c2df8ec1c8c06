//! How two guards on one function meet, whatever stands between them.
//!
//! The guard that expands first cannot tell whether an attribute below it is the other guard. So it steps aside: it leaves a
//! marker as the **last** attribute and re-emits the item. The last of ours to expand finds the markers of all others, takes
//! them away, and makes one wrapper. A marker never steps aside, so this ends.

use super::{Kind, Part, guard_with};
use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::Function;
use crate::runtime::{Runtime, is_private};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Meta, Token};

const NAME: &str = "guard_part";

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Breaker => "breaker",
            Self::Limiter => "limiter",
        }
    }
}

pub(super) fn is_marker(attr: &Attribute) -> bool {
    is_private(attr.path(), NAME)
}

/// `breaker, threshold = 3`: what a marker carries. The first word keeps the place of the attribute.
pub(super) fn tokens(Part { kind, span, args }: &Part) -> TokenStream {
    let kind = Ident::new(kind.word(), *span);
    quote!(#kind, #args)
}

/// Input: `#[circuit_breaker(threshold = 3)] #[other] fn f() {}`
/// Output: `#[other] #[::lifecycle::__private0::guard_part(breaker, threshold = 3)] fn f() {}`
pub(super) fn requeue(runtime: &Runtime, marker: &TokenStream, function: &Function) -> TokenStream {
    let private = runtime.private();
    let name = format_ident!("{NAME}");
    let Function { attrs, vis, sig, body } = function;
    quote! {
        #(#attrs)*
        #[#private::#name(#marker)]
        #vis #sig #body
    }
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
        Ok((input.parse::<Ident>()?, input.parse::<Token![,]>()?, input.parse::<TokenStream>()?))
    };
    let (word, _, args) = parts.parse2(tokens).ok()?;
    let kind = [Kind::Breaker, Kind::Limiter].into_iter().find(|kind| word == kind.word())?;
    Some(Part { kind, span: word.span(), args })
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

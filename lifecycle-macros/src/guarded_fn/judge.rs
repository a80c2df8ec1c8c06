//! What a call's value means to the breaker.

use super::parts::Guards;
use super::shape::Shape;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Expr;
use syn::spanned::Spanned as _;

/// `|value| ..`, of type `FnOnce(&R) -> Verdict`: what is ignored first, then what is a failure. Where nothing is said an `Err` of
/// whatever is a `Result`, but for a refusal from further down: both found by type and not by name.
pub(super) fn judge(guards: &Guards, runtime: &Runtime, shape: &Shape) -> TokenStream {
    let private = runtime.private();
    let per_call = guards.breaker.as_ref().map(|breaker| &breaker.per_call);
    let ignored = per_call.and_then(|per_call| per_call.ignore.as_ref()).map(|ignore| {
        let ignores = asked(runtime, "ignores", ignore);
        generated! {
            if #ignores {
                return #private::Verdict::Ignored;
            }
        }
    });
    let value = &shape.value;
    let judged = match per_call.and_then(|per_call| per_call.failure_if.as_ref()) {
        Some(failure_if) => asked(runtime, "failed_if", failure_if),
        None if shape.opaque && ignored.is_none() => return generated!(|_| #private::Verdict::Success),
        None if shape.opaque => generated!(#private::Verdict::Success),
        None => generated! {
            use #private::channel::failed::by_type::*;
            #private::channel::Outcome::<#value>::NEW.__verdict(lifecycle_value, |lifecycle_error| {
                (&&&&&&&&&#private::channel::failed::Failed(lifecycle_error)).__verdict()
            })
        },
    };
    generated!(|lifecycle_value| { #ignored #judged })
}

/// `channel::ignores(value, CALLABLE)`: what is wrong with the callable, or that it cannot be asked here, is said on it.
fn asked(runtime: &Runtime, question: &str, callable: &Expr) -> TokenStream {
    let ours = callable.span().resolved_at(Span::mixed_site());
    let here = runtime.private_at(ours);
    let question = Ident::new(question, ours);
    let value = Ident::new("lifecycle_value", ours);
    quote_spanned!(ours=> #here::channel::#question(#value, #callable))
}

//! What a refused call gives to its caller.

use super::parts::{Guards, Kind};
use super::shape::{Form, Shape};
use crate::errors::Errors;
use crate::item::Function;
use crate::options::Options;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::{Expr, Path, ReturnType};

/// Where a refusal goes.
pub(crate) enum WayOut {
    /// Into the function's own error, by `From<Rejected>`.
    From,
    /// Through this path or closure.
    OnRejected(Expr),
    /// To another function with the same arguments.
    Fallback(Path),
}

impl WayOut {
    pub(crate) fn take(options: &mut Options) -> Self {
        match (options.callable("on_rejected"), options.path("fallback")) {
            (Some(callable), _) => Self::OnRejected(callable),
            (None, Some(path)) => Self::Fallback(path),
            (None, None) => Self::From,
        }
    }
}

/// `on_rejected` and `fallback` answer the same question.
pub(crate) fn check_way_out(options: &Options, errors: &mut Errors) {
    if let (Some(_), Some(fallback)) = (options.ident("on_rejected"), options.ident("fallback")) {
        errors.on(fallback, "`on_rejected` says already what a refusal gives: leave one of the two away");
    }
}

/// The ways out of a function's guards. A single one that is written serves all guards.
pub(super) fn ways_out(guards: &Guards) -> Vec<(Kind, &WayOut)> {
    let all: Vec<_> = guards.all().map(|guard| (guard.kind, &guard.per_call.way_out)).collect();
    let written: Vec<_> = all.iter().copied().filter(|(_, way_out)| !matches!(way_out, WayOut::From)).collect();
    if written.len() == 1 { written } else { all.into_iter().take(if written.is_empty() { 1 } else { 2 }).collect() }
}

/// Whether a refused call may go to another function, which gets the arguments.
pub(super) fn calls_fallback(guards: &Guards) -> bool {
    ways_out(guards).iter().any(|(_, way_out)| matches!(way_out, WayOut::Fallback(_)))
}

/// A function that returns nothing cannot say that it was refused; other types are the compiler's to judge.
pub(super) fn check_channel(guards: &Guards, function: &Function, errors: &mut Errors) {
    let ways_out = ways_out(guards);
    let Some((kind, _)) = ways_out.iter().find(|(_, way_out)| matches!(way_out, WayOut::From)) else {
        return;
    };
    if matches!(function.sig.output, ReturnType::Default) {
        let message = format!(
            "`#[{}]` may refuse a call, and `{}` returns nothing that could say so: add `on_rejected = |rejected| ..`, or return a `Result`",
            kind.macro_name(),
            function.sig.ident,
        );
        errors.on(&function.sig.ident, message);
    }
    if let ReturnType::Type(_, ty) = &function.sig.output {
        if Shape::of(function).opaque {
            let message = format!(
                "`#[{}]` may refuse a call, and an `impl Trait` has no error to say so: add `on_rejected = |rejected| ..`, which gives the whole value",
                kind.macro_name(),
            );
            errors.on(ty, message);
        }
    }
}

/// The expression that a refused call gives, of the function's value type; `lifecycle_rejected` is in scope.
pub(super) fn refusal(
    guards: &Guards,
    runtime: &Runtime,
    shape: &Shape,
    arguments: &[TokenStream],
) -> syn::Result<TokenStream> {
    let mut refusals = Vec::new();
    for (_, way_out) in ways_out(guards) {
        refusals.push(one(way_out, runtime, shape, arguments)?);
    }
    let private = runtime.private();
    Ok(match &refusals[..] {
        [by_breaker, by_limiter] => generated! {
            if #private::guard::by_limiter(&lifecycle_rejected) { #by_limiter } else { #by_breaker }
        },
        _ => generated!(#(#refusals)*),
    })
}

fn one(way_out: &WayOut, runtime: &Runtime, shape: &Shape, arguments: &[TokenStream]) -> syn::Result<TokenStream> {
    let private = runtime.private();
    let value = &shape.value;
    Ok(match way_out {
        WayOut::From => generated!(#private::channel::refuse::<#value>(lifecycle_rejected)),
        WayOut::OnRejected(callable) if shape.opaque => {
            generated!(#private::channel::ask(#callable, lifecycle_rejected))
        }
        WayOut::OnRejected(callable) => {
            // What is wrong with the closure is said on the closure.
            let refused = Ident::new("__refused", callable.span());
            generated! {{
                use #private::channel::Whole as _;
                #private::channel::Outcome::<#value>::NEW.#refused(#callable, lifecycle_rejected)
            }}
        }
        WayOut::Fallback(path) => {
            // All in its place: there it is said if it is not async, or should not be.
            let ours = path.span().resolved_at(Span::mixed_site());
            let call = quote_spanned!(ours=> #path(#(#arguments),*));
            let given = match shape.form {
                Form::Sync => call,
                Form::Async | Form::Written { .. } => {
                    let here = runtime.private_at(ours);
                    quote_spanned!(ours=> #here::channel::fallback(#call).await)
                }
                Form::Built { .. } => {
                    let message = "`fallback` needs the arguments, and this body takes them before the guard decides: make it an `async fn`, or a body of just `async move { .. }`";
                    return Err(syn::Error::new_spanned(path, message));
                }
            };
            generated! {{
                #private::core::mem::drop(lifecycle_rejected);
                #given
            }}
        }
    })
}

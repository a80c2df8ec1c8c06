//! What a call asks of its limiter: how many permits, and whether it waits for them.

use super::parts::Guards;
use super::shape::{Form, Shape};
use crate::runtime::{Runtime, generated};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Expr;
use syn::spanned::Spanned as _;

/// `let lifecycle_permits: u32 = expression;`: another type is told so on the expression.
pub(super) fn permits(expression: &Expr, runtime: &Runtime) -> TokenStream {
    let ours = expression.span().resolved_at(Span::mixed_site());
    let here = runtime.private_at(ours);
    let ty = quote_spanned!(ours=> #here::core::primitive::u32);
    generated!(let lifecycle_permits: #ty = #expression;)
}

/// The fixed order is the runtime's: look at the breaker, then the limit, then the breaker's permit.
///
/// Output: `guard::both(lifecycle_breaker, lifecycle_limiter)`; with permits and a wait, in an async function,
/// `guard::both_within_async(lifecycle_breaker, lifecycle_limiter, lifecycle_permits, MAX).await`
pub(super) fn admit(guards: &Guards, runtime: &Runtime, shape: &Shape) -> TokenStream {
    let private = runtime.private();
    let Some(limiter) = &guards.limiter else {
        return generated!(#private::guard::breaker(lifecycle_breaker));
    };
    let breaks = guards.breaker.is_some();
    let asked = if breaks { generated!(lifecycle_breaker, lifecycle_limiter) } else { generated!(lifecycle_limiter) };
    let per_call = &limiter.per_call;
    let given = per_call.permits.as_ref().map(|_| generated!(lifecycle_permits));
    let Some(max) = per_call.on_limit.as_ref().and_then(|on_limit| on_limit.wait.as_ref()) else {
        let by = match (breaks, &given) {
            (true, None) => generated!(both),
            (true, Some(_)) => generated!(both_n),
            (false, None) => generated!(limiter),
            (false, Some(_)) => generated!(limiter_n),
        };
        let permits = given.map(|permits| generated!(, #permits));
        return generated!(#private::guard::#by(#asked #permits));
    };
    let (by, awaited) = match (breaks, &shape.form) {
        (true, Form::Sync) => (generated!(both_within), None),
        (false, Form::Sync) => (generated!(limiter_within), None),
        (true, _) => (generated!(both_within_async), Some(generated!(.await))),
        (false, _) => (generated!(limiter_within_async), Some(generated!(.await))),
    };
    let permits = given.unwrap_or_else(|| generated!(1u32));
    let max = max.in_place(runtime, "wait");
    generated!(#private::guard::#by(#asked, #permits, #max) #awaited)
}

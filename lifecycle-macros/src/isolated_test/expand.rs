//! The test's body, in a world of its own.

use super::check::harness;
use crate::item::{Function, braced};
use crate::runtime::{Runtime, as_ours, generated};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ReturnType;

/// Input: `fn f() -> R { body }` or `async fn f() -> R { body }`
/// Output: `#[test] fn f() -> R { isolated(|| -> R { body }) }` or
/// `async fn f() -> R { isolated_async(async move { body }).await }`
///
/// `#[test]` only where no other attribute makes a test of the function: it would run twice.
pub(super) fn expand(runtime: &Runtime, function: &Function) -> TokenStream {
    let Function { attrs, vis, sig, body } = function;
    let (root, private) = (runtime.root(), runtime.private());
    let test = match harness(function) {
        Some(_) => TokenStream::new(),
        // Last, so that attributes that expand after this one see it.
        None => generated!(#[#private::core::prelude::v1::test]),
    };
    let value = value(&sig.output);
    let run = if sig.asyncness.is_some() {
        let stream = body.stream();
        // Tells inference the type of the async block, as the signature does for the function.
        let dead_return = value.map(|value| generated!(if false { return #private::guard::never::<#value>(); }));
        let block = braced(generated!(#dead_return #stream), body);
        generated!(return #root::testing::isolated_async(async move #block).await;)
    } else {
        let arrow = value.map(|value| generated!(-> #value));
        generated!(return #root::testing::isolated(|| #arrow #body);)
    };
    let body = braced(run, body);
    quote!(#(#attrs)* #test #vis #sig #body)
}

/// The type of the body's value; `None` if it has no name: `impl Termination`
fn value(output: &ReturnType) -> Option<TokenStream> {
    match output {
        ReturnType::Default => Some(generated!(())),
        ReturnType::Type(_, ty) if has_impl(ty.to_token_stream()) => None,
        ReturnType::Type(_, ty) => Some(as_ours(ty)),
    }
}

fn has_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => has_impl(group.stream()),
        _ => false,
    })
}

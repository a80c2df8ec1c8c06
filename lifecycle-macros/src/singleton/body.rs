//! The user's body, as something that the cell can call.

use super::model::{FunctionSingleton, Output};
use crate::item::{Function, braced};
use crate::runtime::{as_ours, generated};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

/// The body, made callable.
pub(super) struct Body {
    /// The item that it is, if it is one.
    pub(super) item: TokenStream,
    /// Sync: an `FnOnce` that gives what the body gives. Async: a `fn() -> Making<T, E>`.
    pub(super) create: TokenStream,
}

pub(super) fn body(model: &FunctionSingleton<'_>) -> Body {
    match (model.is_async(), model.says_self) {
        (false, false) => sync_item(model),
        (false, true) => {
            let (written, body) = (model.output.written(), &model.function.body);
            Body { item: TokenStream::new(), create: generated!(|| -> #written #body) }
        }
        (true, false) => async_item(model),
        (true, true) => async_closure(model),
    }
}

/// `fn __lifecycle_create() -> T { body }`
fn sync_item(model: &FunctionSingleton<'_>) -> Body {
    let (written, body) = (model.output.written(), &model.function.body);
    let (_, fn_token, name) = keywords(model.function, "__lifecycle_create");
    let item = generated!(#[allow(clippy::unnecessary_wraps)] #fn_token #name() -> #written #body);
    Body { item, create: generated!(#name) }
}

/// `async fn __lifecycle_body() -> T { body }` and `fn __lifecycle_create() -> Making<T, E> { Box::pin(async { Ok(body().await) }) }`
fn async_item(model: &FunctionSingleton<'_>) -> Body {
    let private = model.runtime.private();
    let (written, body) = (model.output.written(), &model.function.body);
    let (async_token, fn_token, name) = keywords(model.function, "__lifecycle_body");
    let future = match &model.output {
        Output::Value(_) => generated!(async { #private::core::result::Result::Ok(#name().await) }),
        Output::Fallible(_) => generated!(#name()),
    };
    let (making, pinned) = (making(model), pinned(model, &future));
    let item = generated! {
        #[allow(clippy::unnecessary_wraps)]
        #async_token #fn_token #name() -> #written #body
        fn __lifecycle_create() -> #making { #pinned }
    };
    Body { item, create: generated!(__lifecycle_create) }
}

/// `|| -> Making<T, E> { Box::pin(async { body }) }`: a closure that captures nothing, and so a `fn`.
fn async_closure(model: &FunctionSingleton<'_>) -> Body {
    let (private, body) = (model.runtime.private(), &model.function.body);
    let dead_return = dead_return(model);
    let stream = body.stream();
    let body = braced(generated!(#dead_return #stream), body);
    let future = match &model.output {
        Output::Value(_) => generated!(async { #private::core::result::Result::Ok(async #body.await) }),
        Output::Fallible(_) => generated!(async #body),
    };
    let (making, pinned) = (making(model), pinned(model, &future));
    Body { item: TokenStream::new(), create: generated!(|| -> #making { #pinned }) }
}

/// The keywords in the user's place: messages about the function point there. The item is as public as the user's function,
/// which keeps its signature, but clippy cannot see that.
pub(super) fn keywords(function: &Function, name: &str) -> (TokenStream, TokenStream, Ident) {
    let name = Ident::new(name, function.sig.ident.span().resolved_at(Span::mixed_site()));
    (as_ours(function.sig.asyncness), as_ours(function.sig.fn_token), name)
}

pub(super) fn making(model: &FunctionSingleton<'_>) -> TokenStream {
    let (private, value) = (model.runtime.private(), model.output.value());
    match &model.output {
        Output::Value(_) => generated!(#private::Making<#value, #private::Infallible>),
        Output::Fallible(fallible) => {
            let error = &fallible.error;
            generated!(#private::Making<#value, #error>)
        }
    }
}

/// A future that cannot move between threads is said on the function's name, with rustc's notes on the body.
pub(super) fn pinned(model: &FunctionSingleton<'_>, future: &TokenStream) -> TokenStream {
    let span = model.function.sig.ident.span();
    let here = model.runtime.private_at(span);
    quote_spanned!(span=> #here::std::boxed::Box::pin(#future))
}

/// `if false { return never::<R>(); }`: tells inference the type of an async block, as a signature does for a function.
pub(super) fn dead_return(model: &FunctionSingleton<'_>) -> TokenStream {
    let (private, written) = (model.runtime.private(), model.output.written());
    generated! {
        if false {
            return #private::guard::never::<#written>();
        }
    }
}

//! A function whose body runs once for each combination of arguments.

use super::KeyedSingleton;
use crate::runtime::generated;
use crate::singleton::model::Output;
use crate::singleton::{body, expand_fn};
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};

/// Input: `fn table(name: &str, region: Region) -> Table { body }`
/// Output: `fn table(name: &str, region: Region) -> Arc<Table> { static CELL ..; fn create(name: &str, region: Region) -> Table { body }
/// or_panic(keyed_get(&CELL, (ByRef(name), ByValue(&region)), || create(name, region.clone()))) }`
pub(super) fn expand(model: &KeyedSingleton<'_>) -> TokenStream {
    let KeyedSingleton { function, arguments, .. } = model;
    let runtime = &function.runtime;
    let (private, value) = (runtime.private(), function.output.value());
    let descriptor = runtime.descriptor("Singleton", &function.name, Span::call_site());
    let settings = function.settings.tokens(runtime, &value.to_token_stream());
    let (max_keys_item, max_keys) = max_keys(model);
    let items = arguments.iter().map(|argument| argument.item(runtime));
    let kept = arguments.iter().map(|argument| argument.kept(runtime));
    // What is wrong with an argument is said on it; what follows from that, beside it.
    let place = function.function.sig.paren_token.span.join();
    let parts = placed(generated!((#(#kept,)*)), place);
    let text = match &function.output {
        Output::Value(_) => TokenStream::new(),
        Output::Fallible(fallible) => expand_fn::text(function, &fallible.error),
    };
    let (label, checks) = (label(model), expand_fn::checks(function));
    let body = body(model);
    let query = arguments.iter().map(|argument| argument.query(runtime));
    let created = created(model);
    let hot = generated!(#private::declared::keyed_hot::<__LifecycleKept, _>(&__LIFECYCLE_CELL, &lifecycle_query));
    let give = expand_fn::give(function, &expand_fn::or_panic(function, created), &hot);
    let inputs = arguments.iter().map(super::Argument::declaration);
    let expanded = around(
        model,
        &quote!(#(#inputs),*),
        generated! {
            // The one place where a type that threads cannot share is found out.
            struct __LifecycleKept;
            impl #private::declared::Kept for __LifecycleKept {
                type Value = #value;
            }
            impl #private::declared::Keyed for __LifecycleKept {
                type Key = #parts;
            }
            #(#items)*
            // Its path is the function's.
            fn __lifecycle_here() {}
            #text
            #label
            #max_keys_item
            static __LIFECYCLE_CELL: #private::declared::KeyedHome<__LifecycleKept> = #private::declared::keyed_cell::<__LifecycleKept>(
                #descriptor.inside(|| #private::path_of(&__lifecycle_here)),
                #settings,
                #max_keys,
                __lifecycle_label,
            );
            #private::inventory::submit! { #private::declared::listed_keyed::<__LifecycleKept>(&__LIFECYCLE_CELL) }
            #checks
            #body
            let lifecycle_query = (#(#query,)*);
            #give
        },
    );
    // The factory gets clones: that the body consumes its argument, clippy does not see.
    generated!(#[allow(clippy::needless_pass_by_value)] #expanded)
}

/// `fn __lifecycle_label(&Key) -> String`: `users, eu`
fn label(model: &KeyedSingleton<'_>) -> TokenStream {
    let private = model.function.runtime.private();
    let parts: Vec<_> = (0..model.arguments.len())
        .map(syn::Index::from)
        .map(|at| generated!((&&Text(lifecycle_key.#at.get())).__text()))
        .collect();
    let joined = match &parts[..] {
        [part] => part.clone(),
        parts => generated!([#(#parts),*].join(", ")),
    };
    generated! {
        fn __lifecycle_label(lifecycle_key: &<__LifecycleKept as #private::declared::Keyed>::Key) -> #private::std::string::String {
            use #private::channel::text::{ByDebug as _, ByDisplay as _, ByName as _, Text};
            #joined
        }
    }
}

/// The limit, and the const it may need.
fn max_keys(model: &KeyedSingleton<'_>) -> (TokenStream, TokenStream) {
    let runtime = &model.function.runtime;
    match &model.max_keys {
        None => (TokenStream::new(), generated!(1024)),
        Some(count) => {
            let private = runtime.private();
            let (item, count) = count.tokens(runtime, "max_keys");
            (item, generated!(#count as #private::core::primitive::usize))
        }
    }
}

/// The body as something with the user's arguments: an item, or where it says `Self`, which an inner item cannot, a closure.
///
/// The item is as public as the user's function, whose arguments it has, but clippy cannot see that.
fn body(model: &KeyedSingleton<'_>) -> TokenStream {
    let function = &model.function;
    let (written, body, inputs) = (function.output.written(), &function.function.body, &function.function.sig.inputs);
    let (async_token, fn_token, name) = body::keywords(function.function, "__lifecycle_create");
    if function.says_self {
        generated! {
            #[allow(clippy::shadow_unrelated, clippy::shadow_reuse, clippy::shadow_same)]
            let #name = #async_token |#inputs| -> #written #body;
        }
    } else {
        generated! {
            #[allow(
                clippy::unnecessary_wraps,
                clippy::needless_pass_by_value,
                clippy::trivially_copy_pass_by_ref,
                clippy::large_types_passed_by_value,
                clippy::ptr_arg
            )]
            #async_token #fn_token #name(#inputs) -> #written #body
        }
    }
}

/// `keyed_get::<Kept, _, E>(&CELL, query, create, text)`, of type `Result<Arc<T>, CreateError<E>>`; awaited where it must be.
fn created(model: &KeyedSingleton<'_>) -> TokenStream {
    let KeyedSingleton { function, arguments, .. } = model;
    let runtime = &function.runtime;
    let private = runtime.private();
    let (error, text) = match &function.output {
        Output::Value(_) => (generated!(_), generated!(#private::describe::never)),
        Output::Fallible(fallible) => (fallible.error.to_token_stream(), generated!(__lifecycle_text)),
    };
    let ok = |made| match &function.output {
        Output::Value(_) => generated!(#private::core::result::Result::Ok(#made)),
        Output::Fallible(_) => made,
    };
    if function.is_async() {
        let passed = (0..arguments.len()).map(syn::Index::from).map(|at| generated!(lifecycle_key.#at.pass()));
        let made = ok(generated!(__lifecycle_create(#(#passed),*).await));
        let (making, pinned) = (body::making(function), body::pinned(function, &generated!(async move { #made })));
        let key = generated!(lifecycle_key: <__LifecycleKept as #private::declared::Keyed>::Key);
        // An item, where it can be one: it is checked apart from the accessor, so the body may await the accessor (another key).
        let making = if function.says_self {
            generated!(|#key| -> #making { #pinned })
        } else {
            generated!({ fn __lifecycle_making(#key) -> #making { #pinned } __lifecycle_making })
        };
        return generated! {
            #private::declared::keyed_get_async::<__LifecycleKept, _, #error, _, _>(
                &__LIFECYCLE_CELL,
                lifecycle_query,
                #making,
                #text,
            ).await
        };
    }
    let passed = arguments.iter().map(|argument| argument.passed(runtime));
    let made = ok(generated!(__lifecycle_create(#(#passed),*)));
    generated! {
        #private::declared::keyed_get::<__LifecycleKept, _, #error>(&__LIFECYCLE_CELL, lifecycle_query, || #made, #text)
    }
}

/// The user's function around `body`, returning an `Arc`.
fn around(model: &KeyedSingleton<'_>, inputs: &TokenStream, body: TokenStream) -> TokenStream {
    let function = &model.function;
    let (private, value) = (function.runtime.private(), function.output.value());
    let returned = expand_fn::returned(&function.output, generated!(#private::std::sync::Arc<#value>));
    expand_fn::function_around(function.function, inputs, &returned, body)
}

/// After a mistake: the signature that callers expect, around the body as it is written.
pub(super) fn stand_in(model: &KeyedSingleton<'_>) -> TokenStream {
    let inputs = model.function.function.sig.inputs.to_token_stream();
    around(model, &inputs, expand_fn::stand_in_body(&model.function))
}

/// The tokens, all in this place.
fn placed(tokens: TokenStream, place: Span) -> TokenStream {
    let here = |token: TokenTree| {
        let mut token = match token {
            TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), placed(group.stream(), place))),
            token => token,
        };
        token.set_span(place.resolved_at(token.span()));
        token
    };
    tokens.into_iter().map(here).collect()
}

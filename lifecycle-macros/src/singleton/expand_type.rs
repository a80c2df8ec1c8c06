//! A type with its one instance.

use super::model::{Factory, TypeSingleton};
use crate::runtime::generated;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

/// Input: `pub struct Config { .. }`
/// Output, beside it: `const _: () = { static CELL ..; impl Singleton for Config ..; impl Config { pub fn instance() -> &'static Config } };`
pub(super) fn expand(model: &TypeSingleton<'_>) -> TokenStream {
    let TypeSingleton { runtime, name, factory, vis, ident, cfgs } = model;
    let (root, private) = (runtime.root(), runtime.private());
    let private_here = runtime.private_at(ident.span());
    let descriptor = runtime.descriptor("Singleton", name);
    let listed = runtime.listed("singleton", &generated!(CELL));
    let shared = generated!(&'static #ident);
    let result = generated!(#private::core::result::Result<#shared, #private::SingletonError>);

    let (infallible, create) = accessors(model, &shared);
    let first_error = match factory {
        Factory::Fallible(_) => "When the factory fails (the next call tries again), or when",
        _ => "When",
    };
    let doc_try = format!(
        "The one `{ident}` of the process, created on first use.\n\n# Errors\n{first_error} its creation needs itself."
    );
    let doc_get = format!("The one `{ident}` of the process if it exists: never creates it, never waits.");
    // The constructor is where a type that threads cannot share is found out: on the user's own name for it.
    let new = quote_spanned!(ident.span()=> #private_here::SingletonCell::<#ident>::new);
    generated! {
        #(#cfgs)*
        const _: () = {
            static CELL: #private::SingletonCell<#ident> = #new(#descriptor, #ident::try_instance);
            #listed
            #[automatically_derived]
            impl #root::Singleton for #ident {
                fn __cell() -> &'static #private::SingletonCell<Self> {
                    &CELL
                }
            }
            // Not every program uses every accessor.
            #[allow(dead_code)]
            impl #ident {
                #infallible
                #[doc = #doc_try]
                #[inline]
                #vis fn try_instance() -> #result {
                    #create
                }
                #[doc = #doc_get]
                #[inline]
                #[must_use]
                #vis fn get() -> #private::core::option::Option<#shared> {
                    CELL.get()
                }
            }
        };
    }
}

/// `instance()` (but not beside a factory that can fail), and the body of `try_instance()`.
fn accessors(model: &TypeSingleton<'_>, shared: &TokenStream) -> (TokenStream, TokenStream) {
    let TypeSingleton { runtime, factory, vis, ident, .. } = model;
    let (factory, fallible) = match factory {
        Factory::Default => {
            let private_here = runtime.private_at(ident.span());
            (quote_spanned!(ident.span()=> <#ident as #private_here::channel::DefaultFactory>::create), false)
        }
        Factory::Infallible(path) => (quote!(#path), false),
        Factory::Fallible(path) => (quote!(#path), true),
    };
    if fallible {
        let create = quote_spanned!(factory.span()=> try_create);
        return (TokenStream::new(), generated!(CELL.#create(#factory)));
    }
    let (create, try_create) =
        (quote_spanned!(factory.span()=> get_or_create), quote_spanned!(factory.span()=> try_get_or_create));
    let doc = format!(
        "The one `{ident}` of the process, created on first use.\n\n# Panics\nWhen its creation needs itself: the message is the path."
    );
    let instance = generated! {
        #[doc = #doc]
        #[inline]
        #[must_use]
        #vis fn instance() -> #shared {
            CELL.#create(#factory)
        }
    };
    (instance, generated!(CELL.#try_create(#factory)))
}

/// After a mistake: accessors that compile, so that callers see no errors about missing ones.
pub(super) fn stand_in(model: &TypeSingleton<'_>) -> TokenStream {
    let TypeSingleton { runtime, vis, ident, cfgs, .. } = model;
    let private = runtime.private();
    generated! {
        #(#cfgs)*
        #[allow(dead_code, missing_docs)]
        impl #ident {
            #vis fn instance() -> &'static #ident { loop {} }
            #vis fn try_instance() -> #private::core::result::Result<&'static #ident, #private::SingletonError> { loop {} }
            #vis fn get() -> #private::core::option::Option<&'static #ident> { loop {} }
        }
    }
}

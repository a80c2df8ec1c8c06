//! A type with its one instance.

use super::model::{Factory, TypeSingleton};
use crate::runtime::{as_ours, generated};
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned as _;

/// Input: `pub struct Config { .. }`
/// Output, beside it: `const _: () = { static __LIFECYCLE_CELL ..; impl Singleton for Config ..; impl Config { pub fn instance() -> &'static Config } };`
pub(super) fn expand(model: &TypeSingleton<'_>) -> TokenStream {
    let TypeSingleton { runtime, name, factory, vis, ident, cfgs } = model;
    let (root, private) = (runtime.root(), runtime.private());
    let vis = as_ours(vis);
    let descriptor = runtime.descriptor("Singleton", name, proc_macro2::Span::call_site());
    let shared = generated!(&'static #ident);
    let result = generated!(#private::core::result::Result<#shared, #private::SingletonError>);
    let create = create(model);

    let fallible = matches!(factory, Factory::Fallible(_));
    let try_accessor = if fallible { generated!(try_create) } else { generated!(try_instance) };
    let doc = format!("The one `{ident}` of the process, created on first use.");
    let first_error = if fallible { "When the factory fails (the next call tries again), or when" } else { "When" };
    let doc_errors = format!("{doc}\n\n# Errors\n{first_error} its creation needs itself.");
    let doc_panics = format!("{doc}\n\n# Panics\nWhen its creation needs itself: the message is the path.");
    let doc_get = format!("The one `{ident}` of the process if it exists: never creates it, never waits.");
    let instance = if fallible {
        TokenStream::new()
    } else {
        generated! {
            #[doc = #doc_panics]
            #[inline]
            #vis fn instance() -> #shared {
                #private::declared::instance::<#ident>(&__LIFECYCLE_CELL, __lifecycle_create)
            }
        }
    };
    generated! {
        #(#cfgs)*
        const _: () = {
            static __LIFECYCLE_CELL: #private::SingletonCell<#ident> = #private::declared::cell::<#ident>(#descriptor, #ident::try_instance);
            #private::inventory::submit! { #private::declared::listed::<#ident>(&__LIFECYCLE_CELL) }
            #create
            #[automatically_derived]
            impl #root::Singleton for #ident {
                // Inlined into other crates it would make the static theirs to reach, and each access one instruction longer.
                #[inline(never)]
                fn __cell() -> &'static #private::SingletonCell<Self> {
                    &__LIFECYCLE_CELL
                }
            }
            // Not every program uses every accessor, and the trait has them too.
            #[allow(dead_code, clippy::same_name_method)]
            impl #ident {
                #instance
                #[doc = #doc_errors]
                #[inline]
                #vis fn try_instance() -> #result {
                    #private::declared::#try_accessor::<#ident>(&__LIFECYCLE_CELL, __lifecycle_create)
                }
                #[doc = #doc_get]
                #[inline]
                #[must_use]
                #vis fn get() -> #private::core::option::Option<#shared> {
                    #private::declared::get::<#ident>(&__LIFECYCLE_CELL)
                }
            }
        };
    }
}

/// `fn __lifecycle_create() -> Config { made(factory) }`: the factory stands here once, and what is wrong with it is said once.
fn create(model: &TypeSingleton<'_>) -> TokenStream {
    let TypeSingleton { runtime, factory, ident, .. } = model;
    let private = runtime.private();
    let (call, given) = match factory {
        Factory::Default => {
            let private_here = runtime.private_at(ident.span());
            (quote_spanned!(ident.span()=> #private_here::channel::default_of::<#ident>()), generated!(#ident))
        }
        Factory::Infallible(factory) => {
            let private_here = runtime.private_at(factory.span());
            (
                quote_spanned!(factory.span()=> #private_here::declared::made::<#ident, _, _>(#factory)),
                generated!(#ident),
            )
        }
        Factory::Fallible(factory) => {
            let private_here = runtime.private_at(factory.span());
            let given = generated!(#private::core::result::Result<#ident, #private::BoxError>);
            (quote_spanned!(factory.span()=> #private_here::declared::tried::<#ident, _, _>(#factory)), given)
        }
    };
    generated! {
        fn __lifecycle_create() -> #given {
            #call
        }
    }
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

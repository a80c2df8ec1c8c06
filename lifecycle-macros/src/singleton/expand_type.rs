//! A type with its one instance.

use super::accessors;
use super::model::TypeSingleton;
use crate::runtime::{as_ours, generated};
use proc_macro2::TokenStream;
use quote::quote_spanned;

/// Input: `pub struct Config { .. }`
/// Output, beside it: `const _: () = { static __LIFECYCLE_CELL ..; impl Singleton for Config ..; impl Config { pub fn instance() -> &'static Config } };`
pub(super) fn expand(model: &TypeSingleton<'_>) -> TokenStream {
    let TypeSingleton { runtime, name, factory, settings, vis, ident, cfgs } = model;
    let (root, private) = (runtime.root(), runtime.private());
    let vis = as_ours(vis);
    let descriptor = runtime.descriptor("Singleton", name, proc_macro2::Span::call_site());
    let mode = settings.storage.mode(runtime);
    let create = create(model);
    let accessors = accessors::expand(model, &vis);
    let asking = accessors::name(model, true);
    let ask = if factory.is_async {
        generated!(Async(|| #private::std::boxed::Box::pin(#ident::#asking())))
    } else {
        let made = if factory.fallible { generated!(Tried) } else { generated!(Made) };
        generated!(#made(__lifecycle_create))
    };
    let fails_with = factory.is_async.then(|| {
        let error = model.error();
        generated! {
            impl #private::declared::FailsWith for #ident {
                type Error = #error;
            }
        }
    });
    let settings = settings.tokens(runtime, &generated!(#ident));
    generated! {
        #(#cfgs)*
        const _: () = {
            static __LIFECYCLE_CELL: #private::declared::Home<#ident> =
                #private::declared::cell::<#ident>(#descriptor, #settings, #private::Ask::#ask);
            #private::inventory::submit! { #private::declared::listed::<#ident>(&__LIFECYCLE_CELL) }
            #create
            #[automatically_derived]
            impl #root::Singleton for #ident {
                type Mode = #mode;
                // Inlined into other crates it would make the static theirs to reach, and each access one instruction longer.
                #[inline(never)]
                fn __cell() -> &'static #private::declared::Home<Self> {
                    &__LIFECYCLE_CELL
                }
            }
            #fails_with
            // Not every program uses every accessor, and the trait has them too.
            #[allow(dead_code, clippy::same_name_method)]
            impl #ident {
                #accessors
            }
        };
    }
}

/// `fn __lifecycle_create() -> Result<Config, Infallible> { made(factory) }`: the factory stands here once, and what is wrong
/// with it is said once.
fn create(model: &TypeSingleton<'_>) -> TokenStream {
    let TypeSingleton { runtime, factory, ident, .. } = model;
    let private = runtime.private();
    let span = factory.callable.as_ref().map_or_else(|| ident.span(), syn::spanned::Spanned::span);
    let here = runtime.private_at(span);
    let convert = match (factory.is_async, factory.fallible) {
        (false, false) => quote_spanned!(span=> made),
        (false, true) => quote_spanned!(span=> tried),
        (true, false) => quote_spanned!(span=> making),
        (true, true) => quote_spanned!(span=> trying),
    };
    let make = match &factory.callable {
        Some(factory) => quote_spanned!(span=> #factory),
        None => quote_spanned!(span=> #here::channel::default_of::<#ident>),
    };
    let error = model.error();
    let given = if factory.is_async {
        generated!(#private::Making<#ident, #error>)
    } else {
        generated!(#private::core::result::Result<#ident, #error>)
    };
    let call = quote_spanned!(span=> #here::declared::#convert::<#ident, _, _>(#make));
    generated! {
        fn __lifecycle_create() -> #given {
            #call
        }
    }
}

/// After a mistake: accessors that compile, so that callers see no errors about missing ones.
pub(super) fn stand_in(model: &TypeSingleton<'_>) -> TokenStream {
    let TypeSingleton { runtime, vis, ident, cfgs, factory, settings, .. } = model;
    let private = runtime.private();
    let handed = settings.storage.handed(runtime, ident);
    let (instance, try_instance) = (accessors::name(model, false), accessors::name(model, true));
    let asynchronous = factory.is_async.then(|| generated!(async));
    generated! {
        #(#cfgs)*
        #[allow(dead_code, missing_docs)]
        impl #ident {
            #vis #asynchronous fn #instance() -> #handed { loop {} }
            #vis #asynchronous fn #try_instance() -> #private::core::result::Result<#handed, #private::SingletonError> { loop {} }
            #vis fn get() -> #private::core::option::Option<#handed> { loop {} }
        }
    }
}

impl TypeSingleton<'_> {
    /// The error of `__lifecycle_create`.
    pub(super) fn error(&self) -> TokenStream {
        let private = self.runtime.private();
        if self.factory.fallible { generated!(#private::BoxError) } else { generated!(#private::Infallible) }
    }
}

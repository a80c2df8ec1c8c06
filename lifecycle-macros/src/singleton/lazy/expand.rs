//! The static as a declared singleton.

use super::{LazySingleton, Made};
use crate::runtime::generated;
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned as _;

/// Input: `static POOL: Lazy<Pool> = Pool::open();`
/// Output: `static POOL: Lazy<Pool> = { fn create() -> Pool { Pool::open() } Lazy::<Pool>::__declared(.., create, || &POOL) };
/// const _: () = { listed };`
pub(super) fn expand(model: &LazySingleton<'_>) -> TokenStream {
    let LazySingleton { runtime, name, settings, declared, value, made, cfgs } = model;
    let private = runtime.private();
    let ident = &declared.ident;
    let descriptor = runtime.descriptor("Singleton", name, proc_macro2::Span::call_site());
    let settings = settings.tokens(runtime, &generated!(#value));
    // `return`, because `clippy::implicit_return` judges the author's tokens as a body.
    let body = match made {
        Made::By(value) => generated!(return #value;),
        Made::ByFunction(function) => generated!(return #private::guard::call::<#value>(#function);),
        Made::Missing => generated!(loop {}),
    };
    let ty = &declared.ty;
    // Of the runtime's own type, and in the place of the author's: another `Lazy` is told so there.
    let here = runtime.private_at(ty.span());
    let constructor = quote_spanned!(ty.span()=> #here::Lazy::<#value>::__declared);
    let declaration = declared.with_value(&generated!({
        fn __lifecycle_create() -> #private::core::result::Result<#value, #private::core::convert::Infallible> {
            fn __lifecycle_value() -> #value {
                #body
            }
            #private::core::result::Result::Ok(__lifecycle_value())
        }
        #constructor(#descriptor, #settings, __lifecycle_create, || &#ident, || #private::Lazy::try_get(&#ident))
    }));
    generated! {
        #declaration
        #(#cfgs)*
        const _: () = {
            #private::inventory::submit! { #private::declared::listed_lazy(&#ident) }
        };
    }
}

/// After a mistake: a static that compiles, so that its users see no errors about it.
pub(super) fn stand_in(model: &LazySingleton<'_>) -> TokenStream {
    expand(model)
}

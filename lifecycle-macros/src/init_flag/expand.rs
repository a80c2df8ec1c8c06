//! The static as a declared flag.

use super::model::Declared;
use crate::item::FlagStatic;
use crate::runtime::generated;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

/// Input: `static X: Flag<bool> = true;`
/// Output: `static X: Flag<bool> = Flag::__declared(true, descriptor, env, || &X); const _: () = { listed };`
pub(super) fn expand(model: &Declared<'_>) -> TokenStream {
    let Declared { runtime, name, env, flag, value, cfgs } = model;
    let private = runtime.private();
    let ident = &flag.ident;
    let descriptor = runtime.descriptor("Flag", name, proc_macro2::Span::call_site());
    let listed = runtime.listed("flag", &generated!(#ident));
    let env = match env {
        Some(env) => generated!(#private::core::option::Option::Some(#env)),
        None => generated!(#private::core::option::Option::None),
    };
    // A type that is not a flag is told so on itself.
    let ty = &flag.ty;
    let declared = quote_spanned!(ty.span()=> <#ty>::__declared);
    let declaration = with_value(flag, &generated!(#declared(#value, #descriptor, #env, || &#ident)));
    generated! {
        #declaration
        #(#cfgs)*
        const _: () = {
            #listed
        };
    }
}

fn with_value(flag: &FlagStatic, value: &TokenStream) -> TokenStream {
    let FlagStatic { attrs, vis, static_token, mutability, ident, ty, .. } = flag;
    quote!(#(#attrs)* #vis #static_token #mutability #ident: #ty = #value;)
}

/// After a mistake: a flag that compiles, so that its users see no errors about it.
pub(super) fn stand_in(model: &Declared<'_>) -> TokenStream {
    let Declared { runtime, flag, value, .. } = model;
    let private = runtime.private();
    with_value(flag, &generated!(#private::Flag::new(#value)))
}

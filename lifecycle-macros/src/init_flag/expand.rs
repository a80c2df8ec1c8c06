//! The static as a declared flag.

use super::model::Declared;
use crate::runtime::generated;
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::spanned::Spanned as _;

/// Input: `static X: Flag<bool> = true;`
/// Output: `static X: Flag<bool> = Flag::__declared(true, descriptor, env, || &X); const _: () = { listed };`
pub(super) fn expand(model: &Declared<'_>) -> TokenStream {
    let Declared { runtime, name, env, secret, flag, value, cfgs } = model;
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
    let secret = secret.then(|| generated!(.__secret()));
    let declaration = flag.with_value(&generated!(#declared(#value, #descriptor, #env, || &#ident) #secret));
    generated! {
        #declaration
        #(#cfgs)*
        const _: () = {
            #listed
        };
    }
}

/// After a mistake: a flag that compiles, so that its users see no errors about it.
pub(super) fn stand_in(model: &Declared<'_>) -> TokenStream {
    let Declared { runtime, flag, value, .. } = model;
    let private = runtime.private();
    flag.with_value(&generated!(#private::Flag::new(#value)))
}

//! The static as a declared flag.

use super::check;
use super::model::Declared;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

/// Input: `static X: Flag<bool> = true;`
/// Output: `static X: Flag<bool> = { let default: bool = true; declared_flag(default, ..) }; const _: () = { listed };`
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
    // Told of on the default: that it is none of the type's.
    let at = value.clone().into_iter().next().map_or_else(|| flag.ty.span(), |token| token.span());
    let here = runtime.private_at(at);
    let call = |default: &TokenStream| {
        let arguments = generated!(#default, #descriptor, #env, #secret, || &#ident);
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(at);
        let declared = quote_spanned!(at=> #here::declared_flag);
        quote!(#declared #arguments)
    };
    let declaration = flag.with_value(&match expected(runtime, &flag.ty) {
        // The compiler then says what it expects, and why.
        Some(expected) => {
            let call = call(&generated!(lifecycle_default));
            generated!({ let lifecycle_default: #expected = #value; #call })
        }
        // An enum, or a mistake: of that one complaint is enough, which the type itself gives.
        None => call(value),
    });
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

/// Input: `Flag<bool>` -> Output: `<Flag<bool> as DeclaredFlag>::Default`, if that is a type that flags hold for certain.
fn expected(runtime: &Runtime, ty: &Type) -> Option<TokenStream> {
    if !check::is_plain_flag(ty) {
        return None;
    }
    let here = runtime.private_at(ty.span());
    // From the type's first token to its last.
    let last = quote!(#ty).into_iter().last()?.span();
    let (open, close) = (quote_spanned!(ty.span()=> <), quote_spanned!(last=> Default));
    Some(quote_spanned!(ty.span()=> #open #ty as #here::DeclaredFlag>::#close))
}

//! A function whose body runs once.

use super::model::{FunctionSingleton, Output};
use crate::item::{Function, braced};
use crate::runtime::{as_ours, generated};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{ReturnType, Signature, Type};

/// Input: `fn db() -> T { body }`
/// Output: `fn db() -> &'static T { static CELL ..; fn create() -> T { body } CELL.get_or_create(create) }`
///
/// The body is an item of its own, so that the cell can create the value for those who ask by name. Where the body says
/// `Self`, which an inner item cannot, it is a closure, and the name gives the value only once it exists.
pub(super) fn expand(model: &FunctionSingleton<'_>) -> TokenStream {
    let FunctionSingleton { runtime, name, function, output, says_self } = model;
    let private = runtime.private();
    let (value, written) = match output {
        Output::Value(value) => (&**value, &**value),
        Output::Fallible(fallible) => (&fallible.value, &fallible.written),
    };
    let descriptor = runtime.descriptor("Singleton", name, proc_macro2::Span::call_site());
    let body = &function.body;
    let result = generated!(#private::core::result::Result<&'static #value, #private::SingletonError>);
    let (create, item) = if *says_self {
        (generated!(|| -> #written #body), TokenStream::new())
    } else {
        // `fn` and name in the user's place: messages about the function point there. It is as public as the user's
        // function, which keeps its signature, but clippy cannot see that.
        let fn_token = as_ours(function.sig.fn_token);
        let create = Ident::new("__lifecycle_create", function.sig.ident.span().resolved_at(Span::mixed_site()));
        (generated!(#create), generated!(#[allow(clippy::unnecessary_wraps)] #fn_token #create() -> #written #body))
    };
    let kept = generated!(__LifecycleKept);
    let ask = match (says_self, output) {
        (true, _) => generated!(#private::declared::only_created::<#kept>(&__LIFECYCLE_CELL, #name)),
        (false, Output::Value(_)) => generated!(#private::declared::try_instance::<#kept>(&__LIFECYCLE_CELL, #create)),
        (false, Output::Fallible(fallible)) => {
            let error = &fallible.error;
            generated! {
                use #private::channel::{ByDebug as _, ByName as _};
                #private::channel::asked(
                    #name,
                    #private::declared::fallible::<#kept, #error>(&__LIFECYCLE_CELL, #create),
                    |lifecycle_error| #private::channel::Boxing::<#error>::NEW.__boxed(lifecycle_error),
                )
            }
        }
    };
    let give = match output {
        Output::Value(_) => {
            let no_alias = no_hidden_result(model, value);
            generated!(#no_alias return #private::declared::instance::<#kept>(&__LIFECYCLE_CELL, #create);)
        }
        Output::Fallible(fallible) => {
            let error = &fallible.error;
            let result = generated!(#private::core::result::Result);
            generated! {
                return match #private::declared::fallible::<#kept, #error>(&__LIFECYCLE_CELL, #create) {
                    #result::Ok(lifecycle_instance) => #result::Ok(lifecycle_instance),
                    #result::Err(lifecycle_error) => #result::Err({
                        use #private::channel::Panics as _;
                        #private::channel::Refusal::<#error>::NEW.__error(lifecycle_error)
                    }),
                };
            }
        }
    };
    let fails = match output {
        Output::Value(_) => TokenStream::new(),
        Output::Fallible(fallible) => fails(model, &kept, &fallible.error),
    };
    let body = generated! {
        // The one place where a type that threads cannot share is found out.
        struct #kept;
        impl #private::declared::Kept for #kept {
            type Value = #value;
        }
        #fails
        static __LIFECYCLE_CELL: #private::SingletonCell<#value> =
            #private::declared::cell::<#kept>(#descriptor, __lifecycle_ask);
        #private::inventory::submit! { #private::declared::listed::<#kept>(&__LIFECYCLE_CELL) }
        #item
        fn __lifecycle_ask() -> #result {
            #ask
        }
        #give
    };
    around(function, output, body)
}

/// `impl Fails<E> for Kept`: what is known of the error's type here decides how much of it records can say.
fn fails(model: &FunctionSingleton<'_>, kept: &TokenStream, error: &Type) -> TokenStream {
    let private = model.runtime.private();
    generated! {
        impl #private::declared::Fails<#error> for #kept {
            fn text(lifecycle_error: &#error) -> #private::std::string::String {
                use #private::channel::text::{ByDebug as _, ByDisplay as _, ByError as _, ByName as _, Text};
                (&&&Text(lifecycle_error)).__text()
            }
        }
    }
}

/// An alias may hide a `Result`, and then every later call would get the first call's error.
fn no_hidden_result(model: &FunctionSingleton<'_>, value: &Type) -> TokenStream {
    let private = model.runtime.private();
    let message = format!(
        "`{}` is another name for a `Result`: write it out, `Result<T, E>`, so that a failure is not kept for ever",
        value.to_token_stream().to_string().replace(' ', "")
    );
    // In braces: the trait must not be in the body's reach.
    let private_here = model.runtime.private_at(value.span());
    let check = quote_spanned!(value.span()=> #private_here::core::assert!(!#private_here::channel::IsResult::<#value>::HIDDEN, #message););
    generated! {
        const _: () = {
            use #private::channel::NotResult as _;
            #check
        };
    }
}

/// The user's function around `body`, returning a reference.
fn around(function: &Function, output: &Output, body: TokenStream) -> TokenStream {
    let Function { attrs, vis, sig, body: old } = function;
    let returned = match output {
        // Ours, so that clippy does not advise against `&Box<dyn Trait>`, which the author never wrote.
        Output::Value(value) => quote_spanned!(value.span().resolved_at(Span::mixed_site())=> &'static #value),
        Output::Fallible(fallible) => fallible.shared.to_token_stream(),
    };
    let arrow = match &sig.output {
        ReturnType::Type(arrow, _) => quote!(#arrow),
        ReturnType::Default => quote!(->),
    };
    let Signature { fn_token, ident, generics, inputs, paren_token, .. } = sig;
    let mut parentheses = TokenStream::new();
    paren_token.surround(&mut parentheses, |tokens| inputs.to_tokens(tokens));
    let body = braced(body, old);
    let bounds = &generics.where_clause;
    quote!(#(#attrs)* #vis #fn_token #ident #generics #parentheses #arrow #returned #bounds #body)
}

/// After a mistake: the signature that callers expect, around the body as it is written.
pub(super) fn stand_in(model: &FunctionSingleton<'_>) -> TokenStream {
    let FunctionSingleton { function, output, .. } = model;
    let written = match output {
        Output::Value(value) => value,
        Output::Fallible(fallible) => &fallible.written,
    };
    let body = &function.body;
    let body = generated! {
        let _ = || -> #written #body;
        loop {}
    };
    around(function, output, body)
}

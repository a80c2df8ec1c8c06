//! A function in an `impl` block whose signature says `Self`: no static can name its type, so the cell checks it at each read.

#[cfg(test)]
mod tests;

use super::args::Args;
use super::expand_fn;
use super::model::{FunctionSingleton, Output};
use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::Function;
use crate::item::{says_self, self_in};
use crate::runtime::generated;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;

/// The macro on a function that gives something with `Self` in it.
pub(super) fn singleton(args: Args, function: &Function, output: Output, mut errors: Errors) -> TokenStream {
    check(&args, function, &output, &mut errors);
    let model = FunctionSingleton::new(args, function, output);
    if errors.is_empty() { expand(&model) } else { item_and(expand_fn::stand_in(&model), errors) }
}

/// What names the type in an item of its own needs the name.
fn check(args: &Args, function: &Function, output: &Output, errors: &mut Errors) {
    let word = self_in(output.value().to_token_stream());
    if function.sig.asyncness.is_some() {
        let why = "the creation of an async singleton is kept in a static, which does not know `Self`";
        errors.on(word, format!("write the type's name: {why}"));
    }
    let name = &function.sig.ident;
    // A body that says `Self` too has been told so.
    let told = |option: &Ident| option == "eager" && says_self(function.body.stream());
    for option in args.options.idents().filter(|&option| option != "name" && option != "crate" && !told(option)) {
        let instead = format!("write its name instead of `Self` in the signature of `{name}`");
        errors.on(option, format!("`{option}` needs to know the type: {instead}"));
    }
}

/// Input: `fn shared() -> Self { body }`
/// Output: `fn shared() -> &'static Self { static CELL: ErasedCell ..; or_panic(erased_get::<Self, _>(&CELL, || Ok(body))) }`
fn expand(model: &FunctionSingleton<'_>) -> TokenStream {
    let FunctionSingleton { runtime, name, function, output, .. } = model;
    let private = runtime.private();
    let descriptor = runtime.descriptor("Singleton", name, Span::call_site());
    let (value, written, body) = (output.value(), output.written(), &function.body);
    // In closures, which know `Self`.
    let (error, create, text) = match output {
        Output::Value(_) => (
            generated!(_),
            generated!(|| #private::core::result::Result::Ok(#private::guard::call(|| -> #written #body))),
            generated!(#private::describe::never),
        ),
        Output::Fallible(fallible) => {
            let error = &fallible.error;
            let text = generated! {
                |lifecycle_error: &#error| -> #private::std::string::String {
                    use #private::channel::text::{ByDebug as _, ByDisplay as _, ByError as _, ByName as _, Text};
                    (&&&Text(lifecycle_error)).__text()
                }
            };
            (error.to_token_stream(), generated!(|| -> #written #body), text)
        }
    };
    // A type that threads cannot share is found out here.
    let here = runtime.private_at(value.span());
    let get = quote_spanned!(value.span()=> #here::declared::erased_get::<#value, #error>);
    let created = generated!(#get(&__LIFECYCLE_CELL, #create, #text));
    let give = expand_fn::give(model, &expand_fn::or_panic(model, created), &TokenStream::new());
    let inputs = function.sig.inputs.to_token_stream();
    let returned = expand_fn::returned(output, quote!(&'static #value));
    let body = generated! {
        // Its path is the function's.
        fn __lifecycle_here() {}
        static __LIFECYCLE_CELL: #private::ErasedCell =
            #private::declared::erased_cell(#descriptor.inside(|| #private::path_of(&__lifecycle_here)));
        #private::inventory::submit! { #private::declared::listed_erased(&__LIFECYCLE_CELL) }
        #give
    };
    expand_fn::function_around(function, &inputs, &returned, body)
}

//! A function whose body runs once.

use super::body;
use super::model::{Declares, FunctionSingleton, Output, Storage};
use crate::item::{Function, braced};
use crate::runtime::generated;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type};

/// Input: `fn db() -> T { body }`
/// Output: `fn db() -> &'static T { static CELL ..; fn create() -> T { body } instance(&CELL, create) }`
///
/// The body is an item of its own, so that the cell can create the value for those who ask by name. Where the body says
/// `Self`, which an inner item cannot, it is a closure, and the name gives the value only once it exists.
pub(crate) fn expand(model: &FunctionSingleton<'_>) -> TokenStream {
    let FunctionSingleton { runtime, name, settings, output, declares, .. } = model;
    let private = runtime.private();
    let value = output.value();
    let descriptor = runtime.descriptor(declares.kind(), name, proc_macro2::Span::call_site());
    let declared = settings.tokens(runtime, &value.to_token_stream());
    let body::Body { item, create } = body::body(model);
    let created = created(model, &create);
    let (ask, ask_item) = ask(model, &create, &created);
    let checks = checks(model);
    let text = match output {
        Output::Value(_) => TokenStream::new(),
        Output::Fallible(fallible) => text(model, &fallible.error),
    };
    let given = match output {
        Output::Value(_) => instance(model, &create),
        Output::Fallible(_) => created,
    };
    let give = give(model, &given, &generated!(#private::declared::hot::<__LifecycleKept>(&__LIFECYCLE_CELL)));
    let mode = settings.storage.mode(runtime);
    let listed = declares.listed();
    let fails_with = model.is_async().then(|| {
        let error = output.error(runtime);
        generated! {
            impl #private::declared::FailsWith for __LifecycleKept {
                type Error = #error;
            }
        }
    });
    let body = generated! {
        // The one place where a type that threads cannot share is found out.
        struct __LifecycleKept;
        impl #private::declared::Kept for __LifecycleKept {
            type Value = #value;
        }
        impl #private::declared::Stored for __LifecycleKept {
            type Mode = #mode;
        }
        #fails_with
        // Its path is the function's.
        fn __lifecycle_here() {}
        #text
        static __LIFECYCLE_CELL: #private::declared::Home<__LifecycleKept> = #private::declared::cell::<__LifecycleKept>(
            #descriptor.inside(|| #private::path_of(&__lifecycle_here)),
            #declared,
            #private::Ask::#ask,
        );
        #private::inventory::submit! { #private::declared::#listed::<__LifecycleKept>(&__LIFECYCLE_CELL) }
        #item
        #ask_item
        #checks
        #give
    };
    around(model, body)
}

/// `get::<Kept, _, E>(&CELL, create, text)`, of type `Result<&'static T, CreateError<E>>`; awaited where it must be.
fn created(model: &FunctionSingleton<'_>, create: &TokenStream) -> TokenStream {
    let private = model.runtime.private();
    let (error, text) = match &model.output {
        Output::Value(_) => (generated!(_), generated!(#private::describe::never)),
        Output::Fallible(fallible) => (fallible.error.to_token_stream(), generated!(__lifecycle_text)),
    };
    if model.is_async() {
        let get = generated!(#private::declared::get_async::<__LifecycleKept, _, _>);
        return generated!(#get(&__LIFECYCLE_CELL, #create, #text).await);
    }
    let create = make(model, create);
    generated!(#private::declared::get::<__LifecycleKept, #error>(&__LIFECYCLE_CELL, #create, #text))
}

/// A factory of the one shape, `fn() -> Result<T, E>`.
fn make(model: &FunctionSingleton<'_>, create: &TokenStream) -> TokenStream {
    let private = model.runtime.private();
    match &model.output {
        Output::Value(value) => generated!(|| #private::declared::made::<#value, _, _>(#create)),
        Output::Fallible(_) => create.clone(),
    }
}

/// `instance::<Kept>(&CELL, create)`: the instance itself, where the factory cannot fail; awaited where it must be.
fn instance(model: &FunctionSingleton<'_>, create: &TokenStream) -> TokenStream {
    let private = model.runtime.private();
    if model.is_async() {
        return generated!(#private::declared::instance_async::<__LifecycleKept, _>(&__LIFECYCLE_CELL, #create).await);
    }
    let make = make(model, create);
    generated!(#private::declared::instance::<__LifecycleKept>(&__LIFECYCLE_CELL, #make))
}

/// How the function is asked by name and by `warm_up`: `Made(create)`, or `Sync(__lifecycle_ask)` and that function.
fn ask(model: &FunctionSingleton<'_>, create: &TokenStream, created: &TokenStream) -> (TokenStream, TokenStream) {
    let FunctionSingleton { runtime, name, settings, output, says_self, .. } = model;
    if *says_self {
        return (generated!(Never), TokenStream::new());
    }
    if !model.is_async() && matches!(output, Output::Value(_)) {
        let make = make(model, create);
        return (generated!(Made(#make)), TokenStream::new());
    }
    let private = runtime.private();
    let handed = settings.storage.handed(runtime, output.value());
    let outcome = match output {
        Output::Value(_) => generated!(#private::declared::or_refused(#created)),
        Output::Fallible(fallible) => {
            let error = &fallible.error;
            generated! {
                #private::channel::asked(#name, #created, |lifecycle_error| {
                    use #private::channel::{ByDebug as _, ByName as _};
                    #private::channel::Boxing::<#error>::NEW.__boxed(lifecycle_error)
                })
            }
        }
    };
    if model.is_async() {
        let item = generated! {
            fn __lifecycle_ask() -> #private::Asking<#handed> {
                #private::std::boxed::Box::pin(async { #outcome })
            }
        };
        (generated!(Async(__lifecycle_ask)), item)
    } else {
        let item = generated! {
            fn __lifecycle_ask() -> #private::core::result::Result<#handed, #private::SingletonError> {
                #outcome
            }
        };
        (generated!(Sync(__lifecycle_ask)), item)
    }
}

/// A `Result` without an error of the user's own: `or_panic(get(..))`.
pub(super) fn or_panic(model: &FunctionSingleton<'_>, created: TokenStream) -> TokenStream {
    let private = model.runtime.private();
    match &model.output {
        Output::Value(_) => generated!(#private::declared::or_panic(#created)),
        Output::Fallible(_) => created,
    }
}

/// What a call gives: `return instance(..);`, or the `Result` with the user's own error. An async function looks first
/// whether there is anything to wait for: `hot`.
///
/// `return`, because `clippy::implicit_return` judges the wrapper as the user's function; no lint minds a generated one.
pub(super) fn give(model: &FunctionSingleton<'_>, created: &TokenStream, hot: &TokenStream) -> TokenStream {
    let private = model.runtime.private();
    let result = generated!(#private::core::result::Result);
    let (handed, given) = match model.declares {
        Declares::Singleton => (generated!(lifecycle_found), generated!(lifecycle_instance)),
        Declares::Step => (generated!(*lifecycle_found), generated!(*lifecycle_instance)),
    };
    let (found, given) = match &model.output {
        Output::Value(_) if model.declares == Declares::Step => (handed, generated!(*#created)),
        Output::Value(_) => (handed, created.clone()),
        Output::Fallible(fallible) => {
            let error = &fallible.error;
            let given = generated! {
                match #created {
                    #result::Ok(lifecycle_instance) => #result::Ok(#given),
                    #result::Err(lifecycle_error) => #result::Err({
                        use #private::channel::Panics as _;
                        #private::channel::Refusal::<#error>::NEW.__error(lifecycle_error)
                    }),
                }
            };
            (generated!(#result::Ok(#handed)), given)
        }
    };
    if !model.is_async() {
        return generated!(return #given;);
    }
    // Not a `match`: the future would keep what it looked at through the `.await`.
    generated! {
        if let #private::core::option::Option::Some(lifecycle_found) = #hot {
            return #found;
        }
        return #given;
    }
}

/// `fn __lifecycle_text(&E) -> String`: what is known of the error's type here decides how much of it records can say.
pub(super) fn text(model: &FunctionSingleton<'_>, error: &Type) -> TokenStream {
    let private = model.runtime.private();
    generated! {
        fn __lifecycle_text(lifecycle_error: &#error) -> #private::std::string::String {
            use #private::channel::text::{ByDebug as _, ByDisplay as _, ByError as _, ByName as _, Text};
            (&&&Text(lifecycle_error)).__text()
        }
    }
}

/// What only types can tell, at compile time: an alias may hide a `Result`, and then every later call would get the first
/// call's error; a refusal that is to be expected needs an error that can say it.
pub(super) fn checks(model: &FunctionSingleton<'_>) -> TokenStream {
    let private = model.runtime.private();
    match &model.output {
        // `()` is nobody's alias.
        Output::Value(_) if model.declares == Declares::Step => TokenStream::new(),
        Output::Value(value) => {
            let message = format!(
                "`{}` is another name for a `Result`: write it out, `Result<T, E>`, so that a failure is not kept for ever",
                value.to_token_stream().to_string().replace(' ', "")
            );
            let here = model.runtime.private_at(value.span());
            let check = quote_spanned!(value.span()=> #here::core::assert!(!#here::channel::IsResult::<#value>::HIDDEN, #message););
            // In braces: the trait must not be in the body's reach.
            generated! {
                const _: () = {
                    use #private::channel::NotResult as _;
                    #check
                };
            }
        }
        Output::Fallible(fallible) if model.settings.retry_backoff.is_some() => {
            let error = &fallible.error;
            let here = model.runtime.private_at(error.span());
            let check = quote_spanned!(error.span()=> #here::channel::says_refusal::<#error>());
            generated!(const _: () = #check;)
        }
        Output::Fallible(_) => TokenStream::new(),
    }
}

/// The user's function around `body`, returning what is handed out.
fn around(model: &FunctionSingleton<'_>, body: TokenStream) -> TokenStream {
    let inputs = model.function.sig.inputs.to_token_stream();
    if model.declares == Declares::Step {
        let written = match &model.function.sig.output {
            ReturnType::Default => TokenStream::new(),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
        };
        let step = function_around(model.function, &inputs, &written, body);
        // `initialize` calls it, which rustc cannot see.
        let unseen = model.settings.eager.then(|| generated!(#[allow(dead_code)]));
        return quote!(#unseen #step);
    }
    let value = model.output.value();
    let handed = match (&model.output, model.settings.storage) {
        // Ours, so that clippy does not advise against `&Box<dyn Trait>`, which the author never wrote.
        (Output::Value(_), Storage::Static) => {
            quote_spanned!(value.span().resolved_at(Span::mixed_site())=> &'static #value)
        }
        (Output::Fallible(_), Storage::Static) => quote!(&'static #value),
        (_, storage) => storage.handed(&model.runtime, value),
    };
    function_around(model.function, &inputs, &returned(&model.output, handed), body)
}

/// `#[attrs] vis fn name(inputs) -> returned { body }`, the rest as in `function`.
pub(super) fn function_around(
    function: &Function,
    inputs: &TokenStream,
    returned: &TokenStream,
    body: TokenStream,
) -> TokenStream {
    let Function { attrs, vis, sig, body: old } = function;
    let arrow = match &sig.output {
        ReturnType::Type(arrow, _) => quote!(#arrow),
        // A step may say nothing.
        ReturnType::Default if returned.is_empty() => TokenStream::new(),
        ReturnType::Default => quote!(->),
    };
    let Signature { asyncness, fn_token, ident, generics, paren_token, .. } = sig;
    let mut parentheses = TokenStream::new();
    paren_token.surround(&mut parentheses, |tokens| inputs.to_tokens(tokens));
    let body = braced(body, old);
    let bounds = &generics.where_clause;
    quote!(#(#attrs)* #vis #asyncness #fn_token #ident #generics #parentheses #arrow #returned #bounds #body)
}

/// `T` -> what is handed out, `Result<T, E>` -> a `Result` of that.
pub(super) fn returned(output: &Output, handed: TokenStream) -> TokenStream {
    let Output::Fallible(fallible) = output else {
        return handed;
    };
    let mut written = fallible.written.clone();
    let last = written.path.segments.last_mut().map(|last| &mut last.arguments);
    if let Some(PathArguments::AngleBracketed(arguments)) = last {
        let first = arguments.args.iter_mut().find(|argument| matches!(argument, GenericArgument::Type(_)));
        if let Some(GenericArgument::Type(first)) = first {
            *first = Type::Verbatim(handed);
        }
    }
    written.to_token_stream()
}

/// After a mistake: the signature that callers expect, around the body as it is written.
pub(crate) fn stand_in(model: &FunctionSingleton<'_>) -> TokenStream {
    around(model, stand_in_body(model))
}

/// The body as it is written, where it is compiled but never run.
pub(super) fn stand_in_body(model: &FunctionSingleton<'_>) -> TokenStream {
    let (written, body) = (model.output.written(), &model.function.body);
    if model.is_async() {
        let dead_return = body::dead_return(model);
        let stream = body.stream();
        let body = braced(generated!(#dead_return #stream), body);
        generated!(let _ = async #body; loop {})
    } else {
        generated!(let _ = || -> #written #body; loop {})
    }
}

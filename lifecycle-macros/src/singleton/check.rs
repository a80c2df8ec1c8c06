//! Which items cannot be singletons, each reason on its token.

use super::args::Args;
use super::check_options as options;
use super::keyed::arguments;
use super::model::{Fallible, Output};
use crate::errors::Errors;
use crate::item::self_in;
use crate::item::{DeclaredType, Function};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::{FnArg, GenericArgument, PathArguments, ReturnType, Type, TypePath};

pub(super) fn declared_type(args: &Args, declared: &DeclaredType, errors: &mut Errors) {
    options::of_type(&args.options, &declared.ident, errors);
    if !declared.generics.params.is_empty() {
        let ident = &declared.ident;
        errors.on(
            &declared.generics,
            format!("a singleton is one value, and a generic type is many: name the one, `#[singleton] fn {}() -> {ident}<..> {{ .. }}`", crate::names::snake_case(ident)),
        );
    }
}

pub(super) fn function(args: &Args, function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    let name = &sig.ident;
    options::of_function(&args.options, function, errors);
    if !sig.generics.params.is_empty() {
        errors.on(&sig.generics, format!("a singleton is one value, and a generic function makes many: write the types out, or one function a type instead of `{name}`"));
    }
    called_by_everybody(&Words { a: "a singleton", is_made: "is created" }, sig, errors);
    if sig.receiver().is_some() {
        return;
    }
    if args.options.mentions("keyed") {
        arguments::check(function, errors);
    } else if !sig.inputs.is_empty() {
        let inputs: Vec<&FnArg> = sig.inputs.iter().collect();
        errors.on(
            quote!(#(#inputs),*),
            "a singleton is created once, so it takes no arguments: write `#[singleton(keyed)]` for one instance for each argument",
        );
    }
}

/// What a function declares, for messages.
pub(crate) struct Words {
    pub(crate) a: &'static str,
    pub(crate) is_made: &'static str,
}

/// Forms of functions whose body cannot run once for everybody.
pub(crate) fn called_by_everybody(words: &Words, sig: &syn::Signature, errors: &mut Errors) {
    let Words { a, is_made } = words;
    if let Some(token) = &sig.constness {
        errors.on(token, format!("{a} {is_made} at run time: remove `const`"));
    }
    if !matches!(sig.safety, syn::Safety::Default) {
        errors.on(
            &sig.safety,
            format!("{a}'s function is called by everybody: remove `unsafe` and put the unsafe block inside"),
        );
    }
    if let Some(abi) = &sig.abi {
        errors.on(abi, format!("{a}'s function is called from Rust: remove the ABI"));
    }
    if let Some(receiver) = sig.receiver() {
        errors.on(receiver, format!("{a} belongs to no value: remove `self` from `{}`", sig.ident));
    }
}

/// What the function returns; `None` when no singleton can be made of it.
pub(super) fn output(function: &Function, errors: &mut Errors) -> Option<Output> {
    let sig = &function.sig;
    let ReturnType::Type(_, ty) = &sig.output else {
        errors.on(
            &sig.ident,
            format!("a singleton needs a value: add the type that `{}` makes, `-> T` or `-> Result<T, E>`", sig.ident),
        );
        return None;
    };
    if let Type::Never(never) = &**ty {
        errors.on(never, "a singleton needs a value, and this function never gives one");
        return None;
    }
    if let Some(word) = impl_in(ty.to_token_stream()) {
        errors.on(word, "a singleton is kept in a static, whose type must have a name: write it out, or return a `Box<dyn Trait + Send + Sync>`");
        return None;
    }
    result_of(ty, "the singleton", errors)
}

/// `Self` in a type that stands in items of ours, which do not know it.
pub(crate) fn no_self(ty: &Type, errors: &mut Errors) {
    if let Some(word) = self_in(ty.to_token_stream()) {
        errors.on(word, "write the type's name: the statics that keep a singleton do not know `Self`");
    }
}

/// Whether it is a `Result`, by its name.
pub(super) fn says_result(output: &ReturnType) -> bool {
    fn of(ty: &Type) -> bool {
        match ty {
            Type::Group(group) => of(&group.elem),
            Type::Paren(paren) => of(&paren.elem),
            Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Result"),
            _ => false,
        }
    }
    matches!(output, ReturnType::Type(_, ty) if of(ty))
}

/// `Result<T, E>` -> its parts; `Result<T>` is an alias that hides `E`; everything else is the value.
pub(crate) fn result_of(ty: &Type, who: &str, errors: &mut Errors) -> Option<Output> {
    let plain = match ty {
        Type::Group(group) => return result_of(&group.elem, who, errors),
        Type::Paren(paren) => return result_of(&paren.elem, who, errors),
        Type::Path(path) => path,
        _ => return Some(Output::Value(Box::new(ty.clone()))),
    };
    let Some(last) = plain.path.segments.last().filter(|last| last.ident == "Result") else {
        return Some(Output::Value(Box::new(ty.clone())));
    };
    let types: Vec<&Type> = match &last.arguments {
        PathArguments::AngleBracketed(args) => args
            .args
            .iter()
            .filter_map(|arg| match arg {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let [value, error] = types[..] else {
        let written = written_out(plain, types.first().copied());
        errors.on(ty, format!("this alias hides the error's type, which {who} needs: write it out, `{written}`"));
        return None;
    };
    Some(Output::Fallible(Box::new(Fallible { value: value.clone(), error: error.clone(), written: plain.clone() })))
}

/// What an alias most probably stands for: `std::io::Result<T>` -> `Result<T, std::io::Error>`.
fn written_out(alias: &TypePath, value: Option<&Type>) -> String {
    let home: Vec<String> = alias.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let value = match value {
        Some(Type::Path(value)) => value.path.get_ident().map_or_else(|| "T".to_owned(), ToString::to_string),
        Some(Type::Tuple(value)) if value.elems.is_empty() => "()".to_owned(),
        _ => "T".to_owned(),
    };
    match home.split_last() {
        Some((_, [.., last])) if last.ends_with("eyre") => format!("Result<{value}, {last}::Report>"),
        Some((_, home @ [_, ..])) => format!("Result<{value}, {}::Error>", home.join("::")),
        _ => format!("Result<{value}, E>"),
    }
}

/// The first `impl` in a type.
pub(super) fn impl_in(tokens: TokenStream) -> Option<TokenTree> {
    tokens.into_iter().find_map(|token| match &token {
        TokenTree::Ident(ident) if ident == "impl" => Some(token),
        TokenTree::Group(group) => impl_in(group.stream()),
        _ => None,
    })
}

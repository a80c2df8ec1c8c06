//! Which statics cannot be flags, each reason on its token.

use super::args::GRAMMAR;
use crate::errors::Errors;
use crate::item::{DeclaredStatic, ItemKind, constructed};
use crate::options::Options;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{GenericArgument, PathArguments, Type};

const LIKE_THIS: &str = "static USE_CACHE: Flag<bool> = true;";

pub(super) fn not_a_static(kind: ItemKind, keyword: Span, errors: &mut Errors) {
    let message = match kind {
        ItemKind::Const => format!("a const is copied wherever it is used, so it cannot change: write `{LIKE_THIS}`"),
        ItemKind::Let => format!("a flag belongs to the whole process: write it outside, `{LIKE_THIS}`"),
        kind => format!(
            "`#[init_flag]` stands on a static, `{LIKE_THIS}`, or on a function that runs once, `fn init_logging() {{ .. }}`; it cannot stand on {}",
            kind.described()
        ),
    };
    errors.at(keyword, message);
}

/// Options of steps.
pub(super) fn options(options: &Options, errors: &mut Errors) {
    for key in ["on_initialize", "depends_on", "init_timeout"] {
        if let (Some(ident), Some(known)) = (options.ident(key), GRAMMAR.key(key)) {
            errors.on(ident, format!("`{key}` belongs to a step, a function that runs once: `#[init_flag({})] fn migrate() {{ .. }}`; a flag runs nothing", known.example));
        }
    }
}

/// The flag's default; `None` when it has none.
pub(super) fn flag(flag: &DeclaredStatic, errors: &mut Errors) -> Option<TokenStream> {
    if let Some(token) = &flag.mutability {
        errors.on(token, "a flag changes through `set`, not through `mut`: remove it");
    }
    if let Some(plain) = plain_type(&flag.ty) {
        errors.on(&flag.ty, format!("a flag's type says so: write `Flag<{plain}>`"));
        return None;
    }
    // Without a value the compiler itself says so, on the untouched item.
    let value = default_of(&flag.ty, flag.value.as_ref()?);
    let held = held(&flag.ty).and_then(word);
    if held.is_some_and(|held| held == "String") && makes_a_string(&value) {
        errors.on(&value, "the default of a text flag is a literal, which needs no allocation: `static GREETING: Flag<String> = \"hello\";`");
        return Some(quote!(""));
    }
    Some(value)
}

/// Input: `lifecycle::Flag<bool>` -> Output: `bool`. `None` for an alias that hides it.
fn held(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(held)) if arguments.args.len() == 1 => Some(held),
        _ => None,
    }
}

/// A flag of a type that flags hold, and that has one name only.
pub(super) fn is_plain_flag(ty: &Type) -> bool {
    let known =
        ["bool", "i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize", "f64", "String", "Duration"];
    held(ty).and_then(word).is_some_and(|held| known.iter().any(|known| held == known))
}

fn word(ty: &Type) -> Option<&Ident> {
    if let Type::Path(path) = ty { path.path.get_ident() } else { None }
}

/// Input: `String::new()`, `format!("..")`, `"..".to_owned()`
fn makes_a_string(value: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = value.clone().into_iter().collect();
    let is = |token: Option<&TokenTree>, words: &[&str]| matches!(token, Some(TokenTree::Ident(ident)) if words.iter().any(|word| ident == word));
    let calls = matches!(tokens.last(), Some(TokenTree::Group(_)));
    let method = tokens.len().checked_sub(2).and_then(|at| tokens.get(at));
    is(tokens.first(), &["String", "format"]) || calls && is(method, &["to_owned", "to_string", "into", "into_string"])
}

/// The value's type where the author forgot `Flag<..>`.
fn plain_type(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    let name = path.path.get_ident()?.to_string();
    let known = [
        "bool",
        "i8",
        "i16",
        "i32",
        "i64",
        "i128",
        "isize",
        "u8",
        "u16",
        "u32",
        "u64",
        "u128",
        "usize",
        "f32",
        "f64",
        "char",
        "String",
        "Duration",
        "AtomicBool",
    ];
    let value = if name == "AtomicBool" { "bool" } else { &name };
    known.contains(&&*name).then(|| value.to_owned())
}

/// Input: `true` or `Flag::new(true)` -> Output: `true`
fn default_of(ty: &Type, value: &TokenStream) -> TokenStream {
    constructed(ty, value).unwrap_or_else(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_found_in_both_spellings() {
        for (ty, value, default) in [
            (quote!(Flag<bool>), quote!(true), quote!(true)),
            (quote!(Flag<bool>), quote!(Flag::new(true)), quote!(true)),
            (quote!(lifecycle::Flag<bool>), quote!(lifecycle::Flag::new(!OFF)), quote!(!OFF)),
            (quote!(Flag<bool>), quote!(Flag::<bool>::new(true)), quote!(true)),
            (quote!(F<u64>), quote!(F::new(limits::MAX)), quote!(limits::MAX)),
            (quote!(Flag<Duration>), quote!(Duration::new(1, 0)), quote!(Duration::new(1, 0))),
            (quote!(Flag<u32>), quote!(max(1)), quote!(max(1))),
        ] {
            let ty = syn::parse2(ty).unwrap_or_else(|_| syn::parse_quote!(X));
            assert_eq!(default_of(&ty, &value).to_string(), default.to_string(), "{value}");
        }
    }
}

//! Which statics cannot be flags, each reason on its token.

use super::args::GRAMMAR;
use crate::errors::Errors;
use crate::item::{DeclaredStatic, ItemKind, constructed};
use crate::options::Options;
use proc_macro2::{Span, TokenStream};
use syn::Type;

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
    let value = flag.value.as_ref()?;
    Some(default_of(&flag.ty, value))
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
    use quote::quote;

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

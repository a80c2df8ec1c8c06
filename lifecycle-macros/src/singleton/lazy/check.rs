//! Which statics cannot be singletons, each reason on its token.

use super::Made;
use crate::errors::Errors;
use crate::item::{DeclaredStatic, constructed};
use crate::names::snake_case;
use crate::options::Needed;
use crate::singleton::args::Args;
use crate::singleton::check_options::{no_self, not_itself};
use crate::singleton::hooks;
use crate::singleton::model::FACTORIES;
use quote::ToTokens as _;
use syn::{GenericArgument, PathArguments, Type};

pub(super) fn options(args: &Args, declared: &DeclaredStatic, errors: &mut Errors) {
    let options = &args.options;
    let DeclaredStatic { ident, ty, .. } = declared;
    let (name, value) = (snake_case(ident), shown(type_argument(ty).unwrap_or(ty)));
    for key in FACTORIES.into_iter().filter_map(|key| options.ident(key)) {
        errors.on(key, format!("the value of `{ident}` is the factory: leave `{key}` away"));
    }
    for key in ["swap", "refresh", "on_change"].into_iter().filter_map(|key| options.ident(key)) {
        errors.on(key, format!("a static hands out references that hold for ever, so nothing can be swapped behind them: write `#[singleton(swap, ..)] fn {name}() -> {value} {{ .. }}`"));
    }
    if let (true, Some(key)) = (options.chooses("scope", "invocation"), options.ident("scope")) {
        errors.on(key, format!("a static is one for the process, and hands out references that hold for ever: write `#[singleton(scope = invocation, ..)] fn {name}() -> {value} {{ .. }}`"));
    }
    for key in ["keyed", "max_keys"].into_iter().filter_map(|key| options.ident(key)) {
        errors.on(key, format!("a static has no arguments to tell instances apart by: write `#[singleton(keyed)] fn {name}(key: &str) -> {value} {{ .. }}`"));
    }
    if let Some(key) = options.ident("retry_backoff") {
        errors.on(key, format!("`retry_backoff` refuses for a while after an error, and a static cannot give one: write `#[singleton(retry_backoff = ..)] fn {name}() -> Result<{value}, E> {{ .. }}`"));
    }
    for key in hooks::NAMES {
        no_self(options, key, &format!("`{value}`"), errors);
    }
    not_itself(options, |needed| matches!(needed, Needed::Static(path) if path.is_ident(ident)), errors);
}

/// `Lazy<Pool>` -> `Pool`
pub(super) fn value_type(declared: &DeclaredStatic, errors: &mut Errors) -> Option<Type> {
    if let Some(token) = &declared.mutability {
        errors.on(token, "a singleton is shared, and changes on the inside if at all: remove `mut`");
    }
    let ty = bare(&declared.ty);
    let named_lazy =
        matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Lazy"));
    match (named_lazy, type_argument(ty)) {
        (true, Some(value)) => return Some(value.clone()),
        (true, None) => {
            errors.on(ty, "say in the type what it is that is lazy: write `Lazy<Pool>`");
        }
        (false, argument) => {
            // Of `LazyLock<Pool>` the value is `Pool`, of `Mutex<Pool>` it is all of it.
            let other = matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| {
                ["LazyLock", "LazyCell", "OnceLock", "OnceCell", "Once"].iter().any(|name| last.ident == name)
            }));
            let value = if other { argument.unwrap_or(ty) } else { ty };
            let value = shown(value);
            errors
                .on(ty, format!("a static that is a singleton says so in its type: write `lifecycle::Lazy<{value}>`"));
        }
    }
    None
}

/// What stands behind the `=`.
pub(super) fn made(declared: &DeclaredStatic, errors: &mut Errors) -> Made {
    let DeclaredStatic { ident, ty, value, .. } = declared;
    let Some(value) = value else {
        let ty = shown(ty);
        errors.on(ident, format!("nothing says how `{ident}` is made: write `static {ident}: {ty} = ..;`"));
        return Made::Missing;
    };
    match constructed(bare(ty), value) {
        Some(function) if function.is_empty() => {
            errors.on(
                value,
                "`Lazy::new` takes the function that makes the value: write `Lazy::new(|| ..)`, or the value alone",
            );
            Made::Missing
        }
        Some(function) => Made::ByFunction(function),
        None => Made::By(value.clone()),
    }
}

/// A type that comes through a `macro_rules!` fragment is in an invisible group.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// The one type in `Name<Type>`.
fn type_argument(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = bare(ty) else { return None };
    let PathArguments::AngleBracketed(args) = &path.path.segments.last()?.arguments else {
        return None;
    };
    match args.args.iter().collect::<Vec<_>>()[..] {
        [GenericArgument::Type(ty)] => Some(ty),
        _ => None,
    }
}

/// A type as a message can quote it.
fn shown(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}

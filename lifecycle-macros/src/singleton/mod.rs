//! `#[singleton]`: args -> model -> check -> expand, for types, functions and statics.

mod accessors;
mod args;
mod body;
pub(crate) mod check;
pub(crate) mod check_options;
mod erased;
pub(crate) mod expand_fn;
mod expand_type;
mod hooks;
mod keyed;
mod lazy;
pub(crate) mod model;
pub(crate) mod settings;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_async;
#[cfg(test)]
mod tests_forms;
#[cfg(test)]
mod tests_options;

pub(crate) use args::GRAMMAR;

use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::{DeclaredType, Function, ItemKind, says_self};
use model::{FunctionSingleton, Output, TypeSingleton};
use proc_macro2::TokenStream;
use quote::ToTokens as _;

/// The macro.
pub(crate) fn singleton(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::Args::parse(args, &mut errors);
    let (kind, keyword) = ItemKind::of(&item);
    match kind {
        ItemKind::Struct | ItemKind::Enum => match DeclaredType::read(item.clone()) {
            Ok(declared) => on_type(args, &declared, item, errors),
            Err(error) => {
                errors.push(error);
                item_and(item, errors)
            }
        },
        ItemKind::Function => {
            match Function::read(GRAMMAR.name, "stands on a struct, an enum, a function or a static", item.clone()) {
                Ok(function) => on_function(args, &function, item, errors),
                Err(error) => {
                    errors.push(error);
                    item_and(item, errors)
                }
            }
        }
        ItemKind::Static => lazy::singleton(args, item, errors),
        kind => {
            errors.at(
                keyword,
                format!(
                    "`#[singleton]` stands on a struct, an enum, a function or a static; it cannot stand on {}",
                    kind.described()
                ),
            );
            item_and(item, errors)
        }
    }
}

fn on_type(args: args::Args, declared: &DeclaredType, item: TokenStream, mut errors: Errors) -> TokenStream {
    check::declared_type(&args, declared, &mut errors);
    let stand_in_possible = declared.generics.params.is_empty();
    let model = TypeSingleton::new(args, declared);
    if errors.is_empty() {
        let mut tokens = item;
        tokens.extend(expand_type::expand(&model));
        return tokens;
    }
    // Callers should not see errors about accessors on top of the real ones.
    let mut tokens = item;
    if stand_in_possible {
        tokens.extend(expand_type::stand_in(&model));
    }
    item_and(tokens, errors)
}

fn on_function(args: args::Args, function: &Function, item: TokenStream, mut errors: Errors) -> TokenStream {
    check::function(&args, function, &mut errors);
    let Some(output) = check::output(function, &mut errors) else {
        return item_and(item, errors);
    };
    if args.options.mentions("keyed") {
        return keyed::singleton(args, function, output, errors);
    }
    if says_self(output.value().to_token_stream()) {
        return erased::singleton(args, function, output, errors);
    }
    if let Output::Fallible(fallible) = &output {
        check::no_self(&fallible.error, &mut errors);
    }
    let model = FunctionSingleton::new(args, function, output);
    if errors.is_empty() { expand_fn::expand(&model) } else { item_and(expand_fn::stand_in(&model), errors) }
}

//! `#[init_flag]`: args -> model -> check -> expand, for statics; `step` for functions, which are singletons without a value.

mod args;
mod check;
mod expand;
mod model;
mod step;
#[cfg(test)]
mod tests;

pub(crate) use args::GRAMMAR;

use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::{DeclaredStatic, ItemKind};
use proc_macro2::TokenStream;

/// The macro.
pub(crate) fn init_flag(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::Args::parse(args, &mut errors);
    let (kind, keyword) = ItemKind::of(&item);
    if kind == ItemKind::Function {
        return step::step(args, item, errors);
    }
    if kind != ItemKind::Static {
        check::not_a_static(kind, keyword, &mut errors);
        return item_and(item, errors);
    }
    let flag = match DeclaredStatic::read(item.clone()) {
        Ok(flag) => flag,
        Err(error) => {
            errors.push(error);
            return item_and(item, errors);
        }
    };
    check::options(&args.options, &mut errors);
    match check::flag(&flag, &mut errors) {
        Some(value) => {
            let model = model::Declared::new(args, &flag, value);
            if errors.is_empty() { expand::expand(&model) } else { item_and(expand::stand_in(&model), errors) }
        }
        None => item_and(item, errors),
    }
}

//! `#[singleton]` on a static: `static POOL: Lazy<Pool> = Pool::open();`

mod check;
mod expand;
#[cfg(test)]
mod tests;

use super::args::Args;
use super::settings::Settings;
use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::{DeclaredStatic, cfgs};
use crate::names::snake_case;
use crate::runtime::Runtime;
use proc_macro2::TokenStream;
use syn::{Attribute, Type};

/// One declared static.
struct LazySingleton<'a> {
    runtime: Runtime,
    name: String,
    settings: Settings,
    declared: &'a DeclaredStatic,
    /// The type in `Lazy<..>`.
    value: Type,
    made: Made,
    cfgs: Vec<&'a Attribute>,
}

/// What makes the value, as it is written behind the `=`.
enum Made {
    /// `Pool::open()`
    By(TokenStream),
    /// `Lazy::new(|| Pool::open())`: what stands in the parentheses.
    ByFunction(TokenStream),
    /// Nothing, which is a mistake.
    Missing,
}

/// The macro on an item that is a static.
pub(super) fn singleton(args: Args, item: TokenStream, mut errors: Errors) -> TokenStream {
    let declared = match DeclaredStatic::read(item.clone()) {
        Ok(declared) => declared,
        Err(error) => {
            errors.push(error);
            return item_and(item, errors);
        }
    };
    check::options(&args, &declared, &mut errors);
    let Some(value) = check::value_type(&declared, &mut errors) else {
        return item_and(item, errors);
    };
    let made = check::made(&declared, &mut errors);
    let Args { mut options } = args;
    let model = LazySingleton {
        runtime: Runtime::at(options.path("crate")),
        name: options.text("name").map_or_else(|| snake_case(&declared.ident), |name| name.value()),
        settings: Settings::take(&mut options),
        declared: &declared,
        value,
        made,
        cfgs: cfgs(&declared.attrs),
    };
    if errors.is_empty() { expand::expand(&model) } else { item_and(expand::stand_in(&model), errors) }
}

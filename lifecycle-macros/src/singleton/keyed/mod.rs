//! `#[singleton(keyed)]`: one instance for each combination of the function's arguments.

pub(super) mod arguments;
mod expand;
#[cfg(test)]
mod tests;

use super::args::Args;
use super::check;
use super::model::{FunctionSingleton, Output, Storage};
use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::Function;
use crate::options::Count;
use arguments::Argument;
use proc_macro2::TokenStream;

/// `#[singleton(keyed)] fn table(name: &str, region: Region) -> Table`
struct KeyedSingleton<'a> {
    function: FunctionSingleton<'a>,
    arguments: Vec<Argument>,
    max_keys: Option<Count>,
}

/// The macro on a function that says `keyed`.
pub(super) fn singleton(mut args: Args, function: &Function, output: Output, mut errors: Errors) -> TokenStream {
    check::no_self(output.value(), &mut errors);
    if let Output::Fallible(fallible) = &output {
        check::no_self(&fallible.error, &mut errors);
    }
    let max_keys = args.options.count("max_keys");
    let arguments = arguments::of(function);
    let mut function = FunctionSingleton::new(args, function, output);
    // Hooks may not hold an instance that others delete, as with `swap`.
    function.settings.storage = Storage::Swapped;
    let model = KeyedSingleton { function, arguments, max_keys };
    if errors.is_empty() { expand::expand(&model) } else { item_and(expand::stand_in(&model), errors) }
}

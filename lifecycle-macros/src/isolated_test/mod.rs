//! `#[lifecycle::test]`: a test in a world of its own.

mod args;
mod check;
mod expand;
#[cfg(test)]
mod tests;

use crate::entry::item_and;
use crate::errors::Errors;
use crate::item::Function;
use proc_macro2::TokenStream;

/// The macro.
pub(crate) fn isolated_test(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let runtime = args::parse(args, &mut errors);
    let function = match Function::read("lifecycle::test", "stands on a function", item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            return item_and(item, errors);
        }
    };
    check::check(&function, &mut errors);
    if errors.is_empty() {
        expand::expand(&runtime, &function)
    } else {
        // Nobody calls a test: not another complaint about that.
        item_and(quote::quote!(#[allow(dead_code)] #item), errors)
    }
}

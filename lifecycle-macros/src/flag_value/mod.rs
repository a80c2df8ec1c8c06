//! `#[derive(FlagValue)]`: args -> model -> expand. What can be wrong is found while the model is made.

mod args;
mod expand;
mod model;
#[cfg(test)]
mod tests;

use crate::errors::Errors;
use proc_macro2::TokenStream;

/// The macro. Of a derive only what is added comes out: the item stays where it is.
pub(crate) fn flag_value(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let item = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => {
            errors.push(error);
            return errors.into_tokens();
        }
    };
    match model::FlagEnum::read(&item, &mut errors) {
        Some(model) => {
            // Also beside mistakes, so that the flags of this type see no errors about it.
            let mut tokens = expand::expand(&model);
            tokens.extend(errors.into_tokens());
            tokens
        }
        None => errors.into_tokens(),
    }
}

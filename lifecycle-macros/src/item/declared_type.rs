//! A struct or enum, read up to its generics.

use super::ItemKind;
use proc_macro2::{Ident, TokenStream};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Generics, Visibility};

/// `#[attrs] vis struct Name<generics> ..`
pub(crate) struct DeclaredType {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
}

impl DeclaredType {
    /// Reads the head of an item that [`ItemKind::of`] found to be a struct or enum.
    pub(crate) fn read(item: TokenStream) -> syn::Result<Self> {
        debug_assert!(matches!(ItemKind::of(&item).0, ItemKind::Struct | ItemKind::Enum));
        let head = |input: ParseStream<'_>| {
            let attrs = Attribute::parse_outer(input)?;
            let vis = input.parse()?;
            if input.peek(syn::Token![struct]) {
                input.parse::<syn::Token![struct]>()?;
            } else {
                input.parse::<syn::Token![enum]>()?;
            }
            let this = Self { attrs, vis, ident: input.parse()?, generics: input.parse()? };
            input.parse::<TokenStream>()?;
            Ok(this)
        };
        head.parse2(item)
    }
}

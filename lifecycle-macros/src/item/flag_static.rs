//! A static, read up to its value.

use super::ItemKind;
use proc_macro2::{Ident, TokenStream};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Token, Type, Visibility};

/// `#[attrs] vis static NAME: Type = value;`
pub(crate) struct FlagStatic {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) static_token: Token![static],
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) value: Option<TokenStream>,
}

impl FlagStatic {
    /// Reads an item that [`ItemKind::of`] found to be a static.
    pub(crate) fn read(item: TokenStream) -> syn::Result<Self> {
        debug_assert_eq!(ItemKind::of(&item).0, ItemKind::Static);
        let parts = |input: ParseStream<'_>| {
            let attrs = Attribute::parse_outer(input)?;
            let vis = input.parse()?;
            let static_token = input.parse()?;
            let mutability = input.parse()?;
            let ident = input.parse()?;
            input.parse::<Token![:]>()?;
            let ty = input.parse()?;
            let value = if input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                Some(up_to_semicolon(input)?)
            } else {
                None
            };
            input.parse::<Token![;]>()?;
            Ok(Self { attrs, vis, static_token, mutability, ident, ty, value })
        };
        parts.parse2(item)
    }
}

fn up_to_semicolon(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![;]) {
        tokens.extend([input.parse::<proc_macro2::TokenTree>()?]);
    }
    if tokens.is_empty() {
        return Err(input.error("expected the value"));
    }
    Ok(tokens)
}

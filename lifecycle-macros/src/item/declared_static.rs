//! A static, read up to its value.

use super::ItemKind;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Token, Type, Visibility};

/// `#[attrs] vis static NAME: Type = value;`
pub(crate) struct DeclaredStatic {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) static_token: Token![static],
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) value: Option<TokenStream>,
}

impl DeclaredStatic {
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

    /// The same static with another value, and never `mut`.
    pub(crate) fn with_value(&self, value: &TokenStream) -> TokenStream {
        let Self { attrs, vis, static_token, ident, ty, .. } = self;
        quote::quote!(#(#attrs)* #vis #static_token #ident: #ty = #value;)
    }
}

/// Input: `Flag<bool>`, `Flag::new(true)` -> Output: `true`
///
/// The constructor is recognized by the type's own name, so an alias of `Flag` works on both sides.
pub(crate) fn constructed(ty: &Type, value: &TokenStream) -> Option<TokenStream> {
    let Type::Path(ty) = ty else { return None };
    let name = ty.path.segments.last()?.ident.to_string();
    let tokens: Vec<TokenTree> = value.clone().into_iter().collect();
    let (TokenTree::Group(argument), path) = tokens.split_last()? else {
        return None;
    };
    let is_path = path.iter().all(|token| matches!(token, TokenTree::Ident(_) | TokenTree::Punct(_)));
    if argument.delimiter() != Delimiter::Parenthesis || !is_path {
        return None;
    }
    let words: Vec<String> = path.iter().map(ToString::to_string).collect();
    let ends_in_new = matches!(&words[..], [.., a, b, new] if a == ":" && b == ":" && new == "new");
    let operators = words.iter().any(|word| {
        !matches!(&**word, ":" | "<" | ">" | ",") && !word.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    });
    (ends_in_new && !operators && words.contains(&name)).then(|| argument.stream())
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

//! `Self` in tokens: items inside a function do not know that of the impl block around it.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Whether `Self` stands anywhere in these tokens.
pub(crate) fn says_self(tokens: TokenStream) -> bool {
    self_in(tokens).is_some()
}

/// The first `Self` in these tokens.
pub(crate) fn self_in(tokens: TokenStream) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "Self" => Some(ident),
        TokenTree::Group(group) => self_in(group.stream()),
        _ => None,
    })
}

/// The first `Self` in a body that is not that of a type, trait or impl block inside it.
pub(crate) fn outer_self_in(body: TokenStream) -> Option<Ident> {
    let mut tokens = body.into_iter();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Ident(ident) if ident == "Self" => Some(ident),
            TokenTree::Ident(ident) if ["impl", "trait", "struct", "enum"].iter().any(|item| ident == item) => {
                let ends = |token: &TokenTree| match token {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(punct) => punct.as_char() == ';',
                    _ => false,
                };
                tokens.find(ends);
                None
            }
            TokenTree::Group(group) => outer_self_in(group.stream()),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn a_self_of_an_item_inside_is_not_the_outer_one() {
        let inside = quote! {
            struct Row(Box<Self>);
            enum Tree { Leaf, Node(Box<Self>) }
            trait Made { fn made() -> Self; }
            impl Made for Tree { fn made() -> Self { Self::Leaf } }
            Tree::made()
        };
        assert!(outer_self_in(inside.clone()).is_none());
        assert!(says_self(inside));
        assert!(outer_self_in(quote!(impl Tree { fn leaf() -> Self { Self::Leaf } } [Self::rows()])).is_some());
    }
}

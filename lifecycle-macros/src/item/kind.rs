//! What kind of item an attribute stands on, found without parsing it.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// The kinds of items, as far as messages name them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ItemKind {
    Function,
    Struct,
    Enum,
    Union,
    Static,
    Const,
    Trait,
    Impl,
    Module,
    TypeAlias,
    Use,
    ForeignModule,
    MacroDefinition,
    Let,
    Other,
}

impl ItemKind {
    /// The kind with its article, for messages.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Function => "a function",
            Self::Struct => "a struct",
            Self::Enum => "an enum",
            Self::Union => "a union",
            Self::Static => "a static",
            Self::Const => "a const",
            Self::Trait => "a trait",
            Self::Impl => "an impl block",
            Self::Module => "a module",
            Self::TypeAlias => "a type alias",
            Self::Use => "a use declaration",
            Self::ForeignModule => "an extern block",
            Self::MacroDefinition => "a macro definition",
            Self::Let => "a local variable",
            Self::Other => "this item",
        }
    }

    /// Finds the kind, and the keyword that says so.
    pub(crate) fn of(item: &TokenStream) -> (Self, Span) {
        let mut tokens = Vec::new();
        flatten(item, &mut tokens);
        let word = |at: usize| match tokens.get(at) {
            Some(TokenTree::Ident(ident)) => ident.to_string(),
            _ => String::new(),
        };
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let kind = match word(at).as_str() {
                "fn" => Self::Function,
                "struct" => Self::Struct,
                "enum" => Self::Enum,
                "union" => Self::Union,
                "static" => Self::Static,
                "trait" => Self::Trait,
                "impl" => Self::Impl,
                "mod" => Self::Module,
                "type" => Self::TypeAlias,
                "use" => Self::Use,
                "macro_rules" => Self::MacroDefinition,
                "let" => Self::Let,
                "const" if !matches!(word(at + 1).as_str(), "fn" | "async" | "unsafe" | "extern") => Self::Const,
                "crate" => Self::Use,
                "pub" | "async" | "unsafe" | "safe" | "extern" | "const" | "default" | "auto" => {
                    at += 1;
                    continue;
                }
                // `#[..]`, `pub(..)` and `extern "C"` are passed over; any other word or `{` ends the head.
                "" => match token {
                    TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Self::ForeignModule,
                    _ => {
                        at += 1;
                        continue;
                    }
                },
                _ => Self::Other,
            };
            return (kind, token.span());
        }
        (Self::Other, tokens.first().map_or_else(Span::call_site, TokenTree::span))
    }
}

/// Items that come out of a `macro_rules!` fragment arrive in invisible groups: look through those.
fn flatten(tokens: &TokenStream, flat: &mut Vec<TokenTree>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => flatten(&group.stream(), flat),
            token => flat.push(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn kinds_are_found_behind_attributes_and_qualifiers() {
        for (item, kind) in [
            (
                quote!(
                    #[doc = "x"]
                    #[inline]
                    pub(crate) async fn f() {}
                ),
                ItemKind::Function,
            ),
            (
                quote!(
                    pub const unsafe extern "C" fn f() {}
                ),
                ItemKind::Function,
            ),
            (
                quote!(
                    pub const X: u8 = 1;
                ),
                ItemKind::Const,
            ),
            (
                quote!(
                    unsafe impl X for Y {}
                ),
                ItemKind::Impl,
            ),
            (
                quote!(
                    pub unsafe trait X {}
                ),
                ItemKind::Trait,
            ),
            (
                quote!(
                    extern "C" {
                        fn f();
                    }
                ),
                ItemKind::ForeignModule,
            ),
            (
                quote!(
                    static mut X: u8 = 1;
                ),
                ItemKind::Static,
            ),
            (
                quote!(
                    pub enum E {}
                ),
                ItemKind::Enum,
            ),
            (
                quote!(
                    mod m;
                ),
                ItemKind::Module,
            ),
            (quote!(), ItemKind::Other),
        ] {
            assert_eq!(ItemKind::of(&item).0, kind, "{item}");
        }
    }
}

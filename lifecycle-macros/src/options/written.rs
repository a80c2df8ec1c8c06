//! How an option is written, before it is known whether that is right: `word`, `key = value`, `key(list)`.

use super::grammar::{Key, Wanted};
use super::value::{self, Value};
use super::{expression, singletons, skip_to_next};
use crate::errors::Errors;
use proc_macro2::{Group, Ident, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::parse::discouraged::Speculative as _;
use syn::{Expr, Token};

/// What stands after a key.
pub(super) enum Written {
    /// Nothing.
    Alone,
    /// `=` and nothing.
    NoValue(Token![=]),
    /// `= value`
    Value(Expr),
    /// `=` and something that is no expression.
    Unreadable(TokenStream, syn::Error),
    /// `(list)`
    List(Group),
    /// `<T>`
    Generic(TokenStream),
    /// Something else.
    Other,
}

impl Written {
    /// `is_word`: an option that takes no value; another word after it is the next option.
    pub(super) fn read(input: ParseStream<'_>, is_word: bool) -> Self {
        if ends(input) || (is_word && input.peek(Ident::peek_any)) {
            return Self::Alone;
        }
        if let Ok(equals) = input.parse::<Token![=]>() {
            if ends(input) {
                return Self::NoValue(equals);
            }
            return match expression(input) {
                Ok(value) => Self::Value(value),
                Err((skipped, error)) => Self::Unreadable(skipped, error),
            };
        }
        let ahead = input.fork();
        if input.peek(syn::token::Paren) {
            if let Ok(list) = ahead.parse::<Group>() {
                if ends(&ahead) {
                    input.advance_to(&ahead);
                    return Self::List(list);
                }
            }
        }
        let generic = input.peek(Token![<]);
        let skipped = skip_to_next(input);
        if generic { Self::Generic(skipped) } else { Self::Other }
    }

    /// As a message can quote it.
    pub(super) fn shown(&self, name: &str) -> String {
        match self {
            Self::Value(value) => format!("{name} = {}", short(value)),
            Self::List(_) => format!("{name}(..)"),
            _ => name.to_owned(),
        }
    }

    /// The value, if it is written in the key's way and of the wanted kind.
    pub(super) fn value(self, key: &Key, ident: &Ident, errors: &mut Errors) -> Option<Value> {
        let (name, example) = (key.name, key.example);
        match (key.wanted, self) {
            (Wanted::Word, Self::Alone) => Some(Value::Word),
            (Wanted::Word, Self::Value(value)) => value::read(key, value, errors),
            (Wanted::Word, Self::List(list)) => {
                errors.on(list, format!("`{name}` takes nothing: write the word alone, `{example}`"));
                None
            }
            // The compiler proposes it, where an impl block's parameters are not to be had.
            (Wanted::Word, Self::Generic(skipped)) => {
                errors.on(skipped, no_generics(name));
                None
            }
            (Wanted::Word, Self::NoValue(_) | Self::Unreadable(..) | Self::Other) => {
                errors.on(ident, format!("`{name}` takes no value: write the word alone, `{example}`"));
                None
            }
            (Wanted::Singletons, Self::List(list)) => {
                Some(Value::Singletons(singletons::read(ident, example, list.stream(), errors)))
            }
            (Wanted::Singletons, Self::Value(value)) => value::read(key, value, errors),
            (Wanted::Singletons, _) => {
                errors.on(ident, format!("`{name}` needs a list in parentheses: write `{example}`"));
                None
            }
            (_, Self::Value(value)) => value::read(key, value, errors),
            (_, Self::NoValue(equals)) => {
                errors.on(equals, format!("`{name}` has no value: write `{example}`"));
                None
            }
            (_, Self::Unreadable(skipped, error)) => {
                errors.on(skipped, format!("`{name}` cannot be read: {error}; write `{example}`"));
                None
            }
            (_, Self::Alone | Self::List(_) | Self::Generic(_) | Self::Other) => {
                errors.on(ident, format!("`{name}` needs `=` and a value: write `{example}`"));
                None
            }
        }
    }
}

fn no_generics(name: &str) -> String {
    format!(
        "nobody could tell generic parameters, a function's or its impl block's: put `{name}` on a free function without any that \
         calls this one, `{name}` alone, or leave it away"
    )
}

fn ends(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn short(value: &Expr) -> String {
    let text = value.to_token_stream().to_string();
    match text.char_indices().nth(40) {
        Some((cut, _)) => format!("{}..", &text[..cut]),
        None => text,
    }
}

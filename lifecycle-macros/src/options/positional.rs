//! Where a component declared elsewhere is named: `#[circuit_breaker(HA)]`, `#[circuit_breaker(self.breaker)]`.

use super::grammar::Grammar;
use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Expr, Lit, Token, token};

/// Whether an expression begins here, and not an option or a misspelled one. After the `first` place a word in small letters
/// is rather a misspelled option.
pub(super) fn begins(input: ParseStream<'_>, first: bool, grammar: &Grammar) -> bool {
    if input.peek(Lit) {
        return false;
    }
    let ahead = input.fork();
    let Ok(word) = ahead.call(Ident::parse_any) else {
        return readable(input);
    };
    let name = word.unraw().to_string();
    if ahead.is_empty() || ahead.peek(Token![,]) {
        let may_be = first || !name.contains(char::is_lowercase);
        return word == "self" || (may_be && !is_keyword(&word) && !grammar.is_meant(&name));
    }
    if ahead.peek(token::Paren) && grammar.knows(&name) {
        return false;
    }
    let goes_on = ahead.peek(Token![.])
        || ahead.peek(Token![::])
        || ahead.peek(Token![!])
        || ahead.peek(token::Paren)
        || ahead.peek(token::Bracket);
    (goes_on || is_keyword(&word)) && !ahead.peek(Token![=]) && readable(input)
}

fn readable(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Expr>().is_ok() && (ahead.is_empty() || ahead.peek(Token![,]))
}

/// `match`, `unsafe`, `crate`.
fn is_keyword(word: &Ident) -> bool {
    syn::parse_str::<Ident>(&word.to_string()).is_err()
}

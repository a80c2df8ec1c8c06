//! Other singletons by what they are: `depends_on(Config, db, POOL, "by name")`.

use super::{skip_to_next, value::text};
use crate::errors::Errors;
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, LitStr, Path, Token};

/// One singleton of a list, told apart by how Rust names are written.
pub(crate) enum Needed {
    /// `Config`
    Type(Path),
    /// `db`
    Function(Path),
    /// `POOL`
    Static(Path),
    /// `"by name"`
    Name(LitStr),
}

impl Needed {
    /// As it was written.
    pub(crate) fn tokens(&self) -> TokenStream {
        match self {
            Self::Type(path) | Self::Function(path) | Self::Static(path) => path.to_token_stream(),
            Self::Name(name) => name.to_token_stream(),
        }
    }
}

/// Input: what stands in the parentheses of `key(..)`.
pub(super) fn read(key: &Ident, example: &str, list: TokenStream, errors: &mut Errors) -> Vec<Needed> {
    let mut needed: Vec<Needed> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    let mut wrong = false;
    let items = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let ahead = input.fork();
            let (item, written) = match ahead.parse::<Expr>() {
                Ok(value) if ahead.is_empty() || ahead.peek(Token![,]) => {
                    input.advance_to(&ahead);
                    (one(&value), value.to_token_stream())
                }
                _ => (Err(None), skip_to_next(input)),
            };
            let shown = written.to_string();
            match item {
                Ok(_) if seen.contains(&shown) => errors.on(written, format!("`{shown}` is listed twice")),
                Ok(item) => needed.push(item),
                Err(message) => {
                    wrong = true;
                    let what = format!(
                        "`{key}` lists singletons: types, functions, statics, or names in quotes, such as `{example}`"
                    );
                    let message = message.map_or(what, |message| format!("`{key}`: {message}"));
                    if written.is_empty() { errors.on(key, message) } else { errors.on(written, message) }
                }
            }
            seen.push(shown);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = items.parse2(list) {
        errors.push(error);
    } else if needed.is_empty() && !wrong {
        errors.on(key, format!("`{key}()` lists nothing: write `{example}`, or leave it away"));
    }
    needed
}

/// One item, or what to write instead where that can be told.
fn one(value: &Expr) -> Result<Needed, Option<String>> {
    if let Some(text) = text(value) {
        if text.value().trim().is_empty() {
            return Err(Some("a name cannot be empty".to_owned()));
        }
        return Ok(Needed::Name(text));
    }
    match value {
        Expr::Path(path) if path.qself.is_none() => {
            let path = path.path.clone();
            let last = path.segments.last().map(|last| last.ident.unraw().to_string()).unwrap_or_default();
            if last == "Self" {
                return Err(Some("`Self` is not known here: write the type's name".to_owned()));
            }
            Ok(if !last.starts_with(char::is_uppercase) {
                Needed::Function(path)
            } else if last.len() > 1 && !last.contains(char::is_lowercase) {
                Needed::Static(path)
            } else {
                Needed::Type(path)
            })
        }
        Expr::Group(group) => one(&group.expr),
        Expr::Reference(reference) if one(&reference.expr).is_ok() => {
            Err(Some("write the name alone, without `&`".to_owned()))
        }
        Expr::Call(call) if one(&call.func).is_ok() => {
            Err(Some("write the function's name alone, without a call".to_owned()))
        }
        _ => Err(None),
    }
}

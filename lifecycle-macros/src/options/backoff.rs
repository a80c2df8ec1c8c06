//! How long a breaker stays open from time to time: `exponential`, `exponential(factor = 2, cap = "10m", jitter = 10)`.

use super::Options;
use super::grammar::{Grammar, Key, Wanted};
use super::numbers::{Count, Factor, TimeSpan, checked_const};
use super::value::{Value, text};
use crate::errors::Errors;
use crate::runtime::{Runtime, generated};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprPath};

const WORD: &str = "exponential";

const GRAMMAR: Grammar = Grammar {
    name: "exponential(..)",
    leading: None,
    positional: None,
    keys: &[
        Key { name: "factor", wanted: Wanted::Factor, example: "factor = 2" },
        Key { name: "cap", wanted: Wanted::Duration, example: "cap = \"10m\"" },
        Key { name: "jitter", wanted: Wanted::Percent, example: "jitter = 10" },
    ],
    later: &[],
    teaches: &[
        ("base", "how many times as long each time is `factor = 2`"),
        ("multiplier", "how many times as long each time is `factor = 2`"),
        ("max", "the longest time is `cap = \"10m\"`"),
        ("initial", "the first time is the breaker's `timeout`"),
        ("min", "the first time is the breaker's `timeout`"),
    ],
};

/// How the time grows.
pub(crate) enum Backoff {
    Exponential(Box<Exponential>),
    /// A const expression of type `Backoff`.
    Const(Expr),
}

/// What is said about it.
#[derive(Default)]
pub(crate) struct Exponential {
    factor: Option<Factor>,
    cap: Option<TimeSpan>,
    jitter: Option<Count>,
}

/// Input: `exponential`, `exponential(cap = "10m")`, `BACKOFF`
pub(super) fn read(key: &Key, value: &Expr, errors: &mut Errors) -> Option<Backoff> {
    let (name, example) = (key.name, key.example);
    let mut wrong = |message: String| errors.on(value, message);
    match value {
        Expr::Path(path) => match path.path.get_ident() {
            Some(word) if word == WORD => {
                return Some(Backoff::Exponential(Box::default()));
            }
            // The name of a const is not in small letters.
            Some(word) if !word.to_string().contains(char::is_uppercase) => {
                wrong(format!("`{name}` is `{WORD}`, or a const expression of type `Backoff`: write `{example}`"));
            }
            _ => return Some(Backoff::Const(value.clone())),
        },
        Expr::Call(call) if is_word(&call.func) => {
            let mut options = Options::parse(call.args.to_token_stream(), &GRAMMAR, errors);
            let factor = match options.take("factor") {
                Some((_, Value::Factor(factor))) => Some(factor),
                _ => None,
            };
            let (cap, jitter) = (options.time("cap"), options.count("jitter"));
            return Some(Backoff::Exponential(Box::new(Exponential { factor, cap, jitter })));
        }
        _ if text(value).is_some() => wrong(format!(
            "`{name}` says how the time grows: the first is `timeout`, the longest is `cap`: write `{example}`"
        )),
        Expr::Lit(_) | Expr::Closure(_) | Expr::Unary(_) | Expr::Range(_) => {
            wrong(format!("`{name}` is `{WORD}`, or a const expression of type `Backoff`: write `{example}`"));
        }
        _ => return Some(Backoff::Const(value.clone())),
    }
    None
}

fn is_word(called: &Expr) -> bool {
    matches!(called, Expr::Path(ExprPath { path, .. }) if path.is_ident(WORD))
}

impl Backoff {
    /// Declarations the value needs, and the value, of type `Backoff`.
    pub(crate) fn tokens(&self, runtime: &Runtime) -> (TokenStream, TokenStream) {
        let private = runtime.private();
        match self {
            Self::Exponential(exponential) => {
                let Exponential { factor, cap, jitter } = &**exponential;
                let parts = [
                    factor.as_ref().map(|factor| ("factor", factor.tokens(runtime, "factor"))),
                    cap.as_ref().map(|cap| ("cap", cap.tokens(runtime, "cap"))),
                    jitter.as_ref().map(|jitter| ("jitter", jitter.tokens(runtime, "jitter"))),
                ];
                let (mut declarations, mut calls) = (TokenStream::new(), TokenStream::new());
                for (method, (declared, value)) in parts.into_iter().flatten() {
                    let method = format_ident!("{method}");
                    declarations.extend(declared);
                    calls.extend(generated!(.#method(#value)));
                }
                (declarations, generated!(#private::Backoff::exponential() #calls))
            }
            Self::Const(value) => {
                let here = runtime.private_at(value.span());
                let ty = quote_spanned!(value.span()=> #here::Backoff);
                let ok = generated!(#private::channel::is_backoff(&lifecycle_value));
                let message =
                    "`backoff` must have a factor from 1 on, a cap above zero and a jitter of at most 100 percent";
                checked_const(runtime, "backoff", &ty, &generated!(#value), value.span(), &ok, message)
            }
        }
    }
}

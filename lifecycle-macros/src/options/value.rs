//! The value of one option: is it of the wanted kind, and what does it become in the expansion?

use super::grammar::{Key, Wanted};
use super::pauses::{self, Pauses};
use super::singletons::Needed;
use super::units::parse_duration;
use crate::errors::Errors;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use std::time::Duration;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lit, LitStr, Path, UnOp};

/// A value of a kind that was wanted.
pub(crate) enum Value {
    Text(LitStr),
    Count(Count),
    Time(TimeSpan),
    Callable(Expr),
    Path(Path),
    /// The option is on.
    Word,
    Singletons(Vec<Needed>),
    Pauses(Pauses),
}

/// A number of at least 1.
pub(crate) enum Count {
    Literal(u32),
    Const(Expr),
}

/// A length of time above zero.
pub(crate) enum TimeSpan {
    Literal(Duration),
    Const(Expr),
}

/// Input: the expression after `key =` -> Output: the value, or a mistake on it.
pub(super) fn read(key: &Key, value: Expr, errors: &mut Errors) -> Option<Value> {
    let value = bare(value);
    let (name, example) = (key.name, key.example);
    let read = match key.wanted {
        Wanted::Text => match text(&value) {
            Some(text) if text.value().trim().is_empty() => Err(format!("`{name}` is empty: write `{example}`")),
            Some(text) => Ok(Value::Text(text)),
            None => Err(format!("`{name}` is a text in quotes: write `{example}`")),
        },
        Wanted::Count => count(name, example, &value).map(Value::Count),
        Wanted::Seconds | Wanted::Duration => time(key, &value).map(Value::Time),
        Wanted::Callable => match &value {
            Expr::Path(_) | Expr::Closure(_) => Ok(Value::Callable(value.clone())),
            Expr::Call(call) if matches!(*call.func, Expr::Path(_)) => Err(format!(
                "`{name}` takes the function itself, not a call of it: leave the parentheses away, or write a closure around it"
            )),
            _ => Err(format!("`{name}` is a path to a function, or a closure: write `{example}`")),
        },
        Wanted::Path => match &value {
            Expr::Path(path) if path.qself.is_none() => Ok(Value::Path(path.path.clone())),
            _ if text(&value).is_some() => Err(format!("`{name}` is a path: write it without quotes, `{example}`")),
            _ => Err(format!("`{name}` is a path: write `{example}`")),
        },
        Wanted::Pauses => pauses::read(key, &value).map(Value::Pauses),
        Wanted::Scope => match &value {
            Expr::Path(path) if path.path.is_ident("process") => Ok(Value::Word),
            Expr::Path(path) if path.path.is_ident("invocation") => Err(
                "`scope = invocation` arrives with a later version of lifecycle; there is `scope = process`, which is what it is without being said"
                    .to_owned(),
            ),
            _ => Err(format!("`{name}` is `process`: write `{example}`, or leave it away")),
        },
        Wanted::Word => Err(match &value {
            Expr::Lit(ExprLit { lit: Lit::Bool(given), .. }) if !given.value => {
                format!("`{name}` is off unless it is written: leave it away")
            }
            _ => format!("`{name}` takes no value: write the word alone, `{example}`"),
        }),
        Wanted::Singletons => Err(format!("`{name}` takes its list in parentheses, without `=`: write `{example}`")),
    };
    read.map_err(|message| errors.on(&value, message)).ok()
}

fn count(name: &str, example: &str, value: &Expr) -> Result<Count, String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => {
            if !matches!(int.suffix(), "" | "u32") {
                return Err(format!(
                    "`{name}` is a `u32`: write `{}` without the suffix `{}`",
                    int.base10_digits(),
                    int.suffix()
                ));
            }
            match int.base10_parse::<u32>() {
                Ok(0) => Err(format!("`{name}` must be at least 1: write `{example}`")),
                Ok(count) => Ok(Count::Literal(count)),
                Err(_) => Err(format!("`{name}` is too large: at most {} fits", u32::MAX)),
            }
        }
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) => Err(format!("`{name}` is a whole number: write `{example}`")),
        Expr::Lit(_) => Err(format!("`{name}` is a number: write `{example}`")),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            Err(format!("`{name}` cannot be negative: write `{example}`"))
        }
        Expr::Closure(_) => Err(format!("`{name}` is a number or a const expression: write `{example}`")),
        _ => Ok(Count::Const(value.clone())),
    }
}

pub(super) fn time(key: &Key, value: &Expr) -> Result<TimeSpan, String> {
    let (name, example) = (key.name, key.example);
    let duration = match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            parse_duration(&text.value()).map_err(|message| format!("`{name}`: {message}"))?
        }
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => {
            if key.wanted != Wanted::Seconds {
                return Err(format!(
                    "`{name}` needs a unit: write `{name} = \"{}s\"` for seconds",
                    int.base10_digits()
                ));
            }
            if !matches!(int.suffix(), "" | "u64") {
                return Err(format!(
                    "`{name}` is in seconds: write `{}` without the suffix, or a text with a unit, `{name} = \"250ms\"`",
                    int.base10_digits()
                ));
            }
            Duration::from_secs(
                int.base10_parse().map_err(|_| format!("`{name}` is too large: at most {} seconds fit", u64::MAX))?,
            )
        }
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) => {
            return Err(format!("fractions of a second are written with a unit: `{name} = \"250ms\"`"));
        }
        Expr::Lit(_) | Expr::Closure(_) => {
            return Err(format!("`{name}` is a duration: write `{example}`"));
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            return Err(format!("`{name}` cannot be negative: write `{example}`"));
        }
        _ => return Ok(TimeSpan::Const(value.clone())),
    };
    if duration.is_zero() {
        return Err(format!("`{name}` must be longer than zero: write `{example}`"));
    }
    Ok(TimeSpan::Literal(duration))
}

/// The literal behind `"text"`.
pub(super) fn text(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), attrs, .. }) if attrs.is_empty() => Some(text.clone()),
        Expr::Group(group) => text(&group.expr),
        _ => None,
    }
}

/// Values that come through a `macro_rules!` fragment are in an invisible group.
fn bare(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => bare(*group.expr),
        value => value,
    }
}

/// A const that holds an option's expression and checks it: `(declaration, its name)`. A value that cannot work is an error
/// on the expression, and only there: whatever uses the const is silent.
///
/// `const THRESHOLD: u32 = { let value: u32 = LIMIT; assert!(value != 0, ".."); value };`
fn checked_const(
    runtime: &Runtime,
    key: &str,
    ty: &TokenStream,
    value: &TokenStream,
    span: Span,
    ok: &TokenStream,
    message: &str,
) -> (TokenStream, TokenStream) {
    let name = format_ident!("__LIFECYCLE_{}", key.to_uppercase(), span = Span::mixed_site());
    let private = runtime.private_at(span);
    let check = quote_spanned!(span=> #private::core::assert!(#ok, #message););
    let declaration = generated! { const #name: #ty = { let lifecycle_value: #ty = #value; #check lifecycle_value }; };
    (declaration, generated!(#name))
}

impl Count {
    /// Declarations the value needs, and the value, of type `u32`.
    pub(crate) fn tokens(&self, runtime: &Runtime, key: &str) -> (TokenStream, TokenStream) {
        match self {
            Self::Literal(count) => (TokenStream::new(), generated!(#count)),
            Self::Const(value) => {
                let private = runtime.private_at(value.span());
                let ty = quote_spanned!(value.span()=> #private::core::primitive::u32);
                let message = format!("`{key}` must be at least 1");
                checked_const(
                    runtime,
                    key,
                    &ty,
                    &generated!(#value),
                    value.span(),
                    &generated!(lifecycle_value != 0),
                    &message,
                )
            }
        }
    }
}

impl TimeSpan {
    /// Declarations the value needs, and the value, of type `Duration`.
    pub(crate) fn tokens(&self, runtime: &Runtime, key: &str) -> (TokenStream, TokenStream) {
        let private = runtime.private();
        match self {
            Self::Literal(duration) => {
                let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
                (TokenStream::new(), generated!(#private::core::time::Duration::new(#seconds, #nanos)))
            }
            Self::Const(value) => {
                let ty = quote_spanned!(value.span()=> #private::core::time::Duration);
                let private_here = runtime.private_at(value.span());
                let converted = quote_spanned! {value.span()=> #private_here::channel::duration(#value) };
                let message = format!("`{key}` must be longer than zero");
                checked_const(
                    runtime,
                    key,
                    &ty,
                    &converted,
                    value.span(),
                    &generated!(!lifecycle_value.is_zero()),
                    &message,
                )
            }
        }
    }
}

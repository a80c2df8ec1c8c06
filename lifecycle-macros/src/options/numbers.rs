//! Options that are numbers and lengths of time: literals are checked here, const expressions by the compiler.

use super::grammar::{Key, Wanted};
use super::units::parse_duration;
use crate::runtime::{Runtime, generated};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use std::time::Duration;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lit, UnOp};

/// A number of at least 1.
pub(crate) enum Count {
    Literal(u32),
    Const(Expr),
    /// A const expression for a number from 1 to 100.
    Percent(Expr),
}

/// A factor of at least 1.
pub(crate) enum Factor {
    Literal(f64),
    Const(Expr),
}

/// A length of time above zero.
pub(crate) enum TimeSpan {
    Literal(Duration),
    Const(Expr),
    /// A const expression, which may be a bare number of seconds.
    Seconds(Expr),
}

pub(super) fn count(key: &Key, value: &Expr) -> Result<Count, String> {
    let (name, example) = (key.name, key.example);
    let percent = key.wanted == Wanted::Percent;
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
                Ok(count) if percent && count > 100 => {
                    Err(format!("`{name}` is in percent, from 1 to 100: write `{example}`"))
                }
                Ok(count) => Ok(Count::Literal(count)),
                Err(_) => Err(format!("`{name}` is too large: at most {} fits", u32::MAX)),
            }
        }
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) if percent => {
            Err(format!("`{name}` is in whole percent, from 1 to 100: write `{example}`"))
        }
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) => Err(format!("`{name}` is a whole number: write `{example}`")),
        Expr::Lit(_) if percent => Err(format!("`{name}` is a number, in percent: write `{example}`")),
        Expr::Lit(_) => Err(format!("`{name}` is a number: write `{example}`")),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            Err(format!("`{name}` cannot be negative: write `{example}`"))
        }
        Expr::Closure(_) => Err(format!("`{name}` is a number or a const expression: write `{example}`")),
        _ if percent => Ok(Count::Percent(value.clone())),
        _ => Ok(Count::Const(value.clone())),
    }
}

/// A number of at least 1, or any expression for one: what it sees and gives is the compiler's to judge.
pub(super) fn permits(key: &Key, value: &Expr) -> Result<(), String> {
    let (name, example) = (key.name, key.example);
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let text = text.value();
            let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
            let number = if digits { format!("{name} = {text}") } else { format!("{name} = 10") };
            Err(format!(
                "`{name}` is a number, or an expression that sees the arguments: write it without quotes, `{number}` or `{example}`"
            ))
        }
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if int.base10_digits() == "0" => {
            Err(format!("`{name}` must be at least 1: a call that needs no permit needs no limiter"))
        }
        Expr::Closure(_) => Err(format!(
            "`{name}` is an expression, and sees the arguments by their names: write `{example}`, without a closure"
        )),
        value => count(key, value).map(drop),
    }
}

pub(super) fn factor(key: &Key, value: &Expr) -> Result<Factor, String> {
    let (name, example) = (key.name, key.example);
    let literal = match value {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_digits().parse(),
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_digits().parse::<f64>(),
        Expr::Lit(_) | Expr::Closure(_) => return Err(format!("`{name}` is a number: write `{example}`")),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            return Err(format!("`{name}` cannot be negative: write `{example}`"));
        }
        _ => return Ok(Factor::Const(value.clone())),
    };
    match literal {
        Ok(factor) if factor >= 1.0 && factor.is_finite() => Ok(Factor::Literal(factor)),
        _ => Err(format!("`{name}` must be at least 1: write `{example}`")),
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
        _ if key.wanted == Wanted::Seconds => return Ok(TimeSpan::Seconds(value.clone())),
        _ => return Ok(TimeSpan::Const(value.clone())),
    };
    if duration.is_zero() {
        return Err(format!("`{name}` must be longer than zero: write `{example}`"));
    }
    Ok(TimeSpan::Literal(duration))
}

/// A const that holds an option's expression and checks it: `(declaration, its name)`. A value that cannot work is an error
/// on the expression, and only there: whatever uses the const is silent.
///
/// `const THRESHOLD: u32 = { let value: u32 = LIMIT; assert!(value != 0, ".."); value };`
pub(super) fn checked_const(
    runtime: &Runtime,
    key: &str,
    ty: &TokenStream,
    value: &TokenStream,
    span: Span,
    ok: &TokenStream,
    message: &str,
) -> (TokenStream, TokenStream) {
    let name = format_ident!("__LIFECYCLE_{}", key.to_uppercase(), span = Span::mixed_site());
    let value = checked(runtime, ty, value, span, ok, message);
    (generated!(const #name: #ty = #value;), generated!(#name))
}

/// `{ let value: u32 = LIMIT; assert!(value != 0, ".."); value }`
fn checked(
    runtime: &Runtime,
    ty: &TokenStream,
    value: &TokenStream,
    span: Span,
    ok: &TokenStream,
    message: &str,
) -> TokenStream {
    let private = runtime.private_at(span);
    let check = quote_spanned!(span=> #private::core::assert!(#ok, #message););
    generated!({ let lifecycle_value: #ty = #value; #check lifecycle_value })
}

impl Count {
    /// Declarations the value needs, and the value, of type `u32`.
    pub(crate) fn tokens(&self, runtime: &Runtime, key: &str) -> (TokenStream, TokenStream) {
        let (value, ok, message) = match self {
            Self::Literal(count) => return (TokenStream::new(), generated!(#count)),
            Self::Const(value) => (value, generated!(lifecycle_value != 0), format!("`{key}` must be at least 1")),
            Self::Percent(value) => (
                value,
                generated!(lifecycle_value != 0 && lifecycle_value <= 100),
                format!("`{key}` is in percent, from 1 to 100"),
            ),
        };
        let private = runtime.private_at(value.span());
        let ty = quote_spanned!(value.span()=> #private::core::primitive::u32);
        checked_const(runtime, key, &ty, &generated!(#value), value.span(), &ok, &message)
    }
}

impl Factor {
    /// Declarations the value needs, and the value, of type `f64`.
    pub(crate) fn tokens(&self, runtime: &Runtime, key: &str) -> (TokenStream, TokenStream) {
        match self {
            Self::Literal(factor) => (TokenStream::new(), generated!(#factor)),
            Self::Const(value) => {
                let private = runtime.private_at(value.span());
                let ty = quote_spanned!(value.span()=> #private::core::primitive::f64);
                let ok = generated!(lifecycle_value >= 1.0 && lifecycle_value <= #private::core::primitive::f64::MAX);
                let message = format!("`{key}` must be at least 1");
                checked_const(runtime, key, &ty, &generated!(#value), value.span(), &ok, &message)
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
            Self::Const(value) | Self::Seconds(value) => {
                let (ty, converted, ok, message) = self.parts(value, runtime, key);
                checked_const(runtime, key, &ty, &converted, value.span(), &ok, &message)
            }
        }
    }

    /// The value where it is used: there it may be an associated const of a generic type.
    pub(crate) fn in_place(&self, runtime: &Runtime, key: &str) -> TokenStream {
        match self {
            Self::Literal(_) => self.tokens(runtime, key).1,
            Self::Const(value) | Self::Seconds(value) => {
                let (ty, converted, ok, message) = self.parts(value, runtime, key);
                let value = checked(runtime, &ty, &converted, value.span(), &ok, &message);
                generated!(const #value)
            }
        }
    }

    /// The type of a const expression, its value as that, what is asserted of it, and what is said otherwise.
    fn parts(&self, value: &Expr, runtime: &Runtime, key: &str) -> (TokenStream, TokenStream, TokenStream, String) {
        let here = runtime.private_at(value.span());
        let ty = quote_spanned!(value.span()=> #here::core::time::Duration);
        let by = if matches!(self, Self::Seconds(_)) { "seconds" } else { "duration" };
        let by = Ident::new(by, value.span());
        let converted = quote_spanned!(value.span()=> #here::channel::#by(#value));
        (ty, converted, generated!(!lifecycle_value.is_zero()), format!("`{key}` must be longer than zero"))
    }
}

//! The calls that rates look at: `"100 calls"`, `"10s"`.

use super::grammar::Key;
use super::numbers::checked_const;
use super::units::parse_duration;
use super::value::text;
use crate::runtime::{Runtime, generated};
use proc_macro2::TokenStream;
use quote::quote_spanned;
use std::time::Duration;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lit};

/// The most calls of which a breaker keeps the outcome, two bits a call.
const MOST_CALLS: u32 = 1 << 20;

/// Which calls.
pub(crate) enum CallWindow {
    /// The last so many.
    Calls(u32),
    /// Those of the last so much time.
    Time(Duration),
    /// A const expression of type `Window`.
    Const(Expr),
}

/// Input: `"100 calls"`, `"10s"`, `Window::Calls(MOST)`
pub(super) fn read(key: &Key, value: &Expr) -> Result<CallWindow, String> {
    let (name, example) = (key.name, key.example);
    if let Some(text) = text(value) {
        return parse(&text.value()).map_err(|message| format!("`{name}`: {message}"));
    }
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => {
            let number = int.base10_digits();
            Err(format!("`{name}` needs a unit: write `{name} = \"{number} calls\"` or `{name} = \"{number}s\"`"))
        }
        Expr::Lit(_) | Expr::Closure(_) | Expr::Unary(_) => {
            Err(format!("`{name}` is a number of calls or a length of time: write `{example}` or `{name} = \"10s\"`"))
        }
        _ => Ok(CallWindow::Const(value.clone())),
    }
}

fn parse(text: &str) -> Result<CallWindow, String> {
    let text = text.trim();
    let number = text.strip_suffix("calls").or_else(|| text.strip_suffix("call")).map(str::trim_end);
    let Some(number) = number else {
        if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '_') {
            return Err(format!("`{text}` has no unit: write \"{text} calls\", or \"{text}s\" for seconds"));
        }
        let length =
            parse_duration(text).map_err(|message| format!("{message}; or a number of calls, \"100 calls\""))?;
        return if length.is_zero() {
            Err("a window of no time holds no call: write \"10s\"".to_owned())
        } else {
            Ok(CallWindow::Time(length))
        };
    };
    let digits = number.replace('_', "");
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return Err(format!("`{number}` is not a whole number: write how many calls, \"100 calls\""));
    }
    match digits.parse().unwrap_or(u32::MAX) {
        0 => Err("a window of no calls holds none: write \"100 calls\"".to_owned()),
        calls if calls > MOST_CALLS => Err(format!("at most {MOST_CALLS} calls fit: write fewer, or a time, \"10s\"")),
        calls => Ok(CallWindow::Calls(calls)),
    }
}

impl CallWindow {
    /// Declarations the value needs, and the value, of type `Window`.
    pub(crate) fn tokens(&self, runtime: &Runtime, key: &str) -> (TokenStream, TokenStream) {
        let private = runtime.private();
        match self {
            Self::Calls(calls) => (TokenStream::new(), generated!(#private::Window::Calls(#calls))),
            Self::Time(length) => {
                let (seconds, nanos) = (length.as_secs(), length.subsec_nanos());
                let length = generated!(#private::core::time::Duration::new(#seconds, #nanos));
                (TokenStream::new(), generated!(#private::Window::Time(#length)))
            }
            Self::Const(value) => {
                let here = runtime.private_at(value.span());
                let ty = quote_spanned!(value.span()=> #here::Window);
                let ok = generated!(#private::channel::is_window(&lifecycle_value));
                let message = format!("`{key}` must hold at least one call and at most {MOST_CALLS}");
                checked_const(runtime, key, &ty, &generated!(#value), value.span(), &ok, &message)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_calls_or_a_time() {
        for (text, calls) in [("100 calls", 100), ("1 call", 1), ("1_000calls", 1000), (" 1048576 calls ", 1 << 20)] {
            assert!(matches!(parse(text), Ok(CallWindow::Calls(given)) if given == calls), "{text}");
        }
        for (text, seconds) in [("10s", 10), ("5m", 300), ("1 h", 3600)] {
            assert!(matches!(parse(text), Ok(CallWindow::Time(given)) if given.as_secs() == seconds), "{text}");
        }
        for text in ["", "100", "0 calls", "calls", "-1 calls", "1.5 calls", "1048577 calls", "0s", "10", "ten calls"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

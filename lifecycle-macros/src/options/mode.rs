//! What a limiter promises, if it is another thing than its exact window: `gcra(burst = 10)`.

use super::Options;
use super::grammar::{Grammar, Key, Wanted};
use super::numbers::Count;
use super::value::text;
use crate::errors::Errors;
use quote::ToTokens as _;
use syn::{Expr, ExprLit, ExprPath, Lit};

const WORD: &str = "gcra";

const GRAMMAR: Grammar = Grammar {
    name: "gcra(..)",
    leading: None,
    positional: None,
    keys: &[Key { name: "burst", wanted: Wanted::Count, example: "burst = 10" }],
    later: &[],
    teaches: &[
        ("limit", "the mean rate is the limiter's own, as in `#[rate_limit(\"100/s\", mode = gcra(burst = 10))]`"),
        ("rate", "the mean rate is the limiter's own, as in `#[rate_limit(\"100/s\", mode = gcra(burst = 10))]`"),
        ("max_burst", "write `burst = 10`"),
        ("capacity", "write `burst = 10`"),
    ],
};

/// A mean rate with bursts.
pub(crate) struct Gcra {
    /// Permits that can be had at once.
    pub(crate) burst: Count,
}

/// Input: `gcra(burst = 10)`
pub(super) fn read(key: &Key, value: &Expr, errors: &mut Errors) -> Option<Gcra> {
    let example = key.example;
    match value {
        Expr::Call(call) if is_word(&call.func) => {
            if let (Some(Expr::Lit(ExprLit { lit: Lit::Int(burst), .. })), 1) = (call.args.first(), call.args.len()) {
                errors.on(burst, format!("say what the number is: write `gcra(burst = {burst})`"));
                return None;
            }
            let mut options = Options::parse(call.args.to_token_stream(), &GRAMMAR, errors);
            if let Some(burst) = options.count("burst") {
                return Some(Gcra { burst });
            }
            // Where something was written, that is what is wrong.
            if call.args.is_empty() {
                errors.on(value, format!("how many permits can be had at once? write `{example}`"));
            }
        }
        _ => errors.on(value, other(key, value)),
    }
    None
}

fn is_word(value: &Expr) -> bool {
    matches!(value, Expr::Path(ExprPath { path, .. }) if path.is_ident(WORD))
}

/// What to say about anything else.
fn other(key: &Key, value: &Expr) -> String {
    let (name, example) = (key.name, key.example);
    let called = match value {
        Expr::Call(call) => &*call.func,
        value => value,
    };
    let given = match (called, text(value)) {
        (_, Some(text)) => text.value(),
        (Expr::Path(ExprPath { path, .. }), _) => path.get_ident().map(ToString::to_string).unwrap_or_default(),
        _ => String::new(),
    };
    match &*given {
        WORD if text(value).is_some() => format!("`{name}` is a word: write it without quotes, `{example}`"),
        WORD => format!("how many permits can be had at once? write `{example}`"),
        "exact" | "sliding_window" | "sliding_window_log" | "sliding_log" | "sliding" | "log" => {
            format!("an exact sliding window is what it is without being said: leave `{name}` away")
        }
        "fixed_window" | "fixed" | "window" => format!(
            "a fixed window would let twice the limit pass at its edges: leave `{name}` away for an exact sliding one"
        ),
        "token_bucket" | "leaky_bucket" | "bucket" | "smooth" | "bursty" => format!(
            "a mean rate with bursts is `{WORD}` here, which needs nobody to fill a bucket: write `{example}`; without `{name}` the window is exact"
        ),
        _ => {
            format!("the mode there is beside the exact window is `{WORD}`: write `{example}`, or leave `{name}` away")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { name: "mode", wanted: Wanted::Mode, example: "mode = gcra(burst = 10)" };

    fn read(value: &str) -> Result<Gcra, String> {
        let mut errors = Errors::default();
        let read = super::read(&KEY, &syn::parse_str(value).unwrap(), &mut errors);
        read.ok_or_else(|| errors.messages().join("\n"))
    }

    #[test]
    fn the_mode_has_a_burst() {
        assert!(matches!(read("gcra(burst = 10)"), Ok(Gcra { burst: Count::Literal(10) })));
        assert!(matches!(read("gcra(burst = BURST)"), Ok(Gcra { burst: Count::Const(_) })));
    }

    #[test]
    fn slips_are_told_what_to_write() {
        for (value, says) in [
            ("gcra", "how many permits can be had at once?"),
            ("gcra()", "how many permits can be had at once?"),
            ("gcra(10)", "write `gcra(burst = 10)`"),
            ("gcra(burst = 0)", "`burst` must be at least 1"),
            ("gcra(burst = \"10\")", "`burst` is a number"),
            ("gcra(capacity = 10)", "write `burst = 10`"),
            ("\"gcra\"", "without quotes, `mode = gcra(burst = 10)`"),
            ("token_bucket", "a mean rate with bursts is `gcra` here"),
            ("token_bucket(capacity = 3)", "write `mode = gcra(burst = 10)`"),
            ("sliding_window", "leave `mode` away"),
            ("fixed_window", "twice the limit"),
            ("3", "or leave `mode` away"),
        ] {
            let message = read(value).err().unwrap_or_default();
            assert!(message.contains(says), "{value}: {message}");
        }
    }
}

//! What becomes of a call for which there is no permit now: `reject`, `wait("50ms")`.

use super::grammar::{Key, Wanted};
use super::numbers::{TimeSpan, time};
use super::suggest::closest;
use super::value::text;
use crate::errors::Errors;
use quote::ToTokens;
use syn::{Expr, ExprLit, ExprPath, Lit};

const WORDS: [&str; 2] = ["reject", "wait"];

/// What `wait` takes, for its messages.
const WAIT: Key = Key { name: "wait", wanted: Wanted::Duration, example: "on_limit = wait(\"50ms\")" };

/// What becomes of it.
pub(crate) struct OnLimit {
    written: Expr,
    /// How long it waits at most; `None`: it is refused.
    pub(crate) wait: Option<TimeSpan>,
}

/// As it was written.
impl ToTokens for OnLimit {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        self.written.to_tokens(tokens);
    }
}

/// Input: `reject`, `wait("50ms")`, `wait(MAX)`
pub(super) fn read(key: &Key, value: &Expr, errors: &mut Errors) -> Option<OnLimit> {
    let (name, example) = (key.name, key.example);
    let wait = match value {
        Expr::Call(call) if word(&call.func).as_deref() == Some("wait") => {
            let mut arguments = call.args.iter();
            match (arguments.next(), arguments.next()) {
                (Some(max), None) => match longest(max) {
                    Ok(max) => Some(max),
                    Err(message) => {
                        errors.on(max, message);
                        return None;
                    }
                },
                (None, _) => {
                    errors.on(value, format!("how long may a call wait at most? write `{example}`"));
                    return None;
                }
                (_, Some(second)) => {
                    errors.on(second, format!("`wait` takes one time, the longest: write `{example}`"));
                    return None;
                }
            }
        }
        _ if word(value).as_deref() == Some("reject") => None,
        _ => {
            errors.on(value, other(name, example, value));
            return None;
        }
    };
    Some(OnLimit { written: value.clone(), wait })
}

/// The word that the expression is.
fn word(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(ExprPath { path, .. }) => path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// Input: `"50ms"`, `MAX`
fn longest(max: &Expr) -> Result<TimeSpan, String> {
    match max {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => {
            let number = int.base10_digits();
            Err(format!("`wait` needs a unit: write `wait(\"{number}ms\")` or `wait(\"{number}s\")`"))
        }
        Expr::Lit(ExprLit { lit: Lit::Float(_), .. }) => {
            Err("fractions of a second are written with a unit: `wait(\"250ms\")`".to_owned())
        }
        Expr::Assign(assign) => {
            let value = assign.right.to_token_stream();
            Err(format!("`wait` takes the longest time alone: write `wait({value})`"))
        }
        // Of other consts the compiler tells, but only when it builds.
        Expr::Path(ExprPath { path, .. }) if path.segments.last().is_some_and(|last| last.ident == "ZERO") => {
            Err(format!("`wait` must be longer than zero: write `{}`, or `on_limit = reject`", WAIT.example))
        }
        max => time(&WAIT, max),
    }
}

/// What to say about anything else.
fn other(name: &str, example: &str, value: &Expr) -> String {
    let all = || format!("write `{name} = reject`, which it is without being said, or `{example}`");
    if let Some(text) = text(value) {
        let text = text.value();
        return match text.trim() {
            "reject" => format!("`{name}` is a word: write it without quotes, `{name} = reject`"),
            text if text.starts_with("wait") => {
                format!(
                    "`{name}` is a word, and `wait` says how long at most: write `{example}`, only the time in quotes"
                )
            }
            text if text.starts_with(|first: char| first.is_ascii_digit()) => {
                format!("how long a call may wait is written `{name} = wait(\"{text}\")`")
            }
            _ => format!("`{name}` is a word: {}", all()),
        };
    }
    match value {
        Expr::Call(call) if word(&call.func).as_deref() == Some("reject") => {
            format!(
                "`reject` takes nothing: write `{name} = reject`; what a refused call gives is `on_rejected` or `fallback`"
            )
        }
        Expr::Path(_) if word(value).as_deref() == Some("wait") => {
            format!("how long may a call wait at most? write `{example}`")
        }
        Expr::Lit(_) => format!("how long a call may wait has a unit: write `{example}`"),
        Expr::Closure(_) => {
            format!(
                "what a refused call gives is `on_rejected = |rejected| ..`; `{name}` says whether it waits: {}",
                all()
            )
        }
        Expr::Call(call) => unknown(name, word(&call.func), &all()),
        _ => unknown(name, word(value), &all()),
    }
}

fn unknown(name: &str, given: Option<String>, all: &str) -> String {
    let Some(given) = given else { return format!("`{name}` says whether a call waits: {all}") };
    if !given.contains(char::is_lowercase) {
        return format!("how long a call may wait is written `{name} = wait({given})`");
    }
    let meant = match &*given {
        "block" | "sleep" | "delay" | "queue" | "park" | "pause" => Some("wait"),
        "error" | "fail" | "refuse" | "deny" | "drop" => Some("reject"),
        other => closest(other, WORDS.into_iter()),
    };
    let meant = meant.map_or_else(|| ";".to_owned(), |meant| format!(", did you mean `{meant}`?"));
    format!("`{given}` is no value of `{name}`{meant} {all}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { name: "on_limit", wanted: Wanted::OnLimit, example: "on_limit = wait(\"50ms\")" };

    fn read(value: &str) -> Result<Option<TimeSpan>, String> {
        let mut errors = Errors::default();
        let read = super::read(&KEY, &syn::parse_str(value).unwrap(), &mut errors);
        read.map(|on_limit| on_limit.wait).ok_or_else(|| errors.messages().join("\n"))
    }

    #[test]
    fn a_call_is_refused_or_waits() {
        assert!(matches!(read("reject"), Ok(None)));
        assert!(matches!(read("wait(\"50ms\")"), Ok(Some(TimeSpan::Literal(max))) if max.as_millis() == 50));
        assert!(matches!(read("wait(MAX)"), Ok(Some(TimeSpan::Const(_)))));
    }

    #[test]
    fn slips_are_told_what_to_write() {
        for (value, says) in [
            ("\"wait\"", "only the time in quotes"),
            ("\"reject\"", "without quotes, `on_limit = reject`"),
            ("\"50ms\"", "`on_limit = wait(\"50ms\")`"),
            ("wait", "how long may a call wait at most?"),
            ("wait()", "how long may a call wait at most?"),
            ("wait(50)", "`wait(\"50ms\")` or `wait(\"50s\")`"),
            ("wait(0.5)", "`wait(\"250ms\")`"),
            ("wait(\"50\")", "`50` has no unit"),
            ("wait(\"0s\")", "must be longer than zero"),
            ("wait(Duration::ZERO)", "must be longer than zero"),
            ("wait(-1)", "cannot be negative"),
            ("wait(\"1s\", 3)", "`wait` takes one time"),
            ("wait(max = \"1s\")", "write `wait(\"1s\")`"),
            ("50", "has a unit"),
            ("MAX", "`on_limit = wait(MAX)`"),
            ("block(\"1s\")", "`block` is no value of `on_limit`, did you mean `wait`? write"),
            ("rejct", "did you mean `reject`?"),
            ("none", "`none` is no value of `on_limit`; write"),
            ("reject(\"x\")", "`on_rejected` or `fallback`"),
            ("|r| None", "`on_rejected = |rejected| ..`"),
            ("a.b", "says whether a call waits"),
        ] {
            let message = read(value).err().unwrap_or_default();
            assert!(message.contains(says), "{value}: {message}");
        }
    }
}

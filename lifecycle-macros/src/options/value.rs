//! The value of one option: is it of the wanted kind, and what does it become in the expansion?

use super::backoff::{self, Backoff};
use super::grammar::{Key, Wanted};
use super::mode::{self, Gcra};
use super::numbers::{self, Count, Factor, TimeSpan};
use super::on_limit::{self, OnLimit};
use super::pauses::{self, Pauses};
use super::singletons::Needed;
use super::suggest::closest;
use super::window::{self, CallWindow};
use crate::errors::Errors;
use proc_macro2::Ident;
use syn::{Expr, ExprLit, Lit, LitStr, Path};

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
    Factor(Factor),
    Window(CallWindow),
    Backoff(Backoff),
    OnLimit(OnLimit),
    Mode(Gcra),
    /// One of the words there are.
    Chosen(Ident),
    Expression(Expr),
}

/// Input: the expression after `key =` -> Output: the value, or a mistake on it.
pub(super) fn read(key: &Key, value: Expr, errors: &mut Errors) -> Option<Value> {
    let value = bare(value);
    let (name, example) = (key.name, key.example);
    if let Some(message) = off(key, &value) {
        errors.on(&value, message);
        return None;
    }
    let read = match key.wanted {
        Wanted::Text => match text(&value) {
            Some(text) if text.value().trim().is_empty() => Err(format!("`{name}` is empty: write `{example}`")),
            Some(text) => Ok(Value::Text(text)),
            None => Err(format!("`{name}` is a text in quotes: write `{example}`")),
        },
        Wanted::Count | Wanted::Percent => numbers::count(key, &value).map(Value::Count),
        Wanted::Factor => numbers::factor(key, &value).map(Value::Factor),
        Wanted::Seconds | Wanted::Duration => numbers::time(key, &value).map(Value::Time),
        Wanted::Window => window::read(key, &value).map(Value::Window),
        // A list has mistakes of its own, each in its place.
        Wanted::Backoff => return backoff::read(key, &value, errors).map(Value::Backoff),
        Wanted::OnLimit => return on_limit::read(key, &value, errors).map(Value::OnLimit),
        Wanted::Mode => return mode::read(key, &value, errors).map(Value::Mode),
        Wanted::Permits => numbers::permits(key, &value).map(|()| Value::Expression(value.clone())),
        Wanted::OneOf(words) => one_of(key, words, &value).map(Value::Chosen),
        Wanted::Expression => match &value {
            Expr::Lit(_) => {
                let quotes = if text(&value).is_some() { ", without quotes" } else { "" };
                Err(format!(
                    "`{name}` is an expression that sees the arguments, and this is the same for every call: write `{example}`{quotes}"
                ))
            }
            Expr::Closure(_) => Err(format!(
                "`{name}` is an expression that sees the arguments by their names, and no closure: write `{example}`"
            )),
            _ => Ok(Value::Expression(value.clone())),
        },
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

/// What to say to `threshold = off`: in an attribute nothing is there to be taken away.
fn off(key: &Key, value: &Expr) -> Option<String> {
    let (name, example) = (key.name, key.example);
    let is_number = matches!(
        key.wanted,
        Wanted::Count | Wanted::Percent | Wanted::Seconds | Wanted::Duration | Wanted::Window | Wanted::Backoff
    );
    let is_off = match value {
        Expr::Lit(ExprLit { lit: Lit::Bool(given), .. }) => !given.value,
        // The name of a const is not in small letters.
        Expr::Path(path) => path.path.get_ident().is_some_and(|word| word == "off" || word == "none" || word == "None"),
        value => text(value).is_some_and(|text| matches!(&*text.value().to_lowercase(), "off" | "false" | "none")),
    };
    match key.wanted {
        _ if !is_number || !is_off => None,
        Wanted::Percent | Wanted::Backoff => Some(format!("`{name}` is off unless it is written: leave it away")),
        _ if name == "threshold" => Some(format!(
            "`{name}` is off beside `failure_rate` or `slow_call_rate`, unless it is written: give one of them and leave `{name}` \
             away (with no rule at all nothing would open the breaker)"
        )),
        _ => Some(format!("`{name}` cannot be off: write `{example}`, or leave it away for its default")),
    }
}

fn one_of(key: &Key, words: &[&str], value: &Expr) -> Result<Ident, String> {
    let name = key.name;
    let all = || words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let word = match value {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    };
    let Some(word) = word else {
        let quoted = text(value).filter(|text| words.contains(&&*text.value()));
        return Err(match quoted {
            Some(text) => format!("`{name}` is a word: write it without quotes, `{name} = {}`", text.value()),
            None => format!("`{name}` is one of {}: write `{}`", all(), key.example),
        });
    };
    let given = word.to_string();
    if words.contains(&&*given) {
        return Ok(word.clone());
    }
    let meant =
        closest(&given, words.iter().copied()).map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"));
    Err(format!("`{given}` is no value of `{name}`{meant}; there are: {}", all()))
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

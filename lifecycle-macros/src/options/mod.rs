//! The one parser for the options of all macros: `key = value, word, key(list), ..`.
//!
//! It never stops at the first mistake, and puts each on its own token. What the keys are is data: a [`Grammar`] a macro.

mod backoff;
mod grammar;
mod mode;
mod numbers;
mod on_limit;
mod pauses;
mod positional;
mod singletons;
mod suggest;
mod units;
mod value;
mod window;
mod written;

pub(crate) use backoff::Backoff;
pub(crate) use grammar::{Grammar, Key, Positional, Wanted};
pub(crate) use mode::Gcra;
pub(crate) use numbers::{Count, TimeSpan};
pub(crate) use on_limit::OnLimit;
pub(crate) use pauses::Pauses;
pub(crate) use singletons::Needed;
pub(crate) use suggest::closest;
pub(crate) use units::{Rate, parse_rate};
pub(crate) use value::Value;
pub(crate) use window::CallWindow;

use crate::errors::Errors;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, LitStr, Path, Token};
use written::Written;

/// The options of one use, each with a value of the wanted kind.
#[derive(Default)]
pub(crate) struct Options {
    /// The value without a key, first: `#[rate_limit("100/s")]`.
    pub(crate) leading: Option<LitStr>,
    /// A component declared elsewhere, first: `#[circuit_breaker(HA)]`.
    pub(crate) positional: Option<Expr>,
    given: Vec<Given>,
    seen: Vec<(&'static str, String)>,
}

struct Given {
    key: &'static str,
    ident: Ident,
    value: Value,
}

impl Options {
    /// Reads the tokens in the attribute's parentheses; mistakes go to `errors`, the rest is usable.
    pub(crate) fn parse(tokens: TokenStream, grammar: &Grammar, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let read = |input: ParseStream<'_>| {
            options.read(input, grammar, errors);
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            errors.push(error);
        }
        options
    }

    fn read(&mut self, input: ParseStream<'_>, grammar: &Grammar, errors: &mut Errors) {
        let mut first = true;
        while !input.is_empty() {
            if let Ok(comma) = input.parse::<Token![,]>() {
                errors.on(comma, "unexpected comma: an option is missing before it");
                continue;
            }
            if grammar.positional.is_some() && positional::begins(input, first, grammar) {
                self.component(input, first, grammar, errors);
            } else if input.peek(Ident::peek_any) && !input.peek(syn::Lit) {
                self.option(input, grammar, errors);
            } else {
                self.keyless(input, first, grammar, errors);
            }
            first = false;
            if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                let next: Option<TokenTree> = input.fork().parse().ok();
                errors.on(next, "expected `,` before this");
                if !at_option(input) {
                    skip_to_next(input);
                    let _ = input.parse::<Token![,]>();
                }
            }
        }
    }

    /// One option, and the ways to get it wrong.
    fn option(&mut self, input: ParseStream<'_>, grammar: &Grammar, errors: &mut Errors) {
        let Ok(ident) = input.call(Ident::parse_any) else {
            return;
        };
        let name = ident.unraw().to_string();
        let key = grammar.key(&name);
        let written = Written::read(input, key.is_some_and(|key| key.wanted == Wanted::Word));
        // The value of an unknown key is not a second mistake.
        let Some(key) = key else {
            errors.on(&ident, grammar.unknown(&name));
            return;
        };
        let shown = written.shown(&name);
        if let Some((_, earlier)) = self.seen.iter().find(|(seen, _)| *seen == key.name) {
            errors.on(&ident, format!("`{name}` is given twice; the first is `{earlier}`"));
            return;
        }
        self.seen.push((key.name, shown));
        if let Some(value) = written.value(key, &ident, errors) {
            self.given.push(Given { key: key.name, ident, value });
        }
    }

    /// A component declared elsewhere: right only as the first, and beside no rate.
    fn component(&mut self, input: ParseStream<'_>, first: bool, grammar: &Grammar, errors: &mut Errors) {
        let Some(positional) = &grammar.positional else { return };
        match expression(input) {
            Ok(value) if first => self.positional = Some(value),
            Ok(value) if self.leading.is_some() => {
                errors.on(
                    value,
                    format!("a rate makes {} of this function's own: leave one of the two away", positional.what),
                );
            }
            Ok(value) => {
                let (name, what, example) = (grammar.name, positional.what, positional.example);
                errors.on(
                    value,
                    format!("{what} declared elsewhere comes first and once: write `#[{name}({example}, ..)]`"),
                );
            }
            Err((skipped, _)) => errors.on(skipped, format!("expected `key = value`; {}", grammar.allowed())),
        }
    }

    /// A value without a key: right only as the first one, where the macro takes one.
    fn keyless(&mut self, input: ParseStream<'_>, first: bool, grammar: &Grammar, errors: &mut Errors) {
        let value = match expression(input) {
            Ok(value) => value,
            Err((skipped, _)) => {
                errors.on(skipped, format!("expected `key = value`; {}", grammar.allowed()));
                return;
            }
        };
        match (grammar.leading, value::text(&value)) {
            (Some(_), Some(text)) if first => self.leading = Some(text),
            (Some(_), Some(_)) if self.positional.is_some() => {
                errors.on(value, "the rate belongs to the limiter itself: write it where that is declared");
            }
            (Some(leading), Some(_)) => {
                errors.on(value, format!("the rate comes first and once: write `#[{}({leading})]`", grammar.name));
            }
            (Some(leading), None) => {
                errors.on(value, format!("expected a rate in quotes: write `#[{}({leading})]`", grammar.name));
            }
            (None, _) => errors.on(value, format!("expected `key = value`; {}", grammar.allowed())),
        }
    }

    fn take(&mut self, key: &str) -> Option<(Ident, Value)> {
        let at = self.given.iter().position(|given| given.key == key)?;
        let Given { ident, value, .. } = self.given.remove(at);
        Some((ident, value))
    }

    /// The key's own token, for mistakes that concern several options.
    pub(crate) fn ident(&self, key: &str) -> Option<&Ident> {
        self.given.iter().find(|given| given.key == key).map(|given| &given.ident)
    }

    /// A callable's tokens, where it stays.
    pub(crate) fn callable_tokens(&self, key: &str) -> Option<TokenStream> {
        self.given.iter().find(|given| given.key == key).and_then(|given| match &given.value {
            Value::Callable(callable) => Some(callable.to_token_stream()),
            _ => None,
        })
    }

    /// A list's items, where they stay.
    pub(crate) fn listed(&self, key: &str) -> &[Needed] {
        let list = self.given.iter().find(|given| given.key == key).map(|given| &given.value);
        if let Some(Value::Singletons(listed)) = list { listed } else { &[] }
    }

    /// The keys' own tokens, in the order in which they were written.
    pub(crate) fn idents(&self) -> impl Iterator<Item = &Ident> {
        self.given.iter().map(|given| &given.ident)
    }

    /// Whether the key was written, be it with a wrong value.
    pub(crate) fn mentions(&self, key: &str) -> bool {
        self.seen.iter().any(|(seen, _)| *seen == key)
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<LitStr> {
        match self.take(key)?.1 {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn count(&mut self, key: &str) -> Option<Count> {
        match self.take(key)?.1 {
            Value::Count(count) => Some(count),
            _ => None,
        }
    }

    pub(crate) fn time(&mut self, key: &str) -> Option<TimeSpan> {
        match self.take(key)?.1 {
            Value::Time(time) => Some(time),
            _ => None,
        }
    }

    pub(crate) fn callable(&mut self, key: &str) -> Option<Expr> {
        match self.take(key)?.1 {
            Value::Callable(callable) => Some(callable),
            _ => None,
        }
    }

    /// Whether the word was written.
    pub(crate) fn word(&mut self, key: &str) -> bool {
        matches!(self.take(key), Some((_, Value::Word)))
    }

    pub(crate) fn singletons(&mut self, key: &str) -> Vec<Needed> {
        match self.take(key) {
            Some((_, Value::Singletons(singletons))) => singletons,
            _ => Vec::new(),
        }
    }

    pub(crate) fn pauses(&mut self, key: &str) -> Option<Pauses> {
        match self.take(key)?.1 {
            Value::Pauses(pauses) => Some(pauses),
            _ => None,
        }
    }

    pub(crate) fn window(&mut self, key: &str) -> Option<CallWindow> {
        match self.take(key)?.1 {
            Value::Window(window) => Some(window),
            _ => None,
        }
    }

    pub(crate) fn backoff(&mut self, key: &str) -> Option<Backoff> {
        match self.take(key)?.1 {
            Value::Backoff(backoff) => Some(backoff),
            _ => None,
        }
    }

    pub(crate) fn on_limit(&mut self, key: &str) -> Option<OnLimit> {
        match self.take(key)?.1 {
            Value::OnLimit(on_limit) => Some(on_limit),
            _ => None,
        }
    }

    pub(crate) fn mode(&mut self, key: &str) -> Option<Gcra> {
        match self.take(key)?.1 {
            Value::Mode(mode) => Some(mode),
            _ => None,
        }
    }

    /// The word that was chosen, and where it stands.
    /// Has that word been chosen?
    pub(crate) fn chooses(&self, key: &str, word: &str) -> bool {
        let chosen = self.given.iter().find(|given| given.key == key).map(|given| &given.value);
        matches!(chosen, Some(Value::Chosen(chosen)) if chosen == word)
    }

    pub(crate) fn chosen(&mut self, key: &str) -> Option<Ident> {
        match self.take(key)?.1 {
            Value::Chosen(word) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn expression(&mut self, key: &str) -> Option<Expr> {
        match self.take(key)?.1 {
            Value::Expression(expression) => Some(expression),
            _ => None,
        }
    }

    /// The value, where it stays.
    pub(crate) fn look(&self, key: &str) -> Option<&Value> {
        self.given.iter().find(|given| given.key == key).map(|given| &given.value)
    }

    pub(crate) fn path(&mut self, key: &str) -> Option<Path> {
        match self.take(key)?.1 {
            Value::Path(path) => Some(path),
            _ => None,
        }
    }
}

/// One expression; when there is none, what was skipped instead: the input then stands before the next option.
fn expression(input: ParseStream<'_>) -> Result<Expr, (TokenStream, syn::Error)> {
    let ahead = input.fork();
    match ahead.parse::<Expr>() {
        Ok(value) => {
            input.advance_to(&ahead);
            Ok(value)
        }
        Err(error) => Err((skip_to_next(input), error)),
    }
}

/// Whether an option begins here: `word =`, `word(`, or a word alone.
fn at_option(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.call(Ident::parse_any).is_ok()
        && (ahead.is_empty() || ahead.peek(Token![=]) || ahead.peek(Token![,]) || ahead.peek(syn::token::Paren))
}

/// Skips to the comma before the next option, or to the end.
fn skip_to_next(input: ParseStream<'_>) -> TokenStream {
    let mut skipped = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        match input.parse::<TokenTree>() {
            Ok(token) => skipped.extend([token]),
            Err(_) => break,
        }
    }
    skipped
}

#[cfg(test)]
mod tests;

//! What the options of a macro are, as data, and what to say about words that are none.

use super::suggest::closest;
use crate::{circuit_breaker, init_flag, rate_limit, singleton};

/// The options of one macro.
pub(crate) struct Grammar {
    /// The macro's name, without `#[]`; that of a list within an attribute, with its `(..)`.
    pub(crate) name: &'static str,
    /// The text without a key that comes first, as an example.
    pub(crate) leading: Option<&'static str>,
    /// The component that may be named instead of described, first.
    pub(crate) positional: Option<Positional>,
    pub(crate) keys: &'static [Key],
    /// Options of the design that this version does not have yet.
    pub(crate) later: &'static [&'static str],
    /// Words people try, and what to say to them.
    pub(crate) teaches: &'static [(&'static str, &'static str)],
}

/// A component that was declared elsewhere: `#[circuit_breaker(HA)]`.
pub(crate) struct Positional {
    pub(crate) example: &'static str,
    /// What it is, with its article.
    pub(crate) what: &'static str,
}

/// One option.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) wanted: Wanted,
    /// What one could write, for messages.
    pub(crate) example: &'static str,
}

/// The kinds of values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A string literal.
    Text,
    /// A whole number of at least 1, or a const expression for one.
    Count,
    /// A whole number from 1 to 100, or a const expression for one.
    Percent,
    /// A number of at least 1, or a const expression for one.
    Factor,
    /// A duration; a bare number is seconds.
    Seconds,
    /// A duration in quotes, with its unit.
    Duration,
    /// A path to a function, or a closure.
    Callable,
    /// A path.
    Path,
    /// Nothing: the word says it all.
    Word,
    /// Other singletons, in parentheses.
    Singletons,
    /// A pause after failures, or how it grows: `"100ms"`, `"100ms..10s"`.
    Pauses,
    /// The calls that rates look at: `"100 calls"`, `"10s"`.
    Window,
    /// How a time grows: `exponential`, `exponential(factor = 2)`.
    Backoff,
    /// Permits of a call: a number of at least 1, or an expression for one that sees the arguments.
    Permits,
    /// What becomes of a call without a permit: `reject`, `wait("50ms")`.
    OnLimit,
    /// What a limiter promises: `gcra(burst = 10)`.
    Mode,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Any expression.
    Expression,
}

/// All grammars, so that each macro knows the words of the others.
const FAMILY: [&Grammar; 4] =
    [&singleton::GRAMMAR, &circuit_breaker::GRAMMAR, &rate_limit::GRAMMAR, &init_flag::GRAMMAR];

impl Grammar {
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// `#[circuit_breaker]`, `exponential(..)`
    pub(super) fn shown(&self) -> String {
        if self.name.ends_with(')') { format!("`{}`", self.name) } else { format!("`#[{}]`", self.name) }
    }

    /// Whether this word is an option, here or elsewhere, or one that people try.
    pub(super) fn knows(&self, name: &str) -> bool {
        let said = |grammar: &Grammar| grammar.key(name).is_some() || grammar.later.contains(&name);
        said(self) || self.teaches.iter().any(|(word, _)| *word == name) || FAMILY.into_iter().any(said)
    }

    /// Whether this word, standing alone, was rather meant as an option than as the name of something: nobody writes options in
    /// capitals, and a `limiter` is not a misspelled `limit`.
    pub(super) fn is_meant(&self, name: &str) -> bool {
        let nouns = ["breaker", "limiter"];
        let near = || {
            name.contains(char::is_lowercase)
                && !nouns.iter().any(|noun| name.contains(noun))
                && closest(name, self.keys.iter().map(|key| key.name)).is_some()
        };
        self.knows(name) || near()
    }

    /// What to say about a word that is not an option: what was meant, and what there is.
    pub(super) fn unknown(&self, name: &str) -> String {
        let this = self.shown();
        if let Some((_, says)) = self.teaches.iter().find(|(word, _)| *word == name) {
            return format!("{this} has no option `{name}`: {says}");
        }
        if self.later.contains(&name) {
            return format!(
                "`{name}` is not there yet: it arrives with a later version of lifecycle; {}",
                self.allowed()
            );
        }
        let other = FAMILY
            .iter()
            .find(|other| other.name != self.name && (other.key(name).is_some() || other.later.contains(&name)));
        if let Some(other) = other {
            return format!("`{name}` belongs to `#[{}]`; {}", other.name, self.allowed());
        }
        if let Some(meant) = closest(name, self.keys.iter().map(|key| key.name)) {
            return format!("unknown option `{name}`, did you mean `{meant}`? {}", self.allowed());
        }
        let others = FAMILY.iter().filter(|other| other.name != self.name);
        let meant =
            others.filter_map(|other| Some((other, closest(name, other.keys.iter().map(|key| key.name))?))).next();
        match meant {
            Some((other, meant)) => {
                format!("unknown option `{name}`; `{meant}` belongs to `#[{}]`; {}", other.name, self.allowed())
            }
            None => format!("unknown option `{name}`; {}", self.allowed()),
        }
    }

    /// "`#[x]` takes: `a`, `b`"
    pub(super) fn allowed(&self) -> String {
        let leading = self.leading.map(|leading| format!("`{leading}`"));
        let positional =
            self.positional.as_ref().map(|positional| format!("{} such as `{}`", positional.what, positional.example));
        let keys = self.keys.iter().map(|key| format!("`{}`", key.name));
        let all: Vec<_> = leading.into_iter().chain(positional).chain(keys).collect();
        format!("{} takes: {}", self.shown(), all.join(", "))
    }
}

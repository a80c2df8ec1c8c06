//! What may stand in `#[singleton(..)]`.

use crate::errors::Errors;
use crate::options::{Grammar, Key, Options, Wanted};
use proc_macro2::TokenStream;

/// The options.
pub(crate) const GRAMMAR: Grammar = Grammar {
    name: "singleton",
    leading: None,
    keys: &[
        Key { name: "factory", wanted: Wanted::Callable, example: "factory = Config::load" },
        Key { name: "try_factory", wanted: Wanted::Callable, example: "try_factory = Config::load" },
        Key { name: "name", wanted: Wanted::Text, example: "name = \"config\"" },
        Key { name: "crate", wanted: Wanted::Path, example: "crate = facade::lifecycle" },
    ],
    later: &[
        "async_factory",
        "try_async_factory",
        "eager",
        "swap",
        "refresh",
        "keyed",
        "max_keys",
        "scope",
        "depends_on",
        "init_timeout",
        "retry_backoff",
        "shutdown",
        "on_retire",
        "reset",
        "pressure",
        "health",
        "memory",
        "on_change",
    ],
    teaches: &[
        ("init", "what makes the value is `factory = path`"),
        ("new", "what makes the value is `factory = path`"),
        ("constructor", "what makes the value is `factory = path`"),
        ("default", "without `factory` and `try_factory`, `Default` makes the value"),
        ("lazy", "a singleton is always created on first use"),
        ("fallible", "a factory that returns a `Result` is `try_factory = path`"),
        ("ttl", "a singleton lives as long as the process; values that expire belong in a cache"),
    ],
};

/// The options of one use.
pub(super) struct Args {
    pub(super) options: Options,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        Self { options: Options::parse(tokens, &GRAMMAR, errors) }
    }
}

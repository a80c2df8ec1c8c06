//! What may stand in `#[init_flag(..)]`.

use crate::errors::Errors;
use crate::options::{Grammar, Key, Options, Wanted};
use proc_macro2::TokenStream;

/// The options.
pub(crate) const GRAMMAR: Grammar = Grammar {
    name: "init_flag",
    leading: None,
    positional: None,
    keys: &[
        Key { name: "env", wanted: Wanted::Text, example: "env = \"USE_CACHE\"" },
        Key { name: "secret", wanted: Wanted::Word, example: "secret" },
        Key { name: "on_initialize", wanted: Wanted::Word, example: "on_initialize" },
        Key { name: "depends_on", wanted: Wanted::Singletons, example: "depends_on(init_logging, Config)" },
        Key { name: "init_timeout", wanted: Wanted::Duration, example: "init_timeout = \"5s\"" },
        Key { name: "name", wanted: Wanted::Text, example: "name = \"use_cache\"" },
        Key { name: "crate", wanted: Wanted::Path, example: "crate = facade::lifecycle" },
    ],
    later: &[],
    teaches: &[
        ("default", "the default is the static's value: `static X: Flag<bool> = true;`"),
        ("value", "the default is the static's value: `static X: Flag<bool> = true;`"),
        ("eager", "a step that `initialize` runs is `on_initialize`"),
        ("timeout", "how long `initialize` and others wait for a step is `init_timeout = \"5s\"`"),
        ("once", "a step always runs once"),
        ("before", "what is to run before it is `depends_on(init_logging)`"),
        ("after", "what is to run before it is `depends_on(init_logging)`"),
        ("hidden", "a flag whose value is shown nowhere is `secret`"),
        ("var", "the environment variable is `env = \"USE_CACHE\"`"),
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

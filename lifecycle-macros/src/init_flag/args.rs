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
        Key { name: "name", wanted: Wanted::Text, example: "name = \"use_cache\"" },
        Key { name: "crate", wanted: Wanted::Path, example: "crate = facade::lifecycle" },
    ],
    later: &["on_initialize"],
    teaches: &[
        ("default", "the default is the static's value: `static X: Flag<bool> = true;`"),
        ("value", "the default is the static's value: `static X: Flag<bool> = true;`"),
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

//! What may stand in `#[lifecycle::test(..)]`.

use crate::errors::Errors;
use crate::options::{Grammar, Key, Options, Wanted};
use crate::runtime::Runtime;
use proc_macro2::TokenStream;

const RUNTIMES: &str = "options of the runtime belong to its own attribute: `#[tokio::test(..)]` below this one";

/// The options. Not in the family of grammars: `crate` belongs to everybody.
const GRAMMAR: Grammar = Grammar {
    name: "lifecycle::test",
    leading: None,
    positional: None,
    keys: &[Key { name: "crate", wanted: Wanted::Path, example: "crate = facade::lifecycle" }],
    later: &[],
    teaches: &[
        ("flavor", RUNTIMES),
        ("worker_threads", RUNTIMES),
        ("start_paused", RUNTIMES),
        ("name", "a test's name is its function's"),
        ("should_panic", "it is an attribute of its own: `#[should_panic]`"),
        ("ignore", "it is an attribute of its own: `#[ignore]`"),
    ],
};

pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Runtime {
    Runtime::at(Options::parse(tokens, &GRAMMAR, errors).path("crate"))
}

//! What may stand in `#[rate_limit(..)]`.

use crate::errors::Errors;
use crate::options::{Grammar, Key, Options, Positional, Rate, Wanted, parse_rate};
use proc_macro2::TokenStream;

/// The options.
pub(crate) const GRAMMAR: Grammar = Grammar {
    name: "rate_limit",
    leading: Some("\"100/s\""),
    positional: Some(Positional { example: "API", what: "a limiter" }),
    keys: &[
        Key { name: "limit", wanted: Wanted::Count, example: "limit = 100" },
        Key { name: "window", wanted: Wanted::Duration, example: "window = \"1s\"" },
        Key { name: "mode", wanted: Wanted::Mode, example: "mode = gcra(burst = 10)" },
        Key { name: "permits", wanted: Wanted::Permits, example: "permits = batch.size" },
        Key { name: "on_limit", wanted: Wanted::OnLimit, example: "on_limit = wait(\"50ms\")" },
        Key {
            name: "on_rejected",
            wanted: Wanted::Callable,
            example: "on_rejected = |rejected| MyError::from(rejected)",
        },
        Key { name: "fallback", wanted: Wanted::Path, example: "fallback = from_cache" },
        Key { name: "key", wanted: Wanted::Expression, example: "key = client" },
        Key { name: "max_keys", wanted: Wanted::Count, example: "max_keys = 10_000" },
        Key { name: "skip", wanted: Wanted::Word, example: "skip" },
        Key { name: "include", wanted: Wanted::Word, example: "include" },
        Key { name: "name", wanted: Wanted::Text, example: "name = \"users\"" },
        Key { name: "crate", wanted: Wanted::Path, example: "crate = facade::lifecycle" },
    ],
    later: &[],
    teaches: &[
        ("rate", "the rate stands first, without a key: `#[rate_limit(\"100/s\")]`"),
        ("per_second", "write `#[rate_limit(\"100/s\")]`"),
        ("per_minute", "write `#[rate_limit(\"100/min\")]`"),
        ("requests", "write `#[rate_limit(\"100/s\")]`"),
        ("calls", "write `#[rate_limit(\"100/s\")]`"),
        ("period", "the time is part of the rate, `#[rate_limit(\"100/s\")]`, or `window = \"1s\"` beside `limit`"),
        ("per", "the time is part of the rate, `#[rate_limit(\"100/s\")]`, or `window = \"1s\"` beside `limit`"),
        (
            "burst",
            "the limit is exact: never more than N in any window; for a mean rate with bursts write `mode = gcra(burst = 10)`",
        ),
        ("gcra", "write `mode = gcra(burst = 10)`"),
        ("algorithm", "the window is exact; for a mean rate with bursts write `mode = gcra(burst = 10)`"),
        ("wait", "write `on_limit = wait(\"50ms\")`"),
        ("max_wait", "write `on_limit = wait(\"50ms\")`"),
        ("reject", "write `on_limit = reject`, or leave it away: that is what it is without being said"),
        ("concurrency", "it counts calls as they begin; how many run at a time is for a `tokio::sync::Semaphore`"),
        ("max_concurrent", "it counts calls as they begin; how many run at a time is for a `tokio::sync::Semaphore`"),
        ("cost", "write `permits = 10`, or an expression that sees the arguments"),
        ("weight", "write `permits = 10`, or an expression that sees the arguments"),
        ("tokens", "write `permits = 10`, or an expression that sees the arguments"),
    ],
};

/// The options of one use.
pub(super) struct Args {
    /// The text `"100/s"`, read; `None` also when it was wrong.
    pub(super) rate: Option<Rate>,
    pub(super) options: Options,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let options = Options::parse(tokens, &GRAMMAR, errors);
        let rate = options
            .leading
            .as_ref()
            .and_then(|text| parse_rate(&text.value()).map_err(|message| errors.on(text, message)).ok());
        Self { rate, options }
    }
}

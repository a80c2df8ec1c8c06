//! What may stand in `#[circuit_breaker(..)]`.

use crate::errors::Errors;
use crate::options::{Grammar, Key, Options, Wanted};
use proc_macro2::TokenStream;

/// The options. Builder methods of `BreakerConfig` have the same names.
pub(crate) const GRAMMAR: Grammar = Grammar {
    name: "circuit_breaker",
    leading: None,
    keys: &[
        Key { name: "threshold", wanted: Wanted::Count, example: "threshold = 5" },
        Key { name: "timeout", wanted: Wanted::Seconds, example: "timeout = 30" },
        Key { name: "slow_call", wanted: Wanted::Duration, example: "slow_call = \"2s\"" },
        Key { name: "half_open_calls", wanted: Wanted::Count, example: "half_open_calls = 1" },
        Key { name: "success_threshold", wanted: Wanted::Count, example: "success_threshold = 1" },
        Key { name: "half_open_timeout", wanted: Wanted::Duration, example: "half_open_timeout = \"30s\"" },
        Key { name: "name", wanted: Wanted::Text, example: "name = \"users\"" },
        Key {
            name: "on_rejected",
            wanted: Wanted::Callable,
            example: "on_rejected = |rejected| MyError::from(rejected)",
        },
        Key { name: "fallback", wanted: Wanted::Path, example: "fallback = from_cache" },
        Key { name: "crate", wanted: Wanted::Path, example: "crate = facade::lifecycle" },
    ],
    later: &[
        "failure_rate",
        "window",
        "minimum_calls",
        "slow_call_rate",
        "backoff",
        "ignore",
        "failure_if",
        "cancelled",
        "key",
        "max_keys",
        "skip",
        "include",
    ],
    teaches: &[
        (
            "call_timeout",
            "`timeout` is how long the breaker stays open; to limit a call, use `tokio::time::timeout` inside the body",
        ),
        (
            "time_limit",
            "`timeout` is how long the breaker stays open; to limit a call, use `tokio::time::timeout` inside the body",
        ),
        ("reset_timeout", "how long the breaker stays open is `timeout = 30`"),
        ("open_timeout", "how long the breaker stays open is `timeout = 30`"),
        (
            "fallback_on",
            "`fallback = path` is called on a refusal only; for the call's own errors, write `.or_else(..)`",
        ),
        ("max_failures", "how many failures in a row open the breaker is `threshold = 5`"),
        ("failures", "how many failures in a row open the breaker is `threshold = 5`"),
        ("retry", "retries go outside the guard: see the recipe with the `backon` crate"),
    ],
};

/// The builder methods with a number, in the order in which they are called.
pub(super) const COUNTS: [&str; 3] = ["threshold", "half_open_calls", "success_threshold"];
/// The builder methods with a duration.
pub(super) const TIMES: [&str; 3] = ["timeout", "slow_call", "half_open_timeout"];

/// The options of one use.
pub(super) struct Args {
    pub(super) options: Options,
}

impl Args {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        Self { options: Options::parse(tokens, &GRAMMAR, errors) }
    }
}

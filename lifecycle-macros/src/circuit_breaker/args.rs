//! What may stand in `#[circuit_breaker(..)]`.

use crate::errors::Errors;
use crate::options::{Grammar, Key, Options, Positional, Wanted};
use proc_macro2::TokenStream;

/// The options. Builder methods of `BreakerConfig` have the same names.
pub(crate) const GRAMMAR: Grammar = Grammar {
    name: "circuit_breaker",
    leading: None,
    positional: Some(Positional { example: "HA", what: "a breaker" }),
    keys: &[
        Key { name: "threshold", wanted: Wanted::Count, example: "threshold = 5" },
        Key { name: "failure_rate", wanted: Wanted::Percent, example: "failure_rate = 50" },
        Key { name: "slow_call_rate", wanted: Wanted::Percent, example: "slow_call_rate = 80" },
        Key { name: "window", wanted: Wanted::Window, example: "window = \"100 calls\"" },
        Key { name: "minimum_calls", wanted: Wanted::Count, example: "minimum_calls = 20" },
        Key { name: "slow_call", wanted: Wanted::Duration, example: "slow_call = \"2s\"" },
        Key { name: "timeout", wanted: Wanted::Seconds, example: "timeout = 30" },
        Key { name: "backoff", wanted: Wanted::Backoff, example: "backoff = exponential(cap = \"10m\")" },
        Key { name: "half_open_calls", wanted: Wanted::Count, example: "half_open_calls = 1" },
        Key { name: "success_threshold", wanted: Wanted::Count, example: "success_threshold = 1" },
        Key { name: "half_open_timeout", wanted: Wanted::Duration, example: "half_open_timeout = \"30s\"" },
        Key {
            name: "cancelled",
            wanted: Wanted::OneOf(&["neutral", "failure", "failure_when_slow"]),
            example: "cancelled = neutral",
        },
        Key { name: "ignore", wanted: Wanted::Callable, example: "ignore = |error| error.is_not_found()" },
        Key { name: "failure_if", wanted: Wanted::Callable, example: "failure_if = |value| value.is_err()" },
        Key {
            name: "on_rejected",
            wanted: Wanted::Callable,
            example: "on_rejected = |rejected| MyError::from(rejected)",
        },
        Key { name: "fallback", wanted: Wanted::Path, example: "fallback = from_cache" },
        Key { name: "key", wanted: Wanted::Expression, example: "key = host" },
        Key { name: "max_keys", wanted: Wanted::Count, example: "max_keys = 10_000" },
        Key { name: "dispatch", wanted: Wanted::Word, example: "dispatch" },
        Key { name: "skip", wanted: Wanted::Word, example: "skip" },
        Key { name: "include", wanted: Wanted::Word, example: "include" },
        Key { name: "name", wanted: Wanted::Text, example: "name = \"users\"" },
        Key { name: "crate", wanted: Wanted::Path, example: "crate = facade::lifecycle" },
    ],
    later: &[],
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
        ("sliding_window", "the calls that rates look at are `window = \"100 calls\"`, or `\"10s\"`"),
        ("sliding_window_size", "the calls that rates look at are `window = \"100 calls\"`, or `\"10s\"`"),
        ("wait_duration", "how long the breaker stays open is `timeout = 30`"),
        ("wait_duration_in_open_state", "how long the breaker stays open is `timeout = 30`"),
        ("permitted_calls", "how many probes may run at a time is `half_open_calls = 1`"),
        ("is_failure", "what a failure is, by the whole value, is `failure_if = |value| ..`"),
        ("exclude", "which errors are none of the breaker's business is `ignore = |error| ..`"),
        ("jitter", "it belongs to the backoff: `backoff = exponential(jitter = 10)`"),
        ("cap", "it belongs to the backoff: `backoff = exponential(cap = \"10m\")`"),
        ("retry", "retries go outside the guard: see the recipe with the `backon` crate"),
    ],
};

/// The builder methods with a number, in the order in which they are called.
pub(super) const COUNTS: [&str; 6] =
    ["threshold", "failure_rate", "slow_call_rate", "minimum_calls", "half_open_calls", "success_threshold"];
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

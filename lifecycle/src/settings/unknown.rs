//! What to say to words that are no options, and to what stands in the wrong place.

use super::limiter::RateLimiterSettings;
use super::suggest;
use super::table::{Slip, cut, found, names, options};
use crate::words;
use serde_json::Value;

/// What to say where a value stands in place of a component's table.
pub(super) fn no_table(name: &str, value: &Value) -> String {
    let is_option = |word: &str| options().any(|option| option == word);
    if is_option(name) {
        return format!(
            "this is an option, and stands in the table of a component: {{ \"name\": {{ \"{name}\": .. }} }}"
        );
    }
    match name.rsplit_once('.') {
        Some((name, option)) if is_option(option) => {
            let (name, option) = (cut(name), cut(option));
            return format!("options stand in a table of their own: {{ \"{name}\": {{ \"{option}\": .. }} }}");
        }
        _ => {}
    }
    let is_off = *value == Value::Bool(false) || value.as_str().is_some_and(words::is_no);
    let way_out = if is_off { ", such as { \"threshold\": 3 } (a breaker is switched off by `disable()`)" } else { "" };
    format!("must be a table of options{way_out}, found {}", found(value))
}

/// What only the attribute says.
const OF_THE_ATTRIBUTE: [&str; 12] = [
    "burst",
    "dispatch",
    "failure_if",
    "fallback",
    "ignore",
    "key",
    "max_keys",
    "mode",
    "name",
    "on_limit",
    "on_rejected",
    "permits",
];

/// What others call it.
const OTHER_WORDS: [(&[&str], &str); 8] = [
    (
        &["call_timeout", "time_limit", "request_timeout"],
        "`timeout` is how long a breaker stays open; a call is limited inside the function, by `tokio::time::timeout`",
    ),
    (
        &["failures", "max_failures", "failure_count", "failure_threshold"],
        "failures in a row that open it are `threshold`",
    ),
    (
        &["reset_timeout", "open_timeout", "open_duration", "wait_duration", "sleep_window", "cooldown"],
        "how long it stays open is `timeout`",
    ),
    (
        &["error_rate", "failure_rate_threshold", "error_threshold_percentage"],
        "the share of failures is `failure_rate`",
    ),
    (&["sliding_window", "sliding_window_size", "window_size"], "the calls that rates look at are `window`"),
    (
        &["rps", "per_second", "requests_per_second", "requests", "max", "max_requests", "per", "period", "interval"],
        "so many in a time are `rate`, such as \"100/s\", or `limit` and `window`",
    ),
    (
        &["factor", "cap", "jitter", "multiplier", "max_delay"],
        "it belongs to `backoff`, \"exponential(factor = 2, cap = 10m)\"",
    ),
    (
        &["enabled", "disabled", "enable", "disable", "active", "state", "force_open"],
        "settings are numbers; a breaker is switched off by `disable()`, and opened by `force_open()`",
    ),
];

/// All options of a table, told apart where it may be either kind's.
fn there_are(known: &[&'static str]) -> String {
    let of_limiter = names::<RateLimiterSettings>().collect::<Vec<_>>();
    match known.strip_suffix(of_limiter.as_slice()) {
        None | Some([]) => format!("there are: {}", known.join(", ")),
        Some(of_breaker) => {
            format!("there are: {}; of a rate limiter: {}", of_breaker.join(", "), of_limiter.join(", "))
        }
    }
}

/// An option that there is not.
pub(super) fn unknown(name: &str, known: &[&'static str]) -> Slip {
    if OF_THE_ATTRIBUTE.contains(&name) {
        let reason =
            format!("`{name}` stands in the attribute (or the builder) only: it does not change without a rebuild");
        return Slip { option: name.to_owned(), reason, found: None };
    }
    let plain = name.to_ascii_lowercase();
    let hint = match OTHER_WORDS.iter().find(|(words, _)| words.contains(&&*plain)) {
        Some((_, hint)) => (*hint).to_owned(),
        None => match suggest::closest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => there_are(known),
        },
    };
    Slip { option: name.to_owned(), reason: format!("no option `{}`, {hint}", cut(name)), found: None }
}

use super::*;
use crate::circuit_breaker::GRAMMAR as BREAKER;
use crate::rate_limit::GRAMMAR as LIMITER;
use crate::singleton::GRAMMAR as SINGLETON;
use quote::quote;

fn mistakes(tokens: TokenStream, grammar: &Grammar) -> Vec<String> {
    let mut errors = Errors::default();
    Options::parse(tokens, grammar, &mut errors);
    errors.messages()
}

fn parsed(text: &str) -> Vec<String> {
    mistakes(text.parse().unwrap_or_default(), &BREAKER)
}

#[test]
fn right_options_are_right() {
    for text in [
        "",
        "threshold = 3",
        "threshold = 3,",
        "threshold = 3_000, timeout = 30, name = \"users\"",
        "timeout = \"250ms\", threshold = limits::MAX",
        "timeout = u64::MAX, threshold = 3u32, on_rejected = |r| Foo::<A, B>::from(r)",
        "crate = facade::lifecycle",
        "crate = crate",
        "on_rejected = make::<A, B>",
        "failure_rate = 50, slow_call_rate = PERCENT, window = \"100 calls\", minimum_calls = 20",
        "failure_rate = 100, window = \"10s\"",
        "failure_rate = 1, window = Window::Calls(MOST)",
        "backoff = exponential",
        "backoff = exponential()",
        "backoff = exponential(factor = 1.5, cap = \"10m\", jitter = 10)",
        "backoff = exponential(factor = FACTOR, cap = CAP, jitter = 2 * 5,)",
        "backoff = BACKOFF",
        "backoff = Backoff::exponential().factor(3.0)",
        "cancelled = neutral, ignore = |e| e.is_x(), failure_if = is_failure",
        "key = (a, &b[3]).0, max_keys = 3, dispatch, skip, include",
        "HA",
        "HA, on_rejected = f",
        "self.breaker",
        "self",
        "&HA",
        "*HA",
        "breakers::HA",
        "crate::HA",
        "super::HA",
        "<Self as Has>::BREAKER",
        "registry().breaker(\"x\")",
        "breaker",
        "breaker()",
        "BREAKERS[3], ignore = f",
        "breaker!(3)",
        "match HOST { _ => &HA }",
        "(HA)",
    ] {
        assert_eq!(parsed(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn each_mistake_is_reported_once_and_all_at_once() {
    for (text, count) in [
        ("treshold = 3, timeout = 0, name = 5", 3),
        ("threshold = 3 timeout = 5", 1),
        ("threshold 3, timeout = 5", 1),
        ("threshold", 1),
        ("threshold =", 1),
        ("threshold = , timeout = 5", 1),
        (", threshold = 3", 1),
        ("threshold = 3,, timeout = 3", 1),
        ("threshold(3)", 1),
        ("threshold: 3", 1),
        ("\"x\"", 1),
        ("5", 1),
        ("colour = make::", 1),
        ("on_rejected = make::", 1),
        ("retry(3), threshold = \"x\"", 2),
        ("window(\"10s\")", 1),
        ("threshold = 3, threshold = 4, threshold = 5", 2),
        ("= 3", 1),
        ("threshold = 3, HA", 1),
        ("threshold = 3, self.breaker", 1),
        ("treshold", 1),
        ("skp", 1),
        ("threshold = 3, colour", 1),
        ("backoff = exponential(facto = 2, cap = 3, jitter = 200, factor = 0.5)", 4),
        ("backoff = exponential(cap = \"1s\", cap = \"2s\")", 1),
    ] {
        assert_eq!(parsed(text).len(), count, "{text}: {:?}", parsed(text));
    }
}

#[test]
fn wrong_values_say_what_to_write() {
    for (text, says) in [
        ("threshold = \"3\"", "is a number"),
        ("threshold = -1", "cannot be negative"),
        ("threshold = 1.5", "whole number"),
        ("threshold = 0", "at least 1"),
        ("threshold = 99999999999999999999999", "too large"),
        ("threshold = 3u8", "without the suffix"),
        ("threshold = true", "is a number"),
        ("timeout = 0", "longer than zero"),
        ("timeout = \"0s\"", "longer than zero"),
        ("timeout = \"30\"", "has no unit"),
        ("timeout = \"3 parsecs\"", "not a unit of time"),
        ("timeout = 0.5", "with a unit"),
        ("slow_call = 2", "write `slow_call = \"2s\"`"),
        ("name = users", "in quotes"),
        ("name = \"\"", "is empty"),
        ("on_rejected = reject()", "leave the parentheses away"),
        ("crate = \"facade::lifecycle\"", "without quotes"),
        ("call_timeout = 3", "how long the breaker stays open"),
        ("failure_treshold = 3", "did you mean `threshold`"),
        ("factory = make", "belongs to `#[singleton]`"),
        ("env = \"X\"", "belongs to `#[init_flag]`"),
        ("permits = 3", "belongs to `#[rate_limit]`"),
        ("failure_rate = 0", "at least 1"),
        ("failure_rate = 101", "from 1 to 100"),
        ("failure_rate = 0.5", "whole percent"),
        ("failure_rate = \"50%\"", "in percent"),
        ("window = 100", "write `window = \"100 calls\"` or `window = \"100s\"`"),
        ("window = \"100\"", "write \"100 calls\", or \"100s\""),
        ("window = \"0 calls\"", "holds none"),
        ("window = \"3 parsecs\"", "or a number of calls"),
        ("window = true", "a number of calls or a length of time"),
        ("backoff = linear", "`backoff` is `exponential`"),
        ("backoff = \"1s..10s\"", "the longest is `cap`"),
        ("backoff = exponential(factor = 0)", "at least 1"),
        ("backoff = exponential(multiplier = 2)", "`exponential(..)` has no option `multiplier`"),
        ("backoff = exponential(factr = 2)", "did you mean `factor`"),
        ("backoff = exponential(threshold = 2)", "belongs to `#[circuit_breaker]`; `exponential(..)` takes: `factor`"),
        ("backoff = exponential(cap = 10)", "write `cap = \"10s\"`"),
        ("backoff", "needs `=` and a value"),
        ("cancelled = ignored", "there are: `neutral`, `failure`, `failure_when_slow`"),
        ("cancelled = neutal", "did you mean `neutral`"),
        ("cancelled = \"neutral\"", "without quotes"),
        ("ignore = 3", "a path to a function, or a closure"),
        ("key", "needs `=` and a value"),
        ("skip = true", "takes no value"),
        ("sliding_window_size = 3", "are `window ="),
        ("threshold = 3, HA", "comes first and once"),
        ("\"100/s\"", "a breaker such as `HA`"),
        ("threshold = 3, threshold = 4", "the first is `threshold = 3`"),
    ] {
        let said = parsed(text);
        assert!(said.len() == 1 && said[0].contains(says), "{text}: {said:?}");
    }
}

#[test]
fn a_rate_and_a_limiter_are_told_apart() {
    for text in ["API", "self.limiter, on_rejected = f", "limiter", "limiter()"] {
        assert_eq!(mistakes(text.parse().unwrap_or_default(), &LIMITER), Vec::<String>::new(), "{text}");
    }
    for (text, says) in [
        ("API, \"100/s\"", "the rate belongs to the limiter itself"),
        ("\"100/s\", API", "leave one of the two away"),
        ("limt", "did you mean `limit`"),
        ("name = \"x\", API", "comes first and once"),
    ] {
        let said = mistakes(text.parse().unwrap_or_default(), &LIMITER);
        assert!(said.len() == 1 && said[0].contains(says), "{text}: {said:?}");
    }
}

#[test]
fn only_the_limiter_takes_a_value_without_a_key() {
    assert_eq!(mistakes(quote!("100/s"), &LIMITER), Vec::<String>::new());
    assert_eq!(mistakes(quote!("100/s", name = "x"), &LIMITER), Vec::<String>::new());
    assert!(mistakes(quote!(name = "x", "100/s"), &LIMITER)[0].contains("comes first"));
    assert!(mistakes(quote!(100), &LIMITER)[0].contains("in quotes"));
    assert!(mistakes(quote!("x"), &SINGLETON)[0].contains("expected `key = value`"));
}

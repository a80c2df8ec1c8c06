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
        ("colour(3), threshold = \"x\"", 2),
        ("threshold = 3, threshold = 4, threshold = 5", 2),
        ("= 3", 1),
        ("foo::bar", 1),
        ("HA", 1),
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
        ("failure_rate = 50", "later version"),
        ("threshold = 3, threshold = 4", "the first is `threshold = 3`"),
    ] {
        let said = parsed(text);
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

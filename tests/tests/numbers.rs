//! The numbers that a breaker goes by, to be read.

use lifecycle::settings::{Source, Switch};
use lifecycle::testing::isolated;
use lifecycle::{CircuitBreaker, breaker, circuit_breaker, configure};
use serde_json::json;
use std::time::Duration;

#[circuit_breaker(threshold = 5, timeout = 30)]
fn fetch_user() -> anyhow::Result<()> {
    Ok(())
}

/// The value and source of an option.
fn said(breaker: &CircuitBreaker, option: &str) -> (String, Source) {
    let one = breaker.settings().into_iter().find(|one| one.option == option).expect(option);
    (one.value.to_string(), one.source)
}

fn is(value: &str, source: Source) -> (String, Source) {
    (value.to_owned(), source)
}

/// Configures, where all names are known.
#[track_caller]
fn set(settings: impl serde::Serialize) {
    let configured = configure(settings).unwrap();
    assert!(configured.waiting.is_empty(), "{configured}");
}

#[test]
fn all_numbers_can_be_read_also_those_of_which_nothing_is_said() {
    isolated(|| {
        fetch_user().unwrap();
        let fetch = breaker("fetch_user").unwrap();
        assert_eq!(said(&fetch, "slow_call"), is("\"10s\"", Source::Default));
        assert_eq!(said(&fetch, "half_open_timeout"), is("\"30s\"", Source::Default), "as long as the timeout");
        set(json!({ "fetch_user": { "timeout": "10min", "slow_call": "1s" } }));
        assert_eq!(said(&fetch, "half_open_timeout"), is("\"300s\"", Source::Default), "five minutes at most");
        assert_eq!(said(&fetch, "slow_call"), is("\"1s\"", Source::Configured));
        assert!(fetch.settings().iter().all(|one| one.option != "window" && one.option != "failure_rate"));
        let config = fetch.config().settings();
        assert_eq!((config.threshold, config.window, config.backoff), (Some(Switch::On(5)), None, None));
        assert_eq!((config.slow_call, config.half_open_calls), (Some(Duration::from_secs(1)), Some(1)));

        set(json!({ "fetch_user": { "failure_rate": 50, "window": "5 calls" } }));
        assert_eq!(said(&fetch, "minimum_calls"), is("5", Source::Default), "no more than the window holds");
        let again = fetch.config();
        fetch.reconfigure(again.settings()).unwrap();
        assert_eq!(fetch.config().settings(), again.settings(), "what is read can be said");
    });
}

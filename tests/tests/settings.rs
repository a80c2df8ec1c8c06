//! Numbers that change without a rebuild: who has the last word, and what survives.

use lifecycle::settings::Source;
use lifecycle::testing::{advance, events, isolated};
use lifecycle::{
    BreakerConfig, BreakerSettings, CircuitBreaker, Context, Error, RateLimiterSettings, Rejected, State, breaker,
    breakers, circuit_breaker, configure, rate_limit, snapshot, verify,
};
use lifecycle_tests::{in_child, is_child};
use serde_json::json;
use std::time::Duration;

#[circuit_breaker(threshold = 5, timeout = 30)]
fn fetch_user(ok: bool) -> anyhow::Result<()> {
    if ok { Ok(()) } else { anyhow::bail!("down") }
}

#[circuit_breaker]
fn by_rate() -> anyhow::Result<()> {
    Ok(())
}

#[circuit_breaker]
#[rate_limit("5/s")]
fn both() -> anyhow::Result<()> {
    Ok(())
}

mod elsewhere {
    #[lifecycle::circuit_breaker(name = "twice")]
    pub(crate) fn first() -> anyhow::Result<()> {
        anyhow::bail!("down")
    }

    pub(crate) mod deeper {
        #[lifecycle::circuit_breaker(name = "twice")]
        pub(crate) fn second() -> anyhow::Result<()> {
            anyhow::bail!("down")
        }
    }
}

/// What `verify` says of settings.
fn ignored() -> Vec<String> {
    let ignored = verify().into_iter().filter(|error| matches!(error, Error::IgnoredSetting { .. }));
    ignored.map(|error| error.to_string()).collect()
}

#[test]
fn whatever_serde_can_write_as_a_map_will_do() {
    #[derive(serde::Serialize)]
    struct Mine {
        fetch_user: BreakerSettings,
        both: RateLimiterSettings,
    }
    isolated(|| {
        let mine = Mine {
            fetch_user: BreakerSettings::new().threshold(3).timeout(Duration::from_secs(5)),
            both: RateLimiterSettings::new().limit(3),
        };
        assert!(configure(&mine).unwrap().applied.contains(&"fetch_user".to_owned()));
        let file: toml::Table = toml::from_str(
            "[fetch_user]\nthreshold = 3\nbackoff = { exponential = { factor = 2.5, cap = \"10m\" } }\n\
             [both]\ntimeout = \"250ms\"\nrate = \"3/s\"\n",
        )
        .unwrap();
        assert!(configure(file).unwrap().applied.contains(&"both".to_owned()));
        both().unwrap();
        let map = std::collections::HashMap::from([("by_rate", BreakerSettings::new().failure_rate(10))]);
        assert_eq!(configure(map).unwrap().applied, ["by_rate"]);
    });
}

/// The value and source of an option.
fn said(breaker: &CircuitBreaker, option: &str) -> (String, Source) {
    let one = breaker.settings().into_iter().find(|one| one.option == option).expect(option);
    (one.value.to_string(), one.source)
}

fn threshold(breaker: &CircuitBreaker) -> (String, Source) {
    said(breaker, "threshold")
}

fn is(value: &str, source: Source) -> (String, Source) {
    (value.to_owned(), source)
}

fn refused(result: anyhow::Result<()>) -> bool {
    result.unwrap_err().is::<Rejected>()
}

/// Configures, where all names are known.
#[track_caller]
fn set(settings: impl serde::Serialize) {
    let configured = configure(settings).unwrap();
    assert!(configured.waiting.is_empty(), "{configured}");
}

#[test]
fn a_later_word_counts_more_and_what_is_taken_back_falls_back() {
    isolated(|| {
        let fetch = breaker("fetch_user").unwrap();
        assert_eq!(threshold(&fetch), is("5", Source::Attribute));
        assert_eq!(said(&fetch, "half_open_calls"), is("1", Source::Default));

        set(json!({ "fetch_user": { "threshold": 4, "half_open_calls": 2 } }));
        assert_eq!(threshold(&fetch), is("4", Source::Configured));
        fetch.reconfigure(BreakerSettings::new().threshold(3)).unwrap();
        assert_eq!(threshold(&fetch), is("3", Source::Reconfigured));
        assert_eq!(said(&fetch, "half_open_calls"), is("2", Source::Configured));
        assert_eq!(said(&fetch, "timeout"), is("\"30s\"", Source::Attribute));

        set(json!({ "fetch_user": { "threshold": 9 } }));
        assert_eq!(threshold(&fetch), is("3", Source::Reconfigured), "configure does not go over reconfigure");
        assert_eq!(said(&fetch, "half_open_calls"), is("1", Source::Default), "what is gone from the file falls back");
        fetch.reconfigure(BreakerSettings::new()).unwrap();
        assert_eq!(threshold(&fetch), is("9", Source::Configured));
        set(json!({}));
        assert_eq!(threshold(&fetch), is("5", Source::Attribute));
        assert_eq!(fetch.config(), BreakerConfig::new().threshold(5).timeout(Duration::from_secs(30)));

        let whole = BreakerConfig::new().timeout(Duration::from_secs(1));
        fetch.reconfigure(whole).unwrap();
        assert_eq!(said(&fetch, "cancelled"), is("\"failure_when_slow\"", Source::Reconfigured), "all that it says");
    });
}

#[test]
fn failures_that_were_counted_stay_counted() {
    isolated(|| {
        for _ in 0..3 {
            assert!(!refused(fetch_user(false)));
        }
        let fetch = breaker("fetch_user").unwrap();
        set(json!({ "fetch_user": { "threshold": 3 } }));
        assert_eq!(
            (fetch.state(), fetch.metrics().failures),
            (State::Closed, 3),
            "numbers move no state by themselves"
        );
        assert!(!refused(fetch_user(false)), "it runs, and is one failure more");
        assert_eq!((fetch.state(), fetch.metrics().failures), (State::Open, 4));

        set(json!({ "fetch_user": { "threshold": 50 } }));
        assert!(refused(fetch_user(true)), "an open breaker stays open");
        set(json!({ "fetch_user": { "timeout": "5s" } }));
        advance(Duration::from_secs(5));
        fetch_user(true).unwrap();
        assert_eq!(fetch.state(), State::Closed, "a shorter timeout counts from when it opened");
        assert_eq!(fetch.metrics().statistics.failed_calls, 4);
    });
}

#[test]
fn calls_in_a_window_stay_unless_its_kind_changes() {
    isolated(|| {
        set(json!({ "by_rate": { "failure_rate": 100, "window": "10 calls" } }));
        by_rate().unwrap();
        let calls = || breaker("by_rate").unwrap().metrics().rates.unwrap().calls;
        assert_eq!(calls(), 1);
        set(json!({ "by_rate": { "failure_rate": 50, "window": "20 calls" } }));
        assert_eq!(calls(), 1, "the same kind keeps what fits");
        set(json!({ "by_rate": { "failure_rate": 50, "window": "20s" } }));
        assert_eq!(calls(), 0);
    });
}

#[test]
fn whoever_comes_later_finds_what_is_said() {
    isolated(|| {
        let configured = configure(json!({ "made_later": { "threshold": 2 }, "built": { "threshold": 3 } })).unwrap();
        assert_eq!(configured.waiting, ["built", "made_later"]);
        let made = breakers().get("made_later").unwrap();
        assert_eq!(threshold(&made), is("2", Source::Configured));
        let built = CircuitBreaker::builder("built").threshold(9).build().unwrap();
        assert_eq!(threshold(&built), is("3", Source::Configured));
        let again = configure(json!({ "made_later": { "threshold": 4 } })).unwrap();
        assert_eq!(again.applied, ["made_later"]);
        assert_eq!(threshold(&made), is("4", Source::Configured));
    });
}

#[test]
fn a_short_name_means_all_that_have_it_and_a_path_one() {
    isolated(|| {
        let first = || breaker("settings::elsewhere::twice").unwrap();
        let second = || breaker("settings::elsewhere::deeper::twice").unwrap();
        set(json!({
            "twice": { "threshold": 1, "success_threshold": 3 },
            "settings::elsewhere::deeper::twice": { "threshold": 2 },
        }));
        assert_eq!((threshold(&first()).0, threshold(&second()).0), ("1".to_owned(), "2".to_owned()));
        assert_eq!(said(&second(), "success_threshold"), is("3", Source::Configured));
        elsewhere::first().unwrap_err();
        elsewhere::deeper::second().unwrap_err();
        assert_eq!((first().state(), second().state()), (State::Open, State::Closed));
    });
}

#[test]
fn one_key_of_a_keyed_breaker_takes_what_is_said_of_all_and_then_of_itself() {
    #[circuit_breaker(key = host, max_keys = 100)]
    fn fetch(host: &str) -> anyhow::Result<()> {
        anyhow::ensure!(!host.is_empty());
        Ok(())
    }
    let key = |host: &str| {
        fetch(host).unwrap();
        breaker(&format!("fetch[{host}]")).unwrap()
    };
    isolated(|| {
        let fast = key("fast");
        let settings =
            json!({ "fetch": { "threshold": 2, "timeout": 5 }, "settings::fetch[acme]": { "threshold": 3 } });
        let configured = configure(&settings).unwrap();
        assert_eq!(
            (configured.applied.join(" "), configured.waiting.join(" ")),
            ("fetch".to_owned(), "settings::fetch[acme]".to_owned())
        );
        assert!(ignored().is_empty(), "a key that nobody has used yet is no slip");
        let (acme, other) = (key("acme"), key("other"));
        let seen = [&acme, &other, &fast].map(|breaker| threshold(breaker).0);
        assert_eq!(seen, ["3", "2", "2"]);
        assert_eq!(said(&acme, "timeout"), is("\"5s\"", Source::Configured));
        assert!(configure(&settings).unwrap().waiting.is_empty());
        let odd = configure(json!({ "fetch": { "window": "10s" } })).unwrap_err();
        assert_eq!(odd.to_string().matches("`fetch`").count(), 1, "{odd}");
        set(json!({}));
        assert_eq!(threshold(&acme), is("5", Source::Default));
    });
}

#[test]
fn changes_are_told_once_and_only_where_something_changed() {
    isolated(|| {
        let fetch = breaker("fetch_user").unwrap();
        assert_eq!(fetch.state(), State::Closed);
        set(json!({ "fetch_user": { "threshold": 4 } }));
        set(json!({ "fetch_user": { "threshold": 4 } }));
        fetch.reconfigure(BreakerSettings::new().threshold(4)).unwrap();
        fetch.reconfigure(BreakerSettings::new().threshold(2)).unwrap();
        let told = events().into_iter().filter(|event| event.name == "lifecycle.settings.changed");
        let told: Vec<_> = told.map(|event| format!("{}: {}", event.component, event.detail)).collect();
        let expected = [
            "fetch_user: threshold 5, timeout 30s -> threshold 4, timeout 30s",
            "fetch_user: threshold 4, timeout 30s -> threshold 2, timeout 30s",
        ];
        assert_eq!(told, expected);
    });
}

#[test]
fn the_snapshot_shows_values_and_sources() {
    isolated(|| {
        set(json!({ "fetch_user": { "threshold": 4 } }));
        let seen = snapshot().breakers.into_iter().find(|one| one.name == "fetch_user").unwrap();
        let seen = serde_json::to_value(&seen.settings).unwrap();
        assert_eq!(seen[0], json!({ "option": "threshold", "value": 4, "source": "configured" }));
    });
}

#[test]
fn changing_numbers_while_calls_run_leaves_the_last_word() {
    #[circuit_breaker(threshold = 1_000_000)]
    fn busy(ok: bool) -> anyhow::Result<()> {
        if ok { Ok(()) } else { anyhow::bail!("down") }
    }
    isolated(|| {
        let context = Context::capture();
        std::thread::scope(|scope| {
            for thread in 0..2_u32 {
                let context = &context;
                scope.spawn(move || {
                    context.run(|| {
                        for round in 0..300_u32 {
                            let more = 1_000_000 + round * 2 + thread;
                            set(json!({ "busy": { "threshold": more } }));
                        }
                    });
                });
                scope.spawn(move || {
                    context.run(|| {
                        for round in 0..2_000 {
                            assert_eq!(busy(round % 3 == 0).is_ok(), round % 3 == 0, "no call is refused");
                        }
                    });
                });
            }
        });
        let last = threshold(&breaker("busy").unwrap());
        assert!(last.0 == "1000598" || last.0 == "1000599", "{last:?}");
        assert_eq!(breaker("busy").unwrap().metrics().statistics.total_calls, 4_000);
        // Of two at the same time, what stays for those that exist is what others find later.
        for round in 0..200_u32 {
            std::thread::scope(|scope| {
                for thread in 1..3_u32 {
                    let context = &context;
                    scope.spawn(move || context.run(|| set(json!({ "busy": { "threshold": round * 2 + thread } }))));
                }
            });
            let later = CircuitBreaker::builder("busy").build().unwrap();
            assert_eq!(threshold(&breaker("busy").unwrap()).0, threshold(&later).0, "round {round}");
        }
    });
}

#[test]
fn a_subscriber_may_configure_while_it_is_told() {
    use tracing::field::{Field, Visit};
    /// Configures when told that settings changed.
    struct Meddler;
    struct Nothing;
    impl Visit for Nothing {
        fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
    }
    impl tracing::Subscriber for Meddler {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, event: &tracing::Event<'_>) {
            event.record(&mut Nothing);
            if event.metadata().target() == "lifecycle::settings" {
                set(json!({ "fetch_user": { "threshold": 2 } }));
                breaker("fetch_user").unwrap().reconfigure(BreakerSettings::new().half_open_calls(2)).unwrap();
            }
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }
    const TEST: &str = "a_subscriber_may_configure_while_it_is_told";
    if !is_child(TEST) {
        // The subscriber is the whole process's: a thread's own may not be asked while others come upon the same event.
        return in_child(TEST, &[]);
    }
    lifecycle_tests::told_everywhere(Meddler);
    lifecycle_tests::watched(|| {
        isolated(|| {
            let fetch = breaker("fetch_user").unwrap();
            assert_eq!(fetch.state(), State::Closed);
            set(json!({ "fetch_user": { "threshold": 3 } }));
            assert_eq!(threshold(&fetch).0, "2");
            assert_eq!(said(&fetch, "half_open_calls"), is("2", Source::Reconfigured));
        });
    });
}

#[test]
fn the_environment_counts_more_than_configure_and_less_than_reconfigure() {
    const TEST: &str = "the_environment_counts_more_than_configure_and_less_than_reconfigure";
    if !is_child(TEST) {
        let variables = [
            ("LIFECYCLE__FETCH_USER__THRESHOLD", "2"),
            ("LIFECYCLE__FETCH_USER__TIMEOUT", "500ms"),
            ("LIFECYCLE__FETCH_USER__SUCCESS_THRESHOLD", "none"),
            ("LIFECYCLE__MADE_HERE__THRESHOLD", "8"),
        ];
        return in_child(TEST, &variables);
    }
    let fetch = breaker("fetch_user").unwrap();
    // Found by the first use, not by the look at it.
    fetch_user(false).unwrap_err();
    assert!(!refused(fetch_user(false)));
    assert!(refused(fetch_user(false)), "the second failure opened it");
    assert_eq!(threshold(&fetch), is("2", Source::Environment));
    assert_eq!(said(&fetch, "timeout"), is("\"500ms\"", Source::Environment));
    assert_eq!(said(&fetch, "success_threshold"), is("1", Source::Default), "the next layer holds");
    assert_eq!(ignored().len(), 1);

    set(json!({ "fetch_user": { "threshold": 7, "success_threshold": 4 } }));
    assert_eq!(threshold(&fetch), is("2", Source::Environment));
    assert_eq!(said(&fetch, "success_threshold"), is("4", Source::Configured));
    fetch.reconfigure(BreakerSettings::new().threshold(3)).unwrap();
    assert_eq!(threshold(&fetch), is("3", Source::Reconfigured));
    fetch.reconfigure(BreakerSettings::new()).unwrap();
    assert_eq!(threshold(&fetch), is("2", Source::Environment));

    let made = breakers().get("made-here").unwrap();
    assert_eq!(threshold(&made), is("8", Source::Environment));
    isolated(|| {
        assert_eq!(
            threshold(&breaker("fetch_user").unwrap()),
            is("5", Source::Attribute),
            "a world has no environment"
        );
        let built = CircuitBreaker::builder("made here").build().unwrap();
        assert_eq!(threshold(&built), is("5", Source::Default));
    });
}

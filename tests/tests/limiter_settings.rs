//! The numbers of limiters, changed without a rebuild: who has the last word, what still counts, and what cannot be.

use lifecycle::clock::ManualClock;
use lifecycle::settings::Source;
use lifecycle::testing::{advance, events, isolated};
use lifecycle::{
    Context, Error, KeyedRateLimiter, RateLimiter, RateLimiterSettings, Rejected, configure, keyed_limiter, limiter,
    rate_limit, snapshot, verify,
};
use lifecycle_tests::{in_child, is_child};
use serde_json::json;
use std::sync::{Arc, Barrier};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

#[rate_limit("5/s")]
fn send() -> Result<(), Rejected> {
    Ok(())
}

#[rate_limit("3/s", key = client, max_keys = 4)]
fn quote(client: &str) -> Result<(), Rejected> {
    assert!(!client.is_empty());
    Ok(())
}

fn sent() -> usize {
    (0..100).filter(|_| send().is_ok()).count()
}

fn quoted(client: &str) -> usize {
    (0..100).filter(|_| quote(client).is_ok()).count()
}

/// The value and source of both numbers.
fn said(limiter: &RateLimiter) -> [(String, Source); 2] {
    let all: Vec<_> = limiter.settings().iter().map(|one| (one.value.to_string(), one.source)).collect();
    all.try_into().unwrap()
}

fn are(limit: (&str, Source), window: (&str, Source)) -> [(String, Source); 2] {
    [limit, window].map(|(value, source)| (value.to_owned(), source))
}

/// Configures, where all names are known.
#[track_caller]
fn set(settings: impl serde::Serialize) {
    let configured = configure(settings).unwrap();
    assert!(configured.waiting.is_empty(), "{configured}");
}

fn ignored() -> Vec<String> {
    let ignored = verify().into_iter().filter(|error| matches!(error, Error::IgnoredSetting { .. }));
    ignored.map(|error| error.to_string()).collect()
}

#[test]
fn a_later_word_counts_more_and_what_is_taken_back_falls_back() {
    isolated(|| {
        let send = limiter("send").unwrap();
        assert_eq!(said(&send), are(("5", Source::Attribute), ("\"1s\"", Source::Attribute)));
        set(json!({ "send": { "limit": 7 } }));
        assert_eq!(said(&send), are(("7", Source::Configured), ("\"1s\"", Source::Attribute)));
        assert_eq!(sent(), 7);
        set(json!({ "send": { "rate": "10/2s" } }));
        assert_eq!(sent(), 3, "what was given counts");
        send.set_limit(12, SECOND).unwrap();
        assert_eq!(said(&send), are(("12", Source::Reconfigured), ("\"1s\"", Source::Reconfigured)));
        assert_eq!(sent(), 2);
        set(json!({ "send": { "rate": "99/2s" } }));
        assert_eq!(send.usage().limit, 12, "configure does not go over set_limit");
        send.reconfigure(RateLimiterSettings::new().limit(20)).unwrap();
        assert_eq!(said(&send), are(("20", Source::Reconfigured), ("\"2s\"", Source::Configured)));
        send.reconfigure(RateLimiterSettings::new()).unwrap();
        assert_eq!(send.usage().limit, 99);
        set(json!({}));
        assert_eq!((send.usage().limit, send.usage().window, send.usage().used), (5, SECOND, 5));
        let told: Vec<_> = events()
            .into_iter()
            .filter(|event| event.name == "lifecycle.settings.changed")
            .map(|it| it.detail)
            .collect();
        assert_eq!(
            told,
            ["5/1s -> 7/1s", "7/1s -> 10/2s", "10/2s -> 12/1s", "12/1s -> 20/2s", "20/2s -> 99/2s", "99/2s -> 5/1s"]
        );
    });
    assert_eq!(limiter("send").unwrap().usage().limit, 5, "the world's");
}

#[test]
fn what_is_configured_before_the_first_use_is_found_by_it() {
    isolated(|| {
        set(json!({ "limiter_settings::send": { "rate": "2/s" } }));
        assert_eq!(sent(), 2);
        advance(SECOND + NANOSECOND);
        assert_eq!(sent(), 2);
        let _ = configure(json!({ "built": { "limit": 3 } })).unwrap();
        let built = RateLimiter::builder("built").per_second(9).build().unwrap();
        assert_eq!((0..9).filter(|_| built.try_acquire().is_ok()).count(), 3);
    });
}

#[test]
fn numbers_that_a_limiter_cannot_go_by_are_an_error_and_nothing_changes() {
    isolated(|| {
        let wrong = json!({ "send": { "limit": 2_000_000 } });
        let error = configure(&wrong).unwrap_err().to_string();
        assert!(error.contains("`send`: a limit of 2000000 is counted in another way"), "{error}");
        assert!(limiter("send").unwrap().set_limit(2_000_000, SECOND).is_err());
        assert_eq!(sent(), 5);
        let large = RateLimiter::builder("large").per_second(4_000_000).build().unwrap();
        let _ = configure(json!({ "large": { "rate": "3000000/2s" } })).unwrap();
        assert_eq!(large.usage().limit, 4_000_000, "left out as a whole: its window cannot change");
        assert!(ignored()[0].starts_with("`large`: the window of a limiter of more than"), "{:?}", ignored());
        let _ = configure(json!({ "large": { "limit": 3_000_000 }, "even": { "rate": "9/8ns" } })).unwrap();
        let large = RateLimiter::builder("large").per_second(4_000_000).build().unwrap();
        assert_eq!(large.usage().limit, 3_000_000);
        let even = RateLimiter::builder("even").per_second(10).gcra(2).build().unwrap();
        assert_eq!(even.usage().limit, 10, "permits are a nanosecond apart at least");
    });
}

#[test]
fn one_key_takes_what_is_said_of_all_and_then_of_itself() {
    isolated(|| {
        assert_eq!(quoted("early"), 3);
        let configured = configure(json!({ "quote": { "limit": 5 }, "quote[acme]": { "limit": 8 } })).unwrap();
        assert_eq!(
            (configured.applied.as_slice(), configured.waiting.as_slice()),
            (&["quote".to_owned()][..], &["quote[acme]".to_owned()][..])
        );
        assert_eq!([quoted("early"), quoted("acme"), quoted("new")], [2, 8, 5]);
        assert_eq!(said(&limiter("quote[acme]").unwrap())[0], ("8".to_owned(), Source::Configured));
        keyed_limiter("quote").unwrap().reconfigure(RateLimiterSettings::new().limit(9)).unwrap();
        assert_eq!([quoted("early"), quoted("acme"), quoted("new"), quoted("newer")], [4, 1, 4, 9]);
        limiter("quote[acme]").unwrap().set_limit(20, SECOND).unwrap();
        assert_eq!(quoted("acme"), 11);
        keyed_limiter("quote").unwrap().reconfigure(RateLimiterSettings::new()).unwrap();
        let limits = ["early", "acme"].map(|key| limiter(&format!("quote[{key}]")).unwrap().usage().limit);
        assert_eq!(limits, [5, 8], "of one key too");
        assert!(configure(json!({ "quote": { "limit": 1 << 21 } })).is_err());
        assert!(keyed_limiter("quote").unwrap().set_limit(0, SECOND).is_err());
    });
}

#[test]
fn a_key_with_numbers_of_its_own_is_not_given_up_and_one_that_is_configured_is() {
    let clock = Arc::new(ManualClock::new());
    let each = RateLimiter::builder("tenant").per_second(1).clock(clock.clone());
    isolated(|| {
        let tenants: KeyedRateLimiter = KeyedRateLimiter::from_builder(each).unwrap().max_keys(2);
        let _ = configure(json!({ "tenant[configured]": { "limit": 6 } })).unwrap();
        tenants.try_acquire("configured").unwrap();
        tenants.at("paying").set_limit(9, SECOND).unwrap();
        clock.advance(SECOND * 3);
        assert_eq!(tenants.at("new").name(), "tenant[new]");
        assert!(tenants.get("configured").is_none());
        assert_eq!(tenants.get("paying").unwrap().usage().limit, 9);
        clock.advance(SECOND * 3);
        assert_eq!(tenants.at("configured").usage().limit, 6, "and comes back as it was");
    });
}

#[test]
fn keys_made_while_all_are_reconfigured_have_what_was_said_last() {
    for round in 0..400_u32 {
        let tenants = KeyedRateLimiter::new("busy_tenant", 1, SECOND).unwrap();
        let begin = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                begin.wait();
                (0..40).for_each(|key| _ = tenants.at(&key).usage());
            });
            begin.wait();
            (2..10).for_each(|limit| tenants.set_limit(limit, SECOND).unwrap());
        });
        let limits: Vec<u32> = tenants.limiters().iter().map(|one| one.usage().limit).collect();
        assert!(limits.len() == 40 && limits.iter().all(|limit| *limit == 9), "round {round}: {limits:?}");
    }
}

#[test]
fn of_two_who_change_one_limiter_the_last_word_stays() {
    let one = RateLimiter::per_second(1).unwrap();
    one.try_acquire().unwrap();
    for round in 0..100_u32 {
        std::thread::scope(|scope| {
            for thread in 1..3 {
                let one = &one;
                scope.spawn(move || one.set_limit(round * 2 + thread, SECOND).unwrap());
            }
        });
        assert_eq!(one.usage().limit.to_string(), said(&one)[0].0, "what it goes by is what it says");
    }
}

#[test]
fn the_snapshot_shows_values_and_sources_and_the_table_keys() {
    isolated(|| {
        set(json!({ "send": { "limit": 7 } }));
        assert_eq!((sent(), quoted("acme")), (7, 3));
        let all = snapshot();
        let seen = all.limiters.iter().find(|one| one.name == "send").unwrap();
        assert_eq!(
            serde_json::to_value(&seen.settings).unwrap(),
            json!([
                { "option": "limit", "value": 7, "source": "configured" },
                { "option": "window", "value": "1s", "source": "attribute" },
            ])
        );
        let table = all.to_string();
        let row = |name: &str| table.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
        assert!(row("quote ").contains(" 1 key "), "{table}");
        assert!(row("quote[acme]").contains("3/s") && row("quote[acme]").contains("limiter_settings.rs:"), "{table}");
    });
}

#[test]
fn the_environment_counts_more_than_configure_and_less_than_set_limit() {
    const TEST: &str = "the_environment_counts_more_than_configure_and_less_than_set_limit";
    if !is_child(TEST) {
        let variables = [
            ("LIFECYCLE__SEND__RATE", "2/s"),
            ("LIFECYCLE__QUOTE__LIMIT", "9000000"),
            ("LIFECYCLE__QUOTE_ACME___LIMIT", "4"),
        ];
        return in_child(TEST, &variables);
    }
    // By the first use of all, and on the system's clock: within a second.
    assert!((0..3).map(|_| send().is_ok()).eq([true, true, false]));
    let send = limiter("send").unwrap();
    set(json!({ "send": { "limit": 50 } }));
    assert_eq!(said(&send), are(("2", Source::Environment), ("\"1s\"", Source::Environment)));
    send.set_limit(7, SECOND).unwrap();
    assert_eq!(send.usage().limit, 7);
    send.reconfigure(RateLimiterSettings::new()).unwrap();
    assert_eq!(send.usage().limit, 2);
    quote("acme").unwrap();
    quote("other").unwrap();
    assert_eq!(limiter("quote[acme]").unwrap().usage().limit, 4);
    assert_eq!(limiter("quote[other]").unwrap().usage().limit, 3, "what cannot be is left out");
    assert!(
        ignored()
            .iter()
            .any(|text| text
                .starts_with("environment variable `LIFECYCLE__QUOTE__LIMIT` is ignored: a limit of 9000000"))
    );
    isolated(|| assert_eq!(limiter("send").unwrap().usage().limit, 5, "a world has no environment"));
    let context = Context::capture();
    context.run(|| assert_eq!(send.usage().limit, 2));
}

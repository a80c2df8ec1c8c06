//! Settings that cannot be used: it is all or nothing, and somebody says so.
#![allow(dead_code, reason = "what is declared here need not be called")]

use lifecycle::settings::{Problem, Source};
use lifecycle::testing::{events, isolated};
use lifecycle::{
    BreakerSettings, CircuitBreaker, Error, Settings, Window, breaker, circuit_breaker, configure, rate_limit, verify,
};
use lifecycle_tests::{in_child, is_child};
use serde_json::json;

#[circuit_breaker(threshold = 5, timeout = 30)]
fn fetch_user(ok: bool) -> anyhow::Result<()> {
    if ok { Ok(()) } else { anyhow::bail!("down") }
}

#[lifecycle::init_flag]
static WITH_CACHE: lifecycle::Flag<bool> = true;

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

fn problems(error: &Error) -> &[Problem] {
    match error {
        Error::InvalidSettings { problems } => problems,
        other => panic!("{other}"),
    }
}

/// What `verify` says of settings.
fn ignored() -> Vec<String> {
    let ignored = verify().into_iter().filter(|error| matches!(error, Error::IgnoredSetting { .. }));
    ignored.map(|error| error.to_string()).collect()
}

#[test]
fn what_is_said_of_the_wrong_kind_or_in_the_wrong_place_says_where_it_belongs() {
    #[rate_limit("5/s", key = client)]
    fn quote(client: &str) -> Result<usize, lifecycle::Rejected> {
        Ok(client.len())
    }
    isolated(|| {
        let waits = |said| configure(json!({ "quote": said })).unwrap().to_string();
        assert_eq!(
            waits(json!({ "window": "5s" })),
            "applied to nothing; waiting: `quote` (no circuit breaker of that name so far; the rate limiter of that name takes its \
             window as `rate = \"100/s\"`, or beside `limit`)"
        );
        assert_eq!(
            waits(json!({ "threshold": 5 })),
            "applied to nothing; waiting: `quote` (no circuit breaker of that name so far; a rate limiter has that name)"
        );
        assert_eq!(waits(json!({ "limit": 5, "window": "5s" })), "applied to `quote`");
        let refused = configure(json!({ "quote": { "mode": "gcra" } })).unwrap_err().to_string();
        let told =
            "`quote`: `mode` stands in the attribute (or the builder) only: it does not change without a rebuild";
        assert!(refused.contains(told), "{refused}");
    });
}

#[test]
fn names_nobody_has_wait_and_slips_are_pointed_out() {
    isolated(|| {
        let configured = configure(json!({
            "fetch_user": { "threshold": 3 },
            "settings_mistakes::by_rate": { "timeout": 5 },
            "fetch_usr": { "threshold": 3 },
            "colour": {},
        }))
        .unwrap();
        assert_eq!(configured.applied, ["fetch_user", "settings_mistakes::by_rate"]);
        assert_eq!(configured.waiting, ["colour", "fetch_usr"]);
        let text = configured.to_string();
        assert!(
            text.contains("`fetch_usr` (no circuit breaker of that name so far, did you mean `fetch_user`?)"),
            "{text}"
        );
        assert_eq!(ignored(), ["`fetch_usr`: nobody has that name so far, did you mean `fetch_user`?"]);
        assert!(configure(Settings::new()).unwrap().applied.is_empty());
        assert!(ignored().is_empty(), "another configuration takes the place of the one before");
    });
    assert!(ignored().is_empty(), "a world's mistakes are its own");
}

#[test]
fn everything_that_is_wrong_is_one_error() {
    isolated(|| {
        let error = configure(json!({
            "fetch_user": { "treshold": 3, "timeout": "soon" },
            "nobody_yet": { "half_open_calls": 0 },
        }))
        .unwrap_err();
        let at: Vec<_> =
            problems(&error).iter().map(|one| (one.name.as_str(), one.option.as_deref().unwrap())).collect();
        assert_eq!(at, [("fetch_user", "treshold"), ("fetch_user", "timeout"), ("nobody_yet", "half_open_calls")]);
        assert!(problems(&error).iter().all(|one| one.source == Source::Configured && one.variable.is_none()));
        for odd in [json!([]), json!("text"), json!({ "fetch_user": 3 }), json!(null)] {
            assert_eq!(problems(&configure(&odd).unwrap_err()).len(), 1, "{odd}");
        }
    });
}

#[test]
fn words_of_others_and_what_stands_in_the_wrong_place_are_met_with_what_to_write() {
    isolated(|| {
        for (wrong, says) in [
            (json!({ "fetch_user": { "call_timeout": "3s" } }), "a call is limited inside the function"),
            (
                json!({ "fetch_user": { "Max_Failures": 3 } }),
                "no option `Max_Failures`, failures in a row that open it are `threshold`",
            ),
            (json!({ "both": { "rps": 3 } }), "so many in a time are `rate`, such as \"100/s\""),
            (json!({ "fetch_user": { "enabled": false } }), "a breaker is switched off by `disable()`"),
            (
                json!({ "fetch_user": "OFF" }),
                "must be a table of options, such as { \"threshold\": 3 } (a breaker is switched off by `disable()`)",
            ),
            (
                json!({ "fetch_user.threshold": 3 }),
                "stand in a table of their own: { \"fetch_user\": { \"threshold\": .. } }",
            ),
            (json!({ "threshold": 3 }), "this is an option, and stands in the table of a component"),
            (
                json!({ "with_cache": true }),
                "settings was applied: `with_cache`: this is a flag, and settings are numbers",
            ),
            (json!({ "with_cache": { "value": 3, "colour": 4 } }), "applied: `with_cache`: this is a flag"),
            (
                json!({ "fetch_user": { "colour": 3 } }),
                "half_open_calls, success_threshold, half_open_timeout; of a rate limiter: rate, limit, window",
            ),
            (
                json!({ "fetch_user": { "slow_call": "1m30s" } }),
                "must be one number with its unit (ns, us, ms, s, min, h, d)",
            ),
            (json!({ "fetch_user": { "timeout": "0ms" } }), "`timeout` must be more than zero"),
            (
                json!({ "fetch_user": { "backoff": { "exponential": { "max": "3s" } } } }),
                "`backoff` has no `max` (there are `factor`, `cap` and `jitter`), found",
            ),
            (
                json!({ "by_rate": { "failure_rate": 5, "minimum_calls": 1000 } }),
                "than the window can hold: 1000 of 100 calls (a larger `window`",
            ),
        ] {
            let told = configure(&wrong).unwrap_err().to_string();
            assert!(told.contains(says), "{wrong}: {told}");
        }
        let waits = configure(json!({ "FETCH_USER": {"threshold": 3}, "crate::by_rate": {"threshold": 3} }))
            .unwrap()
            .to_string();
        assert!(
            waits.contains("`FETCH_USER` (no circuit breaker of that name so far, did you mean `fetch_user`?)"),
            "{waits}"
        );
        assert!(
            waits.contains("did you mean `settings_mistakes::by_rate`?") || waits.contains("did you mean `by_rate`?"),
            "{waits}"
        );
        let _ = configure(json!({ "by_rate": { "failure_rate": "50%" } })).unwrap();
        assert_eq!(said(&breaker("by_rate").unwrap(), "failure_rate"), is("50", Source::Configured));
    });
}

#[test]
fn several_problems_are_one_a_line_and_one_is_on_the_first() {
    isolated(|| {
        let error = configure(json!({ "both": { "rate": "0/min" }, "fetch_user": { "treshold": 3 } })).unwrap_err();
        assert_eq!(
            error.to_string(),
            "nothing of the settings was applied:\n  \
             `both`: `rate` must be more than 0 in its time: 0 would refuse everything; the smallest is 1, found \"0/min\"\n  \
             `fetch_user`: no option `treshold`, did you mean `threshold`?"
        );
        let error = configure(json!({ "fetch_user": { "treshold": 3 } })).unwrap_err();
        assert!(error.to_string().starts_with("nothing of the settings was applied: `fetch_user`: no"), "{error}");
    });
}

#[test]
fn what_does_not_go_with_the_attribute_is_an_error_at_once() {
    isolated(|| {
        let odd = Settings::new().breaker("fetch_user", BreakerSettings::new().window(Window::Calls(10)));
        let error = configure(odd).unwrap_err();
        assert!(error.to_string().contains("`fetch_user`: `window` is about rates"), "{error}");
        let odd = Settings::new()
            .breaker("by_rate", BreakerSettings::new().failure_rate(50).window(Window::Calls(10)).minimum_calls(20));
        let error = configure(odd).unwrap_err();
        assert!(error.to_string().contains("`by_rate`: `minimum_calls` is more than the window can hold"), "{error}");
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

/// Configures, where all names are known.
#[track_caller]
fn set(settings: impl serde::Serialize) {
    let configured = configure(settings).unwrap();
    assert!(configured.waiting.is_empty(), "{configured}");
}

#[test]
fn with_anything_wrong_nothing_is_applied() {
    isolated(|| {
        let fetch = breaker("fetch_user").unwrap();
        set(json!({ "fetch_user": { "threshold": 4 } }));
        let wrongs = [
            json!({ "fetch_user": { "threshold": 2 }, "by_rate": { "threshold": "x" } }),
            json!({ "fetch_user": { "threshold": 2, "treshold": 3 } }),
            json!({ "fetch_user": { "threshold": 2 }, "by_rate": { "window": "10s" } }),
            json!({ "fetch_user": { "threshold": 2 }, "nobody": { "rate": "lots" } }),
            json!({ "fetch_user": { "threshold": 2 }, "by_rate": 3 }),
        ];
        for wrong in wrongs {
            assert!(matches!(configure(&wrong), Err(Error::InvalidSettings { .. })), "{wrong}");
            assert_eq!(threshold(&fetch), is("4", Source::Configured), "{wrong}");
        }
        assert!(fetch.reconfigure(BreakerSettings::new().threshold(2).window(Window::Calls(5))).is_err());
        assert_eq!(threshold(&fetch), is("4", Source::Configured));
    });
}

#[test]
fn a_layer_that_stops_fitting_is_left_out_and_said_so() {
    isolated(|| {
        let by_rate = breaker("by_rate").unwrap();
        set(json!({ "by_rate": { "failure_rate": 50 } }));
        by_rate.reconfigure(BreakerSettings::new().threshold(3).minimum_calls(5)).unwrap();
        // What the reconfigured numbers stood on goes.
        set(json!({}));
        assert_eq!(threshold(&by_rate), is("5", Source::Default));
        let told = ignored();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("`by_rate`: `minimum_calls` is about rates") && told[0].contains("reconfigured"),
            "{told:?}"
        );
        set(json!({ "by_rate": { "slow_call_rate": 50 } }));
        assert_eq!(threshold(&by_rate), is("3", Source::Reconfigured));
        assert!(ignored().is_empty());
        let warned = || events().into_iter().filter(|event| event.name == "lifecycle.settings.ignored").count();
        assert_eq!(warned(), 1);

        let twice = breaker("settings_mistakes::elsewhere::twice").unwrap();
        set(json!({ "twice": { "failure_rate": 50 }, "by_rate": { "failure_rate": 50 } }));
        twice.reconfigure(BreakerSettings::new().minimum_calls(5)).unwrap();
        set(json!({ "twice": { "failure_rate": 50 } }));
        set(json!({}));
        assert_eq!((ignored().len(), warned()), (2, 3), "each is told when it comes up, and not again with the next");
        assert!(ignored()[1].starts_with("`settings_mistakes::elsewhere::twice`: "), "{:?}", ignored());
    });
}

#[test]
fn verify_finds_variables_that_cannot_be_used_before_anybody_uses_them() {
    const TEST: &str = "verify_finds_variables_that_cannot_be_used_before_anybody_uses_them";
    if !is_child(TEST) {
        let variables = [
            ("LIFECYCLE__FETCH_USER__THRESHOLD", "hunter2"),
            ("LIFECYCLE__FETCH_USER__COLOUR", "red"),
            ("LIFECYCLE__SETTINGS_MISTAKES__BY_RATE__MINIMUM_CALLS", "-1"),
            ("LIFECYCLE__BY_RAT__TIMEOUT", "5"),
            ("LIFECYCLE__SOMETHING_ELSE__TIMEOUT", "5"),
            ("LIFECYCLE__BOTH__TIMEOUT", "5"),
            ("LIFECYCLE__BY_RATE__RATE", "5/s"),
            ("LIFECYCLE_BOTH_TIMEOUT", "5"),
        ];
        return in_child(TEST, &variables);
    }
    let told = ignored();
    let variables: Vec<_> = told.iter().filter_map(|text| text.split('`').nth(1)).collect();
    let expected = [
        "LIFECYCLE__SETTINGS_MISTAKES__BY_RATE__MINIMUM_CALLS",
        "LIFECYCLE__FETCH_USER__COLOUR",
        "LIFECYCLE__FETCH_USER__THRESHOLD",
        "LIFECYCLE__BY_RAT__TIMEOUT",
        "LIFECYCLE__BY_RATE__RATE",
        "LIFECYCLE_BOTH_TIMEOUT",
    ];
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(
        sorted(variables.iter().map(ToString::to_string).collect()),
        sorted(expected.map(str::to_owned).to_vec()),
        "{told:?}"
    );
    assert!(!told.iter().any(|text| text.contains("hunter2")), "a secret in the wrong variable stays one");
    isolated(|| assert!(ignored().is_empty(), "a world has no environment"));
}

#[test]
fn what_does_not_go_together_in_the_environment_is_left_out_whole() {
    const TEST: &str = "what_does_not_go_together_in_the_environment_is_left_out_whole";
    if !is_child(TEST) {
        let variables = [("LIFECYCLE__FETCH_USER__WINDOW", "10s"), ("LIFECYCLE__FETCH_USER__THRESHOLD", "2")];
        return in_child(TEST, &variables);
    }
    let fetch = breaker("fetch_user").unwrap();
    assert_eq!(threshold(&fetch), is("5", Source::Attribute));
    let told = ignored();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("`fetch_user`: its environment variables are ignored: `window` is about rates")
            && told[0]
                .ends_with("; the variables are `LIFECYCLE__FETCH_USER__THRESHOLD`, `LIFECYCLE__FETCH_USER__WINDOW`"),
        "{told:?}"
    );
    set(json!({ "fetch_user": { "failure_rate": 50 } }));
    assert_eq!(threshold(&fetch), is("2", Source::Environment), "with a rate they go together");
    assert!(ignored().is_empty());
}

//! Numbers that change without a rebuild: who has the last word, that it is all or nothing, and that worlds stay apart.

use lifecycle::settings::{BreakerSettings, Problem, RateLimiterSettings, Source};
use lifecycle::testing::isolated;
use lifecycle::{Error, Settings, Window, circuit_breaker, configure, rate_limit, verify};
use serde_json::json;
use std::process::Command;
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
fn names_nobody_has_wait_and_slips_are_pointed_out() {
    isolated(|| {
        let configured = configure(json!({
            "fetch_user": { "threshold": 3 },
            "settings::by_rate": { "timeout": 5 },
            "fetch_usr": { "threshold": 3 },
            "colour": {},
        }))
        .unwrap();
        assert_eq!(configured.applied, ["fetch_user", "settings::by_rate"]);
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
        let map = std::collections::HashMap::from([("by_rate", BreakerSettings::new().failure_rate(10))]);
        assert_eq!(configure(map).unwrap().applied, ["by_rate"]);
    });
}

/// Runs one test of this file again in a process of its own, in which `variables` are set.
fn in_child(test: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env("LIFECYCLE_TEST_CHILD", test);
    child.envs(variables.iter().copied());
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the child ran the test");
}

fn is_child(test: &str) -> bool {
    std::env::var("LIFECYCLE_TEST_CHILD").is_ok_and(|name| name == test)
}

#[test]
fn verify_finds_variables_that_cannot_be_used_before_anybody_uses_them() {
    const TEST: &str = "verify_finds_variables_that_cannot_be_used_before_anybody_uses_them";
    if !is_child(TEST) {
        let variables = [
            ("LIFECYCLE__FETCH_USER__THRESHOLD", "hunter2"),
            ("LIFECYCLE__FETCH_USER__COLOUR", "red"),
            ("LIFECYCLE__SETTINGS__BY_RATE__MINIMUM_CALLS", "-1"),
            ("LIFECYCLE__BY_RAT__TIMEOUT", "5"),
            ("LIFECYCLE__SOMETHING_ELSE__TIMEOUT", "5"),
            ("LIFECYCLE__BOTH__TIMEOUT", "5"),
        ];
        return in_child(TEST, &variables);
    }
    let told = ignored();
    let variables: Vec<_> = told.iter().filter_map(|text| text.split('`').nth(1)).collect();
    let expected = [
        "LIFECYCLE__SETTINGS__BY_RATE__MINIMUM_CALLS",
        "LIFECYCLE__FETCH_USER__COLOUR",
        "LIFECYCLE__FETCH_USER__THRESHOLD",
        "LIFECYCLE__BY_RAT__TIMEOUT",
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

//! Options that are taken away without a rebuild: in a file, by the environment, in code.
//!
//! Seen to fail with these bugs planted: layers put over each other one by one (`what_a_lower_place_took_away_comes_back_whole`),
//! the window left where no rate is (`a_rate_that_is_off..`), what is off not listed (`..says_who_took_it_away`).

use lifecycle::settings::{Source, Switch};
use lifecycle::testing::isolated;
use lifecycle::{BreakerSettings, CircuitBreaker, Window, breaker, circuit_breaker, configure, verify};
use lifecycle_tests::{in_child, is_child};
use serde_json::json;
use std::time::Duration;

#[circuit_breaker(failure_rate = 50, window = "200 calls", minimum_calls = 150, backoff = exponential)]
fn rated() -> anyhow::Result<()> {
    anyhow::bail!("down")
}

#[circuit_breaker(threshold = 3, slow_call_rate = 80)]
fn both_kinds() -> anyhow::Result<()> {
    anyhow::bail!("down")
}

fn is_refused(result: anyhow::Result<()>) -> bool {
    result.unwrap_err().is::<lifecycle::Rejected>()
}

fn now(name: &str) -> String {
    breaker(name).unwrap().config().to_string()
}

fn said(breaker: &CircuitBreaker, option: &str) -> Option<(serde_json::Value, Source)> {
    let one = breaker.settings().into_iter().find(|one| one.option == option)?;
    Some((one.value, one.source))
}

#[test]
fn a_rate_that_is_off_leaves_failures_in_a_row() {
    isolated(|| {
        for off in [json!("off"), json!(false)] {
            assert_eq!(
                now("rated"),
                "failure_rate 50 %, window 200 calls, minimum_calls 150, timeout 60s, backoff exponential(factor 2)"
            );
            let _ = configure(json!({ "rated": { "failure_rate": off, "backoff": off } })).unwrap();
            assert_eq!(now("rated"), "threshold 5, timeout 60s");
            (0..5).for_each(|_| assert!(!is_refused(rated())));
            assert!(is_refused(rated()));
            breaker("rated").unwrap().reset();
            let _ = configure(json!({})).unwrap();
        }
        assert!(verify().iter().all(|error| !error.to_string().contains("rated")), "nothing is wrong");
    });
}

#[test]
fn code_takes_away_and_a_snapshot_says_who_took_it_away() {
    isolated(|| {
        let rated = breaker("rated").unwrap();
        rated.reconfigure(BreakerSettings::new().without_failure_rate().slow_call_rate(90)).unwrap();
        assert_eq!(
            now("rated"),
            "slow_call_rate 90 %, window 200 calls, minimum_calls 150, timeout 60s, backoff exponential(factor 2)"
        );
        assert_eq!(said(&rated, "failure_rate"), Some((json!("off"), Source::Reconfigured)));
        rated.reconfigure(BreakerSettings::new().without_failure_rate()).unwrap();
        assert_eq!(said(&rated, "window"), None);
        assert_eq!(said(&rated, "threshold"), Some((json!(5), Source::Default)));
        assert_eq!(rated.config().settings().threshold.and_then(Switch::on), Some(5));
        rated.reconfigure(BreakerSettings::new()).unwrap();
        assert_eq!(said(&rated, "failure_rate"), Some((json!(50), Source::Attribute)));

        let both = breaker("both_kinds").unwrap();
        both.reconfigure(BreakerSettings::new().without_threshold()).unwrap();
        assert_eq!(now("both_kinds"), "slow_call_rate 80 %, window 100 calls, minimum_calls 10, timeout 60s");
        (0..9).for_each(|_| drop(both_kinds()));
        assert!(!is_refused(both_kinds()), "failures in a row are nothing to it");
    });
}

#[test]
fn what_a_lower_place_took_away_comes_back_whole() {
    isolated(|| {
        let rated = breaker("rated").unwrap();
        let _ = configure(json!({ "rated": { "failure_rate": "off" } })).unwrap();
        rated.reconfigure(BreakerSettings::new().failure_rate(30)).unwrap();
        assert!(now("rated").starts_with("failure_rate 30 %, window 200 calls, minimum_calls 150"), "{}", now("rated"));
        // Of a window that goes with nothing else nothing is to be heard.
        rated.reconfigure(BreakerSettings::new().window(Window::Time(Duration::from_secs(5)))).unwrap();
        assert!(now("rated").starts_with("threshold 5, timeout"), "{}", now("rated"));
    });
}

#[test]
fn what_is_written_is_read_again() {
    let settings =
        BreakerSettings::new().without_threshold().without_failure_rate().slow_call_rate(7).without_backoff();
    let text = serde_json::to_value(&settings).unwrap();
    assert_eq!(text, json!({ "threshold": "off", "failure_rate": "off", "slow_call_rate": 7, "backoff": "off" }));
    assert_eq!(serde_json::from_value::<BreakerSettings>(text).unwrap(), settings);
    let slip = serde_json::from_value::<BreakerSettings>(json!({ "window": "off" })).unwrap_err().to_string();
    assert!(slip.contains("`window` must be \"100 calls\""), "{slip}");
}

#[test]
fn the_environment_takes_away() {
    if is_child("the_environment_takes_away") {
        assert_eq!(now("rated"), "threshold 5, timeout 60s, backoff exponential(factor 2)");
        let rated = breaker("rated").unwrap();
        assert_eq!(said(&rated, "failure_rate"), Some((json!("off"), Source::Environment)));
        return;
    }
    in_child("the_environment_takes_away", &[("LIFECYCLE__RATED__FAILURE_RATE", "off")]);
}

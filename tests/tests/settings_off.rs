//! Options that are taken away without a rebuild: in a file, by the environment, in code.
//!
//! Seen to fail with these bugs planted: layers put over each other one by one (`what_a_lower_place_took_away_comes_back_whole`),
//! the window left where no rate is (`a_rate_that_is_off..`), what is off not listed (`..says_who_took_it_away`), the rule that
//! something must open a breaker taken out (`nothing_is_left..` and the two after it), idle options not looked for (`a_window_beside..`),
//! `verify` asking only who was used (`..before_anybody_uses_it`), problems kept by name and not by who has them (the last three).

use lifecycle::settings::{Source, Switch};
use lifecycle::testing::{events, isolated};
use lifecycle::{
    BreakerConfig, BreakerSettings, CircuitBreaker, Error, KeyedCircuitBreaker, Settings, Window, breaker,
    circuit_breaker, configure, verify,
};
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

/// What `verify` says of a component's settings.
fn ignored(name: &str) -> Vec<String> {
    let all = verify().into_iter().filter(|error| matches!(error, Error::IgnoredSetting { .. }));
    all.map(|error| error.to_string()).filter(|text| text.to_lowercase().contains(name)).collect()
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

#[circuit_breaker(threshold = 3)]
#[allow(dead_code, reason = "what is declared here need not be called")]
fn in_a_row() -> anyhow::Result<()> {
    anyhow::bail!("down")
}

#[test]
fn nothing_is_left_that_opens_it_where_the_threshold_is_off_without_a_rate() {
    isolated(|| {
        let says = "`threshold` is off and there is no rate, so nothing would open the breaker: give `failure_rate` or \
                    `slow_call_rate`, or a `threshold` (to let all calls pass, call `disable()`)";
        let row = breaker("in_a_row").unwrap();
        for wrong in [
            json!({ "in_a_row": { "threshold": "off", "timeout": 3 } }),
            serde_json::to_value(Settings::new().breaker("in_a_row", BreakerSettings::new().without_threshold()))
                .unwrap(),
        ] {
            let error = configure(wrong).unwrap_err();
            let Error::InvalidSettings { problems } = &error else { panic!("{error}") };
            assert_eq!(
                (problems.len(), problems[0].name.as_str(), problems[0].source),
                (1, "in_a_row", Source::Configured)
            );
            assert_eq!(problems[0].reason, says);
            assert_eq!(now("in_a_row"), "threshold 3, timeout 60s", "nothing is applied");
        }
        let error = row.reconfigure(BreakerSettings::new().without_threshold()).unwrap_err();
        assert!(
            matches!(&error, Error::InvalidConfig { name, reason } if name == "in_a_row" && reason == says),
            "{error}"
        );
        let rated = breaker("rated").unwrap();
        let both = BreakerSettings::new().without_threshold().without_failure_rate();
        let error = rated.reconfigure(both.clone()).unwrap_err().to_string();
        assert!(error.contains("`threshold` and `failure_rate` are off, so nothing would open the breaker"), "{error}");
        rated.reconfigure(both.slow_call_rate(50)).unwrap();
        let keyed = KeyedCircuitBreaker::new("hosts", BreakerConfig::new()).unwrap();
        assert!(keyed.reconfigure(BreakerSettings::new().without_threshold()).is_err());
        assert!(ignored("in_a_row").is_empty());
    });
}

#[test]
fn of_a_threshold_that_is_off_only_the_numbers_that_hold_count() {
    isolated(|| {
        let row = breaker("in_a_row").unwrap();
        let _ = configure(json!({ "in_a_row": { "failure_rate": 40 } })).unwrap();
        row.reconfigure(BreakerSettings::new().without_threshold()).unwrap();
        assert!(now("in_a_row").starts_with("failure_rate 40 %, window"), "{}", now("in_a_row"));
        // The rate it stood on goes: the higher place is left out then, and says so.
        let _ = configure(json!({})).unwrap();
        assert_eq!(now("in_a_row"), "threshold 3, timeout 60s");
        let told = ignored("in_a_row");
        assert!(told.len() == 1 && told[0].ends_with("what it was reconfigured to is ignored"), "{told:?}");
        let _ = configure(json!({ "in_a_row": { "slow_call_rate": 40 } })).unwrap();
        assert!(now("in_a_row").starts_with("slow_call_rate 40 %"), "it holds again: {}", now("in_a_row"));
        assert!(ignored("in_a_row").is_empty());
        // Of two places that only together leave nothing, the higher one stays.
        row.reconfigure(BreakerSettings::new()).unwrap();
        let _ = configure(json!({ "in_a_row": { "threshold": "off", "failure_rate": 30 } })).unwrap();
        row.reconfigure(BreakerSettings::new().without_failure_rate()).unwrap_err();
        assert!(now("in_a_row").starts_with("failure_rate 30 %"), "{}", now("in_a_row"));
    });
}

#[circuit_breaker(key = host)]
fn ask_host(host: &str) -> anyhow::Result<()> {
    anyhow::bail!("{host} is down")
}

#[test]
fn a_family_is_told_of_without_any_key_in_use() {
    isolated(|| {
        let family = lifecycle::keyed_breaker("ask_host").unwrap();
        family.reconfigure(BreakerSettings::new().without_threshold()).unwrap_err();
        let _ = configure(json!({ "ask_host": { "failure_rate": 40 } })).unwrap();
        family.reconfigure(BreakerSettings::new().without_threshold()).unwrap();
        let _ = configure(json!({})).unwrap();
        let told = ignored("ask_host");
        assert!(told.len() == 1 && told[0].starts_with("`ask_host`: `threshold` is off"), "{told:?}");
        assert!(!is_refused(ask_host("a")));
        assert!(lifecycle::breaker("ask_host[a]").unwrap().config().to_string().starts_with("threshold 5"));
    });
}

#[test]
fn the_environment_that_leaves_nothing_is_left_out_and_told_before_anybody_uses_it() {
    const TEST: &str = "the_environment_that_leaves_nothing_is_left_out_and_told_before_anybody_uses_it";
    if !is_child(TEST) {
        let variables = [
            ("LIFECYCLE__IN_A_ROW__THRESHOLD", "OFF"),
            ("LIFECYCLE__BOTH_KINDS__THRESHOLD", "False"),
            ("LIFECYCLE__RATED__THRESHOLD", "off"),
            ("LIFECYCLE__RATED__FAILURE_RATE", "Off"),
            ("LIFECYCLE__UNSEEN__FAILURE_RATE", "off"),
            ("LIFECYCLE__UNSEEN__WINDOW", "10s"),
        ];
        return in_child(TEST, &variables);
    }
    #[circuit_breaker(failure_rate = 50)]
    #[allow(dead_code, reason = "declared is enough")]
    fn unseen() -> anyhow::Result<()> {
        Ok(())
    }
    let told = ignored("in_a_row");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with(
            "environment variable `LIFECYCLE__IN_A_ROW__THRESHOLD` is ignored: `threshold` is off and there"
        ),
        "{told:?}"
    );
    let told = ignored("rated");
    assert!(
        told[0]
            .starts_with("`rated`: its environment variables are ignored: `threshold` and `failure_rate` are off, so")
            && told[0].ends_with("; the variables are `LIFECYCLE__RATED__FAILURE_RATE`, `LIFECYCLE__RATED__THRESHOLD`"),
        "{told:?}"
    );
    let told = ignored("unseen");
    let says = "environment variable `LIFECYCLE__UNSEEN__WINDOW` is ignored: `failure_rate` is off, and nothing else goes by \
                `window`: leave one of the two out";
    assert_eq!(told, [says]);
    assert_eq!(now("in_a_row"), "threshold 3, timeout 60s");
    assert!(ignored("in_a_row").len() == 1, "and not twice");
    assert!(now("rated").starts_with("failure_rate 50 %"), "{}", now("rated"));
    assert!(now("both_kinds").starts_with("slow_call_rate 80 %"), "the attribute has a rate: {}", now("both_kinds"));
    assert!(ignored("both_kinds").is_empty());
    // A rate from another place makes it right, for as long as it is there.
    let _ = configure(json!({ "in_a_row": { "failure_rate": 20 } })).unwrap();
    assert!(now("in_a_row").starts_with("failure_rate 20 %, window"), "{}", now("in_a_row"));
    assert!(ignored("in_a_row").is_empty());
    let _ = configure(json!({})).unwrap();
    assert_eq!((now("in_a_row").as_str(), ignored("in_a_row").len()), ("threshold 3, timeout 60s", 1));
}

#[test]
fn a_window_beside_a_rate_that_is_off_is_told_and_one_below_it_is_not() {
    isolated(|| {
        let rated = breaker("rated").unwrap();
        let _ = configure(json!({ "rated": { "failure_rate": "OFF", "window": "10s", "timeout": 3 } })).unwrap();
        assert_eq!(now("rated"), "threshold 5, timeout 3s, backoff exponential(factor 2)", "the rest holds");
        let says = "`rated`: `failure_rate` is off, and nothing else goes by `window`: leave one of the two out";
        assert_eq!(ignored("rated"), [says]);
        let _ = configure(json!({ "rated": { "failure_rate": "off", "slow_call_rate": 5, "window": "10s" } })).unwrap();
        assert!(ignored("rated").is_empty(), "another rate goes by it");
        let _ = configure(json!({ "rated": { "failure_rate": 10, "window": "10s" } })).unwrap();
        rated.reconfigure(BreakerSettings::new().without_failure_rate()).unwrap();
        assert!(ignored("rated").is_empty(), "who takes the rate away means its window too");
        rated.reconfigure(BreakerSettings::new().without_failure_rate().minimum_calls(5)).unwrap();
        assert!(ignored("rated")[0].contains("goes by `minimum_calls`"), "{:?}", ignored("rated"));
    });
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

fn warned() -> usize {
    events().into_iter().filter(|event| event.name == "lifecycle.settings.ignored").count()
}

#[test]
fn a_problem_goes_with_the_last_who_has_it_and_its_like_is_not_told_again() {
    isolated(|| {
        let made = || {
            let made = CircuitBreaker::builder("made").build().unwrap();
            made.call(|| Ok::<_, ()>(())).unwrap();
            made
        };
        let _ = configure(json!({ "made": { "threshold": "off" } })).unwrap();
        let (one, other) = (made(), made());
        assert_eq!((ignored("made").len(), warned()), (1, 1));
        drop(one);
        assert_eq!(ignored("made").len(), 1, "the other one has it");
        drop(other);
        assert!(ignored("made").is_empty());
        let held = made();
        assert_eq!((ignored("made").len(), warned()), (1, 1));
        // It is on no list; what it leaves out is said no more.
        let _ = configure(json!({})).unwrap();
        assert!(ignored("made").is_empty(), "{:?}", ignored("made"));
        let _ = configure(json!({ "made": { "threshold": "off" } })).unwrap();
        held.reconfigure(BreakerSettings::new()).unwrap();
        assert_eq!((ignored("made").len(), warned()), (1, 1), "of it nothing else was found meanwhile");
        held.reconfigure(BreakerSettings::new().failure_rate(50)).unwrap();
        assert!(ignored("made").is_empty() && held.config().to_string().starts_with("failure_rate 50"));
        held.reconfigure(BreakerSettings::new()).unwrap();
        assert_eq!((ignored("made").len(), warned()), (1, 2), "put right, and wrong again");
    });
}

#[test]
fn a_mistake_about_all_keys_is_one_problem_however_many_there_are() {
    isolated(|| {
        let _ = configure(json!({ "ask_host": { "failure_rate": 40 } })).unwrap();
        (0..20).for_each(|host| drop(ask_host(&host.to_string())));
        let family = lifecycle::keyed_breaker("ask_host").unwrap();
        family.reconfigure(BreakerSettings::new().without_threshold()).unwrap();
        let _ = configure(json!({})).unwrap();
        let told = ignored("ask_host");
        assert!(told.len() == 1 && told[0].starts_with("`ask_host`: `threshold` is off"), "{told:?}");
        assert_eq!(warned(), 1);
        let _ = configure(json!({ "ask_host": { "failure_rate": 40 } })).unwrap();
        // One of one key's own is told by its name.
        family.reconfigure(BreakerSettings::new()).unwrap();
        family.at("7").reconfigure(BreakerSettings::new().without_threshold()).unwrap();
        let _ = configure(json!({})).unwrap();
        let told = ignored("ask_host");
        assert!(told.len() == 1 && told[0].starts_with("`ask_host[7]`: `threshold` is off"), "{told:?}");
        family.reconfigure(BreakerSettings::new()).unwrap();
        assert!(ignored("ask_host").is_empty());
    });
}

#[test]
fn a_key_with_numbers_of_its_own_leaves_no_problem_of_all_behind() {
    const TEST: &str = "a_key_with_numbers_of_its_own_leaves_no_problem_of_all_behind";
    if !is_child(TEST) {
        return in_child(TEST, &[("LIFECYCLE__ASK_HOST__THRESHOLD", "off")]);
    }
    let family = lifecycle::keyed_breaker("ask_host").unwrap();
    assert!(!is_refused(ask_host("a")));
    assert_eq!(ignored("ask_host").len(), 1);
    family.at("a").reconfigure(BreakerSettings::new().failure_rate(50)).unwrap();
    assert_eq!(ignored("ask_host").len(), 1, "keys to come have it");
    let _ = configure(json!({ "ask_host": { "failure_rate": 40 } })).unwrap();
    assert!(ignored("ask_host").is_empty(), "{:?}", ignored("ask_host"));
    assert!(family.at("a").config().to_string().starts_with("failure_rate 50"));
}

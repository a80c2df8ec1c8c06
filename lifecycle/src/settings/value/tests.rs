//! The tables of spellings.

use super::*;
use serde_json::json;

/// Each is read as that, and what is written of that is read as the same.
fn reads<S: Spelling<Of: PartialEq + std::fmt::Debug>>(table: &[(Value, S::Of)]) {
    for (value, of) in table {
        assert_eq!(S::read(value).as_ref(), Ok(of), "{value}");
        assert_eq!(S::read(&S::write(of)).as_ref(), Ok(of), "{value} as {}", S::write(of));
    }
}

fn refuses<S: Spelling<Of: std::fmt::Debug>>(values: &[Value]) {
    for value in values {
        let reason = S::read(value).expect_err(&value.to_string());
        assert!(reason.starts_with("must ") || reason.starts_with("has no "), "{value}: {reason}");
    }
}

#[test]
fn counts_and_percentages_are_numbers_or_their_text() {
    reads::<Count>(&[(json!(1), 1), (json!("5"), 5), (json!(" 1_000 "), 1000), (json!(u32::MAX), u32::MAX)]);
    let odd = [json!(0), json!(-1), json!(1.5), json!("x"), json!("+5"), json!(""), json!(true), json!([]), json!({})];
    refuses::<Count>(&odd);
    refuses::<Count>(&[json!(u64::from(u32::MAX) + 1)]);
    reads::<Percent>(&[(json!(1), 1), (json!("100"), 100)]);
    refuses::<Percent>(&odd);
    refuses::<Percent>(&[json!(101)]);
}

#[test]
fn what_can_be_taken_away_is_off() {
    reads::<OrOff<Percent>>(&[(json!("off"), Switch::Off), (json!(" off"), Switch::Off), (json!(50), Switch::On(50))]);
    assert_eq!(OrOff::<Percent>::read(&json!(false)), Ok(Switch::Off), "as YAML reads `off`");
    for off in ["OFF", "Off", "false", "FALSE", "No"] {
        assert_eq!(OrOff::<Percent>::read(&json!(off)), Ok(Switch::Off), "{off}");
        assert_eq!(OrOff::<Growth>::read(&json!(off)), Ok(Switch::Off), "{off}");
    }
    let odd = [json!("of"), json!("on"), json!("true"), json!(true), json!(0), json!("0"), json!(null), json!("")];
    refuses::<OrOff<Percent>>(&odd);
    let reason = OrOff::<Percent>::read(&json!(0)).unwrap_err();
    assert_eq!(reason, "must be a whole number of percent, from 1 to 100, or \"off\"");
}

#[test]
fn durations_have_a_unit_and_a_timeout_need_not() {
    let both = [
        (json!("250ms"), Duration::from_millis(250)),
        (json!("2s"), Duration::from_secs(2)),
        (json!("5m"), Duration::from_secs(300)),
        (json!("1h"), Duration::from_secs(3600)),
    ];
    reads::<Length>(&both);
    reads::<Timeout>(&both);
    refuses::<Length>(&[json!(30), json!("30"), json!("0s"), json!("30 parsecs"), json!(1.5), json!(null)]);
    assert!(Length::read(&json!(30)).unwrap_err().contains("unit"));
    reads::<Timeout>(&[
        (json!(30), Duration::from_secs(30)),
        (json!("30"), Duration::from_secs(30)),
        (json!(u64::MAX), Duration::from_secs(u64::MAX)),
    ]);
    refuses::<Timeout>(&[json!(0), json!("0"), json!("0ms"), json!(1.5), json!("-1s"), json!(-1), json!(true)]);
}

#[test]
fn windows_are_calls_or_a_time() {
    reads::<Calls>(&[
        (json!("100 calls"), Window::Calls(100)),
        (json!("1 call"), Window::Calls(1)),
        (json!("1_000calls"), Window::Calls(1000)),
        (json!("100 CALLS"), Window::Calls(100)),
        (json!("10S"), Window::Time(Duration::from_secs(10))),
        (json!("10s"), Window::Time(Duration::from_secs(10))),
    ]);
    assert_eq!(Calls::write(&Window::Calls(1)), json!("1 call"));
    refuses::<Calls>(&[json!(100), json!("100"), json!("0 calls"), json!("0s"), json!("calls"), json!("-1 calls")]);
}

#[test]
fn words_are_those_of_the_attribute() {
    let words = [Cancelled::Neutral, Cancelled::Failure, Cancelled::FailureWhenSlow];
    reads::<Word>(&words.map(|word| (json!(word.as_str()), word)));
    for (text, word) in [(" Neutral ", Cancelled::Neutral), ("FAILURE_WHEN_SLOW", Cancelled::FailureWhenSlow)] {
        assert_eq!(Word::read(&json!(text)), Ok(word));
    }
    refuses::<Word>(&[json!("ignore"), json!(1), json!("neutral failure"), json!(""), json!(null)]);
}

#[test]
fn a_backoff_is_a_word_a_call_or_a_table() {
    let all = Backoff::exponential().factor(2.5).cap(Duration::from_secs(600)).jitter(10);
    reads::<Growth>(&[
        (json!("exponential"), Backoff::exponential()),
        (json!("exponential()"), Backoff::exponential()),
        (json!("exponential(factor = 2.5, cap = 10m, jitter = 10)"), all),
        (json!("exponential (cap=\"10m\", factor=2.5, jitter = 10 %)"), all),
        (json!("EXPONENTIAL(Factor = 2.5, CAP = 10MIN, Jitter = 10)"), all),
        (json!({ "exponential": { "factor": 2.5, "cap": "10m", "jitter": 10 } }), all),
        (json!({ "exponential": { "factor": "2.5", "cap": "10min", "jitter": "10" } }), all),
        (json!({ "exponential": {} }), Backoff::exponential()),
        (json!({ "exponential": null }), Backoff::exponential()),
        (json!({ "exponential": { "factor": 3, "cap": null } }), Backoff::exponential().factor(3.0)),
    ]);
    refuses::<Growth>(&[
        json!("linear"),
        json!("exponential(2)"),
        json!("exponential(factor = 2"),
        json!("exponential(factor = 0.5)"),
        json!("exponential(cap = 10)"),
        json!("exponential(jitter = 101)"),
        json!("exponential(factor = 2, Factor = 3)"),
        json!({ "exponential": { "factor": "NaN" } }),
        json!({ "exponential": { "cap": "0s" } }),
        json!({ "exponential": {}, "linear": {} }),
        json!({ "linear": {} }),
        json!({}),
        json!(2),
    ]);
    let slip = Growth::read(&json!("exponential(facter = 2)")).unwrap_err();
    assert!(slip.ends_with("did you mean `factor`?"), "{slip}");
}

#[test]
fn rates_are_so_many_in_a_time() {
    reads::<Rate>(&[
        (json!("100/s"), (100, Duration::from_secs(1))),
        (json!("5/250ms"), (5, Duration::from_millis(250))),
        (json!("7/10us"), (7, Duration::from_micros(10))),
    ]);
    refuses::<Rate>(&[json!("0/s"), json!("5/0s"), json!("5/m"), json!(100), json!("100"), json!("9999999999/s")]);
    for off in [json!("Off"), json!(false)] {
        assert!(Rate::read(&off).unwrap_err().contains("is never off"), "{off}");
    }
    for (wrong, why) in
        [("0/min", "0 would refuse everything"), ("5/0s", "more than zero"), ("9999999999/s", "at most 4294967295")]
    {
        let reason = Rate::read(&json!(wrong)).unwrap_err();
        assert!(reason.contains(why), "{wrong}: {reason}");
    }
}

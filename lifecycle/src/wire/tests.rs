use super::*;
use crate::clock::{ClockHandle, ManualClock};
use std::sync::Arc;
use std::time::Duration;

operations! {
    /// Of the tests.
    enum TestOperation {
        /// Reads.
        Get = "get" { required: ["name"], optional: ["default"] },
        /// Takes anything.
        Fill = "fill" { required: [], optional: [], any_other },
    }
}

#[test]
fn operations_and_their_strings_correspond() {
    for &operation in TestOperation::ALL {
        let name = operation.as_str();
        assert_eq!(name.parse::<TestOperation>().unwrap(), operation);
        assert_eq!(TestOperation::try_from(name).unwrap(), operation);
        assert_eq!(operation.to_string(), name);
        assert_eq!(serde_json::to_value(operation).unwrap(), json!(name));
        assert_eq!(serde_json::from_value::<TestOperation>(json!(name)).unwrap(), operation);
    }
    let unknown = "Get".parse::<TestOperation>().unwrap_err();
    assert_eq!(unknown.to_string(), "unknown operation `Get`; there are: get, fill");
}

#[test]
fn arguments_are_checked_against_the_signature() {
    let get = TestOperation::Get.signature();
    let missing = Args::new().with("default", 1).check(get).err().unwrap();
    assert!(matches!(missing, Error::MissingArgument { op: "get", name: "name" }));
    let typo = Args::new().with("name", "a").with("defualt", 1).check(get).err().unwrap();
    assert_eq!(
        typo.to_string(),
        "operation `get` takes no argument `defualt`; it takes: name, default, correlation_id"
    );

    let mut good = Args::new().with("name", 7).with("correlation_id", "r-1").check(get).unwrap();
    assert_eq!((good.take("default"), good.take_name("name")), (Value::Null, String::new()));
    good.run(|_| assert_eq!(crate::scope::correlation_id().as_deref(), Some("r-1")));

    let all = Args::new().with("z", 1).with("correlation_id", Value::Null).with("a", 2);
    let rest = all.check(TestOperation::Fill.signature()).unwrap().rest();
    assert_eq!(rest.keys().collect::<Vec<_>>(), ["z", "a"]);
}

#[test]
fn arguments_do_not_show_their_values() {
    assert_eq!(format!("{:?}", Args::new().with("token", "canary")), r#"Args{"token"}"#);
}

#[test]
fn the_gate_admits_a_thousand_and_counts_what_it_refuses() {
    let clock = Arc::new(ManualClock::new());
    let gate = Gate::for_universe("test", ClockHandle::Custom(clock.clone()));
    (0..1000).for_each(|_| gate.charge().unwrap());
    let refused = gate.charge().unwrap_err();
    assert!(matches!(&refused, Error::RateLimited { manager: "test", limit: 1000, retry_after, .. }
        if *retry_after == Duration::from_nanos(1_000_000_001)));
    assert_eq!(error_object(&refused)["kind"], "rate_limited");
    assert!(error_object(&refused)["error"].as_str().unwrap().starts_with(LIMITED));
    assert_eq!((gate.rejected(), gate.usage()), (1, (1000, 1000, Duration::from_secs(1))));
    clock.advance(Duration::from_secs(1));
    assert!(gate.charge().is_err());
    clock.advance(Duration::from_nanos(1));
    gate.charge().unwrap();
    assert_eq!((gate.rejected(), gate.usage().0), (2, 1));
    gate.reset();
    assert_eq!((gate.rejected(), gate.usage().0), (0, 0));
}

#[test]
fn a_gate_can_be_set_wider_narrower_or_off() {
    let gate = Gate::for_universe("test", ClockHandle::Custom(Arc::new(ManualClock::new())));
    gate.set_rate_limit(Some((2, Duration::from_secs(1)))).unwrap();
    assert_eq!((0..5).filter(|_| gate.charge().is_ok()).count(), 2);
    gate.set_rate_limit(None).unwrap();
    assert!((0..5000).all(|_| gate.charge().is_ok()));
    assert!(matches!(gate.set_rate_limit(Some((0, Duration::from_secs(1)))), Err(Error::InvalidConfig { .. })));
    gate.set_rate_limit(Some((3, Duration::from_secs(1)))).unwrap();
    assert_eq!((0..5).filter(|_| gate.charge().is_ok()).count(), 1, "two of the three were used before");
}

//! The by-name cores: what is charged, what a limited call gives, the JSON shapes.

use lifecycle::{Args, BreakerConfig, CallError, CircuitBreakerOperation, Error, SingletonOperation, State, testing};
use serde_json::json;
use std::time::Duration;

/// Uses up a core's limit.
fn exhaust(mut operation: impl FnMut() -> bool) {
    let admitted = (0..2000).filter(|_| operation()).count();
    assert!(admitted <= 1000, "never more than 1000 in a window");
}

#[test]
fn a_call_is_one_token_and_one_count() {
    testing::isolated(|| {
        let core = lifecycle::breakers();
        for n in 0..1000 {
            core.call("x", || Ok::<_, ()>(n)).unwrap();
        }
        let refused = core.call("x", || -> Result<(), ()> { panic!("must not run") });
        assert!(matches!(refused, Err(CallError::RateLimited { manager: "circuit_breaker", .. })));
        let stats = core.get_stats();
        assert_eq!((stats.total_operations, stats.rate_limited_count, stats.current_rate_limit_size), (1000, 1, 1000));
        assert_eq!(stats.breakers[0].statistics.total_calls, 1000);
        // The closed window: a permit exactly a second old still counts.
        testing::advance(Duration::from_secs(1));
        assert!(core.get("x").is_err());
        testing::advance(Duration::from_nanos(1));
        assert!(core.get("x").is_ok());
    });
}

#[test]
fn the_first_configuration_stays_and_a_differing_one_is_told() {
    testing::isolated(|| {
        let core = lifecycle::breakers();
        let three = BreakerConfig::new().threshold(3).timeout(Duration::from_secs(30));
        assert_eq!(core.get("default").unwrap().config(), BreakerConfig::new());
        assert_eq!(core.get_with("default", three).unwrap().config(), BreakerConfig::new());
        assert!(testing::events().iter().any(|event| event.name == "lifecycle.circuit_breaker.config_differs"));
        let error = core.try_get_with("default", three).unwrap_err().to_string();
        assert_eq!(
            error,
            "circuit breaker `default` exists with threshold 5, timeout 60s; threshold 3, timeout 30s was asked for"
        );
        assert!(matches!(core.get(""), Err(Error::InvalidName { .. })));
    });
}

#[test]
fn reset_all_closes_and_keeps_statistics_and_reset_removes() {
    testing::isolated(|| {
        let core = lifecycle::breakers();
        let held = core.get_with("x", BreakerConfig::new().threshold(1)).unwrap();
        held.call(|| Err::<(), _>("down")).unwrap_err();
        core.reset_all();
        assert_eq!((held.state(), held.metrics().statistics.failed_calls), (State::Closed, 1));
        core.reset().unwrap();
        let stats = core.get_stats();
        assert_eq!((stats.breakers_count, stats.total_operations, stats.current_rate_limit_size), (0, 0, 0));
        held.call(|| Ok::<_, ()>(())).unwrap(); // goes on working, listed no more
        assert!(core.get_all_states().is_empty());
    });
}

#[test]
fn a_declared_breaker_is_seen_by_the_core_once_used_and_starts_afresh_on_reset() {
    #[lifecycle::circuit_breaker(threshold = 1, timeout = 9)]
    fn seen_by_core() -> anyhow::Result<()> {
        anyhow::bail!("down")
    }
    testing::isolated(|| {
        let core = lifecycle::breakers();
        assert!(core.get_all_states().is_empty());
        seen_by_core().unwrap_err();
        let states = core.get_all_states();
        assert_eq!(
            (states[0].name.as_str(), states[0].state.as_str(), states[0].threshold),
            ("seen_by_core", "open", Some(1))
        );
        assert_eq!(core.get("seen_by_core").unwrap().config().to_string(), "threshold 1, timeout 9s");
        core.reset().unwrap();
        assert!(core.get_all_states().is_empty());
    });
}

#[test]
fn breaker_operations_have_the_shapes_of_the_contract() {
    testing::isolated(|| {
        let run = |op: &str, args: Args| lifecycle::execute_circuit_breaker_operation(op, args).unwrap();
        let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(run("get_all_states", Args::new()), json!({}));
        let state = run("get", Args::new().with("name", "db"));
        assert_eq!(
            keys(&state),
            [
                "name",
                "state",
                "failures",
                "threshold",
                "timeout",
                "last_failure_time",
                "opened_at",
                "retry_after_seconds",
                "statistics"
            ]
        );
        assert_eq!(
            keys(&state["statistics"]),
            [
                "total_calls",
                "successful_calls",
                "failed_calls",
                "rejected_calls",
                "cancelled_calls",
                "ignored_calls",
                "times_opened",
                "last_state_change"
            ]
        );
        assert_eq!(
            (&state["state"], &state["threshold"], &state["timeout"]),
            (&json!("closed"), &json!(5), &json!(60.0))
        );
        let stats = run("get_stats", Args::new());
        assert_eq!(keys(&stats), ["success", "message", "data"]);
        assert_eq!(
            keys(&stats["data"]),
            [
                "total_operations",
                "breakers_count",
                "rate_limited_count",
                "rate_limit_window_ms",
                "current_rate_limit_size",
                "max_rate_limit",
                "breakers"
            ]
        );
        assert_eq!(keys(&stats["data"]["breakers"]), ["db"]);
        assert_eq!(run("reset_all", Args::new()), json!(null));
        assert_eq!(run("reset", Args::new()), json!(true));
        let call =
            lifecycle::execute_circuit_breaker_operation(CircuitBreakerOperation::Call, Args::new().with("name", "db"));
        assert!(matches!(call, Err(Error::NotDispatchable { .. })));
    });
}

#[test]
fn singleton_operations_have_the_shapes_of_the_contract() {
    testing::isolated(|| {
        let run = |op: &str, args: Args| lifecycle::execute_singleton_operation(op, args).unwrap();
        let named = |name: &str| Args::new().with("name", name);
        assert_eq!(run("get", named("a")), json!(null));
        assert_eq!(run("set", named("a").with("instance", json!({"k": [1]}))), json!(null));
        assert_eq!(run("get", named("a")), json!({"k": [1]}));
        assert_eq!(run("has", named("a")), json!(true));
        assert_eq!(run("exists", named("b")), json!(false));
        assert_eq!(run("get", named(""))["error"], "Singleton name must be a non-empty string");
        let stats = run("get_stats", Args::new());
        assert_eq!(
            stats.as_object().unwrap().keys().collect::<Vec<_>>(),
            [
                "total_singletons",
                "singleton_names",
                "singleton_types",
                "creation_times",
                "access_counts",
                "estimated_memory_bytes",
                "estimated_memory_kb",
                "estimated_memory_mb",
                "memory_note",
                "rate_limited_count",
                "timestamp"
            ]
        );
        assert_eq!((&stats["singleton_names"], &stats["access_counts"]), (&json!(["a"]), &json!({"a": 1})));
        assert_eq!(run("delete", named("a")), json!(true));
        assert_eq!(run("delete", named("a")), json!(false));
        assert_eq!(run("clear", Args::new()), json!(0));
        assert_eq!(run("reset", Args::new()), json!(true));
    });
}

#[test]
fn a_limited_singleton_core_answers_as_the_contract_says() {
    testing::isolated(|| {
        let core = lifecycle::singletons();
        core.set("kept", 1_u8).unwrap();
        exhaust(|| core.get::<u8>("kept").is_ok());
        assert!(matches!(core.get::<u8>("kept"), Err(Error::RateLimited { manager: "singleton", limit: 1000, .. })));
        assert!(core.has("kept"), "natively truthful");
        assert!(core.delete("kept").is_err() && core.clear().is_err() && core.reset().is_err());
        assert_eq!(core.get_stats().total_singletons, 1);
        let run = |op: SingletonOperation, args| lifecycle::execute_singleton_operation(op, args).unwrap();
        let named = || Args::new().with("name", "kept");
        assert_eq!(run(SingletonOperation::Get, named())["kind"], "rate_limited");
        assert_eq!(run(SingletonOperation::Has, named()), json!(false));
        assert_eq!(run(SingletonOperation::Delete, named()), json!(false));
        assert_eq!(run(SingletonOperation::Clear, Args::new()), json!(0));
        assert_eq!(run(SingletonOperation::Reset, Args::new()), json!(false));
        core.reset_unlimited();
        assert_eq!(core.get_stats().rate_limited_count, 0);
        assert!(core.get::<u8>("kept").unwrap().is_some());
    });
}

#[test]
fn bad_operations_and_arguments_are_named() {
    let text = |op: &str, args| lifecycle::execute_singleton_operation(op, args).unwrap_err().to_string();
    assert_eq!(
        text("GET", Args::new()),
        "unknown operation `GET`; there are: get, set, has, delete, clear, get_stats, reset, reset_all, exists"
    );
    assert_eq!(text("get", Args::new()), "operation `get` needs the argument `name`");
    assert_eq!(
        text("get", Args::new().with("name", "a").with("factroy_func", 1)),
        "operation `get` takes no argument `factroy_func`; it takes: name, correlation_id"
    );
}

#[test]
fn the_accessors_give_the_same_core_for_ever_and_a_core_of_ones_own_is_apart() {
    assert!(std::ptr::eq(lifecycle::singletons(), lifecycle::get_singleton_manager()));
    assert!(std::ptr::eq(lifecycle::breakers(), lifecycle::get_circuit_breaker_manager()));
    let own = lifecycle::SingletonCore::new();
    own.set("mine", 1_u8).unwrap();
    assert!(own.has("mine") && !lifecycle::singletons().has("mine"));
}

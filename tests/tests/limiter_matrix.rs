//! What each operation of the three cores gives while their limit is used up: charged ones say so, in their own words; looking and
//! administration always work; one operation is one token.

use lifecycle::{Args, Error, InitConfig, testing};
use serde_json::{Value, json};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// One operation on the wire.
struct Row {
    operation: &'static str,
    arguments: fn() -> Args,
    /// What it gives at the limit; `None`: an error object.
    limited: Option<fn() -> Value>,
    charged: bool,
}

const fn row(operation: &'static str, arguments: fn() -> Args, limited: Option<fn() -> Value>, charged: bool) -> Row {
    Row { operation, arguments, limited, charged }
}

fn none() -> Args {
    Args::new()
}

fn named() -> Args {
    Args::new().with("name", "x")
}

fn flagged() -> Args {
    Args::new().with("flag_name", "x")
}

/// Changes a core's limit.
type SetLimit = fn(Option<(u32, Duration)>) -> Result<(), Error>;

/// One core: its operations, how one is run, and how many it has refused.
struct Core {
    run: fn(&str, Args) -> Result<Value, Error>,
    refused: fn() -> u64,
    limit: SetLimit,
    rows: &'static [Row],
}

static CORES: &[Core] = &[
    Core {
        run: |operation, arguments| lifecycle::execute_initialization_operation(operation, arguments),
        refused: || lifecycle::initialization().get_status().rate_limited_count,
        limit: |limit| lifecycle::initialization().set_rate_limit(limit),
        rows: &[
            row(
                "initialize",
                none,
                Some(|| json!({"status": "rate_limited", "cached": true, "timestamp": null, "config_keys": []})),
                true,
            ),
            row("get_config", none, Some(|| json!({})), true),
            row("is_initialized", none, Some(|| json!(false)), true),
            row(
                "set_flag",
                || flagged().with("value", 1),
                Some(|| json!({"success": false, "error": "Rate limit exceeded", "flag_name": "x"})),
                true,
            ),
            row("get_flag", || flagged().with("default", "d"), Some(|| json!("d")), true),
            row("get_status", none, None, false),
            row("get_stats", none, None, false),
            row("reset", none, None, false),
        ],
    },
    Core {
        run: |operation, arguments| lifecycle::execute_singleton_operation(operation, arguments),
        refused: || lifecycle::singletons().get_stats().rate_limited_count,
        limit: |limit| lifecycle::singletons().set_rate_limit(limit),
        rows: &[
            row("get", named, None, true),
            row("set", || named().with("instance", 2), None, true),
            row("has", named, Some(|| json!(false)), true),
            row("exists", named, Some(|| json!(false)), true),
            row("delete", named, Some(|| json!(false)), true),
            row("clear", none, Some(|| json!(0)), true),
            row("reset_all", none, Some(|| json!(0)), true),
            row("reset", none, Some(|| json!(false)), true),
            row("get_stats", none, None, false),
        ],
    },
    Core {
        run: |operation, arguments| lifecycle::execute_circuit_breaker_operation(operation, arguments),
        refused: || lifecycle::breakers().get_stats().rate_limited_count,
        limit: |limit| lifecycle::breakers().set_rate_limit(limit),
        rows: &[
            row("get", named, None, true),
            row("reset", none, Some(|| json!(false)), true),
            row("get_all_states", none, None, false),
            row("get_stats", none, None, false),
            row("reset_all", none, None, false),
        ],
    },
];

/// Of an operation that is refused on the wire without words of its own.
fn is_refusal(value: &Value) -> bool {
    value["kind"] == "rate_limited"
}

fn prepared(core: &Core, limit: u32) {
    lifecycle::initialize(InitConfig::new()).unwrap();
    lifecycle::singletons().set("x", 1_u8).unwrap();
    (core.limit)(Some((limit, SECOND))).unwrap();
    testing::advance(SECOND * 2);
}

fn run(core: &Core, row: &Row) -> Value {
    (core.run)(row.operation, (row.arguments)()).unwrap()
}

#[test]
fn each_row_at_the_limit() {
    for core in CORES {
        // One that takes a token and changes nothing.
        let look = core.rows.iter().find(|row| row.charged && row.operation != "initialize").unwrap();
        for row in core.rows {
            testing::isolated(|| {
                prepared(core, 1);
                run(core, look);
                let value = run(core, row);
                if !row.charged {
                    assert!(!is_refusal(&value) && (core.refused)() == 0, "{}: {value}", row.operation);
                    return;
                }
                match row.limited {
                    Some(limited) => assert_eq!(value, limited(), "{}", row.operation),
                    None => assert!(is_refusal(&value), "{}: {value}", row.operation),
                }
                assert_eq!((core.refused)(), 1, "{}", row.operation);
                // What was refused has not been done, and puts nothing off.
                assert!(lifecycle::singletons().has("x") && lifecycle::initialization().is_initialized());
                testing::advance(SECOND + Duration::from_nanos(1));
                let value = run(core, row);
                assert!(!is_refusal(&value), "{}: {value}", row.operation);
            });
        }
    }
}

#[test]
fn one_operation_is_one_token_or_none() {
    for core in CORES {
        let look = core.rows.iter().find(|row| row.charged && row.operation != "initialize").unwrap();
        // A reset empties the window.
        for row in core.rows.iter().filter(|row| row.operation != "reset") {
            testing::isolated(|| {
                prepared(core, 3);
                run(core, row);
                let left = (0..9).filter(|_| (run(core, look), (core.refused)()).1 == 0).count();
                assert_eq!(left, if row.charged { 2 } else { 3 }, "{}", row.operation);
            });
        }
    }
}

#[test]
fn natively_a_limited_read_is_an_error_and_never_a_wrong_value() {
    testing::isolated(|| {
        let (init, singletons, breakers) =
            (lifecycle::initialization(), lifecycle::singletons(), lifecycle::breakers());
        lifecycle::initialize(InitConfig::new().with("region", "eu")).unwrap();
        init.set_flag("x", true).unwrap();
        singletons.set("x", 1_u8).unwrap();
        breakers.get("x").unwrap();
        for core in CORES {
            (core.limit)(Some((1, SECOND))).unwrap();
        }
        let limited = |error: Option<Error>, what: &str| {
            assert!(matches!(error, Some(Error::RateLimited { limit: 1, .. })), "{what}: {error:?}");
        };
        limited(init.config().err(), "config");
        limited(init.get_flag("x").err(), "get_flag");
        limited(init.set_flag("x", false).err(), "set_flag");
        limited(init.initialize(InitConfig::new()).err(), "initialize");
        limited(singletons.get::<u8>("x").err(), "get");
        limited(singletons.set("x", 2_u8).err(), "set");
        limited(singletons.delete("x").err(), "delete");
        limited(singletons.clear().err(), "clear");
        limited(singletons.reset().err(), "reset");
        limited(breakers.get("x").err(), "breakers.get");
        limited(breakers.reset().err(), "breakers.reset");
        let called = breakers.call("x", || -> Result<(), ()> { panic!("it must not run") });
        assert!(matches!(called, Err(lifecycle::CallError::RateLimited { manager: "circuit_breaker", .. })));
        // Truthful, and not charged.
        assert!(init.is_initialized() && singletons.has("x") && breakers.get_all_states().len() == 1);
        assert_eq!(breakers.get_stats().rate_limited_count, 3);
        breakers.reset_all();
        breakers.reset_unlimited();
        singletons.reset_unlimited();
        assert_eq!(singletons.get::<u8>("x").unwrap().as_deref().copied(), Some(1));
        init.reset();
        assert!(!init.is_initialized());
    });
}

#[test]
fn limits_are_changed_and_removed_while_running() {
    for core in CORES {
        testing::isolated(|| {
            let look = core.rows.iter().find(|row| row.charged && row.operation != "initialize").unwrap();
            let refused = |times: usize| {
                let before = (core.refused)();
                (0..times).for_each(|_| _ = run(core, look));
                (core.refused)() - before
            };
            (core.limit)(None).unwrap();
            assert_eq!(refused(2500), 0, "without a limit nothing is refused");
            (core.limit)(Some((3, SECOND * 60))).unwrap();
            testing::advance(SECOND * 120);
            assert_eq!(refused(10), 7);
            (core.limit)(Some((5, SECOND * 60))).unwrap();
            assert_eq!(refused(10), 8, "there is room for two more");
            assert!((core.limit)(Some((0, SECOND))).is_err() && (core.limit)(Some((1, Duration::ZERO))).is_err());
        });
    }
}

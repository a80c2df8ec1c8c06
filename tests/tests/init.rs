//! Initialization: once, atomically, in the contract's shapes; flags by name; nothing secret shown.

use lifecycle::init::execute_initialization_operation as execute;
use lifecycle::testing::{advance, events, isolated};
use lifecycle::{
    Args, Error, Flag, InitConfig, InitializationCore, InitializationOperation as Op, init_flag, initialization,
    initialize,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::time::Duration;

#[init_flag]
static DARK_MODE: Flag<bool> = false;

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn run(operation: &str, args: Args) -> Value {
    execute(operation, args).unwrap()
}

/// Uses up the limit of this world's core.
fn use_up() {
    while !matches!(initialization().config(), Err(Error::RateLimited { .. })) {}
}

#[test]
fn initialize_answers_in_the_contracts_shapes() {
    isolated(|| {
        let first = run(
            "initialize",
            Args::new().with("config", json!({"debug_mode": true, "timeout": 30})).with("region", "eu"),
        );
        assert_eq!(keys(&first), ["status", "cached", "timestamp", "duration_ms", "config_keys"]);
        assert_eq!((&first["status"], &first["cached"]), (&json!("initialized"), &json!(false)));
        assert_eq!(first["config_keys"], json!(["debug_mode", "timeout", "region"]));
        advance(Duration::from_millis(1500));
        let later = run("initialize", Args::new());
        assert_eq!(
            keys(&later),
            ["status", "cached", "timestamp", "init_duration_ms", "uptime_seconds", "config_keys"]
        );
        assert_eq!((&later["status"], &later["cached"]), (&json!("already_initialized"), &json!(true)));
        assert_eq!((&later["timestamp"], &later["uptime_seconds"]), (&first["timestamp"], &json!(1.5)));
        assert_eq!(later["config_keys"], first["config_keys"]);
    });
}

#[test]
fn arguments_win_over_config_and_keep_its_order() {
    isolated(|| {
        let config = json!({"a": 1, "b": 2});
        run("initialize", Args::new().with("c", 3).with("config", config).with("a", 9).with("correlation_id", "r-1"));
        assert_eq!(run("get_config", Args::new()).to_string(), r#"{"a":9,"b":2,"c":3}"#);
    });
}

#[test]
fn a_later_configuration_is_ignored_and_that_is_told_once() {
    isolated(|| {
        let config = InitConfig::new().with("a", 1);
        initialize(config.clone()).unwrap();
        assert!(!initialize(config).unwrap().ignored, "the same again");
        assert!(!initialize(InitConfig::new()).unwrap().ignored, "none");
        for _ in 0..3 {
            assert!(initialize(InitConfig::new().with("a", 2)).unwrap().ignored);
        }
        assert_eq!(initialization().config().unwrap().get("a"), Some(&1.into()));
        let told = events().into_iter().filter(|event| event.name == "lifecycle.init.config_ignored").count();
        assert_eq!(told, 1);
    });
}

#[test]
fn of_many_threads_exactly_one_initializes() {
    let core = InitializationCore::new();
    let barrier = Barrier::new(16);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..16)
            .map(|caller| {
                let (core, barrier) = (&core, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let outcome = core.initialize(InitConfig::new().with("caller", caller)).unwrap();
                    assert!(core.is_initialized(), "whoever returns finds it complete");
                    (outcome, core.config().unwrap().get("caller").cloned())
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|(outcome, _)| !outcome.cached).count(), 1);
    assert!(outcomes.windows(2).all(|pair| pair[0].1 == pair[1].1 && pair[0].0.timestamp == pair[1].0.timestamp));
}

#[test]
fn what_cannot_be_initialized_with_leaves_it_uninitialized() {
    isolated(|| {
        let huge = initialize(InitConfig::new().with("blob", "x".repeat(2 << 20)));
        assert!(matches!(huge, Err(Error::TooLarge { .. })));
        assert!(matches!(initialization().initialize_with(&7), Err(Error::InvalidConfig { .. })));
        assert!(matches!(execute("initialize", Args::new().with("config", "text")), Err(Error::InvalidConfig { .. })));
        assert!(!initialization().is_initialized());
        assert!(matches!(initialization().config(), Err(Error::NotInitialized)));
        assert!(!initialize(InitConfig::new()).unwrap().cached, "and it can be tried again");
    });
}

#[test]
fn reset_goes_back_to_the_beginning_and_leaves_what_was_handed_out() {
    isolated(|| {
        let core = initialization();
        core.initialize(InitConfig::new().with("a", 1)).unwrap();
        core.set_flag("beta", true).unwrap();
        core.set_flag("dark_mode", true).unwrap();
        let config = core.config().unwrap();
        use_up();
        assert_eq!(core.get_status().rate_limited_count, 1);
        let reset = run("reset", Args::new());
        assert_eq!(keys(&reset), ["status", "was_initialized", "timestamp"]);
        assert_eq!((&reset["status"], &reset["was_initialized"]), (&json!("reset"), &json!(true)));
        let status = core.get_status();
        assert!(!status.initialized && status.flags.is_empty() && status.config_keys.is_empty());
        assert_eq!((status.rate_limited_count, status.uptime), (0, None));
        assert_eq!((core.get_flag("beta").unwrap(), DARK_MODE.get()), (None, false));
        assert_eq!(config.get("a"), Some(&1.into()));
        assert!(!core.initialize(InitConfig::new()).unwrap().cached);
        assert!(core.reset().was_initialized && !core.reset_unlimited().was_initialized);
    });
}

#[test]
fn the_status_has_the_contracts_fields() {
    isolated(|| {
        let fields = [
            "initialized",
            "config",
            "flags",
            "init_timestamp",
            "init_duration_ms",
            "uptime_seconds",
            "flag_count",
            "config_keys",
            "rate_limited_count",
        ];
        let before = run("get_status", Args::new());
        assert_eq!(keys(&before), fields);
        assert_eq!(before["uptime_seconds"], Value::Null);
        initialize(InitConfig::new().with("a", 1)).unwrap();
        run("set_flag", Args::new().with("flag_name", "z").with("value", 1));
        run("set_flag", Args::new().with("flag_name", "b").with("value", Value::Null));
        DARK_MODE.set(true);
        let after = run("get_stats", Args::new());
        assert_eq!(keys(&after), fields);
        assert_eq!(after["flags"].to_string(), r#"{"z":1,"b":null,"dark_mode":true}"#);
        assert_eq!((&after["flag_count"], &after["initialized"]), (&json!(3), &json!(true)));
        assert!(after["init_timestamp"].is_f64());
        assert_eq!(run("get_status", Args::new()), after, "get_stats is get_status");
    });
}

#[test]
fn set_flag_tells_new_and_old_also_for_null() {
    isolated(|| {
        let set = |value: Value| run("set_flag", Args::new().with("flag_name", "f").with("value", value));
        let shape = json!({"success": true, "flag_name": "f", "value": null, "old_value": null, "was_new": true});
        assert_eq!(set(Value::Null).to_string(), shape.to_string());
        let again = set(json!([1]));
        assert_eq!((&again["old_value"], &again["was_new"]), (&Value::Null, &json!(false)));
        assert_eq!(set(json!("x"))["old_value"], json!([1]), "the type may change");
        let get = |args: Args| run("get_flag", args.with("flag_name", "f"));
        set(Value::Null);
        assert_eq!(get(Args::new().with("default", 7)), Value::Null, "a stored null is a value");
        run("reset", Args::new());
        assert_eq!((get(Args::new().with("default", 7)), get(Args::new())), (json!(7), Value::Null));
        assert_eq!(initialization().get_status().flag_count, 0, "asking makes no flag");
    });
}

#[test]
fn bad_names_and_values_of_flags_are_refused() {
    isolated(|| {
        let core = initialization();
        for name in [json!(""), json!(5), Value::Null] {
            let refused = run("set_flag", Args::new().with("flag_name", name.clone()).with("value", 1));
            let shape = json!({"success": false, "error": "Flag name must be a non-empty string", "flag_name": name});
            assert_eq!(refused.to_string(), shape.to_string());
        }
        assert_eq!(run("get_flag", Args::new().with("flag_name", "").with("default", 3)), 3);
        assert!(matches!(core.get_flag(""), Err(Error::InvalidName { kind: "Flag" })));
        core.set_flag(" ", 1).expect("a blank is a name");
        assert!(matches!(core.set_flag("f", "x".repeat(64 * 1024)), Err(Error::TooLarge { .. })));
        core.set_flag("f", "x".repeat(64 * 1024 - 2)).expect("with its quotes exactly 64 KiB");
        let long = core.set_flag(&"ü".repeat(200), 1).unwrap_err();
        assert!(matches!(&long, Error::TooLarge { size: 400, limit: 256, .. }) && long.to_string().len() < 200);
        core.set_rate_limit(None).unwrap();
        let stored = (0..2000).filter(|at| core.set_flag(&format!("flag {at}"), *at).is_ok()).count();
        assert_eq!(stored, 1024 - 2);
        assert!(matches!(core.set_flag("one more", 1), Err(Error::Full { limit: 1024, .. })));
        core.set_flag("flag 7", 1).expect("a known flag changes in a full list");
    });
}

#[test]
fn a_declared_flag_is_set_by_its_name_with_its_type() {
    isolated(|| {
        let core = initialization();
        let change = core.set_flag("dark_mode", true).unwrap();
        assert!(change.was_new && change.old_value.is_none() && DARK_MODE.get());
        let change = core.set_flag("dark_mode", false).unwrap();
        assert_eq!((change.was_new, change.old_value), (false, Some(true.into())));
        assert!(matches!(core.set_flag("dark_mode", "on"), Err(Error::FlagType { expected: "bool", .. })));
        let refused = run("set_flag", Args::new().with("flag_name", "dark_mode").with("value", 1));
        assert_eq!(refused["error"], "flag `dark_mode` is a bool; 1 does not fit");
        assert!(core.declared_flags().iter().any(|flag| flag.name == "dark_mode" && flag.value == json!(false)));
        let alone = InitializationCore::new();
        assert!(alone.set_flag("dark_mode", "on").unwrap().was_new, "a core of one's own sees no declared flags");
        assert!(alone.declared_flags().is_empty());
    });
}

#[test]
fn a_typed_look_tells_missing_from_wrong() {
    isolated(|| {
        let core = initialization();
        core.set_flag("retries", 3).unwrap();
        assert_eq!((core.flag::<u8>("retries").unwrap(), core.flag::<u8>("other").unwrap()), (Some(3), None));
        assert!(matches!(core.flag::<bool>("retries"), Err(Error::TypeMismatch { found: "number", .. })));
        assert_eq!((core.flag_or("retries", 9), core.flag_or("other", 9)), (3, 9));
        assert!(core.flag_or("retries", true));
        assert_eq!(events().iter().filter(|event| event.name == "lifecycle.flag.type_mismatch").count(), 1);
    });
}

#[test]
fn at_its_limit_each_operation_gives_what_the_matrix_says() {
    isolated(|| {
        let core = initialization();
        core.initialize(InitConfig::new().with("a", 1)).unwrap();
        core.set_flag("f", 1).unwrap();
        use_up();
        let limited =
            |error: Option<Error>| matches!(error, Some(Error::RateLimited { manager: "initialization", .. }));
        assert!(limited(core.initialize(InitConfig::new()).err()));
        assert!(limited(core.config().err()));
        assert!(limited(core.set_flag("f", 2).err()));
        assert!(limited(core.get_flag("f").err()));
        assert!(core.config_or_default().is_empty());
        assert_eq!(core.flag_or("f", 9), 9);
        assert!(core.is_initialized(), "never charged, never lies");
        assert_eq!(core.get_flag("dark_mode").unwrap(), Some(false.into()), "declared flags are not charged");

        let wire = run("initialize", Args::new());
        let shape = json!({"status": "rate_limited", "cached": true, "timestamp": null, "config_keys": []});
        assert_eq!(wire.to_string(), shape.to_string());
        assert_eq!(run("get_config", Args::new()), json!({}));
        assert_eq!(run("is_initialized", Args::new()), false);
        let wire = run("set_flag", Args::new().with("flag_name", "f").with("value", 2));
        assert_eq!(
            wire.to_string(),
            json!({"success": false, "error": "Rate limit exceeded", "flag_name": "f"}).to_string()
        );
        assert_eq!(run("get_flag", Args::new().with("flag_name", "f").with("default", "d")), "d");
        let status = run("get_status", Args::new());
        assert_eq!(status["flags"]["f"], 1, "and nothing was changed");
        assert_eq!(status["rate_limited_count"], 12, "each refusal counts one");
        assert_eq!(run("reset", Args::new())["status"], "reset");
        assert_eq!(run("is_initialized", Args::new()), false);
    });
}

#[test]
fn one_operation_costs_one_permit() {
    isolated(|| {
        let core = initialization();
        core.set_rate_limit(Some((8, Duration::from_secs(1)))).unwrap();
        run("initialize", Args::new().with("a", 1));
        run("get_config", Args::new());
        run("is_initialized", Args::new());
        run("set_flag", Args::new().with("flag_name", "f").with("value", 1));
        run("set_flag", Args::new().with("flag_name", "").with("value", 1));
        run("get_flag", Args::new().with("flag_name", "f"));
        let _ = core.get_flag("");
        for free in ["get_status", "get_stats"] {
            run(free, Args::new());
        }
        assert!(core.is_initialized());
        assert!(core.config().is_ok(), "the eighth");
        assert!(core.config().is_err(), "and no other");
    });
}

#[test]
fn unknown_operations_and_arguments_are_errors() {
    assert!(matches!(execute("Initialize", Args::new()), Err(Error::UnknownOperation { .. })));
    assert!(matches!(execute(Op::Reset, Args::new().with("why", 1)), Err(Error::UnknownArgument { op: "reset", .. })));
    let missing = execute(Op::SetFlag, Args::new().with("flag_name", "f"));
    assert!(matches!(missing, Err(Error::MissingArgument { op: "set_flag", name: "value" })));
}

#[test]
fn a_secret_in_the_configuration_shows_up_nowhere() {
    const CANARY: &str = "canary-7f3a";

    #[derive(Debug, Deserialize)]
    struct Wrong {
        #[expect(dead_code, reason = "never gets a value")]
        token: u32,
    }

    isolated(|| {
        let core = initialization();
        let config =
            InitConfig::new().with("token", CANARY).with("nested", json!({"password": CANARY})).with("region", "eu");
        let mut seen = vec![format!("{config:?}"), serde_json::to_string(&config).unwrap()];
        seen.push(format!("{:?}", core.initialize(config.reveal("region")).unwrap()));
        seen.push(core.config_as::<Wrong>().unwrap_err().to_string());
        seen.push(format!("{:?} {:?}", core, core.get_status()));
        seen.push(run("get_status", Args::new()).to_string());
        seen.push(run("initialize", Args::new().with("token", "canary-7f3a-2")).to_string());
        seen.push(format!("{:?}", Args::new().with("token", CANARY)));
        seen.push(serde_json::to_string(&lifecycle::snapshot()).unwrap());
        seen.push(format!("{} {:?}", lifecycle::snapshot(), events()));
        for text in &seen {
            assert!(!text.contains(CANARY), "{text}");
        }
        assert_eq!(core.get_status().config["region"], "eu", "what is revealed is shown");
        assert_eq!(core.config().unwrap().get("token"), Some(&CANARY.into()), "and who asks for the value gets it");
    });
}

#[test]
fn a_type_of_ones_own_goes_in_and_out() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Settings {
        region: String,
        retries: u32,
    }

    isolated(|| {
        let settings = Settings { region: "eu".to_owned(), retries: 3 };
        let outcome = initialization().initialize_with(&settings).unwrap();
        assert_eq!(outcome.config_keys, ["region", "retries"]);
        assert_eq!(initialization().config_as::<Settings>().unwrap(), settings);
    });
}

#[test]
fn flags_by_name_are_in_the_snapshot() {
    isolated(|| {
        initialization().set_flag("beta", json!({"share": 5})).unwrap();
        let seen = lifecycle::snapshot();
        let flag = seen.flags.iter().find(|flag| flag.name == "beta").unwrap();
        assert_eq!(
            (flag.type_name.as_str(), flag.source.as_str(), &flag.value),
            ("object", "set", &json!({"share": 5}))
        );
        assert!(!seen.initialization.initialized);
    });
    assert!(lifecycle::snapshot().flags.iter().all(|flag| flag.name != "beta"));
}

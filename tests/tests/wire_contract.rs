//! The contract of the three cores on the wire, byte for byte: scripts of operations with the JSON each must answer.
//!
//! The cores are their own, on a clock whose wall time is known too, so that every byte of an answer is. A line is
//! `operation arguments => answer`; `+ 250` moves the clock on by milliseconds; `<2>` stands for the size of two JSON values. All answers
//! that differ are shown, each under its call.

use lifecycle::clock::{Clock, ManualClock};
use lifecycle::{Args, CircuitBreakerCore, Error, InitializationCore, SingletonCore};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wall time is that of the contract's examples.
struct Dated(ManualClock);

impl Clock for Dated {
    fn now_mono(&self) -> u64 {
        self.0.now_mono()
    }

    fn now_wall(&self) -> SystemTime {
        // A manual clock begins at one second.
        UNIX_EPOCH + Duration::from_secs(1_702_499_999) + Duration::from_nanos(self.0.now_mono())
    }
}

fn dated() -> Arc<Dated> {
    Arc::new(Dated(ManualClock::new()))
}

/// Runs a script, and compares what it answers with what stands in it.
#[track_caller]
fn follows(script: &str, clock: &Dated, mut execute: impl FnMut(&str, Args) -> Result<Value, Error>) {
    let mut differing = Vec::new();
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        if let Some(millis) = line.strip_prefix("+ ") {
            clock.0.advance(Duration::from_millis(millis.parse().unwrap()));
            continue;
        }
        let (call, answer) = line.split_once(" => ").unwrap_or_else(|| panic!("no answer stands in: {line}"));
        let (operation, args) = call.split_once(' ').unwrap_or((call, "{}"));
        let got = match execute(operation, serde_json::from_str(args).unwrap()) {
            Ok(value) => value.to_string(),
            Err(error) => format!("error: {error}"),
        };
        let wanted = (1..=2).fold(answer.to_owned(), |answer, values| {
            let bytes = values * size_of::<Value>();
            let kib = (bytes as f64 / 10.24 + 0.5).floor() / 100.0;
            answer
                .replace(&format!("<{values}>"), &bytes.to_string())
                .replace(&format!("<{values} in KiB>"), &kib.to_string())
        });
        if got != wanted {
            differing.push(format!("{call}\n  wanted {wanted}\n  seen   {got}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Three operations in a second.
const LIMIT: Option<(u32, Duration)> = Some((3, Duration::from_secs(1)));

#[test]
fn initialization() {
    let clock = dated();
    let core = InitializationCore::with_clock_and_limit(clock.clone(), None).unwrap();
    follows(
        r#"
        is_initialized => false
        get_config => {}
        get_status => {"initialized":false,"config":{},"flags":{},"init_timestamp":null,"init_duration_ms":null,"uptime_seconds":null,"flag_count":0,"config_keys":[],"rate_limited_count":0}
        get_flag {"flag_name":"beta"} => null
        get_flag {"flag_name":"beta","default":[1]} => [1]
        set_flag {"flag_name":"beta","value":null} => {"success":true,"flag_name":"beta","value":null,"old_value":null,"was_new":true}
        get_flag {"flag_name":"beta","default":[1]} => null
        initialize {"config":{"debug_mode":true,"timeout":30},"region":"eu","timeout":60,"correlation_id":"r-1"} => {"status":"initialized","cached":false,"timestamp":1702500000.0,"duration_ms":0.0,"config_keys":["debug_mode","timeout","region"]}
        + 2500
        initialize {"other":1} => {"status":"already_initialized","cached":true,"timestamp":1702500000.0,"init_duration_ms":0.0,"uptime_seconds":2.5,"config_keys":["debug_mode","timeout","region"]}
        initialize {"config":null} => {"status":"already_initialized","cached":true,"timestamp":1702500000.0,"init_duration_ms":0.0,"uptime_seconds":2.5,"config_keys":["debug_mode","timeout","region"]}
        is_initialized => true
        get_config => {"debug_mode":true,"timeout":60,"region":"eu"}
        set_flag {"flag_name":"beta","value":{"share":5}} => {"success":true,"flag_name":"beta","value":{"share":5},"old_value":null,"was_new":false}
        set_flag {"flag_name":"","value":1} => {"success":false,"error":"Flag name must be a non-empty string","flag_name":""}
        set_flag {"flag_name":[],"value":1} => {"success":false,"error":"Flag name must be a non-empty string","flag_name":[]}
        get_status => {"initialized":true,"config":{"debug_mode":"***","timeout":"***","region":"***"},"flags":{"beta":{"share":5}},"init_timestamp":1702500000.0,"init_duration_ms":0.0,"uptime_seconds":2.5,"flag_count":1,"config_keys":["debug_mode","timeout","region"],"rate_limited_count":0}
        get_stats {"correlation_id":null} => {"initialized":true,"config":{"debug_mode":"***","timeout":"***","region":"***"},"flags":{"beta":{"share":5}},"init_timestamp":1702500000.0,"init_duration_ms":0.0,"uptime_seconds":2.5,"flag_count":1,"config_keys":["debug_mode","timeout","region"],"rate_limited_count":0}
        + 500
        reset => {"status":"reset","was_initialized":true,"timestamp":1702500003.0}
        reset => {"status":"reset","was_initialized":false,"timestamp":1702500003.0}
        get_flag {"flag_name":"beta"} => null
        initialize => {"status":"initialized","cached":false,"timestamp":1702500003.0,"duration_ms":0.0,"config_keys":[]}
        # What is no operation at all is an error, not an answer.
        init => error: unknown operation `init`; there are: initialize, get_config, is_initialized, reset, get_status, get_stats, set_flag, get_flag
        set_flag {"flag_name":"a"} => error: operation `set_flag` needs the argument `value`
        get_flag {"name":"a"} => error: operation `get_flag` takes no argument `name`; it takes: flag_name, default, correlation_id
        initialize {"config":5} => error: `config`: the argument `config` must be an object
        "#,
        &clock,
        |operation, args| core.execute(operation, args),
    );
}

#[test]
fn initialization_at_its_limit() {
    let clock = dated();
    let core = InitializationCore::with_clock_and_limit(clock.clone(), LIMIT).unwrap();
    follows(
        r#"
        set_flag {"flag_name":"a","value":1} => {"success":true,"flag_name":"a","value":1,"old_value":null,"was_new":true}
        initialize {"k":"v"} => {"status":"initialized","cached":false,"timestamp":1702500000.0,"duration_ms":0.0,"config_keys":["k"]}
        is_initialized => true
        initialize {"k":"v"} => {"status":"rate_limited","cached":true,"timestamp":null,"config_keys":[]}
        get_config => {}
        is_initialized => false
        set_flag {"flag_name":"a","value":2} => {"success":false,"error":"Rate limit exceeded","flag_name":"a"}
        get_flag {"flag_name":"a","default":"d"} => "d"
        get_status => {"initialized":true,"config":{"k":"***"},"flags":{"a":1},"init_timestamp":1702500000.0,"init_duration_ms":0.0,"uptime_seconds":0.0,"flag_count":1,"config_keys":["k"],"rate_limited_count":5}
        # The closed window: what is exactly a second old still counts.
        + 1000
        is_initialized => false
        + 1
        is_initialized => true
        reset => {"status":"reset","was_initialized":true,"timestamp":1702500001.001}
        get_status => {"initialized":false,"config":{},"flags":{},"init_timestamp":null,"init_duration_ms":null,"uptime_seconds":null,"flag_count":0,"config_keys":[],"rate_limited_count":0}
        "#,
        &clock,
        |operation, args| core.execute(operation, args),
    );
}

#[test]
fn singletons() {
    let clock = dated();
    let core = SingletonCore::with_clock_and_limit(clock.clone(), None).unwrap();
    follows(
        r#"
        get {"name":"region"} => null
        has {"name":"region"} => false
        set {"name":"region","instance":"eu"} => null
        + 1500
        set {"name":"limits","instance":{"max":3}} => null
        get {"name":"region"} => "eu"
        get {"name":"region","correlation_id":"r-1"} => "eu"
        has {"name":"region"} => true
        exists {"name":"limits"} => true
        get_stats => {"total_singletons":2,"singleton_names":["region","limits"],"singleton_types":{"region":"Value","limits":"Value"},"creation_times":{"region":1702500000.0,"limits":1702500001.5},"access_counts":{"region":2,"limits":0},"estimated_memory_bytes":<2>,"estimated_memory_kb":<2 in KiB>,"estimated_memory_mb":0.0,"memory_note":"Estimates are shallow size only (size_of)","rate_limited_count":0,"timestamp":1702500001.5}
        get {"name":""} => {"error":"Singleton name must be a non-empty string","kind":"invalid_name"}
        get {"name":7} => {"error":"Singleton name must be a non-empty string","kind":"invalid_name"}
        set {"name":"","instance":1} => {"error":"Singleton name must be a non-empty string","kind":"invalid_name"}
        has {"name":""} => false
        delete {"name":"region"} => true
        delete {"name":"region"} => false
        delete {"name":""} => false
        set {"name":"region","instance":null} => null
        has {"name":"region"} => true
        get_stats => {"total_singletons":2,"singleton_names":["limits","region"],"singleton_types":{"limits":"Value","region":"Value"},"creation_times":{"limits":1702500001.5,"region":1702500001.5},"access_counts":{"limits":0,"region":0},"estimated_memory_bytes":<2>,"estimated_memory_kb":<2 in KiB>,"estimated_memory_mb":0.0,"memory_note":"Estimates are shallow size only (size_of)","rate_limited_count":0,"timestamp":1702500001.5}
        reset => true
        has {"name":"limits"} => true
        clear => 2
        reset_all => 0
        get_stats => {"total_singletons":0,"singleton_names":[],"singleton_types":{},"creation_times":{},"access_counts":{},"estimated_memory_bytes":0,"estimated_memory_kb":0.0,"estimated_memory_mb":0.0,"memory_note":"Estimates are shallow size only (size_of)","rate_limited_count":0,"timestamp":1702500001.5}
        set {"name":"x"} => error: operation `set` needs the argument `instance`
        get {"name":"x","factroy_func":1} => error: operation `get` takes no argument `factroy_func`; it takes: name, correlation_id
        Get {"name":"x"} => error: unknown operation `Get`; there are: get, set, has, delete, clear, get_stats, reset, reset_all, exists
        "#,
        &clock,
        |operation, args| core.execute(operation, args),
    );
}

#[test]
fn singletons_at_their_limit() {
    let clock = dated();
    let core = SingletonCore::with_clock_and_limit(clock.clone(), LIMIT).unwrap();
    follows(
        r#"
        set {"name":"a","instance":1} => null
        get {"name":"a"} => 1
        # A bad name is charged as well: the limit comes first.
        get {"name":""} => {"error":"Singleton name must be a non-empty string","kind":"invalid_name"}
        get {"name":"a"} => {"error":"Rate limit exceeded: singleton allows 3 operations in 1s, retry after 1s","kind":"rate_limited","retry_after_seconds":1.000000001}
        set {"name":"a","instance":2} => {"error":"Rate limit exceeded: singleton allows 3 operations in 1s, retry after 1s","kind":"rate_limited","retry_after_seconds":1.000000001}
        has {"name":"a"} => false
        exists {"name":"a"} => false
        delete {"name":"a"} => false
        clear => 0
        reset_all => 0
        reset => false
        get_stats => {"total_singletons":1,"singleton_names":["a"],"singleton_types":{"a":"Value"},"creation_times":{"a":1702500000.0},"access_counts":{"a":1},"estimated_memory_bytes":<1>,"estimated_memory_kb":<1 in KiB>,"estimated_memory_mb":0.0,"memory_note":"Estimates are shallow size only (size_of)","rate_limited_count":8,"timestamp":1702500000.0}
        + 1001
        get {"name":"a"} => 1
        reset => true
        get_stats => {"total_singletons":1,"singleton_names":["a"],"singleton_types":{"a":"Value"},"creation_times":{"a":1702500000.0},"access_counts":{"a":2},"estimated_memory_bytes":<1>,"estimated_memory_kb":<1 in KiB>,"estimated_memory_mb":0.0,"memory_note":"Estimates are shallow size only (size_of)","rate_limited_count":0,"timestamp":1702500001.001}
        "#,
        &clock,
        |operation, args| core.execute(operation, args),
    );
}

#[test]
fn breakers() {
    let clock = dated();
    let core = CircuitBreakerCore::with_clock_and_limit(clock.clone(), None).unwrap();
    follows(
        r#"
        get_all_states => {}
        get {"name":"db"} => {"name":"db","state":"closed","failures":0,"threshold":5,"timeout":60.0,"last_failure_time":null,"opened_at":null,"retry_after_seconds":null,"statistics":{"total_calls":0,"successful_calls":0,"failed_calls":0,"rejected_calls":0,"cancelled_calls":0,"ignored_calls":0,"times_opened":0,"last_state_change":null}}
        get {"name":""} => {"error":"Circuit breaker name must be a non-empty string","kind":"invalid_name"}
        get {"name":null} => {"error":"Circuit breaker name must be a non-empty string","kind":"invalid_name"}
        call {"name":"db"} => error: `db` cannot be called by name: only a guarded function without arguments that says `dispatch` can be called by name
        "#,
        &clock,
        |operation, args| core.execute(operation, args),
    );
    clock.0.advance(Duration::from_secs(1));
    for _ in 0..6 {
        core.call("db", || Err::<(), _>("down")).unwrap_err();
    }
    clock.0.advance(Duration::from_millis(1500));
    follows(
        r#"
        get_all_states => {"db":{"name":"db","state":"open","failures":5,"threshold":5,"timeout":60.0,"last_failure_time":1702500001.0,"opened_at":1702500001.0,"retry_after_seconds":58.5,"statistics":{"total_calls":5,"successful_calls":0,"failed_calls":5,"rejected_calls":1,"cancelled_calls":0,"ignored_calls":0,"times_opened":1,"last_state_change":1702500001.0}}}
        + 60000
        # Due, and still open: asking changes nothing.
        get {"name":"db"} => {"name":"db","state":"open","failures":5,"threshold":5,"timeout":60.0,"last_failure_time":1702500001.0,"opened_at":1702500001.0,"retry_after_seconds":0.0,"statistics":{"total_calls":5,"successful_calls":0,"failed_calls":5,"rejected_calls":1,"cancelled_calls":0,"ignored_calls":0,"times_opened":1,"last_state_change":1702500001.0}}
        reset_all => null
        get_stats => {"success":true,"message":"Circuit breaker statistics","data":{"total_operations":10,"breakers_count":1,"rate_limited_count":0,"rate_limit_window_ms":1000,"current_rate_limit_size":0,"max_rate_limit":1000,"breakers":{"db":{"name":"db","state":"closed","failures":0,"threshold":5,"timeout":60.0,"last_failure_time":1702500001.0,"opened_at":null,"retry_after_seconds":null,"statistics":{"total_calls":5,"successful_calls":0,"failed_calls":5,"rejected_calls":1,"cancelled_calls":0,"ignored_calls":0,"times_opened":1,"last_state_change":1702500062.5}}}}}
        reset => true
        get_stats => {"success":true,"message":"Circuit breaker statistics","data":{"total_operations":0,"breakers_count":0,"rate_limited_count":0,"rate_limit_window_ms":1000,"current_rate_limit_size":0,"max_rate_limit":1000,"breakers":{}}}
        "#,
        &clock,
        |operation, args| core.execute(operation, args),
    );
}

#[test]
fn breakers_at_their_limit() {
    let clock = dated();
    let core = CircuitBreakerCore::with_clock_and_limit(clock.clone(), LIMIT).unwrap();
    for name in ["a", "b", "a"] {
        core.get(name).unwrap();
    }
    follows(
        r#"
        get {"name":"a"} => {"error":"Rate limit exceeded: circuit_breaker allows 3 operations in 1s, retry after 1s","kind":"rate_limited","retry_after_seconds":1.000000001}
        reset => false
        reset_all => null
        get_stats => {"success":true,"message":"Circuit breaker statistics","data":{"total_operations":3,"breakers_count":2,"rate_limited_count":2,"rate_limit_window_ms":1000,"current_rate_limit_size":3,"max_rate_limit":3,"breakers":{"a":{"name":"a","state":"closed","failures":0,"threshold":5,"timeout":60.0,"last_failure_time":null,"opened_at":null,"retry_after_seconds":null,"statistics":{"total_calls":0,"successful_calls":0,"failed_calls":0,"rejected_calls":0,"cancelled_calls":0,"ignored_calls":0,"times_opened":0,"last_state_change":null}},"b":{"name":"b","state":"closed","failures":0,"threshold":5,"timeout":60.0,"last_failure_time":null,"opened_at":null,"retry_after_seconds":null,"statistics":{"total_calls":0,"successful_calls":0,"failed_calls":0,"rejected_calls":0,"cancelled_calls":0,"ignored_calls":0,"times_opened":0,"last_state_change":null}}}}}
        + 1001
        reset => true
        "#,
        &clock,
        |operation, args| core.execute(operation, args),
    );
}

/// What a guarded function that says `dispatch` answers, by name and over JSON.
#[test]
fn a_call_by_name() {
    use lifecycle::{circuit_breaker, testing};

    #[circuit_breaker(threshold = 1, dispatch)]
    fn check_stock() -> anyhow::Result<Vec<u32>> {
        match STOCK.with(std::cell::Cell::get) {
            0 => Err(std::fmt::Error.into()),
            stock => Ok(vec![stock]),
        }
    }
    thread_local! { static STOCK: std::cell::Cell<u32> = const { std::cell::Cell::new(7) } }

    testing::isolated(|| {
        let unused = dated();
        let script = |script: &str| {
            follows(script, &unused, |op, args| lifecycle::execute_circuit_breaker_operation(op, args));
        };
        script(r#"call {"name":"check_stock"} => [7]"#);
        STOCK.set(0);
        script(
            r#"
            call {"name":"check_stock"} => {"error":"`check_stock`: an error occurred when formatting an argument","kind":"call_failed"}
            call {"name":"check_stock"} => {"error":"`check_stock`: circuit breaker is open, retry after 60s","kind":"call_failed"}
            call {"name":"check_shop"} => error: `check_shop` cannot be called by name: only a guarded function without arguments that says `dispatch` can be called by name
            "#,
        );
    });
}

/// Each operation by its word: as text, as JSON, and back; nothing near it.
fn words<O>(all: &[O], as_str: impl Fn(O) -> &'static str, words: &[&str])
where
    O: Copy + PartialEq + std::fmt::Debug + std::fmt::Display + std::str::FromStr,
    O: serde::Serialize + serde::de::DeserializeOwned,
{
    assert_eq!(all.iter().map(|one| as_str(*one)).collect::<Vec<_>>(), words);
    for (&operation, &word) in all.iter().zip(words) {
        assert_eq!((operation.to_string().as_str(), word.parse().ok()), (word, Some(operation)));
        assert_eq!(serde_json::to_value(operation).unwrap(), word);
        assert_eq!(serde_json::from_value::<O>(word.into()).unwrap(), operation);
        for near in [word.to_uppercase(), format!(" {word}"), format!("{word}\n"), String::new()] {
            assert!(near.parse::<O>().is_err() && serde_json::from_value::<O>(near.into()).is_err());
        }
    }
}

#[test]
fn the_operations_are_the_contracts_words() {
    use lifecycle::{CircuitBreakerOperation, InitializationOperation, SingletonOperation};
    words(
        InitializationOperation::ALL,
        InitializationOperation::as_str,
        &["initialize", "get_config", "is_initialized", "reset", "get_status", "get_stats", "set_flag", "get_flag"],
    );
    words(
        SingletonOperation::ALL,
        SingletonOperation::as_str,
        &["get", "set", "has", "delete", "clear", "get_stats", "reset", "reset_all", "exists"],
    );
    words(
        CircuitBreakerOperation::ALL,
        CircuitBreakerOperation::as_str,
        &["get", "call", "get_all_states", "reset_all", "get_stats", "reset"],
    );
}

#[test]
fn aliases_equal_their_originals() {
    let clock = dated();
    let core = InitializationCore::with_clock_and_limit(clock.clone(), None).unwrap();
    core.initialize(lifecycle::InitConfig::new().with("a", 1)).unwrap();
    core.set_flag("b", 2).unwrap();
    let both = ["get_status", "get_stats"].map(|operation| core.execute(operation, Args::new()).unwrap().to_string());
    assert_eq!(both[0], both[1]);
    assert!(std::ptr::eq(lifecycle::get_initialization_manager(), lifecycle::initialization()));
    assert!(std::ptr::eq(lifecycle::get_singleton_manager(), lifecycle::singletons()));
    assert!(std::ptr::eq(lifecycle::get_circuit_breaker_manager(), lifecycle::breakers()));

    let core = lifecycle::SingletonCore::with_clock_and_limit(clock, LIMIT).unwrap();
    let with = |name: &str| Args::new().with("name", name);
    core.execute("set", with("a").with("instance", 1)).unwrap();
    let both = ["has", "exists"].map(|operation| core.execute(operation, with("a")).unwrap());
    assert_eq!((both, core.get_stats().rate_limited_count), ([true.into(), true.into()], 0), "one permit each");
    let refused = ["clear", "reset_all", "has", "exists"].map(|it| {
        let args = if it == "has" || it == "exists" { with("a") } else { Args::new() };
        core.execute(it, args).unwrap()
    });
    assert_eq!(refused, [Value::from(0), 0.into(), false.into(), false.into()]);
}

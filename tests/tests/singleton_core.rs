//! `SingletonCore`, operation by operation: what each gives, refuses and counts, natively and on the wire.

use lifecycle::clock::ManualClock;
use lifecycle::{Args, Error, Singleton, SingletonCore, SingletonError, SingletonOperation, singleton, testing};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn counts(core: &SingletonCore) -> Vec<(String, u64)> {
    core.get_stats().access_counts
}

fn wire(operation: &str, args: Args) -> Value {
    lifecycle::execute_singleton_operation(operation, args).unwrap()
}

fn named(name: &str) -> Args {
    Args::new().with("name", name)
}

#[test]
fn every_get_that_gives_an_instance_counts_one_and_nothing_else_does() {
    let core = SingletonCore::new();
    assert!(core.get::<u32>("a").unwrap().is_none());
    core.get_or_create("a", || 1_u32).unwrap();
    assert_eq!(counts(&core), [("a".to_owned(), 1)]);
    core.get::<u32>("a").unwrap();
    core.get_or_try_create("a", || Err::<u32, _>("not called")).unwrap();
    assert_eq!(counts(&core), [("a".to_owned(), 3)]);
    assert!(core.has("a") && core.get::<u8>("a").is_err() && core.get::<u32>("b").unwrap().is_none());
    assert_eq!(counts(&core), [("a".to_owned(), 3)], "looks, errors and misses are not accesses");
    core.set("a", 2_u32).unwrap();
    assert_eq!(counts(&core), [("a".to_owned(), 0)]);
    core.delete("a").unwrap();
    core.get_or_create("a", || 3_u32).unwrap();
    assert_eq!(counts(&core), [("a".to_owned(), 1)]);
}

#[test]
fn set_gives_what_it_replaces_which_its_holders_keep() {
    let core = SingletonCore::new();
    assert!(core.set("a", 1_u32).unwrap().is_none());
    let held = core.get::<u32>("a").unwrap().unwrap();
    let old = core.set("a", "of another type".to_owned()).unwrap().unwrap();
    assert!(old.downcast::<u32>().unwrap().same_as(&held) && *held == 1);
    assert_eq!(core.get_stats().singleton_types, [("a".to_owned(), "String".to_owned())]);
}

#[test]
fn empty_names_are_refused_and_all_others_are_taken_as_they_are() {
    let core = SingletonCore::new();
    for outcome in [
        core.get::<u8>("").map(drop),
        core.set("", 1_u8).map(drop),
        core.delete("").map(drop),
        core.get_or_create("", || 1_u8).map(drop),
        core.get_or_try_create("", || Err::<u8, _>("not called")).map(drop),
    ] {
        assert_eq!(outcome.unwrap_err().to_string(), "Singleton name must be a non-empty string");
    }
    assert!(!core.has(""));
    for name in [" ", "a\n", "A", "a", "ü[x]", "[", "]", "x[", "\0"] {
        core.set(name, name.to_owned()).unwrap();
    }
    for name in [" ", "a\n", "A", "a", "ü[x]", "[", "]", "x[", "\0"] {
        assert_eq!(*core.get::<String>(name).unwrap().unwrap(), name);
    }
    assert_eq!(core.clear().unwrap(), 9);
}

#[test]
fn units_and_options_are_values_like_any_other() {
    let core = SingletonCore::new();
    core.get_or_create("unit", || ()).unwrap();
    core.get_or_create("none", || None::<u8>).unwrap();
    assert!(core.has("unit") && core.has("none"));
    assert_eq!(core.get::<Option<u8>>("none").unwrap().as_deref(), Some(&None));
    assert!(core.get_or_create("none", || Some(1_u8)).unwrap().is_none(), "what is stored stays");
    assert_eq!(core.get_stats().estimated_memory_bytes, size_of::<Option<u8>>());
}

#[test]
fn another_type_is_an_error_with_both_names_wherever_one_is_asked_for() {
    let core = SingletonCore::new();
    core.set("a", 1_u32).unwrap();
    for outcome in [
        core.get::<String>("a").map(drop),
        core.get_or_create("a", || "not called".to_owned()).map(drop),
        core.get_or_try_create("a", || Ok::<_, std::fmt::Error>("not called".to_owned())).map(drop),
    ] {
        let Err(Error::TypeMismatch { name, expected, found }) = outcome else { panic!("{outcome:?}") };
        assert_eq!((name.as_str(), expected, found), ("a", "alloc::string::String", "u32"));
    }
    assert_eq!(counts(&core), [("a".to_owned(), 0)]);
}

#[test]
fn a_factory_s_error_comes_with_its_name_and_source_and_nothing_is_stored() {
    let core = SingletonCore::new();
    let error = core.get_or_try_create("port", || "x".parse::<u16>()).unwrap_err();
    let Error::Singleton(SingletonError::Factory { name, source, .. }) = error else { panic!("{error:?}") };
    assert_eq!((name.as_str(), source.to_string().as_str()), ("port", "invalid digit found in string"));
    assert!(source.is::<std::num::ParseIntError>());
    assert!(!core.has("port") && core.get_stats().total_singletons == 0);
    assert_eq!(*core.get_or_try_create("port", || "80".parse::<u16>()).unwrap(), 80);
}

#[test]
fn names_keep_their_place_when_overwritten_and_go_to_the_end_when_deleted_and_set() {
    let core = SingletonCore::new();
    for name in ["a", "b", "c", "d"] {
        core.set(name, 1_u8).unwrap();
    }
    core.set("b", 2_u8).unwrap();
    assert_eq!(core.get_stats().singleton_names, ["a", "b", "c", "d"]);
    core.delete("a").unwrap();
    core.set("a", 2_u8).unwrap();
    core.get_or_create("e", || 1_u8).unwrap();
    assert_eq!(core.get_stats().singleton_names, ["b", "c", "d", "a", "e"]);
}

#[test]
fn sizes_are_rounded_half_up_to_two_decimals() {
    let core = SingletonCore::new();
    core.set("a", [0_u8; 12_345]).unwrap();
    let stats = core.get_stats();
    assert_eq!(stats.estimated_memory_bytes, 12_345);
    assert_eq!((stats.estimated_memory_kb, stats.estimated_memory_mb), (12.06, 0.01));
    core.set("a", [0_u8; 128]).unwrap();
    let stats = core.get_stats();
    assert_eq!((stats.estimated_memory_kb, stats.estimated_memory_mb), (0.13, 0.0), "0.125 goes up");
}

#[test]
fn the_memory_note_says_whether_declared_heap_is_in_the_estimate() {
    #[singleton(memory = |words: &Words| words.0.capacity())]
    struct Words(Vec<u8>);
    impl Default for Words {
        fn default() -> Self {
            Self(Vec::with_capacity(1000))
        }
    }
    testing::isolated(|| {
        let core = lifecycle::singletons();
        core.set("plain", [0_u8; 10]).unwrap();
        let plain = core.get_stats();
        assert_eq!(plain.memory_note, "Estimates are shallow size only (size_of)");
        assert_eq!(plain.estimated_memory_bytes, 10);
        Words::instance();
        let both = core.get_stats();
        assert_eq!(both.memory_note, "Estimates are shallow size only (size_of) plus declared heap");
        assert_eq!(both.estimated_memory_bytes, 10 + size_of::<Words>() + 1000);
    });
}

#[test]
fn times_are_those_of_storing_and_start_again_with_set() {
    let clock = Arc::new(ManualClock::new());
    let core = SingletonCore::with_clock_and_limit(clock.clone(), None).unwrap();
    let seconds = || core.get_stats().creation_times[0].1;
    core.get_or_create("a", || clock.advance(Duration::from_secs(5))).unwrap();
    let (first, now) = (seconds(), core.get_stats().timestamp);
    assert_eq!(first, now, "the time is that of storing, not that of asking");
    clock.advance(Duration::from_secs(3));
    core.set("a", ()).unwrap();
    assert!((seconds() - first - 3.0).abs() < 1e-3);
}

#[test]
fn a_core_of_ones_own_has_its_own_limit_clock_and_instances() {
    let clock = Arc::new(ManualClock::new());
    let core = SingletonCore::with_clock_and_limit(clock.clone(), Some((2, Duration::from_secs(1)))).unwrap();
    core.set("only here", 1_u8).unwrap();
    assert!(!lifecycle::singletons().has("only here"));
    testing::isolated(|| assert!(core.has("only here"), "a world gives declared components another state, not this"));
    core.get::<u8>("a").unwrap();
    let refused = core.get::<u8>("a").unwrap_err();
    let Error::RateLimited { manager, limit, window, retry_after } = refused else { panic!("{refused:?}") };
    assert_eq!((manager, limit, window), ("singleton", 2, Duration::from_secs(1)));
    clock.advance(retry_after - Duration::from_nanos(1));
    assert!(core.delete("a").is_err(), "a permit that is exactly a window old still counts");
    clock.advance(Duration::from_nanos(1));
    assert!(!core.delete("a").unwrap());
    assert_eq!(core.get_stats().rate_limited_count, 2);
    assert!(core.declared().is_empty(), "what is declared belongs to the process's core");
    assert!(SingletonCore::with_clock_and_limit(clock, Some((0, Duration::from_secs(1)))).is_err());
}

#[test]
fn one_operation_is_one_token_also_by_an_older_name_or_with_a_bad_one() {
    let clock = Arc::new(ManualClock::new());
    let core = SingletonCore::with_clock_and_limit(clock, Some((5, Duration::from_secs(1)))).unwrap();
    #[allow(deprecated, reason = "that is what is tested")]
    let _ = (core.reset_all().unwrap(), core.exists("a"));
    core.get_or_create("a", || 1_u8).unwrap();
    core.get::<u8>("").unwrap_err();
    core.get::<String>("a").unwrap_err();
    let _ = (core.get_stats(), core.declared(), core.has("a"));
    assert!(core.delete("a").unwrap(), "looks cost nothing");
    assert!(matches!(core.delete("a"), Err(Error::RateLimited { .. })));
}

#[test]
fn reset_empties_the_window_with_its_own_token_and_keeps_instances() {
    let clock = Arc::new(ManualClock::new());
    let core = SingletonCore::with_clock_and_limit(clock, Some((2, Duration::from_secs(1)))).unwrap();
    core.set("kept", 1_u8).unwrap();
    core.reset().unwrap();
    core.get::<u8>("kept").unwrap();
    core.get::<u8>("kept").unwrap();
    assert!(core.reset().is_err() && core.reset_limiter().is_err());
    assert_eq!(core.get_stats().rate_limited_count, 2);
    core.reset_unlimited();
    assert_eq!((core.get_stats().rate_limited_count, core.get_stats().total_singletons), (0, 1));
}

#[test]
fn the_stats_have_exactly_the_keys_of_the_contract_in_its_order() {
    let clock = Arc::new(ManualClock::new());
    let core = SingletonCore::with_clock_and_limit(clock, None).unwrap();
    core.set("list", vec![0_u8]).unwrap();
    core.set("n", [0_u8; 1024 - size_of::<Vec<u8>>()]).unwrap();
    let stats = core.get_stats();
    let (at, t) = (json!(stats.timestamp), json!(stats.creation_times[0].1));
    let rest = 1024 - size_of::<Vec<u8>>();
    let expected = format!(
        "{{\"total_singletons\":2,\"singleton_names\":[\"list\",\"n\"],\
         \"singleton_types\":{{\"list\":\"Vec<u8>\",\"n\":\"[u8; {rest}]\"}},\"creation_times\":{{\"list\":{t},\"n\":{t}}},\
         \"access_counts\":{{\"list\":0,\"n\":0}},\"estimated_memory_bytes\":1024,\"estimated_memory_kb\":1.0,\
         \"estimated_memory_mb\":0.0,\"memory_note\":\"Estimates are shallow size only (size_of)\",\
         \"rate_limited_count\":0,\"timestamp\":{at}}}"
    );
    assert_eq!(serde_json::to_string(&stats).unwrap(), expected);
}

#[test]
fn the_wire_answers_each_operation_in_its_shape() {
    testing::isolated(|| {
        lifecycle::singletons().set("opaque", vec![1_u8]).unwrap();
        assert_eq!(wire("get", named("opaque")).to_string(), r#"{"name":"opaque","type":"Vec<u8>"}"#);
        assert_eq!(wire("set", named("v").with("instance", json!(null))), json!(null));
        assert_eq!(wire("has", named("v")), json!(true), "a stored null is there");
        assert_eq!(wire("set", named("v").with("instance", json!([1, {"b": 2, "a": 1}]))), json!(null));
        assert_eq!(wire("get", named("v").with("correlation_id", "req-1")).to_string(), r#"[1,{"b":2,"a":1}]"#);
        assert_eq!(wire("exists", named("v")), json!(true));
        assert_eq!(wire("delete", named("v")), json!(true));
        assert_eq!(wire("has", named("v")), json!(false));
        assert_eq!(wire("reset", Args::new()), json!(true));
        assert_eq!(wire("reset_all", Args::new()), json!(1));
        assert_eq!(wire("clear", Args::new()), json!(0));
        let no_name = Args::new().with("name", 5).with("instance", 1);
        assert_eq!(wire("set", no_name)["error"], "Singleton name must be a non-empty string");
        assert_eq!(wire("delete", named("")), json!(false));
        assert_eq!(wire("has", named("")), json!(false));
    });
}

#[test]
fn the_wire_creates_a_declared_singleton_and_leaves_an_async_one_alone() {
    #[singleton]
    fn wire_sync() -> u8 {
        7
    }
    #[singleton]
    async fn wire_async() -> u8 {
        8
    }
    _ = (wire_sync, wire_async);
    testing::isolated(|| {
        assert_eq!(wire("get", named("wire_sync")).to_string(), r#"{"name":"wire_sync","type":"u8"}"#);
        assert_eq!(wire("get", named("wire_async")), json!(null), "there is none, as `get` says natively");
        assert!(lifecycle::singletons().get::<u8>("wire_async").unwrap().is_none());
        assert_eq!(counts(lifecycle::singletons()), [("wire_sync".to_owned(), 1)]);
    });
}

#[test]
fn wrong_arguments_are_named_with_the_right_ones() {
    let core = SingletonCore::new();
    let error = |op: &str, args: Args| core.execute(op, args).unwrap_err().to_string();
    assert_eq!(error("set", named("a")), "operation `set` needs the argument `instance`");
    assert_eq!(error("clear", named("a")), "operation `clear` takes no argument `name`; it takes: correlation_id");
    assert!(core.execute(SingletonOperation::Clear, Args::new()).is_ok());
}

#[test]
fn set_and_delete_by_name_retire_what_is_declared() {
    #[singleton(factory = || Declared(1))]
    #[derive(Debug, PartialEq)]
    struct Declared(u32);
    testing::isolated(|| {
        let core = lifecycle::singletons();
        assert!(!core.has("declared") && !core.delete("declared").unwrap());
        let first = Declared::instance();
        let old = core.set("declared", Declared(2)).unwrap().unwrap();
        assert!(std::ptr::eq(old.as_static().unwrap().downcast_ref::<Declared>().unwrap(), first));
        assert!(matches!(core.set("declared", 3_u8), Err(Error::TypeMismatch { .. })));
        assert_eq!((Declared::instance(), first), (&Declared(2), &Declared(1)));
        assert!(core.delete("declared").unwrap());
        assert_eq!((core.get::<Declared>("declared").unwrap().unwrap().0, Declared::stats().retired), (1, 2));
    });
}

#[test]
fn asking_for_a_declared_one_as_another_type_neither_creates_nor_counts() {
    #[singleton(name = "typed_declared")]
    #[derive(Default)]
    struct Typed;
    testing::isolated(|| {
        let core = lifecycle::singletons();
        assert!(matches!(core.get::<u8>("typed_declared"), Err(Error::TypeMismatch { .. })));
        assert!(matches!(core.get_or_create("typed_declared", || 1_u8), Err(Error::TypeMismatch { .. })));
        assert!(!Typed::is_created());
        Typed::instance();
        assert!(core.get::<u8>("typed_declared").is_err());
        assert_eq!(Typed::stats().accesses, 1);
    });
}

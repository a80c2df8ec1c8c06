//! What a person reads when something is not as expected: messages, the table, the numbers.

#![deny(warnings)]

use lifecycle::{Context, SingletonError, handle, singleton, snapshot};
use std::time::Duration;

fn seen(name: &str) -> lifecycle::registry::SingletonSnapshot {
    snapshot().singletons.into_iter().find(|one| one.name == name).unwrap()
}

fn row(name: &str) -> String {
    let table = snapshot().to_string();
    table.lines().find(|line| line.trim_start().starts_with(&format!("{name} "))).unwrap().to_owned()
}

#[test]
fn every_event_that_is_told_is_on_the_page_of_events() {
    let page = include_str!("../../lifecycle/src/events.md");
    // A file a kind: a new one is looked at as well.
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../lifecycle/src/telemetry")).unwrap();
    let told: String = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let names = || told.split("name: \"lifecycle.").skip(1).filter_map(|rest| rest.split('"').next());
    let missing: Vec<_> = names().filter(|name| !page.contains(&format!("| `lifecycle.{name}` |"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for kind in ["singleton", "circuit_breaker", "rate_limiter", "flag", "init"] {
        assert!(names().any(|name| name.starts_with(kind)), "nothing is told of {kind}");
    }
}

#[singleton]
fn explodes() -> u32 {
    panic!("no {}", "wick".to_owned())
}

#[singleton]
async fn explodes_later() -> u32 {
    tokio::task::yield_now().await;
    panic!("no {}", "fuse".to_owned())
}

#[singleton]
fn hen() -> u32 {
    *egg() + 1
}

#[singleton]
fn egg() -> u32 {
    *hen() + 1
}

#[lifecycle::test]
fn a_panic_is_remembered_with_its_words() {
    let panic = std::panic::catch_unwind(explodes).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "no wick", "it goes on as it was");
    assert_eq!(seen("explodes").last_error.as_deref(), Some("the factory panicked: no wick"));
    assert!(row("explodes").contains("failed once: the factory panicked: no wick"), "{}", row("explodes"));
    std::panic::catch_unwind(explodes).unwrap_err();
    assert!(row("explodes").contains("failed 2 times:"), "{}", row("explodes"));

    std::panic::catch_unwind(hen).unwrap_err();
    let said = seen("hen").last_error.unwrap();
    assert!(said.contains("need each other to be created: hen (tests/"), "{said}");
}

#[lifecycle::test]
#[tokio::test]
async fn a_panic_of_a_future_is_remembered_with_its_words() {
    let panic =
        tokio::spawn(Context::capture().wrap(async { *explodes_later().await })).await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "no fuse");
    assert_eq!(seen("explodes_later").last_error.as_deref(), Some("the factory panicked: no fuse"));
}

#[singleton(memory = Vec::len)]
fn buffer() -> Vec<u8> {
    vec![0; 1000]
}

#[lifecycle::test]
fn the_estimate_has_what_memory_hooks_say() {
    let stats = lifecycle::singletons().get_stats();
    assert_eq!((stats.estimated_memory_bytes, stats.memory_note), (0, "Estimates are shallow size only (size_of)"));
    buffer();
    let stats = lifecycle::singletons().get_stats();
    assert_eq!(stats.estimated_memory_bytes, size_of::<Vec<u8>>() + 1000);
    assert_eq!(stats.memory_note, "Estimates are shallow size only (size_of) plus declared heap");
}

#[singleton(depends_on(buffer, "port"))]
fn service() -> u32 {
    u32::from(*port())
}

#[singleton]
fn port() -> u16 {
    80
}

#[lifecycle::test]
fn declared_dependencies_are_shown_beside_observed_ones() {
    assert_eq!(seen("service").depends_on, ["buffer", "port"]);
    service();
    assert_eq!(seen("service").depends_on, ["port", "buffer"], "each once, what was seen first");
    assert!(snapshot().edges().contains(&("service", "buffer")));
}

#[singleton(keyed, max_keys = 1)]
#[allow(clippy::too_many_arguments, reason = "as many as there may be")]
fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: &str) -> usize {
    [a, b, c, d, e, f, g].into_iter().map(usize::from).sum::<usize>() + h.len()
}

#[lifecycle::test]
fn a_keyed_singleton_has_keys_rather_than_a_state() {
    let many_handle = handle(many).unwrap();
    assert!(row("many").contains(" 0 keys "), "{}", row("many"));
    assert_eq!(*many(1, 2, 3, 4, 5, 6, 7, "eight"), 33);
    assert!(row("many").contains(" 1 key "), "{}", row("many"));
    many(1, 2, 3, 4, 5, 6, 8, "eight");
    assert!(row("many").contains(" 1 key, 1 not kept "), "{}", row("many"));
    assert_eq!(many_handle.keys().len(), 1);
}

#[lifecycle::test]
fn a_value_of_another_type_is_told_what_is_there() {
    let refused = lifecycle::singletons().set("port", "80".to_owned()).unwrap_err();
    assert_eq!(refused.to_string(), "`port` holds a u16, not a alloc::string::String");
    let refused = lifecycle::singletons().get::<u32>("port").unwrap_err();
    assert_eq!(refused.to_string(), "`port` holds a u16, not a u32");
}

#[singleton(init_timeout = "50ms")]
async fn never() -> Result<u32, SingletonError> {
    std::future::pending::<()>().await;
    Ok(1)
}

#[tokio::test]
async fn a_creation_that_takes_too_long_says_what_is_under_way() {
    let late = tokio::time::timeout(Duration::from_secs(20), never()).await.unwrap().unwrap_err().to_string();
    assert!(late.starts_with("singleton `never` was not created within "), "{late}");
    assert!(late.contains("; still under way: never (tests/"), "{late}");
}

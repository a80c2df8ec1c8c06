//! A breaker a key: bounded, and a key that fails is never forgotten.

use allocation_counter::measure;
use lifecycle::{BreakerConfig, Error, KeyedCircuitBreaker, State, testing};
use std::sync::Arc;
use std::time::Duration;

fn fail(breaker: &lifecycle::CircuitBreaker) {
    let _ = breaker.call(|| Err::<(), _>("down"));
}

fn one_strike() -> BreakerConfig {
    BreakerConfig::new().threshold(1).timeout(Duration::from_secs(30))
}

#[test]
fn each_key_has_its_own_and_keeps_it() {
    let hosts = KeyedCircuitBreaker::new("host", one_strike()).unwrap();
    fail(&hosts.at("a"));
    assert_eq!((hosts.at("a").state(), hosts.at("b").state()), (State::Open, State::Closed));
    assert!(Arc::ptr_eq(&hosts.at("a"), &hosts.at(&String::from("a"))));
    assert_eq!((hosts.at(&7_u32).name(), hosts.len()), ("host[7]", 3));
    assert!(hosts.get("c").is_none());
    let refused = hosts.at("a").try_acquire().unwrap_err();
    assert_eq!(refused.to_string(), "`host[a]`: circuit breaker is open, retry after 30s");
}

#[test]
fn a_million_keys_stay_within_the_bound_and_a_failing_one_is_never_reset() {
    let hosts = KeyedCircuitBreaker::new("host", one_strike()).unwrap().max_keys(256);
    let taken = measure(|| {
        fail(&hosts.at("failing"));
        for key in 0..1_000_000_u32 {
            drop(hosts.at(&key).try_acquire().unwrap());
        }
    });
    assert!(hosts.len() > 128 && hosts.len() <= 256, "{}", hosts.len());
    assert_eq!(hosts.at("failing").state(), State::Open);
    // What the docs state; the rest is the map's tables, which are copied when they change.
    assert!(taken.bytes_max < 256 * 1_024 + 64 * 1_024, "{taken:?}");
}

/// `max_keys` bounds the keys; how long they are is for who makes them.
#[test]
fn a_key_takes_what_the_docs_state_and_its_text_twice() {
    const KEYS: usize = 4096;
    let a_key = |length: usize| {
        let hosts = KeyedCircuitBreaker::new("host", one_strike()).unwrap();
        let use_all =
            || (0..KEYS).for_each(|key| drop(hosts.at(&format_args!("{key:0length$}")).try_acquire().unwrap()));
        measure(use_all).bytes_current / KEYS as i64
    };
    let (short, long) = (a_key(8), a_key(1008));
    assert!((700..=900).contains(&short), "{short} bytes a key");
    // How the keys fall into tables is another chance each time.
    assert!((2 * 1000 - 16..2 * 1000 + 16).contains(&(long - short)), "{} bytes for 1,000 more of text", long - short);
}

#[test]
fn keys_beyond_the_bound_share_one_when_all_hold_something() {
    let hosts = KeyedCircuitBreaker::new("host", one_strike()).unwrap().max_keys(2);
    fail(&hosts.at("a"));
    let held = hosts.at("b");
    let (c, d) = (hosts.at("c"), hosts.at("d"));
    assert_eq!((c.name(), d.name(), hosts.len()), ("host[*]", "host[*]", 2));
    assert!(Arc::ptr_eq(&c, &d));
    drop(held);
    // `b` holds nothing any more: its place goes to a new key, at the latest once every part of the map has been looked at.
    let found = (0..256).map(|_| hosts.at("e")).find(|breaker| breaker.name() == "host[e]");
    assert!(found.is_some());
    assert_eq!((hosts.at("a").state(), hosts.len()), (State::Open, 2));
}

#[test]
fn a_hit_and_a_refusal_allocate_nothing() {
    let hosts = KeyedCircuitBreaker::new("host", one_strike()).unwrap();
    fail(&hosts.at("a.example"));
    drop(hosts.at("a.example").try_acquire());
    let taken = measure(|| {
        for _ in 0..1_000 {
            assert!(hosts.at("a.example").try_acquire().is_err());
        }
    });
    assert_eq!(taken.count_total, 0, "{taken:?}");
}

#[test]
fn a_family_is_looked_up_by_key_and_seen_in_the_snapshot() {
    static HOSTS: KeyedCircuitBreaker = KeyedCircuitBreaker::__declared(
        lifecycle::__private0::Descriptor::new(
            lifecycle::__private0::Kind::Breaker,
            "fetch_from",
            module_path!(),
            file!(),
            line!(),
        ),
        BreakerConfig::new().threshold(1),
        10,
        || &HOSTS,
    );
    testing::isolated(|| {
        assert!(
            matches!(lifecycle::breaker("fetch_from"), Err(Error::NotFound { .. })),
            "not used yet, not on the list"
        );
        fail(&HOSTS.at("acme"));
        HOSTS.at("quiet");
        assert!(matches!(lifecycle::breaker("fetch_from"), Err(Error::NeedsKey { .. })));
        assert_eq!(lifecycle::breaker("fetch_from[acme]").unwrap().state(), State::Open);
        assert_eq!(lifecycle::breakers().get("fetch_from[acme]").unwrap().state(), State::Open);
        let seen = lifecycle::snapshot().keyed_breakers.into_iter().find(|one| one.name == "fetch_from").unwrap();
        assert_eq!((seen.keys, seen.max_keys, seen.noteworthy.len()), (2, 10, 1));
        assert_eq!((seen.noteworthy[0].name.as_str(), seen.noteworthy[0].state.as_str()), ("fetch_from[acme]", "open"));
        let table = lifecycle::snapshot().to_string();
        assert!(table.contains("fetch_from[acme]  open"), "{table}");
        assert!(lifecycle::breakers().get_all_states().iter().any(|state| state.name == "fetch_from[acme]"));
        lifecycle::breakers().reset_all();
        assert_eq!(HOSTS.at("acme").state(), State::Closed);
        lifecycle::breakers().reset().unwrap();
        assert!(HOSTS.is_empty());
    });
    assert!(HOSTS.is_empty(), "the world had its own");
}

//! A limiter a key: as many as there is room for, whatever keys come.

use allocation_counter::measure;
use lifecycle::clock::ManualClock;
use lifecycle::{Error, KeyedRateLimiter, RateLimiter, Rejected};
use lifecycle_tests::ByHand;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

/// A sixteenth of the window: so often a family without room looks for a key to give up.
const A_WHILE: Duration = Duration::from_nanos(62_500_001);

fn family(limit: u32, keys: usize) -> (Arc<ManualClock>, KeyedRateLimiter) {
    let clock = Arc::new(ManualClock::new());
    let each = RateLimiter::builder("client").per_second(limit).clock(clock.clone());
    (clock, KeyedRateLimiter::from_builder(each).unwrap().max_keys(keys))
}

#[test]
fn each_key_has_the_whole_limit() {
    let (clock, clients) = family(2, 100);
    for client in ["a", "b"] {
        assert_eq!((0..5).filter(|_| clients.try_acquire(client).is_ok()).count(), 2);
    }
    let refused = clients.try_acquire("a").unwrap_err();
    assert_eq!((&*refused.name, refused.retry_after), ("client[a]", Some(SECOND + NANOSECOND)));
    clock.advance(SECOND + NANOSECOND);
    clients.try_acquire("a").unwrap();
    // What displays alike is one key.
    assert!(Arc::ptr_eq(&clients.at(&7_u8), &clients.at("7")));
    let usage = clients.usage();
    assert_eq!((usage.keys, usage.allowed, usage.limited, usage.overflowed), (3, 5, 7, 0));
    assert!(clients.get("nobody").is_none() && clients.get("a").is_some());
}

#[test]
fn keys_may_be_of_a_type_and_limits_their_own() {
    let addresses = KeyedRateLimiter::<IpAddr>::keyed_by("address", 1, SECOND).unwrap();
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    addresses.of(&local).try_acquire().unwrap();
    assert_eq!(&*addresses.of(&local).try_acquire().unwrap_err().name, "address[127.0.0.1]");
    addresses.of(&local).set_limit(2, SECOND).unwrap();
    addresses.of(&local).try_acquire().unwrap();
    assert!(addresses.of(&local).try_acquire().is_err());
    assert!(matches!(KeyedRateLimiter::<u8>::keyed_by("", 1, SECOND), Err(Error::InvalidName { .. })));
    assert!(matches!(KeyedRateLimiter::new("x", 0, SECOND), Err(Error::InvalidConfig { .. })));
}

#[test]
fn a_key_that_counts_is_never_given_up_and_one_that_does_not_is_without_loss() {
    let (clock, clients) = family(2, 4);
    clients.try_acquire("early").unwrap();
    clock.advance(SECOND / 2);
    for n in 0..3 {
        clients.at(&n).try_acquire_n(2).unwrap();
    }
    assert_eq!(clients.len(), 4);
    clock.advance(SECOND / 2);
    // The early one counts to the end of this nanosecond.
    assert_eq!(&*clients.at("new").name().to_owned(), "client[*]");
    clock.advance(A_WHILE);
    assert_eq!(clients.at("new").name(), "client[new]");
    assert!(clients.get("early").is_none());
    for n in 0..3 {
        assert!(clients.try_acquire(&n).is_err(), "it is still there, and full");
    }
    assert_eq!(clients.len(), 4);
}

#[test]
fn somebody_who_holds_a_limiter_keeps_it_in_its_place() {
    let (clock, clients) = family(1, 1);
    let held = clients.at("held");
    clock.advance(SECOND * 9);
    assert_eq!(clients.at("other").name(), "client[*]");
    drop(held);
    clock.advance(A_WHILE);
    assert_eq!(clients.at("other").name(), "client[other]");
}

#[test]
fn keys_without_room_share_and_never_get_more_than_the_limit() {
    let (clock, clients) = family(5, 8);
    for n in 0..8 {
        clients.try_acquire(&n).unwrap();
    }
    let mut given = BTreeMap::new();
    for n in 0..1000 {
        let key = format!("surplus {}", n % 40);
        if clients.try_acquire(&key).is_ok() {
            *given.entry(key).or_insert(0) += 1;
        }
    }
    assert!(given.values().sum::<u32>() <= 16 * 5, "they share sixteen limiters");
    assert!(given.values().all(|count| *count <= 5));
    assert_eq!((clients.len(), clients.usage().overflowed), (8, 1000));
    // There is room again within the window of what was shared: that goes with the keys.
    clock.advance(SECOND);
    for n in 1000..2000 {
        let key = format!("surplus {}", n % 40);
        if clients.try_acquire(&key).is_ok() {
            *given.entry(key).or_insert(0) += 1;
        }
    }
    assert!(given.values().all(|count| *count <= 5), "{given:?}");
    clock.advance(SECOND);
    clients.try_acquire("surplus 1").unwrap();
    assert_eq!(clients.at("surplus 1").name(), "client[surplus 1]");
}

#[test]
fn a_key_takes_over_what_it_was_given_while_it_had_no_room() {
    let (clock, clients) = family(2, 1);
    clients.try_acquire("first").unwrap();
    clock.advance(SECOND);
    clients.at("second").try_acquire_n(2).unwrap();
    assert_eq!(clients.at("second").name(), "client[*]");
    clock.advance(A_WHILE);
    let own = clients.at("second");
    assert_eq!((own.name(), own.usage().used), ("client[second]", 2));
    assert!(own.try_acquire().is_err());
    clock.advance(SECOND + NANOSECOND);
    own.try_acquire().unwrap();
}

#[test]
fn a_key_that_waits_while_it_has_no_room_goes_on_sharing_until_it_was_served() {
    let (clock, clients) = family(1, 1);
    clients.try_acquire("first").unwrap();
    clock.advance(SECOND * 6 / 10);
    clients.try_acquire("second").unwrap();
    let shared = clients.at("second");
    // For a second and a nanosecond from now.
    assert!(ByHand::new(shared.acquire_within(SECOND * 2)).poll().is_pending());
    drop(shared);
    clock.advance(SECOND / 2);
    // By now there would be room; but then the one who waits would come in the window of the limiter that it would get.
    assert_eq!(clients.at("second").name(), "client[*]");
    clock.advance(SECOND / 2 + NANOSECOND);
    let own = clients.at("second");
    assert_eq!((own.name(), own.usage().used), ("client[second]", 1));
    clock.advance(SECOND);
    assert!(own.try_acquire().is_err());
    clock.advance(NANOSECOND);
    own.try_acquire().unwrap();
}

#[test]
fn limits_of_all_keys_change_together_those_to_come_too() {
    let (_, clients) = family(1, 2);
    clients.try_acquire("a").unwrap();
    clients.at("b");
    clients.at("without room");
    clients.set_limit(3, SECOND).unwrap();
    assert_eq!((0..5).filter(|_| clients.try_acquire("a").is_ok()).count(), 2);
    assert_eq!((0..5).filter(|_| clients.try_acquire("without room").is_ok()).count(), 3);
    assert!(matches!(clients.set_limit(1 << 21, SECOND), Err(Error::InvalidConfig { .. })));
    assert!(clients.limiters().iter().all(|one| one.usage().limit == 3));
    clients.reset();
    assert_eq!(clients.at("c").name(), "client[c]", "nothing counts, so there is room");
    assert_eq!(clients.at("c").usage().limit, 3);
}

#[test]
fn a_million_keys_of_strangers_take_no_more_than_was_said() {
    const KEYS: usize = 4096;
    let (clock, clients) = family(100, KEYS);
    let flood = measure(|| {
        for n in 0..1_000_000_u32 {
            // All of them go twenty times.
            if n % 50_000 == 0 {
                clock.advance(SECOND * 2);
            }
            let _: Result<(), Rejected> = clients.try_acquire(&n);
        }
    });
    assert!(clients.len() <= KEYS);
    assert_eq!(clients.usage().allowed + clients.usage().limited, 1_000_000);
    // 800 bytes, a short text twice, 128 permits of eight bytes; and while it changes, the tables of the map twice.
    let a_key = flood.bytes_current / KEYS as i64;
    assert!(a_key <= 832 + 2 * 32 + 1024, "{a_key} bytes a key: {flood:?}");
    assert!(flood.bytes_max < flood.bytes_current as u64 * 5 / 4, "{flood:?}");
}

#[test]
fn with_a_mean_rate_a_key_takes_less() {
    const KEYS: usize = 4096;
    let each = RateLimiter::builder("client").per_second(100_000).gcra(100);
    let clients: KeyedRateLimiter<u32> = KeyedRateLimiter::from_builder(each).unwrap().max_keys(KEYS);
    let taken = measure(|| (0..KEYS as u32).for_each(|n| clients.of(&n).try_acquire().unwrap()));
    let a_key = taken.bytes_current / KEYS as i64;
    assert!(a_key <= 832, "{a_key} bytes a key");
}

#[test]
fn finding_a_key_and_deciding_allocate_nothing() {
    let (_, clients) = family(1_000_000, 10);
    let own = RateLimiter::per_second(1_000_000).unwrap();
    let refusing = RateLimiter::new(1, Duration::MAX).unwrap();
    for _ in 0..2 {
        _ = (clients.try_acquire(&12_345), own.try_acquire(), refusing.try_acquire());
    }
    let hits = measure(|| {
        for _ in 0..1000 {
            clients.try_acquire(&12_345).unwrap();
            own.try_acquire().unwrap();
            own.try_acquire_n(3).unwrap();
            assert!(refusing.try_acquire().is_err());
        }
    });
    assert_eq!((hits.count_total, hits.bytes_total), (0, 0));
}

#[test]
fn memory_is_taken_with_the_first_permit_and_once() {
    let idle = measure(|| drop(std::hint::black_box(RateLimiter::per_second(1 << 20).unwrap())));
    assert!(idle.bytes_max < 1024, "{idle:?}");
    let limiter = RateLimiter::per_second(1000).unwrap();
    let first = measure(|| limiter.try_acquire().unwrap());
    assert!((8 * 1024..8 * 1024 + 4096).contains(&first.bytes_current), "{first:?}");
    let others = measure(|| (0..5000).for_each(|_| _ = limiter.try_acquire()));
    assert!(others.bytes_current < 1024, "{others:?}");
}

//! What a new key costs, and one that is known: `cargo bench -p lifecycle-benches --bench keys`. Nothing is asserted.
//!
//! Maps that may hold all the keys they are given, from empty to full: nanoseconds a key, the least of several rounds.
//! The peers' maps have no bound.

use dashmap::DashMap;
use governor::{Quota, RateLimiter};
use lifecycle::{BreakerConfig, KeyedCircuitBreaker, KeyedRateLimiter, RateLimiter as Ours};
use lifecycle_benches::markdown;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Asks for one key.
type Ask = Box<dyn Fn(u64)>;

struct Contestant {
    name: &'static str,
    /// An empty map for that many keys.
    make: fn(usize) -> Ask,
}

const CONTESTANTS: &[Contestant] = &[
    Contestant { name: "**lifecycle** `KeyedRateLimiter`, `of(&key).try_acquire()`", make: limiters },
    Contestant { name: "governor, `RateLimiter::keyed`, `check_key`", make: governed },
    Contestant { name: "`DashMap<u64, Arc<RateLimiter>>` of ours, entry", make: mapped },
    Contestant { name: "**lifecycle** `KeyedCircuitBreaker`, `at(&key).try_acquire()`, success", make: breakers },
];

#[expect(clippy::expect_used, reason = "constants")]
fn limiters(keys: usize) -> Ask {
    let all =
        KeyedRateLimiter::<u64>::keyed_by("clients", 10, Duration::from_secs(3600)).expect("a limiter").max_keys(keys);
    Box::new(move |key| _ = black_box(all.of(&key).try_acquire()))
}

fn governed(_: usize) -> Ask {
    let all = RateLimiter::keyed(Quota::per_hour(const { NonZeroU32::new(10).unwrap() }));
    Box::new(move |key: u64| _ = black_box(all.check_key(&key)))
}

#[expect(clippy::expect_used, reason = "constants")]
fn mapped(_: usize) -> Ask {
    let all = DashMap::new();
    let limiter = || Arc::new(Ours::builder("client").limit(10, Duration::from_secs(3600)).build().expect("a limiter"));
    Box::new(move |key: u64| {
        let limiter = Arc::clone(&*all.entry(key).or_insert_with(limiter));
        _ = black_box(limiter.try_acquire());
    })
}

#[expect(clippy::expect_used, reason = "constants")]
fn breakers(keys: usize) -> Ask {
    let all = KeyedCircuitBreaker::new("hosts", BreakerConfig::new()).expect("a breaker").max_keys(keys);
    Box::new(move |key| {
        if let Ok(permit) = all.at(&key).try_acquire() {
            permit.success();
        }
    })
}

/// Nanoseconds for a key when it is new and when it is known.
fn measure(contestant: &Contestant, keys: usize) -> (f64, f64) {
    let mut least = (f64::INFINITY, f64::INFINITY);
    for _ in 0..(1_000_000 / keys).clamp(2, 10) {
        let ask = (contestant.make)(keys);
        let round = || {
            let start = Instant::now();
            // Spread over the numbers, in another order than they are stored in.
            (0..keys as u64).for_each(|key| ask(key.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
            start.elapsed().as_nanos() as f64 / keys as f64
        };
        least.0 = least.0.min(round());
        least.1 = least.1.min(round());
    }
    least
}

fn main() {
    const MANY: [usize; 3] = [1_000, 30_000, 1_000_000];
    let rows: Vec<Vec<String>> = CONTESTANTS
        .iter()
        .map(|contestant| {
            let both = MANY.map(|keys| measure(contestant, keys));
            std::iter::once(contestant.name.to_owned())
                .chain(both.iter().map(|(new, known)| format!("{new:.0}, {known:.0}")))
                .collect()
        })
        .collect();
    let heads = ["ns a key: new, known", "1,000 keys", "30,000", "1,000,000"];
    println!("\n{}", markdown(1, &heads, &rows));
}

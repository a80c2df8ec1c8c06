//! Pattern 5, monitoring: what is used too much, what not at all, and what it costs.
//! `cargo run --example singleton_monitoring`
//!
//! Counting is exact and costs no shared write, so it is on in production, too. (Without the feature `counters` every count
//! reads 0.)

use lifecycle::{BoxError, Health, Singleton, singleton, singletons};
use std::sync::Mutex;
use std::time::Duration;

/// More accesses than this in one report are worth a look: is something asked for in a loop that could be asked for once?
const MANY: u64 = 1000;

#[singleton(eager, factory = || Config { rows: 50 })]
struct Config {
    rows: usize,
}

#[singleton(
    memory = |cache: &Mutex<Vec<u64>>| cache.lock().map_or(0, |cache| cache.capacity() * size_of::<u64>()),
    health = |cache: &Mutex<Vec<u64>>| match cache.lock() {
        Ok(rows) if rows.len() < 100 => Health::Up,
        Ok(rows) => Health::Degraded(format!("{} rows", rows.len())),
        Err(_) => Health::Down("a thread panicked in it".to_owned()),
    }
)]
fn cache() -> Mutex<Vec<u64>> {
    Mutex::new(Vec::with_capacity(Config::instance().rows))
}

/// Declared and never asked for: listed all the same.
#[singleton]
fn old_report() -> String {
    "nobody reads this".to_owned()
}

/// One line for each singleton that deserves one.
fn findings() -> Vec<String> {
    let mut findings = Vec::new();
    for one in lifecycle::snapshot().singletons {
        match (one.created, one.accesses) {
            (false, _) => findings.push(format!("unused:  `{}` ({}) was never created", one.name, one.declared_at)),
            (true, 0) => findings.push(format!("unused:  `{}` exists, but nobody asked for it", one.name)),
            (true, many @ MANY..) => findings.push(format!("warning: `{}` was asked for {many} times", one.name)),
            _ => {}
        }
    }
    findings
}

fn main() -> Result<(), BoxError> {
    singletons().set("banner", "hello".to_owned())?; // and never read
    // Four threads at work; nothing they count is lost, and none of them waits for another.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for row in 0..300 {
                    if let Ok(mut rows) = cache().lock() {
                        rows.push(row);
                    }
                }
            });
        }
    });
    Config::instance();

    let stats = singletons().get_stats();
    println!("{} instances, {} bytes: {:?}", stats.total_singletons, stats.estimated_memory_bytes, stats.access_counts);
    let findings = findings();
    findings.iter().for_each(|line| println!("{line}"));
    assert_eq!(findings.len(), 3);
    assert!(findings.iter().any(|line| line == "warning: `cache` was asked for 1200 times"));
    assert!(findings.iter().any(|line| line.contains("`banner` exists, but nobody")));
    assert!(findings.iter().any(|line| line.contains("`old_report`") && line.contains("never created")));

    assert!(!lifecycle::handle(old_report)?.is_created(), "looking creates nothing");

    // What it holds beside its own size, and how it is: from the declaration's hooks.
    let held = lifecycle::handle(cache)?.stats().heap.ok_or("its `memory` hook says")?;
    println!("the cache holds {held} bytes");
    assert!(held >= 1200 * size_of::<u64>());
    let health = lifecycle::health_blocking(Duration::from_secs(1));
    for check in &health.checks {
        println!("health of `{}`: {:?}", check.name, check.health);
    }
    assert_eq!(health.status, Health::Degraded(String::new()));
    assert_eq!(Config::stats().asked_by, Some("cache".to_owned()));

    // For dashboards: the same numbers as JSON, and everything at once.
    println!("{}", singletons().execute("get_stats", lifecycle::Args::new())?);
    println!("\n{}", lifecycle::snapshot());
    Ok(())
}

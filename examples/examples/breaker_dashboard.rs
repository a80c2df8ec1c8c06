//! A dashboard as text: which breaker is healthy, which limit is nearly used up. `cargo run --example breaker_dashboard`
//!
//! It is a function of `lifecycle::snapshot()`, which is a serde value: so it can be drawn where the process is, or where its
//! JSON arrives. `println!("{}", lifecycle::snapshot())` is the table that comes with the crate.

use lifecycle::registry::{BreakerSnapshot, LimiterSnapshot};
use lifecycle::{BoxError, Snapshot, circuit_breaker, rate_limit};
use std::fmt::Write;

/// Above this share of a limit there is a warning.
const NEARLY_USED_UP: f64 = 0.8;

#[circuit_breaker(threshold = 3, timeout = 30)]
fn users(up: bool) -> Result<(), BoxError> {
    if up { Ok(()) } else { Err("down".into()) }
}

#[circuit_breaker(threshold = 3, timeout = 30)]
fn prices(up: bool) -> Result<(), BoxError> {
    if up { Ok(()) } else { Err("down".into()) }
}

#[circuit_breaker(threshold = 3, timeout = 30, key = host)]
fn fetch(host: &str, up: bool) -> Result<(), BoxError> {
    if up { Ok(()) } else { Err(format!("{host} is down").into()) }
}

#[rate_limit("10/min")]
fn mail() -> Result<(), BoxError> {
    Ok(())
}

#[rate_limit("10/min", key = client)]
fn export(client: &str) -> Result<usize, BoxError> {
    Ok(client.len())
}

/// One bad call is enough to look at it; whether calls are refused is the state's business.
fn health(breaker: &BreakerSnapshot) -> &'static str {
    if breaker.failures == 0 { "healthy" } else { "degraded" }
}

/// A line about a limit.
fn limit(name: &str, used: u32, limit: u32, refused: u64) -> String {
    let utilisation = f64::from(used) / f64::from(limit);
    let bar = "#".repeat((utilisation * 10.0).round() as usize);
    let warning = if utilisation > NEARLY_USED_UP { "  WARNING: nearly used up" } else { "" };
    let percent = utilisation * 100.0;
    format!("  [{bar:10}] {name:16} {percent:3.0} %, {used} of {limit}, {refused} refused so far{warning}")
}

/// All breakers, and of families by key those that hold something.
fn breakers(all: &Snapshot) -> impl Iterator<Item = &BreakerSnapshot> {
    all.breakers.iter().chain(all.keyed_breakers.iter().flat_map(|family| &family.noteworthy))
}

fn limiters(all: &Snapshot) -> impl Iterator<Item = &LimiterSnapshot> {
    all.limiters.iter().chain(all.keyed_limiters.iter().flat_map(|family| &family.noteworthy))
}

fn dashboard(all: &Snapshot) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let degraded = breakers(all).filter(|one| health(one) == "degraded").count();
    writeln!(text, "circuit breakers: {}", if degraded == 0 { "healthy" } else { "degraded" })?;
    for one in breakers(all) {
        let of = one.threshold.map(|threshold| format!("/{threshold}")).unwrap_or_default();
        write!(text, "  {:8}  {:26} {:9} failures {}{of}", health(one), one.name, one.state, one.failures)?;
        write!(text, ", calls {}, refused {}", one.statistics.total_calls, one.statistics.rejected_calls)?;
        match one.retry_after_seconds {
            Some(left) => writeln!(text, ", next probe in {left:.0} s")?,
            None => writeln!(text)?,
        }
    }
    writeln!(text, "rate limiters")?;
    for one in limiters(all) {
        writeln!(text, "{}", limit(&one.name, one.used, one.limit, one.limited))?;
    }
    Ok(text)
}

fn main() -> Result<(), BoxError> {
    for _ in 0..8 {
        mail()?;
        export("acme")?;
    }
    users(true)?;
    let calm = dashboard(&lifecycle::snapshot())?;
    println!("a calm minute:\n{calm}");
    assert!(calm.starts_with("circuit breakers: healthy\n") && !calm.contains("degraded"));
    assert!(!calm.contains("WARNING"), "8 of 10 are not more than 0.8");

    mail()?;
    let _ = prices(false); // one failure, with calls still going through
    for _ in 0..4 {
        let _ = fetch("inventory.example", false);
        fetch("shop.example", true)?;
    }
    // As it would arrive elsewhere.
    let json = serde_json::to_string(&lifecycle::snapshot())?;
    let text = dashboard(&serde_json::from_str(&json)?)?;
    println!("the next one:\n{text}");
    let line = |start: &str, name: &str| text.lines().any(|line| line.trim().starts_with(start) && line.contains(name));
    assert!(text.starts_with("circuit breakers: degraded\n"));
    assert!(line("healthy", "users") && line("degraded", "prices") && line("degraded", "fetch[inventory.example]"));
    assert!(line("degraded", "next probe in"), "the open one says when");
    assert!(!text.contains("shop.example"), "a key that is fine is not worth a line");
    assert!(line("[#########", "mail") && text.matches("WARNING").count() == 1);

    // What is done by name (`lifecycle::breakers()`) has a limit of its own: 1000 operations a second for the whole process.
    for _ in 0..850 {
        lifecycle::breakers().get("inventory")?;
    }
    let core = lifecycle::breakers().get_stats();
    let line = limit("breakers by name", core.current_rate_limit_size, core.max_rate_limit, core.rate_limited_count);
    println!("the limit of what is done by name:\n{line}\n");
    assert!(line.ends_with("WARNING: nearly used up"));

    // An open breaker does not make the process sick: do not let a load balancer take it out for what is down elsewhere.
    users(true)?;
    for name in ["prices", "fetch[inventory.example]"] {
        lifecycle::breaker(name)?.reset();
    }
    assert!(dashboard(&lifecycle::snapshot())?.starts_with("circuit breakers: healthy\n"));
    println!("the crate's own table:\n{}", lifecycle::snapshot());
    Ok(())
}

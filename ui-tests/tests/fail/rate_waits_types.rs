use lifecycle::{Rejected, circuit_breaker, rate_limit};
use std::time::Duration;

#[rate_limit("100/s", permits = rows.len())]
fn a_usize(rows: &[u8]) -> Result<usize, Rejected> {
    Ok(rows.len())
}

#[rate_limit("100/s", permits = row.size)]
fn no_such_name(rows: &[u8]) -> Result<usize, Rejected> {
    Ok(rows.len())
}

#[rate_limit("100/s", on_limit = wait(Duration::ZERO))]
fn no_time() -> Result<u8, Rejected> {
    Ok(1)
}

#[rate_limit("100/s", on_limit = wait(patience))]
fn not_const(patience: Duration) -> Result<Duration, Rejected> {
    Ok(patience)
}

#[rate_limit("100/s", on_limit = wait(LONGEST))]
async fn another_type() -> Result<u8, Rejected> {
    Ok(1)
}

const LONGEST: f64 = 1.0;

#[rate_limit("100/s", on_limit = wait(SECONDS))]
fn a_bare_number() -> Result<u8, Rejected> {
    Ok(1)
}

#[rate_limit(limit = 100, window = SECONDS)]
fn a_window_of_a_bare_number() -> Result<u8, Rejected> {
    Ok(1)
}

#[circuit_breaker(timeout = SECONDS)]
fn which_a_timeout_may_be() -> Result<u8, Rejected> {
    Ok(1)
}

const SECONDS: u64 = 30;

#[rate_limit("100/s", mode = gcra(burst = NONE))]
fn an_empty_burst() -> Result<u8, Rejected> {
    Ok(1)
}

const NONE: u32 = 0;

#[circuit_breaker(fallback = cached)]
async fn fetch(id: u8) -> Result<u8, Rejected> {
    Ok(id)
}

fn cached(id: u8) -> Result<u8, Rejected> {
    Ok(id)
}

#[rate_limit("100/s", fallback = cached_later)]
fn fetch_now(id: u8) -> Result<u8, Rejected> {
    Ok(id)
}

async fn cached_later(id: u8) -> Result<u8, Rejected> {
    Ok(id)
}

fn main() {}

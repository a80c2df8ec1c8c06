use lifecycle::{RateLimiter, Rejected, circuit_breaker, rate_limit};
use std::time::Duration;

#[rate_limit("100/s", on_limit = "wait", permits = "1")]
fn in_quotes(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[rate_limit("100/s", on_limit = wait(50), permits = 0)]
fn no_unit(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[rate_limit("100/s", on_limit = wait, permits = |id| id)]
fn how_long(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[rate_limit("100/s", on_limit = sleep("50ms"), cost = id)]
fn other_words(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[rate_limit("100/s", wait("50ms"), permits = 101)]
fn too_many(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[rate_limit("100/s", mode = token_bucket)]
fn token_bucket(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[rate_limit("100/s", mode = gcra(10))]
fn which_number(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[rate_limit("100/s", mode = gcra, burst = 10)]
fn no_burst(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[rate_limit("100/s", permits = 2, on_limit = reject)]
static API: RateLimiter;

#[rate_limit(API, mode = gcra(burst = 10))]
fn of_another(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[circuit_breaker(on_limit = reject, permits = 3)]
fn of_a_breaker(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

fn main() {
    _ = Duration::ZERO;
}

use lifecycle::{circuit_breaker, rate_limit};
use std::time::Duration;

const NONE: u32 = 0;
const NEVER: Duration = Duration::ZERO;

#[circuit_breaker(threshold = NONE)]
fn no_threshold() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(timeout = NEVER)]
fn no_timeout() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit(limit = NONE, window = "1s")]
fn no_limit() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {}

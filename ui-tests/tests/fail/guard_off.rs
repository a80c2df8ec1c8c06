//! What settings may take away is left away in an attribute.

use lifecycle::{Rejected, circuit_breaker, rate_limit};

#[circuit_breaker(threshold = "off")]
fn no_rule() -> Result<u64, Rejected> {
    Ok(1)
}

#[circuit_breaker(threshold = off, failure_rate = OFF_BY_DEFAULT)]
fn rate() -> Result<u64, Rejected> {
    Ok(1)
}

const OFF_BY_DEFAULT: u32 = 50;

#[circuit_breaker(failure_rate = None, backoff = off, timeout = "Off")]
#[rate_limit("5/s", max_keys = false)]
fn several() -> Result<u64, Rejected> {
    Ok(1)
}

fn main() {}

use lifecycle::{circuit_breaker, rate_limit};

#[circuit_breaker(threshold = 0, timeout = 0)]
fn zeros() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(timeout = "0ms", slow_call = "0s")]
fn zero_times() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("0/s")]
fn nothing_passes() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("5/0s")]
fn no_time() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {}

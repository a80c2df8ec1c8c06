use lifecycle::circuit_breaker;

#[circuit_breaker(failure_rate = 0, slow_call_rate = 101)]
fn percents() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 0.5, window = 100)]
fn shares() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 50, window = "10 cals")]
fn unit() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(window = "10s", minimum_calls = 20)]
fn no_rate() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 50, window = "10 calls", minimum_calls = 20)]
fn never_holds() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 50, minimum_calls = 200)]
fn never_holds_by_default() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(backoff = linear)]
fn linear() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(backoff = "1s..10s", cancelled = ignored)]
fn pauses() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(backoff = exponential(factr = 2, max = "10m", jitter = 200, factor = 0.5))]
fn growth() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(max_keys = 3)]
fn no_key() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {}

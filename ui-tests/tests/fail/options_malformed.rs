use lifecycle::circuit_breaker;

#[circuit_breaker(threshold)]
fn no_value() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(threshold = , timeout = 3)]
fn empty_value() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(threshold = 3 timeout = 5)]
fn no_comma() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(, threshold = 3)]
fn comma_first() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(threshold(3), timeout: 5)]
fn other_syntax() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(3)]
fn no_key() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(on_rejected = make::)]
fn half_a_path() -> anyhow::Result<u8> {
    Ok(1)
}

// All fine: nothing to say, and a comma at the end.
#[circuit_breaker()]
fn empty() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(threshold = 3,)]
fn trailing_comma() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {}

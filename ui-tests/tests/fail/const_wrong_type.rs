use lifecycle::circuit_breaker;

const TEXT: &str = "30s";
const SIGNED: i64 = 3;

#[circuit_breaker(timeout = TEXT)]
fn text() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(threshold = SIGNED)]
fn signed() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {}

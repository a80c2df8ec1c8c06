use lifecycle::{circuit_breaker, rate_limit};

#[circuit_breaker(on_rejected = |rejected| rejected.retry_after)]
fn wrong_error() -> Result<u8, String> {
    Ok(1)
}

#[rate_limit("3/s", on_rejected = |_| "no")]
fn wrong_value() -> u8 {
    1
}

#[circuit_breaker(on_rejected = |rejected, id| format!("{rejected} {id}"))]
fn two_arguments(id: u8) -> Result<u8, String> {
    Ok(id)
}

#[circuit_breaker(fallback = cached)]
fn other_arguments(id: u8) -> Result<u8, String> {
    Ok(id)
}

fn cached(name: &str) -> Result<u8, String> {
    Err(name.to_owned())
}

fn main() {}

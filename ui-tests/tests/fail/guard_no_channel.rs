use lifecycle::{circuit_breaker, rate_limit};

pub struct Broken;

#[circuit_breaker]
fn nothing() {}

#[circuit_breaker]
fn number() -> u32 {
    1
}

#[rate_limit("3/s")]
fn foreign_error() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[circuit_breaker]
async fn own_error() -> Result<u32, Broken> {
    Ok(1)
}

#[rate_limit("3/s")]
#[circuit_breaker]
fn both(id: u32) -> Option<u32> {
    Some(id)
}

#[circuit_breaker]
fn future() -> impl Future<Output = u32> {
    async move { 1 }
}

#[circuit_breaker]
fn unnamed() -> impl Iterator<Item = u8> {
    [1u8].into_iter()
}

fn main() {}

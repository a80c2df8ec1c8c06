use lifecycle::{circuit_breaker, circuit_breaker as breaker, rate_limit};

#[circuit_breaker(threshold = 3)]
#[rate_limit("3/s")]
#[breaker]
fn fetch() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {
    let _ = fetch();
}

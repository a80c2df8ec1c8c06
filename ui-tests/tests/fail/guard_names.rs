use lifecycle::{CircuitBreaker, Rejected, circuit_breaker, rate_limit};

struct Client {
    breaker: CircuitBreaker,
    host: String,
}

#[circuit_breaker(HB)]
fn unknown() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("3/s", key = clint.host)]
fn misspelled(client: &Client) -> Result<&str, Rejected> {
    Ok(&client.host)
}

impl Client {
    #[circuit_breaker(self.breaker)]
    fn no_self() -> anyhow::Result<u8> {
        Ok(1)
    }
}

fn main() {}

use lifecycle::{CircuitBreaker, RateLimiter, circuit_breaker, rate_limit};

#[circuit_breaker]
static HA: CircuitBreaker;

#[rate_limit("3/s")]
static API: RateLimiter;

#[circuit_breaker(HA, threshold = 3, name = "x", key = host)]
fn says_more() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(on_rejected = |r| r.into(), HA)]
fn comes_last() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("3/s", API)]
fn two_limiters() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit(API, "3/s")]
fn another_rate() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(treshold)]
fn misspelled() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(API)]
#[rate_limit(HA)]
fn mixed_up() -> anyhow::Result<u8> {
    Ok(1)
}

struct Client {
    breaker: CircuitBreaker,
    name: String,
}

impl Client {
    #[circuit_breaker(self.name)]
    fn no_breaker(&self) -> anyhow::Result<u8> {
        Ok(1)
    }

    #[circuit_breaker(self.breaker)]
    async fn needs_an_owner(&mut self) -> anyhow::Result<u8> {
        Ok(1)
    }
}

fn main() {}

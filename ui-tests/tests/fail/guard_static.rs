use lifecycle::{CircuitBreaker, RateLimiter, circuit_breaker, rate_limit};

#[circuit_breaker(threshold = 3)]
static WITH_A_VALUE: CircuitBreaker = make();

#[circuit_breaker]
static mut CHANGES: CircuitBreaker;

#[circuit_breaker]
static A_LIMITER: RateLimiter;

#[rate_limit("3/s")]
static LAZY: std::sync::LazyLock<RateLimiter>;

#[rate_limit("3/s")]
static NUMBER: u8;

#[circuit_breaker(on_rejected = |r| r, ignore = |_| true, key = host, dispatch)]
static SAYS_TOO_MUCH: CircuitBreaker;

#[circuit_breaker(skip)]
static LEFT_OUT: CircuitBreaker;

#[rate_limit(SAYS_TOO_MUCH)]
static OF_ANOTHER: RateLimiter;

type Other = u8;

#[circuit_breaker]
static UNKNOWN_TYPE: Other;

#[rate_limit]
static NO_RATE: RateLimiter;

// Their users see no error.
fn main() {
    let _: [&CircuitBreaker; 2] = [&WITH_A_VALUE, &SAYS_TOO_MUCH];
    let _: [&RateLimiter; 2] = [&LAZY, &NO_RATE];
}

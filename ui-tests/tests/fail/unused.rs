#![deny(dead_code)]

use lifecycle::{Flag, circuit_breaker, init_flag, rate_limit, singleton};

#[circuit_breaker]
fn breaker() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("3/s")]
fn limiter() -> anyhow::Result<u8> {
    Ok(1)
}

#[singleton]
fn one() -> u8 {
    1
}

// Listed, so used: their accessors say nothing.
#[singleton]
#[derive(Default)]
struct Config;

#[init_flag]
static FLAG: Flag<bool> = true;

fn main() {}

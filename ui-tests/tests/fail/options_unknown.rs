use lifecycle::{Flag, circuit_breaker, init_flag, rate_limit, singleton};

#[singleton(factroy = Config::new)]
pub struct Config;

#[circuit_breaker(treshold = 3, colour = "red", factory = make)]
fn misspelled() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 50)]
fn later() -> anyhow::Result<u8> {
    Ok(1)
}

#[rate_limit("100/s", treshold = 3, threshold = 3)]
fn limited() -> anyhow::Result<u8> {
    Ok(1)
}

#[init_flag(environment = "X", default = true)]
static FLAG: Flag<bool> = true;

fn main() {
    // No further errors for the users of what was declared.
    let _ = Config::instance();
    let _ = (misspelled(), later(), limited(), FLAG.get());
}

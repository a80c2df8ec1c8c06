use lifecycle::{circuit_breaker, init_flag, singleton, Flag};

#[circuit_breaker(threshold = "3", timeout = 0.5, name = users, slow_call = 2)]
fn wrong_kinds() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(threshold = -3, timeout = "3 parsecs")]
fn nonsense() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(threshold = 99999999999, timeout = "30")]
fn too_large() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(threshold = 3u8, timeout = 30i32)]
fn suffixes() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(on_rejected = reject(), crate = "lifecycle")]
fn called() -> anyhow::Result<u8> {
    Ok(1)
}

#[singleton(factory = Config { api: 1 }, name = "")]
struct Config {
    api: u8,
}

#[init_flag(env = USE_CACHE)]
static USE_CACHE: Flag<bool> = true;

fn main() {}

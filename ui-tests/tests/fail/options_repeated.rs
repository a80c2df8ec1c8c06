use lifecycle::{Flag, circuit_breaker, init_flag, singleton};

#[circuit_breaker(threshold = 3, timeout = 30, threshold = 5)]
fn guarded() -> anyhow::Result<u8> {
    Ok(1)
}

#[singleton(name = "a", name = "b")]
fn one() -> u8 {
    1
}

#[init_flag(env = "A", env = "B")]
static FLAG: Flag<bool> = true;

#[circuit_breaker(on_rejected = anyhow::Error::from, fallback = other)]
fn two_ways_out() -> anyhow::Result<u8> {
    Ok(1)
}

#[singleton(factory = Both::new, try_factory = Both::load)]
struct Both;

fn main() {
    let _: &u8 = one();
    let _ = (guarded(), two_ways_out(), FLAG.get(), Both::instance());
}

use lifecycle::{circuit_breaker, singleton};

#[circuit_breaker(crate = nowhere)]
fn fetch() -> anyhow::Result<u8> {
    Ok(1)
}

#[singleton(crate = self::missing::lifecycle)]
#[derive(Default)]
struct Config;

fn main() {
    let _ = fetch();
}

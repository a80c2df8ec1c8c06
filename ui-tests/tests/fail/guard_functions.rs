use lifecycle::circuit_breaker;

#[circuit_breaker]
const fn constant() -> Result<u8, lifecycle::Rejected> {
    Ok(1)
}

#[circuit_breaker(on_rejected = |_| loop {})]
fn never() -> ! {
    loop {}
}

fn main() {}

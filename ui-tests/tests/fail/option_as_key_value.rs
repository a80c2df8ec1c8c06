use lifecycle::circuit_breaker;

#[circuit_breaker = 3]
fn guarded() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {
    let _ = guarded();
}

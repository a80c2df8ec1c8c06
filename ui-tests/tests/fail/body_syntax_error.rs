use lifecycle::circuit_breaker;

#[circuit_breaker]
fn fetch() -> anyhow::Result<u8> {
    let x = ;
    Ok(1)
}

fn main() {
    let _ = fetch();
}

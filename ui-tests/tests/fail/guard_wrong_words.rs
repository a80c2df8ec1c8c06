use lifecycle::circuit_breaker;

#[circuit_breaker(call_timeout = "3s", reset_timeout = 30, fallback_on = Err)]
fn fetch() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {
    let _ = fetch();
}

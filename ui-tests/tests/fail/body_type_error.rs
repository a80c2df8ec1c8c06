use lifecycle::{circuit_breaker, rate_limit, singleton};

#[circuit_breaker]
fn sync() -> anyhow::Result<u8> {
    Ok("text")
}

#[circuit_breaker]
async fn asynchronous() -> anyhow::Result<u8> {
    let number: u8 = "text";
    Ok(number)
}

#[rate_limit("3/s")]
fn limited() -> anyhow::Result<u8> {
    undefined()
}

#[singleton]
fn number() -> u8 {
    "text"
}

#[singleton]
fn question_mark() -> u8 {
    "3".parse()?
}

fn main() {}

use lifecycle::circuit_breaker;

#[circuit_breaker(ignore = |e| e.is_some(), on_rejected = |_| None)]
fn no_error() -> Option<u8> {
    Some(1)
}

#[circuit_breaker(ignore = |e| e.kind())]
fn wrong_result() -> anyhow::Result<u8, MyError> {
    Ok(1)
}

#[circuit_breaker(failure_if = |status: u16| status >= 500, on_rejected = |_| 503)]
fn by_value() -> u16 {
    200
}

#[circuit_breaker(failure_if = |status| status >= 500, on_rejected = |_| 503)]
fn compares_a_reference() -> u16 {
    200
}

#[circuit_breaker(ignore = is_not_found)]
async fn other_error() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(ignore = is_not_found())]
async fn called() -> Result<u8, MyError> {
    Ok(1)
}

pub struct MyError;

impl MyError {
    fn kind(&self) -> u8 {
        3
    }
}

impl From<lifecycle::Rejected> for MyError {
    fn from(_: lifecycle::Rejected) -> Self {
        Self
    }
}

fn is_not_found(_: &MyError) -> bool {
    true
}

fn main() {}

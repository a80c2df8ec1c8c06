use lifecycle::singleton;
use std::time::Duration;

const NONE: Duration = Duration::ZERO;
const TEXT: &str = "5s";

#[singleton(init_timeout = NONE)]
#[derive(Default)]
pub struct Zero;

#[singleton(retry_backoff = NONE..NONE)]
fn zero() -> Result<u8, lifecycle::SingletonError> {
    Ok(3)
}

#[singleton(swap, refresh = TEXT)]
#[derive(Default)]
pub struct Text;

fn main() {}

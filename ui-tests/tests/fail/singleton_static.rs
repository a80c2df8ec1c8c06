use lifecycle::{Lazy, singleton};
use std::sync::{LazyLock, Mutex};

pub struct Pool;

#[singleton]
static PLAIN: u8 = 3;

#[singleton]
static LOCKED: Mutex<u8> = Mutex::new(3);

#[singleton]
static OTHER: LazyLock<Pool> = LazyLock::new(|| Pool);

#[singleton]
static mut CHANGING: Lazy<Pool> = Pool;

#[singleton]
static EMPTY: Lazy<Pool>;

#[singleton(factory = make, swap, keyed, retry_backoff = "1s")]
static OPTIONS: Lazy<Pool> = Pool;

#[singleton]
static WRONG: Lazy<Pool> = 3;

#[singleton]
static WRONG_FUNCTION: Lazy<Pool> = Lazy::new(|| 3);

#[singleton]
static WRONG_ARGUMENT: Lazy<Pool> = Lazy::new(Pool);

#[singleton]
static NOT_SHARED: Lazy<std::cell::Cell<u8>> = std::cell::Cell::new(1);

mod other {
    pub struct Lazy<T>(T);
}

#[singleton]
static NOT_OURS: other::Lazy<Pool> = Pool;

fn main() {
    let _: &Pool = &OPTIONS;
}

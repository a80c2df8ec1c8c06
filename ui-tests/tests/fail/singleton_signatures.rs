use lifecycle::singleton;

pub struct Pool;

#[singleton]
fn by_name(name: &str, size: usize) -> Pool {
    Pool
}

#[singleton(keyed)]
fn keyed(name: String) -> Pool {
    Pool
}

#[singleton]
const unsafe extern "C" fn qualified() -> Pool {
    Pool
}

#[singleton]
fn nothing() {}

#[singleton]
fn never() -> ! {
    loop {}
}

#[singleton]
fn unnamed() -> impl Iterator<Item = u8> {
    [1u8].into_iter()
}

#[singleton(factory = make)]
fn made() -> Pool {
    Pool
}

impl Pool {
    #[singleton]
    fn shared() -> Self {
        Self
    }

    #[singleton]
    fn of_this(&self) -> u8 {
        1
    }
}

fn main() {
    let _: &Pool = made();
}

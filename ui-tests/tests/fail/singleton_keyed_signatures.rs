use lifecycle::singleton;

pub struct Pool;

#[singleton]
fn not_keyed(_name: &str, _size: usize) -> Pool {
    Pool
}

#[singleton(keyed)]
fn nothing() -> Pool {
    Pool
}

#[singleton(keyed)]
fn changing(_name: &mut String) -> Pool {
    Pool
}

#[singleton(keyed)]
fn unnamed(_name: impl AsRef<str>, _other: &impl AsRef<str>) -> Pool {
    Pool
}

#[singleton(keyed)]
fn generic<'a, T>(_name: &'a str, _other: T) -> Pool {
    Pool
}

#[singleton(keyed)]
fn sometimes(#[cfg(unix)] _name: &str) -> Pool {
    Pool
}

#[singleton(keyed, swap, eager)]
fn swapped(_name: &str) -> Pool {
    Pool
}

#[singleton(keyed, max_keys = 0)]
fn none(_name: &str) -> Pool {
    Pool
}

impl Pool {
    #[singleton(keyed)]
    fn of_this(&self, _name: &str) -> u8 {
        1
    }

    #[singleton(keyed)]
    fn of_self(_other: Self) -> Self {
        Self
    }
}

fn main() {
    let _: std::sync::Arc<Pool> = none("x");
}

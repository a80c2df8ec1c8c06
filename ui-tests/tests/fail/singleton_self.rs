use lifecycle::singleton;

#[derive(Debug)]
pub struct Pool(std::cell::Cell<u8>);

#[derive(Debug)]
pub struct Shared;

impl Shared {
    #[singleton]
    async fn later() -> Self {
        Self
    }

    #[singleton(shutdown = drop, eager)]
    fn with_options() -> Result<Self, std::fmt::Error> {
        make()
    }

    #[singleton]
    fn with_error() -> Result<u8, Box<Self>> {
        Ok(1)
    }
}

fn make() -> Result<Shared, std::fmt::Error> {
    Ok(Shared)
}

impl Pool {
    #[singleton]
    fn not_shared() -> Self {
        Self(std::cell::Cell::new(1))
    }
}

impl<T> Generic<T> {
    #[singleton]
    fn not_static() -> Self {
        Self(None)
    }
}

pub struct Generic<T>(Option<T>);

fn main() {}

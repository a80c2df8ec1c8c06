use lifecycle::{Rejected, circuit_breaker, rate_limit};

struct Service;

#[circuit_breaker]
impl Service {
    fn id(&self) -> u8 {
        3
    }
}

#[circuit_breaker(key = self.id(), dispatch, treshold = 3)]
impl Service {
    fn keyed(&self) -> Result<u8, Rejected> {
        Ok(3)
    }

    // What is right is not reported too.
    #[circuit_breaker(skip)]
    fn left_out(&self) -> Result<u8, Rejected> {
        Ok(3)
    }
}

trait Fetch {
    fn fetch(&self) -> Result<u8, Rejected>;
}

#[rate_limit("3/s")]
impl Fetch for [u8; 3] {
    fn fetch(&self) -> Result<u8, Rejected> {
        Ok(3)
    }
}

#[circuit_breaker(threshold = 3)]
impl Service {
    const fn constant() -> Result<u8, Rejected> {
        Ok(3)
    }

    #[circuit_breaker(skip, threshold = 3)]
    fn skipped() -> Result<u8, Rejected> {
        Ok(3)
    }

    #[circuit_breaker(include, threshold = 3)]
    fn included() -> Result<u8, Rejected> {
        Ok(3)
    }

    // Once, and not by the impl block too.
    #[circuit_breaker(include)]
    const fn included_constant() -> Result<u8, Rejected> {
        Ok(3)
    }

    #[circuit_breaker(include)]
    fn no_channel() -> u8 {
        3
    }

    #[rate_limit(skip)]
    fn no_limiter() -> Result<u8, Rejected> {
        Ok(3)
    }

    fn body() -> Result<u8, Rejected> {
        Ok("3")
    }
}

impl Service {
    #[circuit_breaker(skip)]
    fn alone() -> Result<u8, Rejected> {
        Ok(3)
    }
}

#[rate_limit(include)]
fn free() -> Result<u8, Rejected> {
    Ok(3)
}

#[circuit_breaker]
#[circuit_breaker]
impl Service {
    fn twice() -> Result<u8, Rejected> {
        Ok(3)
    }
}

fn main() {}

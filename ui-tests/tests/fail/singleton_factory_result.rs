use lifecycle::singleton;

#[singleton(factory = Config::load)]
pub struct Config;

impl Config {
    fn load() -> Result<Self, std::io::Error> {
        Ok(Self)
    }
}

#[singleton(try_factory = Plain::new)]
pub struct Plain;

impl Plain {
    fn new() -> Self {
        Self
    }
}

#[singleton(factory = |path: &str| Reader)]
pub struct Reader;

fn main() {}

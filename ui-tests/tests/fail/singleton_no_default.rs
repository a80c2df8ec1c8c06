use lifecycle::singleton;

#[singleton]
pub struct Config {
    api: String,
}

fn main() {
    let _ = Config::instance();
}

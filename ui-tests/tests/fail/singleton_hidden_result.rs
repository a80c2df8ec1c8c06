use lifecycle::singleton;

type Answer<T> = Result<T, std::io::Error>;

#[singleton]
fn answer() -> Answer<u8> {
    Ok(42)
}

#[singleton]
fn io() -> std::io::Result<u8> {
    Ok(42)
}

fn main() {}

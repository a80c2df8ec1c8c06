use lifecycle::singleton;

#[singleton]
#[derive(Default)]
pub struct Cache<T> {
    items: Vec<T>,
}

#[singleton]
fn cache<T>() -> Vec<T> {
    Vec::new()
}

fn main() {}

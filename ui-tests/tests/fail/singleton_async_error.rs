use lifecycle::singleton;
use std::rc::Rc;

// The error of an async factory crosses threads with its future.
#[singleton]
async fn db() -> Result<u8, Rc<str>> {
    Err("".into())
}

fn main() {}

use lifecycle::singleton;
use std::cell::Cell;
use std::rc::Rc;

#[singleton]
#[derive(Default)]
pub struct Counter {
    count: Cell<u32>,
}

#[singleton]
fn names() -> Vec<Rc<str>> {
    Vec::new()
}

fn main() {}

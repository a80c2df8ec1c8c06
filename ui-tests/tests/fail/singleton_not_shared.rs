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

#[singleton(swap, async_factory = || async { Swapped { count: Cell::new(3) } })]
pub struct Swapped {
    count: Cell<u32>,
}

fn main() {}

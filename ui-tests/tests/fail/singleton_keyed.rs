use lifecycle::singleton;
use std::borrow::Cow;

pub struct Pool;

/// Nothing of what a key needs.
pub struct Key;

/// Nothing but what a key needs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Borrowed<'a>(&'a str);

#[singleton(keyed)]
fn by_key(_name: &str, _key: Key) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_reference(_key: &Key) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_number(_number: f64) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_lifetime(_text: Cow<'_, str>) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_hidden_lifetime(_text: Borrowed) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_cell(_cell: std::rc::Rc<u8>) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_two_references(_text: &&str) -> Pool {
    Pool
}

#[singleton(keyed)]
async fn by_number_later(_number: f64, _name: &str) -> Result<Pool, std::fmt::Error> {
    Ok(Pool)
}

fn main() {}

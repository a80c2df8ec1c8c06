use lifecycle::singleton;
use std::borrow::Cow;

pub struct Pool;

/// Nothing of what a key needs.
pub struct Key;

/// Nothing but what a key needs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Borrowed<'a>(&'a str);

#[singleton(keyed)]
fn by_key(name: &str, key: Key) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_reference(key: &Key) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_number(number: f64) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_lifetime(text: Cow<'_, str>) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_hidden_lifetime(text: Borrowed) -> Pool {
    Pool
}

#[singleton(keyed)]
fn by_object(object: &dyn std::fmt::Debug) -> Pool {
    Pool
}

fn main() {}

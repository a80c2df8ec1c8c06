use lifecycle::{Lazy, singleton};
use std::cell::Cell;

#[singleton(scope = invocation, eager)]
#[derive(Default)]
pub struct Early;

#[singleton(scope = invocation, swap, refresh = "5m", on_change = told)]
#[derive(Default)]
pub struct Anew;

#[singleton(scope = invocation, keyed)]
fn table(name: &str) -> String {
    name.to_owned()
}

#[singleton(scope = invocations)]
#[derive(Default)]
pub struct Slip;

#[singleton(scope = "invocation")]
#[derive(Default)]
pub struct Quoted;

#[singleton(scope = request)]
#[derive(Default)]
pub struct Unknown;

#[singleton(scope)]
#[derive(Default)]
pub struct Bare;

#[singleton(per_invocation)]
#[derive(Default)]
pub struct Word;

#[singleton(scope = invocation)]
static POOL: Lazy<String> = String::new();

#[singleton(scope = invocation)]
fn cell() -> Cell<u8> {
    Cell::new(7)
}

#[singleton(scope = invocation, health = async |_: &u8| true)]
fn asked() -> u8 {
    7
}

#[singleton(before_snapshot = |_: &u8| 7, on_restore = again)]
fn returned() -> u8 {
    7
}

#[singleton(scope = invocation)]
#[derive(Default)]
pub struct Session;

fn main() {
    // Its accessor is `current`.
    let _ = Session::instance();
}

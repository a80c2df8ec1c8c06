use lifecycle::singleton;

pub struct Plain;

static TABLE: [u8; 3] = [1, 2, 3];

#[singleton(depends_on(Plain, plain, TABLE, missing, Missing))]
#[derive(Default)]
pub struct Config;

#[singleton(depends_on(NOT_A_FUNCTION::lower))]
#[derive(Default)]
pub struct Other;

mod NOT_A_FUNCTION {
    pub const lower: u8 = 3;
}

fn plain() -> u8 {
    3
}

fn main() {}

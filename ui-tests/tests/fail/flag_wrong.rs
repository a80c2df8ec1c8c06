use lifecycle::{Flag, init_flag};

#[init_flag]
static PLAIN: bool = true;

#[init_flag]
static mut MUTABLE: Flag<bool> = true;

#[init_flag]
static MISMATCHED: Flag<bool> = 3;

#[init_flag]
static NO_FLAG: Flag<Vec<u8>> = Vec::new();

#[init_flag]
static NO_DEFAULT: Flag<bool>;

#[init_flag]
static TOO_WIDE: Flag<i128> = 3;

#[init_flag]
static TEXT: Flag<String> = "hello".to_owned();

fn main() {}

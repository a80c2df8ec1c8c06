use lifecycle::{Flag, FlagValue, init_flag};

#[derive(FlagValue)]
enum Holds {
    Off,
    Level(u8),
    Named { name: String },
}

#[derive(FlagValue)]
struct Fields {
    on: bool,
}

#[derive(FlagValue)]
enum Nothing {}

#[derive(FlagValue)]
enum Many<T> {
    A,
    B(T),
}

#[derive(FlagValue)]
enum Twice {
    InMemory,
    #[flag_value(rename = "IN_MEMORY")]
    Other,
    #[flag_value(renam = "x")]
    Slip,
    #[flag_value(crate = lifecycle)]
    Elsewhere,
}

enum Plain {
    A,
}

#[init_flag]
static PLAIN: Flag<Plain> = Plain::A;

#[init_flag]
static BYTES: Flag<Vec<u8>> = Vec::new();

#[init_flag]
static OWNED: Flag<String> = String::new();

fn main() {
    let _ = (Holds::Off, Fields { on: true }, Twice::InMemory, Twice::Other, Twice::Slip, Twice::Elsewhere);
}

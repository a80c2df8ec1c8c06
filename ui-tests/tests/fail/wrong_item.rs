use lifecycle::{Flag, circuit_breaker, init_flag, rate_limit, singleton};

#[circuit_breaker]
struct Guarded;

#[rate_limit("3/s")]
impl Guarded {}

#[circuit_breaker]
trait Guards {}

#[circuit_breaker]
static SHARED: u8 = 1;

#[circuit_breaker]
mod module {}

#[singleton]
const ONE: u8 = 1;

#[singleton]
union Either {
    a: u8,
    b: i8,
}

#[singleton]
static POOL: u8 = 1;

#[init_flag]
const FLAG: Flag<bool> = Flag::new(true);

#[init_flag]
enum Switch {
    On,
}

trait Fetch {
    #[circuit_breaker]
    fn fetch() -> anyhow::Result<u8>;
}

fn main() {
    let _ = Guarded;
}

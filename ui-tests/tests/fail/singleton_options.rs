use lifecycle::singleton;

#[singleton(factory = Two::new, try_async_factory = Two::load, retry_backoff = "10s..1s")]
pub struct Two;

#[singleton(refresh = "5 minutes", on_change = told, max_keys = 3)]
#[derive(Default)]
pub struct Kept;

#[singleton(keyed)]
#[derive(Default)]
pub struct Keyed;

#[singleton(swap = true, eager(), keyed = false)]
#[derive(Default)]
pub struct Words;

#[singleton(depends_on = Config, shutdown = Listed::close(), scope = invocation)]
#[derive(Default)]
pub struct Listed;

#[singleton(depends_on(db(), 3, &POOL, Items, Config, Config, Cache<u8>))]
#[derive(Default)]
pub struct Items;

#[singleton(depends_on(), retry_backoff = "1s", init_timeout = 5, factory = Self::new)]
pub struct Empty;

#[singleton(eager, health = Self::ping, async_factory = make, retry_backoff = "1s..")]
fn table() -> Table {
    Self::build()
}

#[singleton(swap eager)]
fn comma() -> Table {
    Table
}

#[singleton(keyed, eager, swap)]
fn by_name(name: &str) -> Table {
    Table
}

pub struct Table;

fn main() {
    // Callers find the accessors that were meant.
    let _: Result<lifecycle::Current<Words>, _> = Words::try_current();
    let _ = Two::instance();
}

use lifecycle::singleton;

#[derive(Debug)]
pub struct DbError;

#[singleton(retry_backoff = "100ms..10s")]
fn db() -> Result<u8, DbError> {
    Err(DbError)
}

#[singleton(swap, retry_backoff = "1s")]
async fn db_async() -> Result<u8, std::num::ParseIntError> {
    "3".parse()
}

fn main() {}

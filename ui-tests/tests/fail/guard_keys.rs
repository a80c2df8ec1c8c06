use lifecycle::{Rejected, circuit_breaker};

struct Request {
    host: String,
}

#[circuit_breaker(key = request)]
fn no_text(request: Request) -> Result<String, Rejected> {
    Ok(request.host)
}

#[circuit_breaker(key = host, fallback = cached)]
fn taken_apart(Request { host }: Request) -> Result<String, Rejected> {
    Ok(host)
}

fn cached(request: Request) -> Result<String, Rejected> {
    Ok(request.host)
}

#[circuit_breaker(dispatch)]
fn with_arguments(id: u8) -> Result<u8, Rejected> {
    Ok(id)
}

#[circuit_breaker(dispatch)]
async fn later() -> Result<u8, Rejected> {
    Ok(3)
}

struct Store(u8);

impl Store {
    #[circuit_breaker(dispatch)]
    fn own() -> Result<u8, Rejected> {
        Ok(Self(3).0)
    }

    #[circuit_breaker(dispatch, on_rejected = |_| Ok(Self::OTHER))]
    fn others() -> Result<u8, Rejected> {
        Ok(3)
    }

    const OTHER: u8 = 7;
}

#[circuit_breaker(dispatch)]
fn not_sent() -> Result<std::time::Instant, Rejected> {
    Ok(std::time::Instant::now())
}

#[circuit_breaker(dispatch, on_rejected = |_| Request { host: String::new() })]
fn not_sent_either() -> Request {
    Request { host: String::new() }
}

#[circuit_breaker(dispatch, on_rejected = |_| Untold)]
fn not_told() -> Result<u8, Untold> {
    Ok(3)
}

struct Untold;

#[circuit_breaker(key = "host")]
fn quoted(host: &str) -> Result<&str, Rejected> {
    Ok(host)
}

#[circuit_breaker(key = |request| request.host)]
fn no_argument(request: &Request) -> Result<&Request, Rejected> {
    Ok(request)
}

fn main() {}

//! Recipe: a time limit, `tokio::time::timeout` INSIDE the guarded body. `cargo run --example recipe_time_limit`
//!
//! Inside, running out of time is an error as any other: the function says how long is too long, the breaker counts it, and all
//! callers are served alike. Outside, the call is dropped; then the breaker goes by how long it had run (`slow_call`, 10 s if
//! not said), as the example `breaker_hanging_downstream` shows.

#[path = "stand_ins/http.rs"]
mod http;

use http::{HttpError, Mode, Service};
use lifecycle::{BoxError, Rejected, State, circuit_breaker};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
enum ReportError {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("no report after {LIMIT:?}")]
    TooSlow(#[from] tokio::time::error::Elapsed),
}

/// Right. Mind that the breaker's own `timeout` is something else: how long it stays open.
#[circuit_breaker(threshold = 2, timeout = 30)]
async fn report(service: SocketAddr) -> Result<String, ReportError> {
    Ok(timeout(LIMIT, http::get(service, "report")).await??)
}

/// Without a limit: to be put into one by its callers, which is the wrong way round.
#[circuit_breaker(threshold = 2, timeout = 30)]
async fn unlimited(service: SocketAddr) -> Result<String, ReportError> {
    Ok(http::get(service, "report").await?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let (inside, outside) = (lifecycle::breaker("report")?, lifecycle::breaker("unlimited")?);
    report(service.address).await?;
    service.switch(Mode::Hangs);

    println!("the limit inside:");
    for _ in 0..3 {
        if let Err(error) = report(service.address).await {
            println!("  {error}");
        }
    }
    let seen = inside.metrics();
    println!("  {}: {} failures, {} refused", seen.state, seen.failures, seen.statistics.rejected_calls);
    assert_eq!((inside.state(), seen.failures, seen.statistics.rejected_calls), (State::Open, 2, 1));

    println!("the limit outside, and nothing said about `slow_call`:");
    for _ in 0..3 {
        if timeout(LIMIT, unlimited(service.address)).await.is_err() {
            println!("  gave up after {LIMIT:?}");
        }
    }
    let seen = outside.metrics();
    println!("  {}: {} failures, {} cancelled", seen.state, seen.failures, seen.statistics.cancelled_calls);
    assert_eq!((outside.state(), seen.failures, seen.statistics.cancelled_calls), (State::Closed, 0, 3));
    Ok(())
}

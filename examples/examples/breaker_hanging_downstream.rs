//! A downstream that hangs: nobody gets an error, callers just stop waiting. Three of them, and nobody waits any more.
//! `cargo run --example breaker_hanging_downstream`
//!
//! A time limit outside of the guard drops the guarded call. How long that had run by then says what it means: from `slow_call`
//! on it is a failure, before it just a caller that changed its mind.

#[path = "stand_ins/http.rs"]
mod http;

use http::{HttpError, Mode, Service};
use lifecycle::{BoxError, Rejected, State, circuit_breaker};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// What callers have the patience for.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
enum ReportError {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("no report after {PATIENCE:?}, gave up")]
    GaveUp(#[from] tokio::time::error::Elapsed),
}

/// Well below the callers' patience, so that giving up counts; above what the service usually needs. (10 s if not said.)
#[circuit_breaker(threshold = 3, slow_call = "300ms", timeout = "1s")]
async fn report(service: SocketAddr) -> Result<String, ReportError> {
    Ok(http::get(service, "report").await?)
}

async fn report_in_time(service: SocketAddr) -> Result<String, ReportError> {
    timeout(PATIENCE, report(service)).await?
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let breaker = lifecycle::breaker("report")?;
    let ask = async || {
        let began = Instant::now();
        let report = report_in_time(service.address).await;
        let text = report.as_ref().map_or_else(ToString::to_string, Clone::clone);
        println!("  {:>5.1} ms  {text}", began.elapsed().as_secs_f64() * 1e3);
        report
    };

    println!("the service answers:");
    ask().await?;

    service.switch(Mode::Hangs);
    println!("it hangs, and 20 callers change their minds at once; that says nothing about the service:");
    for _ in 0..20 {
        // Polled once, so that it begins, and dropped.
        tokio::select! { biased; _ = report(service.address) => {}, () = std::future::ready(()) => {} }
    }
    let seen = breaker.metrics();
    println!("  {} cancelled, {} of them failures, {}", seen.statistics.cancelled_calls, seen.failures, seen.state);
    assert_eq!((seen.statistics.cancelled_calls, seen.failures), (20, 0));

    println!("three callers give up after {PATIENCE:?}:");
    for _ in 0..3 {
        assert!(matches!(ask().await, Err(ReportError::GaveUp(_))));
    }
    println!("from now on nobody waits:");
    let asked = service.requests();
    let Err(ReportError::Refused(Rejected { retry_after: Some(left), .. })) = ask().await else {
        return Err("three calls given up in a row open the breaker".into());
    };
    assert_eq!((breaker.state(), service.requests()), (State::Open, asked));

    println!("the next call is the probe; it hangs, too, and costs one caller its patience:");
    sleep(left).await;
    assert!(matches!(ask().await, Err(ReportError::GaveUp(_))));
    let Err(ReportError::Refused(Rejected { retry_after: Some(left), .. })) = ask().await else {
        return Err("a probe given up opens it again".into());
    };

    println!("the service is back:");
    service.switch(Mode::Answers);
    sleep(left).await;
    ask().await?;
    assert_eq!(breaker.state(), State::Closed);

    let seen = breaker.metrics().statistics;
    println!("{} calls, {} of them failures; opened {} times", seen.total_calls, seen.failed_calls, seen.times_opened);
    assert_eq!((seen.failed_calls, seen.times_opened), (4, 2));
    Ok(())
}

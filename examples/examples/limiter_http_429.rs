//! A limit for each client of an HTTP service: who asks too often gets 429 and `Retry-After`, nobody else notices.
//! `cargo run --example limiter_http_429`
//!
//! The service is a real one on a loopback port; the attribute stands on the handler itself.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use lifecycle::{BoxError, RateLimiter, Rejected, rate_limit};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::sleep;

// ---- The service ----------------------------------------------------------------------------------------------------

/// Never more than three in any second for one client, whatever its rhythm.
#[rate_limit("3/s", key = client(&headers), max_keys = 10_000, on_rejected = too_many_requests)]
async fn quote(headers: HeaderMap) -> Response {
    format!("buy low, {}\n", client(&headers)).into_response()
}

/// Who asks. All without a key are one client; an address would do, too.
fn client(headers: &HeaderMap) -> &str {
    headers.get("x-api-key").and_then(|key| key.to_str().ok()).unwrap_or("anonymous")
}

/// 429 and, in whole seconds rounded up, when to come again. The same would do for a breaker, which says 503.
fn too_many_requests(refused: Rejected) -> Response {
    let status = StatusCode::from_u16(refused.http_status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let headers = refused.retry_after_secs().map(|seconds| [(RETRY_AFTER, HeaderValue::from(seconds))]);
    (status, headers.map(HeaderMap::from_iter).unwrap_or_default(), format!("{refused}\n")).into_response()
}

async fn start() -> Result<SocketAddr, BoxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, Router::new().route("/quote", get(quote))).into_future());
    Ok(address)
}

// ---- Its clients ----------------------------------------------------------------------------------------------------

/// What a client may ask for, by its contract: less than the service would refuse.
#[rate_limit("3/2s")]
static CONTRACT: RateLimiter;

struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
}

async fn ask(service: SocketAddr, key: &str) -> Result<Answer, BoxError> {
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(HttpConnector::new());
    let uri = format!("http://{service}/quote");
    let reply = client.request(Request::get(uri).header("x-api-key", key).body(Empty::new())?).await?;
    let seconds = reply.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let answer = Answer { status: reply.status(), retry_after: seconds.map(Duration::from_secs) };
    match answer.retry_after {
        Some(after) => println!("  {key:10} {}, Retry-After: {}", answer.status, after.as_secs()),
        None => println!("  {key:10} {}", answer.status),
    }
    Ok(answer)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let service = start().await?;

    println!("a client in a hurry, and another one:");
    let mut statuses = Vec::new();
    let mut retry_after = None;
    for _ in 0..5 {
        let answer = ask(service, "acme").await?;
        statuses.push(answer.status.as_u16());
        retry_after = answer.retry_after;
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(ask(service, "initech").await?.status, 200);

    println!("it waits as it is told:");
    sleep(retry_after.ok_or("429 comes with Retry-After")?).await;
    assert_eq!(ask(service, "acme").await?.status, 200);

    println!("a client that keeps to its contract, by waiting for its own limiter, is never refused:");
    for _ in 0..5 {
        // At once, or later; with a wait above five seconds it would be refused instead.
        CONTRACT.acquire_within(Duration::from_secs(5)).await?;
        assert_eq!(ask(service, "hooli").await?.status, 200);
    }

    println!("what the service knows of its clients:");
    let family = lifecycle::snapshot().keyed_limiters.remove(0);
    println!("  {} of them, at most {}; those of the last second:", family.keys, family.max_keys);
    for one in &family.noteworthy {
        println!("    {:16} {} of {}, {} refused so far", one.name, one.used, one.limit, one.limited);
    }
    assert_eq!(family.keys, 3);
    assert_eq!(lifecycle::limiter("quote[acme]")?.observe().limited, 2);
    Ok(())
}

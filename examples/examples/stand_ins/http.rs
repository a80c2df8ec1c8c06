//! What the examples put guards around: an HTTP service on a loopback port that does as it is told, and a client without any
//! guard (what `reqwest::get` would be in your program).
#![allow(dead_code, reason = "each example uses a part of it")]

use axum::extract::State;
use axum::{Router, http::Uri as RequestUri};
use http_body_util::{BodyExt, Empty};
use hyper::{StatusCode, Uri, body::Bytes};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use lifecycle::singleton;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::{net::TcpListener, sync::watch};

/// What the service does with requests, until it is switched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mode {
    /// 200, with the path it was asked for; 404 for paths that end in `/nowhere`.
    Answers,
    /// 500.
    Fails,
    /// Nothing, until it is switched.
    Hangs,
}

/// The service. It lives as long as the process.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    requests: Arc<AtomicU64>,
}

impl Service {
    pub(super) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (mode, watched) = watch::channel(Mode::Answers);
        let this = Self { address: listener.local_addr()?, mode: Arc::new(mode), requests: Arc::default() };
        let routes = Router::new().fallback(answer).with_state((watched, Arc::clone(&this.requests)));
        tokio::spawn(axum::serve(listener, routes).into_future());
        Ok(this)
    }

    /// Begins to do something else.
    pub(super) fn switch(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many requests reached it so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }
}

type Watched = (watch::Receiver<Mode>, Arc<AtomicU64>);

async fn answer(uri: RequestUri, State((mut mode, requests)): State<Watched>) -> Result<String, StatusCode> {
    // As it is on arrival, so that who counts requests knows what becomes of them.
    let fails = *mode.borrow() == Mode::Fails;
    requests.fetch_add(1, Relaxed);
    let _ = mode.wait_for(|mode| *mode != Mode::Hangs).await;
    match uri.path() {
        _ if fails => Err(StatusCode::INTERNAL_SERVER_ERROR),
        path if path.ends_with("/nowhere") => Err(StatusCode::NOT_FOUND),
        path => Ok(path.trim_start_matches('/').to_owned()),
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("the service answered {0}")]
    Status(StatusCode),
    #[error("not an address")]
    Address(#[from] hyper::http::uri::InvalidUri),
    #[error("the service cannot be reached")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("the answer broke off")]
    BrokenOff(#[from] hyper::Error),
}

/// One client with one pool of connections for everybody.
#[singleton]
fn client() -> Client<HttpConnector, Empty<Bytes>> {
    Client::builder(TokioExecutor::new()).build(HttpConnector::new())
}

/// Asks, with no guard whatever.
pub(super) async fn get(service: SocketAddr, path: &str) -> Result<String, HttpError> {
    let uri: Uri = format!("http://{service}/{path}").parse()?;
    let reply = client().get(uri).await?;
    if reply.status() != StatusCode::OK {
        return Err(HttpError::Status(reply.status()));
    }
    let body = reply.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

//! A small smart-home gateway that keeps its temper: `cargo run --example tour`.
//!
//! It reads its configuration through a singleton and asks a hub for the temperature of each room, over real HTTP. The hub
//! answers, fails, hangs and recovers; breaker and rate limit in front of it do what they are for, and a flag changes the
//! gateway's mind while it runs. The program knows how its story has to go: it exits with 0 only if it went so.
//!
//! Three parts: the gateway (what you would write), the story (what happens to it), the stage (hub, printing).

use http_body_util::{BodyExt, Empty};
use hyper::{StatusCode, Uri, body::Bytes};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use lifecycle::{BoxError, Flag, Rejected, RejectedKind, State};
use lifecycle::{circuit_breaker, init_flag, rate_limit, singleton};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{sleep, timeout};

// ---- The gateway ----------------------------------------------------------------------------------------------------

/// Read from the file by whoever asks first. Reading can fail, hence `try_factory`, and `Config::try_instance()?`.
#[singleton(try_factory = Config::load)]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    hub_port: u16,
    request_timeout_ms: u64,
    rooms: BTreeMap<String, f64>,
}

impl Config {
    fn load() -> Result<Self, BoxError> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/gateway.toml");
        let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        toml::from_str(&text).map_err(|error| format!("{file}: {error}").into())
    }

    fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

type HttpClient = Client<HttpConnector, Empty<Bytes>>;

/// One client with one connection pool for everybody. It needs the configuration; nobody has to declare that.
#[singleton]
fn http_client() -> Result<HttpClient, GatewayError> {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(Config::try_instance()?.request_timeout()));
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// Saves energy: every room may be three degrees cooler.
#[init_flag(env = "GATEWAY_ECO_MODE")]
static ECO_MODE: Flag<bool> = false;

/// Asks the hub for a room's temperature, but spares a hub that is in trouble and never asks more than it can stand.
///
/// `timeout` is how long the breaker stays open. A refusal by either guard is a `GatewayError` by `From<Rejected>`.
#[circuit_breaker(threshold = 3, timeout = "400ms", slow_call = "50ms")]
#[rate_limit("20/500ms")]
async fn read_room(hub: SocketAddr, room: &str) -> Result<f64, GatewayError> {
    let uri: Uri = format!("http://{hub}/rooms/{room}").parse().map_err(hyper::http::Error::from)?;
    let reply = http_client()?.get(uri).await?;
    if reply.status() != StatusCode::OK {
        return Err(GatewayError::Status(reply.status()));
    }
    let body = reply.into_body().collect().await?.to_bytes();
    std::str::from_utf8(&body).ok().and_then(|text| text.parse().ok()).ok_or(GatewayError::NoTemperature)
}

/// A reading, or giving up after the configured time.
///
/// That drops the guarded call. As it is dropped later than `slow_call`, the breaker counts a failure: a hub that hangs
/// opens it just as one that answers with errors.
async fn temperature(hub: SocketAddr, room: &str) -> Result<f64, GatewayError> {
    let limit = Config::try_instance()?.request_timeout();
    timeout(limit, read_room(hub, room)).await.unwrap_or(Err(GatewayError::GaveUp(limit)))
}

/// The rooms to heat.
fn too_cold(readings: &BTreeMap<&'static str, f64>) -> Result<Vec<&'static str>, GatewayError> {
    let wanted = &Config::try_instance()?.rooms;
    let saved = if ECO_MODE.get() { 3.0 } else { 0.0 };
    let cold = readings.iter().filter(|(room, is)| wanted.get(**room).is_some_and(|wanted| **is < wanted - saved));
    Ok(cold.map(|(room, _)| *room).collect())
}

#[derive(Debug, thiserror::Error)]
enum GatewayError {
    #[error(transparent)]
    Rejected(#[from] Rejected),
    #[error(transparent)]
    Singleton(#[from] lifecycle::SingletonError),
    #[error("no answer after {0:?}, gave up")]
    GaveUp(Duration),
    #[error("the hub answered {0}")]
    Status(StatusCode),
    #[error("the hub answered without a temperature")]
    NoTemperature,
    #[error("not a request")]
    Request(#[from] hyper::http::Error),
    #[error("the hub cannot be reached")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("the hub's answer broke off")]
    BrokenOff(#[from] hyper::Error),
}

// ---- The story ------------------------------------------------------------------------------------------------------

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut story = Story::default();
    stage::print_events();
    // A step that never ends is a difference too.
    match timeout(Duration::from_secs(60), tour(&mut story)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => story.differs(format!("the tour broke off: {}", stage::chain(&*error))),
        Err(_) => story.differs("the tour did not end".to_owned()),
    }
    story.verdict()
}

async fn tour(story: &mut Story) -> Result<(), BoxError> {
    stage::chapter("Nothing exists before it is used");
    let created = || lifecycle::snapshot().singletons.iter().filter(|one| one.created).count();
    story.expect("singletons at the start", created(), 0);
    let config = Config::try_instance()?;
    let hub = stage::Hub::start(config.hub_port).await?;
    stage::say(format_args!("the hub listens on {}", hub.address));
    let mut readings = BTreeMap::new();
    for room in config.rooms.keys() {
        readings.insert(room.as_str(), story.ask(hub.address, room).await?);
    }
    story.expect("singletons in use", created(), 2);
    story.expect("observed dependencies", lifecycle::snapshot().edges(), vec![("http_client", "config")]);

    stage::chapter("A flag changes what it does");
    let eco = ECO_MODE.get(); // false, unless GATEWAY_ECO_MODE says something else
    let heated = |eco| {
        if eco { vec![] } else { vec!["kitchen", "living_room"] }
    };
    for eco in [eco, !eco] {
        ECO_MODE.set(eco);
        let cold = too_cold(&readings)?;
        stage::say(format_args!("eco mode {}: heating {cold:?}", if eco { "on" } else { "off" }));
        story.expect("heated rooms", cold, heated(eco));
    }

    let breaker = lifecycle::breaker("read_room")?;
    stage::chapter("The hub fails: three failures open the breaker");
    hub.switch(stage::Mode::Fails);
    for wanted in ["failed", "failed", "failed", "refused", "refused"] {
        story.ask_expecting(wanted, hub.address, "kitchen").await;
    }
    story.expect("breaker after three failures", breaker.state(), State::Open);
    story.wait_for_probe(hub.address).await;
    story.ask_expecting("failed", hub.address, "kitchen").await;
    story.expect("breaker after a failed probe", breaker.state(), State::Open);
    hub.switch(stage::Mode::Answers);
    story.wait_for_probe(hub.address).await;
    story.ask_expecting("answered", hub.address, "kitchen").await;
    story.expect("breaker after a good probe", breaker.state(), State::Closed);
    Ok(())
}

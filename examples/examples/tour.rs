//! A small smart-home gateway that keeps its temper: `cargo run --example tour`.
//!
//! It reads its configuration through a singleton and asks a hub for the temperature of each room, over real HTTP. The hub
//! answers, fails, hangs and recovers; breaker and rate limit in front of it do what they are for, and a flag changes the
//! gateway's mind while it runs. The program knows how its story has to go: it exits with 0 only if it went so.
//!
//! Two parts here: the gateway (what you would write) and the story (what happens to it). The hub and the printing are
//! in `tour/stage.rs`.

#[path = "tour/stage.rs"] // beside this file it would be an example of its own
mod stage;

use http_body_util::{BodyExt, Empty};
use hyper::{StatusCode, Uri, body::Bytes};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use lifecycle::{BoxError, Flag, Rejected, RejectedKind, State};
use lifecycle::{circuit_breaker, init_flag, rate_limit, singleton};
use serde::Deserialize;
use stage::{Hub, Mode, say};
use std::collections::BTreeMap;
use std::fmt::Debug;
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

/// Asks the hub for a room's temperature, but spares a hub that is in trouble and never asks more often than it can stand.
///
/// `timeout` is how long the breaker stays open; a call it refuses takes no permit of the rate limit. Either refusal
/// becomes a `GatewayError` by `From<Rejected>`.
#[circuit_breaker(threshold = 3, timeout = "800ms", slow_call = "50ms")]
#[rate_limit("20/s")]
async fn read_room(hub: SocketAddr, room: &str) -> Result<f64, GatewayError> {
    let uri: Uri = format!("http://{hub}/rooms/{room}").parse()?;
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
    #[error("not an address")]
    Address(#[from] hyper::http::uri::InvalidUri),
    #[error("the hub cannot be reached")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("the hub's answer broke off")]
    BrokenOff(#[from] hyper::Error),
}

// ---- The story ------------------------------------------------------------------------------------------------------

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    stage::print_events();
    let mut story = Story::default();
    // A step that never ends is a difference, too.
    match timeout(Duration::from_secs(60), tour(&mut story)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => story.differs(format!("the tour broke off: {}", stage::with_causes(&*error))),
        Err(_) => story.differs("the tour did not end".to_owned()),
    }
    story.verdict()
}

async fn tour(story: &mut Story) -> Result<(), BoxError> {
    story.chapter("Nothing exists before it is used");
    let created = || lifecycle::snapshot().singletons.iter().filter(|one| one.created).count();
    let declared: Vec<_> = lifecycle::snapshot().singletons.into_iter().map(|one| one.name).collect();
    say(format_args!("declared: {}; created: {}", declared.join(", "), created()));
    story.expect("declared singletons", declared, ["config", "http_client"]);
    story.expect("singletons created at the start", created(), 0);
    let config = Config::try_instance()?;
    let hub = Hub::start(config.hub_port).await?;
    say(format_args!("the hub listens on {}", hub.address));
    let mut readings = BTreeMap::new();
    for room in config.rooms.keys() {
        readings.insert(room.as_str(), story.ask(&hub, room).await?);
    }
    story.expect("singletons created by now", created(), 2);
    story.expect("who needs whom, as observed", lifecycle::snapshot().edges(), [("http_client", "config")]);

    story.chapter("A flag changes its mind");
    // As found (false, unless GATEWAY_ECO_MODE says something else), then flipped.
    for _ in 0..2 {
        let eco = ECO_MODE.get();
        let cold = too_cold(&readings)?;
        say(format_args!("eco mode {eco} ({}), rooms to heat: {cold:?}", ECO_MODE.source()));
        story.expect("rooms to heat", cold, if eco { &[][..] } else { &["kitchen", "living_room"] });
        ECO_MODE.set(!eco);
    }

    story.chapter("The hub fails: three errors in a row open the breaker");
    let breaker = lifecycle::breaker("read_room")?;
    hub.switch(Mode::Fails);
    for _ in 0..3 {
        story.ask_expecting("failed", &hub).await;
    }
    story.expect("breaker after three errors", breaker.state(), State::Open);
    story.wait_for_probe(&hub).await;
    story.ask_expecting("failed", &hub).await;
    story.expect("breaker after a bad probe", breaker.state(), State::Open);
    hub.switch(Mode::Answers);
    story.wait_for_probe(&hub).await;
    story.ask_expecting("answered", &hub).await;
    story.expect("breaker after a good probe", breaker.state(), State::Closed);

    story.chapter("The hub hangs: calls that nobody waits for any more count as failures");
    hub.switch(Mode::Hangs);
    let outcomes = story.ask_at_once(&hub, 3).await; // at once, to wait for them only once
    outcomes.iter().for_each(|outcome| stage::tell("kitchen", outcome));
    story.expect("three calls to a hub that hangs", words(&outcomes), ["gave up"; 3]);
    story.expect("breaker after them", breaker.state(), State::Open);
    hub.switch(Mode::Answers);
    story.wait_for_probe(&hub).await;
    story.ask_expecting("answered", &hub).await;
    story.expect("breaker after the hub came back", breaker.state(), State::Closed);

    story.chapter("A burst: the rate limit lets through what fits, exactly");
    let limiter = lifecycle::limiter("read_room")?;
    // The window slides: wait until it has left all calls of the chapters above behind.
    while limiter.usage().used > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    let outcomes = story.ask_at_once(&hub, 30).await;
    let count = |what| outcomes.iter().filter(|outcome| word(outcome) == what).count();
    say(format_args!("30 calls at once: {} answered, {} refused", count("answered"), count("limited")));
    story.expect("admitted calls of the burst", count("answered"), 20);
    story.expect("refused calls of the burst", count("limited"), 10);
    story.expect("failures the breaker saw in it", breaker.metrics().failures, 0); // a refusal is no failure
    if let Some(refused) = outcomes.iter().rfind(|outcome| outcome.is_err()) {
        stage::tell("kitchen", refused);
        story.wait_out(refused).await;
    }
    story.ask_expecting("answered", &hub).await;

    story.chapter("The end: everybody counted the same");
    let reached_hub = hub.stop().await?;
    say(format_args!("the hub was asked {reached_hub} times and is gone"));
    let counts = breaker.metrics().statistics;
    let permits = limiter.observe();
    story.expect("calls that reached the hub", reached_hub, counts.total_calls);
    story.expect("calls answered", counts.successful_calls, story.count("answered"));
    story.expect("calls failed", counts.failed_calls, story.count("failed") + story.count("gave up"));
    story.expect("calls refused by the breaker", counts.rejected_calls, story.count("refused"));
    story.expect("calls let through by the limit", permits.allowed, counts.total_calls);
    story.expect("calls refused by the limit", permits.limited, story.count("limited"));
    let way = ["open", "half_open", "open", "half_open", "closed", "open", "half_open", "closed"];
    story.expect("the states the breaker went through", stage::breaker_states(), way);
    println!("\n{}", lifecycle::snapshot());
    Ok(())
}

type Outcome = Result<f64, GatewayError>;

/// How a call ended.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(_) => "answered",
        Err(GatewayError::Rejected(Rejected { kind: RejectedKind::RateLimited, .. })) => "limited",
        Err(GatewayError::Rejected(_)) => "refused",
        Err(GatewayError::GaveUp(_)) => "gave up",
        Err(_) => "failed",
    }
}

fn words(outcomes: &[Outcome]) -> Vec<&'static str> {
    outcomes.iter().map(word).collect()
}

/// What happened so far, against what should have.
#[derive(Default)]
struct Story {
    chapter: &'static str,
    outcomes: BTreeMap<&'static str, u64>,
    expectations: u32,
    differences: Vec<String>,
}

impl Story {
    fn chapter(&mut self, title: &'static str) {
        stage::heading(title);
        self.chapter = title;
    }

    async fn ask(&mut self, hub: &Hub, room: &str) -> Outcome {
        let outcome = temperature(hub.address, room).await;
        stage::tell(room, &outcome);
        *self.outcomes.entry(word(&outcome)).or_default() += 1;
        outcome
    }

    async fn ask_expecting(&mut self, wanted: &'static str, hub: &Hub) {
        let outcome = self.ask(hub, "kitchen").await;
        self.expect("a call", word(&outcome), wanted);
    }

    async fn ask_at_once(&mut self, hub: &Hub, calls: usize) -> Vec<Outcome> {
        let address = hub.address;
        let tasks: Vec<_> = (0..calls).map(|_| tokio::spawn(temperature(address, "kitchen"))).collect();
        let mut outcomes = Vec::new();
        for task in tasks {
            match task.await {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => self.differs(format!("a call panicked: {error}")),
            }
        }
        outcomes.iter().for_each(|outcome| *self.outcomes.entry(word(outcome)).or_default() += 1);
        outcomes
    }

    /// The breaker is open. A refusal says for how long; after that the next call is the probe.
    async fn wait_for_probe(&mut self, hub: &Hub) {
        let refused = self.ask(hub, "kitchen").await;
        self.expect("a call while open", word(&refused), "refused");
        self.wait_out(&refused).await;
    }

    async fn wait_out(&mut self, refused: &Outcome) {
        match refused {
            Err(GatewayError::Rejected(Rejected { retry_after: Some(left), .. })) => {
                self.expect("a time to retry after below a second", *left < Duration::from_secs(1), true);
                sleep(*left).await;
            }
            other => self.differs(format!("expected a refusal with a time to retry after, got {other:?}")),
        }
    }

    fn count(&self, word: &str) -> u64 {
        self.outcomes.get(word).copied().unwrap_or(0)
    }

    fn expect<A: PartialEq<W> + Debug, W: Debug>(&mut self, what: &str, actual: A, wanted: W) {
        self.expectations += 1;
        if actual != wanted {
            self.differs(format!("{what}: {actual:?} instead of {wanted:?}"));
        }
    }

    fn differs(&mut self, difference: String) {
        say(format_args!("{}", stage::red(&difference)));
        self.differences.push(format!("{}: {difference}", self.chapter));
    }

    fn verdict(self) -> ExitCode {
        if self.differences.is_empty() {
            say(format_args!("the story went as it had to: {} expectations held", self.expectations));
            return ExitCode::SUCCESS;
        }
        println!("\nNot as it had to be:");
        self.differences.iter().for_each(|difference| println!("  {}", stage::red(difference)));
        ExitCode::FAILURE
    }
}

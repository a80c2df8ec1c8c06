//! What a real gateway has around it (a hub, a log), and what a story needs (a voice).

use super::Outcome;
use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::get};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{Arguments, Debug};
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Instant;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// What the hub does with requests, until it is switched.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    Answers,
    Fails,
    Hangs,
    Stops,
}

/// An HTTP service on a loopback port that does as it is told.
pub(super) struct Hub {
    pub(super) address: SocketAddr,
    mode: watch::Sender<Mode>,
    requests: Arc<AtomicU64>,
    server: JoinHandle<io::Result<()>>,
}

impl Hub {
    pub(super) async fn start(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let (mode, mut watched) = watch::channel(Mode::Answers);
        let requests = Arc::default();
        let state = (watched.clone(), Arc::clone(&requests));
        let routes = Router::new().route("/rooms/{room}", get(room)).with_state(state);
        let serve = axum::serve(listener, routes).with_graceful_shutdown(async move {
            let _ = watched.wait_for(|mode| *mode == Mode::Stops).await;
        });
        Ok(Self { address, mode, requests, server: tokio::spawn(serve.into_future()) })
    }

    pub(super) fn switch(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Ends it, its connections too; gives the number of requests it saw.
    pub(super) async fn stop(self) -> io::Result<u64> {
        self.switch(Mode::Stops);
        self.server.await??;
        Ok(self.requests.load(Relaxed))
    }
}

async fn room(
    Path(room): Path<String>,
    State((mut mode, requests)): State<(watch::Receiver<Mode>, Arc<AtomicU64>)>,
) -> Result<&'static str, StatusCode> {
    requests.fetch_add(1, Relaxed);
    if *mode.borrow() == Mode::Fails {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    // Not for ever: a request that hangs ends with the hanging, so that nothing is left when the hub stops.
    let _ = mode.wait_for(|mode| *mode != Mode::Hangs).await;
    match room.as_str() {
        "bedroom" => Ok("18.0"),
        "hall" => Ok("16.5"),
        "kitchen" => Ok("19.0"),
        "living_room" => Ok("20.5"),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

pub(super) fn heading(title: &str) {
    println!("\n{}", paint("1", title));
}

/// One line, with the time since the first.
pub(super) fn say(text: Arguments<'_>) {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    println!("{} {text}", paint("2", &format!("{:7.3} s ", BEGIN.elapsed().as_secs_f64())));
}

pub(super) fn tell(room: &str, outcome: &Outcome) {
    match outcome {
        Ok(degrees) => say(format_args!("{room:12} {degrees:.1} °C")),
        Err(error) => say(format_args!("{room:12} {}", with_causes(error))),
    }
}

pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

pub(super) fn red(text: &str) -> String {
    paint("31", text)
}

fn paint(colour: &str, text: &str) -> String {
    if io::stdout().is_terminal() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

static BREAKER_STATES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The states the breaker went through so far, as its events told.
pub(super) fn breaker_states() -> Vec<String> {
    BREAKER_STATES.lock().map(|states| states.clone()).unwrap_or_default()
}

/// Lets the events of `lifecycle` be printed. A service uses `tracing_subscriber` for this.
pub(super) fn print_events() {
    let _ = tracing::subscriber::set_global_default(Events);
}

struct Events;

impl Subscriber for Events {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("lifecycle::")
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let text = match event.metadata().name() {
            "lifecycle.singleton.initialized" => fields.fill("singleton {singleton.name} created in {duration_us} us"),
            "lifecycle.flag.changed" => fields.fill("flag {feature_flag.key}: {old} -> {new}"),
            "lifecycle.circuit_breaker.state_changed" => {
                if let Ok(mut states) = BREAKER_STATES.lock() {
                    states.push(fields.fill("{circuit_breaker.state}"));
                }
                fields.fill(
                    "breaker {circuit_breaker.name}: {circuit_breaker.previous_state} -> {circuit_breaker.state} ({reason})",
                )
            }
            "lifecycle.rate_limiter.limited" if *event.metadata().level() == Level::WARN => {
                fields.fill("rate limit {rate_limiter.name} reached: {limit} in {window_ms} ms")
            }
            "lifecycle.flag.env_invalid" => {
                fields.fill("flag {feature_flag.key}: {variable} holds no {expected}, the default stays in force")
            }
            name if *event.metadata().level() <= Level::WARN => format!("{name}: {}", fields.fill("{message}")),
            _ => return,
        };
        say(format_args!("{}", paint("33", &format!("* {text}"))));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    /// The template with `{field}` replaced by its value.
    fn fill(&self, template: &str) -> String {
        self.0.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

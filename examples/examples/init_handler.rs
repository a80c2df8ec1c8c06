//! Pattern 1, a handler that initializes: `initialize` unless it was done, steps that run in the first one only.
//! `cargo run --example init_handler`
//!
//! The process is kept between requests and may be new in any of them, so each begins with a look at whether it is initialized,
//! and with `initialize` if not. A first request whose step fails answers with an error, and the next one tries again.

use lifecycle::{BoxError, InitConfig, handle, init_flag, initialization, initialize_async, singleton, snapshot};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct Settings {
    region: String,
    table: String,
    token: String,
}

/// How often each ran: what the example proves.
static LOGGING: AtomicU32 = AtomicU32::new(0);
static MIGRATIONS: AtomicU32 = AtomicU32::new(0);

// Whoever needs it calls it; it runs once.
#[init_flag]
fn init_logging() {
    LOGGING.fetch_add(1, Relaxed);
}

#[singleton]
async fn database() -> Result<String, BoxError> {
    init_logging();
    let settings: Settings = initialization().config_as()?;
    tokio::time::sleep(Duration::from_millis(5)).await; // the connection
    Ok(format!("{}.{}", settings.table, settings.region))
}

// Run by `initialize`, after what it depends on.
#[init_flag(on_initialize, depends_on(init_logging))]
async fn migrate() -> Result<(), BoxError> {
    let database = database().await?;
    if MIGRATIONS.fetch_add(1, Relaxed) == 0 {
        return Err(format!("{database} is locked").into());
    }
    Ok(())
}

/// The handler.
async fn handler(request: u32) -> Result<String, BoxError> {
    let settings = Settings { region: "eu-west-1".to_owned(), table: "orders".to_owned(), token: "s3cr3t".to_owned() };
    let config = InitConfig::from_serialize(&settings)?.reveal("region");
    // The first look is one load; `initialize` itself is one of the core's 1000 operations a second.
    let is_warm = initialization().is_initialized() || initialize_async(config).await?.cached;
    let start = if is_warm { "warm" } else { "cold" };
    Ok(format!("request {request}: {start}, {} has it", database().await?))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    // A step fails: that is this request's error, and nothing is initialized.
    let error = handler(1).await.unwrap_err();
    println!("request 1: {error}: {}", error.source().map(ToString::to_string).unwrap_or_default());
    assert!(!initialization().is_initialized() && !handle(migrate)?.is_done());

    // Eight requests at the same time: one of them is the cold one, the others wait for it.
    let requests: Vec<_> = (2..10)
        .map(|request| tokio::spawn(async move { handler(request).await.map_err(|error| error.to_string()) }))
        .collect();
    let mut cold = 0;
    for request in requests {
        let answer = request.await??;
        cold += usize::from(answer.contains("cold"));
        println!("{answer}");
    }
    assert_eq!((cold, LOGGING.load(Relaxed), MIGRATIONS.load(Relaxed)), (1, 1, 2));

    // What was slow, and who needed it; the token is shown nowhere.
    let seen = snapshot();
    println!(
        "\ninitialized in {:.1} ms: {}",
        seen.initialization.duration_ms.unwrap_or(0.0),
        seen.initialization.steps.join(", ")
    );
    println!("{seen}");
    assert_eq!(initialization().get_status().config["token"], "***");
    assert!(!serde_json::to_string(&seen)?.contains("s3cr3t"));
    Ok(())
}

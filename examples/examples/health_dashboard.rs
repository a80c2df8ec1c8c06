//! Pattern 3, a health dashboard of the initialization: initialized or not, since when, with which steps, flags and refusals.
//! `cargo run --example health_dashboard`

use lifecycle::{
    Args, BoxError, Flag, InitConfig, execute_initialization_operation, init_flag, initialization, initialize, snapshot,
};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

#[init_flag]
static READ_ONLY: Flag<bool> = false;

static DISK_IS_FULL: AtomicBool = AtomicBool::new(true);

#[init_flag(on_initialize)]
fn open_journal() -> Result<(), BoxError> {
    if DISK_IS_FULL.load(Relaxed) { Err("no space left".into()) } else { Ok(()) }
}

/// One line for each thing that somebody may want to know at three in the morning.
fn dashboard() -> (bool, String) {
    let (status, all) = (initialization().get_status(), snapshot());
    let millis = |time: Option<Duration>| {
        time.map_or_else(|| "-".to_owned(), |time| format!("{:.1} ms", time.as_secs_f64() * 1e3))
    };
    let mut page = String::new();
    let mut line = |what: &str, value: String| page.push_str(&format!("  {what:<13} {value}\n"));
    line("state", if status.initialized { "healthy" } else { "not initialized" }.to_owned());
    if let Some(error) = &all.initialization.last_error {
        line("last failure", format!("{error} (failures so far: {})", all.initialization.failures));
    }
    line("took", millis(status.init_duration));
    line("up since", millis(status.uptime));
    for step in &all.steps {
        let took = step.creation_us.map_or_else(|| "not run".to_owned(), |us| format!("{us} us"));
        line("step", format!("{} {took}", step.name));
    }
    line("flags", serde_json::Value::Object(status.flags).to_string());
    line("configuration", serde_json::Value::Object(status.config).to_string());
    line("refused", format!("{} operations by the limit", status.rate_limited_count));
    (status.initialized && status.rate_limited_count == 0, page)
}

/// What may be asked for from outside, by name. `get_config` is not of these: its answer holds every value in clear, the token too.
/// Nor are `initialize`, `reset` and `set_flag`, which change something.
fn endpoint(operation: &str) -> Result<serde_json::Value, BoxError> {
    match operation {
        "get_status" | "get_stats" | "is_initialized" => Ok(execute_initialization_operation(operation, Args::new())?),
        _ => Err(format!("`{operation}` is not for outsiders").into()),
    }
}

fn main() -> Result<(), BoxError> {
    let config = InitConfig::from([("region", "eu-west-1"), ("token", "s3cr3t")]).reveal("region");
    let error = initialize(config.clone()).unwrap_err();
    let (healthy, page) = dashboard();
    println!("{error}\n{page}");
    assert!(!healthy && page.contains("no space left") && page.contains("open_journal not run"));

    DISK_IS_FULL.store(false, Relaxed);
    initialize(config)?;
    READ_ONLY.set(true);
    let (healthy, page) = dashboard();
    println!("{page}");
    assert!(
        healthy && page.contains(r#"{"read_only":true}"#) && page.contains(r#"{"region":"eu-west-1","token":"***"}"#)
    );

    // The same for another process, as JSON: no reading is ever refused.
    while initialization().config().is_ok() {}
    let wire = endpoint("get_status")?;
    println!("{wire:#}");
    assert_eq!((&wire["config"]["region"], &wire["config"]["token"]), (&"eu-west-1".into(), &"***".into()));
    println!("{}", endpoint("get_config").unwrap_err());
    assert_eq!((&wire["initialized"], &wire["rate_limited_count"]), (&true.into(), &1.into()));
    assert!(!dashboard().0);
    Ok(())
}

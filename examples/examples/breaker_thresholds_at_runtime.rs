//! Numbers that operators change: from a file at the start, from the same file when it has changed, by hand at three in the
//! morning, by the environment. `cargo run --example breaker_thresholds_at_runtime`
//!
//! The guide `lifecycle::guide::settings` lists all options.

use lifecycle::settings::{BreakerSettings, Source};
use lifecycle::{BoxError, Rejected, State, circuit_breaker};
use std::process::Command;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error("no connection")]
    Down,
}

/// What the author thought of.
#[circuit_breaker(threshold = 5, timeout = 30)]
fn fetch_user(up: bool) -> Result<(), ApiError> {
    if up { Ok(()) } else { Err(ApiError::Down) }
}

/// As it is read at the start. Names are those of the functions.
const FILE: &str = r#"
    port = 8080

    [lifecycle.fetch_user]
    threshold = 3
    timeout = "2m"
    backoff = "exponential(cap = 10m)"
"#;

/// The same file later: fewer failures will do, and the backoff is gone. One name is a slip.
const CHANGED: &str = r#"
    port = 8080

    [lifecycle.fetch_user]
    threshold = 2
    timeout = "1m"

    [lifecycle.fetch_usr]
    half_open_calls = 3
"#;

/// The same file after somebody's bad night.
const BROKEN: &str = r#"
    [lifecycle.fetch_user]
    treshold = 2
    timeout = "soon"
    failure_rate = 120
"#;

fn configure(file: &str) -> Result<lifecycle::Configured, BoxError> {
    let file: toml::Table = toml::from_str(file)?;
    Ok(lifecycle::configure(&file["lifecycle"])?)
}

/// The numbers in force that are no defaults, and where each is from, as an operator sees them in the snapshot.
fn in_force() -> Vec<(String, Source)> {
    let breaker = lifecycle::snapshot().breakers.remove(0);
    let said = breaker.settings.into_iter().filter(|one| one.source != Source::Default);
    let said: Vec<_> = said.map(|one| (format!("{} = {}", one.option, one.value), one.source)).collect();
    for (setting, source) in &said {
        println!("  {setting:24} ({source})");
    }
    said
}

/// What the same program does where somebody said something in the environment, one thing of it wrong.
fn in_another_environment() -> Result<(), BoxError> {
    let _ = configure(FILE)?;
    let said = in_force();
    assert!(said.contains(&("threshold = 7".to_owned(), Source::Environment)));
    assert!(said.contains(&("timeout = \"120s\"".to_owned(), Source::Configured)));
    let problems = lifecycle::verify();
    problems.iter().for_each(|problem| println!("  verify: {problem}"));
    assert_eq!(problems.len(), 1);
    Ok(())
}

fn main() -> Result<(), BoxError> {
    if std::env::args().nth(1).is_some() {
        return in_another_environment();
    }
    let breaker = lifecycle::breaker("fetch_user")?;
    println!("as written:");
    assert_eq!(in_force().len(), 2);

    let configured = configure(FILE)?;
    println!("with the file; {configured}:");
    assert_eq!(configured.applied, ["fetch_user"]);
    let said = in_force();
    assert!(said.len() == 3 && said.iter().all(|(_, source)| *source == Source::Configured));

    println!("two failures, then the file changes:");
    for _ in 0..2 {
        assert!(matches!(fetch_user(false), Err(ApiError::Down)));
    }
    let configured = configure(CHANGED)?;
    println!("  {configured}");
    assert_eq!(configured.waiting, ["fetch_usr"]);
    in_force();
    println!("  failures so far: {}, and it is {}", breaker.metrics().failures, breaker.state());
    // Numbers change, not what was counted; the next failure meets the new threshold.
    assert_eq!((breaker.metrics().failures, breaker.state()), (2, State::Closed));
    assert!(matches!(fetch_user(false), Err(ApiError::Down)));
    assert_eq!(breaker.state(), State::Open);
    let Err(refused) = fetch_user(true) else { return Err("an open breaker refuses".into()) };
    println!("  {refused}");

    println!("a file with mistakes is refused as a whole, with all of them:");
    let before = breaker.config();
    let error = configure(BROKEN).unwrap_err();
    println!("  {error}");
    assert_eq!(breaker.config(), before);

    println!("by hand, over all that is said elsewhere; the breaker is open, and stays so for less time:");
    breaker.reconfigure(BreakerSettings::new().timeout(Duration::from_millis(10)))?;
    let said = in_force();
    assert!(said.contains(&("timeout = \"10ms\"".to_owned(), Source::Reconfigured)));
    std::thread::sleep(Duration::from_millis(20));
    fetch_user(true)?;
    assert_eq!(breaker.state(), State::Closed);

    println!("and taken back:");
    breaker.reconfigure(BreakerSettings::new())?;
    assert!(in_force().iter().all(|(_, source)| *source == Source::Configured));

    // Whatever is ignored, or looks like a slip, is listed here: worth a line at the start of a program, or a test.
    for problem in lifecycle::verify() {
        println!("verify: {problem}");
    }

    println!("the same program, started with the file and with a threshold and a timeout in its environment:");
    let mut program = Command::new(std::env::current_exe()?);
    program.env("LIFECYCLE__FETCH_USER__THRESHOLD", "7").env("LIFECYCLE__FETCH_USER__TIMEOUT", "soon");
    assert!(program.arg("in another environment").status()?.success());
    Ok(())
}

//! What operators do with a breaker: stop everything, let everything through, only look on, and put it back; and who is told.
//! `cargo run --example breaker_maintenance_switch`

use lifecycle::{BoxError, CircuitBreaker, Rejected, RejectedKind, State, circuit_breaker};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::Duration;

/// Stand-in for the database: is it up, and how often was it asked?
static UP: AtomicBool = AtomicBool::new(true);
static ASKED: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, thiserror::Error)]
enum DbError {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error("connection refused")]
    Down,
}

/// One breaker for all that uses the database, so that one switch is enough.
#[circuit_breaker(threshold = 3, timeout = 30)]
static DATABASE: CircuitBreaker;

#[circuit_breaker(DATABASE)]
fn load() -> Result<u64, DbError> {
    ask_database()
}

#[circuit_breaker(DATABASE)]
fn store() -> Result<u64, DbError> {
    ask_database()
}

fn ask_database() -> Result<u64, DbError> {
    let asked = ASKED.fetch_add(1, Relaxed);
    if UP.load(Relaxed) { Ok(asked) } else { Err(DbError::Down) }
}

/// What the operators' console or an admin route would call: any breaker by its name.
fn operate(command: &str, name: &str) -> Result<State, lifecycle::Error> {
    let breaker = lifecycle::breaker(name)?;
    match command {
        "stop" => breaker.force_open(),
        "stop for two minutes" => breaker.open_for(Duration::from_secs(120)),
        "let everything through" => breaker.disable(),
        "only look on" => breaker.observe_only(),
        _ => breaker.reset(),
    }
    println!("operator: {command} -> {}", breaker.state());
    Ok(breaker.state())
}

fn try_it() -> Result<u64, DbError> {
    let result = load();
    match &result {
        Ok(_) => println!("  loaded"),
        Err(error) => println!("  {error}"),
    }
    result
}

fn refusal(result: Result<u64, DbError>) -> Option<(RejectedKind, bool)> {
    match result {
        Err(DbError::Refused(refused)) => Some((refused.kind, refused.retry_after.is_some())),
        _ => None,
    }
}

fn main() -> Result<(), BoxError> {
    // Told after each change, on the thread that caused it, with no lock held: page somebody, note it in the log, stop a job.
    let (tell, changes) = mpsc::channel();
    let listener = DATABASE.on_transition(move |change| {
        println!("  * {}: {} -> {} ({})", change.name, change.from, change.to, change.reason);
        let _ = tell.send((change.from, change.to));
    });

    // Nobody is to touch the database, for however long it takes: no time to retry after is promised.
    assert_eq!(operate("stop", "database")?, State::ForcedOpen);
    assert_eq!(refusal(try_it()), Some((RejectedKind::ForcedOpen, false)));
    assert_eq!(refusal(store()), Some((RejectedKind::ForcedOpen, false)));
    assert_eq!(ASKED.load(Relaxed), 0);

    // For a while that is known: callers are told, and then a probe finds out.
    assert_eq!(operate("stop for two minutes", "database")?, State::Open);
    assert_eq!(refusal(try_it()), Some((RejectedKind::Open, true)));

    operate("go on", "database")?;
    assert!(try_it().is_ok());

    // It is the breaker that is suspected: every call runs, and nothing is recorded.
    assert_eq!(operate("let everything through", "database")?, State::Disabled);
    let recorded = || DATABASE.metrics().statistics.total_calls;
    let before = recorded();
    UP.store(false, Relaxed);
    for _ in 0..5 {
        assert!(matches!(load(), Err(DbError::Down)));
    }
    println!("  5 calls ran and failed, {} of them recorded", recorded() - before);
    assert_eq!(recorded(), before);

    // A new breaker on trial: every call runs, all is recorded, and an event says when it would have opened.
    assert_eq!(operate("only look on", "database")?, State::ObserveOnly);
    for _ in 0..5 {
        assert!(matches!(load(), Err(DbError::Down)));
    }
    let seen = DATABASE.metrics();
    println!("  5 calls ran and failed, {} in a row recorded", seen.failures);
    assert_eq!((seen.failures, DATABASE.state()), (5, State::ObserveOnly));

    // Back in charge, with no failures.
    assert_eq!(operate("go on", "database")?, State::Closed);
    UP.store(true, Relaxed);
    assert!(try_it().is_ok() && DATABASE.metrics().failures == 0);

    // A slip of the operator is told as such.
    let slip = operate("stop", "databse").unwrap_err();
    println!("operator: {slip}");

    assert!(DATABASE.remove_listener(listener));
    let changes: Vec<_> = changes.try_iter().collect();
    use State::{Closed, Disabled, ForcedOpen, ObserveOnly, Open};
    let wanted = [
        (Closed, ForcedOpen),
        (ForcedOpen, Open),
        (Open, Closed),
        (Closed, Disabled),
        (Disabled, ObserveOnly),
        (ObserveOnly, Closed),
    ];
    assert_eq!(changes, wanted);
    Ok(())
}

//! A breaker that looks at rates: so many failures or slow calls among the last calls; open longer each time; and a state that
//! outlives the process. `cargo run --example breaker_rates`
//!
//! Failures in a row are right for what is up or down. Where calls fail now and then anyway, the share of them says more.

use lifecycle::{BoxError, CircuitBreaker, Rejected, SavedBreaker, State, circuit_breaker};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
enum SearchError {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error("index not ready")]
    NotReady,
}

/// Stand-in for an index that does its best.
#[derive(Clone, Copy)]
enum Index {
    Ready,
    NotReady,
    Slow,
}

/// Half of the last ten calls failed, or eight of ten took 40 ms: nobody searches for half a second, then one second, two, up to a
/// minute. (With `jitter` processes would not all come back at once; here it would blur what is shown.)
#[circuit_breaker(
    failure_rate = 50,
    slow_call_rate = 80,
    slow_call = "40ms",
    window = "10 calls",
    timeout = "500ms",
    backoff = exponential(cap = "1min")
)]
fn search(index: Index) -> Result<usize, SearchError> {
    match index {
        Index::Ready => Ok(3),
        Index::NotReady => Err(SearchError::NotReady),
        Index::Slow => {
            sleep(Duration::from_millis(50));
            Ok(3)
        }
    }
}

fn show(breaker: &CircuitBreaker) {
    let seen = breaker.metrics();
    let Some(rates) = seen.rates else { return };
    let percent = |rate: Option<f64>| rate.map_or("too few calls to say".to_owned(), |rate| format!("{rate:.0} %"));
    let next = seen.retry_after_seconds.map(|left| format!(", next probe in {:.0} ms", left * 1e3)).unwrap_or_default();
    println!(
        "  {}: of {} calls {} failed ({}), {} were slow ({}){next}",
        seen.state,
        rates.calls,
        rates.failures,
        percent(rates.failure_rate),
        rates.slow_calls,
        percent(rates.slow_call_rate)
    );
}

/// Waits until the next call is a probe.
fn wait_for_probe(breaker: &CircuitBreaker) {
    sleep(Duration::from_secs_f64(breaker.metrics().retry_after_seconds.unwrap_or_default()));
}

/// For how long it opened, in milliseconds, however much of that is left.
fn open_for(breaker: &CircuitBreaker) -> f64 {
    let SavedBreaker { opened_at, open_until, .. } = breaker.snapshot();
    open_until.zip(opened_at).map_or(0.0, |(until, from)| ((until - from) * 1e3).round())
}

/// What the next process does with the state that this one put away.
fn resume(saved: &str) -> Result<(), BoxError> {
    let breaker = lifecycle::breaker("search")?;
    breaker.restore(&serde_json::from_str::<SavedBreaker>(saved)?);
    let refused = search(Index::Ready);
    println!("  the next process: {}", refused.as_ref().map_or_else(ToString::to_string, usize::to_string));
    assert!(matches!(refused, Err(SearchError::Refused(_))));
    Ok(())
}

fn main() -> Result<(), BoxError> {
    if let Some(saved) = std::env::args().nth(1) {
        return resume(&saved);
    }
    let breaker = lifecycle::breaker("search")?;

    println!("nine failures are too few to say a rate:");
    for _ in 0..9 {
        assert!(matches!(search(Index::NotReady), Err(SearchError::NotReady)));
    }
    show(&breaker);
    assert_eq!(breaker.state(), State::Closed);
    breaker.reset();

    println!("every third call fails:");
    for call in 0..30 {
        let _ = search(if call % 3 == 0 { Index::NotReady } else { Index::Ready });
    }
    show(&breaker);
    assert_eq!(breaker.state(), State::Closed);

    println!("then all:");
    while breaker.state() == State::Closed {
        let _ = search(Index::NotReady);
    }
    show(&breaker);

    println!("each probe that fails keeps it open twice as long:");
    let mut times = vec![open_for(&breaker)];
    for _ in 0..2 {
        wait_for_probe(&breaker);
        assert!(matches!(search(Index::NotReady), Err(SearchError::NotReady)));
        show(&breaker);
        times.push(open_for(&breaker));
    }
    assert_eq!(times, [500.0, 1000.0, 2000.0]);

    println!("put away, and taken up:");
    let saved = serde_json::to_string(&breaker.snapshot())?;
    println!("  {saved}");
    let next = Command::new(std::env::current_exe()?).arg(&saved).status()?;
    assert!(next.success());

    println!("a probe that succeeds closes it:");
    wait_for_probe(&breaker);
    search(Index::Ready)?;
    show(&breaker);
    assert_eq!(breaker.state(), State::Closed);

    println!("all calls succeed, and all take their time:");
    while breaker.state() == State::Closed {
        search(Index::Slow)?;
    }
    show(&breaker);
    let counts = breaker.metrics().statistics;
    println!(
        "{} calls, {} of them failed; opened {} times",
        counts.total_calls, counts.failed_calls, counts.times_opened
    );
    assert_eq!(counts.times_opened, 4);
    Ok(())
}

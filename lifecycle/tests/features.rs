//! Every feature does something, and without it the rest still works.
#![cfg(not(loom))]

use lifecycle::CircuitBreaker;
use std::sync::Mutex;

fn opened() -> CircuitBreaker {
    let breaker = CircuitBreaker::builder("features").threshold(1).build().unwrap();
    breaker.call(|| Err::<(), _>("down")).unwrap_err();
    breaker
}

#[test]
fn counters_count_and_without_them_every_count_is_zero() {
    let seen = opened().metrics();
    assert_eq!(seen.state, "open", "the state does not depend on the counts");
    assert_eq!(seen.statistics.failed_calls, u64::from(cfg!(feature = "counters")));
}

#[test]
fn testing_gives_worlds() {
    lifecycle::testing::isolated(|| {
        opened();
        assert!(lifecycle::testing::events().iter().any(|event| event.detail == "closed -> open"));
    });
}

struct Recorder(Mutex<Vec<String>>);

static RECORDER: Recorder = Recorder(Mutex::new(Vec::new()));

impl log::Log for Recorder {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

#[test]
fn log_emits_the_events_as_records() {
    log::set_logger(&RECORDER).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    opened();
    let records = RECORDER.0.lock().unwrap();
    let told = records.iter().any(|text| text.starts_with("lifecycle::circuit_breaker circuit breaker changed state"));
    assert_eq!(told, cfg!(feature = "log"), "{records:?}");
}

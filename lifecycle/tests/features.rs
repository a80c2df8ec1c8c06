//! Every feature does something, and without it the rest still works.
#![cfg(not(loom))]

use lifecycle::clock::ManualClock;
use lifecycle::{CircuitBreaker, KeyedRateLimiter, RateLimiter};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
fn without_counters_limiters_of_keys_count_nothing_either() {
    const WINDOW: Duration = Duration::from_secs(60);
    let clock = Arc::new(ManualClock::new());
    let each = RateLimiter::builder("client").limit(2, WINDOW).clock(clock.clone());
    let clients: KeyedRateLimiter<u32> = KeyedRateLimiter::from_builder(each).unwrap().max_keys(1);
    clients.of(&1).try_acquire().unwrap();
    clock.advance(WINDOW / 2);
    clients.of(&2).try_acquire().unwrap(); // no room: from the limiter that such keys share
    clock.advance(WINDOW);
    let own = clients.of(&2);
    assert_eq!((own.name(), own.usage().used), ("client[2]", 1), "it begins with what the shared one gave");
    own.try_acquire().unwrap();
    own.try_acquire().unwrap_err();
    let one = u64::from(cfg!(feature = "counters"));
    assert_eq!((own.observe().allowed, own.observe().limited), (one, one));
    assert_eq!((clients.usage().allowed, clients.usage().limited), (3 * one, one));
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

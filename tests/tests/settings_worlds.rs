//! What is configured in a world is for what belongs to that world, whoever uses it and from where.

use lifecycle::settings::{BreakerSettings, RateLimiterSettings};
use lifecycle::{
    BreakerConfig, CircuitBreaker, Context, KeyedCircuitBreaker, KeyedRateLimiter, RateLimiter, configure, testing,
};
use serde_json::json;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// `configure` replaces all that was said before, and the process is the same for all tests.
fn configured(settings: serde_json::Value) -> MutexGuard<'static, ()> {
    static PROCESS: Mutex<()> = Mutex::new(());
    let alone = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = configure(settings).unwrap();
    alone
}

fn numbers(breaker: &CircuitBreaker) -> String {
    breaker.config().to_string()
}

#[test]
fn a_breaker_of_the_process_keeps_its_numbers_in_a_world() {
    let _alone = configured(json!({ "of_process": { "threshold": 9 } }));
    let used = CircuitBreaker::builder("of_process").build().unwrap();
    let first_used_there = CircuitBreaker::builder("of_process").build().unwrap();
    assert_eq!(numbers(&used), "threshold 9, timeout 60s");
    testing::isolated(|| {
        let _ = configure(json!({ "of_process": { "threshold": 2 } })).unwrap();
        assert_eq!(numbers(&first_used_there), "threshold 9, timeout 60s");
        used.reconfigure(BreakerSettings::new().timeout(Duration::from_secs(5))).unwrap();
    });
    assert_eq!(numbers(&used), "threshold 9, timeout 5s");
}

#[test]
fn a_limiter_of_the_process_keeps_its_numbers_in_a_world() {
    let _alone = configured(json!({ "of_process": { "limit": 9 } }));
    let used = RateLimiter::per_second(1).unwrap().named("of_process");
    let clock = std::sync::Arc::new(lifecycle::clock::ManualClock::new());
    let on_a_clock = RateLimiter::per_second(1).unwrap().named("of_process").with_clock(clock);
    assert_eq!(used.usage().limit, 9);
    testing::isolated(|| {
        let _ = configure(json!({ "of_process": { "limit": 2 } })).unwrap();
        assert_eq!(on_a_clock.usage().limit, 9);
        used.reconfigure(RateLimiterSettings::new().window(5 * SECOND)).unwrap();
    });
    assert_eq!((used.usage().limit, used.usage().window), (9, 5 * SECOND));
}

#[test]
fn keys_are_at_home_where_their_family_is() {
    let _alone = configured(json!({ "of_family": { "threshold": 9, "limit": 9 } }));
    let breakers = KeyedCircuitBreaker::new("of_family", BreakerConfig::new()).unwrap();
    let limiters = KeyedRateLimiter::new("of_family", 1, SECOND).unwrap();
    testing::isolated(|| {
        let _ = configure(json!({ "of_family": { "threshold": 2, "limit": 2 } })).unwrap();
        assert_eq!(numbers(&breakers.at("made here")), "threshold 9, timeout 60s");
        assert_eq!(limiters.at("made here").usage().limit, 9);
        // What goes with a threshold only is tried against the family's own layers.
        breakers.reconfigure(BreakerSettings::new().timeout(SECOND)).unwrap();
        limiters.reconfigure(RateLimiterSettings::new().window(5 * SECOND)).unwrap();
    });
    for key in ["made here", "new"] {
        assert_eq!(numbers(&breakers.at(key)), "threshold 9, timeout 1s");
        assert_eq!(limiters.at(key).usage().limit, 9);
    }
}

#[test]
fn what_is_built_in_a_world_keeps_what_was_said_there_last() {
    #[lifecycle::circuit_breaker(name = "declared_in_worlds")]
    fn declared() -> Result<(), lifecycle::Rejected> {
        Ok(())
    }
    let _alone = configured(json!({ "of_world": { "threshold": 9, "limit": 9 } }));
    let (breaker, limiter, family, context) = testing::isolated(|| {
        let said = json!({ "of_world": { "threshold": 2, "limit": 2 }, "declared_in_worlds": { "threshold": 2 } });
        let _ = configure(said).unwrap();
        declared().unwrap();
        (
            CircuitBreaker::builder("of_world").build().unwrap(),
            RateLimiter::per_second(1).unwrap().named("of_world"),
            KeyedCircuitBreaker::new("of_world", BreakerConfig::new()).unwrap(),
            Context::capture(),
        )
    });
    // First used after its end.
    assert_eq!(numbers(&breaker), "threshold 2, timeout 60s");
    assert_eq!(limiter.usage().limit, 2);
    assert_eq!(numbers(&family.at("new")), "threshold 2, timeout 60s");
    breaker.reconfigure(BreakerSettings::new().timeout(SECOND)).unwrap();
    assert_eq!(numbers(&breaker), "threshold 2, timeout 1s");
    drop(context);
    testing::isolated(|| assert_eq!(numbers(&breaker), "threshold 2, timeout 1s"));
}

/// What does not go together is noted where it was said.
#[test]
fn problems_are_told_of_where_they_are() {
    let _alone = configured(json!({ "odd_in_process": { "minimum_calls": 7 } }));
    let breaker = CircuitBreaker::builder("odd_in_process").build().unwrap();
    let told_of = || lifecycle::verify().iter().any(|error| error.to_string().contains("odd_in_process"));
    testing::isolated(|| {
        assert_eq!(numbers(&breaker), "threshold 5, timeout 60s");
        assert!(!told_of());
    });
    assert!(told_of());
}

#[test]
fn worlds_and_the_process_are_configured_apart() {
    #[lifecycle::circuit_breaker(threshold = 7)]
    fn apart() -> anyhow::Result<()> {
        anyhow::bail!("down")
    }
    let one = || numbers(&lifecycle::breaker("apart").unwrap());
    let refused = |result: anyhow::Result<()>| result.unwrap_err().is::<lifecycle::Rejected>();
    // The process's, for this test only: no other looks at this name.
    lifecycle::breaker("apart").unwrap().reconfigure(BreakerSettings::new().threshold(6)).unwrap();
    testing::isolated(|| {
        assert_eq!(one(), "threshold 7, timeout 60s");
        let _ = configure(json!({ "apart": { "threshold": 1 } })).unwrap();
        assert!(!refused(apart()));
        assert!(refused(apart()));
        testing::isolated(|| assert_eq!(one(), "threshold 7, timeout 60s"));
        let context = Context::capture();
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(one(), "threshold 6, timeout 60s"));
            scope.spawn(|| context.run(|| assert_eq!(one(), "threshold 1, timeout 60s")));
        });
    });
    assert_eq!(one(), "threshold 6, timeout 60s");
    assert!(!refused(apart()) && !refused(apart()));
}

/// Nobody has a list of what somebody holds.
#[test]
fn what_somebody_holds_is_told_when_it_is_reconfigured() {
    testing::isolated(|| {
        let breaker = CircuitBreaker::builder("held").build().unwrap();
        let limiter = RateLimiter::per_second(1).unwrap().named("held");
        let family = KeyedCircuitBreaker::new("held", BreakerConfig::new()).unwrap();
        let made = family.at("made");
        let seen = || (numbers(&breaker), limiter.usage().limit, numbers(&made));
        let default = "threshold 5, timeout 60s".to_owned();
        assert_eq!(seen(), (default.clone(), 1, default.clone()));
        let told = configure(json!({ "held": { "threshold": 2, "limit": 2 } })).unwrap();
        assert_eq!(told.waiting, ["held"]);
        assert_eq!(seen(), (default.clone(), 1, default), "used before");
        assert_eq!(numbers(&family.at("new")), "threshold 2, timeout 60s");
        breaker.reconfigure(BreakerSettings::new()).unwrap();
        limiter.reconfigure(RateLimiterSettings::new()).unwrap();
        family.reconfigure(BreakerSettings::new()).unwrap();
        let two = "threshold 2, timeout 60s".to_owned();
        assert_eq!(seen(), (two.clone(), 2, two));
        // One by name is on the list.
        let named = lifecycle::breakers().get("held").unwrap();
        assert_eq!(numbers(&named), "threshold 2, timeout 60s");
        let _ = configure(json!({ "held": { "threshold": 3 } })).unwrap();
        assert_eq!(numbers(&named), "threshold 3, timeout 60s");
    });
}

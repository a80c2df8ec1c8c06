//! What a refusal says to an HTTP service.

use lifecycle::clock::ManualClock;
use lifecycle::{CircuitBreaker, RateLimiter, RejectedKind};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_status_tells_limits_from_outages() {
    let limiter = RateLimiter::per_second(1).unwrap();
    limiter.try_acquire().unwrap();
    assert_eq!(limiter.try_acquire().unwrap_err().http_status(), 429);
    let never = limiter.try_acquire_n(2).unwrap_err();
    assert_eq!((never.http_status(), never.retry_after_secs()), (429, None));

    let clock = Arc::new(ManualClock::new());
    let breaker = CircuitBreaker::builder("db").threshold(1).timeout(SECOND).clock(clock.clone()).build().unwrap();
    _ = breaker.call(|| Err::<(), _>("down"));
    let refused = breaker.try_acquire().map(drop).unwrap_err();
    assert_eq!((refused.kind, refused.http_status(), refused.retry_after_secs()), (RejectedKind::Open, 503, Some(1)));
    clock.advance(SECOND);
    let probe = breaker.try_acquire().unwrap();
    let refused = breaker.try_acquire().map(drop).unwrap_err();
    assert_eq!((refused.kind, refused.http_status()), (RejectedKind::HalfOpenFull, 503));
    assert!(refused.retry_after_secs().is_none_or(|seconds| seconds >= 1));
    drop(probe);
    breaker.force_open();
    let refused = breaker.try_acquire().map(drop).unwrap_err();
    assert_eq!(
        (refused.kind, refused.http_status(), refused.retry_after_secs()),
        (RejectedKind::ForcedOpen, 503, None)
    );
}

#[test]
fn a_wait_is_rounded_up_to_whole_seconds_and_trifles_do_not_count() {
    let clock = Arc::new(ManualClock::new());
    let breaker = CircuitBreaker::builder("db").clock(clock.clone()).build().unwrap();
    for (millis, nanos, seconds) in [
        (30_000, 0, 30),
        (30_000, 1, 30),
        (30_000, 999_999, 30),
        (30_001, 0, 31),
        (29_001, 0, 30),
        (29_999, 999_999, 30),
        (999, 0, 1),
        (0, 1, 1),
    ] {
        let open = Duration::from_millis(millis) + Duration::from_nanos(nanos);
        breaker.open_for(open);
        let refused = breaker.try_acquire().map(drop).unwrap_err();
        assert_eq!((refused.retry_after, refused.retry_after_secs()), (Some(open), Some(seconds)));
    }
    breaker.open_for(Duration::MAX);
    assert_eq!(breaker.try_acquire().map(drop).unwrap_err().retry_after_secs(), None, "no wait helps");
}

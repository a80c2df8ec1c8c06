//! Rate limiters: exact in any window, whoever asks and whatever the clock does.

use lifecycle::clock::{Clock, ManualClock};
use lifecycle::testing::{advance, events, isolated};
use lifecycle::{Error, RateLimiter, Rejected, RejectedKind, rate_limit};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

fn limiter(limit: u32, window: Duration) -> (Arc<ManualClock>, RateLimiter) {
    let clock = Arc::new(ManualClock::new());
    let limiter = RateLimiter::new(limit, window).unwrap().with_clock(clock.clone());
    (clock, limiter)
}

fn take(limiter: &RateLimiter, attempts: usize) -> usize {
    (0..attempts).filter(|_| limiter.try_acquire().is_ok()).count()
}

#[test]
fn a_thousand_pass_and_the_next_is_refused_until_the_first_is_older_than_the_window() {
    let (clock, limiter) = limiter(1000, SECOND);
    assert_eq!(take(&limiter, 1001), 1000);
    clock.advance(SECOND);
    let refused = limiter.try_acquire().unwrap_err();
    assert_eq!((refused.kind, refused.retry_after), (RejectedKind::RateLimited, Some(NANOSECOND)));
    clock.advance(NANOSECOND);
    assert_eq!(take(&limiter, 1001), 1000);
}

#[test]
fn permits_come_back_one_by_one() {
    let (clock, limiter) = limiter(3, SECOND);
    for _ in 0..3 {
        limiter.try_acquire().unwrap();
        clock.advance(Duration::from_millis(100));
    }
    clock.advance(Duration::from_millis(700) + NANOSECOND);
    for _ in 0..3 {
        assert_eq!(take(&limiter, 2), 1);
        clock.advance(Duration::from_millis(100));
    }
}

#[test]
fn refusals_take_nothing_and_name_the_exact_wait() {
    let (clock, limiter) = limiter(1, SECOND);
    limiter.try_acquire().unwrap();
    for _ in 0..500 {
        clock.advance(Duration::from_millis(1));
        assert!(limiter.try_acquire().is_err());
    }
    let wait = limiter.try_acquire().unwrap_err().retry_after.unwrap();
    assert_eq!(wait, Duration::from_millis(500) + NANOSECOND);
    clock.advance(wait - NANOSECOND);
    assert!(limiter.try_acquire().is_err());
    clock.advance(NANOSECOND);
    limiter.try_acquire().unwrap();
}

#[test]
fn several_permits_are_taken_together_or_not_at_all() {
    let (clock, limiter) = limiter(10, SECOND);
    limiter.try_acquire_n(6).unwrap();
    clock.advance(Duration::from_millis(400));
    assert_eq!(limiter.try_acquire_n(5).unwrap_err().retry_after, Some(Duration::from_millis(600) + NANOSECOND));
    limiter.try_acquire_n(4).unwrap();
    assert_eq!(limiter.usage().used, 10);
    limiter.try_acquire_n(0).unwrap();
    let never = limiter.try_acquire_n(11).unwrap_err();
    assert_eq!(never.retry_after, None, "no wait gives more than the limit");
    assert!(never.to_string().ends_with("rate limit exceeded: there are never so many permits at once"), "{never}");
    let seen = limiter.observe();
    assert_eq!((seen.allowed, seen.limited), (10, 16), "permits are counted, not calls");
}

#[test]
fn threads_together_never_get_more_than_the_limit_in_any_window() {
    const THREADS: usize = 8;
    const STEPS: usize = 60;
    const ATTEMPTS: usize = 40;
    // Steps of a tenth of the window: a closed window touches eleven steps.
    let (clock, limiter) = limiter(100, SECOND);
    let barrier = Barrier::new(THREADS);
    let given = Mutex::new(vec![0; STEPS]);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for step in 0..STEPS {
                    if barrier.wait().is_leader() {
                        clock.advance(SECOND / 10);
                    }
                    barrier.wait();
                    // Few attempts in some steps, so that permits are spread over them.
                    let attempts = if step % 7 == 0 { ATTEMPTS } else { step % 3 };
                    let taken = take(&limiter, attempts);
                    given.lock().unwrap()[step] += taken;
                }
            });
        }
    });
    let given = given.into_inner().unwrap();
    for closed in given.windows(11) {
        assert!(closed.iter().sum::<usize>() <= 100, "{closed:?}");
    }
    assert_eq!(given[0], 100, "and what is allowed is given");
    let seen = limiter.observe();
    let attempts: usize = (0..STEPS).map(|step| if step % 7 == 0 { ATTEMPTS } else { step % 3 }).sum();
    assert_eq!(seen.allowed, given.iter().sum::<usize>() as u64);
    assert_eq!(seen.allowed + seen.limited, (attempts * THREADS) as u64);
}

/// A clock in whose reading another caller is served, five nanoseconds later: what a thread is that was stopped in between.
#[derive(Default)]
struct Interrupted {
    nanos: AtomicU64,
    armed: AtomicBool,
    limiter: OnceLock<RateLimiter>,
}

impl Clock for Interrupted {
    fn now_mono(&self) -> u64 {
        if !self.armed.swap(false, Ordering::SeqCst) {
            return self.nanos.load(Ordering::SeqCst);
        }
        let stale = self.nanos.fetch_add(5, Ordering::SeqCst);
        self.limiter.get().unwrap().try_acquire().expect("the other caller comes first");
        stale
    }

    fn now_wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

#[test]
fn a_reading_that_another_caller_overtook_does_not_make_his_permit_older() {
    let clock = Arc::new(Interrupted::default());
    let limiter = RateLimiter::new(1, Duration::from_nanos(100)).unwrap().with_clock(clock.clone());
    let limiter = clock.limiter.get_or_init(|| limiter);
    clock.nanos.store(1000, Ordering::SeqCst);
    clock.armed.store(true, Ordering::SeqCst);
    assert_eq!(limiter.try_acquire().unwrap_err().retry_after, Some(Duration::from_nanos(101)));
    clock.nanos.store(1105, Ordering::SeqCst);
    assert!(limiter.try_acquire().is_err(), "the permit was given at 1005, not at the stale 1000");
    clock.nanos.store(1106, Ordering::SeqCst);
    limiter.try_acquire().unwrap();
}

#[test]
fn a_clock_that_goes_back_neither_locks_out_nor_lets_more_through() {
    let (clock, limiter) = limiter(2, SECOND);
    clock.set_mono(3_600_000_000_000);
    assert_eq!(take(&limiter, 3), 2);
    clock.set_mono(5);
    assert_eq!(take(&limiter, 3), 0, "nothing expires by the step");
    clock.advance(SECOND);
    assert_eq!(take(&limiter, 3), 0);
    clock.advance(NANOSECOND);
    assert_eq!(take(&limiter, 3), 2, "a window after the step it is free again");
    clock.set_mono(0);
    assert_eq!(limiter.usage().used, 2);
    clock.set_mono(u64::MAX);
    assert_eq!(take(&limiter, 3), 2);
}

#[test]
fn limits_that_cannot_work_are_refused() {
    for (limit, window) in [(0, SECOND), (1, Duration::ZERO)] {
        assert!(matches!(RateLimiter::new(limit, window), Err(Error::InvalidConfig { .. })), "{limit} in {window:?}");
    }
    let endless = RateLimiter::new(1 << 20, Duration::MAX).unwrap();
    endless.try_acquire_n(1 << 20).unwrap();
    assert!(endless.try_acquire().is_err());
}

#[test]
fn reset_empties_the_window_and_keeps_the_counts() {
    let (_, limiter) = limiter(2, SECOND);
    assert_eq!(take(&limiter, 3), 2);
    limiter.reset();
    assert_eq!(limiter.usage().used, 0);
    assert_eq!(take(&limiter, 3), 2);
    let seen = limiter.observe();
    assert_eq!((seen.allowed, seen.limited, seen.used), (4, 2, 2));
}

#[test]
fn an_episode_of_refusals_is_told_once_at_its_beginning_and_once_at_its_end() {
    isolated(|| {
        let limiter = RateLimiter::per_second(1).unwrap().named("api");
        let told = || events().iter().map(|event| (event.name, event.detail.clone())).collect::<Vec<_>>();
        assert_eq!(take(&limiter, 4), 1);
        assert_eq!(told().len(), 3);
        advance(Duration::from_millis(600));
        assert_eq!(take(&limiter, 1), 0);
        advance(Duration::from_millis(400) + NANOSECOND);
        assert_eq!(take(&limiter, 2), 1, "under steady overload permits trickle: that is the same episode");
        assert!(told().iter().all(|(name, _)| *name == "lifecycle.rate_limiter.limited"));
        advance(SECOND + NANOSECOND);
        assert_eq!(take(&limiter, 1), 1);
        assert_eq!(told()[5..], [("lifecycle.rate_limiter.recovered", "4".to_owned())]);
    });
}

#[rate_limit("2/s")]
fn guarded() -> Result<u32, Rejected> {
    Ok(7)
}

#[test]
fn a_guarded_function_is_limited_in_each_world_apart() {
    for _ in 0..3 {
        isolated(|| {
            assert_eq!((guarded(), guarded()), (Ok(7), Ok(7)));
            let refused = guarded().unwrap_err();
            assert_eq!(refused.to_string(), "`guarded`: rate limit exceeded, retry after 1s");
            let seen = lifecycle::limiter("guarded").unwrap().observe();
            assert_eq!((seen.limit, seen.used, seen.allowed, seen.limited), (2, 2, 2, 1));
            assert_eq!(seen.retry_after_seconds, 1.000_000_001);
            advance(SECOND + NANOSECOND);
            assert_eq!(guarded(), Ok(7));
        });
    }
    let outside = lifecycle::snapshot().limiters.into_iter().find(|one| one.name == "guarded").unwrap();
    assert_eq!((outside.used, outside.allowed, outside.limited), (0, 0, 0));
    assert!(outside.declared_at.contains("limiter.rs:"));
}

#[test]
fn while_refusals_go_on_the_system_clock_is_only_looked_at_and_nothing_else_changes() {
    let limiter = RateLimiter::new(3, SECOND).unwrap();
    assert_eq!(take(&limiter, 50), 3);
    let far = limiter.try_acquire().unwrap_err().retry_after.unwrap();
    assert!(far <= SECOND + NANOSECOND + Duration::from_millis(64), "a glance is late by ticks: {far:?}");
    limiter.set_limit(3, Duration::from_millis(1)).unwrap();
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(take(&limiter, 1), 1, "near the end of a wait it looks closely");
}

#[test]
fn by_the_coarse_clock_windows_are_a_little_longer() {
    let clock = Arc::new(ManualClock::new());
    let coarse = RateLimiter::builder("coarse").per_second(2).coarse_clock().clock(clock.clone()).build().unwrap();
    assert_eq!(take(&coarse, 3), 2);
    assert_eq!(coarse.usage().window, SECOND);
    let wait = coarse.try_acquire().unwrap_err().retry_after.unwrap();
    assert_eq!(wait, SECOND + Duration::from_millis(10) + NANOSECOND);
    clock.advance(wait);
    assert_eq!(take(&coarse, 3), 2);
    let system = RateLimiter::builder("coarse").per_second(2).coarse_clock().build().unwrap();
    assert_eq!(take(&system, 3), 2);
}

//! Waiting for permits: in order, not too long, and what becomes of a wait that is given up.

use lifecycle::clock::{Clock, ManualClock};
use lifecycle::testing::{advance, isolated};
use lifecycle::{RateLimiter, RejectedKind};
use lifecycle_tests::{ByHand, ended, runtime, started};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake};
use std::time::{Duration, Instant, SystemTime};

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

fn limiter(limit: u32) -> (Arc<ManualClock>, RateLimiter) {
    let clock = Arc::new(ManualClock::new());
    let limiter = RateLimiter::builder("api").per_second(limit).clock(clock.clone()).build().unwrap();
    (clock, limiter)
}

#[test]
fn waiters_come_in_the_order_of_their_first_poll_and_before_those_who_do_not_wait() {
    let (clock, limiter) = limiter(1);
    limiter.try_acquire().unwrap();
    let mut waiters = [(); 3].map(|()| ByHand::new(limiter.acquire_within(Duration::from_secs(10))));
    waiters.iter_mut().for_each(|waiter| assert!(waiter.poll().is_pending()));
    for turn in 0..3 {
        clock.advance(SECOND);
        assert!(waiters.iter().all(|waiter| !waiter.is_woken()), "not a nanosecond early");
        clock.advance(NANOSECOND);
        let refused = limiter.try_acquire().unwrap_err();
        assert_eq!(refused.retry_after, Some((SECOND + NANOSECOND) * (3 - turn)));
        assert!(waiters[turn as usize].is_woken());
        assert_eq!(waiters[turn as usize].poll(), Poll::Ready(Ok(())));
    }
    clock.advance(SECOND + NANOSECOND);
    limiter.try_acquire().unwrap();
    let seen = limiter.observe();
    assert_eq!((seen.allowed, seen.limited), (5, 3));
}

#[test]
fn who_would_wait_too_long_is_refused_at_once_and_takes_nothing() {
    let (clock, limiter) = limiter(2);
    limiter.try_acquire_n(2).unwrap();
    let mut refused = ByHand::new(limiter.acquire_within(SECOND));
    let Poll::Ready(Err(refused)) = refused.poll() else { panic!("it waits") };
    assert_eq!((refused.kind, refused.retry_after), (RejectedKind::RateLimited, Some(SECOND + NANOSECOND)));
    let mut just = ByHand::new(limiter.acquire_n_within(2, SECOND + NANOSECOND));
    assert!(just.poll().is_pending(), "the refusal took nothing");
    clock.advance(SECOND + NANOSECOND);
    assert!(just.is_woken());
    assert_eq!(just.poll(), Poll::Ready(Ok(())));
    let mut never = ByHand::new(limiter.acquire_n_within(3, Duration::MAX));
    let Poll::Ready(Err(never)) = never.poll() else { panic!("it waits") };
    assert_eq!(never.retry_after, None);
    let mut nothing = ByHand::new(limiter.acquire_n_within(0, Duration::ZERO));
    assert_eq!(nothing.poll(), Poll::Ready(Ok(())));
}

#[test]
fn a_future_takes_its_permit_when_it_is_first_polled() {
    let (clock, limiter) = limiter(1);
    let mut first = ByHand::new(limiter.acquire_within(SECOND));
    limiter.try_acquire().unwrap();
    assert!(first.poll().is_ready(), "there was none left, and waiting takes a nanosecond longer");
    clock.advance(NANOSECOND);
    let mut second = ByHand::new(limiter.acquire_within(SECOND));
    assert!(second.poll().is_pending());
    drop(first);
    clock.advance(SECOND);
    assert!(second.poll().is_ready());
}

#[test]
fn a_wait_that_is_given_up_wastes_its_permit_and_those_behind_it_keep_their_times() {
    let (clock, limiter) = limiter(1);
    limiter.try_acquire().unwrap();
    let mut given_up = ByHand::new(limiter.acquire_within(Duration::from_secs(9)));
    let mut behind = ByHand::new(limiter.acquire_within(Duration::from_secs(9)));
    assert!(given_up.poll().is_pending() && behind.poll().is_pending());
    drop(given_up);
    clock.advance(SECOND + NANOSECOND);
    assert!(behind.poll().is_pending(), "that second stays empty");
    assert!(limiter.try_acquire().is_err());
    clock.advance(SECOND + NANOSECOND);
    assert_eq!(behind.poll(), Poll::Ready(Ok(())));
}

#[test]
fn a_reset_leaves_those_who_wait_their_turn() {
    let (clock, limiter) = limiter(2);
    limiter.try_acquire_n(2).unwrap();
    let mut waiting = ByHand::new(limiter.acquire_within(Duration::from_secs(9)));
    assert!(waiting.poll().is_pending());
    limiter.reset();
    assert_eq!(limiter.usage().used, 1, "the one that somebody waits for");
    limiter.try_acquire().unwrap();
    assert!(limiter.try_acquire().is_err());
    clock.advance(SECOND + NANOSECOND);
    assert_eq!(waiting.poll(), Poll::Ready(Ok(())));
    assert!(limiter.try_acquire().is_err(), "two in the last second");
}

#[test]
fn a_permit_given_at_once_while_others_wait_counts_as_long_as_the_last_of_them() {
    let raise = |limiter: &RateLimiter| limiter.set_limit(5, SECOND).unwrap();
    let reset = |limiter: &RateLimiter| limiter.reset();
    for change in [&raise as &dyn Fn(&RateLimiter), &reset] {
        let (clock, limiter) = limiter(3);
        limiter.try_acquire_n(3).unwrap();
        clock.advance(SECOND / 2);
        let mut waiting = ByHand::new(limiter.acquire_within(SECOND));
        assert!(waiting.poll().is_pending());
        change(&limiter);
        limiter.try_acquire().unwrap();
        clock.advance(SECOND / 2 + NANOSECOND);
        assert_eq!(waiting.poll(), Poll::Ready(Ok(())));
        clock.advance(SECOND);
        assert_eq!(limiter.usage().used, 2, "given a second and a half ago, and a second ago");
        clock.advance(NANOSECOND);
        assert_eq!(limiter.usage().used, 0);
    }
}

#[test]
fn the_mean_rate_waits_too() {
    let clock = Arc::new(ManualClock::new());
    let limiter = RateLimiter::builder("api").per_second(10).gcra(1).clock(clock.clone()).build().unwrap();
    limiter.try_acquire().unwrap();
    let mut waiters = [(); 2].map(|()| ByHand::new(limiter.acquire_within(SECOND)));
    waiters.iter_mut().for_each(|waiter| assert!(waiter.poll().is_pending()));
    for waiter in &mut waiters {
        clock.advance(SECOND / 10);
        assert_eq!(waiter.poll(), Poll::Ready(Ok(())));
    }
}

#[test]
fn in_a_test_world_waits_are_of_its_time() {
    isolated(|| {
        let limiter = RateLimiter::per_second(1).unwrap();
        limiter.try_acquire().unwrap();
        let mut waiting = ByHand::new(limiter.acquire_within(Duration::from_secs(9)));
        assert!(waiting.poll().is_pending());
        advance(SECOND + NANOSECOND);
        assert!(waiting.is_woken());
        assert_eq!(waiting.poll(), Poll::Ready(Ok(())));
    });
}

#[test]
fn blocked_threads_are_let_through_one_after_the_other() {
    let (clock, limiter) = limiter(1);
    let limiter = Arc::new(limiter);
    limiter.try_acquire().unwrap();
    let through = Arc::new(AtomicUsize::new(0));
    let threads = [(); 3].map(|()| {
        let (limiter, through) = (limiter.clone(), through.clone());
        started(move || {
            limiter.acquire_blocking_within(Duration::from_secs(60)).unwrap();
            through.fetch_add(1, Ordering::SeqCst);
        })
    });
    lifecycle_tests::until(|| limiter.observe().allowed == 4);
    for turn in 0..3 {
        assert_eq!(through.load(Ordering::SeqCst), turn);
        clock.advance(SECOND + NANOSECOND);
        lifecycle_tests::until(|| through.load(Ordering::SeqCst) > turn);
    }
    threads.iter().for_each(ended);
    assert!(limiter.acquire_n_blocking_within(2, Duration::MAX).is_err());
}

#[test]
fn real_time_passes_for_tasks_and_threads() {
    let limiter = Arc::new(RateLimiter::new(1, Duration::from_millis(2)).unwrap());
    let began = Instant::now();
    runtime().block_on(async {
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let limiter = limiter.clone();
                tokio::spawn(async move { limiter.acquire_within(Duration::from_secs(60)).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    limiter.acquire_blocking_within(Duration::from_secs(60)).unwrap();
    // Four permits span three windows.
    assert!(began.elapsed() > Duration::from_millis(6));
}

#[test]
fn a_waiting_future_is_small_and_allocates_nothing_until_it_waits() {
    let (_clock, limiter) = limiter(1);
    let future = limiter.acquire_within(SECOND);
    assert!(size_of_val(&future) <= 112, "{} bytes", size_of_val(&future));
    drop(future);
    let allocated = allocation_counter::measure(|| {
        let mut refused = std::pin::pin!(limiter.acquire_n_within(2, SECOND));
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(refused.as_mut().poll(&mut context).is_ready());
    });
    // The limiter's memory, at its first use, and its counts.
    assert!(allocated.count_total <= 8, "{allocated:?}");
}

/// A clock in whose reading another caller reserves a permit, a hundred nanoseconds later: what a thread is that was stopped in between.
#[derive(Default)]
struct Interrupted {
    nanos: AtomicU64,
    armed: AtomicBool,
    limiter: OnceLock<RateLimiter>,
}

impl Interrupted {
    fn reserve(&self) {
        let limiter = self.limiter.get().unwrap();
        assert!(ByHand::new(limiter.acquire_within(Duration::from_nanos(300))).poll().is_pending());
    }
}

impl Clock for Interrupted {
    fn now_mono(&self) -> u64 {
        if !self.armed.swap(false, Ordering::SeqCst) {
            return self.nanos.load(Ordering::SeqCst);
        }
        let stale = self.nanos.fetch_add(100, Ordering::SeqCst);
        self.reserve();
        stale
    }

    fn now_wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn wake_at(&self, _: u64, _: std::task::Waker) {}
}

#[test]
fn who_was_stopped_while_another_reserved_does_not_take_that_for_a_clock_that_went_back() {
    let clock = Arc::new(Interrupted::default());
    let limiter = RateLimiter::new(1, Duration::from_nanos(100)).unwrap().with_clock(clock.clone());
    let limiter = clock.limiter.get_or_init(|| limiter);
    clock.nanos.store(1000, Ordering::SeqCst);
    limiter.try_acquire().unwrap();
    clock.reserve(); // for 1101
    clock.nanos.store(1050, Ordering::SeqCst);
    clock.armed.store(true, Ordering::SeqCst);
    assert!(limiter.try_acquire().is_err()); // meanwhile: for 1202
    clock.nanos.store(1302, Ordering::SeqCst);
    assert!(limiter.try_acquire().is_err(), "a window after the last one that was reserved");
    clock.nanos.store(1303, Ordering::SeqCst);
    limiter.try_acquire().unwrap();
}

/// Of half the speed of real time, by which it wakes.
struct Slow(Instant);

impl Clock for Slow {
    fn now_mono(&self) -> u64 {
        1 + self.0.elapsed().as_nanos() as u64 / 2
    }

    fn now_wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

#[test]
fn waits_by_a_clock_that_runs_slower_than_real_time_end() {
    let slow = || {
        let limiter = RateLimiter::new(1, Duration::from_millis(1)).unwrap().with_clock(Arc::new(Slow(Instant::now())));
        limiter.try_acquire().unwrap();
        limiter
    };
    let threads = [
        started(move || slow().acquire_blocking_within(SECOND).unwrap()),
        started(move || runtime().block_on(slow().acquire_within(SECOND)).unwrap()),
    ];
    threads.iter().for_each(ended);
}

/// A task's waker, of which one sees who keeps it.
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_wait_that_is_given_up_keeps_nothing_of_its_task() {
    let (clock, by_hand) = limiter(1);
    for limiter in [by_hand, RateLimiter::per_second(1).unwrap()] {
        limiter.try_acquire().unwrap();
        let (task, other) = (Arc::new(Task(AtomicUsize::new(0))), Arc::new(Task(AtomicUsize::new(0))));
        let mut waiting = Box::pin(limiter.acquire_within(Duration::MAX));
        for task in [&task, &task, &other] {
            let waker = task.clone().into();
            assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(Arc::strong_count(&task), 1, "it has moved to another task");
        assert!(Arc::strong_count(&other) > 1);
        drop(waiting);
        assert_eq!(Arc::strong_count(&other), 1);
        clock.advance(SECOND * 2);
        assert_eq!((task.0.load(Ordering::SeqCst), other.0.load(Ordering::SeqCst)), (0, 0));
    }
}

#[test]
fn a_hundred_thousand_waits_that_are_given_up_take_no_memory() {
    let limiter = RateLimiter::per_second(1).unwrap();
    limiter.try_acquire().unwrap();
    let waker = Arc::new(Task(AtomicUsize::new(0))).into();
    let give_up = |count: u32| {
        for _ in 0..count {
            let mut waiting = std::pin::pin!(limiter.acquire_within(Duration::MAX));
            assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
    };
    give_up(1);
    let given_up = allocation_counter::measure(|| give_up(100_000));
    assert!(given_up.bytes_max < 4096 && given_up.bytes_current < 1024, "{given_up:?}");
}

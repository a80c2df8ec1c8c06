//! Limiters between the process and test worlds, on threads where the quick clock runs: there a single permit goes the straight way,
//! which must not be taken for another world's. (Seen to fail with `installed` not telling the clock.)

use lifecycle::clock::SystemClock;
use lifecycle::testing::{Context, advance, isolated, isolated_async};
use lifecycle::{Rejected, Singleton, rate_limit, singleton};
use std::future::poll_fn;
use std::sync::Once;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// This thread goes by the processor's counter from here on, if any does: the first one learns its rate, in two times 10 ms.
fn by_the_quick_clock() {
    static LEARNT: Once = Once::new();
    LEARNT.call_once(|| {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(40) {
            _ = SystemClock.now_quick();
        }
    });
    _ = SystemClock.now_quick();
}

fn two_and_no_third(limited: fn() -> Result<(), Rejected>) {
    assert_eq!((limited().is_ok(), limited().is_ok(), limited().is_ok()), (true, true, false));
}

fn counts(name: &str) -> (u32, u64, u64) {
    let seen = lifecycle::limiter(name).unwrap().observe();
    (seen.used, seen.allowed, seen.limited)
}

#[rate_limit("2/min")]
fn within() -> Result<(), Rejected> {
    Ok(())
}

#[test]
fn a_world_on_a_thread_that_was_at_home_has_permits_of_its_own() {
    by_the_quick_clock();
    two_and_no_third(within);
    for _ in 0..3 {
        isolated(|| {
            two_and_no_third(within);
            // The clock is read: a thread may not come home by that.
            by_the_quick_clock();
            isolated(|| two_and_no_third(within));
            assert!(within().is_err());
            advance(Duration::from_secs(60) + Duration::from_nanos(1));
            two_and_no_third(within);
            assert_eq!(counts("within"), (2, 4, 3));
        });
        assert!(within().is_err());
    }
    assert_eq!(counts("within"), (2, 2, 4));
}

#[rate_limit("2/min")]
fn first_in_a_world() -> Result<(), Rejected> {
    Ok(())
}

#[test]
fn a_limiter_that_was_used_in_a_world_first_is_untouched_outside() {
    by_the_quick_clock();
    isolated(|| two_and_no_third(first_in_a_world));
    two_and_no_third(first_in_a_world);
    assert_eq!(counts("first_in_a_world"), (2, 2, 1));
}

#[singleton]
#[derive(Debug, Default)]
struct Other;

#[rate_limit("2/min")]
fn beside_an_override() -> Result<(), Rejected> {
    Ok(())
}

#[test]
fn an_override_installed_in_the_middle_changes_no_limiter() {
    by_the_quick_clock();
    beside_an_override().unwrap();
    let guard = Other::override_with(Other);
    beside_an_override().unwrap();
    assert!(beside_an_override().is_err());
    drop(guard);
    assert!(beside_an_override().is_err());
    isolated(|| {
        beside_an_override().unwrap();
        let guard = Other::override_with(Other);
        beside_an_override().unwrap();
        drop(guard);
        assert!(beside_an_override().is_err());
    });
    assert_eq!(counts("beside_an_override"), (2, 2, 2));
}

#[rate_limit("2/min")]
fn in_a_task() -> Result<(), Rejected> {
    Ok(())
}

#[test]
fn a_task_of_a_world_takes_its_world_along_from_thread_to_thread() {
    by_the_quick_clock();
    two_and_no_third(in_a_task);
    let mut task = Box::pin(isolated_async(async {
        for is_free in [true, true, false, false] {
            assert_eq!(in_a_task().is_ok(), is_free);
            let mut polls = 0;
            poll_fn(|_| {
                polls += 1;
                if polls > 1 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        Context::capture()
    }));
    let mut poll = || {
        by_the_quick_clock();
        assert!(in_a_task().is_err(), "at home, before");
        let polled = task.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()));
        assert!(in_a_task().is_err(), "and after");
        polled
    };
    while std::thread::scope(|scope| scope.spawn(&mut poll).join()).unwrap().is_pending() && poll().is_pending() {}
}

#[rate_limit("2/min")]
fn carried() -> Result<(), Rejected> {
    Ok(())
}

#[test]
fn a_context_is_entered_and_left_again_between_two_permits() {
    by_the_quick_clock();
    carried().unwrap();
    isolated(|| {
        let context = Context::capture();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                by_the_quick_clock();
                carried().unwrap();
                assert!(carried().is_err(), "outside it is the process's");
                let entered = context.enter();
                carried().unwrap();
                drop(entered);
                assert!(carried().is_err());
                context.run(carried).unwrap();
                assert!(context.run(carried).is_err());
            });
        });
        assert!(carried().is_err());
    });
    assert_eq!(counts("carried"), (2, 2, 2));
}

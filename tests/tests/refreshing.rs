//! `refresh`: made anew by whoever asks after that time, on the clock of its world; stale values are served meanwhile.

use lifecycle::{Singleton, SingletonError, singleton, testing};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const NANO: Duration = Duration::from_nanos(1);

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// For futures that are ready at once.
fn now<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready"),
    }
}

#[test]
fn the_first_to_ask_after_the_time_makes_it_anew_and_nobody_before() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[singleton(swap, refresh = "1min", factory = || Secret(RUNS.fetch_add(1, Ordering::SeqCst)))]
    struct Secret(u32);

    testing::isolated(|| {
        assert_eq!(Secret::current().0, 0);
        testing::advance(MINUTE - NANO);
        let held = Secret::current();
        assert_eq!(held.0, 0);
        testing::advance(NANO);
        assert_eq!(Secret::get().unwrap().0, 0, "`get` never creates");
        assert_eq!((Secret::current().0, Secret::current().0, held.0), (1, 1, 0));
        testing::advance(10 * MINUTE);
        assert_eq!((Secret::current().0, RUNS.load(Ordering::SeqCst)), (2, 3), "not once a minute: once when asked");
        assert_eq!(Secret::stats().accesses, 5);
    });
}

#[test]
fn a_failing_refresh_keeps_the_old_value_and_tries_again_a_period_later() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[singleton(swap, refresh = "1min", try_factory = Token::fetch)]
    #[derive(Debug)]
    struct Token(u32);
    impl Token {
        fn fetch() -> Result<Self, String> {
            match RUNS.fetch_add(1, Ordering::SeqCst) {
                1 => Err("no answer".to_owned()),
                run => Ok(Self(run)),
            }
        }
    }

    testing::isolated(|| {
        let ask = || Token::try_current().unwrap().0;
        assert_eq!(ask(), 0);
        testing::advance(MINUTE);
        assert_eq!((ask(), ask(), RUNS.load(Ordering::SeqCst)), (0, 0, 2), "the failure is not every caller's");
        let stats = Token::stats();
        assert_eq!((stats.created, stats.failures, stats.last_error.as_deref()), (true, 1, Some("no answer")));
        testing::advance(MINUTE);
        assert_eq!((ask(), RUNS.load(Ordering::SeqCst)), (2, 3));
        assert_eq!(Token::stats().last_error, None);
    });
}

#[test]
fn replacing_by_hand_starts_the_time_again() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[singleton(swap, refresh = "1min", factory = || Dial(RUNS.fetch_add(1, Ordering::SeqCst)))]
    struct Dial(u32);

    testing::isolated(|| {
        Dial::current();
        testing::advance(MINUTE - NANO);
        Dial::replace(Dial(99));
        testing::advance(MINUTE - NANO);
        assert_eq!(Dial::current().0, 99);
        testing::advance(NANO);
        assert_eq!(Dial::current().0, 1);
        Dial::delete();
        testing::advance(MINUTE);
        assert_eq!((Dial::current().0, RUNS.load(Ordering::SeqCst)), (2, 3), "a deleted one is created once");
    });
}

#[test]
fn while_one_caller_refreshes_the_others_are_served_the_stale_value() {
    thread_local!(static INSIDE: RefCell<Option<u32>> = const { RefCell::new(None) });
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[singleton(swap, refresh = "1min", factory = Busy::load)]
    struct Busy(u32);
    impl Busy {
        fn load() -> Self {
            let run = RUNS.fetch_add(1, Ordering::SeqCst);
            if run > 0 {
                let context = lifecycle::Context::capture();
                let other = std::thread::spawn(move || context.run(|| Self::current().0)).join().unwrap();
                INSIDE.set(Some(other));
            }
            Self(run)
        }
    }

    testing::isolated(|| {
        Busy::current();
        testing::advance(MINUTE);
        assert_eq!((Busy::current().0, INSIDE.take()), (1, Some(0)));
    });
}

/// A factory whose future waits for `GATE`.
async fn gated(gate: &'static AtomicBool) {
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if gate.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[test]
fn a_refresher_that_goes_away_loses_nothing_and_the_next_takes_over() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static GATE: AtomicBool = AtomicBool::new(true);

    #[singleton(swap, refresh = "1min", async_factory = Remote::load)]
    struct Remote(u32);
    impl Remote {
        async fn load() -> Self {
            let run = RUNS.fetch_add(1, Ordering::SeqCst);
            gated(&GATE).await;
            Self(run)
        }
    }

    testing::isolated(|| {
        assert_eq!(now(Remote::current()).0, 0);
        GATE.store(false, Ordering::SeqCst);
        testing::advance(MINUTE);
        let mut refreshing = Box::pin(Remote::current());
        assert!(poll(refreshing.as_mut()).is_pending());
        assert_eq!(now(Remote::current()).0, 0, "the others do not wait");
        drop(refreshing);
        let mut second = Box::pin(Remote::current());
        assert!(poll(second.as_mut()).is_pending(), "somebody has to drive it");
        assert_eq!(RUNS.load(Ordering::SeqCst), 2, "and nobody starts it again");
        GATE.store(true, Ordering::SeqCst);
        let Poll::Ready(got) = poll(second.as_mut()) else { panic!("it is not driven") };
        assert_eq!((got.0, now(Remote::current()).0, RUNS.load(Ordering::SeqCst)), (1, 1, 2));
    });
}

#[test]
fn a_failing_async_refresh_keeps_the_old_value() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[singleton(swap, refresh = "1min")]
    async fn quotes() -> Result<u32, SingletonError> {
        match RUNS.fetch_add(1, Ordering::SeqCst) {
            1 => Err(missing()),
            run => Ok(run),
        }
    }
    fn missing() -> SingletonError {
        #[singleton]
        fn own_tail() -> Result<u8, SingletonError> {
            own_tail().copied()
        }
        own_tail().unwrap_err()
    }

    testing::isolated(|| {
        let ask = || *now(quotes()).unwrap();
        assert_eq!(ask(), 0);
        testing::advance(MINUTE);
        assert_eq!((ask(), ask(), RUNS.load(Ordering::SeqCst)), (0, 0, 2));
        testing::advance(MINUTE);
        assert_eq!((ask(), RUNS.load(Ordering::SeqCst)), (2, 3));
    });
}

#[test]
fn an_async_reload_that_goes_away_loses_nothing_and_a_value_by_hand_ends_it() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static GATE: AtomicBool = AtomicBool::new(true);

    #[singleton(swap)]
    async fn remote() -> u32 {
        let run = RUNS.fetch_add(1, Ordering::SeqCst);
        gated(&GATE).await;
        run
    }

    testing::isolated(|| {
        let handle = lifecycle::handle(remote).unwrap();
        assert_eq!(*now(remote()), 0);
        assert!(matches!(handle.reload(), Err(SingletonError::NeedsAsync { .. })));
        GATE.store(false, Ordering::SeqCst);
        let mut reloading = Box::pin(handle.reload_async());
        assert!(poll(reloading.as_mut()).is_pending());
        assert_eq!(*now(remote()), 0, "readers go on meanwhile");
        drop(reloading);
        let mut reloading = Box::pin(handle.reload_async());
        assert!(poll(reloading.as_mut()).is_pending());
        assert_eq!(RUNS.load(Ordering::SeqCst), 2);
        handle.replace(99).unwrap();
        let Poll::Ready(Ok(())) = poll(reloading.as_mut()) else { panic!("it began again") };
        assert_eq!((*now(remote()), RUNS.load(Ordering::SeqCst)), (99, 2));
        GATE.store(true, Ordering::SeqCst);
        now(handle.reload_async()).unwrap();
        assert_eq!(*now(remote()), 2);
    });
}

#[test]
fn a_stand_in_does_not_grow_old() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[singleton(swap, refresh = "1min", factory = || Real(RUNS.fetch_add(1, Ordering::SeqCst)))]
    struct Real(u32);

    testing::isolated(|| {
        assert_eq!(Real::current().0, 0);
        let stand_in = Real::override_with(Real(99));
        testing::advance(MINUTE);
        assert_eq!(Real::current().0, 99);
        assert_eq!(RUNS.load(Ordering::SeqCst), 1, "the factory it stands in for is not to run");
        drop(stand_in);
        assert_eq!(Real::current().0, 1);
    });
}

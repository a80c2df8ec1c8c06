//! What another search for faults found.

use lifecycle::clock::Clock;
use lifecycle::settings::BreakerSettings;
use lifecycle::{BoxError, CallError, CircuitBreaker, Rejected, RejectedKind, State, circuit_breaker, rate_limit};
use std::fmt::{Debug, Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

const SECOND: u64 = 1_000_000_000;

/// A clock whose coarse reading is 4 ms behind, and that counts how often it is asked for the exact one.
struct Lagging {
    now: AtomicU64,
    exact: AtomicUsize,
}

impl Lagging {
    fn new() -> Arc<Self> {
        Arc::new(Self { now: AtomicU64::new(100 * SECOND), exact: AtomicUsize::new(0) })
    }

    fn set(&self, seconds: u64) {
        self.now.store(seconds * SECOND, Ordering::Relaxed);
    }
}

impl Clock for Lagging {
    fn now_mono(&self) -> u64 {
        self.exact.fetch_add(1, Ordering::Relaxed);
        self.now.load(Ordering::Relaxed)
    }

    fn now_coarse(&self) -> u64 {
        self.now.load(Ordering::Relaxed) - 4_000_000
    }

    fn now_wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

fn secs(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn no_refusal_is_longer_than_the_timeout_however_coarse_the_clock() {
    let clock = Lagging::new();
    let breaker = CircuitBreaker::builder("db").threshold(1).timeout(Duration::from_secs(30)).clock(clock.clone());
    let breaker = breaker.build().unwrap();
    let _ = breaker.call(|| Err::<(), _>("down"));
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after, secs(30));
    // Set back it is longer indeed: nothing expires early.
    clock.set(50);
    assert_eq!(breaker.try_acquire().unwrap_err().retry_after.map(|left| left.as_secs()), Some(80));
}

struct Client {
    breaker: Arc<CircuitBreaker>,
}

impl Client {
    #[circuit_breaker(self.breaker)]
    #[rate_limit("1000/s")]
    fn send(&self) -> Result<(), BoxError> {
        Err("down".into())
    }
}

/// The exact reading is what the lock needs.
#[test]
fn an_open_breaker_beside_a_limit_refuses_as_one_alone_does() {
    let clock = Lagging::new();
    let breaker = CircuitBreaker::builder("both").threshold(1).timeout(Duration::from_secs(30)).clock(clock.clone());
    let client = Client { breaker: Arc::new(breaker.build().unwrap()) };
    assert!(client.send().is_err());
    clock.exact.store(0, Ordering::Relaxed);
    for _ in 0..3 {
        let refused = lifecycle::Rejected::find_in(&*client.send().unwrap_err()).unwrap();
        assert_eq!((refused.kind, refused.retry_after), (RejectedKind::Open, secs(30)));
    }
    assert_eq!(clock.exact.load(Ordering::Relaxed), 0);
    assert_eq!(client.breaker.metrics().statistics.rejected_calls, 3);
    assert_eq!(lifecycle::limiter("send").unwrap().usage().used, 1, "of the limiter no permit is spent");
}

#[test]
fn fewer_probes_than_are_under_way_wait_for_as_many_to_end() {
    let clock = Lagging::new();
    let breaker = CircuitBreaker::builder("db").threshold(1).timeout(Duration::from_secs(10)).clock(clock.clone());
    let breaker = breaker.half_open_calls(3).success_threshold(3).build().unwrap();
    let _ = breaker.call(|| Err::<(), _>("down"));
    let mut probes = Vec::new();
    for at in [110, 112, 115] {
        clock.set(at);
        probes.push(breaker.try_acquire().unwrap());
    }
    let left = || breaker.try_acquire().unwrap_err().retry_after;
    assert_eq!(left(), secs(5));
    breaker.reconfigure(BreakerSettings::new().half_open_calls(2)).unwrap();
    assert_eq!(left(), secs(7), "two have to go");
    breaker.reconfigure(BreakerSettings::new().half_open_calls(1)).unwrap();
    assert_eq!(left(), secs(10));
    clock.set(124);
    assert_eq!(left(), secs(1));
    clock.set(125);
    assert!(breaker.try_acquire().is_ok());
}

/// An error for whatever it is about, if that does not borrow.
#[derive(Debug)]
struct Unreadable<T>(T);

impl<T: Debug> Display for Unreadable<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "not a number: {:?}", self.0)
    }
}

impl<T: Debug + 'static> std::error::Error for Unreadable<T> {}

/// The way out that the attribute's documentation gives: asked for a refusal, such an error would not compile.
#[circuit_breaker(threshold = 1, failure_if = Result::is_err, on_rejected = |_| Unreadable("refused"))]
fn number(text: &str) -> Result<u32, Unreadable<&str>> {
    text.parse().map_err(|_| Unreadable(text))
}

#[test]
fn an_error_that_borrows_but_must_not_has_a_way_out() {
    assert_eq!(number("7").unwrap(), 7);
    assert_eq!(number("seven").unwrap_err().0, "seven");
    assert_eq!(number("7").unwrap_err().0, "refused");
}

/// A guarded function that gives this error has not failed.
macro_rules! neutral {
    ($($name:ident: $error:ty = $given:expr;)*) => {$(
        #[circuit_breaker(threshold = 1, on_rejected = |_| unreachable!("it never opens"))]
        fn $name() -> Result<(), $error> {
            Err($given)
        }
        assert!($name().is_err());
        assert_eq!(lifecycle::breaker(stringify!($name)).unwrap().metrics().statistics.ignored_calls, 1, "{}", stringify!($name));
    )*};
}

#[test]
fn a_refusal_is_seen_through_two_calls_and_two_pointers() {
    fn refused() -> Rejected {
        let breaker = CircuitBreaker::builder("further down").build().unwrap();
        breaker.force_open();
        breaker.try_acquire().unwrap_err()
    }
    neutral! {
        call_of_call: CallError<CallError<String>> = CallError::Inner(CallError::Rejected(refused()));
        shared: Arc<anyhow::Error> = Arc::new(anyhow::Error::from(refused()).context("shared by all who wait"));
        boxed_twice: Box<BoxError> = Box::new(refused().into());
    }
    // What ran and failed is a failure all the same.
    #[circuit_breaker(threshold = 1, on_rejected = |_| unreachable!("asked once"))]
    fn failing() -> Result<(), CallError<CallError<String>>> {
        Err(CallError::Inner(CallError::Inner("down".to_owned())))
    }
    assert!(failing().is_err());
    assert_eq!(lifecycle::breaker("failing").unwrap().state(), State::Open);
}

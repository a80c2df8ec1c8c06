//! A refusal from further down is no failure of whoever passes it on, in whatever error it arrives.

use lifecycle::{BoxError, CallError, CircuitBreaker, Rejected, State, Verdict, circuit_breaker, rate_limit, testing};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::Duration;

/// Opened by hand.
#[circuit_breaker]
fn down() -> Result<u8, Rejected> {
    Ok(1)
}

/// Used up.
#[rate_limit("1/h")]
fn scarce() -> Result<u8, Rejected> {
    Ok(1)
}

#[derive(Debug, thiserror::Error)]
enum Api {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error("down")]
    Down,
}

/// Transparent around transparent.
#[derive(Debug, thiserror::Error)]
enum Outer {
    #[error(transparent)]
    Api(#[from] Api),
    #[error("with a cause")]
    Caused(#[source] Box<Outer>),
}

/// An error of its own, put together by hand; it borrows.
#[derive(Debug)]
struct Borrowed<'a>(&'a str, Option<Rejected>);

impl fmt::Display for Borrowed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Borrowed<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.1.as_ref()?)
    }
}

type Alias<T> = Result<T, Outer>;

/// What five calls left behind: the breaker's state, its failures, what it ignored.
fn after_five<R>(name: &str, mut call: impl FnMut() -> R) -> (State, u64, u64) {
    testing::isolated(|| {
        lifecycle::breaker("refusals::down").unwrap().force_open();
        scarce().unwrap();
        for _ in 0..5 {
            call();
        }
        let breaker = lifecycle::breaker(&format!("refusals::{name}")).unwrap();
        let seen = breaker.metrics().statistics;
        (breaker.state(), seen.failed_calls, seen.ignored_calls)
    })
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

const NEUTRAL: (State, u64, u64) = (State::Closed, 0, 5);

#[test]
fn in_every_error_that_leads_to_it() {
    #[circuit_breaker(threshold = 2)]
    fn itself() -> Result<u8, Rejected> {
        down()
    }
    #[circuit_breaker(threshold = 2)]
    fn limited() -> Result<u8, Rejected> {
        scarce()
    }
    #[circuit_breaker(threshold = 2)]
    fn transparent() -> Result<u8, Api> {
        Ok(down()?)
    }
    #[circuit_breaker(threshold = 2, on_rejected = |rejected| Outer::Api(rejected.into()))]
    fn twice() -> Alias<u8> {
        Ok(transparent_too()?)
    }
    #[circuit_breaker(threshold = 2)]
    fn transparent_too() -> Result<u8, Api> {
        Ok(scarce()?)
    }
    #[circuit_breaker(threshold = 2, on_rejected = |rejected| Outer::Api(rejected.into()))]
    fn caused() -> Alias<u8> {
        transparent_too().map_err(|error| Outer::Caused(Box::new(Outer::Caused(Box::new(error.into())))))
    }
    #[circuit_breaker(threshold = 2)]
    fn boxed() -> Result<u8, Box<dyn Error>> {
        Ok(transparent_too()?)
    }
    #[circuit_breaker(threshold = 2)]
    fn sent() -> Result<u8, BoxError> {
        Ok(transparent_too()?)
    }
    #[circuit_breaker(threshold = 2)]
    fn any() -> anyhow::Result<u8> {
        use anyhow::Context as _;
        transparent_too().context("while shopping").context("on a sunday")
    }
    #[circuit_breaker(threshold = 2, on_rejected = |_| Borrowed(text, None))]
    fn borrowed(text: &str) -> Result<u8, Borrowed<'_>> {
        down().map_err(|rejected| Borrowed(text, Some(rejected)))
    }
    assert_eq!(after_five("itself", itself), NEUTRAL);
    assert_eq!(after_five("limited", limited), NEUTRAL);
    assert_eq!(after_five("transparent", transparent), NEUTRAL);
    assert_eq!(after_five("twice", twice), NEUTRAL);
    assert_eq!(after_five("caused", caused), NEUTRAL);
    assert_eq!(after_five("boxed", boxed), NEUTRAL);
    assert_eq!(after_five("sent", sent), NEUTRAL);
    assert_eq!(after_five("any", any), NEUTRAL);
    assert_eq!(after_five("borrowed", || borrowed("text").is_err()), NEUTRAL);
}

#[test]
fn through_a_breaker_in_code() {
    fn by_hand<E>(call: impl FnOnce() -> Result<u8, E>) -> Result<u8, CallError<E>> {
        CircuitBreaker::builder("by_hand").build().unwrap().call(call)
    }
    #[circuit_breaker(threshold = 2)]
    fn refused() -> Result<u8, CallError<String>> {
        let breaker = CircuitBreaker::builder("by_hand").build().unwrap();
        breaker.force_open();
        breaker.call(|| Ok(1))
    }
    #[circuit_breaker(threshold = 2)]
    fn of_error() -> Result<u8, CallError<Api>> {
        by_hand(|| Ok(down()?))
    }
    #[circuit_breaker(threshold = 2)]
    fn of_any() -> Result<u8, CallError<anyhow::Error>> {
        by_hand(|| Ok(down()?))
    }
    #[circuit_breaker(threshold = 2)]
    fn of_any_twice() -> Result<u8, CallError<CallError<anyhow::Error>>> {
        by_hand(|| by_hand(|| Ok(down()?)))
    }
    #[circuit_breaker(threshold = 2)]
    fn of_other_twice() -> Result<u8, CallError<CallError<anyhow::Error>>> {
        by_hand(|| by_hand(|| Err(anyhow::anyhow!("down"))))
    }
    #[circuit_breaker(threshold = 2)]
    fn of_borrowed(text: &str) -> Result<u8, CallError<Borrowed<'_>>> {
        by_hand(|| down().map_err(|rejected| Borrowed(text, Some(rejected))))
    }
    #[circuit_breaker(threshold = 2)]
    fn of_text() -> Result<u8, CallError<String>> {
        by_hand(|| Err("down".to_owned()))
    }
    assert_eq!(after_five("refused", refused), NEUTRAL);
    assert_eq!(after_five("of_error", of_error), NEUTRAL);
    assert_eq!(after_five("of_any", of_any), NEUTRAL);
    assert_eq!(after_five("of_any_twice", of_any_twice), NEUTRAL);
    assert_eq!(after_five("of_other_twice", of_other_twice), (State::Open, 2, 0));
    assert_eq!(after_five("of_borrowed", || of_borrowed("text").is_err()), NEUTRAL);
    assert_eq!(after_five("of_text", of_text), (State::Open, 2, 0));
}

#[test]
fn in_every_form_of_function() {
    #[circuit_breaker(threshold = 2)]
    async fn awaited() -> Result<u8, Api> {
        tokio::task::yield_now().await;
        Ok(down()?)
    }
    #[circuit_breaker(threshold = 2)]
    fn written() -> Pin<Box<dyn Future<Output = Result<u8, Api>> + Send>> {
        Box::pin(async move { Ok(down()?) })
    }
    #[circuit_breaker(threshold = 2)]
    fn built() -> impl Future<Output = Result<u8, Api>> {
        let answer = down();
        async move { Ok(answer?) }
    }
    #[circuit_breaker(threshold = 2, key = key, name = "per_key")]
    fn keyed(key: u8) -> Result<u8, Api> {
        Ok(down()? + key)
    }
    #[circuit_breaker(threshold = 2, fallback = zero)]
    fn falls_back() -> Result<u8, Api> {
        Ok(down()?)
    }
    fn zero() -> Result<u8, Api> {
        Ok(0)
    }
    #[circuit_breaker(threshold = 2)]
    #[rate_limit("100/s")]
    fn stacked() -> Result<u8, Api> {
        Ok(scarce()?)
    }
    #[circuit_breaker(threshold = 2, on_rejected = |_| Api::Down)]
    fn hidden() -> Result<u8, impl Error> {
        Ok::<u8, Api>(down()?)
    }
    // Nothing but the body says which error it is.
    #[circuit_breaker(threshold = 2)]
    fn inferred() -> Result<u8, impl Error> {
        Ok::<u8, Api>(down()?)
    }
    #[circuit_breaker(threshold = 2)]
    async fn inferred_later() -> Result<u8, impl Error> {
        tokio::task::yield_now().await;
        Ok::<u8, anyhow::Error>(down()?).map_err(|error| Api::from(error.downcast::<Rejected>().unwrap()))
    }
    #[circuit_breaker(threshold = 2)]
    fn generic<E: Error + From<Rejected>>() -> Result<u8, E> {
        Ok(down()?)
    }
    struct Service;
    #[circuit_breaker(threshold = 2)]
    impl Service {
        fn method(&self) -> Result<u8, Api> {
            Ok(down()?)
        }
    }
    assert_eq!(after_five("awaited", || block_on(awaited())), NEUTRAL);
    assert_eq!(after_five("written", || block_on(written())), NEUTRAL);
    assert_eq!(after_five("built", || block_on(built())), NEUTRAL);
    assert_eq!(after_five("per_key[7]", || keyed(7)), NEUTRAL);
    assert_eq!(after_five("falls_back", falls_back), NEUTRAL);
    assert_eq!(after_five("stacked", stacked), NEUTRAL);
    assert_eq!(after_five("hidden", || hidden().is_err()), NEUTRAL);
    assert_eq!(after_five("inferred", || inferred().is_err()), NEUTRAL);
    assert_eq!(after_five("inferred_later", || block_on(inferred_later()).is_err()), NEUTRAL);
    assert_eq!(after_five("generic", generic::<Api>), NEUTRAL);
    assert_eq!(after_five("service", || Service.method()), NEUTRAL);
}

#[test]
fn what_no_type_shows_counts_and_the_user_has_the_last_word() {
    #[circuit_breaker(threshold = 2, on_rejected = |rejected| rejected.to_string())]
    fn as_text() -> Result<u8, String> {
        down().map_err(|rejected| rejected.to_string())
    }
    #[circuit_breaker(threshold = 2)]
    fn unbounded<E: From<Rejected>>() -> Result<u8, E> {
        Ok(down()?)
    }
    #[circuit_breaker(threshold = 2, failure_if = Result::is_err)]
    fn said() -> Result<u8, Api> {
        Ok(down()?)
    }
    #[circuit_breaker(threshold = 2, ignore = |_| false)]
    fn ignores_nothing() -> Result<u8, Api> {
        Ok(down()?)
    }
    #[circuit_breaker(threshold = 2)]
    fn fails() -> Result<u8, Api> {
        Err(Api::Down)
    }
    let opened = (State::Open, 2, 0);
    assert_eq!(after_five("as_text", as_text), opened);
    assert_eq!(after_five("unbounded", unbounded::<Api>), opened);
    assert_eq!(after_five("said", said), opened);
    assert_eq!(after_five("fails", fails), opened);
    // It says what else is none of the breaker's business.
    assert_eq!(after_five("ignores_nothing", ignores_nothing), NEUTRAL);
}

#[test]
fn a_probe_that_was_refused_further_down_decides_nothing_and_frees_its_slot() {
    #[circuit_breaker(timeout = "10s", success_threshold = 2)]
    fn probed() -> Result<u8, Api> {
        Ok(down()?)
    }
    testing::isolated(|| {
        let (outer, inner) = (lifecycle::breaker("probed").unwrap(), lifecycle::breaker("refusals::down").unwrap());
        outer.open_for(Duration::from_secs(10));
        inner.force_open();
        testing::advance(Duration::from_secs(10));
        for _ in 0..3 {
            let refused = probed().unwrap_err();
            assert_eq!(Rejected::find_in(&refused).unwrap().name, "down", "not refused by its own breaker");
            assert_eq!(outer.state(), State::HalfOpen);
        }
        inner.reset();
        probed().unwrap();
        assert_eq!(outer.state(), State::HalfOpen);
        // Between two successes in a row it breaks no row.
        inner.force_open();
        assert!(probed().is_err());
        inner.reset();
        probed().unwrap();
        assert_eq!(outer.state(), State::Closed);
    });
}

/// Its causes cannot be asked for.
#[derive(Debug, thiserror::Error)]
#[error("breaks")]
struct Breaks(#[from] Rejected2);

#[derive(Debug)]
struct Rejected2(Rejected);

impl fmt::Display for Rejected2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Rejected2 {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        panic!("no cause")
    }
}

#[test]
fn a_source_that_panics_is_a_failure_and_loses_nothing() {
    #[circuit_breaker(threshold = 2, timeout = "10s", on_rejected = |rejected| Breaks(Rejected2(rejected)))]
    fn breaks() -> Result<u8, Breaks> {
        Err(Rejected2(down().unwrap_err()).into())
    }
    testing::isolated(|| {
        let (outer, inner) = (lifecycle::breaker("breaks").unwrap(), lifecycle::breaker("refusals::down").unwrap());
        inner.force_open();
        outer.open_for(Duration::from_secs(10));
        for _ in 0..3 {
            testing::advance(Duration::from_secs(10));
            assert!(catch_unwind(breaks).is_err());
            assert_eq!(outer.state(), State::Open, "a probe that panicked has failed");
        }
        assert!(Rejected::find_in(&Api::Down).is_none(), "nobody looks any more");
        assert!(Rejected::find_in(&down().unwrap_err()).is_some());
    });
}

#[test]
fn it_is_found_by_who_looks_and_hidden_from_all_others() {
    /// Looks itself when it is asked.
    #[derive(Debug)]
    struct Looks(Api, bool);
    impl fmt::Display for Looks {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("looks")
        }
    }
    impl Error for Looks {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            let inside = Rejected::find_in(&self.0).is_some();
            if self.1 && inside { Some(&self.0) } else { None }
        }
    }
    testing::isolated(|| {
        lifecycle::breaker("refusals::down").unwrap().force_open();
        let rejected = down().unwrap_err();
        assert!(rejected.source().is_none() && Api::Refused(rejected.clone()).source().is_none());
        assert_eq!(Rejected::find_in(&rejected), Some(rejected.clone()));
        let outer = Outer::Caused(Box::new(Api::Refused(rejected.clone()).into()));
        assert_eq!(Rejected::find_in(&outer), Some(rejected.clone()));
        assert_eq!(Rejected::find_in(&Outer::Api(Api::Down)), None);
        // Who only looks has not shown it.
        assert_eq!(Rejected::find_in(&Looks(rejected.clone().into(), false)), None);
        assert_eq!(Rejected::find_in(&Looks(rejected.clone().into(), true)), Some(rejected));
        assert_eq!(Rejected::find_in(&Looks(Api::Down, true)), None);
    });
}

#[test]
fn a_breaker_in_code_is_told_by_who_calls_it() {
    let breaker = CircuitBreaker::builder("in_code").threshold(1).build().unwrap();
    testing::isolated(|| {
        lifecycle::breaker("refusals::down").unwrap().force_open();
        let judge = |value: &Result<u8, Rejected>| match value {
            Ok(_) => Verdict::Success,
            Err(error) if Rejected::find_in(error).is_some() => Verdict::Ignored,
            Err(_) => Verdict::Failure,
        };
        assert!(breaker.call_with(down, judge).unwrap().is_err());
        assert_eq!(breaker.state(), State::Closed);
        // It takes any error, so it cannot ask.
        assert!(breaker.call(down).is_err());
        assert_eq!(breaker.state(), State::Open);
    });
}

/// Whatever is thrown while thread-locals are being destroyed is asked as well.
#[test]
fn at_a_threads_end() {
    struct AtEnd;
    impl Drop for AtEnd {
        fn drop(&mut self) {
            #[circuit_breaker(threshold = 1)]
            fn at_end() -> Result<u8, Api> {
                Err(Api::Down)
            }
            let _ = catch_unwind(AssertUnwindSafe(at_end));
        }
    }
    thread_local!(static LAST: AtEnd = const { AtEnd });
    std::thread::spawn(|| LAST.with(|_| ())).join().unwrap();
    assert_eq!(lifecycle::breaker("at_end").unwrap().state(), State::Open);
}

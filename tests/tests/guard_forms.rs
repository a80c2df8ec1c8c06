//! Guards whose breaker or limiter is shared, keyed or declared elsewhere, and what their calls count as.

use lifecycle::{CircuitBreaker, RateLimiter, Rejected, RejectedKind, State, circuit_breaker, rate_limit, testing};
use serde_json::json;
use std::future::Future;
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[derive(Debug, thiserror::Error, PartialEq)]
enum ApiError {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error("down")]
    Down,
    #[error("not found")]
    NotFound,
}

fn kind<T>(result: &Result<T, ApiError>) -> Option<RejectedKind> {
    match result {
        Err(ApiError::Refused(rejected)) => Some(rejected.kind),
        _ => None,
    }
}

fn state(name: &str) -> State {
    lifecycle::breaker(name).unwrap().state()
}

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

// The fixed order, wherever the guards are

#[circuit_breaker(threshold = 1, timeout = 10)]
static DOWNSTREAM: CircuitBreaker;

#[rate_limit("3/s")]
static BUDGET: RateLimiter;

mod stacked {
    use super::{ApiError, BUDGET, DOWNSTREAM};
    use lifecycle::circuit_breaker as fuse;
    use lifecycle::{circuit_breaker, rate_limit};

    #[rate_limit(BUDGET)]
    #[fuse(DOWNSTREAM)]
    pub(super) fn limiter_first(ok: bool) -> Result<(), ApiError> {
        if ok { Ok(()) } else { Err(ApiError::Down) }
    }

    #[cfg_attr(all(), circuit_breaker(DOWNSTREAM))]
    #[cfg_attr(all(), inline)]
    #[cfg_attr(all(), lifecycle::rate_limit(BUDGET))]
    pub(super) fn breaker_first(ok: bool) -> Result<(), ApiError> {
        if ok { Ok(()) } else { Err(ApiError::Down) }
    }

    pub(super) struct Service;

    #[rate_limit(BUDGET)]
    #[fuse(DOWNSTREAM)]
    impl Service {
        pub(super) fn limiter_first(ok: bool) -> Result<(), ApiError> {
            if ok { Ok(()) } else { Err(ApiError::Down) }
        }

        #[rate_limit(BUDGET)]
        pub(super) fn breaker_of_the_block(ok: bool) -> Result<(), ApiError> {
            if ok { Ok(()) } else { Err(ApiError::Down) }
        }
    }

    const KEY: &str = "the key";

    #[rate_limit(BUDGET)]
    #[circuit_breaker(key = KEY, threshold = 1, timeout = 10)]
    pub(super) fn keyed(ok: bool) -> Result<(), ApiError> {
        if ok { Ok(()) } else { Err(ApiError::Down) }
    }
}

#[test]
fn an_open_breaker_spends_no_permits_wherever_the_two_are() {
    let calls: [fn(bool) -> Result<(), ApiError>; 5] = [
        stacked::limiter_first,
        stacked::breaker_first,
        stacked::Service::limiter_first,
        stacked::Service::breaker_of_the_block,
        stacked::keyed,
    ];
    for call in calls {
        testing::isolated(|| {
            assert_eq!(call(false), Err(ApiError::Down));
            for _ in 0..5 {
                assert_eq!(kind(&call(true)), Some(RejectedKind::Open));
            }
            assert_eq!(BUDGET.usage().used, 1);
            testing::advance(Duration::from_secs(10));
            for allowed in [true, true, true, false, false] {
                let result = call(true);
                assert_eq!(result.is_ok(), allowed);
                assert_eq!(kind(&result), (!allowed).then_some(RejectedKind::RateLimited));
            }
        });
    }
}

#[test]
fn what_shares_a_breaker_opens_for_all_and_each_world_has_its_own() {
    testing::isolated(|| {
        assert_eq!(stacked::limiter_first(false), Err(ApiError::Down));
        assert_eq!(kind(&stacked::breaker_first(true)), Some(RejectedKind::Open));
        assert_eq!(kind(&stacked::Service::limiter_first(true)), Some(RejectedKind::Open));
        assert_eq!((DOWNSTREAM.state(), state("downstream")), (State::Open, State::Open));
    });
    testing::isolated(|| assert_eq!(stacked::breaker_first(true), Ok(())));
}

// What counts

#[circuit_breaker(threshold = 2, timeout = 10, ignore = |error| *error == ApiError::NotFound)]
fn find(error: Option<ApiError>) -> Result<(), ApiError> {
    error.map_or(Ok(()), Err)
}

#[test]
fn what_is_ignored_neither_breaks_a_row_of_failures_nor_settles_a_probe() {
    testing::isolated(|| {
        find(Some(ApiError::Down)).unwrap_err();
        (0..5).for_each(|_| assert_eq!(find(Some(ApiError::NotFound)), Err(ApiError::NotFound)));
        assert_eq!(state("find"), State::Closed);
        find(Some(ApiError::Down)).unwrap_err();
        assert_eq!(state("find"), State::Open, "the two failures are still in a row");
        testing::advance(Duration::from_secs(10));
        (0..3).for_each(|_| assert_eq!(find(Some(ApiError::NotFound)), Err(ApiError::NotFound)));
        assert_eq!(state("find"), State::HalfOpen, "the probe's slot is free again each time");
        find(None).unwrap();
        assert_eq!(state("find"), State::Closed);
        let statistics = lifecycle::breaker("find").unwrap().metrics().statistics;
        assert_eq!((statistics.ignored_calls, statistics.failed_calls, statistics.successful_calls), (8, 2, 1));
    });
}

#[circuit_breaker(threshold = 1, failure_if = |status| *status >= 500, on_rejected = |_| 503)]
fn status(status: u16) -> u16 {
    status
}

#[circuit_breaker(threshold = 1, ignore = |e| *e == ApiError::NotFound, failure_if = |r| !matches!(r, Ok(0)))]
async fn zero(result: Result<u8, ApiError>) -> Result<u8, ApiError> {
    result
}

#[test]
fn the_whole_value_says_what_a_failure_is_after_what_is_ignored() {
    testing::isolated(|| {
        assert_eq!((status(404), status(500), status(200)), (404, 500, 503));
        assert!(poll_once(zero(Ok(0))).is_ready() && poll_once(zero(Err(ApiError::NotFound))).is_ready());
        assert_eq!(state("zero"), State::Closed);
        assert_eq!(poll_once(zero(Ok(1))), Poll::Ready(Ok(1)), "the caller gets the value");
        assert_eq!(state("zero"), State::Open);
    });
}

#[circuit_breaker(threshold = 1, timeout = 10, ignore = panics, failure_if = |_| panics(&ApiError::Down))]
fn trapped(error: Option<ApiError>) -> Result<(), ApiError> {
    error.map_or(Ok(()), Err)
}

fn panics(_: &ApiError) -> bool {
    panic!("the predicate's own")
}

#[test]
fn a_predicate_that_panics_counts_as_a_failure_and_loses_no_permit() {
    for error in [Some(ApiError::Down), None] {
        testing::isolated(|| {
            for _ in 0..3 {
                let error = error.as_ref().map(|_| ApiError::Down);
                let panic = catch_unwind(|| trapped(error)).unwrap_err();
                assert_eq!(panic.downcast_ref::<&str>(), Some(&"the predicate's own"));
                assert_eq!(state("trapped"), State::Open);
                assert_eq!(kind(&trapped(None)), Some(RejectedKind::Open));
                testing::advance(Duration::from_secs(10));
            }
        });
    }
}

#[circuit_breaker(threshold = 1, cancelled = neutral)]
async fn patient(answer: impl Future<Output = ()>) -> Result<(), ApiError> {
    answer.await;
    Ok(())
}

#[circuit_breaker(threshold = 1, cancelled = failure)]
async fn strict(answer: impl Future<Output = ()>) -> Result<(), ApiError> {
    answer.await;
    Ok(())
}

#[test]
fn a_dropped_future_is_what_the_option_says() {
    testing::isolated(|| {
        let mut call = Box::pin(patient(std::future::pending()));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        testing::advance(Duration::from_secs(3600));
        drop(call);
        assert!(poll_once(strict(std::future::pending())).is_pending());
        assert_eq!((state("patient"), state("strict")), (State::Closed, State::Open));
    });
}

// Keys

#[circuit_breaker(threshold = 1, key = host)]
async fn fetch(host: String, ok: bool) -> Result<String, ApiError> {
    if ok { Ok(host) } else { Err(ApiError::Down) }
}

#[circuit_breaker(threshold = 1, key = shard % 2)]
fn generic<T>(shard: u32, result: Result<T, ApiError>) -> Result<T, ApiError> {
    let _ = shard;
    result
}

#[test]
fn each_key_has_its_breaker_and_is_found_by_name() {
    testing::isolated(|| {
        let call = |host: &str, ok| poll_once(fetch(host.to_owned(), ok));
        assert_eq!(call("a.example", false), Poll::Ready(Err(ApiError::Down)));
        assert_eq!(call("b.example", true), Poll::Ready(Ok("b.example".to_owned())));
        let Poll::Ready(refused) = call("a.example", true) else { panic!("it waits") };
        let ApiError::Refused(rejected) = refused.unwrap_err() else { panic!("it ran") };
        assert_eq!((rejected.kind, &*rejected.name), (RejectedKind::Open, "fetch[a.example]"));
        assert_eq!((state("fetch[a.example]"), state("fetch[b.example]")), (State::Open, State::Closed));
        // One family for all types.
        generic::<u8>(1, Err(ApiError::Down)).unwrap_err();
        assert_eq!(kind(&generic::<String>(3, Ok(String::new()))), Some(RejectedKind::Open));
        assert_eq!(generic::<String>(2, Ok(String::new())), Ok(String::new()));
    });
}

// Declared elsewhere

struct Client {
    breaker: Arc<CircuitBreaker>,
    calls: u32,
}

impl Client {
    fn new() -> Self {
        Self { breaker: Arc::new(CircuitBreaker::builder("client").threshold(1).build().unwrap()), calls: 0 }
    }

    #[circuit_breaker(self.breaker)]
    async fn send(&mut self, ok: bool) -> Result<u32, ApiError> {
        self.calls += 1;
        if ok { Ok(self.calls) } else { Err(ApiError::Down) }
    }

    #[circuit_breaker(self.breaker)]
    fn finish(self) -> Result<Self, ApiError> {
        Ok(self)
    }
}

#[test]
fn each_value_has_the_breaker_in_its_field() {
    let (mut one, mut other) = (Client::new(), Client::new());
    assert_eq!(poll_once(one.send(false)), Poll::Ready(Err(ApiError::Down)));
    assert_eq!(poll_once(other.send(true)), Poll::Ready(Ok(1)));
    assert_eq!((one.breaker.state(), other.breaker.state()), (State::Open, State::Closed));
    assert!(matches!(poll_once(one.send(true)), Poll::Ready(Err(ApiError::Refused(_)))));
    assert_eq!(one.calls, 1, "a refused call does not run");
    assert_eq!(Arc::strong_count(&other.breaker), 1, "a call that has ended holds nothing");
    assert_eq!(other.finish().map(|client| client.calls), Ok(1));
}

#[test]
fn what_is_declared_on_statics_and_impl_blocks_is_listed_before_it_is_used() {
    struct Listed;

    #[circuit_breaker(threshold = 7)]
    #[rate_limit("7/s", name = "listed_rate")]
    impl Listed {
        fn call(&self) -> Result<(), ApiError> {
            Ok(())
        }
    }
    let snapshot = lifecycle::snapshot();
    let breaker = snapshot.breakers.iter().find(|one| one.name == "listed").unwrap();
    assert_eq!((breaker.path.as_str(), breaker.threshold), ("guard_forms::listed", Some(7)));
    assert!(snapshot.limiters.iter().any(|one| one.name == "listed_rate" && one.limit == 7));
    assert!(snapshot.breakers.iter().any(|one| one.name == "downstream"));
    assert!(snapshot.limiters.iter().any(|one| one.name == "budget"));
    let line = |place: &str| place.rsplit(':').next().unwrap().parse::<u32>().unwrap();
    let limiter = snapshot.limiters.iter().find(|one| one.name == "listed_rate").unwrap();
    assert_eq!(line(&breaker.declared_at) + 1, line(&limiter.declared_at), "each at its own attribute");
    testing::isolated(|| assert_eq!(Listed.call(), Ok(())));
}

// Called by name

#[circuit_breaker(threshold = 1, dispatch, name = "sweeper")]
fn sweep() -> Result<Vec<u8>, ApiError> {
    if STORE_IS_DOWN.get() { Err(ApiError::Down) } else { Ok(vec![1, 2]) }
}

#[circuit_breaker(dispatch, on_rejected = |_| 0)]
#[rate_limit("1/s")]
fn plain() -> u64 {
    7
}

struct Sweeper(u8);

/// Of a type's name, and with an item inside that says `Self`.
impl Sweeper {
    #[circuit_breaker(threshold = 1, dispatch, name = "associated_sweep")]
    fn sweep() -> Result<u8, ApiError> {
        struct Dust(u8);
        impl Dust {
            fn swept() -> Self {
                Self(1)
            }
        }
        sweep().map(|left| left[1] + Sweeper(3).0 - Dust::swept().0)
    }
}

#[circuit_breaker]
fn only_called() -> Result<(), ApiError> {
    Ok(())
}

#[lifecycle::init_flag]
static STORE_IS_DOWN: lifecycle::Flag<bool> = false;

#[test]
fn execute_calls_the_function_through_its_guards() {
    let execute = |name: &str| {
        let args = lifecycle::Args::new().with("name", name);
        lifecycle::execute_circuit_breaker_operation("call", args)
    };
    testing::isolated(|| {
        assert_eq!(execute("sweeper").unwrap(), json!([1, 2]));
        assert_eq!((execute("associated_sweep").unwrap(), Sweeper::sweep()), (json!(4), Ok(4)));
        assert_eq!((execute("plain").unwrap(), execute("plain").unwrap()), (json!(7), json!(0)));
        STORE_IS_DOWN.set(true);
        assert!(execute("associated_sweep").unwrap().to_string().contains("down"));
        assert_eq!(state("associated_sweep"), State::Open);
        lifecycle::breaker("sweeper").unwrap().reset();
        assert!(execute("sweeper").unwrap().to_string().contains("down"));
        assert_eq!(state("sweeper"), State::Open);
        STORE_IS_DOWN.set(false);
        assert!(execute("sweeper").unwrap().to_string().contains("circuit breaker is open"), "the call is guarded");
        only_called().unwrap();
        let error = execute("only_called").unwrap_err().to_string();
        assert!(error.contains("says `dispatch`"), "{error}");
    });
}

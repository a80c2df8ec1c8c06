//! Guarded functions: what the wrapper does around the body, alone and together.

use lifecycle::{Rejected, RejectedKind, State, circuit_breaker, rate_limit, testing};
use std::future::Future;
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[derive(Debug, thiserror::Error, PartialEq)]
enum ApiError {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error("down")]
    Down,
}

fn kind(error: &ApiError) -> Option<RejectedKind> {
    match error {
        ApiError::Refused(rejected) => Some(rejected.kind),
        ApiError::Down => None,
    }
}

fn state(name: &str) -> State {
    lifecycle::breaker(name).unwrap().state()
}

mod stacked {
    use super::*;

    #[circuit_breaker(threshold = 2, timeout = 10)]
    #[rate_limit("5/s")]
    pub(super) fn breaker_first(ok: bool) -> Result<(), ApiError> {
        if ok { Ok(()) } else { Err(ApiError::Down) }
    }

    #[rate_limit("5/s")]
    #[circuit_breaker(threshold = 2, timeout = 10)]
    pub(super) fn limiter_first(ok: bool) -> Result<(), ApiError> {
        if ok { Ok(()) } else { Err(ApiError::Down) }
    }
}

#[test]
fn two_guards_keep_one_order_however_they_are_written() {
    for (name, call) in
        [("breaker_first", stacked::breaker_first as fn(bool) -> _), ("limiter_first", stacked::limiter_first)]
    {
        testing::isolated(|| {
            let used = || lifecycle::limiter(name).unwrap().usage().used;
            (0..2).for_each(|_| assert_eq!(call(false), Err(ApiError::Down)));
            assert_eq!((state(name), used()), (State::Open, 2));
            for _ in 0..10 {
                assert_eq!(kind(&call(true).unwrap_err()), Some(RejectedKind::Open));
            }
            assert_eq!(used(), 2, "an open breaker spends no permits");

            testing::advance(Duration::from_secs(10));
            (0..5).for_each(|_| call(true).unwrap());
            for _ in 0..10 {
                assert_eq!(kind(&call(true).unwrap_err()), Some(RejectedKind::RateLimited));
            }
            assert_eq!(state(name), State::Closed, "a refusal by the limiter is never a failure");
            let statistics = lifecycle::breaker(name).unwrap().metrics().statistics;
            assert_eq!((statistics.total_calls, statistics.rejected_calls), (7, 10));
        });
    }
}

#[test]
fn each_guard_knows_the_line_of_its_own_attribute() {
    let line = |place: String| place.rsplit(':').next().unwrap().parse::<u32>().unwrap();
    let lines = |name| {
        let (breaker, limiter) = (lifecycle::breaker(name).unwrap(), lifecycle::limiter(name).unwrap());
        (line(breaker.descriptor().declared_at()), line(limiter.descriptor().declared_at()))
    };
    let (breaker, limiter) = lines("breaker_first");
    assert_eq!(breaker + 1, limiter);
    let (breaker, limiter) = lines("limiter_first");
    assert_eq!(breaker, limiter + 1);
}

#[test]
fn a_probe_is_not_lost_when_the_limiter_refuses_it() {
    testing::isolated(|| {
        (0..2).for_each(|_| _ = stacked::breaker_first(false));
        while lifecycle::limiter("breaker_first").unwrap().try_acquire().is_ok() {}
        lifecycle::breaker("breaker_first").unwrap().open_for(Duration::from_millis(1));
        testing::advance(Duration::from_millis(1));
        assert_eq!(kind(&stacked::breaker_first(true).unwrap_err()), Some(RejectedKind::RateLimited));
        testing::advance(Duration::from_secs(2));
        stacked::breaker_first(true).unwrap();
        assert_eq!(state("breaker_first"), State::Closed);
    });
}

#[circuit_breaker(threshold = 3, timeout = 30, slow_call = "1s")]
async fn remote(answer: impl Future<Output = bool>) -> Result<u8, ApiError> {
    if answer.await { Ok(1) } else { Err(ApiError::Down) }
}

fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn an_async_call_that_hangs_until_it_is_dropped_opens_the_breaker() {
    testing::isolated(|| {
        assert_eq!(poll_once(remote(async { true })), Poll::Ready(Ok(1)));
        for _ in 0..5 {
            assert!(poll_once(remote(std::future::pending())).is_pending());
        }
        assert_eq!(state("remote"), State::Closed, "dropped early: the caller's own business");
        for _ in 0..3 {
            let mut call = Box::pin(remote(std::future::pending()));
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            testing::advance(Duration::from_secs(1));
        }
        assert_eq!(state("remote"), State::Open);
        let refused = poll_once(remote(async { panic!("must not run") }));
        assert!(
            matches!(refused, Poll::Ready(Err(ApiError::Refused(rejected))) if rejected.retry_after == Some(Duration::from_secs(30)))
        );
    });
}

#[test]
fn a_dropped_probe_frees_its_slot() {
    testing::isolated(|| {
        (0..3).for_each(|_| assert!(poll_once(remote(async { false })).is_ready()));
        testing::advance(Duration::from_secs(30));
        assert!(poll_once(remote(std::future::pending())).is_pending());
        assert_eq!(poll_once(remote(async { true })), Poll::Ready(Ok(1)));
        assert_eq!(state("remote"), State::Closed);
    });
}

#[test]
fn an_async_wrapper_is_small() {
    let inner = async |answer: std::future::Ready<bool>| {
        if answer.await { Ok::<u8, ApiError>(1) } else { Err(ApiError::Down) }
    };
    let (bare, guarded) =
        (size_of_val(&inner(std::future::ready(true))), size_of_val(&remote(std::future::ready(true))));
    let arguments = size_of::<std::future::Ready<bool>>();
    assert!(guarded <= bare + 64 + arguments, "bare {bare}, guarded {guarded}");
}

struct Store {
    log: Mutex<Vec<String>>,
    value: u32,
}

impl Store {
    #[circuit_breaker(threshold = 1, timeout = 5, name = "store_write", on_rejected = |r| format!("{key}: {:?}", r.kind))]
    fn write(&mut self, key: &str, value: u32) -> Result<&mut u32, String> {
        self.log.get_mut().unwrap().push(key.to_owned());
        self.value = value;
        if value == 0 { Err("zero".to_owned()) } else { Ok(&mut self.value) }
    }
}

#[test]
fn a_method_keeps_receiver_borrows_and_arguments_and_on_rejected_sees_them() {
    testing::isolated(|| {
        let mut store = Store { log: Mutex::default(), value: 0 };
        *store.write("a", 1).unwrap() += 1;
        assert_eq!(store.value, 2);
        assert_eq!(store.write("b", 0), Err("zero".to_owned()));
        assert_eq!(store.write("c", 3), Err("c: Open".to_owned()));
        assert_eq!(*store.log.lock().unwrap(), ["a", "b"], "a refused call does not run");
    });
}

#[rate_limit("1/s", on_rejected = |_| 0)]
fn plain(value: u32) -> u32 {
    value
}

#[test]
fn a_function_without_an_error_gives_the_whole_value() {
    testing::isolated(|| assert_eq!((plain(7), plain(7)), (7, 0)));
}

#[circuit_breaker(threshold = 1, timeout = 5)]
fn explosive(fuse: bool) -> Result<(), ApiError> {
    assert!(!fuse, "boom");
    Ok(())
}

#[test]
fn a_panic_goes_on_and_counts() {
    testing::isolated(|| {
        let panic = catch_unwind(|| explosive(true)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"boom"));
        assert_eq!(state("explosive"), State::Open);
    });
}

#[circuit_breaker(threshold = 1, timeout = 5)]
fn generic<T: Clone, E: From<Rejected>>(result: &Result<T, E>, error: impl Fn() -> E) -> Result<T, E> {
    match result {
        Ok(value) => Ok(value.clone()),
        Err(_) => Err(error()),
    }
}

#[test]
fn a_generic_function_has_one_breaker_for_all_its_types() {
    testing::isolated(|| {
        generic::<u8, ApiError>(&Err(ApiError::Down), || ApiError::Down).unwrap_err();
        let refused = generic::<String, anyhow::Error>(&Ok(String::new()), || anyhow::anyhow!("x")).unwrap_err();
        assert!(refused.is::<Rejected>());
    });
}

#[test]
fn names_are_looked_up_short_while_unambiguous_and_by_path_always() {
    mod twice {
        #[lifecycle::rate_limit("1/s")]
        pub(super) fn same() -> anyhow::Result<()> {
            Ok(())
        }
        pub(super) mod inner {
            #[lifecycle::rate_limit("2/s")]
            pub(in super::super) fn same() -> anyhow::Result<()> {
                Ok(())
            }
        }
    }
    twice::same().unwrap();
    twice::inner::same().unwrap();
    let error = lifecycle::limiter("same").unwrap_err().to_string();
    assert!(
        error.starts_with("`same` is declared more than once: guards::twice::same (tests/tests/guards.rs:"),
        "{error}"
    );
    assert!(error.ends_with("; ask by path, or give one of them a `name = \"..\"`"), "{error}");
    assert_eq!(lifecycle::limiter("guards::twice::inner::same").unwrap().usage().limit, 2);
    assert!(lifecycle::verify().iter().any(|problem| problem.to_string() == error));
    assert_eq!(lifecycle::breaker("nobody").unwrap_err().to_string(), "no circuit breaker named `nobody`");
}

#[test]
fn a_declared_guard_is_in_the_snapshot_before_and_after_its_first_call() {
    #[circuit_breaker(threshold = 4, timeout = "250ms")]
    fn counted() -> Result<(), ApiError> {
        Ok(())
    }
    let seen = || lifecycle::snapshot().breakers.into_iter().find(|one| one.name == "counted").unwrap();
    let before = seen();
    assert_eq!((before.threshold, before.timeout, before.statistics.total_calls), (Some(4), 0.25, 0));
    counted().unwrap();
    assert_eq!(seen().statistics.successful_calls, 1);
    let json = serde_json::to_value(lifecycle::snapshot()).unwrap();
    let back: lifecycle::Snapshot = serde_json::from_value(json).unwrap();
    assert!(back.to_string().contains("counted"), "the table names it");
}

struct Users;
struct Orders;

impl Users {
    #[circuit_breaker(threshold = 1)]
    fn load() -> Result<(), ApiError> {
        Err(ApiError::Down)
    }
}

impl Orders {
    #[circuit_breaker(threshold = 2)]
    fn load() -> Result<(), ApiError> {
        Err(ApiError::Down)
    }
}

#[test]
fn two_methods_of_one_name_in_one_file_are_told_apart_by_place_and_never_mixed_up() {
    testing::isolated(|| {
        Users::load().unwrap_err();
        Orders::load().unwrap_err();
        for name in ["load", "guards::load"] {
            assert!(matches!(lifecycle::breaker(name), Err(lifecycle::Error::Ambiguous { .. })), "{name}");
            assert!(lifecycle::breakers().get(name).is_err(), "the core does not pick one either");
        }
        let stats = lifecycle::execute_circuit_breaker_operation("get_stats", lifecycle::Args::new()).unwrap();
        let states = stats["data"]["breakers"].as_object().unwrap();
        assert_eq!((stats["data"]["breakers_count"].as_u64(), states.len()), (Some(2), 2));
        assert!(states.keys().all(|key| key.starts_with("guards::load (tests/tests/guards.rs:")), "{states:?}");
    });
}

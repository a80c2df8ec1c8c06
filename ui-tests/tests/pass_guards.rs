//! What the options of guards may say: policies, predicates, keys. Each form compiles, guards and lets through.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(
    clippy::redundant_closure_for_method_calls,
    clippy::type_complexity,
    reason = "closures and types are the point"
)]

use futures_executor::block_on;
use lifecycle::testing::isolated;
use lifecycle::{Backoff, CircuitBreaker, Rejected, State, Window, circuit_breaker, rate_limit};
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, PartialEq, thiserror::Error)]
enum Error {
    #[error("broken")]
    Broken,
    #[error("not found")]
    NotFound,
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

impl Error {
    fn is_not_found(&self) -> bool {
        *self == Self::NotFound
    }
}

fn state(name: &str) -> State {
    lifecycle::breaker(name).map_or(State::Disabled, |breaker| breaker.state())
}

fn refused<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Rejected(_)))
}

// Options

const PERCENT: u32 = 50;
const WINDOW: Window = Window::Calls(10);
const BACKOFF: Backoff = Backoff::exponential().factor(3.0);
const FACTOR: f64 = 1.5;
const LONGEST: Duration = Duration::from_secs(600);

#[circuit_breaker(failure_rate = 50, window = "4 calls", minimum_calls = 4)]
fn by_rate(fail: bool) -> Result<(), Error> {
    if fail { Err(Error::Broken) } else { Ok(()) }
}

#[circuit_breaker(
    failure_rate = PERCENT,
    slow_call_rate = PERCENT + 1,
    window = WINDOW,
    minimum_calls = PERCENT / 10,
    slow_call = "2s",
    backoff = exponential(factor = FACTOR, cap = LONGEST, jitter = PERCENT),
    cancelled = failure,
)]
fn by_consts() -> Result<(), Error> {
    Ok(())
}

#[circuit_breaker(slow_call_rate = 80, window = "10s", backoff = BACKOFF, cancelled = neutral)]
async fn by_time() -> Result<(), Error> {
    Ok(())
}

#[circuit_breaker(backoff = exponential, cancelled = failure_when_slow)]
fn doubling() -> Result<(), Error> {
    Ok(())
}

#[circuit_breaker(backoff = exponential(cap = "10m"), failure_rate = 1, window = Window::Time(LONGEST))]
fn capped() -> Result<(), Error> {
    Ok(())
}

#[test]
fn numbers() {
    isolated(|| {
        for fail in [true, false, false] {
            assert_eq!(by_rate(fail).is_err(), fail);
        }
        assert_eq!(state("by_rate"), State::Closed);
        assert!(by_rate(true).is_err());
        assert_eq!(state("by_rate"), State::Open);
        let shown = |name| lifecycle::breaker(name).map(|breaker| breaker.config().to_string()).unwrap_or_default();
        assert_eq!(
            by_consts().and_then(|()| doubling()).and_then(|()| capped()).and_then(|()| block_on(by_time())),
            Ok(())
        );
        assert!(
            shown("by_consts").starts_with("failure_rate 50 %, slow_call_rate 51 %, window 10 calls, minimum_calls 5")
        );
        assert!(
            shown("by_consts").contains("exponential(factor 1.5, cap 600s, jitter 50 %)"),
            "{}",
            shown("by_consts")
        );
        assert!(shown("by_time").contains("window 10s") && shown("by_time").contains("exponential(factor 3)"));
    });
}

// Predicates

#[circuit_breaker(threshold = 1, ignore = |e| e.is_not_found())]
fn ignores(error: Error) -> Result<(), Error> {
    Err(error)
}

#[circuit_breaker(threshold = 1, ignore = Error::is_not_found)]
async fn ignores_async(error: Error) -> Result<(), Error> {
    std::future::ready(Err(error)).await
}

#[circuit_breaker(threshold = 1, failure_if = |status| *status >= 500, on_rejected = |_| 503)]
fn status(status: u16) -> u16 {
    status
}

#[circuit_breaker(threshold = 1, failure_if = |r| r.as_ref().is_ok_and(|text| text.is_empty()))]
async fn empty(text: &str) -> Result<&str, Error> {
    if text == "error" { Err(Error::Broken) } else { Ok(text) }
}

#[circuit_breaker(threshold = 1, ignore = |e: &Error| matches!(e, Error::NotFound), failure_if = Result::is_err)]
fn both(error: Error) -> Result<(), Error> {
    Err(error)
}

#[circuit_breaker(threshold = 1, failure_if = |items| items.size_hint().0 == 0, on_rejected = |_| vec![0].into_iter())]
fn unnamed(items: Vec<u8>) -> impl Iterator<Item = u8> {
    items.into_iter()
}

#[circuit_breaker(threshold = 1, ignore = |e: &E| e.to_string().is_empty(), failure_if = |r: &Result<T, E>| r.is_err())]
fn generic<T, E: Display + From<Rejected>>(result: Result<T, E>) -> Result<T, E> {
    result
}

#[circuit_breaker(threshold = 1, ignore = |e| e.is_not_found())]
fn half_unnamed(error: Error) -> Result<impl Display, Error> {
    if error == Error::Broken { Err(error) } else { Err::<u8, _>(error) }
}

type Answer = Result<(), Error>;

#[circuit_breaker(threshold = 1, ignore = |e| e.is_not_found())]
fn aliased(error: Error) -> Answer {
    Err(error)
}

#[circuit_breaker(threshold = 1, ignore = |e| e.is_not_found())]
fn future(error: Error) -> impl Future<Output = Result<(), Error>> {
    let error = Some(error);
    async move { error.map_or(Ok(()), Err) }
}

#[test]
fn predicates() {
    isolated(|| {
        fn once(name: &str, mut call: impl FnMut(Error)) {
            for _ in 0..3 {
                call(Error::NotFound);
            }
            assert_eq!(state(name), State::Closed, "{name}");
            call(Error::Broken);
            assert_eq!(state(name), State::Open, "{name}");
        }
        once("ignores", |error| drop(ignores(error)));
        once("ignores_async", |error| drop(block_on(ignores_async(error))));
        once("both", |error| drop(both(error)));
        once("aliased", |error| drop(aliased(error)));
        once("future", |error| drop(block_on(future(error))));
        once("half_unnamed", |error| drop(half_unnamed(error).map(|shown| shown.to_string())));
        once("status", |error| _ = status(if error.is_not_found() { 404 } else { 500 }));
        once("empty", |error| drop(block_on(empty(if error.is_not_found() { "error" } else { "" })).map(str::len)));
        once("unnamed", |error| drop(unnamed(if error.is_not_found() { vec![1] } else { Vec::new() })));
        once("generic", |error| {
            drop(generic::<u8, anyhow::Error>(Err(anyhow::anyhow!(if error.is_not_found() { "" } else { "x" }))));
        });
        assert_eq!(status(200), 503);
    });
}

// Keys

struct Request {
    host: String,
    port: u16,
}

#[circuit_breaker(threshold = 1, key = host)]
fn by_host(host: &str) -> Result<usize, Error> {
    if host == "down" { Err(Error::Broken) } else { Ok(host.len()) }
}

#[circuit_breaker(threshold = 1, key = format!("{}:{}", request.host, request.port), max_keys = 3)]
async fn by_request(request: Request) -> Result<String, Error> {
    if request.host == "down" { Err(Error::Broken) } else { Ok(request.host) }
}

#[circuit_breaker(threshold = 1, key = host)]
async fn by_pattern(Request { host, .. }: Request) -> Result<String, Error> {
    if host == "down" { Err(Error::Broken) } else { Ok(host) }
}

#[circuit_breaker(threshold = 1, key = request.host, fallback = cached)]
async fn with_fallback(request: Request, (_, _): (u8, u8)) -> Result<String, Error> {
    if request.host == "down" { Err(Error::Broken) } else { Ok(request.host) }
}

async fn cached(request: Request, _: (u8, u8)) -> Result<String, Error> {
    Ok(format!("cached {}", request.host))
}

#[circuit_breaker(threshold = 1, key = host)]
fn by_host_later(host: String) -> impl Future<Output = Result<usize, Error>> {
    let host = host;
    async move { if host == "down" { Err(Error::Broken) } else { Ok(host.len()) } }
}

impl Request {
    #[circuit_breaker(threshold = 1, key = self.host, max_keys = PERCENT)]
    #[rate_limit("1000/s", key = self.port)]
    fn send(self) -> Result<Self, Error> {
        if self.host == "down" { Err(Error::Broken) } else { Ok(self) }
    }

    #[rate_limit("1/s", key = self.port, max_keys = 3)]
    async fn limited(&mut self) -> Result<&mut u16, Error> {
        Ok(&mut self.port)
    }
}

/// What is `Send` stays so.
#[test]
fn futures_stay_send() {
    fn send<T: Send>(_: T) {}
    send(by_request(Request { host: String::new(), port: 1 }));
    send(ignores_async(Error::NotFound));
}

/// Design 4.8: nothing boxed, the arguments at most once more, the guard in 64 bytes, whichever form it has.
#[test]
fn futures_stay_small() {
    async fn bare(data: [u8; 256]) -> Result<u8, Error> {
        std::future::ready(()).await;
        Ok(data[0])
    }
    #[circuit_breaker(key = data[0], ignore = Error::is_not_found, failure_if = Result::is_err)]
    async fn keyed(data: [u8; 256]) -> Result<u8, Error> {
        std::future::ready(()).await;
        Ok(data[0])
    }
    #[circuit_breaker(key = data[0])]
    #[rate_limit("3/s", key = data[1])]
    async fn keyed_twice(data: [u8; 256]) -> Result<u8, Error> {
        std::future::ready(()).await;
        Ok(data[0])
    }
    #[circuit_breaker(held())]
    async fn given(data: [u8; 256]) -> Result<u8, Error> {
        std::future::ready(()).await;
        Ok(data[0])
    }
    fn held() -> Arc<CircuitBreaker> {
        CircuitBreaker::builder("held").build().map_or_else(|error| panic!("{error}"), Arc::new)
    }
    let size = |future: &dyn std::any::Any| size_of_val(future);
    let bare = size(&bare([0; 256]));
    for guarded in [size(&keyed([0; 256])), size(&keyed_twice([0; 256])), size(&given([0; 256]))] {
        assert!(guarded <= bare + 256 + 64, "{guarded} against {bare}");
    }
}

#[test]
fn keys() {
    isolated(|| {
        let request = |host: &str| Request { host: host.to_owned(), port: 1 };
        assert_eq!((by_host("down"), by_host("up")), (Err(Error::Broken), Ok(2)));
        assert!(refused(&by_host("down")) && by_host("up").is_ok());
        for _ in 0..2 {
            let _ = block_on(by_request(request("down")));
            let _ = block_on(by_pattern(request("down")));
            let _ = block_on(by_host_later("down".to_owned()));
            let _ = request("down").send();
        }
        assert!(refused(&block_on(by_request(request("down")))) && block_on(by_request(request("up"))).is_ok());
        assert!(refused(&block_on(by_pattern(request("down")))) && block_on(by_pattern(request("up"))).is_ok());
        assert!(
            refused(&block_on(by_host_later("down".to_owned()))) && block_on(by_host_later("up".to_owned())).is_ok()
        );
        assert!(refused(&request("down").send()) && request("up").send().is_ok());
        assert_eq!(block_on(with_fallback(request("down"), (1, 2))), Err(Error::Broken));
        assert_eq!(block_on(with_fallback(request("down"), (1, 2))), Ok("cached down".to_owned()));
        assert_eq!(block_on(with_fallback(request("up"), (1, 2))), Ok("up".to_owned()));
        let (mut one, mut other) = (request("x"), Request { host: String::new(), port: 2 });
        assert_eq!(block_on(one.limited()).copied(), Ok(1));
        assert!(refused(&block_on(one.limited())));
        assert_eq!(block_on(other.limited()).copied(), Ok(2));
    });
}

// Functions that `execute` may call

#[circuit_breaker(threshold = 1, dispatch)]
fn sweep() -> Result<u64, Error> {
    Ok(3)
}

#[circuit_breaker(dispatch, on_rejected = |_| vec![])]
fn plain() -> Vec<u8> {
    vec![1]
}

#[test]
fn dispatched() {
    assert_eq!((sweep(), plain()), (Ok(3), vec![1]));
}

//! Where a guard's breaker or limiter may be, and what its options may say: each form compiles, guards and lets through.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(
    clippy::redundant_closure_for_method_calls,
    clippy::type_complexity,
    reason = "closures and types are the point"
)]

use futures_executor::block_on;
use lifecycle::testing::isolated;
use lifecycle::{
    Backoff, CircuitBreaker, Lazy, RateLimiter, Rejected, State, Window, circuit_breaker, rate_limit, singleton,
};
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
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
    lifecycle::breaker(name).map_or(State::Disabled, CircuitBreaker::state)
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

// Declared elsewhere

/// The database.
#[circuit_breaker(threshold = 1, timeout = LONGEST)]
pub static HA: CircuitBreaker;

#[rate_limit("3/s", name = "outside")]
static API: RateLimiter;

#[rate_limit(limit = PERCENT, window = LONGEST)]
static BY_CONSTS: lifecycle::RateLimiter;

mod other {
    use lifecycle::{CircuitBreaker as Breaker, circuit_breaker};

    #[circuit_breaker]
    pub(super) static ELSEWHERE: Breaker;
}

#[circuit_breaker(HA)]
fn one(fail: bool) -> Result<(), Error> {
    if fail { Err(Error::Broken) } else { Ok(()) }
}

#[circuit_breaker(crate::HA, on_rejected = |_| None, failure_if = Option::is_none)]
async fn two(fail: bool) -> Option<()> {
    (!fail).then_some(())
}

#[circuit_breaker(&other::ELSEWHERE)]
#[rate_limit(API)]
fn three() -> Result<(), Error> {
    Ok(())
}

#[test]
fn statics() {
    isolated(|| {
        assert_eq!((one(false), block_on(two(false))), (Ok(()), Some(())));
        assert_eq!(one(true), Err(Error::Broken));
        assert!(refused(&one(false)));
        assert_eq!(block_on(two(false)), None);
        assert_eq!(
            (state("ha"), HA.state(), HA.config().to_string()),
            (State::Open, State::Open, "threshold 1, timeout 600s".to_owned())
        );
        for allowed in [true, true, true, false] {
            assert_eq!(three().is_ok(), allowed);
        }
        assert_eq!((API.usage().used, state("elsewhere"), BY_CONSTS.usage().limit), (3, State::Closed, 50));
        assert!(lifecycle::limiter("outside").is_ok() && lifecycle::limiter("by_consts").is_ok());
    });
}

struct Registry {
    breaker: Arc<CircuitBreaker>,
}

impl Registry {
    fn breaker(&self, _: &str) -> Arc<CircuitBreaker> {
        self.breaker.clone()
    }

    fn borrowed(&self) -> &CircuitBreaker {
        &self.breaker
    }
}

#[singleton]
fn registry() -> Registry {
    Registry { breaker: built() }
}

#[singleton]
static LAZY: Lazy<Arc<CircuitBreaker>> = built();

static STD: LazyLock<Arc<CircuitBreaker>> = LazyLock::new(built);

fn built() -> Arc<CircuitBreaker> {
    CircuitBreaker::builder("built").threshold(1).build().map_or_else(|error| panic!("{error}"), Arc::new)
}

fn fails(fail: bool) -> Result<(), Error> {
    if fail { Err(Error::Broken) } else { Ok(()) }
}

#[circuit_breaker(registry().breaker("x"))]
async fn from_registry(fail: bool) -> Result<(), Error> {
    fails(fail)
}

#[circuit_breaker(registry().borrowed())]
fn borrowed_from_registry() -> Result<(), Error> {
    Ok(())
}

#[circuit_breaker(LAZY)]
fn from_lazy(fail: bool) -> Result<(), Error> {
    fails(fail)
}

#[circuit_breaker(STD)]
fn from_std(fail: bool) -> Result<(), Error> {
    fails(fail)
}

#[circuit_breaker(breaker)]
#[rate_limit(limiter)]
fn from_arguments(breaker: &CircuitBreaker, limiter: &RateLimiter, fail: bool) -> Result<(), Error> {
    let _ = limiter;
    fails(fail)
}

struct Client {
    breaker: Arc<CircuitBreaker>,
    plain: CircuitBreaker,
    calls: Vec<u8>,
}

impl Client {
    #[circuit_breaker(self.plain)]
    fn by_ref(&self, fail: bool) -> Result<&[u8], Error> {
        fails(fail).map(|()| &*self.calls)
    }

    #[circuit_breaker(self.plain)]
    async fn by_ref_async(&self, fail: bool) -> Result<&[u8], Error> {
        fails(fail).map(|()| &*self.calls)
    }

    #[circuit_breaker(self.breaker)]
    fn by_mut(&mut self, fail: bool) -> Result<&mut Vec<u8>, Error> {
        self.calls.push(1);
        fails(fail).map(|()| &mut self.calls)
    }

    #[circuit_breaker(self.breaker)]
    #[rate_limit("1000/s")]
    async fn by_mut_async(&mut self, fail: bool) -> Result<&mut Vec<u8>, Error> {
        self.calls.push(1);
        fails(fail).map(|()| &mut self.calls)
    }

    #[circuit_breaker(self.breaker)]
    async fn by_value(self, fail: bool) -> Result<Self, Error> {
        fails(fail).map(|()| self)
    }

    #[circuit_breaker(self.breaker)]
    fn by_arc(self: Arc<Self>, fail: bool) -> Result<Arc<Self>, Error> {
        fails(fail).map(|()| self)
    }

    #[circuit_breaker(self.breaker)]
    fn boxed(&self, fail: bool) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + Send + 'static>> {
        let calls = self.calls.clone();
        Box::pin(async move { fails(fail).map(|()| calls.len()) })
    }

    #[circuit_breaker(self.plain)]
    fn written(&self, fail: bool) -> Pin<Box<dyn Future<Output = Result<&[u8], Error>> + Send + '_>> {
        Box::pin(async move { fails(fail).map(|()| &*self.calls) })
    }

    #[circuit_breaker(HA)]
    fn of_another(self, fail: bool) -> Result<Self, Error> {
        fails(fail).map(|()| self)
    }
}

#[circuit_breaker(client.breaker)]
async fn of_argument(client: Client, fail: bool) -> Result<Client, Error> {
    fails(fail).map(|()| client)
}

#[async_trait::async_trait]
trait Fetch {
    async fn fetch(&mut self, fail: bool) -> Result<usize, Error>;
}

#[async_trait::async_trait]
impl Fetch for Client {
    #[circuit_breaker(self.breaker)]
    async fn fetch(&mut self, fail: bool) -> Result<usize, Error> {
        self.calls.push(1);
        fails(fail).map(|()| self.calls.len())
    }
}

/// Lets one through, counts one failure, refuses.
fn guards<T>(name: &str, mut call: impl FnMut(bool) -> Result<T, Error>) {
    assert!(call(false).is_ok(), "{name}");
    assert!(matches!(call(true), Err(Error::Broken)), "{name}");
    assert!(refused(&call(false)), "{name}");
}

#[test]
fn whatever_gives_a_breaker() {
    let client = || Client {
        breaker: built(),
        plain: CircuitBreaker::builder("plain").threshold(1).build().unwrap_or_else(|error| panic!("{error}")),
        calls: vec![1],
    };
    isolated(|| guards("from_registry", |fail| block_on(from_registry(fail))));
    isolated(|| assert_eq!(borrowed_from_registry(), Ok(())));
    isolated(|| guards("from_lazy", from_lazy));
    guards("from_std", from_std);
    let (breaker, limiter) = (built(), RateLimiter::per_second(9).unwrap_or_else(|error| panic!("{error}")));
    guards("from_arguments", |fail| from_arguments(&breaker, &limiter, fail));
    guards("by_ref", {
        let client = client();
        move |fail| client.by_ref(fail).map(<[u8]>::len)
    });
    guards("by_ref_async", {
        let client = client();
        move |fail| block_on(client.by_ref_async(fail)).map(<[u8]>::len)
    });
    guards("by_mut", {
        let mut client = client();
        move |fail| client.by_mut(fail).map(|calls| calls.len())
    });
    guards("by_mut_async", {
        let mut client = client();
        move |fail| block_on(client.by_mut_async(fail)).map(|calls| calls.len())
    });
    guards("boxed", {
        let client = client();
        move |fail| block_on(client.boxed(fail))
    });
    guards("written", {
        let client = client();
        move |fail| block_on(client.written(fail)).map(<[u8]>::len)
    });
    guards("fetch", {
        let mut client = client();
        move |fail| block_on(client.fetch(fail))
    });
    let breaker = built();
    let owner = || Client { breaker: breaker.clone(), ..client() };
    guards("by_value", |fail| block_on(owner().by_value(fail)));
    breaker.reset();
    guards("by_arc", |fail| Arc::new(owner()).by_arc(fail));
    breaker.reset();
    guards("of_argument", |fail| block_on(of_argument(owner(), fail)));
    isolated(|| guards("of_another", |fail| client().of_another(fail)));
}

/// What is `Send` stays so.
#[test]
fn futures_stay_send() {
    fn send<T: Send>(_: T) {}
    send(from_registry(false));
    send(by_request(Request { host: String::new(), port: 1 }));
    let mut client = Client {
        breaker: built(),
        plain: CircuitBreaker::builder("plain").build().unwrap_or_else(|error| panic!("{error}")),
        calls: Vec::new(),
    };
    send(client.by_ref_async(false));
    send(client.by_mut_async(false));
}

// Impl blocks

struct Service<T> {
    items: Vec<T>,
}

trait Load {
    type Item;
    const LIMIT: usize = 3;

    async fn load(&self, fail: bool) -> Result<usize, Error>;
    fn count(&self) -> usize;
}

#[circuit_breaker(threshold = 1)]
impl<T: Clone> Load for Service<T> {
    type Item = T;
    const LIMIT: usize = { 4 };

    async fn load(&self, fail: bool) -> Result<usize, Error> {
        fails(fail).map(|()| self.items.len().min(Self::LIMIT))
    }

    fn count(&self) -> usize {
        self.items.len()
    }
}

macro_rules! declare {
    ($name:ident) => {
        fn $name() -> Result<(), Error> {
            Err(Error::Broken)
        }
    };
}

#[circuit_breaker(threshold = 1, name = "service_inherent", ignore = |e| e.is_not_found())]
#[rate_limit("1000/s", name = "service_rate")]
impl<T> Service<T>
where
    T: Clone,
{
    #![allow(clippy::unused_self)]

    /// Makes one.
    fn make(fail: bool) -> Result<Self, Error> {
        fails(fail).map(|()| Self { items: Vec::new() })
    }

    fn future(&self, fail: bool) -> impl Future<Output = Result<usize, Error>> + use<T> {
        let length = self.items.len();
        async move { fails(fail).map(|()| length) }
    }

    fn boxed(&self, fail: bool) -> Pin<Box<dyn Future<Output = Result<&T, Error>> + '_>> {
        Box::pin(async move {
            fails(fail)?;
            self.items.first().ok_or(Error::NotFound)
        })
    }

    #[circuit_breaker(skip)]
    fn skipped(&self, fail: bool) -> Result<(), Error> {
        fails(fail)
    }

    #[cfg_attr(all(), circuit_breaker(skip), rate_limit(skip))]
    const fn unguarded(&self) -> Result<usize, Error> {
        Ok(self.items.len())
    }

    #[circuit_breaker(include, on_rejected = |_| None, failure_if = Option::is_none)]
    fn included(&self, fail: bool) -> Option<()> {
        (!fail).then_some(())
    }

    #[inline]
    #[circuit_breaker(threshold = 3, name = "service_own")]
    fn own(&mut self, fail: bool) -> Result<&mut Vec<T>, Error> {
        fails(fail).map(|()| &mut self.items)
    }

    #[circuit_breaker(include, ignore = |e| *e == Error::Broken)]
    fn forgiving(&self, fail: bool) -> Result<(), Error> {
        fails(fail)
    }

    #[rate_limit(skip)]
    fn unlimited(&self, fail: bool) -> Result<(), Error> {
        fails(fail)
    }

    declare!(declared);
}

struct Shared {
    breaker: Arc<CircuitBreaker>,
}

#[circuit_breaker(self.breaker)]
impl Shared {
    fn by_ref(&self, fail: bool) -> Result<(), Error> {
        fails(fail)
    }

    async fn by_mut(&mut self, fail: bool) -> Result<(), Error> {
        fails(fail)
    }
}

struct Remote;

#[async_trait::async_trait]
#[circuit_breaker(threshold = 1)]
impl Fetch for Remote {
    async fn fetch(&mut self, fail: bool) -> Result<usize, Error> {
        fails(fail).map(|()| 1)
    }
}

struct Further;

#[circuit_breaker(threshold = 1)]
#[async_trait::async_trait]
impl Fetch for Further {
    async fn fetch(&mut self, fail: bool) -> Result<usize, Error> {
        fails(fail).map(|()| 1)
    }
}

#[test]
fn impl_blocks() {
    isolated(|| {
        let service = Service { items: vec![1u8] };
        guards("load", |fail| block_on(service.load(fail)));
        assert_eq!((state("service"), service.count()), (State::Open, 1));
        assert!(matches!(Service::<u8>::make(false), Ok(made) if made.items.is_empty()), "another breaker");
    });
    let shares = |name: &str, call: &dyn Fn(bool)| {
        isolated(|| {
            call(true);
            assert_eq!(state("service_inherent"), State::Open, "{name}");
            let service = Service { items: vec![1u8] };
            assert!(refused(&block_on(service.future(false))));
        });
    };
    shares("make", &|fail| drop(Service::<String>::make(fail)));
    shares("future", &|fail| drop(block_on(Service { items: vec![1] }.future(fail))));
    shares("boxed", &|fail| drop(block_on(Service { items: vec![1] }.boxed(fail)).copied()));
    shares("included", &|fail| _ = Service { items: vec![1] }.included(fail));
    shares("unlimited", &|fail| drop(Service { items: vec![1] }.unlimited(fail)));
    isolated(|| {
        let mut service = Service { items: vec![1u8] };
        assert!(block_on(Service::<u8> { items: Vec::new() }.boxed(false)).is_err(), "not found");
        assert!(service.skipped(true).is_err() && service.own(true).is_err() && service.forgiving(true).is_err());
        assert!(Service::<u8>::declared().is_err() && service.unguarded() == Ok(1));
        assert_eq!((state("service_inherent"), state("service_own")), (State::Closed, State::Closed));
        let used = lifecycle::limiter("service_rate").map(|limiter| limiter.usage().used);
        // `boxed`, `skipped`, `own`, `forgiving`
        assert_eq!(used.ok(), Some(4));
    });
    let mut shared = Shared { breaker: built() };
    assert_eq!(block_on(shared.by_mut(true)), Err(Error::Broken));
    assert!(refused(&shared.by_ref(false)));
    isolated(|| guards("remote", |fail| block_on(Remote.fetch(fail))));
    isolated(|| guards("further", |fail| block_on(Further.fetch(fail))));
    isolated(|| {
        struct Local;

        #[circuit_breaker(threshold = 1)]
        impl Local {
            fn fetch(&self, fail: bool) -> Result<(), Error> {
                fails(fail)
            }
        }
        guards("local", |fail| Local.fetch(fail));
        assert_eq!(state("local"), State::Open);
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

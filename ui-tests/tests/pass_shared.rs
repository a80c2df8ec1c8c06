//! Breakers and limiters that are shared: statics, fields, whatever gives a reference, and impl blocks.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(
    clippy::type_complexity,
    clippy::redundant_closure_for_method_calls,
    reason = "types and closures are the point"
)]

use futures_executor::block_on;
use lifecycle::testing::isolated;
use lifecycle::{CircuitBreaker, Lazy, RateLimiter, Rejected, State, circuit_breaker, rate_limit, singleton};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

const LIMIT: u32 = 50;
const LONGEST: Duration = Duration::from_secs(600);

#[derive(Debug, PartialEq, thiserror::Error)]
enum Error {
    #[error("broken")]
    Broken,
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

fn state(name: &str) -> State {
    lifecycle::breaker(name).map_or(State::Disabled, |breaker| breaker.state())
}

fn refused<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Rejected(_)))
}

// Declared elsewhere

/// The database.
#[circuit_breaker(threshold = 1, timeout = LONGEST)]
pub static HA: CircuitBreaker;

#[rate_limit("3/s", name = "outside")]
static API: RateLimiter;

#[rate_limit(limit = LIMIT, window = LONGEST)]
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
    let mut client = Client {
        breaker: built(),
        plain: CircuitBreaker::builder("plain").build().unwrap_or_else(|error| panic!("{error}")),
        calls: Vec::new(),
    };
    send(client.by_ref_async(false));
    send(client.by_mut_async(false));
}

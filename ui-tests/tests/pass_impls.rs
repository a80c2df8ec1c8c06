//! Guards on impl blocks: one for all methods that say `Result`, with exceptions.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(
    clippy::type_complexity,
    clippy::redundant_closure_for_method_calls,
    reason = "types and closures are the point"
)]

use futures_executor::block_on;
use lifecycle::testing::isolated;
use lifecycle::{CircuitBreaker, Rejected, State, circuit_breaker, rate_limit};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

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

fn fails(fail: bool) -> Result<(), Error> {
    if fail { Err(Error::Broken) } else { Ok(()) }
}

/// Lets one through, counts one failure, refuses.
fn guards<T>(name: &str, mut call: impl FnMut(bool) -> Result<T, Error>) {
    assert!(call(false).is_ok(), "{name}");
    assert!(matches!(call(true), Err(Error::Broken)), "{name}");
    assert!(refused(&call(false)), "{name}");
}

#[async_trait::async_trait]
trait Fetch {
    async fn fetch(&mut self, fail: bool) -> Result<usize, Error>;
}

fn built() -> Arc<CircuitBreaker> {
    CircuitBreaker::builder("built").threshold(1).build().map_or_else(|error| panic!("{error}"), Arc::new)
}

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

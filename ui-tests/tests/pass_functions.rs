//! Every shape of function can be guarded: the wrapper compiles, calls the body, counts failures and refuses.
//!
//! Long because it is a list: each case stands for itself, and another file would be another binary to link.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(
    clippy::too_many_arguments,
    clippy::toplevel_ref_arg,
    clippy::ptr_arg,
    reason = "odd signatures are the point"
)]

use futures_executor::block_on;
use lifecycle::testing::isolated;
use lifecycle::{Rejected, State, circuit_breaker, rate_limit};
use std::cell::RefCell;
use std::fmt::{Debug, Display};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Debug, PartialEq, thiserror::Error)]
enum Error {
    #[error("broken")]
    Broken,
    #[error(transparent)]
    Rejected(#[from] Rejected),
    #[error("{0}")]
    Said(String),
}

type Answer<T> = Result<T, Error>;

fn state(name: &str) -> State {
    lifecycle::breaker(name).map_or(State::Disabled, |breaker| breaker.state())
}

/// Fails twice, then must be refused; `open` names the breaker.
fn opens<T>(name: &str, mut call: impl FnMut() -> Result<T, Error>) {
    isolated(|| {
        for _ in 0..2 {
            assert_eq!(state(name), State::Closed, "{name}");
            assert!(matches!(call(), Err(Error::Broken)), "{name} failed for another reason");
        }
        assert_eq!(state(name), State::Open, "{name}");
        assert!(matches!(call(), Err(Error::Rejected(_) | Error::Said(_))), "{name} was not refused");
    });
}

#[circuit_breaker(threshold = 2)]
fn plain(fail: bool) -> Result<u8, Error> {
    if fail {
        return Err(Error::Broken);
    }
    Ok(1)
}

#[circuit_breaker(threshold = 2)]
fn alias(fail: bool) -> Answer<u8> {
    if fail {
        Err(Error::Broken)?;
    }
    Ok(1)
}

#[circuit_breaker(threshold = 2)]
async fn asynchronous(fail: bool) -> Result<u8, Error> {
    std::future::ready(()).await;
    if fail {
        return Err(Error::Broken);
    }
    Ok(1)
}

#[circuit_breaker(threshold = 2)]
fn future(fail: bool) -> impl Future<Output = Result<u8, Error>> + Send {
    async move { if fail { Err(Error::Broken) } else { Ok(1) } }
}

#[circuit_breaker(threshold = 2)]
fn built(fail: &bool) -> impl Future<Output = Result<u8, Error>> + use<> {
    let fail = *fail;
    async move { if fail { Err(Error::Broken) } else { Ok(1) } }
}

#[circuit_breaker(threshold = 2)]
fn boxed<'a>(fail: &'a bool) -> Pin<Box<dyn Future<Output = Result<u8, Error>> + Send + 'a>> {
    Box::pin(async move { if *fail { Err(Error::Broken) } else { Ok(1) } })
}

#[circuit_breaker(threshold = 2)]
fn boxed_early(fail: bool) -> Pin<Box<dyn Future<Output = Result<u8, Error>>>> {
    if fail {
        return Box::pin(std::future::ready(Err(Error::Broken)));
    }
    Box::pin(async { Ok(1) })
}

#[circuit_breaker(threshold = 2, on_rejected = |rejected| Error::Said(format!("{id}: {rejected}")))]
async fn says_why(id: String, fail: bool) -> Result<String, Error> {
    if fail { Err(Error::Broken) } else { Ok(id) }
}

#[circuit_breaker(threshold = 2, on_rejected = said)]
fn by_path(fail: bool) -> Result<u8, Error> {
    if fail { Err(Error::Broken) } else { Ok(1) }
}

fn said(rejected: Rejected) -> Error {
    Error::Said(rejected.to_string())
}

#[circuit_breaker(threshold = 2)]
fn generic<const N: usize, T: Debug + ?Sized, I>(items: I, _: &T) -> Result<[u8; N], Error>
where
    I: IntoIterator<Item = u8>,
{
    let _ = items.into_iter().count();
    Err(Error::Broken)
}

#[circuit_breaker(threshold = 2)]
fn arguments(
    mut count: u8,
    (a, _): (u8, u8),
    [first, ..]: [u8; 3],
    &by_ref: &u8,
    ref owned: String,
    Wrapped { inner, .. }: Wrapped,
    _: u8,
    text: &str,
    shown: impl Display,
    called: &dyn Fn(u8) -> u8,
    #[allow(unused_variables)] unused: u8,
) -> Result<String, Error> {
    count += a + first + by_ref + called(inner);
    if text.is_empty() { Err(Error::Broken) } else { Ok(format!("{count} {owned} {shown}")) }
}

struct Wrapped {
    inner: u8,
    #[allow(dead_code)]
    other: u8,
}

#[circuit_breaker(threshold = 2)]
fn r#type(r#fn: bool) -> Result<u8, Error> {
    if r#fn { Err(Error::Broken) } else { Ok(1) }
}

#[circuit_breaker(threshold = 2)]
fn größe(naïf: bool) -> Result<u8, Error> {
    if naïf { Err(Error::Broken) } else { Ok(1) }
}

#[circuit_breaker(threshold = 2)]
fn _private(fail: bool) -> Result<(), Error> {
    #![allow(clippy::needless_return)]
    if fail {
        return Err(Error::Broken);
    }
    return Ok(());
}

#[circuit_breaker(threshold = 2)]
fn not_send(items: Rc<RefCell<Vec<u8>>>) -> Result<usize, Error> {
    if items.borrow().is_empty() { Err(Error::Broken) } else { Ok(items.borrow().len()) }
}

#[circuit_breaker(threshold = 2)]
async fn not_send_async(items: Rc<RefCell<Vec<u8>>>) -> Result<usize, Error> {
    std::future::ready(()).await;
    if items.borrow().is_empty() { Err(Error::Broken) } else { Ok(items.borrow().len()) }
}

#[circuit_breaker(threshold = 2)]
fn names<'a>(list: &'a mut Vec<String>, _: &str) -> Result<&'a mut String, Error> {
    list.first_mut().ok_or(Error::Broken)
}

#[circuit_breaker(threshold = 2)]
async fn borrowed<'a, 'b: 'a>(list: &'a [String], _other: &'b str) -> Result<&'a str, Error> {
    list.first().map(String::as_str).ok_or(Error::Broken)
}

#[circuit_breaker(threshold = 2)]
fn coerced(fail: bool) -> Result<Box<dyn Display>, Error> {
    if fail {
        return Err(Error::Broken);
    }
    match 1 {
        1 => Ok(Box::new(1)),
        _ => Ok(Box::new("one")),
    }
}

#[circuit_breaker(threshold = 2)]
async fn coerced_async(fail: bool) -> Result<Box<dyn Display>, Error> {
    if fail { Err(Error::Broken) } else { Ok(Box::new(1)) }
}

#[circuit_breaker(threshold = 2)]
fn unnamed(fail: bool) -> Result<impl Iterator<Item = u8>, Error> {
    if fail { Err(Error::Broken) } else { Ok([1u8].into_iter()) }
}

#[circuit_breaker(threshold = 2)]
fn factorial(n: u64) -> Result<u64, Error> {
    match n {
        99 => Err(Error::Broken),
        0 => Ok(1),
        n => Ok(n * factorial(n - 1)?),
    }
}

#[test]
fn sync_functions() {
    opens("plain", || plain(true));
    opens("alias", || alias(true));
    opens("by_path", || by_path(true));
    opens("generic", || generic::<3, str, _>([1], "x"));
    opens("type", || r#type(true));
    opens("größe", || größe(true));
    opens("_private", || _private(true));
    opens("not_send", || not_send(Rc::default()));
    opens("names", || names(&mut Vec::new(), "").map(drop));
    opens("coerced", || coerced(true));
    opens("unnamed", || unnamed(true).map(Iterator::count));
    opens("factorial", || factorial(99));
    opens("arguments", || {
        arguments(1, (1, 2), [1, 2, 3], &1, String::new(), Wrapped { inner: 1, other: 2 }, 1, "", 1, &|x| x, 1)
    });
}

#[test]
fn async_functions() {
    opens("asynchronous", || block_on(asynchronous(true)));
    opens("future", || block_on(future(true)));
    opens("built", || block_on(built(&true)));
    opens("boxed", || block_on(boxed(&true)));
    opens("boxed_early", || block_on(boxed_early(true)));
    opens("says_why", || block_on(says_why("7".to_owned(), true)));
    opens("not_send_async", || block_on(not_send_async(Rc::default())));
    opens("borrowed", || block_on(borrowed(&[], "")).map(str::len));
    opens("coerced_async", || block_on(coerced_async(true)));
}

#[test]
fn values_come_through() {
    assert_eq!(plain(false), Ok(1));
    assert_eq!(alias(false), Ok(1));
    assert_eq!(by_path(false), Ok(1));
    assert_eq!(factorial(5), Ok(120));
    assert_eq!(not_send(Rc::new(RefCell::new(vec![1]))), Ok(1));
    assert_eq!(block_on(asynchronous(false)), Ok(1));
    assert_eq!(block_on(future(false)), Ok(1));
    assert_eq!(block_on(built(&false)), Ok(1));
    assert_eq!(block_on(boxed(&false)), Ok(1));
    assert_eq!(block_on(boxed_early(false)), Ok(1));
    assert_eq!(block_on(says_why("7".to_owned(), false)), Ok("7".to_owned()));
    assert_eq!(block_on(borrowed(&["a".to_owned()], "")), Ok("a"));
    assert_eq!(names(&mut vec!["a".to_owned()], "").map(std::mem::take), Ok("a".to_owned()));
    assert_eq!(coerced(false).map(|shown| shown.to_string()), Ok("1".to_owned()));
    assert_eq!(unnamed(false).map(Iterator::count), Ok(1));
    assert_eq!(r#type(false).and_then(|_| größe(false)), Ok(1));
}

#[test]
fn the_refusal_sees_the_arguments() {
    isolated(|| {
        for _ in 0..2 {
            let _ = block_on(says_why("7".to_owned(), true));
        }
        let Err(Error::Said(text)) = block_on(says_why("7".to_owned(), false)) else { panic!("not refused") };
        assert!(text.starts_with("7: `says_why`: circuit breaker is open"), "{text}");
    });
}

/// Checklist B23: what is `Send` stays `Send`, and what is `'static` stays so.
#[test]
fn futures_stay_send() {
    fn send<T: Send + 'static>(_: T) {}
    send(asynchronous(false));
    send(future(false));
    send(built(&false));
    send(says_why(String::new(), false));
}

/// Design 4.8: nothing boxed, the arguments at most once more, the guard in 64 bytes.
#[test]
fn futures_stay_small() {
    async fn bare(data: [u8; 256]) -> Result<u8, Error> {
        std::future::ready(()).await;
        Ok(data[0])
    }
    #[circuit_breaker]
    #[rate_limit("3/s")]
    async fn guarded(data: [u8; 256]) -> Result<u8, Error> {
        std::future::ready(()).await;
        Ok(data[0])
    }
    #[rate_limit("3/s")]
    async fn limited(data: [u8; 256]) -> Result<u8, Error> {
        std::future::ready(()).await;
        Ok(data[0])
    }
    let size = |future: &dyn std::any::Any| std::mem::size_of_val(future);
    let bare = size(&bare([0; 256]));
    let (guarded, limited) = (size(&guarded([0; 256])), size(&limited([0; 256])));
    assert!(guarded <= bare + 256 + 64, "{guarded} against {bare}");
    assert!(limited <= bare + 256 + 64, "{limited} against {bare}");
}

/// A future that is never polled asks nobody.
#[test]
fn guards_decide_at_the_first_poll() {
    isolated(|| {
        for _ in 0..5 {
            drop(asynchronous(true));
            drop(built(&true));
        }
        assert_eq!((state("asynchronous"), state("built")), (State::Closed, State::Closed));
    });
}

// Methods

#[derive(Clone, Default)]
struct Service<T> {
    items: Vec<T>,
}

trait Fetch {
    fn fetch(&self) -> Result<u8, Error>;

    #[circuit_breaker(threshold = 2)]
    fn provided(&self) -> Result<u8, Error> {
        self.fetch()
    }
}

impl<T: Clone + Default> Service<T> {
    #[circuit_breaker(threshold = 2)]
    fn associated() -> Result<Self, Error> {
        let _ = Self::default();
        Err(Error::Broken)
    }

    #[circuit_breaker(threshold = 2)]
    fn by_value(self) -> Result<Self, Error> {
        if self.items.is_empty() { Err(Error::Broken) } else { Ok(self) }
    }

    #[circuit_breaker(threshold = 2)]
    fn by_mut_value(mut self) -> Result<Self, Error> {
        self.items.pop().ok_or(Error::Broken)?;
        Ok(self)
    }

    #[circuit_breaker(threshold = 2)]
    fn by_mut(&mut self) -> Result<&mut T, Error> {
        self.items.first_mut().ok_or(Error::Broken)
    }

    #[circuit_breaker(threshold = 2)]
    fn by_ref(&self) -> Result<&T, Error> {
        self.items.first().ok_or(Error::Broken)
    }

    #[circuit_breaker(threshold = 2)]
    fn by_box(self: Box<Self>) -> Result<Vec<T>, Error> {
        if self.items.is_empty() { Err(Error::Broken) } else { Ok(self.items) }
    }

    #[circuit_breaker(threshold = 2)]
    fn by_arc(self: Arc<Self>) -> Result<T, Error> {
        self.items.first().cloned().ok_or(Error::Broken)
    }

    #[circuit_breaker(threshold = 2)]
    fn by_pin(self: Pin<&mut Self>) -> Result<T, Error> {
        self.items.first().cloned().ok_or(Error::Broken)
    }

    #[circuit_breaker(threshold = 2)]
    async fn by_ref_async(&self, other: &str) -> Result<&T, Error> {
        let _ = other;
        self.items.first().ok_or(Error::Broken)
    }

    #[circuit_breaker(threshold = 2)]
    async fn by_mut_async(&mut self) -> Result<&mut T, Error> {
        self.items.first_mut().ok_or(Error::Broken)
    }

    #[circuit_breaker(threshold = 2, on_rejected = |_| self.refused())]
    fn asks_self(&self) -> Result<u8, Error> {
        Err(Error::Broken)
    }

    fn refused(&self) -> Error {
        Error::Said(format!("{} items", self.items.len()))
    }
}

impl Fetch for Service<u8> {
    #[circuit_breaker(threshold = 2, name = "fetch_service")]
    fn fetch(&self) -> Result<u8, Error> {
        self.items.first().copied().ok_or(Error::Broken)
    }
}

#[test]
fn methods() {
    let service = Service::<u8>::default;
    opens("associated", || Service::<u8>::associated().map(drop));
    opens("by_value", || service().by_value());
    opens("by_mut_value", || service().by_mut_value());
    opens("by_mut", || service().by_mut().copied());
    opens("by_ref", || service().by_ref().copied());
    opens("by_box", || Box::new(service()).by_box());
    opens("by_arc", || Arc::new(service()).by_arc());
    opens("by_pin", || Pin::new(&mut service()).by_pin());
    opens("by_ref_async", || block_on(service().by_ref_async("")).copied());
    opens("by_mut_async", || block_on(service().by_mut_async()).copied());
    opens("asks_self", || service().asks_self());
    opens("fetch_service", || service().fetch());
    opens("provided", || service().provided());
    let mut full = Service { items: vec![3u8] };
    assert_eq!(full.by_mut().copied(), Ok(3));
    assert_eq!(block_on(full.by_ref_async("")), Ok(&3));
}

// async_trait rewrites the method before us, wherever our attribute stands

#[async_trait::async_trait]
trait Load {
    async fn above(&self, id: String) -> Result<u8, Error>;
    async fn below(&self, id: String) -> Result<u8, Error>;

    #[circuit_breaker(threshold = 2)]
    async fn by_default(&self) -> Result<u8, Error> {
        self.above(String::new()).await
    }
}

#[async_trait::async_trait]
impl Load for Service<u8> {
    #[circuit_breaker(threshold = 2, on_rejected = |rejected| Error::Said(format!("{id} {rejected}")))]
    async fn above(&self, id: String) -> Result<u8, Error> {
        self.items.get(id.len()).copied().ok_or(Error::Broken)
    }

    /// A comment, an inert attribute, two guards.
    #[inline]
    #[rate_limit("1000/s")]
    #[circuit_breaker(threshold = 2)]
    async fn below(&self, id: String) -> Result<u8, Error> {
        drop(id);
        self.items.first().copied().ok_or(Error::Broken)
    }
}

#[test]
fn async_trait_methods() {
    let service = Service::<u8>::default();
    opens("above", || block_on(service.above("x".to_owned())));
    opens("below", || block_on(service.below("x".to_owned())));
    let full = Service { items: vec![3] };
    assert_eq!(block_on(full.by_default()), Ok(3));
}

// Without an error: on_rejected gives the whole value

#[rate_limit("1/s", on_rejected = |_| None)]
fn option(id: u8) -> Option<u8> {
    Some(id)
}

#[rate_limit("1/s", on_rejected = |rejected| { let _ = rejected; })]
fn nothing() {}

#[circuit_breaker(on_rejected = |_| [0u8].into_iter())]
fn iterator() -> impl Iterator<Item = u8> {
    [1u8].into_iter()
}

#[rate_limit("1/s", on_rejected = |_| 0)]
async fn number() -> u32 {
    std::future::ready(1).await
}

#[test]
fn whole_values() {
    isolated(|| {
        assert_eq!((option(3), option(3)), (Some(3), None));
        nothing();
        nothing();
        assert_eq!(iterator().next(), Some(1));
        assert_eq!((block_on(number()), block_on(number())), (1, 0));
    });
}

// Foreign errors that take a refusal as they are

#[circuit_breaker(threshold = 1)]
fn anyhow_error() -> anyhow::Result<u8> {
    anyhow::bail!("broken")
}

#[circuit_breaker(threshold = 1)]
fn boxed_error() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    Err("broken".into())
}

#[test]
fn foreign_errors() {
    isolated(|| {
        let _ = (anyhow_error(), boxed_error());
        let refused = anyhow_error().err().and_then(|error| error.downcast::<Rejected>().ok());
        assert!(refused.is_some_and(|rejected| rejected.name == "anyhow_error" && rejected.retry_after.is_some()));
        let refused = boxed_error().err().and_then(|error| error.downcast::<Rejected>().ok());
        assert!(refused.is_some());
    });
}

// A fallback: the same arguments, on a refusal only

#[rate_limit("1/s", fallback = cached)]
fn fetch((a, b): (u8, u8), Wrapped { inner, .. }: Wrapped, mut last: u8) -> u8 {
    last += a + b + inner;
    last
}

fn cached(_: (u8, u8), _: Wrapped, last: u8) -> u8 {
    100 + last
}

impl Service<u8> {
    #[circuit_breaker(threshold = 1, fallback = Self::cached)]
    async fn load(&self, id: usize) -> Result<u8, Error> {
        self.items.get(id).copied().ok_or(Error::Broken)
    }

    async fn cached(&self, id: usize) -> Result<u8, Error> {
        u8::try_from(id).map_err(|error| Error::Said(error.to_string()))
    }
}

#[test]
fn fallbacks() {
    isolated(|| {
        let wrapped = || Wrapped { inner: 3, other: 0 };
        assert_eq!((fetch((1, 2), wrapped(), 4), fetch((1, 2), wrapped(), 4)), (10, 104));
        let service = Service::default();
        assert_eq!(block_on(service.load(7)), Err(Error::Broken));
        assert_eq!(block_on(service.load(7)), Ok(7));
    });
}

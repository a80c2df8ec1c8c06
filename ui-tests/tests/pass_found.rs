//! Shapes that a search for faults tried.

#![deny(warnings)]
#![allow(
    clippy::unused_async,
    clippy::missing_const_for_fn,
    clippy::type_complexity,
    clippy::non_minimal_cfg,
    dead_code
)]

use futures_executor::block_on;
use lifecycle::testing::isolated;
use lifecycle::{CircuitBreaker, Rejected, circuit_breaker, rate_limit};
use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, RwLock};
use std::task::Poll;

// Arguments that the configuration takes away.
#[circuit_breaker(fallback = without)]
fn configured(#[cfg(any())] gone: Missing, #[cfg(all())] kept: u8, (a, _): (u8, u8)) -> Result<u8, Rejected> {
    Ok(kept + a)
}

fn without(kept: u8, (a, _): (u8, u8)) -> Result<u8, Rejected> {
    Ok(100 + kept + a)
}

#[circuit_breaker(key = host)]
fn moved(host: String, body: Vec<u8>) -> Result<(String, Vec<u8>), Rejected> {
    Ok((host, body))
}

#[circuit_breaker(key = host)]
async fn moved_async(host: String, body: Vec<u8>) -> Result<(String, Vec<u8>), Rejected> {
    let sent = async { body };
    Ok((host, sent.await))
}

#[circuit_breaker(key = host.borrow().as_str())]
async fn locked(host: Rc<RefCell<String>>) -> Result<usize, Rejected> {
    let len = async { host.borrow_mut().len() }.await;
    Ok(len)
}

#[circuit_breaker(key = NAMES.lock().unwrap()[at])]
async fn guarded_key(at: usize) -> Result<usize, Rejected> {
    async {}.await;
    Ok(NAMES.lock().unwrap().len() + at)
}

static NAMES: Mutex<[&str; 2]> = Mutex::new(["a", "b"]);

#[circuit_breaker(key = host)]
fn built(host: &str) -> Pin<Box<dyn Future<Output = Result<usize, Rejected>> + Send + '_>> {
    let len = host.len();
    Box::pin(async move { Ok(len) })
}

#[circuit_breaker(key = key)]
fn any_key<K: Display + ?Sized>(key: &K) -> Result<String, Rejected> {
    Ok(key.to_string())
}

#[circuit_breaker(key = match id { 0 => "zero", _ if id > 9 => "many", _ => "few" })]
fn matched(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

struct Store {
    names: Vec<String>,
    cell: Mutex<u8>,
    breaker: Arc<CircuitBreaker>,
    plain: CircuitBreaker,
}

impl Store {
    #[circuit_breaker(on_rejected = |_| "", failure_if = |name: &&str| name.is_empty())]
    fn longest(&self) -> &str {
        self.names.iter().map(String::as_str).max_by_key(|name| name.len()).unwrap_or("")
    }

    #[circuit_breaker(on_rejected = |_| None, failure_if = Option::is_none)]
    fn first_mut(&mut self) -> Option<&mut String> {
        self.names.first_mut()
    }

    #[circuit_breaker(on_rejected = |_| "", failure_if = |name: &&str| name.is_empty())]
    async fn longest_async(&self) -> &str {
        self.names.first().map_or("", |name| name)
    }

    #[circuit_breaker(ignore = |_: &Rejected| false)]
    fn guard(&self) -> Result<MutexGuard<'_, u8>, Rejected> {
        Ok(self.cell.lock().unwrap())
    }

    #[circuit_breaker(self.breaker)]
    async fn kept(&mut self) -> Result<&mut Vec<String>, Rejected> {
        self.names.push(String::new());
        Ok(&mut self.names)
    }

    #[circuit_breaker(&self.plain)]
    fn shared<'s, 'o: 's>(&'s self, other: &'o str) -> Result<impl Iterator<Item = &'s str> + use<'s, 'o>, Rejected> {
        Ok(self.names.iter().map(String::as_str).chain([other]))
    }

    #[circuit_breaker(self.breaker)]
    fn by_rc(self: Rc<Self>) -> Result<usize, Rejected> {
        Ok(self.names.len())
    }

    #[circuit_breaker(self.breaker.clone())]
    fn by_value(self) -> Result<Self, Rejected> {
        Ok(self)
    }

    #[circuit_breaker(fallback = Self::none)]
    async fn with_lifetimes<'a>(&'a self, by: impl Fn(&str) -> bool + 'a) -> Result<Vec<&'a str>, Rejected> {
        Ok(self.names.iter().map(String::as_str).filter(|name| by(name)).collect())
    }

    async fn none<'a>(&'a self, _: impl Fn(&str) -> bool + 'a) -> Result<Vec<&'a str>, Rejected> {
        Ok(Vec::new())
    }
}

#[circuit_breaker(on_rejected = |_| Poll::Pending)]
fn poll(ready: bool) -> Poll<Result<u8, ()>> {
    if ready { Poll::Ready(Ok(1)) } else { Poll::Pending }
}

#[circuit_breaker(on_rejected = |_| ControlFlow::Break(0), failure_if = ControlFlow::is_break)]
fn flow(on: bool) -> ControlFlow<u8, impl Display> {
    if on { ControlFlow::Continue("on") } else { ControlFlow::Break(1) }
}

#[circuit_breaker(on_rejected = |_| (0, String::new()))]
fn tuple() -> (u8, impl Display) {
    (1, String::from("x"))
}

#[circuit_breaker(on_rejected = |_| panic!("refused"))]
fn never(on: bool) -> bool {
    if on {
        return true;
    }
    false
}

#[circuit_breaker]
async fn impl_inside() -> Result<impl Display + Send, Rejected> {
    Ok("x")
}

#[circuit_breaker]
fn closures(by: u8) -> Result<impl Fn(u8) -> u8, Rejected> {
    Ok(move |x| x + by)
}

#[circuit_breaker]
fn dynamic<'a>(text: &'a str) -> Result<Box<dyn Fn(&str) -> bool + 'a>, Box<dyn std::error::Error + Send + Sync + 'a>> {
    Ok(Box::new(move |other| other == text))
}

macro_rules! answer {
    ($ty:ty) => { Result<$ty, Rejected> };
}

macro_rules! declare {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty $body:block, $opt:ident = $value:expr) => {
        #[circuit_breaker($opt = $value)]
        $(#[$meta])* $vis fn $name($($arg: $ty),*) -> $ret $body
    };
}

#[circuit_breaker]
fn macro_type() -> answer!(u8) {
    Ok(1)
}

declare! {
    /// Docs.
    #[inline]
    pub(crate) fn declared_here(x: u8, y: &mut Vec<u8>) -> Result<u8, Rejected> {
        y.push(x);
        Ok(x)
    }, threshold = 1 + 2
}

#[circuit_breaker(name = "target_feature")]
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
fn with_feature(x: u8) -> Result<u8, Rejected> {
    Ok(x + 1)
}

/// # Safety
/// `at` points to a number.
#[unsafe(no_mangle)]
#[circuit_breaker(on_rejected = |_| -1)]
pub unsafe extern "C" fn lifecycle_found(at: *const i32) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { *at }
}

trait Fetch {
    type Out;
    const LIMIT: u32;

    fn fetch(&self, id: u32) -> impl Future<Output = Result<Self::Out, Rejected>> + Send
    where
        Self: Sync;

    #[circuit_breaker]
    fn provided(&self) -> Result<u32, Rejected>
    where
        Self: Sized,
    {
        Ok(Self::LIMIT)
    }

    #[circuit_breaker]
    async fn provided_async(&self) -> Result<u32, Rejected>
    where
        Self: Sync,
    {
        Ok(Self::LIMIT)
    }
}

impl<T: Clone + Send + Sync, const N: usize> Fetch for [T; N] {
    type Out = [T; N];
    const LIMIT: u32 = 7;

    #[circuit_breaker(key = N)]
    #[rate_limit("1000/s")]
    async fn fetch(&self, id: u32) -> Result<Self::Out, Rejected>
    where
        Self: Sync,
    {
        let _ = id;
        Ok(self.clone())
    }
}

macro_rules! method {
    ($name:ident) => {
        fn $name(&self) -> Result<&'static str, Rejected> {
            Ok(stringify!($name))
        }
    };
}

struct Block;

/// Docs of the block.
#[circuit_breaker(threshold = 2)]
impl Block {
    const N: usize = { 2 };

    method!(of_macro);

    #[cfg(any())]
    fn gone(&self) -> Result<Missing, Rejected> {}

    #[cfg_attr(all(), circuit_breaker(skip))]
    fn skipped(&self) -> Result<[u8; Self::N], Rejected> {
        Ok([0; Self::N])
    }

    /// Docs.
    fn guarded<const M: usize>(&self, items: [u8; M]) -> Result<[u8; M], Rejected>
    where
        [u8; M]: Default,
    {
        Ok(items)
    }

    fn chained(&mut self) -> Result<&mut Self, Rejected> {
        Ok(self)
    }

    async fn later(self: Arc<Self>) -> std::result::Result<Arc<Self>, Rejected> {
        Ok(self)
    }
}

#[circuit_breaker]
static SHARED: CircuitBreaker;
static LAZY: LazyLock<Arc<CircuitBreaker>> =
    LazyLock::new(|| Arc::new(CircuitBreaker::builder("found_lazy").build().unwrap()));
static LATE: OnceLock<CircuitBreaker> = OnceLock::new();
static SWAPPED: RwLock<Option<Arc<CircuitBreaker>>> = RwLock::new(None);

#[circuit_breaker(SHARED)]
fn of_shared() -> Result<(), Rejected> {
    Ok(())
}

#[circuit_breaker(LAZY)]
async fn of_lazy() -> Result<(), Rejected> {
    Ok(())
}

#[circuit_breaker(LATE.get().unwrap())]
async fn of_late() -> Result<(), Rejected> {
    Ok(())
}

#[circuit_breaker(SWAPPED.read().unwrap().clone().unwrap())]
async fn of_swapped() -> Result<(), Rejected> {
    async {}.await;
    Ok(())
}

#[circuit_breaker(breaker)]
fn given_by_argument(breaker: &CircuitBreaker, count: &Cell<u8>) -> Result<u8, Rejected> {
    count.set(count.get() + 1);
    Ok(count.get())
}

#[circuit_breaker(breaker)]
async fn given_and_moved(breaker: Arc<CircuitBreaker>) -> Result<Arc<CircuitBreaker>, Rejected> {
    Ok(breaker)
}

fn sent<T: Send>(value: T) -> T {
    value
}

#[test]
fn all_of_them_work() {
    isolated(|| {
        assert_eq!(configured(1, (2, 3)), Ok(3));
        lifecycle::breaker("configured").unwrap().force_open();
        assert_eq!(configured(1, (2, 3)), Ok(103));
        assert_eq!(moved("a".into(), vec![1]).unwrap().0, "a");
        assert_eq!(block_on(sent(moved_async("a".into(), vec![1]))).unwrap().1, [1]);
        assert_eq!(block_on(locked(Rc::new(RefCell::new("abc".into())))), Ok(3));
        assert_eq!(block_on(sent(guarded_key(1))), Ok(3));
        assert_eq!(block_on(sent(built("abc"))), Ok(3));
        assert_eq!((any_key("x"), any_key(&7)), (Ok("x".into()), Ok("7".into())));
        assert_eq!((matched(0), matched(12)), (Ok(0), Ok(12)));
        assert_eq!((poll(true), never(true)), (Poll::Ready(Ok(1)), true));
        assert!(flow(true).is_continue());
        assert_eq!(tuple().1.to_string(), "x");
        assert_eq!(block_on(sent(impl_inside())).unwrap().to_string(), "x");
        assert_eq!((closures(1).unwrap()(2), dynamic("a").unwrap()("a")), (3, true));
        let mut all = Vec::new();
        assert_eq!((macro_type(), declared_here(4, &mut all), &*all), (Ok(1), Ok(4), &[4][..]));
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 has it.
        assert_eq!(unsafe { with_feature(1) }, Ok(2));
        // SAFETY: a reference is valid.
        assert_eq!(unsafe { lifecycle_found(&3) }, 3);
    });
}

#[test]
fn methods_work() {
    isolated(|| {
        let plain = CircuitBreaker::builder("found_plain").build().unwrap();
        let breaker = Arc::new(CircuitBreaker::builder("found_arc").build().unwrap());
        let store = Store { names: vec!["ab".into()], cell: Mutex::new(1), breaker: breaker.clone(), plain };
        assert_eq!((store.longest(), block_on(sent(store.longest_async()))), ("ab", "ab"));
    });
    let plain = CircuitBreaker::builder("found_plain").build().unwrap();
    let breaker = Arc::new(CircuitBreaker::builder("found_arc").build().unwrap());
    let mut store = Store { names: vec!["ab".into()], cell: Mutex::new(1), breaker: breaker.clone(), plain };
    store.first_mut().unwrap().push('c');
    assert_eq!((store.longest(), *store.guard().unwrap()), ("abc", 1));
    assert_eq!(block_on(sent(store.kept())).unwrap().len(), 2);
    assert_eq!(store.shared("z").unwrap().count(), 3);
    assert_eq!(block_on(store.with_lifetimes(|name| !name.is_empty())).unwrap(), ["abc"]);
    let store = store.by_value().unwrap();
    assert_eq!(Rc::new(store).by_rc(), Ok(2));
    assert_eq!(breaker.metrics().statistics.successful_calls, 3);
    assert_eq!(block_on(sent([1u8, 2].fetch(1))), Ok([1, 2]));
    assert_eq!(([1u8].provided(), block_on([1u8].provided_async())), (Ok(7), Ok(7)));
    assert_eq!(Block.of_macro(), Ok("of_macro"));
    assert_eq!((Block.skipped(), Block.guarded([1]), Block.chained().is_ok()), (Ok([0; 2]), Ok([1]), true));
    assert!(block_on(sent(Arc::new(Block).later())).is_ok());
}

#[test]
fn given_ones_work() {
    LATE.get_or_init(|| CircuitBreaker::builder("found_late").build().unwrap());
    *SWAPPED.write().unwrap() = Some(LAZY.clone());
    assert_eq!((of_shared(), block_on(sent(of_lazy())), block_on(sent(of_late()))), (Ok(()), Ok(()), Ok(())));
    assert_eq!(block_on(sent(of_swapped())), Ok(()));
    assert_eq!(LAZY.metrics().statistics.successful_calls, 2);
    assert_eq!(given_by_argument(&LAZY, &Cell::new(1)), Ok(2));
    assert!(block_on(sent(given_and_moved(LAZY.clone()))).is_ok());
}

//! Rarer shapes of functions, some of which need `unsafe` of the user's own.

#![deny(warnings)]

use futures_executor::block_on;
use lifecycle::testing::isolated;
use lifecycle::{Rejected, circuit_breaker, rate_limit, singleton};
use std::future::Future;
use std::pin::Pin;

/// # Safety
/// `at` points to a byte.
#[circuit_breaker]
unsafe fn raw(at: *const u8) -> Result<u8, Rejected> {
    // SAFETY: the caller's promise.
    Ok(unsafe { *at })
}

/// # Safety
/// `at` points to a byte.
#[circuit_breaker]
async unsafe fn raw_async(at: *const u8) -> Result<u8, Rejected> {
    // SAFETY: the caller's promise.
    Ok(unsafe { *at })
}

#[rate_limit("9/s", on_rejected = |_| 0)]
#[circuit_breaker(on_rejected = |_| 1)]
extern "C" fn from_c(x: u8) -> u8 {
    x
}

#[circuit_breaker]
fn higher_ranked<F>(call: F, with: impl for<'a> Fn(&'a str) -> &'a str) -> Result<usize, Rejected>
where
    F: for<'a> Fn(&'a str) -> Option<&'a str>,
{
    Ok(call("abc").map_or(0, |text| with(text).len()))
}

#[circuit_breaker]
fn recursive(n: u32) -> Pin<Box<dyn Future<Output = Result<u32, Rejected>> + Send>> {
    Box::pin(async move { if n == 0 { Ok(0) } else { Ok(1 + recursive(n - 1).await?) } })
}

#[circuit_breaker]
async fn recursive_async(n: u32) -> Result<u32, Rejected> {
    if n == 0 {
        return Ok(0);
    }
    let rest: Pin<Box<dyn Future<Output = Result<u32, Rejected>>>> = Box::pin(recursive_async(n - 1));
    Ok(1 + rest.await?)
}

#[circuit_breaker]
fn labels_and_macros(items: &[u8]) -> Result<u8, Rejected> {
    macro_rules! first {
        () => {
            return Ok(items[0])
        };
    }
    fn helper(x: u8) -> bool {
        x > 2
    }
    const LIMIT: usize = 10;
    'outer: for (at, item) in items.iter().enumerate() {
        if at > LIMIT || helper(*item) {
            break 'outer;
        }
    }
    if items.len() == 1 {
        first!();
    }
    let Some(last) = items.last() else { return Ok(0) };
    Ok(*last)
}

#[circuit_breaker]
fn temporaries(text: &str) -> Result<char, Rejected> {
    let chars = std::cell::RefCell::new(text.chars());
    // The temporary of the tail lives as long as it does in a plain function of this edition.
    Ok(chars.borrow_mut().next().unwrap_or_default())
}

trait Cache {
    type Item;

    fn made() -> Result<Self, Rejected>
    where
        Self: Sized;

    fn item(&self) -> Result<Self::Item, Rejected>;
}

struct Store<'a, T: ?Sized>(&'a T);

impl<'a, T: AsRef<str> + ?Sized + 'a> Store<'a, T> {
    #[circuit_breaker]
    fn split<'b>(&'b self, by: char) -> Result<(&'a str, &'b str), Rejected>
    where
        'a: 'b,
    {
        Ok(self.0.as_ref().split_once(by).unwrap_or_default())
    }
}

impl Cache for Store<'_, str> {
    type Item = String;

    #[circuit_breaker(name = "made_store")]
    fn made() -> Result<Self, Rejected>
    where
        Self: Sized,
    {
        Ok(Self("made"))
    }

    #[circuit_breaker(name = "item_of_store")]
    fn item(&self) -> Result<Self::Item, Rejected> {
        Ok(self.0.to_owned())
    }
}

/// `Self` in a signature of a generic type whose parameters the static must not name.
struct Wrapper<T>(T);

impl<T: Clone> Wrapper<T> {
    #[rate_limit("1/s", on_rejected = |_| self.clone_of())]
    fn limited(&self) -> Self {
        Self(self.0.clone())
    }

    fn clone_of(&self) -> Self {
        Self(self.0.clone())
    }
}

#[singleton]
fn in_where() -> Vec<u8>
where
    u8: Copy,
{
    vec![1]
}

#[test]
fn odd_functions() {
    let byte = 7u8;
    // SAFETY: `byte` outlives both calls.
    let read = unsafe { (raw(&byte), block_on(raw_async(&byte))) };
    assert_eq!(read, (Ok(7), Ok(7)));
    assert_eq!(from_c(3), 3);
    assert_eq!(higher_ranked(|text| text.get(1..), |text| text), Ok(2));
    assert_eq!((block_on(recursive(3)), block_on(recursive_async(3))), (Ok(3), Ok(3)));
    assert_eq!((labels_and_macros(&[1]), labels_and_macros(&[1, 2]), labels_and_macros(&[])), (Ok(1), Ok(2), Ok(0)));
    assert_eq!(temporaries("x"), Ok('x'));
    assert_eq!(Store("a=b").split('='), Ok(("a", "b")));
    assert_eq!(Store::made().and_then(|store| store.item()), Ok("made".to_owned()));
    assert_eq!(in_where().len(), 1);
    isolated(|| assert_eq!((Wrapper(1).limited().0, Wrapper(2).limited().0), (1, 2)));
}

/// Two guards, each with its own answer: the one that refused gives it.
#[test]
fn each_guard_gives_its_own_answer() {
    isolated(|| {
        for _ in 0..9 {
            assert_eq!(from_c(3), 3);
        }
        assert_eq!(from_c(3), 0, "the limiter's");
        if let Ok(breaker) = lifecycle::breaker("from_c") {
            breaker.force_open();
        }
        assert_eq!(from_c(3), 1, "the breaker's");
    });
}

/// Only one of two says what a refusal gives: it serves both.
#[test]
fn one_answer_serves_both_guards() {
    #[rate_limit("1/s")]
    #[circuit_breaker(on_rejected = |rejected| rejected.to_string())]
    fn limited(x: u8) -> Result<u8, String> {
        Ok(x)
    }
    isolated(|| {
        assert_eq!(limited(1), Ok(1));
        assert!(limited(1).is_err_and(|text| text.contains("rate limit")));
    });
}

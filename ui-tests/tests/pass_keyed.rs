//! `#[singleton]` with arguments, on statics, and where the signature says `Self`: every shape, run as it is.

#![forbid(unsafe_code)]
#![deny(warnings)]

use futures_executor::block_on;
use lifecycle::testing::isolated;
use lifecycle::{Lazy, SingletonError, singleton};
use std::borrow::Cow;
use std::collections::HashMap;
use std::num::ParseIntError;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Debug, thiserror::Error)]
enum DbError {
    #[error("no table")]
    Missing,
    #[error(transparent)]
    Number(#[from] ParseIntError),
    #[error(transparent)]
    Singleton(#[from] SingletonError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Region {
    Eu,
    Us,
}

/// Neither `Copy` nor `Debug` nor `Display`.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Tenant(String);

#[derive(Debug, PartialEq)]
struct Table {
    name: String,
    rows: u32,
}

// Keyed functions

#[singleton(keyed)]
fn by_text(name: &str) -> Table {
    Table { name: name.to_owned(), rows: 0 }
}

#[singleton(keyed, max_keys = 100, name = "tables")]
fn by_many(name: &str, region: Region, rows: u32) -> Table {
    Table { name: format!("{name} in {region:?}"), rows }
}

#[singleton(keyed)]
fn by_value(tenant: Tenant, name: String) -> Table {
    // Both are the body's own.
    let Tenant(mut tenant) = tenant;
    tenant.push_str(&name);
    Table { name: tenant, rows: 0 }
}

#[singleton(keyed)]
fn patterns(mut rows: u32, (a, b): (u32, u32), _: u8, _unused: &str, &c: &u32, [d, ..]: [u32; 2], e @ 0..: u32) -> u32 {
    rows += a + b + c + d + e;
    rows
}

#[singleton(keyed)]
fn attributes(#[allow(unused_variables)] name: &str, #[allow(unused_mut)] mut region: Region) -> Region {
    region
}

#[singleton(keyed)]
fn slices(path: &Path, bytes: &[u8], number: &u8, text: &'static str, some: Option<u8>, arc: Arc<str>) -> usize {
    path.as_os_str().len() + bytes.len() + usize::from(*number) + text.len() + usize::from(some.is_some()) + arc.len()
}

#[singleton(keyed)]
fn raw(r#type: &str, r#fn: u8) -> String {
    format!("{type}{fn}", r#type = r#type, r#fn = r#fn)
}

#[singleton(keyed)]
fn fallible(text: &str) -> Result<u32, ParseIntError> {
    let number = text.parse()?;
    if number == 0 {
        return Ok(1);
    }
    Ok(number)
}

#[singleton(keyed)]
fn boxed(text: Cow<'static, str>) -> Result<Box<dyn Fn() -> usize + Send + Sync>, DbError> {
    Ok(Box::new(move || text.len()))
}

#[singleton(
    keyed,
    shutdown = |_: &Table| async { Ok::<(), DbError>(()) },
    health = |table: &Table| table.rows == 0,
    on_retire = |table| assert!(!table.name.is_empty()),
    reset = |_| (),
    pressure = |table| table.name.len(),
    memory = |table| table.name.capacity()
)]
async fn later(name: &str, region: Region) -> Table {
    std::future::ready(()).await;
    Table { name: format!("{name} in {region:?}"), rows: 0 }
}

#[singleton(keyed)]
async fn later_object(name: &'static str) -> Box<dyn Fn() -> usize + Send + Sync> {
    Box::new(move || name.len())
}

static TRIES: AtomicU32 = AtomicU32::new(0);

#[singleton(keyed, init_timeout = "5s", retry_backoff = "100ms")]
async fn later_fallible(mut name: String, (a, b): (u32, u32)) -> Result<Table, DbError> {
    if TRIES.fetch_add(1, Ordering::Relaxed) == 0 {
        return Err(DbError::Missing);
    }
    name.push('!');
    let rows: u32 = "3".parse()?;
    Ok(Table { name, rows: rows + a + b })
}

struct Service;

impl Service {
    const NAME: &'static str = "service";

    #[singleton(keyed)]
    fn by_self(suffix: &str) -> Table {
        Table { name: format!("{}{suffix}", Self::NAME), rows: 0 }
    }

    #[singleton(keyed)]
    async fn by_self_later(suffix: &str, rows: u32) -> Result<Table, DbError> {
        std::future::ready(()).await;
        Ok(Table { name: format!("{}{suffix}", Self::NAME), rows: rows + "1".parse::<u32>()? })
    }

    #[singleton(keyed, name = "recursion")]
    fn recursion(n: u32) -> u32 {
        if n == 0 { 0 } else { *Self::recursion(n - 1) + 1 }
    }
}

macro_rules! declared {
    ($name:ident, $argument:ident: $ty:ty => $value:ty, $body:expr) => {
        #[singleton(keyed)]
        fn $name($argument: $ty, other: &$ty) -> $value {
            assert_eq!($argument, *other);
            $body
        }
    };
}
declared!(from_macro, number: u8 => u8, number);
declared!(from_macro_borrowed, text: &'static str => usize, text.len());

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn one_instance_for_each_key() {
    isolated(|| {
        let users: Arc<Table> = by_text("users");
        assert!(Arc::ptr_eq(&users, &by_text(&String::from("users"))));
        assert_eq!(by_text("orders").name, "orders");
        assert_eq!(by_many("users", Region::Eu, 3).name, "users in Eu");
        assert_eq!(by_many("users", Region::Us, 3).name, "users in Us");
        assert!(Arc::ptr_eq(&by_many("users", Region::Us, 3), &by_many("users", Region::Us, 3)));
        assert_eq!(by_value(Tenant("a".to_owned()), "b".to_owned()).name, "ab");
        assert_eq!(*patterns(1, (2, 3), 9, "", &4, [5, 6], 7), 22);
        assert_eq!(*attributes("", Region::Eu), Region::Eu);
        assert_eq!(*slices(Path::new("a"), b"bc", &3, "defg", Some(1), Arc::from("h")), 12);
        assert_eq!(*raw("a", 1), "a1");
        assert_eq!((*from_macro(1, &1), *from_macro_borrowed("abc", &"abc")), (1, 3));
    });
}

#[test]
fn failures_are_not_kept() {
    isolated(|| {
        assert_eq!((fallible("3").ok().as_deref(), fallible("0").ok().as_deref()), (Some(&3), Some(&1)));
        assert!(fallible("x").is_err() && fallible("x").is_err());
        assert_eq!(boxed("abc".into()).map(|length| length()).ok(), Some(3));
    });
}

#[test]
fn async_functions() {
    isolated(|| {
        let table = block_on(is_send(later("users", Region::Eu)));
        assert!(Arc::ptr_eq(&table, &block_on(later("users", Region::Eu))));
        assert_eq!(block_on(is_send(later_object("abc")))(), 3);
        let ask = || block_on(is_send(later_fallible("users".to_owned(), (1, 2))));
        assert!(matches!(ask(), Err(DbError::Missing)));
        assert!(matches!(ask(), Err(DbError::Singleton(SingletonError::Backoff { .. }))));
        lifecycle::testing::advance(std::time::Duration::from_millis(100));
        assert_eq!(ask().map(|table| table.rows).ok(), Some(6));
    });
}

#[test]
fn bodies_that_say_self() {
    isolated(|| {
        assert_eq!(Service::by_self("!").name, "service!");
        assert_eq!(block_on(is_send(Service::by_self_later("?", 1))).map(|table| table.rows).ok(), Some(2));
        assert_eq!(*Service::recursion(3), 3);
    });
}

// Statics

#[singleton]
static WORDS: Lazy<Vec<&'static str>> = vec!["one", "two"];

#[singleton(eager, name = "rich-words", shutdown = |_: &Vec<String>| (), memory = Vec::capacity)]
pub(crate) static RICH_WORDS: lifecycle::Lazy<Vec<String>> = lifecycle::Lazy::new(|| {
    if WORDS.is_empty() {
        return Vec::new();
    }
    WORDS.iter().map(|&word| word.to_owned()).collect()
});

#[singleton]
static BY_PATH: Lazy<HashMap<u8, u8>> = Lazy::new(HashMap::new);

#[singleton]
static BY_TYPE: Lazy<String> = Lazy::<String>::new(String::new);

#[singleton]
static OBJECT: Lazy<Box<dyn Fn() -> u8 + Send + Sync>> = Box::new(|| 3);

#[singleton]
static BLOCK: Lazy<u8> = {
    let three = OBJECT();
    three + 1
};

mod inner {
    use super::*;

    #[singleton(depends_on(WORDS, BY_PATH))]
    pub(super) static WORDS_AGAIN: Lazy<usize> = WORDS.len();
}

#[test]
fn statics() {
    isolated(|| {
        assert!(!Lazy::is_created(&WORDS));
        assert_eq!((WORDS.len(), RICH_WORDS.len(), BY_PATH.len(), BY_TYPE.len()), (2, 2, 0, 0));
        assert_eq!((OBJECT(), *BLOCK, *inner::WORDS_AGAIN), (3, 4, 2));
        assert!(Lazy::is_created(&WORDS));
    });
}

#[test]
fn statics_in_functions() {
    #[singleton]
    static LOCAL: Lazy<u8> = 3;
    assert_eq!(*LOCAL, 3);
}

// `Self` in the signature

#[derive(Debug, PartialEq)]
struct Shared<T>(T);

impl Shared<u8> {
    #[singleton]
    fn plain() -> Self {
        Self(3)
    }

    #[singleton(name = "fallible_self")]
    fn fallible() -> Result<Self, ParseIntError> {
        let number = "4".parse()?;
        if number == 0 {
            return Ok(Self(1));
        }
        Ok(Self(number))
    }

    #[singleton]
    fn deep() -> Arc<[Self; 2]> {
        Arc::new([Self(1), Self(2)])
    }
}

impl<T: Default + Send + Sync + 'static> Shared<T> {
    #[singleton]
    fn of_any() -> Self {
        Self(T::default())
    }
}

trait Load: Sized + Send + Sync + 'static {
    type Error;

    fn load() -> Result<&'static Self, Self::Error>;
}

impl Load for String {
    type Error = SingletonError;

    #[singleton(name = "load_string")]
    fn load() -> Result<Self, Self::Error> {
        Ok("loaded".to_owned())
    }
}

#[test]
fn signatures_that_say_self() {
    isolated(|| {
        let plain: &'static Shared<u8> = Shared::plain();
        assert!(std::ptr::eq(plain, Shared::plain()));
        assert_eq!(Shared::fallible(), Ok(&Shared(4)));
        assert_eq!(Shared::deep().len(), 2);
        assert_eq!(String::load().ok().map(String::as_str), Some("loaded"));
        assert_eq!(Shared::<u64>::of_any().0, 0);
    });
}

/// A generic impl has one static for all types: the second type is refused.
#[test]
#[should_panic(expected = "one value")]
fn a_generic_impl_has_one() {
    assert_eq!(Shared::<u64>::of_any().0, 0);
    let _ = Shared::<i64>::of_any();
}

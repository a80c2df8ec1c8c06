//! `crate = path`: the runtime behind a facade. `lifecycle` itself is out of reach by its own name here.

#![deny(warnings)]
#![allow(unreachable_pub)] // the point is what stands in the module

/// What a company's own crate would re-export.
mod facade {
    pub mod deep {
        pub extern crate lifecycle as life;
    }
}

use facade::deep::life::{Flag, Rejected, circuit_breaker, init_flag, rate_limit, singleton};

#[singleton(crate = facade::deep::life)]
#[derive(Default)]
struct Config;

#[singleton(crate = crate::facade::deep::life)]
fn number() -> Result<u8, std::fmt::Error> {
    Ok(3)
}

#[singleton(swap, crate = crate::facade::deep::life, depends_on(Config, number), shutdown = |_| async {})]
async fn swapped() -> Result<u8, std::fmt::Error> {
    Ok(5)
}

#[singleton(try_async_factory = || async { Ok::<_, String>(Later) }, crate = facade::deep::life, health = |_| true)]
struct Later;

#[circuit_breaker(crate = facade::deep::life)]
#[inline]
#[rate_limit("5/s", crate = self::facade::deep::life)]
fn guarded() -> Result<u8, Rejected> {
    Ok(3)
}

#[circuit_breaker(crate = facade::deep::life)]
static SHARED: facade::deep::life::CircuitBreaker;

#[circuit_breaker(SHARED, crate = facade::deep::life)]
#[rate_limit("5/s", key = id, crate = facade::deep::life)]
fn shares(id: u8) -> Result<u8, Rejected> {
    Ok(id)
}

#[circuit_breaker(crate = facade::deep::life, failure_rate = 50, backoff = exponential, ignore = |_| true)]
#[rate_limit("5/s", crate = facade::deep::life)]
impl Later {
    fn shared(&self) -> Result<u8, Rejected> {
        Ok(3)
    }
}

#[init_flag(crate = facade::deep::life)]
static FLAG: Flag<bool> = true;

#[derive(facade::deep::life::FlagValue)]
#[flag_value(crate = facade::deep::life)]
enum Word {
    One,
}

#[init_flag(crate = facade::deep::life, secret)]
static WORD: Flag<Word> = Word::One;

#[init_flag(crate = facade::deep::life)]
fn step() -> Result<(), facade::deep::life::SingletonError> {
    Ok(())
}

#[test]
fn steps_and_words_are_found_too() {
    assert!(matches!(WORD.get(), Word::One) && step().is_ok());
}

mod inner {
    use super::facade::deep::life;

    #[life::circuit_breaker(crate = life, threshold = N)]
    pub async fn guarded() -> Result<u8, life::Rejected> {
        Ok(4)
    }

    const N: u32 = 3;
}

#[singleton(keyed, crate = facade::deep::life)]
fn table(name: &str, number: u8) -> Result<String, std::fmt::Error> {
    Ok(format!("{name}{number}"))
}

#[singleton(keyed, crate = facade::deep::life)]
async fn table_later(name: &str) -> String {
    name.to_owned()
}

#[singleton(crate = facade::deep::life)]
static LAZY: facade::deep::life::Lazy<u8> = 3;

impl Config {
    #[singleton(crate = facade::deep::life)]
    fn shared() -> Self {
        Self
    }
}

#[test]
fn the_runtime_is_found_where_the_path_says() {
    let _ = Config::instance();
    assert_eq!(futures_executor::block_on(swapped()).ok().map(|number| *number), Some(5));
    assert!(futures_executor::block_on(Later::try_instance()).is_ok());
    assert_eq!((number().ok(), guarded().ok(), FLAG.get()), (Some(&3), Some(3), true));
    assert_eq!(futures_executor::block_on(inner::guarded()).ok(), Some(4));
    assert_eq!((table("a", 1).ok().as_deref().map(String::as_str), *LAZY), (Some("a1"), 3));
    assert_eq!(*futures_executor::block_on(table_later("a")), "a");
    let _ = Config::shared();
    assert_eq!((shares(3).ok(), Later.shared().ok(), SHARED.name()), (Some(3), Some(3), "shared"));
}

#[facade::deep::life::test(crate = facade::deep::life)]
fn a_test_finds_it_too() {
    assert!(!FLAG.set(false) || !FLAG.get());
}

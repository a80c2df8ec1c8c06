//! The same file in every edition before ours: `editions/*/Cargo.toml`.

#![deny(warnings)]

extern crate lifecycle;

pub mod declared {
    use lifecycle::{circuit_breaker, init_flag, rate_limit, singleton, CircuitBreaker, Flag, Lazy, Rejected};

    #[singleton]
    #[derive(Default)]
    pub struct Config;

    #[singleton(try_factory = Other::load)]
    pub struct Other;

    impl Other {
        fn load() -> Result<Self, String> {
            Ok(Other)
        }
    }

    #[singleton(async_factory = Later::make, shutdown = Later::close, eager)]
    pub struct Later;

    impl Later {
        fn make() -> ::std::future::Ready<Self> {
            ::std::future::ready(Later)
        }

        fn close(&self) -> ::std::future::Ready<()> {
            ::std::future::ready(())
        }
    }

    #[singleton(swap, refresh = "5m", depends_on(Config, text, "number"), on_change = |_, _| ())]
    pub fn swapped() -> u8 {
        5
    }

    #[singleton]
    pub fn number() -> Result<u8, ::std::fmt::Error> {
        Ok(3)
    }

    #[singleton]
    pub fn text() -> String {
        String::new()
    }

    #[singleton(keyed, max_keys = 100)]
    pub fn keyed(name: &str, (a, b): (u8, u8)) -> Result<String, ::std::fmt::Error> {
        Ok(format!("{}{}{}", name, a, b))
    }

    #[singleton]
    pub static LAZY: Lazy<String> = String::new();

    impl Other {
        #[singleton]
        pub fn shared() -> Self {
            Other
        }
    }

    const FAILURES: u32 = 3;

    #[circuit_breaker(threshold = FAILURES, timeout = 2 * 30)]
    #[rate_limit("100/s")]
    pub fn guarded(id: &str) -> Result<&str, Rejected> {
        Ok(id)
    }

    #[rate_limit("100/s", on_rejected = |_| None)]
    pub fn limited(id: u8) -> Option<u8> {
        Some(id)
    }

    #[circuit_breaker(failure_rate = 50, window = "10s", key = id, ignore = |e| e.retry_after.is_none())]
    pub fn keyed_guard(id: &str) -> Result<&str, Rejected> {
        Ok(id)
    }

    #[circuit_breaker]
    pub static SHARED: CircuitBreaker;

    #[circuit_breaker(SHARED)]
    pub fn shares(id: &str) -> Result<&str, Rejected> {
        Ok(id)
    }

    #[circuit_breaker]
    impl Config {
        pub fn shared(&self) -> Result<u8, Rejected> {
            Ok(3)
        }
    }

    #[init_flag(env = "LIFECYCLE_UI_TESTS_EDITION")]
    pub static FLAG: Flag<bool> = true;
}

#[test]
fn every_edition_is_served() {
    let _ = declared::Config::instance();
    assert!(declared::Other::try_instance().is_ok());
    assert_eq!((declared::number().ok(), declared::text().len()), (Some(&3), 0));
    assert_eq!((declared::guarded("x").ok(), declared::limited(1)), (Some("x"), Some(1)));
    assert_eq!((declared::keyed_guard("x").ok(), declared::shares("y").ok()), (Some("x"), Some("y")));
    assert_eq!(declared::Config::instance().shared().ok(), Some(3));
    assert!(declared::FLAG.get());
    assert_eq!((*declared::swapped(), declared::Later::get().is_some()), (5, false));
    let _not_polled = declared::Later::instance();
}

#[lifecycle::test]
fn tests_are_served() -> Result<(), ::std::fmt::Error> {
    assert!(declared::FLAG.set(false));
    Ok(())
}

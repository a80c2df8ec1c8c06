//! Expansions need no prelude, and nothing of the user's that merely has a familiar name.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(unreachable_pub)] // the point is what stands in the module

/// Everything an expansion could mean by a bare name, as something else.
mod shadowed {
    #![allow(
        dead_code,
        non_camel_case_types,
        non_upper_case_globals,
        unused_macros,
        unused_imports,
        clippy::upper_case_acronyms
    )]
    use ::std::prelude::v1::{Default as Made, derive};

    pub struct Result;
    pub struct Option;
    pub struct Ok;
    pub struct Err;
    pub struct Some;
    pub struct None;
    pub struct Box;
    pub struct Vec;
    pub struct String;
    pub struct Duration;
    pub struct Pin;
    pub struct Permit;
    pub struct Window;
    pub struct Backoff;
    pub struct Cancelled;
    pub struct Verdict;
    pub struct CircuitBreaker;
    pub struct RateLimiter;
    pub struct KeyedCircuitBreaker;
    pub struct f64;
    pub const given: () = ();
    pub struct Rejected;
    pub struct Outcome;
    pub struct Descriptor;
    pub struct Kind;
    pub struct CELL;
    pub struct BREAKER;
    pub trait Send {}
    pub trait Sync {}
    pub trait Default {}
    pub trait Clone {}
    pub trait Fn {}
    pub trait FnOnce {}
    pub trait From {}
    pub trait Into {}
    pub trait Future {}
    pub trait Singleton {}
    pub trait Drop {}
    pub trait Termination {}
    pub struct Current;
    pub struct Cell;
    pub struct Settings;
    pub struct Ask;
    pub struct Needs;
    pub struct Infallible;
    pub mod hooks {}
    pub mod describe {}
    pub fn hot() {}
    pub fn get() {}
    pub const found: () = ();
    pub const outcome: () = ();
    pub struct u8;
    pub struct usize;
    pub struct u32;
    pub struct u64;
    pub struct bool;
    pub struct str;
    pub mod core {}
    pub mod std {}
    pub mod alloc {}
    pub mod lifecycle {}
    pub mod tracing {}
    pub mod inventory {}
    pub mod guard {}
    pub mod channel {}
    pub mod declared {}
    pub fn create() {}
    pub fn ask() {}
    pub fn breaker() {}
    pub fn limiter() {}
    pub const query: () = ();
    pub const rejected: () = ();
    pub struct Arc;
    pub struct Text;
    pub struct Holds;
    pub struct Lazy;
    pub mod keyed_parts {}
    pub mod testing {}
    pub const create_value: () = ();
    pub const admission: () = ();
    pub const value: () = ();
    pub const instance: () = ();
    pub const error: () = ();

    macro_rules! line {
        () => {
            ::std::compile_error!("the user's own `line!`")
        };
    }
    macro_rules! file {
        () => {
            ::std::compile_error!("the user's own `file!`")
        };
    }
    macro_rules! module_path {
        () => {
            ::std::compile_error!("the user's own `module_path!`")
        };
    }
    macro_rules! assert {
        () => {
            ::std::compile_error!("the user's own `assert!`")
        };
    }
    macro_rules! test {
        () => {
            ::std::compile_error!("the user's own `test!`")
        };
    }
    use {assert, file, line, module_path, test};

    #[::lifecycle::singleton]
    #[derive(Made)]
    pub struct Config {
        pub count: ::std::primitive::u8,
    }

    #[::lifecycle::singleton(try_factory = Other::load)]
    pub struct Other;

    impl Other {
        fn load() -> ::std::result::Result<Self, ::std::fmt::Error> {
            ::std::result::Result::Ok(Self)
        }
    }

    #[::lifecycle::singleton]
    pub fn number() -> ::std::primitive::u8 {
        3
    }

    #[::lifecycle::singleton]
    pub fn fallible() -> ::std::result::Result<::std::primitive::u8, ::std::fmt::Error> {
        ::std::result::Result::Ok(3)
    }

    #[::lifecycle::singleton(
        swap,
        try_async_factory = || async { ::std::result::Result::Ok::<_, ::std::fmt::Error>(Swapped(3)) },
        eager,
        refresh = OPEN,
        retry_backoff = "100ms..10s",
        depends_on(Config, number, "fallible"),
        shutdown = |swapped| async move { let _ = swapped; },
        reset = |swapped| { let _ = swapped; },
        pressure = |_| 3,
        health = |_| true,
        memory = |_| 3,
        on_retire = |_| {},
        on_change = |_, _| {}
    )]
    pub struct Swapped(pub ::std::primitive::u8);

    #[::lifecycle::singleton(init_timeout = OPEN, shutdown = |_| {})]
    pub async fn number_async() -> ::std::primitive::u8 {
        let ((), ()) = (instance, error);
        3
    }

    #[::lifecycle::singleton(swap, retry_backoff = OPEN)]
    pub async fn fallible_async() -> ::std::result::Result<::std::primitive::u8, Refused> {
        ::std::result::Result::Ok(3)
    }

    #[::lifecycle::singleton(swap)]
    pub fn swapped() -> ::std::primitive::u8 {
        3
    }

    impl Other {
        #[::lifecycle::singleton]
        pub async fn said() -> ::std::primitive::u8 {
            let _ = Self::load();
            3
        }
    }

    pub struct Refused;

    impl ::std::convert::From<::lifecycle::SingletonError> for Refused {
        fn from(_: ::lifecycle::SingletonError) -> Self {
            Self
        }
    }

    const FAILURES: ::std::primitive::u32 = 3;
    const OPEN: ::std::time::Duration = ::std::time::Duration::from_secs(3);
    const WINDOW: ::lifecycle::Window = ::lifecycle::Window::Calls(10);
    const GROWTH: ::std::primitive::f64 = 2.0;

    #[::lifecycle::circuit_breaker(threshold = FAILURES, timeout = OPEN)]
    #[::lifecycle::rate_limit("100/s")]
    pub fn guarded(
        breaker: ::std::primitive::u8,
    ) -> ::std::result::Result<::std::primitive::u8, ::lifecycle::Rejected> {
        ::std::result::Result::Ok(breaker)
    }

    #[::lifecycle::circuit_breaker(threshold = FAILURES, on_rejected = |_| limiter)]
    #[::lifecycle::rate_limit("100/s")]
    pub async fn guarded_async(
        limiter: ::std::primitive::u8,
        failed: ::std::primitive::u8,
    ) -> ::std::result::Result<::std::primitive::u8, ::std::primitive::u8> {
        let () = rejected;
        ::std::result::Result::Ok(limiter + failed)
    }

    // Locals and statics of ours are not in the body's reach: this is the argument and the module's const.
    #[::lifecycle::circuit_breaker(on_rejected = |_| failed)]
    pub fn body_sees_its_own(failed: ::std::primitive::u8) -> ::std::primitive::u8 {
        let () = value;
        failed
    }

    #[::lifecycle::circuit_breaker(
        failure_rate = FAILURES,
        window = WINDOW,
        minimum_calls = 2,
        backoff = exponential(factor = GROWTH, cap = OPEN, jitter = 10),
        cancelled = neutral,
        ignore = |e| { let () = *e; true },
        failure_if = ::std::result::Result::is_err,
        on_rejected = |_| {},
        key = key,
        max_keys = FAILURES
    )]
    #[::lifecycle::rate_limit("100/s", key = key.len())]
    pub async fn with_policies(key: &::std::primitive::str) -> ::std::result::Result<::std::primitive::usize, ()> {
        let () = value;
        ::std::result::Result::Ok(key.len())
    }

    #[::lifecycle::circuit_breaker(timeout = OPEN)]
    pub static SHARED: ::lifecycle::CircuitBreaker;

    #[::lifecycle::rate_limit(limit = FAILURES, window = OPEN)]
    pub static LIMITED: ::lifecycle::RateLimiter;

    #[::lifecycle::circuit_breaker(SHARED)]
    #[::lifecycle::rate_limit(&LIMITED)]
    pub fn shares(id: ::std::primitive::u8) -> ::std::result::Result<::std::primitive::u8, ::lifecycle::Rejected> {
        ::std::result::Result::Ok(id)
    }

    #[::lifecycle::circuit_breaker(SHARED)]
    #[::lifecycle::rate_limit("9/s", permits = permits, on_limit = wait(OPEN), mode = gcra(burst = FAILURES))]
    pub fn waits(
        permits: ::std::primitive::u32,
    ) -> ::std::result::Result<::std::primitive::u32, ::lifecycle::Rejected> {
        ::std::result::Result::Ok(permits)
    }

    #[::lifecycle::rate_limit("9/s", key = permits, permits = permits, on_limit = wait(OPEN), mode = gcra(burst = 2))]
    pub async fn waits_async(
        permits: ::std::primitive::u32,
    ) -> ::std::result::Result<::std::primitive::u32, ::lifecycle::Rejected> {
        ::std::result::Result::Ok(permits)
    }

    #[::lifecycle::circuit_breaker(dispatch)]
    pub fn executed() -> ::std::result::Result<::std::primitive::u8, ::lifecycle::Rejected> {
        ::std::result::Result::Ok(3)
    }

    #[::lifecycle::circuit_breaker]
    #[::lifecycle::rate_limit("100/s")]
    impl Refused {
        pub fn shared(&self) -> ::std::result::Result<::std::primitive::u8, ::lifecycle::Rejected> {
            ::std::result::Result::Ok(3)
        }

        #[::lifecycle::circuit_breaker(skip)]
        #[::lifecycle::rate_limit(include)]
        pub async fn other(self) -> ::std::result::Result<Self, ::lifecycle::Rejected> {
            ::std::result::Result::Ok(self)
        }
    }

    pub async fn sum() -> ::std::primitive::u8 {
        let ::std::result::Result::Ok(type_) = Swapped::try_current().await else { return 0 };
        let ::std::result::Result::Ok(function) = fallible_async().await else { return 0 };
        type_.0 + *function + *number_async().await + *swapped() + *Other::said().await
    }

    #[::lifecycle::init_flag(env = "X")]
    pub static FLAG: ::lifecycle::Flag<::std::primitive::bool> = true;

    #[derive(::lifecycle::FlagValue)]
    pub enum Word {
        None,
        Some,
        Ok,
        #[flag_value(rename = "err")]
        Err,
    }

    #[::lifecycle::init_flag(secret)]
    pub static WORD: ::lifecycle::Flag<Word> = Word::None;

    #[::lifecycle::init_flag(on_initialize, init_timeout = "1s")]
    pub fn step() {}

    #[::lifecycle::init_flag(depends_on(step))]
    pub async fn async_step() -> ::std::result::Result<(), ::lifecycle::SingletonError> {
        step();
        ::std::result::Result::Ok(())
    }

    #[::lifecycle::singleton(keyed, max_keys = FAILURES)]
    pub fn keyed(
        name: &::std::primitive::str,
        (a, _): (::std::primitive::u8, ::std::primitive::u8),
    ) -> ::std::primitive::usize {
        name.len() + a as ::std::primitive::usize
    }

    #[::lifecycle::singleton(keyed)]
    pub async fn keyed_async(
        key: ::std::string::String,
    ) -> ::std::result::Result<::std::string::String, ::std::fmt::Error> {
        let () = query;
        ::std::result::Result::Ok(key)
    }

    #[::lifecycle::singleton]
    pub static LAZY: ::lifecycle::Lazy<::std::primitive::u8> = 3;

    #[::lifecycle::singleton]
    pub static LAZY_FUNCTION: ::lifecycle::Lazy<::std::primitive::u8> = ::lifecycle::Lazy::new(|| 3);

    impl Config {
        #[::lifecycle::singleton]
        pub fn shared() -> ::std::result::Result<Self, ::std::fmt::Error> {
            ::std::result::Result::Ok(Self { count: 3 })
        }
    }

    #[::lifecycle::test]
    fn in_a_world() {}

    #[::lifecycle::test]
    fn in_a_world_with_a_result() -> ::std::result::Result<(), ::std::fmt::Error> {
        ::std::result::Result::Ok(())
    }
}

#[::std::prelude::v1::test]
fn nothing_is_taken_from_the_surroundings() {
    let ::std::result::Result::Ok(three) = shadowed::guarded(3) else { ::std::panic!("refused") };
    ::std::assert_eq!(three, 3);
    ::std::assert_eq!(::futures_executor::block_on(shadowed::guarded_async(1, 2)), ::std::result::Result::Ok(3));
    ::std::assert_eq!(shadowed::body_sees_its_own(3), 3);
    ::std::assert_eq!(::futures_executor::block_on(shadowed::with_policies("ab")), ::std::result::Result::Ok(2));
    ::std::assert!(shadowed::shares(3).is_ok() && shadowed::executed().is_ok() && shadowed::Refused.shared().is_ok());
    ::std::assert!(::futures_executor::block_on(shadowed::Refused.other()).is_ok());
    ::std::assert_eq!(shadowed::LIMITED.usage().used, 1);
    ::std::assert_eq!(shadowed::Config::instance().count, 0);
    ::std::assert!(shadowed::Other::try_instance().is_ok());
    ::std::assert_eq!(*shadowed::number(), 3);
    ::std::assert!(shadowed::fallible().is_ok());
    ::std::assert!(shadowed::FLAG.get());
    ::std::assert_eq!(*shadowed::keyed("ab", (1, 2)), 3);
    let later = ::futures_executor::block_on(shadowed::keyed_async(::std::string::String::new()));
    ::std::assert!(later.is_ok_and(|text| text.is_empty()));
    ::std::assert_eq!(*shadowed::LAZY + *shadowed::LAZY_FUNCTION, 6);
    ::std::assert!(shadowed::Config::shared().is_ok());
    ::std::assert_eq!(::futures_executor::block_on(shadowed::sum()), 15);
}

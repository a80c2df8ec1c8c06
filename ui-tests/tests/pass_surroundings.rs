//! What stands around a declaration: other attributes, guards in any spelling, `cfg`, visibilities, places, macros.
//!
//! Long because it is a list: each case stands for itself, and another file would be another binary to link.

#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(unreachable_pub)] // the point is what stands in the module

use lifecycle::testing::isolated;
use lifecycle::{
    CircuitBreaker, Flag, Rejected, SingletonError, State, circuit_breaker, init_flag, rate_limit, singleton,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

// Stacked guards meet in one wrapper, however the other one is spelled

mod names {
    pub use lifecycle::circuit_breaker as fuse;
    pub use lifecycle::rate_limit as limit;
}
use names::limit;

#[circuit_breaker(threshold = 1)]
#[rate_limit("2/s")]
fn breaker_first(fail: bool) -> Result<u8, Failed> {
    fails_if(fail)
}

#[rate_limit("2/s")]
#[circuit_breaker(threshold = 1)]
fn limiter_first(fail: bool) -> Result<u8, Failed> {
    fails_if(fail)
}

#[names::fuse(threshold = 1)]
#[limit("2/s")]
fn aliases(fail: bool) -> Result<u8, Failed> {
    fails_if(fail)
}

#[cfg_attr(all(), rate_limit("2/s"))]
#[cfg_attr(all(), lifecycle::circuit_breaker(threshold = 1))]
fn behind_cfg_attr(fail: bool) -> Result<u8, Failed> {
    fails_if(fail)
}

/// Comments and inert attributes between.
#[rate_limit("2/s")]
#[inline]
#[allow(clippy::let_and_return)]
#[::lifecycle::circuit_breaker(threshold = 1)]
#[track_caller]
fn between(fail: bool) -> Result<u8, Failed> {
    let value = fails_if(fail);
    value
}

/// A refusal would be no failure.
#[derive(Debug)]
enum Failed {
    Refused(Rejected),
    Down,
}

impl From<Rejected> for Failed {
    fn from(rejected: Rejected) -> Self {
        Self::Refused(rejected)
    }
}

fn fails_if(fail: bool) -> Result<u8, Failed> {
    if fail { Err(Failed::Down) } else { Ok(1) }
}

/// Design 4.8: an open breaker refuses without a permit of the limiter; a refusal by the limiter is no failure.
#[test]
fn guards_work_in_their_order_whichever_is_written_first() {
    type Guarded = fn(bool) -> Result<u8, Failed>;
    let refused_by = |result| match result {
        Err(Failed::Refused(rejected)) => Some(rejected.kind),
        Ok(_) | Err(Failed::Down) => None,
    };
    let all: [(&str, Guarded); 5] = [
        ("breaker_first", breaker_first),
        ("limiter_first", limiter_first),
        ("aliases", aliases),
        ("behind_cfg_attr", behind_cfg_attr),
        ("between", between),
    ];
    for (name, call) in all {
        let state = || lifecycle::breaker(name).map(|breaker| breaker.state()).ok();
        isolated(|| {
            assert_eq!((call(false).is_ok(), call(false).is_ok()), (true, true), "{name}");
            assert_eq!(refused_by(call(false)), Some(lifecycle::RejectedKind::RateLimited), "{name}");
            assert_eq!(state(), Some(State::Closed), "{name}: the limiter's refusal is no failure");
        });
        isolated(|| {
            assert!(call(true).is_err());
            assert_eq!(state(), Some(State::Open), "{name}");
            for _ in 0..5 {
                assert_eq!(refused_by(call(false)), Some(lifecycle::RejectedKind::Open), "{name}");
            }
            let used = lifecycle::limiter(name).map(|limiter| limiter.usage().used);
            assert_eq!(used.ok(), Some(1), "{name}: refusals of the breaker took permits");
        });
    }
}

// Options that are const expressions

mod limits {
    pub const FAILURES: u32 = 3;
    pub const OPEN: std::time::Duration = std::time::Duration::from_millis(250);
    pub const SECONDS: u64 = 30;
}

#[circuit_breaker(threshold = limits::FAILURES - 1, timeout = limits::OPEN)]
fn const_options() -> Result<u8, Rejected> {
    Ok(1)
}

#[circuit_breaker(threshold = 3_000u32, timeout = limits::SECONDS)]
fn const_seconds() -> Result<u8, Rejected> {
    Ok(1)
}

#[circuit_breaker(timeout = 2 * 30, slow_call = "1.5s", half_open_calls = 2, success_threshold = 2, half_open_timeout = "1min",)]
fn all_options() -> Result<u8, Rejected> {
    Ok(1)
}

#[circuit_breaker(timeout = u64::MAX)]
fn for_ever() -> Result<u8, Rejected> {
    Ok(1)
}

#[rate_limit(limit = limits::FAILURES, window = "250ms")]
fn const_rate() -> Result<u8, Rejected> {
    Ok(1)
}

#[test]
fn const_options_arrive() {
    let config = |name: &str| lifecycle::breaker(name).map(|breaker| breaker.config().to_string()).unwrap_or_default();
    let _ = (const_options(), const_seconds(), all_options(), for_ever(), const_rate());
    assert!(
        config("const_options").contains('2') && config("const_options").contains("250ms"),
        "{}",
        config("const_options")
    );
    assert!(
        config("const_seconds").contains("3000") && config("const_seconds").contains("30s"),
        "{}",
        config("const_seconds")
    );
    let usage = lifecycle::limiter("const_rate").map(|limiter| limiter.usage());
    assert!(usage.is_ok_and(|usage| usage.limit == 3 && usage.window == Duration::from_millis(250)));
}

// Values that come through macro_rules!

macro_rules! declare {
    ($vis:vis $name:ident, $breaker:literal, $threshold:expr, $rate:literal, $ty:ty, $body:block) => {
        #[circuit_breaker(threshold = $threshold, name = $breaker)]
        #[rate_limit($rate)]
        $vis fn $name() -> Result<$ty, Rejected> $body
    };
}
declare!(pub(crate) by_macro, "by-macro", limits::FAILURES, "5/s", u8, { Ok(7) });

macro_rules! declare_item {
    ($item:item) => {
        #[singleton]
        $item
    };
}
declare_item! {
    #[derive(Default)]
    struct FromItem {
        value: u8,
    }
}
declare_item! {
    fn item_function() -> Vec<u8> {
        vec![1]
    }
}

macro_rules! declare_guards {
    ($static:ident, $name:ident, $given:expr, $key:expr, $type:ident, $method:item, $ignore:expr) => {
        #[circuit_breaker(failure_rate = 50)]
        static $static: CircuitBreaker;

        #[circuit_breaker($given)]
        #[rate_limit("5/s", key = $key)]
        fn $name() -> Result<u8, Rejected> {
            Ok(7)
        }

        struct $type;

        #[circuit_breaker(ignore = $ignore)]
        impl $type {
            $method
        }
    };
}
declare_guards!(
    GUARD_BY_MACRO,
    guarded_by_macro,
    GUARD_BY_MACRO,
    3 + 4,
    ImplByMacro,
    fn method() -> Result<u8, Rejected> {
        Ok(9)
    },
    |error| error.retry_after.is_none()
);

#[test]
fn declarations_come_out_of_macros() {
    assert_eq!((guarded_by_macro(), ImplByMacro::method()), (Ok(7), Ok(9)));
    assert!(lifecycle::breaker("guard_by_macro").is_ok() && lifecycle::breaker("impl_by_macro").is_ok());
    assert_eq!(by_macro(), Ok(7));
    assert_eq!((FromItem::instance().value, item_function().len()), (0, 1));
    assert!(lifecycle::breaker("by-macro").is_ok());
}

// cfg: with the item goes everything that was generated

#[singleton]
#[cfg(any())]
struct Absent {
    missing: Type,
}

#[init_flag]
#[cfg(any())]
static ABSENT: Flag<Missing> = 1;

#[circuit_breaker]
#[cfg(any())]
fn absent() -> Missing {}

#[singleton]
#[cfg(not(any()))]
#[derive(Default)]
struct Present;

// Visibilities and places

mod inner {
    use lifecycle::{Flag, init_flag, singleton};

    #[singleton]
    #[derive(Default)]
    pub(in super::inner) struct Hidden;

    #[singleton(factory = || Shown { made: 3 })]
    pub(super) struct Shown {
        pub(super) made: u8,
    }

    #[init_flag(name = "inner_flag")]
    pub(super) static FLAG: Flag<u64> = Flag::new(1 << 40);

    pub fn hidden() -> bool {
        Hidden::get().is_some() || std::ptr::eq(Hidden::instance(), Hidden::instance())
    }
}

mod other {
    // The names of the module above once more.
    #[lifecycle::singleton]
    #[derive(Default)]
    pub struct Shown;

    #[lifecycle::singleton]
    pub fn config() -> u8 {
        2
    }
}

/// The first of five.
#[singleton]
pub fn config() -> u8 {
    1
}

struct Holder;

impl Holder {
    #[singleton]
    fn config() -> u8 {
        3
    }

    #[singleton]
    pub fn table() -> Vec<u8> {
        vec![Self::start()]
    }

    fn start() -> u8 {
        4
    }
}

fn nested() -> &'static u8 {
    #[singleton]
    fn config() -> u8 {
        5
    }
    config()
}

const _: () = {
    #[singleton]
    #[derive(Default)]
    #[allow(dead_code)]
    struct InConst;
};

#[test]
fn equal_names_in_different_places_do_not_collide() {
    let _ = Present::instance();
    assert!(inner::hidden());
    assert_eq!((inner::Shown::instance().made, inner::FLAG.get()), (3, 1 << 40));
    let _ = other::Shown::instance();
    let in_closure = || {
        #[singleton]
        fn config() -> u8 {
            6
        }
        config()
    };
    assert_eq!([config(), other::config(), Holder::config(), nested(), in_closure()], [&1, &2, &3, &5, &6]);
    assert_eq!(Holder::table(), &[4]);
}

// Singletons by type and by function

static MADE: AtomicU32 = AtomicU32::new(0);

#[derive(Debug, thiserror::Error)]
enum DbError {
    #[error("refused {0}")]
    Refused(u32),
    #[error(transparent)]
    Singleton(#[from] SingletonError),
}

#[singleton]
fn pool() -> Result<Vec<u32>, DbError> {
    match MADE.fetch_add(1, Ordering::Relaxed) {
        0 => Err(DbError::Refused(0)),
        n => Ok(vec![n]),
    }
}

/// An error that says nothing about singletons, is not even `Debug`, and may stay so.
struct Silent;

#[singleton]
fn silent() -> Result<u8, Silent> {
    Err(Silent)
}

#[singleton(try_factory = Parsed::parse, name = "parsed")]
struct Parsed {
    value: u8,
}

impl Parsed {
    fn parse() -> Result<Self, std::num::ParseIntError> {
        Ok(Self { value: "3".parse()? })
    }
}

#[singleton(try_factory = || "x".parse::<u8>().map(|_| Unparsed))]
struct Unparsed;

#[singleton]
fn repository() -> Box<dyn Fn(u8) -> u8 + Send + Sync> {
    Box::new(|x| x + 1)
}

#[singleton]
fn text() -> &'static str {
    "text"
}

#[singleton]
fn maybe() -> Option<u8> {
    None
}

#[derive(Default, PartialEq, Debug)]
#[singleton]
enum Mode {
    #[default]
    Quiet,
    #[allow(dead_code)]
    Loud,
}

#[test]
fn singletons() {
    isolated(|| {
        MADE.store(0, Ordering::Relaxed);
        assert!(matches!(pool(), Err(DbError::Refused(0))));
        assert_eq!(pool().ok(), Some(&vec![1]));
        assert_eq!(pool().ok(), Some(&vec![1]));
        assert!(silent().is_err());
        assert_eq!(Parsed::get().map(|parsed| parsed.value), None);
        assert_eq!(Parsed::try_instance().ok().map(|parsed| parsed.value), Some(3));
        assert_eq!(Parsed::get().map(|parsed| parsed.value), Some(3));
        let error = Unparsed::try_instance().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("unparsed"), "{error}");
        assert_eq!(repository()(1), 2);
        assert_eq!((*text(), *maybe(), Mode::instance()), ("text", None, &Mode::Quiet));
    });
}

// Attributes on the item are kept

#[circuit_breaker]
/// Old.
#[deprecated(note = "only to see that it is kept")]
#[doc(hidden)]
#[cold]
#[cfg_attr(any(), nonsense)]
#[expect(unused_variables, reason = "fulfilled: attributes reach the body")]
pub fn old(id: u8) -> Result<(), Rejected> {
    let unused = 1;
    Ok(())
}

#[circuit_breaker]
#[test]
fn tests_can_be_guarded() -> Result<(), Rejected> {
    Ok(())
}

#[test]
#[rate_limit("3/s")]
fn tests_can_be_limited() -> Result<(), Rejected> {
    Ok(())
}

#[test]
fn attributes_are_kept() {
    #[allow(deprecated)]
    let result = old(1);
    assert!(result.is_ok());
}

// Flags

#[init_flag]
static FEATURE: lifecycle::Flag<bool> = !false;
#[init_flag(env = "LIFECYCLE_UI_TESTS_LIMIT")]
static LIMIT: Flag<u32> = limits::FAILURES;
#[init_flag]
static PAUSE: Flag<Duration> = Flag::new(Duration::from_secs(3));
type Switch = Flag<bool>;
#[init_flag]
static SWITCH: Switch = Switch::new(false);

#[test]
fn flags() {
    isolated(|| {
        assert_eq!((FEATURE.get(), LIMIT.get(), PAUSE.get(), SWITCH.get()), (true, 3, Duration::from_secs(3), false));
        SWITCH.set(true);
        assert!(SWITCH.get());
    });
}

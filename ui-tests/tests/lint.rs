//! No lint leaks out of an expansion: every lint of rustc and clippy is on, over each macro.
//!
//! `cargo clippy -p lifecycle-ui-tests --test lint -- -D warnings` must be silent. An exception is only for what stands in
//! this file itself, with its reason.

#![forbid(unsafe_code)]
// Every lint of rustc that is off by default and exists on stable (`rustc -W help`).
#![deny(
    absolute_paths_not_starting_with_crate,
    ambiguous_negative_literals,
    closure_returning_async_block,
    deprecated_in_future,
    deprecated_safe_2024,
    edition_2024_expr_fragment_specifier,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    ffi_unwind_calls,
    if_let_rescope,
    impl_trait_overcaptures,
    impl_trait_redundant_captures,
    keyword_idents_2018,
    keyword_idents_2024,
    let_underscore_drop,
    macro_use_extern_crate,
    meta_variable_misuse,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    missing_unsafe_on_extern,
    non_ascii_idents,
    redundant_imports,
    redundant_lifetimes,
    rust_2021_incompatible_closure_captures,
    rust_2021_incompatible_or_patterns,
    rust_2021_prefixes_incompatible_syntax,
    rust_2021_prelude_collisions,
    rust_2024_guarded_string_incompatible_syntax,
    rust_2024_incompatible_pat,
    rust_2024_prelude_collisions,
    single_use_lifetimes,
    tail_expr_drop_order,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_attr_outside_unsafe,
    unsafe_op_in_unsafe_fn,
    unstable_features,
    unused_extern_crates,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![deny(
    future_incompatible,
    let_underscore,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_idioms,
    unused,
    warnings
)]
#![warn(
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    clippy::restriction,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason
)]
#![allow(clippy::blanket_clippy_restriction_lints, reason = "all of them on is the purpose of this file")]
#![allow(clippy::needless_return, reason = "the opposite of clippy::implicit_return: one of the two must be off")]
#![allow(
    clippy::arbitrary_source_item_ordering,
    clippy::multiple_inherent_impl,
    reason = "this file is ordered by macro, and has an impl for each"
)]

extern crate alloc;

use alloc::sync::Arc;
use core::future::ready;
use core::num::ParseIntError;
use core::pin::Pin;
use core::time::Duration;
use lifecycle::{
    CircuitBreaker, Flag, FlagValue, Lazy, RateLimiter, Rejected, SingletonError, circuit_breaker, init_flag,
    rate_limit, singleton,
};

/// A type without options.
#[singleton]
#[derive(Debug, Default, Clone, Copy)]
#[non_exhaustive]
pub struct Minimal;

/// A type with all options.
#[singleton(factory = Rich::new, name = "rich-type", crate = ::lifecycle)]
#[derive(Debug)]
#[non_exhaustive]
pub struct Rich {
    /// A field.
    pub field: Vec<u8>,
    /// Another.
    pub other: u8,
}

impl Rich {
    /// Makes one.
    const fn new() -> Self {
        return Self { field: Vec::new(), other: 0 };
    }
}

/// A type whose factory can fail.
#[singleton(try_factory = Fallible::parse)]
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Fallible {
    /// A field.
    pub value: u8,
}

impl Fallible {
    /// Makes one.
    ///
    /// # Errors
    /// Never.
    #[inline]
    pub fn parse() -> Result<Self, ParseIntError> {
        return "3".parse().map(|value| return Self { value });
    }
}

/// An enum.
#[singleton]
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// The only one.
    #[default]
    Quiet,
}

/// A private type, none of whose accessors is called.
#[singleton]
#[derive(Debug, Default, Clone, Copy)]
struct Unasked;

/// A function that gives a value.
#[singleton]
#[must_use]
#[inline]
pub fn greeting() -> String {
    return String::new();
}

/// A function that can fail.
///
/// # Errors
/// Never.
#[singleton(name = "rich-function")]
#[inline]
pub fn number() -> Result<u8, ParseIntError> {
    return "3".parse();
}

/// A trait object in a box.
#[singleton]
#[must_use]
#[inline]
pub fn boxed_trait() -> Box<dyn Send + Sync> {
    return Box::new(3);
}

/// A box that may be missing.
///
/// # Errors
/// Never.
#[singleton]
#[inline]
pub fn boxed_fallible() -> Result<Box<dyn Send + Sync>, ParseIntError> {
    return Ok(Box::new(3));
}

impl Rich {
    /// A function whose body says `Self`.
    #[singleton]
    #[must_use]
    #[inline]
    pub fn shared() -> Vec<u8> {
        return Self::new().field;
    }
}

/// A swapped type with every option and hook.
#[singleton(
    swap,
    try_async_factory = Swapped::load,
    eager,
    refresh = "5m",
    init_timeout = LIMIT,
    retry_backoff = "100ms..10s",
    depends_on(Minimal, greeting, "rich-function"),
    scope = process,
    shutdown = Swapped::close,
    on_retire = Swapped::note,
    reset = |swapped| return swapped.note(),
    pressure = Swapped::size,
    health = |swapped| return !swapped.value.is_empty(),
    memory = Swapped::size,
    on_change = |old, new| return old.note_beside(new)
)]
#[derive(Debug)]
#[non_exhaustive]
pub struct Swapped {
    /// A field.
    pub value: Vec<u8>,
}

/// How long its creation may take.
const LIMIT: Duration = Duration::from_secs(5);

impl Swapped {
    /// Makes one.
    ///
    /// # Errors
    /// Never.
    #[inline]
    pub async fn load() -> Result<Self, ParseIntError> {
        ready(()).await;
        return "3".parse().map(|value| return Self { value: vec![value] });
    }

    /// Ends it.
    #[inline]
    pub async fn close(&self) {
        let _: &[u8] = ready(&*self.value).await;
    }

    /// Nothing.
    #[inline]
    pub const fn note(&self) {
        let _: &Vec<u8> = &self.value;
    }

    /// Nothing.
    #[inline]
    pub const fn note_beside(&self, other: &Self) {
        let _: (&Vec<u8>, &Vec<u8>) = (&self.value, &other.value);
    }

    /// Its size.
    #[must_use]
    #[inline]
    pub const fn size(&self) -> usize {
        return self.value.len();
    }
}

/// An async type.
#[singleton(async_factory = Later::make, shutdown = |_| return)]
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Later;

impl Later {
    /// Makes one.
    #[inline]
    pub async fn make() -> Self {
        return ready(Self).await;
    }

    /// A body that says `Self`.
    #[singleton]
    #[inline]
    pub async fn said() -> Vec<u8> {
        let Self = Self::make().await;
        return Vec::new();
    }
}

/// An async function.
#[singleton]
#[inline]
pub async fn text() -> String {
    return ready(String::new()).await;
}

/// An async function that can fail.
///
/// # Errors
/// Never.
#[singleton(retry_backoff = "1s", health = |_| return async { return true })]
#[inline]
pub async fn parsed() -> Result<u8, Failure> {
    return ready("3").await.parse().map_err(Failure::Parse);
}

/// A swapped function.
#[singleton(swap, refresh = LIMIT)]
#[must_use]
#[inline]
pub fn swapped() -> Vec<u8> {
    return Vec::new();
}

/// What can go wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// No number.
    Parse(ParseIntError),
    /// No creation.
    Refused(SingletonError),
}

impl From<SingletonError> for Failure {
    #[inline]
    fn from(error: SingletonError) -> Self {
        return Self::Refused(error);
    }
}

/// What the guarded functions may say.
const FAILURES: u32 = 3;

/// Minimal.
///
/// # Errors
/// A refusal.
#[circuit_breaker]
#[inline]
pub fn guarded(id: u8) -> Result<u8, Rejected> {
    return Ok(id);
}

/// All options.
///
/// # Errors
/// A refusal.
#[circuit_breaker(
    threshold = FAILURES,
    timeout = "250ms",
    slow_call = "2s",
    half_open_calls = 1,
    success_threshold = 1,
    half_open_timeout = "30s",
    name = "rich-guard",
    on_rejected = |rejected| return format!("{id}: {rejected}"),
    crate = ::lifecycle
)]
#[inline]
pub fn guarded_rich<T: Into<String>>(id: u8, text: T) -> Result<String, String> {
    let mut owned: String = text.into();
    owned.push(char::from(id));
    return Ok(owned);
}

/// Async.
///
/// # Errors
/// A refusal.
#[circuit_breaker]
#[inline]
pub async fn guarded_async(id: &str) -> Result<&str, Rejected> {
    ready(()).await;
    return Ok(id);
}

/// Both guards.
///
/// # Errors
/// A refusal.
#[circuit_breaker(threshold = FAILURES)]
#[rate_limit("100/s")]
#[inline]
pub async fn both(id: &str) -> Result<&str, Rejected> {
    ready(()).await;
    return Ok(id);
}

/// A limiter.
///
/// # Errors
/// A refusal.
#[rate_limit("100/s")]
#[inline]
pub fn limited(id: &str) -> Result<&str, Rejected> {
    return Ok(id);
}

/// All options of a limiter.
#[rate_limit(limit = FAILURES, window = "250ms", name = "rich-limit", on_rejected = |_| return None)]
#[must_use]
#[inline]
pub fn limited_rich(id: u8) -> Option<u8> {
    return Some(id);
}

/// Waits for its permits.
///
/// # Errors
/// A refusal.
#[rate_limit("100/s", permits = u32::from(id), on_limit = wait("50ms"), mode = gcra(burst = FAILURES))]
#[inline]
pub fn waits(id: u8) -> Result<u8, Rejected> {
    return Ok(id);
}

/// Waits for its permits, and the breaker is looked at first.
///
/// # Errors
/// A refusal.
#[circuit_breaker(SHARED)]
#[rate_limit(LIMITED, permits = 2, on_limit = wait(PATIENCE), fallback = instead)]
#[inline]
pub async fn waits_async(id: u8) -> Result<u8, Rejected> {
    ready(()).await;
    return Ok(id);
}

/// What is given instead.
///
/// # Errors
/// None.
#[inline]
pub async fn instead(id: u8) -> Result<u8, Rejected> {
    ready(()).await;
    return Ok(id);
}

/// How long a call waits.
const PATIENCE: Duration = Duration::from_secs(1);

/// Nothing to give.
#[rate_limit("100/s", on_rejected = drop)]
#[inline]
pub fn silent() {}

/// A fallback.
#[rate_limit("100/s", fallback = cached)]
#[must_use]
#[inline]
pub fn fetched(id: u8, (left, _right): (u8, u8)) -> u8 {
    return id.wrapping_add(left);
}

/// What is given instead.
#[must_use]
#[inline]
pub const fn cached(id: u8, _pair: (u8, u8)) -> u8 {
    return id;
}

/// A future that is built.
///
/// # Errors
/// A refusal.
#[circuit_breaker]
#[inline]
pub fn built(id: &u8) -> impl Future<Output = Result<u8, Rejected>> + use<> {
    let copy = *id;
    return ready(Ok(copy));
}

/// A future in a box.
#[circuit_breaker]
#[must_use]
#[inline]
pub fn boxed<'text>(id: &'text str) -> Pin<Box<dyn Future<Output = Result<&'text str, Rejected>> + Send + 'text>> {
    return Box::pin(async move {
        return Ok(id);
    });
}

impl Rich {
    /// A method.
    ///
    /// # Errors
    /// A refusal.
    #[circuit_breaker]
    #[inline]
    pub fn method(&mut self) -> Result<&mut u8, Rejected> {
        self.field.push(1);
        return Ok(self.field.first_mut().unwrap_or(&mut self.other));
    }
}

/// A share of a hundred.
const PERCENT: u32 = 50;

/// Policies, predicates, keys.
///
/// # Errors
/// A refusal.
#[circuit_breaker(
    failure_rate = PERCENT,
    slow_call_rate = 80,
    window = "10s",
    minimum_calls = 20,
    backoff = exponential(factor = 1.5, cap = "10m", jitter = PERCENT),
    cancelled = neutral,
    ignore = |error| return error.retry_after.is_none(),
    failure_if = |outcome| return outcome.is_err(),
    key = host,
    max_keys = 3
)]
#[rate_limit("100/s", key = host.len())]
#[inline]
pub async fn with_policies(host: &str) -> Result<&str, Rejected> {
    ready(()).await;
    return Ok(host);
}

/// A breaker to share.
#[circuit_breaker(threshold = FAILURES)]
pub static SHARED: CircuitBreaker;

/// A limiter to share.
#[rate_limit("100/s")]
pub static LIMITED: RateLimiter;

/// Shares them.
///
/// # Errors
/// A refusal.
#[circuit_breaker(SHARED)]
#[rate_limit(LIMITED)]
#[inline]
pub fn shares(id: u8) -> Result<u8, Rejected> {
    return Ok(id);
}

/// Executed by name.
///
/// # Errors
/// A refusal.
#[circuit_breaker(dispatch)]
#[inline]
pub fn executed() -> Result<u8, Rejected> {
    return Ok(3);
}

/// Has its own.
#[derive(Debug)]
#[non_exhaustive]
pub struct Client {
    /// The breaker.
    pub breaker: Arc<CircuitBreaker>,
    /// A field.
    pub field: Vec<u8>,
}

/// Whose breaker is in a field.
impl Client {
    /// By reference.
    ///
    /// # Errors
    /// A refusal.
    #[circuit_breaker(self.breaker)]
    #[inline]
    pub fn by_ref(&self) -> Result<&[u8], Rejected> {
        return Ok(&*self.field);
    }

    /// All of it.
    ///
    /// # Errors
    /// A refusal.
    #[circuit_breaker(self.breaker)]
    #[inline]
    pub async fn by_mut(&mut self) -> Result<&mut Vec<u8>, Rejected> {
        ready(()).await;
        return Ok(&mut self.field);
    }
}

/// All methods.
#[circuit_breaker(threshold = 3, on_rejected = |rejected| return rejected)]
#[rate_limit("100/s")]
impl Fallible {
    /// One.
    #[must_use]
    #[inline]
    pub const fn left_out(self) -> u8 {
        return self.value;
    }

    /// Another.
    ///
    /// # Errors
    /// A refusal.
    #[inline]
    pub fn shared(self) -> Result<Self, Rejected> {
        return Ok(self);
    }

    /// A third.
    ///
    /// # Errors
    /// A refusal.
    #[circuit_breaker(skip)]
    #[rate_limit(skip)]
    #[inline]
    pub const fn skipped(self) -> Result<Self, Rejected> {
        return Ok(self);
    }
}

/// One instance for each argument.
#[singleton(keyed)]
#[must_use]
#[inline]
pub fn table(name: &str) -> String {
    return name.to_owned();
}

/// The same with everything.
///
/// # Errors
/// Never.
#[singleton(keyed, max_keys = FAILURES, name = "rich-table", crate = ::lifecycle)]
#[inline]
pub fn rich_table(mut name: String, (left, _right): (u8, u8), _unused: &u8) -> Result<String, ParseIntError> {
    let number: u8 = match name.parse() {
        Ok(parsed) => parsed,
        Err(error) => return Err(error),
    };
    name.push(char::from(left.wrapping_add(number)));
    return Ok(name);
}

/// Arguments that only the key needs to own.
#[singleton(keyed)]
fn private_table(name: String, mut numbers: Vec<u8>, rows: &[u8]) -> Vec<u8> {
    numbers.extend_from_slice(rows);
    numbers.extend(name.into_bytes());
    return numbers;
}

/// Who asks for it.
#[must_use]
#[inline]
pub fn asks_for_private_table() -> usize {
    let first = private_table(String::new(), Vec::new(), &[1]);
    return private_table(String::new(), Vec::new(), &first).len();
}

/// Async.
#[singleton(keyed)]
#[inline]
pub async fn table_async(name: &str, numbers: Vec<u8>) -> String {
    ready(()).await;
    return format!("{name}{}", numbers.len());
}

/// Async, and it can fail.
///
/// # Errors
/// Never.
#[singleton(keyed)]
#[inline]
pub async fn table_async_fallible(name: String) -> Result<u8, ParseIntError> {
    ready(()).await;
    return name.parse();
}

impl Rich {
    /// A body that says `Self`.
    #[singleton(keyed)]
    #[must_use]
    #[inline]
    pub fn of_name(name: &str) -> usize {
        return Self::new().field.len().wrapping_add(name.len());
    }

    /// A signature that says `Self`.
    #[singleton]
    #[must_use]
    #[inline]
    pub fn common() -> Self {
        return Self::new();
    }

    /// The same, and it can fail.
    ///
    /// # Errors
    /// Never.
    #[singleton]
    #[inline]
    pub fn common_fallible() -> Result<Self, ParseIntError> {
        return Ok(Self::new());
    }
}

/// A static.
#[singleton]
pub static WORDS: Lazy<Vec<u8>> = Vec::new();

/// A static with a function.
#[singleton(name = "rich-words", crate = ::lifecycle, memory = Vec::capacity)]
pub static RICH_WORDS: Lazy<Vec<u8>> = Lazy::new(|| return vec![1, 2]);

/// A private one that nobody uses.
#[singleton]
static UNUSED_WORDS: Lazy<Box<dyn Send + Sync>> = Box::new(3);

/// Minimal.
#[init_flag]
pub static USE_CACHE: Flag<bool> = true;

/// All options.
#[init_flag(env = "LIFECYCLE_UI_TESTS_LINT", name = "rich-flag", crate = ::lifecycle)]
pub static RETRIES: Flag<u32> = Flag::new(3);

/// Words.
#[derive(FlagValue, Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Compression {
    /// None.
    Off,
    /// All.
    #[flag_value(rename = "best")]
    AsSmallAsPossible,
}

/// A word that is nobody's business.
#[init_flag(secret)]
pub static COMPRESSION: Flag<Compression> = Compression::Off;

/// A text.
#[init_flag]
pub static GREETING: Flag<String> = "hello";

/// A step.
#[init_flag]
#[inline]
pub fn minimal_step() {
    let _before: bool = USE_CACHE.set(true);
}

/// A step with everything.
///
/// # Errors
/// Of the numbers.
#[init_flag(on_initialize, depends_on(minimal_step), init_timeout = "5s", name = "rich-step", crate = ::lifecycle)]
#[inline]
pub async fn rich_step() -> Result<(), SingletonError> {
    minimal_step();
    Ok(())
}

#[cfg(test)]
mod worlds {
    use super::{ParseIntError, RETRIES, USE_CACHE};

    #[lifecycle::test]
    fn plain() {
        let _old = USE_CACHE.set(false);
    }

    #[lifecycle::test]
    fn with_a_result() -> Result<(), ParseIntError> {
        let _old = RETRIES.set(7);
        return Ok(());
    }
}

/// The same from a `macro_rules!`.
macro_rules! declared {
    ($name:ident, $function:ident, $method:ident, $flag:ident) => {
        /// From a macro.
        #[singleton]
        #[derive(Debug, Default, Clone, Copy)]
        #[non_exhaustive]
        pub struct $name;

        /// From a macro.
        ///
        /// # Errors
        /// A refusal.
        #[circuit_breaker]
        #[rate_limit("3/s")]
        #[inline]
        pub fn $function(id: u8) -> Result<u8, Rejected> {
            return Ok(id);
        }

        /// From a macro.
        #[singleton]
        #[must_use]
        #[inline]
        pub fn $method() -> u8 {
            return 3;
        }

        /// From a macro.
        #[init_flag]
        pub static $flag: Flag<bool> = true;
    };
}
declared!(FromMacro, function_from_macro, value_from_macro, FLAG_FROM_MACRO);

/// A type that warns wherever it is named by somebody who should know better.
#[deprecated(note = "old")]
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Old;

/// Only the user's own mention of a deprecated type counts, and that is allowed.
///
/// # Errors
/// A refusal.
#[circuit_breaker]
#[inline]
#[expect(deprecated, reason = "the user knows")]
pub fn old(old: Old) -> Result<Old, Rejected> {
    return Ok(old);
}

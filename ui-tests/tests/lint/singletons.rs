//! Singletons.

use core::future::ready;
use core::num::ParseIntError;
use core::time::Duration;
use lifecycle::{Lazy, SingletonError, singleton};

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

/// One instance for each argument.
#[singleton(keyed)]
#[must_use]
#[inline]
pub fn table(name: &str) -> String {
    return name.to_owned();
}

/// How many tables.
const TABLES: u32 = 3;

/// The same with everything.
///
/// # Errors
/// Never.
#[singleton(keyed, max_keys = TABLES, name = "rich-table", crate = ::lifecycle)]
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

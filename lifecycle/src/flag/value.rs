//! What a flag can hold, and how that is written. Most values fit one 64-bit word (`word`), so that reading one is one atomic
//! load; texts do not (`text`).

use serde_json::Value;

pub(super) mod sealed {
    /// How a flag shows its value to readers.
    pub trait Published<H>: Send + Sync + 'static {
        /// Readers take the slow way.
        #[allow(clippy::declare_interior_mutable_const, reason = "each use makes one of its own")]
        const HIDDEN: Self;

        fn show(&self, held: &H);

        fn hide(&self);
    }

    /// `FlagValue` is implemented here only, so that it can grow.
    pub trait Sealed {}
}
pub(super) use sealed::Published;

/// A type that a [`Flag`](super::Flag) can hold: `bool`, the integers up to 64 bits, `f64`, [`Duration`](std::time::Duration),
/// `String`, and enums that derive this.
///
/// | type | in an environment variable | in JSON |
/// |---|---|---|
/// | `bool` | `true`, `1`, `yes`, `on` / `false`, `0`, `no`, `off`, in any case | a boolean |
/// | integers | decimal digits, which `_` may part, with a sign where the type has one | a whole number |
/// | `f64` | a decimal number | a number |
/// | `Duration` | a number and its unit, in any case: `250ms`, `1.5s`, `5m`, `2h` | the same, as a string |
/// | `String` | anything in UTF-8, up to 64 KiB | a string |
/// | an enum | a variant's name in snake_case, in any case | the same, as a string |
///
/// A duration is kept in whole nanoseconds, so a flag holds at most 584 years; longer ones are held as that. Reading a `String`
/// flag gives an `Arc<str>`, its declaration a `&'static str`.
///
/// ```
/// use lifecycle::{Flag, FlagValue, init_flag};
///
/// #[derive(FlagValue, Debug, PartialEq)]
/// enum Compression {
///     Off,
///     Fast,
///     #[flag_value(rename = "best")]
///     AsSmallAsPossible,
/// }
///
/// #[init_flag(env = "DOC_COMPRESSION")] // DOC_COMPRESSION=best
/// static COMPRESSION: Flag<Compression> = Compression::Fast;
///
/// #[init_flag]
/// static GREETING: Flag<String> = "hello";
///
/// assert_eq!(COMPRESSION.get(), Compression::Fast);
/// let flag = lifecycle::flag("compression")?;
/// flag.set_json(&"best".into())?;
/// assert_eq!(COMPRESSION.get(), Compression::AsSmallAsPossible);
/// assert_eq!(
///     flag.set_json(&"fasst".into()).unwrap_err().to_string(),
///     "flag `compression` is a Compression (`off`, `fast`, `best`); \"fasst\" does not fit, did you mean `fast`?"
/// );
///
/// GREETING.set("hi".to_owned());
/// assert_eq!(&*GREETING.get(), "hi");
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a flag cannot hold a `{Self}`",
    label = "not something that a flag can hold",
    note = "a flag holds a `bool`, an integer of up to 64 bits, an `f64`, a `Duration`, a `String`, or an enum with `#[derive(FlagValue)]`"
)]
pub trait FlagValue: sealed::Sealed + Sized + Send + Sync + 'static {
    /// What reading a flag gives: the value itself, and of a `String` an `Arc<str>`.
    type Given;

    /// What a declaration gives.
    #[doc(hidden)]
    type Init: Send + Sync + 'static;

    /// What a flag keeps.
    #[doc(hidden)]
    type Held: Clone + PartialEq + Send + Sync + 'static;

    #[doc(hidden)]
    type Published: Published<Self::Held>;

    /// The type's name.
    #[doc(hidden)]
    const __NAME: &'static str;

    /// What is expected where a value is read, for messages.
    #[doc(hidden)]
    const __EXPECTED: &'static str = Self::__NAME;

    /// What readers may have, unless it is hidden.
    #[doc(hidden)]
    fn __read(published: &Self::Published) -> Option<Self::Given>;

    #[doc(hidden)]
    fn __initial(init: &Self::Init) -> Self::Held;

    #[doc(hidden)]
    fn __hold(self) -> Self::Held;

    #[doc(hidden)]
    fn __give(held: &Self::Held) -> Self::Given;

    /// From an environment variable.
    #[doc(hidden)]
    fn __parse(text: &str) -> Option<Self::Held>;

    #[doc(hidden)]
    fn __to_json(held: &Self::Held) -> Value;

    #[doc(hidden)]
    fn __given_to_json(given: &Self::Given) -> Value;

    #[doc(hidden)]
    fn __from_json(value: &Value) -> Option<Self::Held>;

    /// What a text that is no value may be a slip of: `, did you mean ..?`, or nothing.
    #[doc(hidden)]
    fn __near(_text: &str) -> String {
        String::new()
    }
}

//! What a flag can hold: values that fit one 64-bit word, so that reading one is one atomic load.

use serde_json::{Number, Value};
use std::time::Duration;

/// The word of a flag that was not read yet, or whose value happens to look so (its reads take the slow path and are right
/// all the same). An odd number that a compare instruction can carry.
pub(super) const UNRESOLVED: u64 = 0xFFFF_FFFF_9E37_79B1;

mod sealed {
    /// How a value goes into a word and comes from text. Sealed, so that it can grow.
    pub trait Encoding: Sized + Copy + PartialEq + Send + Sync + 'static {
        /// The type's name.
        const NAME: &'static str;

        /// What is expected where a value is read, for messages.
        const EXPECTED: &'static str = Self::NAME;

        fn encode(self) -> u64;

        /// Total: any word gives a value.
        fn decode(word: u64) -> Self;

        /// Does the word hold a value for certain?
        #[inline(always)]
        fn is_resolved(word: u64) -> bool {
            word != super::UNRESOLVED
        }

        /// From an environment variable.
        fn parse(text: &str) -> Option<Self>;

        fn to_json(self) -> super::Value;

        fn from_json(value: &super::Value) -> Option<Self>;
    }
}
pub(super) use sealed::Encoding;

/// A type that a [`Flag`](super::Flag) can hold: `bool`, the integers up to 64 bits, `f64` and [`Duration`].
///
/// | type | in an environment variable | in JSON |
/// |---|---|---|
/// | `bool` | `true`, `1`, `yes`, `on` / `false`, `0`, `no`, `off`, in any case | a boolean |
/// | integers | decimal digits, with a sign where the type has one | a whole number |
/// | `f64` | a decimal number | a number |
/// | `Duration` | a number and its unit: `250ms`, `1.5s`, `5m`, `2h` | the same, as a string |
///
/// A duration is kept in whole nanoseconds, so a flag holds at most 584 years; longer ones are held as that.
#[diagnostic::on_unimplemented(
    message = "a flag cannot hold a `{Self}`",
    note = "a flag holds a `bool`, an integer of up to 64 bits, an `f64` or a `Duration`"
)]
pub trait FlagValue: Encoding {}

impl FlagValue for bool {}

impl Encoding for bool {
    const NAME: &'static str = "bool";

    #[inline(always)]
    fn encode(self) -> u64 {
        self.into()
    }

    #[inline(always)]
    fn decode(word: u64) -> Self {
        word != 0
    }

    // Where the compiler knows the word to be 0 or 1, decoding costs nothing.
    #[inline(always)]
    fn is_resolved(word: u64) -> bool {
        word <= 1
    }

    fn parse(text: &str) -> Option<Self> {
        let is = |words: [&str; 4]| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
        let yes = is(["true", "1", "yes", "on"]);
        (yes || is(["false", "0", "no", "off"])).then_some(yes)
    }

    fn to_json(self) -> Value {
        self.into()
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

macro_rules! integer_flags {
    ($($ty:ident via $as_wide:ident),+) => {$(
        impl FlagValue for $ty {}

        impl Encoding for $ty {
            const NAME: &'static str = stringify!($ty);

            #[inline(always)]
            #[allow(clippy::unnecessary_cast, reason = "one of the types is the word itself")]
            fn encode(self) -> u64 {
                self as u64
            }

            // Truncating undoes the widening, with and without a sign.
            #[inline(always)]
            #[allow(clippy::unnecessary_cast, reason = "one of the types is the word itself")]
            fn decode(word: u64) -> Self {
                word as $ty
            }

            fn parse(text: &str) -> Option<Self> {
                text.trim().parse().ok()
            }

            fn to_json(self) -> Value {
                self.into()
            }

            fn from_json(value: &Value) -> Option<Self> {
                value.$as_wide()?.try_into().ok()
            }
        }
    )+};
}

integer_flags!(u8 via as_u64, u16 via as_u64, u32 via as_u64, u64 via as_u64, usize via as_u64);
integer_flags!(i8 via as_i64, i16 via as_i64, i32 via as_i64, i64 via as_i64, isize via as_i64);

impl FlagValue for f64 {}

impl Encoding for f64 {
    const NAME: &'static str = "f64";

    #[inline(always)]
    fn encode(self) -> u64 {
        self.to_bits()
    }

    #[inline(always)]
    fn decode(word: u64) -> Self {
        Self::from_bits(word)
    }

    fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    /// JSON has no word for what is not finite: those become strings.
    fn to_json(self) -> Value {
        Number::from_f64(self).map_or_else(|| Value::String(self.to_string()), Value::Number)
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_f64()
    }
}

impl FlagValue for Duration {}

impl Encoding for Duration {
    const NAME: &'static str = "Duration";
    const EXPECTED: &'static str = "Duration with a unit, such as \"250ms\"";

    #[inline(always)]
    fn encode(self) -> u64 {
        crate::clock::nanos(self)
    }

    #[inline(always)]
    fn decode(word: u64) -> Self {
        Self::from_nanos(word)
    }

    fn parse(text: &str) -> Option<Self> {
        parse_duration(text)
    }

    /// As `Debug` writes it, which `parse` reads.
    fn to_json(self) -> Value {
        Value::String(format!("{self:?}"))
    }

    fn from_json(value: &Value) -> Option<Self> {
        parse_duration(value.as_str()?)
    }
}

/// What a flag can hold: longer ones are refused, not cut.
fn parse_duration(text: &str) -> Option<Duration> {
    crate::units::duration(text).filter(|duration| u64::try_from(duration.as_nanos()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survives<T: FlagValue + std::fmt::Debug>(values: &[T]) {
        for value in values {
            assert_eq!(T::decode(value.encode()), *value);
            assert_eq!(T::from_json(&value.to_json()), Some(*value));
            let text = value.to_json();
            let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
            assert_eq!(T::parse(&text), Some(*value));
        }
    }

    #[test]
    fn values_survive_the_word_json_and_text() {
        survives(&[true, false]);
        survives(&[i8::MIN, -1, 0, i8::MAX]);
        survives(&[u8::MAX, 7]);
        survives(&[i64::MIN, UNRESOLVED as i64, -1, i64::MAX]);
        survives(&[u64::MAX, UNRESOLVED]);
        survives(&[isize::MIN, isize::MAX]);
        survives(&[0.5, -0.0, f64::MAX, f64::MIN_POSITIVE]);
        let durations = [0, 1, 999, 1_500, 2_000_000, 1_500_000_000, 86_400_000_000_001, u64::MAX];
        survives(&durations.map(Duration::from_nanos));
    }

    #[test]
    fn values_out_of_range_and_of_another_type_do_not_fit() {
        assert_eq!(u8::from_json(&256.into()), None);
        assert_eq!(u8::from_json(&(-1).into()), None);
        assert_eq!(i8::parse("128"), None);
        assert_eq!(bool::from_json(&1.into()), None);
        assert_eq!(u32::from_json(&1.5.into()), None);
        assert_eq!(f64::from_json(&2.into()), Some(2.0), "a whole number is a number");
    }

    #[test]
    fn words_for_yes_and_no_are_lenient() {
        assert!(["true", "1", "YES", " On "].iter().all(|word| bool::parse(word) == Some(true)));
        assert!(["False", "0", "no", "OFF"].iter().all(|word| bool::parse(word) == Some(false)));
        assert!(["", "2", "maybe", "truee"].iter().all(|word| bool::parse(word).is_none()));
    }

    #[test]
    fn durations_are_read_as_in_the_attributes_up_to_what_a_word_holds() {
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("213503d"), Some(Duration::from_secs(213_503 * 86_400)));
        assert_eq!(parse_duration("600000d"), None);
    }
}

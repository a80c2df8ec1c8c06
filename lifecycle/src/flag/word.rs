//! Values that fit one 64-bit word, so that reading one is one atomic load.

use super::value::Published;
use crate::settings::hint_of_slip;
use crate::words;
use serde_json::{Number, Value};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The word of a flag that was not read yet, or whose value happens to look so (its reads take the slow path and are right
/// all the same). An odd number that a compare instruction can carry.
const UNRESOLVED: u64 = 0xFFFF_FFFF_9E37_79B1;

/// A word as readers see it: the value's, or [`UNRESOLVED`].
#[derive(Debug)]
#[doc(hidden)]
pub struct Word(AtomicU64);

/// A flag orders nothing but itself, so relaxed.
impl Published<u64> for Word {
    #[allow(clippy::declare_interior_mutable_const, reason = "each use makes one of its own")]
    const HIDDEN: Self = Self(AtomicU64::new(UNRESOLVED));

    fn show(&self, held: &u64) {
        self.0.store(*held, Ordering::Relaxed);
    }

    fn hide(&self) {
        self.0.store(UNRESOLVED, Ordering::Relaxed);
    }
}

/// How a value goes into a word and comes from text.
#[doc(hidden)]
pub trait InWord: Sized + Send + Sync + 'static {
    const NAME: &'static str;
    const EXPECTED: &'static str = Self::NAME;

    fn encode(&self) -> u64;

    /// Total: any word gives a value.
    fn decode(word: u64) -> Self;

    /// Does the word hold a value for certain?
    #[inline(always)]
    fn is_resolved(word: u64) -> bool {
        word != UNRESOLVED
    }

    fn parse(text: &str) -> Option<Self>;

    fn to_json(&self) -> Value;

    fn from_json(value: &Value) -> Option<Self>;

    fn near(_text: &str) -> String {
        String::new()
    }
}

/// What readers may have of a value in a word.
#[doc(hidden)]
#[inline(always)]
#[must_use]
pub fn read<T: InWord>(published: &Word) -> Option<T> {
    let word = published.0.load(Ordering::Relaxed);
    T::is_resolved(word).then(|| T::decode(word))
}

/// A type that goes into a word, as a flag's. Written out for each, here and in the expansion of the derive, and not once for all that
/// go into a word: so the compiler's words about a type that does not are of `FlagValue` alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __flag_in_word {
    // A parameter is a pattern, so its name may be no constant of the user's.
    ($ty:ty) => {
        impl $crate::__private0::word::Sealed for $ty {}

        impl $crate::__private0::FlagValue for $ty {
            type Given = Self;
            type Init = Self;
            type Held = ::core::primitive::u64;
            type Published = $crate::__private0::word::Word;
            const __NAME: &'static ::core::primitive::str = <Self as $crate::__private0::word::InWord>::NAME;
            const __EXPECTED: &'static ::core::primitive::str = <Self as $crate::__private0::word::InWord>::EXPECTED;

            #[inline(always)]
            fn __read(__lifecycle_published: &$crate::__private0::word::Word) -> ::core::option::Option<Self> {
                $crate::__private0::word::read(__lifecycle_published)
            }

            fn __initial(__lifecycle_init: &Self) -> ::core::primitive::u64 {
                $crate::__private0::word::InWord::encode(__lifecycle_init)
            }

            fn __hold(self) -> ::core::primitive::u64 {
                $crate::__private0::word::InWord::encode(&self)
            }

            fn __give(__lifecycle_held: &::core::primitive::u64) -> Self {
                $crate::__private0::word::InWord::decode(*__lifecycle_held)
            }

            fn __parse(__lifecycle_text: &::core::primitive::str) -> ::core::option::Option<::core::primitive::u64> {
                $crate::__private0::word::encoded(<Self as $crate::__private0::word::InWord>::parse(__lifecycle_text))
            }

            fn __to_json(__lifecycle_held: &::core::primitive::u64) -> $crate::__private0::word::Value {
                $crate::__private0::word::InWord::to_json(&Self::__give(__lifecycle_held))
            }

            fn __given_to_json(__lifecycle_given: &Self) -> $crate::__private0::word::Value {
                $crate::__private0::word::InWord::to_json(__lifecycle_given)
            }

            fn __from_json(
                __lifecycle_value: &$crate::__private0::word::Value,
            ) -> ::core::option::Option<::core::primitive::u64> {
                $crate::__private0::word::encoded(<Self as $crate::__private0::word::InWord>::from_json(
                    __lifecycle_value,
                ))
            }

            fn __near(__lifecycle_text: &::core::primitive::str) -> $crate::__private0::std::string::String {
                <Self as $crate::__private0::word::InWord>::near(__lifecycle_text)
            }
        }
    };
}

/// A value that was read, as it is held.
#[doc(hidden)]
pub fn encoded<T: InWord>(value: Option<T>) -> Option<u64> {
    value.map(|value| value.encode())
}

/// An enum whose variants hold nothing; `#[derive(FlagValue)]` implements it.
#[doc(hidden)]
pub trait FlagEnum: Sized + Send + Sync + 'static {
    const NAME: &'static str;
    /// `Mode (`off`, `fast`)`
    const EXPECTED: &'static str;
    /// The variants, in order.
    const NAMES: &'static [&'static str];

    fn index(&self) -> u64;

    /// Any index gives a variant.
    fn at(index: u64) -> Self;
}

fn variant<T: FlagEnum>(is: impl Fn(&str) -> bool) -> Option<T> {
    let index = T::NAMES.iter().position(|name| is(name))?;
    Some(T::at(index as u64))
}

impl<T: FlagEnum> InWord for T {
    const NAME: &'static str = T::NAME;
    const EXPECTED: &'static str = T::EXPECTED;

    #[inline(always)]
    fn encode(&self) -> u64 {
        self.index()
    }

    #[inline(always)]
    fn decode(word: u64) -> Self {
        T::at(word)
    }

    fn parse(text: &str) -> Option<Self> {
        variant(|name| words::is(text, name))
    }

    fn to_json(&self) -> Value {
        // An index that is no variant's would be a hand-written implementation's.
        let name = usize::try_from(self.index()).ok().and_then(|index| T::NAMES.get(index));
        name.copied().unwrap_or_default().into()
    }

    fn from_json(value: &Value) -> Option<Self> {
        Self::parse(value.as_str()?)
    }

    fn near(text: &str) -> String {
        hint_of_slip(&text.trim().to_ascii_lowercase(), T::NAMES.iter().copied())
    }
}

__flag_in_word!(bool);

impl InWord for bool {
    const NAME: &'static str = "bool";

    #[inline(always)]
    fn encode(&self) -> u64 {
        (*self).into()
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
        words::yes_or_no(text)
    }

    fn near(_: &str) -> String {
        "; write `true` or `false`".to_owned()
    }

    fn to_json(&self) -> Value {
        (*self).into()
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

macro_rules! integer_flags {
    ($($ty:ident via $as_wide:ident),+) => {$(
        __flag_in_word!($ty);

        impl InWord for $ty {
            const NAME: &'static str = stringify!($ty);

            #[inline(always)]
            #[allow(clippy::unnecessary_cast, reason = "one of the types is the word itself")]
            fn encode(&self) -> u64 {
                *self as u64
            }

            // Truncating undoes the widening, with and without a sign.
            #[inline(always)]
            #[allow(clippy::unnecessary_cast, reason = "one of the types is the word itself")]
            fn decode(word: u64) -> Self {
                word as $ty
            }

            fn parse(text: &str) -> Option<Self> {
                words::number(text)?.parse().ok()
            }

            fn near(_: &str) -> String {
                format!("; write a whole number from {} to {}", $ty::MIN, $ty::MAX)
            }

            fn to_json(&self) -> Value {
                (*self).into()
            }

            fn from_json(value: &Value) -> Option<Self> {
                value.$as_wide()?.try_into().ok()
            }
        }
    )+};
}

integer_flags!(u8 via as_u64, u16 via as_u64, u32 via as_u64, u64 via as_u64, usize via as_u64);
integer_flags!(i8 via as_i64, i16 via as_i64, i32 via as_i64, i64 via as_i64, isize via as_i64);

__flag_in_word!(f64);

impl InWord for f64 {
    const NAME: &'static str = "f64";

    #[inline(always)]
    fn encode(&self) -> u64 {
        self.to_bits()
    }

    #[inline(always)]
    fn decode(word: u64) -> Self {
        Self::from_bits(word)
    }

    fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn near(_: &str) -> String {
        "; write a number such as 0.5".to_owned()
    }

    /// JSON has no word for what is not finite: those become strings.
    fn to_json(&self) -> Value {
        Number::from_f64(*self).map_or_else(|| Value::String(self.to_string()), Value::Number)
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_f64()
    }
}

__flag_in_word!(Duration);

impl InWord for Duration {
    const NAME: &'static str = "Duration";
    const EXPECTED: &'static str = "Duration with a unit, such as \"250ms\"";

    #[inline(always)]
    fn encode(&self) -> u64 {
        crate::clock::nanos(*self)
    }

    #[inline(always)]
    fn decode(word: u64) -> Self {
        Self::from_nanos(word)
    }

    fn parse(text: &str) -> Option<Self> {
        parse_duration(text)
    }

    /// As `Debug` writes it, which `parse` reads.
    fn to_json(&self) -> Value {
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

    fn survives<T: InWord + PartialEq + std::fmt::Debug>(values: &[T]) {
        for value in values {
            assert_eq!(&T::decode(value.encode()), value);
            assert_eq!(T::from_json(&value.to_json()).as_ref(), Some(value));
            let text = value.to_json();
            let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
            assert_eq!(T::parse(&text).as_ref(), Some(value));
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
    fn durations_are_read_as_in_the_attributes_up_to_what_a_word_holds() {
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("213503d"), Some(Duration::from_secs(213_503 * 86_400)));
        assert_eq!(parse_duration("600000d"), None);
    }
}

//! What a const option for a length of time may be: seconds as a bare number in `timeout` only.

use std::time::Duration;

mod sealed {
    /// Only `u64` and `Duration`, which [`seconds`](super::seconds) relies on.
    pub trait Sealed: Copy {
        const SECONDS: bool;
    }
    impl Sealed for u64 {
        const SECONDS: bool = true;
    }
    impl Sealed for std::time::Duration {
        const SECONDS: bool = false;
    }
}

/// What a const `timeout` may be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a length of time",
    label = "expected a `Duration`, or a `u64` of seconds",
    note = "write `30` (seconds), `\"250ms\"`, or a const of type `std::time::Duration`"
)]
pub trait Time: sealed::Sealed {}
impl Time for u64 {}
impl Time for Duration {}

/// What any other const option for a length of time may be: a bare number does not say its unit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a length of time with a unit",
    label = "expected a `Duration`",
    note = "write `\"250ms\"`, or a const of type `std::time::Duration`: `Duration::from_secs(N)`; only `timeout` counts a bare number as seconds"
)]
pub trait Length: Time {}
impl Length for Duration {}

/// A const option's value as a duration.
#[must_use]
pub const fn duration<T: Length>(value: T) -> Duration {
    seconds(value)
}

/// The value of a const `timeout` as a duration. One function for both types: const traits are not stable, and a second method
/// would be a second error on a wrong type.
#[must_use]
pub const fn seconds<T: Time>(value: T) -> Duration {
    // `repr(C)`: only then do all fields begin at offset 0 by the language's word.
    #[repr(C)]
    union Value<T: Copy> {
        given: T,
        seconds: u64,
        duration: Duration,
    }
    let value = Value { given: value };
    if T::SECONDS {
        // SAFETY: the trait is sealed, and `SECONDS` is true for `u64` only: `T` is `u64`.
        Duration::from_secs(unsafe { value.seconds })
    } else {
        // SAFETY: the trait is sealed, and `SECONDS` is false for `Duration` only: `T` is `Duration`.
        unsafe { value.duration }
    }
}

//! Errors, names and panics as text, and panics of others' code that go no further.

use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A time to wait, in words: to a millisecond, rounded up, so that whoever waits that long is not early. What exceeds a millisecond
/// by less than a microsecond does not count; the field is exact.
pub(crate) fn wait(time: &Duration) -> String {
    let nanos = time.as_nanos();
    let millis = nanos.saturating_sub(999).div_ceil(1_000_000).max(u128::from(nanos > 0));
    match (millis / 1000, millis % 1000) {
        (0, millis) => format!("{millis}ms"),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, millis) => format!("{}s", format!("{seconds}.{millis:03}").trim_end_matches('0')),
    }
}

/// So many of something: `1 hook`, `2 hooks`.
pub(crate) fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// The causes of an error, the nearest first. A chain may be a circle.
pub(super) fn causes<'a>(error: &'a (dyn StdError + '_)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| (**cause).source()).take(32)
}

/// An error with all its causes.
pub(crate) fn chain(error: &(dyn StdError + '_)) -> String {
    causes(error).fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// What a panic said, if it said anything.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> Option<&str> {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str))
}

/// Runs somebody else's code; a panic is given as what it said, and goes no further, even if what it was raised with panics when
/// it is dropped.
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    // Whoever asks goes on without what the code was at: nothing half-changed of it is seen here.
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| {
        let text = panic_text(&*panic).unwrap_or("(no text)").to_owned();
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            std::mem::forget(again);
        }
        text
    })
}

/// Names given at run time may hold anything; on output control characters are escaped.
pub(crate) fn printable(name: &str) -> String {
    name.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_reads_naturally() {
        let text = |nanos| wait(&Duration::from_nanos(nanos));
        assert_eq!(text(0), "0ms");
        assert_eq!(text(1), "1ms");
        assert_eq!(text(399_900_001), "400ms");
        assert_eq!(text(999_980_000), "1s");
        assert_eq!(text(1_000_000_001), "1s");
        assert_eq!(text(1_000_002_000), "1.001s");
        assert_eq!(text(1_040_000_000), "1.04s");
        assert_eq!(text(29_960_000_001), "29.96s");
        assert_eq!(text(3_599_999_001_000), "3600s");
    }

    #[test]
    fn a_chain_of_causes_that_is_a_circle_ends() {
        #[derive(Debug)]
        struct Own;
        impl std::fmt::Display for Own {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("own")
            }
        }
        impl StdError for Own {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&Own)
            }
        }
        assert!(chain(&Own).len() < 200);
    }
}

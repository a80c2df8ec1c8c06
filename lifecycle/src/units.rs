//! Quantities as text: `250ms`, `100/s`. The same spelling as in the attributes, and in any case, as all words from outside; strict
//! otherwise, because a guessed unit is a wrong limit in production.

use std::time::Duration;

/// Reads `250ms`, `1.5s`, `2 h`, and `5m`: beside a number of its own nothing but minutes can be meant. `5M` is nothing: elsewhere
/// that is months.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    match text.strip_suffix('m') {
        Some(number) if number.trim_end().ends_with(|last: char| last.is_ascii_digit()) => strict(number, "min"),
        _ => {
            let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')?;
            let (number, unit) = text.split_at(unit_at);
            strict(number, unit.trim())
        }
    }
}

/// Digits, perhaps a fraction, and one of the units. What is finer than a nanosecond is refused.
fn strict(number: &str, unit: &str) -> Option<Duration> {
    let unit: u128 = match &*unit.to_ascii_lowercase() {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" | "sec" => 1_000_000_000,
        "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    let number = number.trim();
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (number, ""),
    };
    let mut total = u128::from(digits(whole)?) * unit;
    let mut place = unit;
    for digit in fraction.bytes() {
        let digit = u128::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        if digit != 0 && place % 10 != 0 {
            return None;
        }
        place /= 10;
        total += digit * place;
    }
    let seconds = u64::try_from(total / 1_000_000_000).ok()?;
    let rest = u32::try_from(total % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, rest))
}

/// Reads `1_000`: digits, which `_` may part.
pub(crate) fn digits(text: &str) -> Option<u64> {
    let only = |c: char| c.is_ascii_digit() || c == '_';
    // `parse` would take a sign.
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(only) {
        return None;
    }
    if text.contains('_') { text.replace('_', "").parse().ok() } else { text.parse().ok() }
}

/// Reads `100/s`, `1000/min`, `5/250ms`. Here `m` could be milliseconds, so it is nothing.
pub(crate) fn rate(text: &str) -> Option<(u64, Duration)> {
    let (limit, window) = text.split_once('/')?;
    let (limit, window) = (digits(limit.trim())?, window.trim());
    let unit_at = window.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')?;
    let (number, unit) = window.split_at(unit_at);
    let window = strict(if number.is_empty() { "1" } else { number }, unit.trim())?;
    Some((limit, window))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_lose_nothing() {
        let good = [
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("2sec", 2_000_000_000),
            ("5min", 300_000_000_000),
            ("5m", 300_000_000_000),
            ("1.5 m", 90_000_000_000),
            ("0.5h", 1_800_000_000_000),
            (" 2 d ", 172_800_000_000_000),
            ("1.50us", 1_500),
            ("1.5µs", 1_500),
            ("1_000us", 1_000_000),
            ("1.0ns", 1),
            ("250MS", 250_000_000),
            ("30S", 30_000_000_000),
            ("2 Min", 120_000_000_000),
            ("0s", 0),
        ];
        for (text, nanos) in good {
            assert_eq!(duration(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
        assert_eq!(duration("600000d"), Some(Duration::from_secs(600_000 * 86_400)));
        let bad = [
            "",
            "5",
            "ms",
            "m",
            "1.s",
            ".5s",
            "_1s",
            "1.2.3s",
            "-1s",
            "+1s",
            "1.5ns",
            "1M",
            "3 parsecs",
            "5 mm",
            "99999999999999999999s",
            "18446744073709551615d",
        ];
        for text in bad {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn what_debug_writes_is_read_again() {
        for nanos in [1, 1_500, 2_000_000, 1_500_000_000, 86_400_000_000_001, u64::MAX] {
            let length = Duration::from_nanos(nanos);
            assert_eq!(duration(&format!("{length:?}")), Some(length));
        }
        assert_eq!(duration(&format!("{:?}", Duration::MAX)), Some(Duration::MAX));
    }

    #[test]
    fn rates_are_a_count_and_a_window() {
        for (text, limit, window) in [
            ("100/s", 100, 1_000),
            ("1000/min", 1000, 60_000),
            ("5/250ms", 5, 250),
            ("3 / 2h", 3, 7_200_000),
            ("1_000/sec", 1000, 1_000),
            ("100/S", 100, 1_000),
            ("0/s", 0, 1_000),
        ] {
            assert_eq!(rate(text), Some((limit, Duration::from_millis(window))), "{text}");
        }
        for text in ["100", "100/", "100/x", "-1/s", "+1/s", "1.5/s", "/s", "5/m", "5/M", "5/2m", "5/10", "x/s"] {
            assert_eq!(rate(text), None, "{text}");
        }
    }
}

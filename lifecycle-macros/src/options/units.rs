//! Quantities in quotes: `"250ms"`, `"100/s"`. Strict, because a guessed unit is a wrong limit in production.

use std::time::Duration;

/// So many in each window.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) limit: u32,
    pub(crate) window: Duration,
}

/// What the limiter keeps exactly, one slot a permit.
const LARGEST_LIMIT: u32 = 1 << 20;

const NANOS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("sec", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Reads `"1.5s"`, and `"5m"`: beside a number of its own nothing but minutes can be meant. The message says what is wrong and
/// what to write.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    match text.strip_suffix('m') {
        Some(number) if number.trim_end().ends_with(|last: char| last.is_ascii_digit()) => {
            parse_strict(&format!("{number}min"))
        }
        _ => parse_strict(text),
    }
}

/// The same with the units of [`NANOS`] only.
fn parse_strict(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, unit) = (text[..digits].replace('_', ""), text[digits..].trim());
    if number.is_empty() {
        return Err(format!("`{text}` is not a duration: write a number and a unit, such as \"250ms\""));
    }
    if unit.is_empty() {
        return Err(format!("`{text}` has no unit: write \"{text}s\" for seconds (units: {})", units()));
    }
    let Some(&(_, nanos)) = NANOS.iter().find(|(name, _)| *name == unit) else {
        let meant = meant(unit).map_or_else(String::new, |unit| format!(", did you mean \"{number}{unit}\"?"));
        return Err(format!("`{unit}` is not a unit of time{meant}; there are: {}", units()));
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let too_long = || format!("`{text}` is too long");
    let bad_number = || format!("`{number}` is not a number");
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return Err(bad_number());
    }
    let whole: u128 = whole.parse().map_err(|_| too_long())?;
    // Digits beyond a nanosecond of a day change nothing.
    let fraction = &fraction[..fraction.len().min(18)];
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| bad_number())? };
    let scale = 10u128.pow(u32::try_from(fraction.len()).map_err(|_| bad_number())?);
    let total =
        whole.checked_mul(nanos).and_then(|total| total.checked_add(part * nanos / scale)).ok_or_else(too_long)?;
    let seconds = u64::try_from(total / 1_000_000_000).map_err(|_| too_long())?;
    let rest = u32::try_from(total % 1_000_000_000).map_err(|_| too_long())?;
    Ok(Duration::new(seconds, rest))
}

/// Reads `"100/s"`, `"1000/min"`, `"5/250ms"`.
pub(crate) fn parse_rate(text: &str) -> Result<Rate, String> {
    let Some((limit, window)) = text.split_once('/') else {
        return Err(format!("`{text}` is not a rate: write how many in which time, such as \"100/s\""));
    };
    let (limit, window) = (limit.trim().replace('_', ""), window.trim());
    if limit.starts_with('-') || limit.contains('.') || limit.is_empty() || !limit.chars().all(|c| c.is_ascii_digit()) {
        return Err(format!("`{limit}` is not a whole number: write how many in which time, such as \"100/s\""));
    }
    let limit = limit.parse().unwrap_or(u32::MAX);
    if limit == 0 {
        return Err("a limit of 0 lets nothing pass: write at least 1".to_owned());
    }
    if limit > LARGEST_LIMIT {
        return Err(format!("at most {LARGEST_LIMIT} in a window: write a shorter window"));
    }
    let alone = window.starts_with(|c: char| c.is_ascii_alphabetic());
    let window = parse_strict(&if alone { format!("1{window}") } else { window.to_owned() }).map_err(|_| {
        if let Some(minutes) = window.strip_suffix('m').filter(|number| number.chars().all(|c| c.is_ascii_digit())) {
            return format!("in a rate, `m` could be read as milliseconds: write `{limit}/{minutes}min` for minutes");
        }
        format!("`{window}` is not a window: write a unit ({}) or a duration, such as \"5/250ms\"", units())
    })?;
    if window.is_zero() {
        return Err("a window of no time limits nothing: write at least \"1ns\"".to_owned());
    }
    Ok(Rate { limit, window })
}

/// The unit behind another spelling of it.
fn meant(unit: &str) -> Option<&'static str> {
    const SPELLINGS: [(&str, &str); 9] = [
        ("nano", "ns"),
        ("micro", "us"),
        ("\u{b5}s", "us"),
        ("milli", "ms"),
        ("msec", "ms"),
        ("sec", "s"),
        ("m", "min"),
        ("h", "h"),
        ("day", "d"),
    ];
    let unit = unit.to_lowercase();
    SPELLINGS.iter().find(|(begins, _)| unit.starts_with(begins)).map(|(_, unit)| *unit)
}

fn units() -> String {
    NANOS.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_take_fractions() {
        for (text, duration) in [
            ("250ms", Duration::from_millis(250)),
            ("1.5s", Duration::from_millis(1500)),
            ("2 h", Duration::from_secs(7200)),
            ("1_000us", Duration::from_millis(1)),
            ("0.000000001s", Duration::from_nanos(1)),
            ("0s", Duration::ZERO),
            ("5m", Duration::from_secs(300)),
            ("1.5 m", Duration::from_secs(90)),
        ] {
            assert_eq!(parse_duration(text), Ok(duration), "{text}");
        }
        for text in [
            "",
            "30",
            "ms",
            "1..5s",
            "1.s",
            ".5s",
            "-1s",
            "3 parsecs",
            "99999999999999999999999999999999999999999d",
            "m",
            "5M",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_a_count_and_a_window() {
        for (text, limit, window) in [
            ("100/s", 100, Duration::from_secs(1)),
            ("1000/min", 1000, Duration::from_secs(60)),
            ("5/250ms", 5, Duration::from_millis(250)),
            ("3 / 2h", 3, Duration::from_secs(7200)),
            ("1_000/sec", 1000, Duration::from_secs(1)),
        ] {
            assert_eq!(parse_rate(text), Ok(Rate { limit, window }), "{text}");
        }
        for text in [
            "100",
            "100/x",
            "0/s",
            "-1/s",
            "1.5/s",
            "/s",
            "5/",
            "5/0s",
            "x/s",
            "99999999999/s",
            "+5/s",
            "1048577/s",
            "5/m",
            "5/2m",
        ] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }
}

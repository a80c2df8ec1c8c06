//! How the value of an option is written, in JSON and as text: as in the attribute, and numbers as text too, since that is
//! all an environment variable can hold.

use super::suggest;
use crate::breaker::{Backoff, Cancelled, Window};
use crate::{units, words};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::time::Duration;

/// What is wrong with a value: `must be a whole number`. Never holds the value.
pub(super) type Reason = Cow<'static, str>;

/// One way of writing values.
pub(super) trait Spelling {
    type Of;

    fn read(value: &Value) -> Result<Self::Of, Reason>;

    /// As `read` takes it.
    fn write(of: &Self::Of) -> Value;
}

/// An option that can be taken away again, as if nobody had said it.
///
/// ```
/// use lifecycle::settings::{BreakerSettings, Switch};
///
/// assert_eq!(BreakerSettings::new().failure_rate(50).failure_rate, Some(Switch::On(50)));
/// assert_eq!(BreakerSettings::new().without_failure_rate().failure_rate, Some(Switch::Off));
/// assert_eq!(BreakerSettings::new().failure_rate, None); // stays as it is
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch<T> {
    /// It is taken away.
    Off,
    /// It is this.
    On(T),
}

impl<T> Switch<T> {
    /// What it is, unless it is taken away.
    ///
    /// ```
    /// use lifecycle::settings::Switch;
    ///
    /// assert_eq!((Switch::On(50).on(), Switch::<u32>::Off.on()), (Some(50), None));
    /// ```
    #[must_use]
    pub fn on(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

/// What is taken away, as it is written.
pub(super) const OFF: &str = "off";

/// `"off"`, as all words in any case, or as `S` says. A file of YAML has no such text: what stands there as `off` is read as
/// `false`, and where all values are text (an environment) that is `"false"`.
pub(super) struct OrOff<S>(std::marker::PhantomData<S>);

impl<S: Spelling> Spelling for OrOff<S> {
    type Of = Switch<S::Of>;

    fn read(value: &Value) -> Result<Switch<S::Of>, Reason> {
        match value {
            Value::Bool(false) => Ok(Switch::Off),
            Value::String(text) if words::is_no(text) => Ok(Switch::Off),
            value => S::read(value).map(Switch::On).map_err(|reason| match reason.starts_with("must be") {
                true => format!("{reason}, or \"{OFF}\"").into(),
                // About a part of it.
                false => reason,
            }),
        }
    }

    fn write(of: &Switch<S::Of>) -> Value {
        match of {
            Switch::Off => OFF.into(),
            Switch::On(of) => S::write(of),
        }
    }
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => units::digits(text.trim()),
        _ => None,
    }
}

fn within(value: &Value, most: u32) -> Option<u32> {
    whole(value).and_then(|number| u32::try_from(number).ok()).filter(|number| (1..=most).contains(number))
}

/// `5`, `"5"`.
pub(super) struct Count;

impl Spelling for Count {
    type Of = u32;

    fn read(value: &Value) -> Result<u32, Reason> {
        within(value, u32::MAX).ok_or(Cow::Borrowed("must be a whole number from 1 on"))
    }

    fn write(of: &u32) -> Value {
        (*of).into()
    }
}

/// `50`, `"50"`, `"50%"`: percent.
pub(super) struct Percent;

impl Spelling for Percent {
    type Of = u32;

    fn read(value: &Value) -> Result<u32, Reason> {
        let bare =
            value.as_str().and_then(|text| text.trim_end().strip_suffix('%')).map(|number| number.trim_end().into());
        within(bare.as_ref().unwrap_or(value), 100)
            .ok_or(Cow::Borrowed("must be a whole number of percent, from 1 to 100"))
    }

    fn write(of: &u32) -> Value {
        (*of).into()
    }
}

/// `"250ms"`.
pub(super) struct Length;

impl Spelling for Length {
    type Of = Duration;

    fn read(value: &Value) -> Result<Duration, Reason> {
        if whole(value).is_some() {
            return Err("must have a unit, such as \"250ms\" or \"2s\"".into());
        }
        match value.as_str().and_then(units::duration) {
            Some(length) if !length.is_zero() => Ok(length),
            Some(_) => Err("must be more than zero".into()),
            None => {
                Err("must be one number with its unit (ns, us, ms, s, min, h, d), such as \"250ms\" or \"2s\"".into())
            }
        }
    }

    fn write(of: &Duration) -> Value {
        Value::String(format!("{of:?}"))
    }
}

/// `30` (seconds), `"30"`, `"250ms"`.
pub(super) struct Timeout;

impl Spelling for Timeout {
    type Of = Duration;

    fn read(value: &Value) -> Result<Duration, Reason> {
        match whole(value) {
            Some(0) => Err("must be more than zero".into()),
            Some(seconds) => Ok(Duration::from_secs(seconds)),
            None => Length::read(value).map_err(|reason| match reason.starts_with("must be one") {
                true => "must be seconds, such as 30, or one number with its unit (ns, us, ms, s, min, h, d), such as \"250ms\"".into(),
                false => reason,
            }),
        }
    }

    fn write(of: &Duration) -> Value {
        Length::write(of)
    }
}

/// `"100 calls"`, `"10s"`.
pub(super) struct Calls;

impl Spelling for Calls {
    type Of = Window;

    fn read(value: &Value) -> Result<Window, Reason> {
        let text = value.as_str().unwrap_or_default().trim();
        let calls = words::before(text, "calls").or_else(|| words::before(text, "call")).map(str::trim_end);
        let window = match calls {
            Some(calls) => units::digits(calls).and_then(|calls| u32::try_from(calls).ok()).map(Window::Calls),
            None => units::duration(text).map(Window::Time),
        };
        window
            .filter(|window| !matches!(window, Window::Calls(0) | Window::Time(Duration::ZERO)))
            .ok_or(Cow::Borrowed("must be \"100 calls\", or a duration with its unit, such as \"10s\""))
    }

    fn write(of: &Window) -> Value {
        Value::String(of.to_string())
    }
}

/// `"neutral"`.
pub(super) struct Word;

impl Spelling for Word {
    type Of = Cancelled;

    fn read(value: &Value) -> Result<Cancelled, Reason> {
        let all = [Cancelled::FailureWhenSlow, Cancelled::Neutral, Cancelled::Failure];
        let text = value.as_str().unwrap_or_default();
        let known = all.into_iter().find(|word| words::is(text, word.as_str()));
        known.ok_or(Cow::Borrowed("must be \"neutral\", \"failure\" or \"failure_when_slow\""))
    }

    fn write(of: &Cancelled) -> Value {
        of.as_str().into()
    }
}

/// `"exponential"`, `"exponential(factor = 2, cap = 10m, jitter = 10)"`, `{"exponential": {"factor": 2}}`.
pub(super) struct Growth;

const BACKOFF: &str = "must be \"exponential\", \"exponential(factor = 2, cap = 10m, jitter = 10)\" or a table { exponential = { factor = 2 } }";

impl Spelling for Growth {
    type Of = Backoff;

    fn read(value: &Value) -> Result<Backoff, Reason> {
        match value {
            Value::String(text) => from_text(text.trim()),
            Value::Object(table) => from_table(table),
            _ => Err(BACKOFF.into()),
        }
    }

    /// As it is shown to people, which `from_text` reads.
    fn write(of: &Backoff) -> Value {
        Value::String(of.to_string())
    }
}

fn from_text(text: &str) -> Result<Backoff, Reason> {
    let rest = words::after(text, "exponential").ok_or(BACKOFF)?.trim();
    if rest.is_empty() {
        return Ok(Backoff::exponential());
    }
    let inside = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or(BACKOFF)?;
    let mut backoff = Backoff::exponential();
    for part in inside.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        // `factor = 2`, and `factor 2` as it is shown to people.
        let (key, value) = part.split_once('=').or_else(|| part.split_once(' ')).ok_or(BACKOFF)?;
        let value = value.trim().trim_matches('"').trim_end_matches('%').trim_end();
        backoff = with(backoff, &key.trim().to_ascii_lowercase(), &Value::String(value.to_owned()))?;
    }
    Ok(backoff)
}

fn from_table(table: &Map<String, Value>) -> Result<Backoff, Reason> {
    let mut only = table.iter();
    let (Some((kind, parts)), None) = (only.next(), only.next()) else { return Err(BACKOFF.into()) };
    match parts {
        Value::Object(parts) if kind == "exponential" => {
            let given = parts.iter().filter(|(_, value)| !value.is_null());
            given.into_iter().try_fold(Backoff::exponential(), |backoff, (key, value)| with(backoff, key, value))
        }
        Value::Null if kind == "exponential" => Ok(Backoff::exponential()),
        _ => Err(BACKOFF.into()),
    }
}

fn with(backoff: Backoff, key: &str, value: &Value) -> Result<Backoff, Reason> {
    match key {
        "factor" => {
            let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
            let factor = number.filter(|factor: &f64| factor.is_finite() && *factor >= 1.0);
            Ok(backoff.factor(factor.ok_or("must have as its `factor` a number from 1 on")?))
        }
        "cap" => {
            Ok(backoff.cap(Length::read(value).map_err(|_| "must have as its `cap` a duration, such as \"10m\"")?))
        }
        "jitter" => {
            let percent =
                whole(value).and_then(|percent| u32::try_from(percent).ok()).filter(|percent| *percent <= 100);
            Ok(backoff.jitter(percent.ok_or("must have as its `jitter` a whole number of percent, from 0 to 100")?))
        }
        other => {
            let known = ["factor", "cap", "jitter"];
            let shown: String = other.chars().take(40).collect();
            let hint = suggest::hint(other, known.into_iter());
            Err(format!("has no `{shown}` (there are `factor`, `cap` and `jitter`){hint}").into())
        }
    }
}

/// `"100/s"`.
pub(super) struct Rate;

impl Spelling for Rate {
    type Of = (u32, Duration);

    fn read(value: &Value) -> Result<(u32, Duration), Reason> {
        match value.as_str().and_then(|text| units::rate(text.trim())) {
            Some((0, _)) => Err("must be more than 0 in its time: 0 would refuse everything; the smallest is 1".into()),
            Some((_, Duration::ZERO)) => Err("must be so many in a time that is more than zero".into()),
            Some((limit, window)) => match u32::try_from(limit) {
                Ok(limit) => Ok((limit, window)),
                Err(_) => Err("must be at most 4294967295 in its time".into()),
            },
            None => {
                Err("must be so many in a time (us, ms, s, min, h, d), such as \"100/s\", \"1000/min\" or \"5/250ms\""
                    .into())
            }
        }
    }

    fn write((limit, window): &(u32, Duration)) -> Value {
        Value::String(format!("{limit}/{window:?}"))
    }
}

#[cfg(test)]
mod tests;

//! Tables of options as they come from files: name -> option -> value, and which option is meant for which kind.

use super::breaker::BreakerSettings;
use super::limiter::RateLimiterSettings;
use super::options::{self, ComponentSettings};
use super::problem::{Problem, Source};
use super::unknown::{no_table, unknown};
use crate::registry::Kind;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is said under one name. A guarded function may have a breaker and a limiter of that name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Entry {
    pub(super) breaker: Option<BreakerSettings>,
    pub(super) limiter: Option<RateLimiterSettings>,
}

impl Entry {
    /// The kinds of which it says something.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let breaker = self.breaker.as_ref().map(|_| Kind::Breaker);
        breaker.into_iter().chain(self.limiter.as_ref().map(|_| Kind::Limiter)).collect()
    }
}

/// Settings by name, put together in code.
///
/// ```
/// use lifecycle::Settings;
/// use lifecycle::settings::{BreakerSettings, RateLimiterSettings};
/// use std::time::Duration;
///
/// let settings = Settings::new()
///     .breaker("fetch_user", BreakerSettings::new().threshold(3))
///     .limiter("fetch_user", RateLimiterSettings::new().limit(100).window(Duration::from_secs(1)));
/// assert_eq!(
///     serde_json::to_value(&settings)?,
///     serde_json::json!({ "fetch_user": { "threshold": 3, "rate": "100/1s" } })
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// It can be a part of a configuration of your own, which then is wrong as a whole when an option is:
///
/// ```
/// #[derive(Debug, serde::Deserialize)]
/// struct Config {
///     port: u16,
///     #[serde(default)]
///     lifecycle: lifecycle::Settings,
/// }
///
/// let config: Config = serde_json::from_str(r#"{ "port": 80, "lifecycle": { "fetch_user": { "threshold": 3 } } }"#)?;
/// assert_eq!(config.port, 80);
/// assert!(!config.lifecycle.is_empty());
/// let slip = serde_json::from_str::<Config>(r#"{ "port": 80, "lifecycle": { "fetch_user": { "treshold": 3 } } }"#);
/// assert!(slip.unwrap_err().to_string().contains("did you mean `threshold`?"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings(pub(super) BTreeMap<String, Entry>);

impl Settings {
    /// Nothing. Given to [`configure`](crate::configure) it takes back what was configured before.
    ///
    /// ```
    /// use lifecycle::{BreakerSettings, Settings, configure};
    ///
    /// let breaker = lifecycle::breakers().get("db")?;
    /// let configured = configure(Settings::new().breaker("db", BreakerSettings::new().threshold(2)))?;
    /// assert_eq!(configured.applied, ["db"]);
    /// assert_eq!(breaker.config().to_string(), "threshold 2, timeout 60s");
    ///
    /// let nothing = Settings::new();
    /// assert!(nothing.is_empty());
    /// assert!(configure(nothing)?.applied.is_empty());
    /// assert_eq!(breaker.config().to_string(), "threshold 5, timeout 60s");
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// What is said of the circuit breaker of that name or path; what was said of it before gives way. See
    /// [`Settings`] for an example.
    #[must_use]
    pub fn breaker(mut self, name: impl Into<String>, settings: BreakerSettings) -> Self {
        self.0.entry(name.into()).or_default().breaker = Some(settings);
        self
    }

    /// What is said of the rate limiter of that name or path; what was said of it before gives way. See
    /// [`Settings`] for an example.
    #[must_use]
    pub fn limiter(mut self, name: impl Into<String>, settings: RateLimiterSettings) -> Self {
        self.0.entry(name.into()).or_default().limiter = Some(settings);
        self
    }

    /// Is nothing said? See [`new`](Self::new) for an example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// From `{ name: { option: value } }`, with all that is wrong in it.
    pub(super) fn read(value: &Value) -> Result<Self, Vec<Problem>> {
        let Value::Object(names) = value else {
            let reason = format!(
                "settings must be a table of names, each with a table of options, found {} (text from a file is read \
                 first, by `toml::from_str` or `serde_json::from_str`)",
                found(value)
            );
            return Err(vec![Problem::new("", Source::Configured, reason)]);
        };
        let (mut settings, mut problems) = (Self::new(), Vec::new());
        for (name, table) in names {
            let problem = |reason: String| Problem::new(name, Source::Configured, reason);
            match table {
                _ if name.is_empty() => problems.push(problem("a name must not be empty".to_owned())),
                Value::Object(table) => {
                    let (entry, slips) = read(table);
                    problems.extend(slips.into_iter().map(|slip| problem(slip.in_full()).at(&slip.option)));
                    settings.0.insert(name.clone(), entry);
                }
                Value::Null => {}
                other => problems.push(problem(no_table(name, other))),
            }
        }
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, entry)| {
            let mut table = Map::new();
            entry.breaker.iter().for_each(|breaker| options::write(breaker, &mut table));
            entry.limiter.iter().for_each(|limiter| options::write(limiter, &mut table));
            (name, table)
        }))
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value).map_err(|problems| D::Error::custom(joined(&problems)))
    }
}

pub(super) fn joined<T: ToString>(several: &[T]) -> String {
    several.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// An option that cannot be used.
pub(super) struct Slip {
    pub(super) option: String,
    /// Without the value, which may be a secret where it comes from the environment.
    pub(super) reason: String,
    pub(super) found: Option<String>,
}

impl Slip {
    /// With the value.
    fn in_full(&self) -> String {
        match &self.found {
            Some(found) => format!("{}, found {found}", self.reason),
            None => self.reason.clone(),
        }
    }
}

/// Do both kinds have an option of that name?
fn is_both(option: &str) -> bool {
    options::option::<BreakerSettings>(option).is_some() && options::option::<RateLimiterSettings>(option).is_some()
}

/// Whose option it is. Both have a `window`: a limiter's stands beside its `limit`, a breaker's beside its rates.
pub(super) fn kind_of(option: &str, beside_limit: bool) -> Option<Kind> {
    let of_limiter = options::option::<RateLimiterSettings>(option).map(|_| Kind::Limiter);
    let of_breaker = options::option::<BreakerSettings>(option).map(|_| Kind::Breaker);
    if beside_limit { of_limiter.or(of_breaker) } else { of_breaker.or(of_limiter) }
}

/// Reads the options under one name and deals them out to the kinds.
pub(super) fn read(table: &Map<String, Value>) -> (Entry, Vec<Slip>) {
    let said = |name: &str| table.get(name).is_some_and(|value| !value.is_null());
    let (mut breaker, mut limiter, mut slips) = (Map::new(), Map::new(), Vec::new());
    for (name, value) in table.iter().filter(|(_, value)| !value.is_null()) {
        let part = match kind_of(name, said("limit")) {
            Some(_) if is_both(name) && said("limit") && (said("failure_rate") || said("slow_call_rate")) => {
                let reason = format!(
                    "`{name}` could be the breaker's or the limiter's: write the limiter's as `rate = \"100/s\"`"
                );
                slips.push(Slip { option: name.clone(), reason, found: None });
                continue;
            }
            Some(Kind::Limiter) => &mut limiter,
            Some(_) => &mut breaker,
            None => {
                slips.push(unknown(name, &options().collect::<Vec<_>>()));
                continue;
            }
        };
        part.insert(name.clone(), value.clone());
    }
    let breaker = read_kind::<BreakerSettings>(&breaker, &mut slips);
    let limiter = read_kind::<RateLimiterSettings>(&limiter, &mut slips);
    (Entry { breaker: Some(breaker).filter(something), limiter: Some(limiter).filter(something) }, slips)
}

fn something<S: ComponentSettings>(settings: &S) -> bool {
    !settings.is_nothing()
}

/// Reads a table that is one kind's.
fn read_kind<S: ComponentSettings>(table: &Map<String, Value>, slips: &mut Vec<Slip>) -> S {
    let mut settings = S::default();
    let given = || table.iter().filter(|(_, value)| !value.is_null());
    for (name, value) in given() {
        let Some(option) = options::option::<S>(name) else {
            slips.push(unknown(name, &names::<S>().collect::<Vec<_>>()));
            continue;
        };
        if let Err(reason) = (option.read)(&mut settings, value) {
            slips.push(Slip { option: name.clone(), reason: format!("`{name}` {reason}"), found: Some(found(value)) });
        }
    }
    if table.contains_key("rate") {
        if let Some((name, _)) = given().find(|(name, _)| matches!(name.as_str(), "limit" | "window")) {
            let reason = format!("`rate` says how many and in which time: leave out `{name}`");
            slips.push(Slip { option: name.clone(), reason, found: None });
        }
    }
    settings
}

pub(super) fn names<S: ComponentSettings>() -> impl Iterator<Item = &'static str> {
    S::OPTIONS.iter().map(|option| option.name)
}

/// All options there are.
pub(super) fn options() -> impl Iterator<Item = &'static str> {
    names::<BreakerSettings>().chain(names::<RateLimiterSettings>())
}

/// A value for a message: not longer than a line.
pub(super) fn found(value: &Value) -> String {
    cut(&value.to_string())
}

pub(super) fn cut(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// The settings of one kind alone, as a part of something else.
pub(super) fn serialize<T: ComponentSettings, S: Serializer>(settings: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut table = Map::new();
    options::write(settings, &mut table);
    table.serialize(serializer)
}

pub(super) fn deserialize<'de, T: ComponentSettings, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let table = Map::deserialize(deserializer)?;
    let mut slips = Vec::new();
    let settings = read_kind(&table, &mut slips);
    if slips.is_empty() {
        return Ok(settings);
    }
    Err(D::Error::custom(joined(&slips.iter().map(Slip::in_full).collect::<Vec<_>>())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn slips(value: &Value) -> Vec<String> {
        Settings::read(value).expect_err(&value.to_string()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_option_of_both_kinds_survives_a_table() {
        let table = json!({
            "fetch_user": {
                "threshold": 7,
                "failure_rate": 50,
                "slow_call_rate": "80",
                "window": "100 calls",
                "minimum_calls": 20,
                "slow_call": "2s",
                "cancelled": "neutral",
                "timeout": 30,
                "backoff": { "exponential": { "factor": 3, "cap": "10m", "jitter": 10 } },
                "half_open_calls": 2,
                "success_threshold": 3,
                "half_open_timeout": "500ms",
                "rate": "100/s",
            },
            "m::other": { "limit": 5, "window": "250ms" },
            "third": { "limit": 9 },
            "nothing": {},
        });
        let settings = Settings::read(&table).unwrap();
        let again = serde_json::to_value(&settings).unwrap();
        assert_eq!(Settings::read(&again).unwrap(), settings, "{again}");
        let all = settings.0["fetch_user"].breaker.clone().unwrap();
        assert!(BreakerSettings::NUMBERS.iter().all(|number| (number.given)(&all)), "{all:?}");
        assert_eq!(serde_json::from_value::<Settings>(table).unwrap(), settings);
    }

    #[test]
    fn a_window_is_the_limiters_beside_its_limit_and_the_breakers_otherwise() {
        let read = |value| Settings::read(&json!({ "a": value })).unwrap().0.remove("a").unwrap();
        assert!(read(json!({ "window": "1s" })).limiter.is_none());
        assert!(read(json!({ "window": "1s", "rate": "5/s" })).breaker.is_some_and(|it| it.window.is_some()));
        let both = read(json!({ "window": "1s", "limit": 5, "threshold": 3 }));
        assert!(both.breaker.unwrap().window.is_none() && both.limiter.unwrap().window.is_some());
        let unclear = slips(&json!({ "a": { "window": "1s", "limit": 5, "failure_rate": 50 } }));
        assert!(unclear[0].contains("write the limiter's as `rate"), "{unclear:?}");
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_and_how_to_put_it_right() {
        let told = slips(&json!({
            "fetch_user": { "treshold": 3, "colour": "red", "timeout": "30 parsecs", "rate": "5/s", "limit": 5 },
            "": {},
            "other": 5,
        }));
        let expected = [
            "`fetch_user`: no option `treshold`, did you mean `threshold`?",
            "`fetch_user`: no option `colour`, there are: threshold, failure_rate, ",
            "`fetch_user`: `timeout` must be seconds, such as 30, or one number with its unit (ns, us, ms, s, min, h, d), such as \"250ms\", \
             found \"30 parsecs\"",
            "`fetch_user`: `rate` says how many and in which time: leave out `limit`",
            "a name must not be empty",
            "`other`: must be a table of options, found 5",
        ];
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.starts_with(expected), "{told}");
        }
        assert_eq!(told.len(), expected.len(), "{told:?}");
        assert!(slips(&json!("[fetch_user]\nthreshold = 3"))[0].contains("toml::from_str"));
    }

    #[test]
    fn null_says_nothing() {
        let settings = Settings::read(&json!({ "a": { "threshold": null, "anything": null }, "b": null })).unwrap();
        assert_eq!(settings.0.into_iter().collect::<Vec<_>>(), [("a".to_owned(), Entry::default())]);
    }
}

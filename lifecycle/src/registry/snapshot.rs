//! Everything the process has declared and made, as one serde value that reports, health checks and metrics read.

mod parts;

pub use parts::{
    BreakerRates, BreakerSnapshot, BreakerStatistics, FlagSnapshot, InitializationSnapshot, InvocationsSnapshot,
    KeyedSnapshot, LimiterSnapshot, SettingSnapshot, SingletonSnapshot,
};

use super::{Component, components};
use crate::clock::{ClockHandle, unix_seconds};
use crate::flag::AnyFlag;
use crate::singleton::AnySingleton;
use serde::{Deserialize, Serialize};

/// The state of everything at one moment; each item is consistent in itself. Durations are seconds unless the field says
/// otherwise, times are seconds since 1970. From [`snapshot`](crate::snapshot()).
///
/// ```
/// use lifecycle::{Flag, Snapshot, init_flag};
///
/// #[init_flag]
/// static DARK_MODE: Flag<bool> = false;
///
/// let json = serde_json::to_string(&lifecycle::snapshot())?; // as an endpoint gives it
/// let read: Snapshot = serde_json::from_str(&json)?;
/// let flag = read.flags.iter().find(|flag| flag.name == "dark_mode").unwrap();
/// assert_eq!((&flag.value, flag.source.as_str()), (&false.into(), "default"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// When it was taken, in seconds since 1970.
    pub timestamp: f64,
    /// The version of this library. Two versions in one program (a plug-in may bring its own) are two of everything, and each tells
    /// of its own components only.
    #[serde(default)]
    pub version: String,
    /// Declared singletons, created or not, then those made by name at run time.
    pub singletons: Vec<SingletonSnapshot>,
    /// Steps (`#[init_flag]` on a function), run or not: as singletons that have no value.
    #[serde(default)]
    pub steps: Vec<SingletonSnapshot>,
    /// Declared breakers, then those made by name at run time.
    pub breakers: Vec<BreakerSnapshot>,
    /// Declared families of breakers, one a key.
    #[serde(default)]
    pub keyed_breakers: Vec<KeyedSnapshot<BreakerSnapshot>>,
    /// Declared limiters.
    pub limiters: Vec<LimiterSnapshot>,
    /// Families of limiters, declared ones.
    #[serde(default)]
    pub keyed_limiters: Vec<KeyedSnapshot<LimiterSnapshot>>,
    /// Declared flags, then those set by name at run time.
    pub flags: Vec<FlagSnapshot>,
    /// `initialize`: done or not, when, how long.
    pub initialization: InitializationSnapshot,
    /// Invocations, done and under way.
    #[serde(default)]
    pub invocations: InvocationsSnapshot,
    /// What [`on_memory_pressure`](crate::on_memory_pressure) saw last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<crate::process::MemoryReading>,
    /// What [`verify`](crate::verify) reports: short names declared more than once within a kind, with their paths, and so on.
    pub duplicates: Vec<String>,
}

/// Takes a [`Snapshot`]: every declared component with its state and counts, whether it was used or not, and what was made
/// by name. It creates nothing and changes no count.
///
/// ```
/// #[lifecycle::singleton]
/// #[derive(Default)]
/// struct Cache;
///
/// let before = lifecycle::snapshot();
/// assert!(before.singletons.iter().any(|one| one.name == "cache" && !one.created));
/// println!("{before}"); // a table; serde gives JSON
/// ```
#[must_use]
pub fn snapshot() -> Snapshot {
    let book = crate::scope::Book::in_force();
    let mut all = Snapshot {
        timestamp: unix_seconds(ClockHandle::in_force().wall()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        singletons: Vec::new(),
        steps: Vec::new(),
        breakers: Vec::new(),
        keyed_breakers: Vec::new(),
        limiters: Vec::new(),
        keyed_limiters: Vec::new(),
        flags: Vec::new(),
        initialization: crate::init::initialization().observe(),
        invocations: InvocationsSnapshot { begun: book.begun(), active: book.active() },
        memory: crate::process::last_reading(),
        duplicates: super::verify().iter().map(ToString::to_string).collect(),
    };
    for component in components().iter() {
        match component {
            Component::Singleton(singleton) => all.singletons.extend(singleton.observe()),
            Component::Breaker(breaker) => all.breakers.push(breaker.observe()),
            Component::KeyedBreaker(family) => all.keyed_breakers.push(family.observe()),
            Component::Limiter(limiter) => all.limiters.push(limiter.observe()),
            Component::KeyedLimiter(family) => all.keyed_limiters.push(family.observe()),
            Component::Flag(flag) => all.flags.push(flag.observe()),
            Component::Step(step) => {
                all.steps.extend(AnySingleton::observe(*step));
                all.flags.push(AnyFlag::observe(*step));
            }
        }
    }
    crate::singleton::singletons().observe_dynamic(&mut all.singletons);
    all.breakers.extend(crate::breaker::breakers().observe_dynamic());
    all.flags.extend(crate::init::initialization().observe_dynamic());
    all
}

impl Snapshot {
    /// The dependency edges, observed and declared: (dependent, dependency), by name.
    ///
    /// ```
    /// #[lifecycle::singleton]
    /// fn connection() -> String {
    ///     "postgres://localhost".to_owned()
    /// }
    ///
    /// #[lifecycle::singleton]
    /// fn repository() -> usize {
    ///     connection().len()
    /// }
    ///
    /// repository();
    /// assert!(lifecycle::snapshot().edges().contains(&("repository", "connection")));
    /// ```
    #[must_use]
    pub fn edges(&self) -> Vec<(&str, &str)> {
        let created = self.singletons.iter().chain(&self.steps);
        created.flat_map(|one| one.depends_on.iter().map(move |on| (one.name.as_str(), on.as_str()))).collect()
    }
}

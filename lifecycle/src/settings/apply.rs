//! `configure`: a layer is read, tried and stored as a whole; then the components it is about are told, with no lock held.

use super::environment;
use super::options::ComponentSettings;
use super::problem::{Problem, Source};
use super::store::{Home, Layer, Names, part, store};
use super::table::Settings;
use super::{BreakerSettings, suggest};
use crate::breaker::breakers;
use crate::error::{Error, printable};
use crate::name::key_of;
use crate::registry::{self, Component, Descriptor, Kind};
use crate::scope;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// A component whose numbers can change while it runs.
pub(crate) trait Configurable {
    fn descriptor(&self) -> &Descriptor;

    /// Would it be valid with `settings` in place of what is configured now?
    fn accepts(&self, settings: &Proposed<'_>) -> Result<(), Error>;

    /// What is wrong with what is said of it, whether it is used or not.
    fn settings_problems(&self) -> Vec<Problem>;

    /// Something that is said of it may have changed: it reads its layers anew. Called with no lock held.
    fn settings_changed(&self);
}

/// What is about to be configured.
pub(crate) struct Proposed<'a>(&'a Layer);

impl Proposed<'_> {
    /// What it says of a component.
    pub(crate) fn of<S: ComponentSettings>(&self, descriptor: &Descriptor) -> Option<S> {
        part(self.0, &Names::of(descriptor))
    }
}

/// All components that can be configured, here; with `keys`, those of each key too. Nothing is locked while one is visited.
fn each(keys: bool, mut visit: impl FnMut(&Names, &dyn Configurable)) {
    let mut see = |component: &dyn Configurable| visit(&Names::of(component.descriptor()), component);
    for component in registry::components().iter() {
        match component {
            Component::Breaker(breaker) => see(*breaker),
            Component::KeyedBreaker(family) => {
                see(*family);
                let all = if keys { family.breakers() } else { Vec::new() };
                all.iter().for_each(|breaker| see(&**breaker));
            }
            Component::Limiter(limiter) => see(*limiter),
            Component::KeyedLimiter(family) => {
                see(*family);
                let all = if keys { family.limiters() } else { Vec::new() };
                all.iter().for_each(|limiter| see(&**limiter));
            }
            Component::Singleton(_) | Component::Flag(_) | Component::Step(_) => {}
        }
    }
    breakers().dynamic().iter().for_each(|breaker| see(&**breaker));
}

/// Changes numbers of components by name, without a rebuild: `settings` is a map from names to tables of options.
///
/// That can be [`Settings`] put together in code, or anything else that serde can write as such a map: a `toml::Table`, a
/// `serde_json::Value`, what figment's `extract` gives, a struct of your own with one field a component. The options are those
/// of the attributes; they are listed in [`guide::settings`](crate::guide::settings). A component is meant by its short name,
/// whichever module declares it, or by `module::name`, which counts more; one key of a keyed one by `name[key]`.
///
/// ```
/// use lifecycle::circuit_breaker;
///
/// #[circuit_breaker(threshold = 5)]
/// fn fetch_user() -> Result<(), Box<dyn std::error::Error>> {
///     Err("down".into())
/// }
///
/// let configured = lifecycle::configure(serde_json::json!({ "fetch_user": { "threshold": 1 } }))?;
/// assert_eq!(configured.applied, ["fetch_user"]);
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// Calling it again replaces everything said before: what is no longer in `settings` falls back to the attribute (or to what
/// the environment says). State, failures and statistics stay. Environment variables and `reconfigure` count more.
///
/// Components that are made or first used later find what is said for them; [`Configured::waiting`] lists the names nobody has
/// so far. In a test world only that world's components are meant.
///
/// Told at once are those that are declared, with all their keys, and those that [`breakers`](crate::breakers) made by name. What you
/// build and hold yourself (`CircuitBreaker::builder`, `RateLimiter::new`, `KeyedRateLimiter::new`) is on no list: it reads what
/// is said when it is first used, and again whenever it is reconfigured. So tell it by
/// `breaker.reconfigure(BreakerSettings::new())`, which takes back nothing but what an earlier `reconfigure` gave.
///
/// # Errors
/// [`Error::InvalidSettings`] with all that is wrong: unknown options, values that cannot be used, options that do not go
/// together with the rest of what a component goes by. Then nothing of it is applied.
pub fn configure(settings: impl Serialize) -> Result<Configured, Error> {
    // The user's code, if it has its own way of being written.
    let value = serde_json::to_value(settings).map_err(|error| {
        let reason = format!("settings must be a table of names, each with a table of options: {error}");
        Error::InvalidSettings { problems: vec![Problem::new("", Source::Configured, reason)] }
    })?;
    apply(&value)
}

fn apply(value: &Value) -> Result<Configured, Error> {
    let settings = Settings::read(value).map_err(|problems| Error::InvalidSettings { problems: of_flags(problems) })?;
    let configured = Configured::of(&settings.0)?;
    let new: BTreeSet<String> = settings.0.keys().cloned().collect();
    let home = Home::here();
    let old = home.replace(settings);
    let said = |name: &str| new.contains(name) || old.as_ref().is_some_and(|old| old.contains_key(name));
    each(true, |names, component| {
        if names.iter().any(said) {
            component.settings_changed();
        }
    });
    home.tell();
    Ok(configured)
}

/// What stands under the name of a flag is no option of anything: said once for each.
fn of_flags(mut problems: Vec<Problem>) -> Vec<Problem> {
    let is = |kind, name: &str| matches!(registry::find(kind, name), Ok(Some(_)) | Err(_));
    for problem in &mut problems {
        let name = &problem.name;
        if is(Kind::Flag, name) && ![Kind::Breaker, Kind::Limiter].into_iter().any(|kind| is(kind, name)) {
            problem.reason =
                "this is a flag, and settings are numbers of breakers and limiters: a flag takes its value from its \
                              variable, or by `set`"
                    .to_owned();
            problem.option = None;
        }
    }
    problems.dedup();
    problems
}

/// What came of [`configure`].
///
/// ```
/// use lifecycle::circuit_breaker;
///
/// #[circuit_breaker]
/// fn fetch_user() -> Result<(), Box<dyn std::error::Error>> {
///     Ok(())
/// }
///
/// let configured = lifecycle::configure(serde_json::json!({ "fetch_usr": { "threshold": 3 } }))?;
/// assert_eq!(configured.waiting, ["fetch_usr"]);
/// assert_eq!(
///     configured.to_string(),
///     "applied to nothing; waiting: `fetch_usr` (no circuit breaker of that name so far, did you mean `fetch_user`?)"
/// );
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a name that nobody has may be a slip: print it, or look at `waiting`"]
#[non_exhaustive]
pub struct Configured {
    /// Names that components have, declared or made.
    pub applied: Vec<String>,
    /// Names that nobody has so far; whoever comes to have them finds what is said. A name is in both when, say, only the
    /// breaker of a function with breaker and limiter exists.
    pub waiting: Vec<String>,
    /// What is missing, for each of those that wait.
    missing: Vec<String>,
}

impl Configured {
    /// What will come of it; what cannot be is an error.
    fn of(settings: &Layer) -> Result<Self, Error> {
        let (mut applied, mut problems, mut known) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        let proposed = Proposed(settings);
        each(true, |names, component| {
            let kind = component.descriptor().kind();
            for name in names.iter().filter(|name| settings.contains_key(*name)) {
                applied.insert((name.to_owned(), kind));
            }
            if key_of(component.descriptor().name()).is_none() {
                known.extend(names.iter().map(|name| (name.to_owned(), kind)));
            }
            if let (true, Err(error)) =
                (names.iter().any(|name| settings.contains_key(name)), component.accepts(&proposed))
            {
                let reason = match error {
                    Error::InvalidConfig { reason, .. } => reason,
                    other => other.to_string(),
                };
                let of_key = names.own().any(|name| settings.contains_key(name));
                let problem = Problem::new(names.shown(of_key).0, Source::Configured, reason);
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        });
        if !problems.is_empty() {
            return Err(Error::InvalidSettings { problems });
        }
        let mut all = Self { applied: Vec::new(), waiting: Vec::new(), missing: Vec::new() };
        for (name, entry) in settings {
            let has = |kind| applied.contains(&(name.clone(), kind));
            let kinds = entry.kinds();
            let lacks: Vec<Kind> = kinds.iter().copied().filter(|kind| !has(*kind)).collect();
            if lacks.len() < kinds.len() || (kinds.is_empty() && [Kind::Breaker, Kind::Limiter].into_iter().any(has)) {
                all.applied.push(name.clone());
            } else if kinds.is_empty() {
                all.waiting.push(name.clone());
                all.missing.push("nothing of that name so far".to_owned());
            }
            if !lacks.is_empty() {
                let near = known.iter().filter(|(_, kind)| lacks.contains(kind)).map(|(name, _)| name.as_str());
                let name_of_all = key_of(name).map_or(name.as_str(), |(name, _)| name);
                let words = lacks.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or ");
                all.waiting.push(name.clone());
                let hint =
                    match entry.breaker.as_ref().filter(|_| has(Kind::Limiter) && !kinds.contains(&Kind::Limiter)) {
                        // What is a window beside a limit is a breaker's alone.
                        Some(said) if said.window.is_some() => {
                            "; the rate limiter of that name takes its window as `rate = \"100/s\"`, or beside `limit`"
                                .to_owned()
                        }
                        Some(_) => "; a rate limiter has that name".to_owned(),
                        None => suggest::hint_of_slip(name_of_all, near),
                    };
                all.missing.push(format!("no {words} of that name so far{hint}"));
            }
        }
        Ok(all)
    }
}

impl fmt::Display for Configured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            |names: &[String]| names.iter().map(|name| format!("`{}`", printable(name))).collect::<Vec<_>>().join(", ");
        match self.applied.as_slice() {
            [] => f.write_str("applied to nothing")?,
            applied => write!(f, "applied to {}", names(applied))?,
        }
        for (at, (name, missing)) in self.waiting.iter().zip(&self.missing).enumerate() {
            let begin = if at == 0 { "; waiting: " } else { ", " };
            write!(f, "{begin}`{}` ({missing})", printable(name))?;
        }
        Ok(())
    }
}

/// What is wrong with the settings that are in force, for [`verify`](crate::verify): of all that is declared, used or not.
pub(crate) fn problems() -> Vec<Problem> {
    let mut all = store().problems();
    let mut add = |problem: Problem| {
        if !all.contains(&problem) {
            all.push(problem);
        }
    };
    let outside = scope::universe().is_none();
    let mut known = Vec::new();
    each(false, |names, component| {
        if outside {
            environment::of_component::<BreakerSettings>(names).problems.into_iter().for_each(&mut add);
        }
        component.settings_problems().into_iter().for_each(&mut add);
        known.extend(names.iter().map(|name| (name.to_owned(), component.descriptor().kind())));
    });
    if outside {
        environment::misspelled(&known).into_iter().for_each(&mut add);
    }
    let known: Vec<String> = known.into_iter().map(|(name, _)| name).collect();
    let configured = store().configured();
    for name in configured.iter().flat_map(|layer| layer.keys()).filter(|name| !known.contains(name)) {
        let name_of_all = key_of(name).map_or(name.as_str(), |(name, _)| name);
        if let Some(meant) = suggest::slip_of(name_of_all, known.iter().map(String::as_str)) {
            let reason = format!("nobody has that name so far, did you mean `{meant}`?");
            add(Problem::new(name, Source::Configured, reason));
        }
    }
    all
}

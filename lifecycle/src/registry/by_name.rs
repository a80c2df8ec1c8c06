//! From a name to the component, and what to say where there is none.

use super::{Component, Kind, find, index};
use crate::breaker::{CircuitBreaker, KeyedCircuitBreaker, breakers};
use crate::error::Error;
use crate::flag::AnyFlag;
use crate::instance::Instance;
use crate::limiter::{KeyedRateLimiter, RateLimiter};
use crate::name::{key_of, out_of_brackets};
use crate::settings::hint_of_slip;
use std::borrow::Cow;

/// The circuit breaker of that name: a declared one (or `module::name`), one of a declared family (`fetch[acme]`), or one that
/// [`breakers`](crate::breakers) made. It makes none: for a key that nobody has used yet see [`keyed_breaker`].
///
/// ```
/// # fn ask(_: &str) -> Result<(), lifecycle::Rejected> { Ok(()) }
/// #[lifecycle::circuit_breaker(threshold = 3)]
/// fn stock() -> Result<(), lifecycle::Rejected> {
///     ask("inventory")
/// }
///
/// lifecycle::breaker("stock")?.force_open(); // maintenance
/// assert!(stock().is_err());
///
/// let slip = lifecycle::breaker("stocks").unwrap_err();
/// assert_eq!(slip.to_string(), "no circuit breaker named `stocks`, did you mean `stock`?");
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Ambiguous`] when several modules declare the short name; [`Error::NeedsKey`] for a family.
pub fn breaker(name: &str) -> Result<Instance<CircuitBreaker>, Error> {
    let found = match named(Kind::Breaker, name)? {
        Named::One(Component::Breaker(breaker)) => Some(Instance::Static(breaker)),
        Named::Key(Component::KeyedBreaker(family), key) => family.in_brackets(key).map(Instance::Shared),
        _ => breakers().made(name).map(Instance::Shared),
    };
    found.ok_or_else(|| not_found(Kind::Breaker, name))
}

/// A declared breaker, or one of a declared family, made if there is none for the key.
pub(crate) fn declared_breaker(name: &str) -> Result<Option<Instance<CircuitBreaker>>, Error> {
    Ok(match named(Kind::Breaker, name)? {
        Named::One(Component::Breaker(breaker)) => Some(Instance::Static(breaker)),
        Named::Key(Component::KeyedBreaker(family), key) => {
            let made = || family.at(out_of_brackets(key).unwrap_or(key));
            Some(Instance::Shared(family.in_brackets(key).unwrap_or_else(made)))
        }
        _ => None,
    })
}

/// The declared rate limiter of that name (or `module::name`), or one of a declared family (`fetch[acme]`). It makes none: for a key
/// that nobody has used yet see [`keyed_limiter`].
///
/// ```
/// use lifecycle::{Rejected, rate_limit};
///
/// #[rate_limit("1/min")]
/// fn quarterly_report() -> Result<(), Rejected> {
///     Ok(())
/// }
///
/// quarterly_report()?;
/// lifecycle::limiter("quarterly_report")?.reset(); // once more
/// quarterly_report()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Ambiguous`] when several modules declare the short name; [`Error::NeedsKey`] for a family.
pub fn limiter(name: &str) -> Result<Instance<RateLimiter>, Error> {
    let found = match named(Kind::Limiter, name)? {
        Named::One(Component::Limiter(limiter)) => Some(Instance::Static(limiter)),
        Named::Key(Component::KeyedLimiter(family), key) => family.in_brackets(key).map(Instance::Shared),
        _ => None,
    };
    found.ok_or_else(|| not_found(Kind::Limiter, name))
}

/// The declared family of circuit breakers of that name (or `module::name`), one a key.
///
/// ```
/// use lifecycle::{BreakerSettings, Rejected, circuit_breaker};
///
/// #[circuit_breaker(key = host)]
/// fn fetch_from(host: &str) -> Result<usize, Rejected> {
///     Ok(host.len())
/// }
///
/// let hosts = lifecycle::keyed_breaker("fetch_from")?;
/// hosts.reconfigure(BreakerSettings::new().threshold(3))?; // all of them
/// hosts.at("a.example").force_open(); // one of them, used before or not
/// assert!(fetch_from("a.example").is_err() && fetch_from("b.example").is_ok());
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFound`], also for a breaker without keys; [`Error::Ambiguous`] when several modules declare the short name.
pub fn keyed_breaker(name: &str) -> Result<&'static KeyedCircuitBreaker, Error> {
    match find(Kind::Breaker, name)? {
        Some(Component::KeyedBreaker(family)) => Ok(family),
        other => Err(no_family(Kind::Breaker, name, other.is_some())),
    }
}

/// The declared family of rate limiters of that name (or `module::name`), one a key.
///
/// ```
/// use lifecycle::{Rejected, rate_limit};
/// use std::time::Duration;
///
/// #[rate_limit("5/s", key = client)]
/// fn quote(client: &str) -> Result<usize, Rejected> {
///     Ok(client.len())
/// }
///
/// quote("acme")?;
/// let clients = lifecycle::keyed_limiter("quote")?;
/// assert_eq!(clients.usage().allowed, 1);
/// clients.at("initech").set_limit(100, Duration::from_secs(1))?; // a client who pays for more
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotFound`], also for a limiter without keys; [`Error::Ambiguous`] when several modules declare the short name.
pub fn keyed_limiter(name: &str) -> Result<&'static KeyedRateLimiter, Error> {
    match find(Kind::Limiter, name)? {
        Some(Component::KeyedLimiter(family)) => Ok(family),
        other => Err(no_family(Kind::Limiter, name, other.is_some())),
    }
}

/// The declared flag of that name (or `module::name`), whatever its type: values go in and out as JSON.
///
/// ```
/// use lifecycle::{Flag, init_flag};
///
/// #[init_flag]
/// static BETA: Flag<bool> = false;
///
/// lifecycle::flag("beta")?.set_json(&true.into())?;
/// assert!(BETA.get());
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Ambiguous`] when several modules declare the short name.
pub fn flag(name: &str) -> Result<&'static dyn AnyFlag, Error> {
    find(Kind::Flag, name)?.and_then(Component::flag).ok_or_else(|| not_found(Kind::Flag, name))
}

/// What a name says.
enum Named<'a> {
    /// A component.
    One(Component),
    /// A key of a family, which it may have or not.
    Key(Component, &'a str),
    Nobody,
}

/// The component of that name, which is no family itself.
fn named(kind: Kind, name: &str) -> Result<Named<'_>, Error> {
    match find(kind, name)? {
        Some(Component::KeyedBreaker(_) | Component::KeyedLimiter(_)) => {
            let look_up = if kind == Kind::Breaker { "keyed_breaker" } else { "keyed_limiter" };
            return Err(Error::NeedsKey { kind: kind.as_str(), look_up, name: name.to_owned() });
        }
        Some(one) => return Ok(Named::One(one)),
        None => {}
    }
    let Some((family, key)) = key_of(name) else { return Ok(Named::Nobody) };
    Ok(find(kind, family)?.map_or(Named::Nobody, |family| Named::Key(family, key)))
}

/// The error for a name that nobody of that kind has, with what may be meant.
pub(crate) fn not_found(kind: Kind, name: &str) -> Error {
    Error::NotFound { kind: kind.as_str(), name: name.to_owned(), hint: hint(kind, name) }
}

fn no_family(kind: Kind, name: &str, is_single: bool) -> Error {
    let (kind_of_family, look_up) = match kind {
        Kind::Limiter => ("family of rate limiters", "limiter"),
        _ => ("family of circuit breakers", "breaker"),
    };
    let hint = if is_single {
        format!("; it is one without keys, which `{look_up}(..)` finds")
    } else {
        hint(kind, key_of(name).map_or(name, |(family, _)| family))
    };
    Error::NotFound { kind: kind_of_family, name: name.to_owned(), hint }
}

/// What to say after "nobody has that name".
fn hint(kind: Kind, name: &str) -> String {
    let others = [Kind::Singleton, Kind::Breaker, Kind::Limiter, Kind::Flag].into_iter().filter(|other| *other != kind);
    let has_it = |other: &Kind| index::with(|index| !index.named(*other, name).is_empty());
    if let Some(other) = others.into_iter().find(has_it) {
        return format!("; a {} has that name", other.as_str());
    }
    if let Some((family, key)) = key_of(name) {
        // Keys are looked at with nothing of the list held.
        let keys: Vec<String> = match find(kind, family) {
            Ok(Some(Component::KeyedBreaker(one))) => one.breakers().iter().map(|one| one.name().to_owned()).collect(),
            Ok(Some(Component::KeyedLimiter(one))) => one.limiters().iter().map(|one| one.name().to_owned()).collect(),
            _ => return hint_of_slip(family, known(kind, family).iter().map(|known| &**known)),
        };
        let own = keys.iter().find_map(|known| key_of(known)).map_or(family, |(own, _)| own);
        let near = hint_of_slip(&format!("{own}[{key}]"), keys.iter().map(String::as_str));
        if !near.is_empty() {
            return near;
        }
        let look_up = if kind == Kind::Breaker { "keyed_breaker" } else { "keyed_limiter" };
        return format!("; nobody has used that key so far: `{look_up}(\"{family}\")?.at(..)` makes one");
    }
    hint_of_slip(name, known(kind, name).iter().map(|known| &**known))
}

/// What a name may be a slip of: names, or paths if it is one.
fn known(kind: Kind, name: &str) -> Vec<Cow<'static, str>> {
    let is_path = name.contains("::");
    let mut all: Vec<Cow<'static, str>> = super::declared(|component| {
        let descriptor = component.descriptor();
        let name = || if is_path { descriptor.path().into() } else { descriptor.name().into() };
        (descriptor.kind() == kind).then(name)
    });
    if kind == Kind::Breaker {
        all.extend(breakers().dynamic().iter().map(|breaker| breaker.name().to_owned().into()));
    }
    all
}

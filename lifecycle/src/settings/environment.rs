//! Settings in environment variables: `LIFECYCLE__FETCH_USER__THRESHOLD=5`.
//!
//! The environment is read once, when a component first asks; what is found stays, so that all components see the same.

use super::options::ComponentSettings;
use super::problem::{Problem, Source};
use super::store::Names;
use super::suggest;
use super::table::{self, Entry, Slip};
use crate::registry::Kind;
use crate::words;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::OnceLock;

const PREFIX: &str = "LIFECYCLE__";

/// What stands under one name.
struct Said {
    entry: Entry,
    slips: Vec<Slip>,
    /// The variable of each option.
    variables: BTreeMap<String, String>,
}

impl Said {
    /// Is it this kind's, and right?
    fn is_of(&self, kind: Kind, option: &str) -> bool {
        table::kind_of(option, self.variables.contains_key("limit")) == Some(kind)
            && self.slips.iter().all(|slip| slip.option != option)
    }
}

struct Environment {
    /// By the name as it stands in variables: `FETCH_USER`.
    by_name: BTreeMap<String, Said>,
    /// Variables that begin like ours and say nothing.
    strays: Vec<String>,
}

fn process() -> &'static Environment {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| read(std::env::vars_os()))
}

fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Environment {
    let mut strays = Vec::new();
    let mut tables = BTreeMap::<String, (Map<String, Value>, BTreeMap<String, String>, Vec<Slip>)>::new();
    for (variable, value) in variables {
        let Some(variable) = variable.to_str() else { continue };
        // Names may have `__` in them (`my_mod::fetch` is `MY_MOD__FETCH`), options have none.
        let Some((name, option)) = words::after(variable, PREFIX).and_then(|rest| rest.rsplit_once("__")) else {
            if words::after(variable, PREFIX.trim_end_matches('_')).is_some() {
                strays.push(variable.to_owned());
            }
            continue;
        };
        let (table, variables, twice) = tables.entry(name.to_ascii_uppercase()).or_default();
        let option = option.to_ascii_lowercase();
        // What is no text is no value of any option either.
        table.insert(option.clone(), value.into_string().map_or(Value::Array(Vec::new()), Value::String));
        if let Some(other) = variables.insert(option.clone(), variable.to_owned()) {
            let reason = format!("`{other}` says the same in other letters: leave one of the two out");
            twice.push(Slip { option, reason, found: None });
        }
    }
    let said = |(mut table, variables, twice): (Map<String, Value>, _, Vec<Slip>)| {
        // Which of them came last is chance.
        twice.iter().for_each(|slip| drop(table.remove(&slip.option)));
        let (entry, mut slips) = table::read(&table);
        slips.extend(twice);
        Said { entry, slips, variables }
    };
    Environment { by_name: tables.into_iter().map(|(name, table)| (name, said(table))).collect(), strays }
}

/// A name as it stands in variables.
fn in_variables(name: &str) -> String {
    let upper = name.chars().flat_map(char::to_uppercase);
    upper.map(|c| if c.is_ascii_uppercase() || c.is_ascii_digit() { c } else { '_' }).collect()
}

/// Does it say nothing at all?
pub(super) fn is_empty() -> bool {
    process().by_name.is_empty()
}

/// What the environment says of a component.
pub(super) struct Found<S> {
    pub(super) settings: Option<S>,
    /// Some of it is said of its own key.
    pub(super) of_key: bool,
    pub(super) problems: Vec<Problem>,
}

pub(super) fn of_component<S: ComponentSettings>(names: &Names) -> Found<S> {
    of(process(), names)
}

fn of<S: ComponentSettings>(environment: &Environment, names: &Names) -> Found<S> {
    let mut found = Found { settings: None::<S>, of_key: false, problems: Vec::new() };
    for name in names.iter() {
        let Some(said) = environment.by_name.get(&in_variables(name)) else { continue };
        if let Some(part) = S::part(&said.entry) {
            found.settings = Some(found.settings.unwrap_or_default().merged(part));
        }
        found.of_key |= names.own().any(|own| own == name);
        found.problems.extend(said.slips.iter().map(|slip| Problem {
            variable: said.variables.get(&slip.option).cloned(),
            ..Problem::new(name, Source::Environment, slip.reason.clone()).at(&slip.option)
        }));
    }
    found
}

/// The variables that say something of a component, the least specific first; with `only`, those of this option.
pub(super) fn variables(kind: Kind, names: &Names, only: Option<&str>) -> Vec<String> {
    let mut all = Vec::new();
    for said in names.iter().filter_map(|name| process().by_name.get(&in_variables(name))) {
        let meant = said.variables.iter().filter(|(option, _)| only.is_none_or(|only| only == *option));
        all.extend(meant.filter(|(option, _)| said.is_of(kind, option)).map(|(_, variable)| variable.clone()));
    }
    all
}

/// Variables of names that nobody has and that are near to one that somebody has, and those of a kind that nobody of the name is.
pub(super) fn misspelled(known: &[(String, Kind)]) -> Vec<Problem> {
    let known: Vec<(String, Kind)> = known.iter().map(|(name, kind)| (in_variables(name), *kind)).collect();
    let names: Vec<String> = known.iter().map(|(name, _)| name.clone()).collect();
    let mut problems = misspelled_in(process(), &names);
    problems.extend(misplaced_in(process(), &known));
    problems
}

fn misplaced_in(environment: &Environment, known: &[(String, Kind)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, said) in &environment.by_name {
        let is = |kind: Kind| known.iter().any(|(known, of)| known == name && *of == kind);
        let (meant, other) = match (is(Kind::Breaker), is(Kind::Limiter)) {
            (false, true) => (Kind::Breaker, Kind::Limiter),
            (true, false) => (Kind::Limiter, Kind::Breaker),
            _ => continue,
        };
        for (option, variable) in &said.variables {
            if said.is_of(meant, option) {
                let hint = match (meant, &**option) {
                    (Kind::Breaker, "window") => "; a rate limiter takes its window by `RATE=100/s`, or beside `LIMIT`",
                    _ => "",
                };
                let (meant, other) = (meant.as_str(), other.as_str());
                let reason =
                    format!("`{option}` is a {meant}'s, and of that name there is only a {other} so far{hint}");
                let problem = Problem::new(name, Source::Environment, reason).at(option);
                problems.push(Problem { variable: Some(variable.clone()), ..problem });
            }
        }
    }
    problems
}

fn misspelled_in(environment: &Environment, known: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, said) in environment.by_name.iter().filter(|(name, _)| !known.contains(name)) {
        let Some(meant) = suggest::slip_of(name, known.iter().map(String::as_str)) else { continue };
        let reason = format!("nobody has the name `{name}` so far, did you mean `{meant}`?");
        problems.extend(said.variables.values().map(|variable| Problem {
            variable: Some(variable.clone()),
            ..Problem::new(name, Source::Environment, reason.clone())
        }));
    }
    for variable in &environment.strays {
        let parts = single(variable);
        let mut all = known.iter().flat_map(|name| table::options().map(move |option| (name, option)));
        let written = |(name, option): (&String, &str)| {
            let meant = format!("{PREFIX}{name}__{}", option.to_ascii_uppercase());
            single(&meant).eq_ignore_ascii_case(&parts).then_some((name.clone(), meant))
        };
        let Some((name, meant)) = all.find_map(written) else { continue };
        let reason = format!("prefix, name and option are parted by two underscores: write `{meant}`");
        problems.push(Problem { variable: Some(variable.clone()), ..Problem::new(&name, Source::Environment, reason) });
    }
    problems
}

/// With single underscores.
fn single(variable: &str) -> String {
    variable.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Descriptor;
    use crate::settings::BreakerSettings;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        read(pairs.iter().map(|(variable, value)| (variable.into(), value.into())))
    }

    fn said(environment: &Environment, descriptor: &Descriptor) -> (Option<BreakerSettings>, Vec<String>) {
        let found = of(environment, &Names::of(descriptor));
        (found.settings, found.problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_are_in_capitals_and_what_is_none_is_an_underscore() {
        for (name, variable) in [
            ("fetch_user", "FETCH_USER"),
            ("my-api.v2", "MY_API_V2"),
            ("my_mod::fetch", "MY_MOD__FETCH"),
            ("fetch[acme]", "FETCH_ACME_"),
            ("grün", "GR_N"),
        ] {
            assert_eq!(in_variables(name), variable);
        }
    }

    #[test]
    fn the_path_counts_more_than_the_name_and_the_key_more_than_both() {
        let environment = environment(&[
            ("LIFECYCLE__FETCH__THRESHOLD", "2"),
            ("LIFECYCLE__FETCH__TIMEOUT", "30"),
            ("LIFECYCLE__FETCH__SUCCESS_THRESHOLD", "4"),
            ("LIFECYCLE__M__FETCH__THRESHOLD", "3"),
            ("LIFECYCLE__FETCH_ACME___TIMEOUT", "5m"),
            ("LIFECYCLE__OTHER__TIMEOUT", "7"),
            ("PATH", "/bin"),
            ("LIFECYCLE_TEST", "x"),
            ("LIFECYCLE__", "x"),
            ("LIFECYCLE__X", "x"),
        ]);
        let declared = Descriptor::new(Kind::Breaker, "fetch", "m", "f.rs", 1);
        let plain =
            BreakerSettings::new().threshold(3).timeout(std::time::Duration::from_secs(30)).success_threshold(4);
        assert_eq!(said(&environment, &declared), (Some(plain.clone()), vec![]));
        let keyed = Descriptor::new(Kind::Breaker, "fetch[acme]", "m", "f.rs", 1);
        let expected = plain.timeout(std::time::Duration::from_secs(300));
        assert_eq!(said(&environment, &keyed), (Some(expected), vec![]));
        let other = Descriptor::dynamic(Kind::Breaker, "elsewhere".into());
        assert_eq!(said(&environment, &other), (None, vec![]));
    }

    #[test]
    fn what_is_wrong_names_the_variable_and_never_its_value() {
        let environment = environment(&[
            ("LIFECYCLE__FETCH__THRESHOLD", "hunter2"),
            ("LIFECYCLE__FETCH__TRESHOLD", "3"),
            ("LIFECYCLE__FETCH__TIMEOUT", "30"),
            ("LIFECYCLE__FETCH__RATE", "5/s"),
        ]);
        let (settings, problems) = said(&environment, &Descriptor::dynamic(Kind::Breaker, "fetch".into()));
        assert_eq!(settings, Some(BreakerSettings::new().timeout(std::time::Duration::from_secs(30))));
        assert_eq!(
            problems,
            [
                "environment variable `LIFECYCLE__FETCH__TRESHOLD` is ignored: no option `treshold`, did you mean \
                 `threshold`?",
                "environment variable `LIFECYCLE__FETCH__THRESHOLD` is ignored: `threshold` must be a whole number from 1 on, or \"off\"",
            ]
        );
    }

    #[test]
    fn of_two_that_differ_in_case_none_holds() {
        let environment = environment(&[
            ("LIFECYCLE__FETCH__THRESHOLD", "3"),
            ("LIFECYCLE__FETCH__TIMEOUT", "3"),
            ("lifecycle__fetch__threshold", "4"),
        ]);
        let (settings, problems) = said(&environment, &Descriptor::dynamic(Kind::Breaker, "fetch".into()));
        assert_eq!(settings, Some(BreakerSettings::new().timeout(std::time::Duration::from_secs(3))));
        let says = "environment variable `lifecycle__fetch__threshold` is ignored: `LIFECYCLE__FETCH__THRESHOLD` says the same in other \
                    letters: leave one of the two out";
        assert_eq!(problems, [says]);
    }

    #[test]
    fn off_is_a_word() {
        let environment = environment(&[
            ("LIFECYCLE__FETCH__FAILURE_RATE", "off"),
            ("LIFECYCLE__FETCH__SLOW_CALL_RATE", "False"),
            ("lifecycle__Fetch__Backoff", " OFF "),
            ("LIFECYCLE__FETCH__SLOW_CALL", "off"),
        ]);
        let (settings, problems) = said(&environment, &Descriptor::dynamic(Kind::Breaker, "fetch".into()));
        let off = BreakerSettings::new().without_failure_rate().without_slow_call_rate().without_backoff();
        assert_eq!(settings, Some(off));
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn a_name_that_is_nearly_one_is_pointed_out_and_a_strange_one_is_not() {
        let environment = environment(&[
            ("LIFECYCLE__FETCH_USR__TIMEOUT", "3"),
            ("LIFECYCLE__ANOTHER__TIMEOUT", "3"),
            ("LIFECYCLE__FETCH_USER_ACME___TIMEOUT", "3"),
        ]);
        let known = ["FETCH_USER".to_owned(), "M__FETCH_USER".to_owned()];
        let told = |environment| misspelled_in(environment, &known).iter().map(ToString::to_string).collect::<Vec<_>>();
        let expected = "environment variable `LIFECYCLE__FETCH_USR__TIMEOUT` is ignored: nobody has the name `FETCH_USR` so \
                        far, did you mean `FETCH_USER`?";
        assert_eq!(told(&environment), [expected]);
    }

    #[test]
    fn too_few_underscores_are_pointed_out_where_it_is_plain_what_was_meant() {
        for (variable, meant) in [
            ("LIFECYCLE__FETCH_USER_TIMEOUT", Some("LIFECYCLE__FETCH_USER__TIMEOUT")),
            ("LIFECYCLE_FETCH_USER_SLOW_CALL", Some("LIFECYCLE__FETCH_USER__SLOW_CALL")),
            ("LIFECYCLE_FETCH_USER__TIMEOUT", Some("LIFECYCLE__FETCH_USER__TIMEOUT")),
            ("LIFECYCLE_TEST", None),
            ("LIFECYCLE_TIMEOUT", None),
            ("LIFECYCLES_FETCH_USER_TIMEOUT", None),
        ] {
            let found = misspelled_in(&environment(&[(variable, "30")]), &["FETCH_USER".to_owned()]);
            let told: Vec<_> = found.iter().map(ToString::to_string).collect();
            let expected = meant.map(|meant| {
                format!(
                    "environment variable `{variable}` is ignored: prefix, name and option are parted by two underscores: write \
                     `{meant}`"
                )
            });
            assert_eq!(told, Vec::from_iter(expected));
        }
    }

    #[test]
    fn an_option_of_the_other_kind_is_pointed_out() {
        let environment = environment(&[
            ("LIFECYCLE__SEARCH__THRESHOLD", "3"),
            ("LIFECYCLE__SEARCH__WINDOW", "3s"),
            ("LIFECYCLE__FETCH__RATE", "3/s"),
            ("LIFECYCLE__FETCH__WINDOW", "3s"),
            ("LIFECYCLE__BOTH__RATE", "3/s"),
            ("LIFECYCLE__BOTH__TIMEOUT", "3s"),
            ("LIFECYCLE__NOBODY__TIMEOUT", "3s"),
        ]);
        let known =
            [("SEARCH", Kind::Limiter), ("FETCH", Kind::Breaker), ("BOTH", Kind::Breaker), ("BOTH", Kind::Limiter)];
        let told = misplaced_in(&environment, &known.map(|(name, kind)| (name.to_owned(), kind)));
        let told: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "environment variable `LIFECYCLE__FETCH__RATE` is ignored: `rate` is a rate limiter's, and of that name there is \
                 only a circuit breaker so far",
                "environment variable `LIFECYCLE__SEARCH__THRESHOLD` is ignored: `threshold` is a circuit breaker's, and of that \
                 name there is only a rate limiter so far",
                "environment variable `LIFECYCLE__SEARCH__WINDOW` is ignored: `window` is a circuit breaker's, and of that name \
                 there is only a rate limiter so far; a rate limiter takes its window by `RATE=100/s`, or beside `LIMIT`",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_no_value() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = ("LIFECYCLE__FETCH__FAILURE_RATE".into(), OsString::from_vec(vec![0xFF]));
        let (settings, problems) =
            said(&read(std::iter::once(odd)), &Descriptor::dynamic(Kind::Breaker, "fetch".into()));
        assert_eq!((settings, problems.len()), (None, 1), "{problems:?}");
    }
}

//! `verify()` and the list of what is declared: duplicates and dependencies that are none. A package of its own, since it
//! looks at everything in it.

use lifecycle::testing::{events, isolated};
use lifecycle::{Error, Rejected, Singleton, circuit_breaker, configure, init_flag, rate_limit, singleton};
use serde_json::json;

#[singleton(depends_on("nobody", "second", Real))]
#[derive(Default)]
struct First;

#[singleton]
#[derive(Default)]
struct Second;

#[singleton]
#[derive(Default)]
struct Real;

mod a {
    #[lifecycle::singleton]
    #[derive(Default)]
    pub(crate) struct Shared;
}

mod b {
    #[lifecycle::singleton]
    #[derive(Default)]
    pub(crate) struct Shared;
}

/// Another kind may have the name.
#[init_flag(name = "second")]
static SECOND: lifecycle::Flag<bool> = true;

#[test]
fn verify_names_duplicates_and_dependencies_that_are_none_and_creates_nothing() {
    let errors = lifecycle::verify();
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 2, "{texts:?}");
    let Error::Ambiguous { name, candidates } = &errors[0] else { panic!("{texts:?}") };
    assert_eq!(name, "shared");
    assert!(candidates[0].starts_with("verify::a::shared (") && candidates[1].starts_with("verify::b::shared ("));
    assert!(candidates[0].contains("verify.rs:"));
    assert!(matches!(&errors[1], Error::NotFound { kind: "singleton", name, .. } if name == "nobody"), "{texts:?}");
    assert_eq!(lifecycle::snapshot().duplicates, texts);
    assert!(!First::is_created() && !Second::is_created() && !Real::is_created() && SECOND.get());
}

#[test]
fn a_shared_name_is_reached_by_its_path() {
    lifecycle::testing::isolated(|| {
        let core = lifecycle::singletons();
        assert!(matches!(core.get::<a::Shared>("shared"), Err(Error::Ambiguous { .. })));
        assert!(core.get::<a::Shared>("verify::a::shared").unwrap().is_some());
        assert!(a::Shared::is_created() && !b::Shared::is_created());
        b::Shared::instance();
        assert_eq!(core.get_stats().singleton_names, ["verify::a::shared", "verify::b::shared"]);
    });
}

#[test]
fn declared_lists_everything_in_a_stable_order_created_or_not() {
    let names = || -> Vec<String> { lifecycle::singletons().declared().into_iter().map(|one| one.path).collect() };
    let before = names();
    assert_eq!(before, ["verify::first", "verify::second", "verify::real", "verify::a::shared", "verify::b::shared"]);
    lifecycle::testing::isolated(|| _ = (Second::instance(), First::instance()));
    assert_eq!(names(), before);
    let first = lifecycle::singletons().declared().remove(0);
    assert!(
        !first.created && first.type_name == "First" && first.declared_at.ends_with("tests/verify.rs:8"),
        "{first:?}"
    );
}

#[circuit_breaker(threshold = 1)]
fn asked() -> Result<(), Rejected> {
    Ok(())
}

#[circuit_breaker(failure_rate = 50, key = host)]
fn asked_of(host: &str) -> Result<usize, Rejected> {
    Ok(host.len())
}

#[rate_limit("1/h")]
fn asked_hourly() -> Result<(), Rejected> {
    Ok(())
}

#[rate_limit("1/h", key = client)]
fn asked_hourly_by(client: &str) -> Result<usize, Rejected> {
    Ok(client.len())
}

#[test]
fn verify_looks_at_what_guards_go_by_and_uses_none_of_them() {
    isolated(|| {
        // Breakers are listed there once they are used.
        let used = || lifecycle::breakers().get_all_states().len();
        // The window goes with nothing, which is found of a family that nobody uses.
        let _ = configure(json!({ "asked_of": { "failure_rate": "off", "window": "9s" } })).unwrap();
        let told = || {
            let all = lifecycle::verify().into_iter().filter(|error| matches!(error, Error::IgnoredSetting { .. }));
            all.map(|error| error.to_string()).collect::<Vec<_>>()
        };
        let first = told();
        assert!(first.len() == 1 && first[0].starts_with("`asked_of`: `failure_rate` is off"), "{first:?}");
        assert_eq!((told(), used()), (first.clone(), 0));
        assert_eq!(lifecycle::keyed_breaker("asked_of").unwrap().len(), 0);
        assert!(events().iter().all(|event| event.name != "lifecycle.settings.ignored"), "a look tells nobody");

        asked_of("a").unwrap();
        asked().unwrap();
        assert!(asked_hourly().is_ok() && asked_hourly_by("a").is_ok(), "it took no permit");
        assert_eq!((told(), used()), (first, 2), "and once is enough");
        assert_eq!(events().iter().filter(|event| event.name == "lifecycle.settings.ignored").count(), 1);
    });
}

//! From a name to a breaker or limiter: what is found, what is not made by asking, and what is said where there is none.

use lifecycle::settings::Switch;
use lifecycle::testing::isolated;
use lifecycle::{
    BreakerConfig, BreakerSettings, Error, Flag, KeyedCircuitBreaker, Rejected, State, breaker, breakers,
    circuit_breaker, flag, init_flag, keyed_breaker, keyed_limiter, limiter, rate_limit, singleton,
};
use std::sync::{Arc, Barrier};
use std::time::Duration;

#[circuit_breaker(threshold = 1, key = host)]
fn fetch(host: &str, ok: bool) -> anyhow::Result<()> {
    anyhow::ensure!(ok && !host.is_empty());
    Ok(())
}

#[circuit_breaker]
fn inventory() -> anyhow::Result<()> {
    Ok(())
}

#[rate_limit("2/s", key = client)]
fn quote(client: &str) -> Result<usize, Rejected> {
    Ok(client.len())
}

#[rate_limit("2/s")]
fn send_mail() -> Result<(), Rejected> {
    Ok(())
}

#[singleton]
fn connection_pool() -> u32 {
    1
}

#[init_flag]
static USE_CACHE: Flag<bool> = true;

fn text<T>(result: Result<T, Error>) -> String {
    result.err().expect("there is none").to_string()
}

#[test]
fn families_are_found_by_name_and_path_before_they_are_used() {
    isolated(|| {
        let hosts = keyed_breaker("fetch").unwrap();
        assert_eq!((hosts.name(), hosts.len()), ("fetch", 0));
        assert!(std::ptr::eq(hosts, keyed_breaker("look_ups::fetch").unwrap()));
        hosts.at("a").force_open();
        assert!(fetch("a", true).unwrap_err().is::<Rejected>());
        let clients = keyed_limiter("quote").unwrap();
        clients.set_limit(1, Duration::from_secs(1)).unwrap();
        assert!(quote("acme").is_ok() && quote("acme").is_err() && quote("initech").is_ok());
        assert_eq!((clients.usage().keys, clients.usage().limited), (2, 1));
    });
}

#[test]
fn who_asks_for_one_where_there_are_many_is_told_the_way() {
    assert_eq!(
        text(limiter("quote")),
        "`quote` is a family of rate limiters: name one of them, as `quote[key]`, or ask for all by `lifecycle::keyed_limiter`"
    );
    assert!(matches!(breaker("fetch"), Err(Error::NeedsKey { look_up: "keyed_breaker", .. })));
    assert_eq!(
        text(keyed_breaker("inventory")),
        "no family of circuit breakers named `inventory`; it is one without keys, which `breaker(..)` finds"
    );
    assert_eq!(text(keyed_limiter("quot")), "no family of rate limiters named `quot`, did you mean `quote`?");
    assert_eq!(text(keyed_breaker("fetch[a]")), "no family of circuit breakers named `fetch[a]`");
}

#[test]
fn asking_makes_no_key() {
    isolated(|| {
        fetch("inventory", true).unwrap();
        assert!(breaker("fetch[inventory]").is_ok() && breaker("look_ups::fetch[inventory]").is_ok());
        for slip in ["fetch[inventroy]", "look_ups::fetch[inventroy]"] {
            let expected = format!("no circuit breaker named `{slip}`, did you mean `fetch[inventory]`?");
            assert_eq!(text(breaker(slip)), expected);
        }
        assert_eq!(
            text(breaker("fetch[billing]")),
            "no circuit breaker named `fetch[billing]`; nobody has used that key so far: `keyed_breaker(\"fetch\")?.at(..)` \
             makes one"
        );
        assert_eq!(keyed_breaker("fetch").unwrap().len(), 1);
        assert_eq!(breakers().get("fetch[billing]").unwrap().state(), State::Closed);
        assert!(breaker("fetch[billing]").is_ok(), "the core goes on making");

        quote("acme").unwrap();
        assert!(text(limiter("quote[acm]")).ends_with("did you mean `quote[acme]`?"));
        assert!(text(limiter("quote[x]")).contains("`keyed_limiter(\"quote\")?.at(..)`"));
        assert!(matches!(limiter("quote[x]"), Err(Error::NotFound { kind: "rate limiter", .. })));
        assert_eq!(keyed_limiter("quote").unwrap().len(), 1);
        assert!(text(limiter("quota[acme]")).ends_with("did you mean `quote`?"));
    });
}

#[test]
fn what_is_not_found_says_what_may_be_meant_for_all_kinds() {
    isolated(|| {
        assert_eq!(text(breaker("inventry")), "no circuit breaker named `inventry`, did you mean `inventory`?");
        assert_eq!(
            text(breaker("look_ups::inventry")),
            "no circuit breaker named `look_ups::inventry`, did you mean `look_ups::inventory`?"
        );
        assert_eq!(text(breaker("something_else")), "no circuit breaker named `something_else`");
        assert_eq!(text(breaker("send_mail")), "no circuit breaker named `send_mail`; a rate limiter has that name");
        assert_eq!(text(limiter("inventory")), "no rate limiter named `inventory`; a circuit breaker has that name");
        assert_eq!(text(limiter("send_mial")), "no rate limiter named `send_mial`, did you mean `send_mail`?");
        assert_eq!(text(flag("use_cashe")), "no flag named `use_cashe`, did you mean `use_cache`?");
        assert_eq!(
            text(lifecycle::singleton::<u32>("conection_pool")),
            "no singleton named `conection_pool`, did you mean `connection_pool`?"
        );
        breakers().get("made_by_name").unwrap();
        assert!(text(breaker("made_by_nam")).ends_with("did you mean `made_by_name`?"));
        let printed = text(breaker("a\u{1b}[31m"));
        assert!(!printed.contains('\u{1b}'), "{printed}");
    });
    assert!(*connection_pool() == 1 && USE_CACHE.get() && inventory().is_ok() && send_mail().is_ok());
}

#[test]
fn a_family_is_reconfigured_with_all_its_keys_and_those_to_come() {
    isolated(|| {
        let hosts = keyed_breaker("fetch").unwrap();
        fetch("early", false).unwrap_err();
        assert_eq!(hosts.at("early").state(), State::Open);
        hosts.at("own").reconfigure(BreakerSettings::new().threshold(9)).unwrap();
        hosts.reconfigure(BreakerSettings::new().threshold(2)).unwrap();
        let threshold = |host: &str| hosts.at(host).config().settings().threshold.and_then(Switch::on);
        assert_eq!([threshold("early"), threshold("own"), threshold("new")], [Some(2); 3]);
        assert_eq!(hosts.at("early").state(), State::Open, "numbers move no state");
        fetch("new", false).unwrap_err();
        assert_eq!(hosts.at("new").state(), State::Closed);
        assert!(hosts.reconfigure(BreakerSettings::new().threshold(0)).is_err());
        assert_eq!(threshold("new"), Some(2));
        hosts.at("own").reconfigure(BreakerSettings::new().threshold(9)).unwrap();
        assert_eq!((threshold("own"), threshold("newer")), (Some(9), Some(2)));
        hosts.reconfigure(BreakerSettings::new()).unwrap();
        assert_eq!([threshold("early"), threshold("own"), threshold("newest")], [Some(1); 3]);
    });
    assert_eq!(
        keyed_breaker("fetch").unwrap().at("x").config().settings().threshold.and_then(Switch::on),
        Some(1),
        "the world's"
    );
}

#[test]
fn a_key_with_numbers_of_its_own_is_not_given_up() {
    let hosts = KeyedCircuitBreaker::new("host", BreakerConfig::new()).unwrap().max_keys(1);
    hosts.at("own").reconfigure(BreakerSettings::new().threshold(9)).unwrap();
    assert!((0..256).all(|_| hosts.at("other").name() == "host[*]"));
    hosts.reconfigure(BreakerSettings::new().threshold(2)).unwrap();
    hosts.reset();
    assert!((0..256).any(|_| hosts.at("other").name() == "host[other]"), "what all have is no reason to stay");
    assert_eq!(hosts.at("other").config().settings().threshold.and_then(Switch::on), Some(2));
}

#[test]
fn keys_made_while_all_are_reconfigured_have_what_was_said_last() {
    for round in 0..400_u32 {
        let hosts = KeyedCircuitBreaker::new("host", BreakerConfig::new()).unwrap();
        let begin = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                begin.wait();
                (0..40).for_each(|key| _ = hosts.at(&key).state());
            });
            begin.wait();
            (2..10).for_each(|threshold| hosts.reconfigure(BreakerSettings::new().threshold(threshold)).unwrap());
        });
        let all: Vec<_> =
            hosts.breakers().iter().map(|one| one.config().settings().threshold.and_then(Switch::on)).collect();
        assert!(all.len() == 40 && all.iter().all(|threshold| *threshold == Some(9)), "round {round}: {all:?}");
    }
}

/// Keys come from strangers, and one of them is a star.
#[test]
fn the_key_star_is_not_what_keys_without_room_share() {
    #[circuit_breaker(threshold = 1, key = key, max_keys = 2, on_rejected = |rejected| rejected.to_string())]
    fn starred(key: &str) -> Result<u8, String> {
        Err(format!("{key} is down"))
    }
    #[rate_limit("1/h", key = key, max_keys = 2)]
    fn starred_too(key: &str) -> Result<u8, Rejected> {
        Ok(1)
    }
    isolated(|| {
        let keys = ["*", r"\*", "without room"];
        for key in keys {
            assert_eq!(starred(key), Err(format!("{key} is down")));
            starred_too(key).unwrap();
        }
        let names = [r"[\*]", r"[\\*]", "[*]"];
        let hosts = keyed_breaker("starred").unwrap();
        let clients = keyed_limiter("starred_too").unwrap();
        for (key, name) in keys.iter().zip(names) {
            let (of_host, of_client) = (format!("starred{name}"), format!("starred_too{name}"));
            assert_eq!((hosts.at(key).name(), clients.at(key).name()), (&*of_host, &*of_client));
            assert!(Arc::ptr_eq(&hosts.at(key), &shared(breaker(&of_host))));
            assert!(Arc::ptr_eq(&hosts.at(key), &shared(breakers().get(&of_host))));
            assert!(Arc::ptr_eq(&clients.at(key), &shared(limiter(&of_client))));
        }
    });
}

fn shared<T: std::fmt::Debug>(found: Result<lifecycle::Instance<T>, lifecycle::Error>) -> Arc<T> {
    match found.unwrap() {
        lifecycle::Instance::Shared(found) => found,
        other => panic!("{other:?}"),
    }
}

//! A canary in the configuration, in environment variables and in flags; and a look into everything that shows something.

use lifecycle::init::execute_initialization_operation as execute;
use lifecycle::testing::{events, isolated};
use lifecycle::{
    Args, Error, Flag, FlagValue, InitConfig, InitializationCore, Snapshot, init_flag, initialization, initialize,
};
use lifecycle_tests::{in_child, is_child};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const CANARY: &str = "canary-7f3a";

/// The words of a type are no secret; which of them it is, is.
#[derive(FlagValue, Debug)]
enum Word {
    A,
    B,
}

#[init_flag(secret, env = "LIFECYCLE_TEST_SECRET")]
static SECRET: Flag<String> = "canary-7f3a-default";

#[init_flag(secret)]
static SECRET_WORD: Flag<Word> = Word::A;

#[init_flag(env = "LIFECYCLE_TEST_WRONG_PLACE")]
static WRONG_PLACE: Flag<u32> = 1;

#[init_flag(on_initialize)]
fn step() -> Result<(), Error> {
    initialization().config()?;
    Ok(())
}

/// Keeps every field of every span and event as text.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<String>>);

impl Visit for Heard {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        _ = writeln!(self.0.lock().unwrap(), "{field} = {value:?}");
    }
}

impl Subscriber for Heard {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        _ = writeln!(self.0.lock().unwrap(), "{}", event.metadata().name());
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What was shown, by whom.
#[derive(Default)]
struct Sinks(Vec<(&'static str, String)>);

impl Sinks {
    fn debug(&mut self, what: &'static str, value: &impl Debug) {
        self.0.push((what, format!("{value:?} {value:#?}")));
    }

    fn shown(&mut self, what: &'static str, value: &(impl Debug + Serialize)) {
        self.debug(what, value);
        self.0.push((what, serde_json::to_string(value).unwrap()));
    }

    fn error(&mut self, what: &'static str, error: &Error) {
        self.debug(what, error);
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        assert!(!text.is_empty());
        self.0.push((what, text));
    }

    #[track_caller]
    fn hold_no_canary(&self) {
        for (what, text) in &self.0 {
            assert!(!text.contains(CANARY), "{what}: {text}");
        }
    }
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "it gets no value")]
struct Wrong {
    token: u32,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "it gets no value")]
enum Choice {
    One,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "it gets no value")]
struct WrongWord {
    token: Choice,
}

fn look_everywhere(in_world: bool) -> (Sinks, String) {
    let (heard, mut sinks) = (Heard::default(), Sinks::default());
    lifecycle_tests::told(heard.clone(), || {
        let core = initialization();
        let config = InitConfig::new()
            .with("token", CANARY)
            .with("nested", json!({"passwords": [CANARY]}))
            .with("region", "eu")
            .reveal("region");
        sinks.shown("configuration", &config);
        sinks.debug("outcome", &initialize(config.clone()).unwrap());
        sinks.debug("outcome", &initialize(config.with("token", "canary-7f3a-2")).unwrap());
        sinks.debug("arguments", &Args::new().with("config", json!({"token": CANARY})).with("value", CANARY));
        sinks.error("another type", &core.config_as::<Wrong>().unwrap_err());
        sinks.error("another word", &core.config_as::<WrongWord>().unwrap_err());
        sinks.error("too large", &initialize(InitConfig::new().with("token", CANARY.repeat(100_000))).unwrap_err());
        sinks.error("no object", &core.initialize_with(CANARY).unwrap_err());

        SECRET.set(format!("{CANARY}-set"));
        SECRET_WORD.set(Word::B);
        let change = core.set_flag("secret", format!("{CANARY}-by-name")).unwrap();
        sinks.debug("change", &change);
        let wire = |name: &str, value: serde_json::Value| {
            execute("set_flag", Args::new().with("flag_name", name).with("value", value)).unwrap()
        };
        sinks.shown("change on the wire", &wire("secret", json!(format!("{CANARY}-wire"))));
        sinks.shown("refused on the wire", &wire("secret_word", json!(format!("{CANARY}-x"))));
        sinks.error("refused", &core.set_flag("secret_word", format!("{CANARY}-x")).unwrap_err());
        sinks.error("read by name", &core.get_flag("secret").unwrap_err());
        sinks.shown("flag on the wire", &execute("get_flag", Args::new().with("flag_name", "secret")).unwrap());
        assert_eq!(lifecycle::flag("secret_word").unwrap().get_json(), "***");
        sinks.debug("flag", &SECRET);
        sinks.debug("flag", &lifecycle::flag("secret").unwrap());
        sinks.shown("declared flags", &core.declared_flags());
        SECRET.reset();
        SECRET.set(CANARY.to_owned());

        for operation in ["get_status", "get_stats"] {
            sinks.shown("status on the wire", &execute(operation, Args::new()).unwrap());
        }
        sinks.debug("status", &core.get_status());
        sinks.debug("core", core);
        sinks.debug("cores", &(lifecycle::singletons(), lifecycle::breakers(), InitializationCore::new()));
        let snapshot = lifecycle::snapshot();
        sinks.shown("snapshot", &snapshot);
        sinks.debug("snapshot as a table", &snapshot.to_string());
        let again: Snapshot = serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap();
        sinks.debug("snapshot read again", &again);
        sinks.debug("initialization", &core.observe());
        for problem in lifecycle::verify() {
            sinks.error("problem", &problem);
        }
        if in_world {
            sinks.debug("events", &events());
        }
        assert_eq!(&*SECRET.get(), CANARY, "and who may see it does");
        sinks.debug("reset", &core.reset());
    });
    let heard = heard.0.lock().unwrap().clone();
    sinks.0.push(("tracing", heard.clone()));
    (sinks, heard)
}

#[test]
fn secrets_are_shown_nowhere_in_a_world() {
    isolated(|| {
        let (sinks, heard) = look_everywhere(true);
        sinks.hold_no_canary();
        for event in [
            "lifecycle.flag.changed",
            "lifecycle.init.completed",
            "lifecycle.init.config_ignored",
            "lifecycle.init.step_completed",
        ] {
            assert!(heard.contains(event), "{event} was heard: {heard}");
        }
    });
}

#[test]
fn nor_in_a_process_with_secrets_in_its_environment() {
    const THIS: &str = "nor_in_a_process_with_secrets_in_its_environment";
    if !is_child(THIS) {
        in_child(THIS, &[("LIFECYCLE_TEST_SECRET", CANARY), ("LIFECYCLE_TEST_WRONG_PLACE", CANARY)]);
        return;
    }
    assert_eq!((&*SECRET.get(), WRONG_PLACE.get()), (CANARY, 1));
    let (sinks, heard) = look_everywhere(false);
    sinks.hold_no_canary();
    assert!(heard.contains("lifecycle.init.completed"));
    assert!(sinks.0.iter().any(|(what, text)| *what == "problem" && text.contains("LIFECYCLE_TEST_WRONG_PLACE")));
}

#[test]
fn what_is_revealed_is_shown() {
    isolated(|| {
        initialize(InitConfig::new().with("region", "eu").with("token", CANARY).reveal("region")).unwrap();
        let status = execute("get_status", Args::new()).unwrap();
        assert_eq!(status["config"].to_string(), r#"{"region":"eu","token":"***"}"#);
        assert_eq!(
            execute("get_config", Args::new()).unwrap()["token"],
            CANARY,
            "the configuration itself, for who asks for it"
        );
    });
}

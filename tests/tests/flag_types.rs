//! Texts and enums as flags, listeners, secrets, the environment, and one order of changes.

use lifecycle::flag::FlagSource;
use lifecycle::testing::{events, isolated};
use lifecycle::{Context, Error, Flag, FlagValue, InitializationCore, init_flag, initialization, snapshot, verify};
use lifecycle_tests::{in_child, is_child, until};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

#[derive(FlagValue, Debug, PartialEq)]
enum Mode {
    Off,
    VeryFast,
    #[flag_value(rename = "best")]
    Last,
}

#[init_flag(env = "LIFECYCLE_TEST_MODE")]
static MODE: Flag<Mode> = Mode::VeryFast;

#[init_flag(env = "LIFECYCLE_TEST_REGION")]
static REGION: Flag<String> = "eu";

#[init_flag(env = "LIFECYCLE_TEST_LIMIT")]
static LIMIT: Flag<i16> = -1;

#[init_flag(secret, env = "LIFECYCLE_TEST_KEY")]
static API_KEY: Flag<String> = "canary-default";

#[init_flag(secret)]
static SEED: Flag<u64> = 7_777_777;

#[test]
fn texts_are_shared_and_go_through_every_way_of_changing() {
    isolated(|| {
        assert_eq!((&*REGION.get(), REGION.source()), ("eu", FlagSource::Default));
        assert!(Arc::ptr_eq(&REGION.get(), &REGION.get()), "no copies");
        assert_eq!(&*REGION.set("us".to_owned()), "eu");
        let guard = REGION.override_with("here".to_owned());
        assert_eq!((&*REGION.get(), REGION.source()), ("here", FlagSource::Override));
        drop(guard);
        let flag = lifecycle::flag("region").unwrap();
        assert_eq!(flag.set_json(&"ü\n".into()).unwrap(), "us");
        assert_eq!((&*REGION.get(), flag.type_name()), ("ü\n", "String"));
        assert!(matches!(flag.set_json(&1.into()), Err(Error::FlagType { expected: "String", .. })));
        REGION.reset();
        assert_eq!(&*REGION.get(), "eu");
        let told: Vec<_> = events().into_iter().map(|event| event.detail).collect();
        assert_eq!(told, [r#""eu" -> "us""#, r#""us" -> "ü\n""#, r#""ü\n" -> "eu""#]);
    });
    static LOOSE: Flag<String> = Flag::new("loose");
    for text in ["", "x", "loose"] {
        LOOSE.set(text.to_owned());
        // Twice: the second time it is published.
        assert_eq!((&*LOOSE.get(), &*LOOSE.get()), (text, text));
    }
}

#[test]
fn enums_are_words() {
    isolated(|| {
        assert_eq!((MODE.get(), MODE.set(Mode::Off), MODE.get()), (Mode::VeryFast, Mode::VeryFast, Mode::Off));
        let flag = lifecycle::flag("mode").unwrap();
        assert_eq!((flag.get_json(), flag.type_name()), (json!("off"), "Mode"));
        assert_eq!(flag.set_json(&"best".into()).unwrap(), "off");
        assert_eq!(MODE.get(), Mode::Last);
        let error = initialization().set_flag("mode", "very-fast").unwrap_err().to_string();
        assert_eq!(
            error,
            r#"flag `mode` is a Mode (`off`, `very_fast`, `best`); "very-fast" does not fit, did you mean `very_fast`?"#
        );
        for word in ["OFF", " Off", "BEST"] {
            flag.set_json(&word.into()).unwrap();
        }
        assert_eq!((MODE.get(), flag.get_json()), (Mode::Last, json!("best")), "words are taken in any case");
        assert!(matches!(flag.set_json(&0.into()), Err(Error::FlagType { .. })));
        let guard = MODE.override_with(Mode::Off);
        assert_eq!(MODE.get(), Mode::Off);
        drop(guard);
        assert_eq!(MODE.get(), Mode::Last);
        let seen = snapshot().flags.into_iter().find(|flag| flag.name == "mode").unwrap();
        assert_eq!((seen.value, seen.type_name.as_str()), (json!("best"), "Mode"));
    });
}

#[test]
fn the_environment_gives_texts_and_words_and_bad_ones_are_loud() {
    const THIS: &str = "the_environment_gives_texts_and_words_and_bad_ones_are_loud";
    if !is_child(THIS) {
        let variables =
            [("LIFECYCLE_TEST_MODE", " BEST "), ("LIFECYCLE_TEST_REGION", " a b"), ("LIFECYCLE_TEST_LIMIT", "9x9")];
        in_child(THIS, &variables);
        return;
    }
    assert_eq!((MODE.get(), MODE.source()), (Mode::Last, FlagSource::Env));
    assert_eq!((&*REGION.get(), REGION.source()), (" a b", FlagSource::Env));
    let problems = || -> Vec<_> { verify().iter().map(ToString::to_string).collect() };
    let says = "flag `limit`: the environment variable `LIFECYCLE_TEST_LIMIT` holds no i16, so the default is in force; \
                write a whole number from -32768 to 32767";
    assert!(problems().iter().any(|problem| problem == says), "{:?}", problems());
    assert!(snapshot().duplicates.iter().any(|problem| problem == says));
    assert_eq!((LIMIT.get(), LIMIT.source()), (-1, FlagSource::EnvInvalid));
    // Test override > set > environment > default.
    MODE.set(Mode::Off);
    assert_eq!((MODE.get(), MODE.source()), (Mode::Off, FlagSource::Set));
    let guard = MODE.override_with(Mode::VeryFast);
    assert_eq!((MODE.get(), MODE.source()), (Mode::VeryFast, FlagSource::Override));
    drop(guard);
    MODE.reset();
    assert_eq!((MODE.get(), MODE.source()), (Mode::Last, FlagSource::Env));
    isolated(|| assert_eq!((MODE.get(), MODE.source()), (Mode::VeryFast, FlagSource::Default)));
    LIMIT.set(3);
    assert!(!problems().iter().any(|problem| problem == says), "what is set needs no default");
}

#[test]
fn a_word_in_the_environment_that_is_a_slip_is_named() {
    const THIS: &str = "a_word_in_the_environment_that_is_a_slip_is_named";
    if !is_child(THIS) {
        in_child(THIS, &[("LIFECYCLE_TEST_MODE", "Very_Fsat"), ("LIFECYCLE_TEST_KEY", &"canary".repeat(20_000))]);
        return;
    }
    assert_eq!((MODE.get(), MODE.source()), (Mode::VeryFast, FlagSource::EnvInvalid));
    let problems: Vec<_> = verify().iter().map(ToString::to_string).collect();
    let says = "holds no Mode (`off`, `very_fast`, `best`), so the default is in force, did you mean `very_fast`?";
    assert!(problems.iter().any(|problem| problem.ends_with(says)), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("`LIFECYCLE_TEST_KEY` holds no String")), "too long");
    assert!(!problems.concat().contains("canary"));
}

#[test]
fn listeners_hear_of_each_change_with_nothing_locked() {
    type Seen = Arc<Mutex<Vec<(i16, i16)>>>;
    isolated(|| {
        let seen = Seen::default();
        let all = seen.clone();
        let listener = LIMIT.on_change(move |old, new| {
            all.lock().unwrap().push((old, new));
            if new > 0 {
                // It may do what it likes, also to the flag and its listeners.
                LIMIT.set(-new);
            }
        });
        let other = LIMIT.on_change(|_, _| panic!("a listener"));
        LIMIT.set(5);
        LIMIT.set(-5);
        initialization().set_flag("limit", -6).unwrap();
        LIMIT.reset();
        assert_eq!(*seen.lock().unwrap(), [(-1, 5), (5, -5), (-5, -6), (-6, -1)]);
        let panics = events().into_iter().filter(|event| event.name == "lifecycle.flag.listener_panicked").count();
        assert_eq!(panics, 4);
        assert!(LIMIT.remove_listener(other) && !LIMIT.remove_listener(other) && !MODE.remove_listener(listener));
        LIMIT.set(-7);
        initialization().reset();
        assert_eq!(seen.lock().unwrap()[4..], [(-1, -7), (-7, -1)]);
        isolated(|| _ = LIMIT.set(-8));
        let guard = LIMIT.override_with(3);
        drop(guard);
        assert!(LIMIT.remove_listener(listener));
        LIMIT.set(-9);
        assert_eq!(seen.lock().unwrap().len(), 6);
    });
}

#[test]
fn flags_by_name_are_listened_to_declared_or_not() {
    type Seen = Arc<Mutex<Vec<(Option<Value>, Option<Value>)>>>;
    fn listen(core: &InitializationCore, name: &str, seen: &Seen) -> lifecycle::ListenerId {
        let seen = seen.clone();
        core.on_flag_change(name, move |old, new| seen.lock().unwrap().push((old.cloned(), new.cloned()))).unwrap()
    }
    isolated(|| {
        let (core, seen) = (initialization(), Seen::default());
        let [dynamic, declared, secret] = ["beta", "mode", "seed"].map(|name| listen(core, name, &seen));
        core.set_flag("beta", json!([1])).unwrap();
        core.set_flag("other", 1).unwrap();
        core.set_flag("beta", json!([1])).unwrap();
        MODE.set(Mode::Off);
        SEED.set(1);
        core.reset();
        let text = |text: &str| Some(json!(text));
        let (beta, stars) = (Some(json!([1])), text("***"));
        let all = [
            (None, beta.clone()),
            (text("very_fast"), text("off")),
            (stars.clone(), stars.clone()),
            (text("off"), text("very_fast")),
            (stars.clone(), stars),
            (beta, None),
        ];
        let told = std::mem::take(&mut *seen.lock().unwrap());
        assert_eq!(told.len(), all.len(), "{told:?}");
        assert!(all.iter().all(|one| told.contains(one)) && told[..3] == all[..3], "{told:?}");
        for id in [dynamic, declared, secret] {
            assert!(core.remove_flag_listener(id) && !core.remove_flag_listener(id));
        }
        core.set_flag("beta", 2).unwrap();
        MODE.set(Mode::Last);
        assert!(seen.lock().unwrap().is_empty());
        assert!(matches!(core.on_flag_change("", |_, _| ()), Err(Error::InvalidName { .. })));
    });
}

#[test]
fn a_secret_flag_is_read_by_who_has_its_static_only() {
    isolated(|| {
        API_KEY.set("canary-set".to_owned());
        assert_eq!((&*API_KEY.get(), SEED.get()), ("canary-set", 7_777_777));
        let core = initialization();
        let refused = core.get_flag("api_key").unwrap_err().to_string();
        assert_eq!(refused, "`api_key`: it is secret: only the code that has its static can read it");
        assert!(core.flag::<String>("api_key").is_err());
        assert_eq!(core.flag_or("seed", 1), 1);
        assert_eq!(lifecycle::flag("seed").unwrap().get_json(), "***");
        let change = core.set_flag("api_key", "canary-by-name").unwrap();
        assert_eq!((change.value, change.old_value), (json!("***"), Some(json!("***"))));
        assert_eq!(&*API_KEY.get(), "canary-by-name");
        let wrong = core.set_flag("seed", "canary").unwrap_err().to_string();
        assert_eq!(wrong, "flag `seed` is a u64; *** does not fit");
        assert_eq!(core.get_status().flags["api_key"], "***");
    });
}

#[test]
fn of_two_names_that_differ_in_more_than_the_type_nothing_is_mixed_up() {
    // The word of an enum is no number by name, and the other way round.
    isolated(|| {
        assert!(initialization().set_flag("mode", 1).is_err());
        assert!(initialization().set_flag("limit", "off").is_err());
        assert_eq!(initialization().flag::<String>("mode").unwrap().as_deref(), Some("very_fast"));
    });
}

/// One thing done to a flag, and what it gave.
#[derive(Debug, Clone, Copy)]
enum Done {
    Set { new: u64, old: u64 },
    Reset,
    Get(u64),
}

/// An operation with when it began and ended, in steps of one counter.
type Timed = (u64, u64, Done);

/// Is there an order of the operations that keeps to what was before what, in which each gave what it had to? (Wing and Gong.)
fn linearizable(history: &[Timed], left: u32, value: u64, dead: &mut std::collections::HashSet<(u32, u64)>) -> bool {
    if left == 0 {
        return true;
    }
    if !dead.insert((left, value)) {
        return false;
    }
    let open = |at: &usize| left & (1 << at) != 0;
    let first_end = (0..history.len()).filter(open).map(|at| history[at].1).min().unwrap_or(u64::MAX);
    (0..history.len()).filter(open).any(|at| {
        let (began, _, done) = history[at];
        let after = match done {
            Done::Set { new, old } if old == value => Some(new),
            Done::Get(seen) if seen == value => Some(value),
            Done::Reset => Some(DEFAULT),
            _ => None,
        };
        began <= first_end && after.is_some_and(|after| linearizable(history, left & !(1 << at), after, dead))
    })
}

const DEFAULT: u64 = 0;

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Fault 71, over recorded histories of three threads.
    #[test]
    fn set_reset_and_get_have_one_order(scripts in proptest::collection::vec(proptest::collection::vec(0_u8..4, 4..10), 2..4)) {
        #[init_flag]
        static SHARED: Flag<u64> = DEFAULT;
        static NOW: AtomicU64 = AtomicU64::new(0);
        static NEXT: AtomicU64 = AtomicU64::new(1);

        let run = |script: &[u8]| -> Vec<Timed> {
            let one = |&action: &u8| {
                let began = NOW.fetch_add(1, SeqCst);
                let done = match action {
                    0 => {
                        let new = NEXT.fetch_add(1, SeqCst);
                        Done::Set { new, old: SHARED.set(new) }
                    }
                    1 => {
                        SHARED.reset();
                        Done::Reset
                    }
                    2 => Done::Get(SHARED.get()),
                    _ => Done::Get(initialization().flag::<u64>("shared").unwrap().unwrap()),
                };
                (began, NOW.fetch_add(1, SeqCst), done)
            };
            script.iter().map(one).collect()
        };
        SHARED.reset();
        let there = AtomicUsize::new(0);
        let history: Vec<Timed> = std::thread::scope(|scope| {
            let threads: Vec<_> = scripts
                .iter()
                .map(|script| {
                    let (there, run, all) = (&there, &run, scripts.len());
                    scope.spawn(move || {
                        // They begin at the same moment, which those who are woken do not.
                        there.fetch_add(1, SeqCst);
                        until(|| there.load(SeqCst) == all);
                        run(script)
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let all = (1 << history.len()) - 1;
        prop_assert!(linearizable(&history, all, DEFAULT, &mut Default::default()), "{history:?}");
    }
}

#[test]
fn the_check_of_histories_finds_a_lost_update() {
    let lost = [(0, 3, Done::Set { new: 1, old: 0 }), (1, 2, Done::Set { new: 2, old: 0 }), (4, 5, Done::Get(1))];
    assert!(!linearizable(&lost, 0b111, DEFAULT, &mut Default::default()));
    let stale = [(0, 1, Done::Set { new: 1, old: 0 }), (2, 3, Done::Get(0))];
    assert!(!linearizable(&stale, 0b11, DEFAULT, &mut Default::default()));
    let fine = [(0, 3, Done::Set { new: 1, old: 2 }), (1, 2, Done::Set { new: 2, old: 0 }), (4, 5, Done::Get(1))];
    assert!(linearizable(&fine, 0b111, DEFAULT, &mut Default::default()));
}

#[test]
fn texts_are_whole_whoever_changes_them() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    isolated(|| {
        let texts: Vec<String> = (0..8).map(|n| n.to_string().repeat(500)).collect();
        std::thread::scope(|scope| {
            for text in &texts {
                let context = Context::capture();
                scope.spawn(move || {
                    context.run(|| {
                        for _ in 0..50 {
                            REGION.set(text.clone());
                            let seen = REGION.get();
                            assert!(seen.len() == 500 && seen.bytes().all(|byte| byte == seen.as_bytes()[0]));
                            SEEN.fetch_add(1, SeqCst);
                        }
                    });
                });
            }
        });
    });
    assert_eq!(SEEN.load(SeqCst), 400);
}

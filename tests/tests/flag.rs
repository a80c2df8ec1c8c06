//! Flags: who has the last word, isolation, and every type.

use lifecycle::flag::FlagSource;
use lifecycle::testing::{events, isolated};
use lifecycle::{Context, Error, Flag, FlagValue, init_flag, snapshot};
use lifecycle_tests::{in_child, is_child};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[init_flag]
static PLAIN: Flag<bool> = true;

#[init_flag(env = "LIFECYCLE_TEST_RETRIES")]
static RETRIES: Flag<u32> = 3;

#[init_flag(env = "LIFECYCLE_TEST_BROKEN", name = "broken")]
static BROKEN: Flag<bool> = true;

#[init_flag(env = "LIFECYCLE_TEST_PAUSE")]
static PAUSE: Flag<Duration> = Flag::new(Duration::from_millis(250));

#[test]
fn set_and_reset_go_between_the_default_and_the_new_value() {
    isolated(|| {
        assert_eq!((PLAIN.get(), PLAIN.source()), (true, FlagSource::Default));
        assert!(PLAIN.set(false));
        assert_eq!((PLAIN.get(), PLAIN.source()), (false, FlagSource::Set));
        assert!(!PLAIN.set(false));
        PLAIN.reset();
        assert_eq!((PLAIN.get(), PLAIN.source()), (true, FlagSource::Default));
        PLAIN.reset();
        let told: Vec<_> = events().into_iter().map(|event| (event.component, event.detail)).collect();
        let told: Vec<_> = told.iter().map(|(name, detail)| (name.as_str(), detail.as_str())).collect();
        assert_eq!(told, [("plain", "true -> false"), ("plain", "false -> true")], "changes are told, nothing else");
    });
}

#[test]
fn worlds_and_the_process_do_not_see_each_others_values() {
    static ELSEWHERE: Flag<i64> = Flag::new(-5);
    #[init_flag]
    static SHARED: Flag<i64> = -5;

    isolated(|| {
        SHARED.set(1);
        isolated(|| assert_eq!(SHARED.get(), -5));
        let context = Context::capture();
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(SHARED.get(), -5, "a thread starts outside"));
            scope.spawn(|| context.run(|| assert_eq!(SHARED.get(), 1)));
        });
        ELSEWHERE.set(2);
    });
    assert_eq!(SHARED.get(), -5);
    assert_eq!(ELSEWHERE.get(), 2, "a flag without a declaration is the process's everywhere");
    SHARED.set(9);
    isolated(|| assert_eq!(SHARED.get(), -5));
    assert_eq!(SHARED.get(), 9);
}

#[test]
fn an_override_has_the_last_word_until_its_guard_goes() {
    #[init_flag]
    static MODE: Flag<u8> = 1;

    let outer = MODE.override_with(2);
    let inner = MODE.override_with(3);
    assert_eq!((MODE.get(), MODE.source()), (3, FlagSource::Override));
    assert_eq!(MODE.set(7), 1, "what is set stays hidden");
    drop(outer);
    assert_eq!(MODE.get(), 3, "guards may go in any order");
    std::thread::scope(|scope| _ = scope.spawn(|| assert_eq!(MODE.get(), 7)));
    isolated(|| assert_eq!(MODE.get(), 1, "an override does not reach into a world"));
    drop(inner);
    assert_eq!((MODE.get(), MODE.source()), (7, FlagSource::Set));
}

#[test]
fn an_override_inside_a_world_ends_with_its_guard() {
    isolated(|| {
        let guard = PLAIN.override_with(false);
        assert!(!PLAIN.get());
        drop(guard);
        assert!(PLAIN.get());
    });
}

#[test]
fn a_flag_without_a_declaration_works_and_is_not_listed() {
    static LOOSE: Flag<u8> = Flag::new(4);
    assert_eq!((LOOSE.get(), LOOSE.set(5), LOOSE.get()), (4, 4, 5));
    LOOSE.reset();
    assert_eq!((LOOSE.get(), LOOSE.name()), (4, "flag"));
    assert!(snapshot().flags.iter().all(|one| one.name != "flag"));
}

fn survives<T: FlagValue<Given = T> + Copy + PartialEq + std::fmt::Debug>(flag: &'static Flag<T>, values: &[T]) {
    for &value in values {
        let before = flag.get();
        assert_eq!(flag.set(value), before);
        assert_eq!(flag.get(), value);
        let guard = flag.override_with(before);
        assert_eq!(flag.get(), before);
        drop(guard);
        assert_eq!(flag.get(), value);
    }
}

#[test]
fn every_value_of_every_type_survives() {
    static I8: Flag<i8> = Flag::new(0);
    static I64: Flag<i64> = Flag::new(0);
    static U64: Flag<u64> = Flag::new(0);
    static USIZE: Flag<usize> = Flag::new(0);
    static F64: Flag<f64> = Flag::new(0.0);
    static DURATION: Flag<Duration> = Flag::new(Duration::ZERO);
    survives(&I8, &[i8::MIN, -1, i8::MAX]);
    // Among them the word that stands for "not read yet".
    survives(&I64, &[i64::MIN, -1, 0xFFFF_FFFF_9E37_79B1_u64 as i64, i64::MAX]);
    survives(&U64, &[u64::MAX, 0xFFFF_FFFF_9E37_79B1, 2]);
    survives(&USIZE, &[usize::MAX, 1]);
    survives(&F64, &[f64::MIN, -0.5, f64::INFINITY]);
    survives(&DURATION, &[Duration::from_nanos(1), Duration::from_nanos(u64::MAX)]);
    F64.set(f64::NAN);
    assert!(F64.get().is_nan());
    DURATION.set(Duration::MAX);
    assert_eq!(DURATION.get(), Duration::from_nanos(u64::MAX), "the longest a flag holds");
}

#[test]
fn by_name_a_flag_takes_json_of_its_type_only() {
    isolated(|| {
        let flag = lifecycle::flag("retries").unwrap();
        assert_eq!(flag.type_name(), "u32");
        assert_eq!(flag.set_json(&8.into()).unwrap(), 3);
        assert_eq!((RETRIES.get(), flag.source()), (8, FlagSource::Set));
        for wrong in [serde_json::json!(-1), 1.5.into(), "8".into(), (1_u64 << 32).into(), serde_json::Value::Null] {
            let error = flag.set_json(&wrong).unwrap_err();
            assert!(matches!(&error, Error::FlagType { name, expected: "u32", .. } if name == "retries"), "{error}");
        }
        let error = flag.set_json(&"8_000".into()).unwrap_err().to_string();
        assert_eq!(error, "flag `retries` is a u32; \"8_000\" does not fit, did you mean 8000?");
        let long = flag.set_json(&"x".repeat(10_000).into()).unwrap_err().to_string();
        assert!(long.len() < 200, "a message stays a line");
        assert_eq!(RETRIES.get(), 8);
        let pause = lifecycle::flag("pause").unwrap();
        assert_eq!(pause.set_json(&"1.5s".into()).unwrap(), "250ms");
        assert_eq!(PAUSE.get(), Duration::from_millis(1500));
    });
    assert!(matches!(lifecycle::flag("no_such_flag"), Err(Error::NotFound { .. })));
}

#[test]
fn the_snapshot_shows_value_and_source_of_each_flag() {
    isolated(|| {
        PLAIN.set(false);
        let seen = snapshot().flags.into_iter().find(|one| one.name == "plain").unwrap();
        assert_eq!((seen.value, seen.source.as_str(), seen.type_name.as_str()), (false.into(), "set", "bool"));
        assert!(seen.path.ends_with("::plain") && seen.declared_at.contains("flag.rs:"));
    });
}

#[test]
fn worlds_and_overrides_that_come_and_go_do_not_mix_with_readers_outside() {
    #[init_flag]
    static BUSY: Flag<u64> = 1;
    const ROUNDS: u64 = 3_000;

    /// Lets the readers end, also when the test fails.
    struct Ends<'a>(&'a AtomicU64);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    BUSY.set(2);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while done.load(Ordering::Relaxed) < 2 {
                    assert_eq!(BUSY.get(), 2, "outside there is neither world nor override");
                }
            });
        }
        scope.spawn(|| {
            let _ends = Ends(&done);
            for round in 0..ROUNDS {
                isolated(|| {
                    assert_eq!(BUSY.get(), 1, "a world begins with the default");
                    BUSY.set(100 + round);
                    assert_eq!(BUSY.get(), 100 + round);
                });
                assert_eq!(BUSY.get(), 2);
            }
        });
        scope.spawn(|| {
            let _ends = Ends(&done);
            for round in 0..ROUNDS {
                let guard = BUSY.override_with(200 + round);
                assert_eq!(BUSY.get(), 200 + round);
                drop(guard);
                assert_eq!(BUSY.get(), 2);
            }
        });
    });
}

#[test]
fn a_flag_that_readers_know_is_still_overridden_and_isolated() {
    const TEST: &str = "a_flag_that_readers_know_is_still_overridden_and_isolated";
    static LOOSE: Flag<u64> = Flag::new(1);
    if !is_child(TEST) {
        // Alone in its process, where no other test keeps flags on the slow path.
        return in_child(TEST, &[]);
    }
    for round in 0..3 {
        assert_eq!((PLAIN.get(), LOOSE.get()), (true, 1));
        let guards = (PLAIN.override_with(false), LOOSE.override_with(2));
        assert_eq!((PLAIN.get(), LOOSE.get()), (false, 2), "round {round}");
        PLAIN.set(true);
        assert!(!PLAIN.get(), "setting it does not bring it out");
        drop(guards);
        PLAIN.reset();
        assert_eq!((PLAIN.get(), LOOSE.get()), (true, 1));
        PLAIN.set(false);
        isolated(|| assert!(PLAIN.get()));
        assert!(!PLAIN.get());
        PLAIN.reset();
    }
}

#[test]
fn the_environment_counts_more_than_the_default_and_less_than_set() {
    const TEST: &str = "the_environment_counts_more_than_the_default_and_less_than_set";
    if !is_child(TEST) {
        return in_child(TEST, &[("LIFECYCLE_TEST_RETRIES", "11"), ("LIFECYCLE_TEST_PAUSE", "2min")]);
    }
    isolated(|| assert_eq!((RETRIES.get(), RETRIES.source()), (3, FlagSource::Default), "a world has no environment"));
    assert_eq!((RETRIES.get(), RETRIES.source()), (11, FlagSource::Env));
    assert_eq!(PAUSE.get(), Duration::from_secs(120));
    assert_eq!(RETRIES.set(4), 11);
    assert_eq!((RETRIES.get(), RETRIES.source()), (4, FlagSource::Set));
    RETRIES.reset();
    assert_eq!((RETRIES.get(), RETRIES.source()), (11, FlagSource::Env));
}

#[test]
fn set_before_the_first_read_replaces_what_the_environment_says() {
    const TEST: &str = "set_before_the_first_read_replaces_what_the_environment_says";
    if !is_child(TEST) {
        return in_child(TEST, &[("LIFECYCLE_TEST_RETRIES", "11")]);
    }
    assert_eq!(RETRIES.set(4), 11);
    assert_eq!(RETRIES.get(), 4);
}

#[test]
fn an_unusable_variable_leaves_the_default_and_is_seen_in_the_snapshot() {
    const TEST: &str = "an_unusable_variable_leaves_the_default_and_is_seen_in_the_snapshot";
    if !is_child(TEST) {
        return in_child(TEST, &[("LIFECYCLE_TEST_BROKEN", "perhaps"), ("LIFECYCLE_TEST_RETRIES", "-1")]);
    }
    assert_eq!((BROKEN.get(), BROKEN.source()), (true, FlagSource::EnvInvalid));
    assert_eq!(RETRIES.get(), 3);
    let sources: Vec<_> = snapshot().flags.into_iter().map(|one| (one.name, one.source)).collect();
    assert!(sources.contains(&("broken".to_owned(), "default (env invalid)".to_owned())), "{sources:?}");
}

#[test]
fn threads_that_set_and_reset_leave_a_value_somebody_gave() {
    static CONTESTED: Flag<u64> = Flag::new(0);
    std::thread::scope(|scope| {
        for thread in 1..=4_u64 {
            scope.spawn(move || {
                for round in 0..2_000 {
                    let (mine, old) = (thread * 10_000 + round, CONTESTED.get());
                    assert!(old == 0 || (10_000..50_000).contains(&old));
                    if round % 5 == 0 { CONTESTED.reset() } else { _ = CONTESTED.set(mine) }
                }
            });
        }
    });
    let last = CONTESTED.set(0);
    assert_eq!(last % 10_000, 1_999, "the last value is somebody's last: {last}");
}

//! `initialize`, `reset` and looks have one order, whichever threads call them: recorded histories, and a search for that order.

use lifecycle::{InitConfig, InitializationCore};
use lifecycle_tests::until;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

/// One call, and what it gave.
#[derive(Debug, Clone, Copy)]
enum Call {
    Initialize { with: u64, cached: bool, ignored: bool },
    Reset { was_initialized: bool },
    IsInitialized(bool),
    Config(Option<u64>),
    Status(Option<u64>),
}

/// A call with when it began and ended, in steps of one counter.
type Timed = (u64, u64, Call);

/// The state after the call, if it can give that in this state: what it is initialized with.
fn after(call: Call, state: Option<u64>) -> Option<Option<u64>> {
    let (fits, after) = match call {
        Call::Initialize { with, cached, ignored } => match state {
            None => (!cached && !ignored, Some(with)),
            Some(held) => (cached && ignored == (held != with), state),
        },
        Call::Reset { was_initialized } => (was_initialized == state.is_some(), None),
        Call::IsInitialized(seen) => (seen == state.is_some(), state),
        Call::Config(seen) | Call::Status(seen) => (seen == state, state),
    };
    fits.then_some(after)
}

fn linearizable(history: &[Timed], left: u32, state: Option<u64>, dead: &mut HashSet<(u32, Option<u64>)>) -> bool {
    if left == 0 {
        return true;
    }
    if !dead.insert((left, state)) {
        return false;
    }
    let open = |at: &usize| left & (1 << at) != 0;
    let first_end = (0..history.len()).filter(open).map(|at| history[at].1).min().unwrap_or(u64::MAX);
    (0..history.len()).filter(open).any(|at| {
        let (began, _, call) = history[at];
        began <= first_end
            && after(call, state).is_some_and(|after| linearizable(history, left & !(1 << at), after, dead))
    })
}

fn value(config: &InitConfig) -> Option<u64> {
    config.get("with").and_then(serde_json::Value::as_u64)
}

fn call(core: &InitializationCore, action: u8) -> Call {
    match action {
        0..=2 => {
            // Few values, so that some are the same.
            let with = action.into();
            let outcome = core.initialize(InitConfig::new().with("with", with)).unwrap();
            Call::Initialize { with, cached: outcome.cached, ignored: outcome.ignored }
        }
        3 | 4 => Call::Reset { was_initialized: core.reset().was_initialized },
        5 => Call::IsInitialized(core.is_initialized()),
        6 => Call::Config(core.config().ok().as_deref().and_then(value)),
        _ => {
            let status = core.get_status();
            assert_eq!(status.initialized, status.init_timestamp.is_some());
            assert_eq!(status.initialized, status.config_keys == ["with"]);
            Call::Status(core.config_or_default().get("with").and_then(serde_json::Value::as_u64))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn threads_see_one_order(scripts in proptest::collection::vec(proptest::collection::vec(0_u8..8, 4..10), 2..4)) {
        let core = InitializationCore::new();
        core.set_rate_limit(None).unwrap();
        let (now, there) = (AtomicU64::new(0), AtomicUsize::new(0));
        let history: Vec<Timed> = std::thread::scope(|scope| {
            let threads: Vec<_> = scripts
                .iter()
                .map(|script| {
                    let (core, now, there, all) = (&core, &now, &there, scripts.len());
                    scope.spawn(move || {
                        there.fetch_add(1, SeqCst);
                        until(|| there.load(SeqCst) == all);
                        let timed = |action: &u8| {
                            let began = now.fetch_add(1, SeqCst);
                            let call = call(core, *action);
                            (began, now.fetch_add(1, SeqCst), call)
                        };
                        script.iter().map(timed).collect::<Vec<Timed>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let all = (1 << history.len()) - 1;
        prop_assert!(linearizable(&history, all, None, &mut HashSet::new()), "{history:#?}");
    }

    /// One thread, against the plain words of the contract; with flags and the clock.
    #[test]
    fn one_after_the_other_they_do_what_the_contract_says(script in proptest::collection::vec((0_u8..11, 0_u64..4), 1..40)) {
        let core = InitializationCore::new();
        core.set_rate_limit(None).unwrap();
        let (mut held, mut flag) = (None, None);
        for (action, value) in script {
            match action {
                8 => {
                    let change = core.set_flag("f", value).unwrap();
                    prop_assert_eq!((change.was_new, change.old_value), (flag.is_none(), flag.map(Into::into)));
                    flag = Some(value);
                }
                9 => prop_assert_eq!(core.flag::<u64>("f").unwrap(), flag),
                10 => prop_assert_eq!(core.get_status().flag_count, usize::from(flag.is_some())),
                action => {
                    let call = call(&core, action);
                    let Some(next) = after(call, held) else { return Err(TestCaseError::fail(format!("{call:?} in {held:?}"))) };
                    held = next;
                    if let Call::Reset { .. } = call {
                        flag = None;
                    }
                }
            }
        }
    }
}

#[test]
fn the_search_finds_what_has_no_order() {
    let both = [
        (0, 2, Call::Initialize { with: 1, cached: false, ignored: false }),
        (1, 3, Call::Initialize { with: 2, cached: false, ignored: false }),
    ];
    assert!(!linearizable(&both, 0b11, None, &mut HashSet::new()), "two initialize");
    let torn = [
        (0, 1, Call::Initialize { with: 1, cached: false, ignored: false }),
        (2, 7, Call::Reset { was_initialized: true }),
        (3, 4, Call::IsInitialized(false)),
        (5, 6, Call::Config(Some(1))),
    ];
    assert!(!linearizable(&torn, 0b1111, None, &mut HashSet::new()), "reset is seen and then not");
}

//! A process that goes on from a snapshot: hooks before and after it, and clocks that jumped either way meanwhile.

use lifecycle::testing::{clock, events, isolated, isolated_async};
use lifecycle::{
    BoxError, HookOutcomeReport, InvocationConfig, KeyedRateLimiter, Rejected, RejectedKind, State, before_snapshot,
    before_snapshot_blocking, circuit_breaker, current_invocation, invocation_blocking, on_restore,
    on_restore_blocking, rate_limit, singleton,
};
use lifecycle_tests::{gives_way, runtime};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

const HOUR: u64 = 3_600_000_000_000;

/// Runs `f` with the clock an hour ahead of where it was, and again with it far behind.
fn after_a_jump(prepare: impl Fn(), f: impl Fn()) {
    for ahead in [true, false] {
        isolated(|| {
            clock().set_mono(2 * HOUR);
            prepare();
            clock().set_mono(if ahead { 3 * HOUR } else { HOUR / 3600 });
            on_restore_blocking();
            f();
        });
    }
}

#[circuit_breaker(threshold = 1, timeout = 7200)]
fn fragile(ok: bool) -> Result<(), BoxError> {
    if ok { Ok(()) } else { Err("down".into()) }
}

/// By which guard it was refused, if by one.
fn refused(result: Result<(), BoxError>) -> Option<Rejected> {
    result.unwrap_err().downcast::<Rejected>().ok().map(|rejected| *rejected)
}

#[test]
fn open_breakers_probe_at_once_whichever_way_the_clock_jumped() {
    let trip = || {
        assert_eq!(refused(fragile(false)), None);
        assert_eq!(refused(fragile(true)).unwrap().kind, RejectedKind::Open);
    };
    after_a_jump(trip, || {
        fragile(true).unwrap();
        assert_eq!(lifecycle::breaker("fragile").unwrap().state(), State::Closed);
    });
    // Without it a clock that went back keeps it open for longer than ever.
    isolated(|| {
        clock().set_mono(2 * HOUR);
        trip();
        clock().set_mono(HOUR / 3600);
        assert!(refused(fragile(true)).unwrap().retry_after.unwrap() > Duration::from_secs(3 * 3600));
    });
}

#[test]
fn those_opened_by_hand_stay_open() {
    let breaker = || lifecycle::breaker("fragile").unwrap();
    after_a_jump(|| breaker().force_open(), || assert_eq!(breaker().state(), State::ForcedOpen));
    after_a_jump(|| breaker().disable(), || assert_eq!(breaker().state(), State::Disabled));
}

#[test]
fn a_probe_under_way_keeps_its_slot_for_its_whole_time() {
    isolated(|| {
        clock().set_mono(2 * HOUR);
        let breaker = lifecycle::breaker("fragile").unwrap();
        fragile(false).unwrap_err();
        breaker.open_for(Duration::ZERO);
        let probe = breaker.try_acquire().unwrap();
        clock().set_mono(20 * HOUR);
        on_restore_blocking();
        assert_eq!(breaker.try_acquire().unwrap_err().kind, RejectedKind::HalfOpenFull);
        clock().advance(Duration::from_secs(299));
        assert!(breaker.try_acquire().is_err());
        clock().advance(Duration::from_secs(1));
        assert!(breaker.try_acquire().is_ok());
        drop(probe);
    });
}

#[test]
fn the_windows_of_rates_are_empty() {
    #[circuit_breaker(failure_rate = 50, window = "10 calls", minimum_calls = 4, timeout = 60)]
    fn rated() -> Result<(), BoxError> {
        Err("down".into())
    }

    let fail = |times| (0..times).for_each(|_| _ = rated());
    after_a_jump(
        || fail(3),
        || {
            fail(3);
            assert_eq!(lifecycle::breaker("rated").unwrap().state(), State::Closed);
            fail(1);
            assert_eq!(lifecycle::breaker("rated").unwrap().state(), State::Open);
        },
    );
}

#[test]
fn keyed_breakers_and_those_of_the_core_hear_of_it() {
    #[circuit_breaker(threshold = 1, timeout = 7200, key = host)]
    fn of_host(host: &str, ok: bool) -> Result<(), BoxError> {
        if ok { Ok(()) } else { Err("down".into()) }
    }

    let by_name = |ok: bool| lifecycle::breakers().call("by name", || if ok { Ok(()) } else { Err("down") }).is_ok();
    after_a_jump(
        || {
            assert!(of_host("a", false).is_err() && of_host("a", true).is_err());
            (0..5).for_each(|_| assert!(!by_name(false)));
            assert!(!by_name(true));
        },
        || {
            of_host("a", true).unwrap();
            assert!(by_name(true));
        },
    );
}

#[test]
fn windows_of_limiters_are_empty() {
    #[rate_limit("1/h")]
    fn report() -> Result<(), Rejected> {
        Ok(())
    }

    #[rate_limit("1/h", key = tenant)]
    fn report_of(tenant: u32) -> Result<(), Rejected> {
        _ = tenant;
        Ok(())
    }

    #[rate_limit("1/h", mode = gcra(burst = 1))]
    fn paced() -> Result<(), Rejected> {
        Ok(())
    }

    let all = || [report().is_ok(), report_of(7).is_ok(), paced().is_ok()];
    after_a_jump(
        || {
            assert_eq!(all(), [true; 3]);
            assert_eq!(all(), [false; 3]);
        },
        || {
            assert_eq!(all(), [true; 3]);
            assert_eq!(all(), [false; 3]);
        },
    );
    let own = KeyedRateLimiter::new("own", 1, Duration::from_secs(3600)).unwrap();
    own.at("one").try_acquire().unwrap();
    on_restore_blocking();
    assert!(own.at("one").try_acquire().is_err(), "it is nobody's but its owner's");
}

#[test]
fn the_cores_limits_begin_anew() {
    after_a_jump(
        || {
            for core in [
                lifecycle::singletons().set_rate_limit(Some((1, Duration::from_secs(3600)))),
                lifecycle::breakers().set_rate_limit(Some((1, Duration::from_secs(3600)))),
                lifecycle::initialization().set_rate_limit(Some((1, Duration::from_secs(3600)))),
            ] {
                core.unwrap();
            }
            lifecycle::singletons().set("one", 1).unwrap();
            lifecycle::breakers().get("one").unwrap();
            lifecycle::initialization().set_flag("one", true).unwrap();
            assert!(lifecycle::singletons().set("one", 1).is_err() && lifecycle::breakers().get("one").is_err());
            assert!(lifecycle::initialization().set_flag("one", true).is_err());
        },
        || {
            lifecycle::singletons().set("one", 1).unwrap();
            lifecycle::breakers().get("one").unwrap();
            lifecycle::initialization().set_flag("one", true).unwrap();
        },
    );
}

#[test]
fn what_is_made_anew_from_time_to_time_is_due_and_no_pause_goes_on() {
    static VERSION: AtomicU32 = AtomicU32::new(0);

    #[singleton(swap, refresh = "2h")]
    fn token() -> u32 {
        VERSION.fetch_add(1, SeqCst)
    }

    #[derive(Debug, thiserror::Error)]
    enum Never {
        #[error("no")]
        No,
        #[error(transparent)]
        Singleton(#[from] lifecycle::SingletonError),
    }

    #[singleton(retry_backoff = "2h..2h")]
    fn absent() -> Result<u32, Never> {
        Err(Never::No)
    }

    after_a_jump(
        || {
            assert_eq!(*token(), *token());
            assert!(matches!(absent(), Err(Never::No)) && matches!(absent(), Err(Never::Singleton(_))));
        },
        || {
            let now = VERSION.load(SeqCst);
            assert_eq!((*token(), *token()), (now, now));
            assert!(matches!(absent(), Err(Never::No)));
        },
    );
}

#[test]
fn what_an_invocation_has_left_is_measured_by_the_wall_clock() {
    isolated(|| {
        clock().set_mono(2 * HOUR);
        let left = || current_invocation().unwrap().remaining().unwrap();
        invocation_blocking(InvocationConfig::new("a").deadline(Duration::from_secs(5400)), || {
            clock().set_mono(3 * HOUR);
            on_restore_blocking();
            assert_eq!(left(), Duration::from_secs(1800));
            // Back to before it began: no more than it ever had.
            clock().set_mono(HOUR);
            on_restore_blocking();
            assert_eq!(left(), Duration::from_secs(5400));
            assert_eq!(current_invocation().unwrap().elapsed(), Duration::ZERO);
        });
    });
}

static LOG: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn log(what: &'static str) {
    LOG.lock().unwrap().push(what);
}

#[singleton(before_snapshot = |_: &u8| log("close socket"), after_restore = |_: &u8| log("open socket"))]
fn socket() -> u8 {
    1
}

#[singleton(
    before_snapshot = async |_: &u8| { gives_way(2).await; log("close session"); },
    after_restore = async |_: &u8| { gives_way(2).await; log("open session"); Err::<(), _>("the server says no") },
)]
fn session() -> u8 {
    *socket()
}

#[singleton(keyed, before_snapshot = |_: &u8| log("close table"), after_restore = |_: &u8| -> () { panic!("in the hook") })]
fn table(number: u8) -> u8 {
    number + *session()
}

#[singleton(before_snapshot = |_: &u8| log("never made"))]
fn idle() -> u8 {
    7
}

#[test]
fn hooks_run_newest_first_before_and_oldest_first_after() {
    runtime().block_on(isolated_async(async {
        _ = (table(3), idle as fn() -> &'static u8);
        let before = before_snapshot().await;
        assert!(before.is_clean(), "{before}");
        let names: Vec<_> = before.hooks.iter().map(|hook| (hook.level, hook.name.as_str())).collect();
        assert_eq!(names, [(0, "table[3]"), (1, "session"), (2, "socket")]);
        let after = on_restore().await;
        assert_eq!(
            *LOG.lock().unwrap(),
            ["close table", "close session", "close socket", "open socket", "open session"]
        );
        let outcomes: Vec<_> = after.hooks.iter().map(|hook| (hook.name.as_str(), hook.outcome.clone())).collect();
        assert_eq!(outcomes[0], ("socket", HookOutcomeReport::Done));
        assert_eq!(outcomes[1], ("session", HookOutcomeReport::Failed("the server says no".to_owned())));
        assert_eq!(outcomes[2], ("table[3]", HookOutcomeReport::Panicked("in the hook".to_owned())));
        assert!(!after.is_clean());
        let text = after.to_string();
        assert!(text.contains("`session` failed: the server says no; `table[3]` panicked: in the hook"), "{text}");
        let told: Vec<_> = events().into_iter().map(|event| event.name).collect();
        assert_eq!(told.iter().filter(|name| **name == "lifecycle.singleton.hook_failed").count(), 2);
        assert_eq!(told.last(), Some(&"lifecycle.snapshot.restored"));
    }));
}

#[test]
fn without_hooks_there_is_nothing_to_report() {
    isolated(|| {
        assert!(before_snapshot_blocking().hooks.is_empty());
        assert!(on_restore_blocking().hooks.is_empty());
    });
}

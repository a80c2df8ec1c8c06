//! What goes wrong around initialization, flags, invocations and the hooks that run on everything, and must not spread.

use lifecycle::clock::Clock;
use lifecycle::testing::{events, isolated};
use lifecycle::{
    Flag, Health, InitConfig, InitializationCore, SingletonError, current_invocation, health_blocking, init_flag,
    initialization, initialize, invocation_blocking, on_memory_pressure, on_restore_blocking, run_pressure_hooks,
    run_reset_hooks, singleton, snapshot,
};
use lifecycle_tests::watched;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, SystemTime};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What a panic is raised with, and panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("and once more");
    }
}

fn explode() -> ! {
    panic_any(Bomb)
}

fn hook(_: &u8) {
    explode()
}

#[init_flag]
static LEVEL: Flag<u32> = 1;

#[init_flag(on_initialize)]
fn step() {}

#[singleton(
    reset = hook,
    pressure = |_: &u8| -> usize { explode() },
    health = |_: &u8| -> bool { explode() },
    memory = |_: &u8| -> usize { explode() },
    before_snapshot = hook,
    after_restore = hook,
)]
fn fragile() -> u8 {
    7
}

#[singleton(scope = invocation, shutdown = hook)]
fn leaving() -> u8 {
    7
}

#[test]
fn what_panics_with_something_that_panics_stops_nobody() {
    isolated(|| {
        fragile();
        LEVEL.on_change(|_, _| explode());
        assert_eq!((LEVEL.set(2), LEVEL.get()), (1, 2));
        let core = initialization();
        core.on_flag_change("by name", |_, _| explode()).unwrap();
        assert!(core.set_flag("by name", 1).unwrap().was_new);
        assert_eq!(run_reset_hooks().failed, [("fragile".to_owned(), "it panicked: (no text)".to_owned())]);
        assert_eq!(run_pressure_hooks(), 0);
        let report = health_blocking(Duration::from_secs(1));
        assert_eq!(report.checks[0].health, Health::Down("the check panicked: (no text)".to_owned()));
        assert!(snapshot().singletons.iter().any(|one| one.name == "fragile" && one.heap == Some(0)));
        assert!(!lifecycle::before_snapshot_blocking().is_clean() && !on_restore_blocking().is_clean());
        assert_eq!(invocation_blocking("req-1", || *leaving()), 7);
        let told = events().into_iter().filter(|event| event.name == "lifecycle.singleton.hook_failed").count();
        assert_eq!(told, 5, "reset, pressure, the snapshot's two and the shutdown");
    });
}

thread_local!(static ON_EVENT: Cell<fn()> = const { Cell::new(|| ()) });

/// The one subscriber of the process; each test says what it does on its thread.
struct Calls;

impl Subscriber for Calls {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("lifecycle")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        ON_EVENT.get()();
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[singleton(scope = invocation)]
fn own() -> Result<String, SingletonError> {
    Ok(current_invocation().map_or_else(String::new, |it| it.id().to_owned()))
}

/// All there is, with an event at each turn.
fn use_it_all() {
    let core = initialization();
    _ = core.set_rate_limit(None);
    _ = (LEVEL.set(LEVEL.get() + 1), core.set_flag("by name", LEVEL.get()), core.flag_or("by name", true));
    _ = (initialize(InitConfig::new().with("a", LEVEL.get())), core.config(), core.get_status(), core.observe());
    invocation_blocking("req-1", || {
        invocation_blocking("req-2", || (own().is_ok(), run_reset_hooks()));
        assert_eq!(&**own().unwrap(), "req-1");
    });
    _ = (on_memory_pressure(1), on_restore_blocking(), LEVEL.reset(), core.reset(), snapshot());
}

#[test]
fn a_subscriber_may_do_all_that_it_is_told_of() {
    static TOLD: AtomicU32 = AtomicU32::new(0);
    lifecycle_tests::told_everywhere(Calls);
    watched(|| {
        ON_EVENT.set(|| {
            TOLD.fetch_add(1, SeqCst);
            // What this does may be told of, too: once in a row.
            let again = ON_EVENT.replace(|| ());
            use_it_all();
            ON_EVENT.set(again);
        });
        isolated(|| (0..3).for_each(|_| use_it_all()));
        ON_EVENT.set(|| ());
    });
    let told = TOLD.load(SeqCst);
    assert!(told >= 30, "told {told} times");
}

#[test]
fn a_subscriber_that_panics_comes_after_the_deed() {
    lifecycle_tests::told_everywhere(Calls);
    let told = |f: &dyn Fn()| {
        ON_EVENT.set(|| panic!("subscriber"));
        let outcome = catch_unwind(AssertUnwindSafe(f));
        ON_EVENT.set(|| ());
        assert!(outcome.is_err(), "it was not told");
    };
    isolated(|| {
        let core = initialization();
        told(&|| _ = LEVEL.set(7));
        assert_eq!(LEVEL.get(), 7);
        told(&|| _ = core.set_flag("by name", 7));
        assert_eq!(core.flag::<u8>("by name").unwrap(), Some(7));
        told(&|| _ = initialize(InitConfig::new().with("a", 1)));
        assert!(initialize(InitConfig::new()).is_ok(), "done or to be done again, but not stuck");
        told(&|| _ = core.reset());
        assert!(!core.is_initialized() && LEVEL.get() == 1 && core.get_flag("by name").unwrap().is_none());
        told(&|| invocation_blocking("req-1", || drop(own())));
        assert_eq!(run_reset_hooks().active_invocations, 0, "it is over all the same");
    });
}

#[test]
fn destructors_of_thread_locals_may_use_all_of_it() {
    struct Late(std::sync::mpsc::Sender<bool>);
    impl Drop for Late {
        fn drop(&mut self) {
            let old = LEVEL.get();
            LEVEL.set(old);
            // Where thread-locals are gone nothing is installed, and what needs an invocation says so.
            let ran = invocation_blocking("late", || match own() {
                Ok(own) => *own == "late",
                Err(error) => matches!(error, SingletonError::NoInvocation { .. }),
            });
            _ = (initialize(InitConfig::new()), run_reset_hooks(), on_memory_pressure(u64::MAX));
            _ = self.0.send(ran && initialization().is_initialized());
        }
    }
    thread_local!(static HELD: Cell<Option<Late>> = const { Cell::new(None) });
    for warm in [true, false] {
        let (send, receive) = std::sync::mpsc::channel();
        thread::spawn(move || {
            if warm {
                invocation_blocking("early", || drop(own()));
            }
            HELD.set(Some(Late(send)));
            if !warm {
                invocation_blocking("early", || drop(own()));
            }
        });
        assert_eq!(receive.recv_timeout(Duration::from_secs(20)), Ok(true), "warm before: {warm}");
    }
}

/// Goes wherever it is told to.
#[derive(Debug, Default)]
struct Wild {
    mono: AtomicU64,
    wall: AtomicU64,
}

impl Clock for Wild {
    fn now_mono(&self) -> u64 {
        self.mono.load(SeqCst)
    }
    fn now_wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.wall.load(SeqCst))
    }
}

#[test]
fn a_clock_that_steps_back_locks_nobody_out_and_gives_no_negative_time() {
    let clock = Arc::new(Wild::default());
    clock.mono.store(1_000_000_000_000, SeqCst);
    clock.wall.store(1_700_000_000, SeqCst);
    let limit = Some((2, Duration::from_secs(1)));
    let core = InitializationCore::with_clock_and_limit(clock.clone(), limit).unwrap();
    core.initialize(InitConfig::new()).unwrap();
    core.set_flag("a", 1).unwrap();
    assert!(core.set_flag("a", 2).is_err());
    // The wall decides nothing.
    clock.wall.store(1_800_000_000, SeqCst);
    assert!(core.set_flag("a", 2).is_err());
    clock.wall.store(5, SeqCst);
    assert_eq!(core.get_status().uptime, Some(Duration::ZERO));
    // Back to before it was initialized, and on from there: as long as the window, and not as long as the step.
    clock.mono.store(7, SeqCst);
    assert_eq!(core.get_status().uptime, Some(Duration::ZERO));
    assert!(core.initialize(InitConfig::new()).is_ok_and(|it| it.uptime.is_zero()) || core.set_flag("a", 2).is_err());
    clock.mono.store(3_000_000_007, SeqCst);
    core.set_flag("a", 3).unwrap();
    clock.mono.store(u64::MAX, SeqCst);
    assert!(core.get_status().uptime.is_some() && core.set_flag("a", 4).is_ok());
}

#[test]
fn a_flag_by_name_has_one_order_of_changes() {
    // Each change tells what it replaced, so all of them make one chain, from nothing to what is there at the end.
    let core = InitializationCore::new();
    core.set_rate_limit(None).unwrap();
    let mut links: Vec<(Option<u64>, u64)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let core = &core;
                scope.spawn(move || {
                    let one = |n| {
                        let new = thread * 1000 + n;
                        let change = core.set_flag("contested", new).unwrap();
                        assert_eq!(change.was_new, change.old_value.is_none());
                        (change.old_value.map(|old| old.as_u64().unwrap()), new)
                    };
                    (0..250).map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut at = None;
    while let Some(next) = links.iter().position(|(old, _)| *old == at) {
        at = Some(links.swap_remove(next).1);
    }
    assert!(links.is_empty(), "{} changes were lost", links.len());
    assert_eq!(core.flag::<u64>("contested").unwrap(), at);
}

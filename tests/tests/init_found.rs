//! What a reader who wanted to break the initialization found.

use lifecycle::clock::Clock;
use lifecycle::testing::isolated;
use lifecycle::{
    BoxError, Context, Error, Flag, InitConfig, InitializationCore, init_flag, initialization, initialize_async,
};
use lifecycle_tests::{ByHand, in_child, is_child, runtime, watched};
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::{Duration, SystemTime};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });

/// Once at a time: what it looks at may lead here again.
fn once(look: impl FnOnce()) {
    if !INSIDE.replace(true) {
        look();
        INSIDE.set(false);
    }
}

#[test]
fn a_clock_may_ask_the_core_that_asks_it() {
    static CORE: OnceLock<InitializationCore> = OnceLock::new();
    static ASKED: AtomicUsize = AtomicUsize::new(0);

    #[derive(Debug)]
    struct Curious;
    impl Clock for Curious {
        fn now_mono(&self) -> u64 {
            once(|| {
                if let Some(core) = CORE.get() {
                    ASKED.fetch_add(1, SeqCst);
                    // Looks at everything, and waits for whoever initializes.
                    _ = core.observe();
                    _ = core.get_status();
                    _ = core.initialize(InitConfig::new());
                }
            });
            7
        }
        fn now_wall(&self) -> SystemTime {
            self.now_mono();
            SystemTime::UNIX_EPOCH
        }
    }

    watched(|| {
        let core = InitializationCore::with_clock_and_limit(
            std::sync::Arc::new(Curious),
            Some((1000, Duration::from_secs(1))),
        );
        let core = CORE.get_or_init(|| core.unwrap());
        core.set_flag("a", 1).unwrap();
        core.initialize(InitConfig::new().with("a", 1)).unwrap();
        let before = ASKED.load(SeqCst);
        core.reset();
        assert!(ASKED.load(SeqCst) > before, "a reset asks the clock");
        core.initialize(InitConfig::new()).unwrap();
        _ = (core.get_status(), core.observe());
    });
}

/// Nobody reads it before the step below does away with it.
#[init_flag(env = "LIFECYCLE_TEST_FOUND")]
static UNREAD: Flag<u8> = 3;

#[init_flag(on_initialize)]
fn starting_over() {
    if is_child(SUBSCRIBER) {
        initialization().reset();
    }
}

const SUBSCRIBER: &str = "a_subscriber_may_look_while_a_reset_takes_flags_back";

#[test]
fn a_subscriber_may_look_while_a_reset_takes_flags_back() {
    struct Curious;
    impl Subscriber for Curious {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {
            once(|| {
                _ = initialization().observe();
                _ = initialization().config();
                _ = initialization().reset();
            });
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    if !is_child(SUBSCRIBER) {
        return in_child(SUBSCRIBER, &[("LIFECYCLE_TEST_FOUND", "many")]);
    }
    watched(|| {
        lifecycle_tests::told(Curious, || {
            runtime().block_on(initialize_async(InitConfig::new())).unwrap();
            assert_eq!(UNREAD.get(), 3);
        });
    });
}

/// The last of the steps by declaration.
#[init_flag(on_initialize)]
async fn unhurried() -> Result<(), BoxError> {
    for _ in 0..2 {
        initialization().config()?;
        lifecycle_tests::gives_way(1).await;
    }
    Ok(())
}

#[test]
fn one_that_is_given_up_does_not_hide_the_configuration_of_the_next() {
    isolated(|| {
        initialization().set_rate_limit(None).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        let context = Context::capture();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                context.run(|| {
                    while !stop.load(SeqCst) {
                        _ = ByHand::new(initialize_async(InitConfig::new().with("who", "gives up"))).poll();
                    }
                });
            });
            let mut failed = None;
            for _ in 0..3000 {
                let mut one = ByHand::new(initialize_async(InitConfig::new().with("who", "stays")));
                let outcome = loop {
                    if let Poll::Ready(outcome) = one.poll() {
                        break outcome;
                    }
                };
                if let Err(Error::Step { source, .. }) = outcome {
                    failed = Some(source.to_string());
                    break;
                }
                initialization().reset();
            }
            stop.store(true, SeqCst);
            assert_eq!(failed, None, "a step of who initializes always sees the configuration");
        });
    });
}

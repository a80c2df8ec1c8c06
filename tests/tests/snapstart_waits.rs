//! Who waits while the process is written to a snapshot: woken after it, and not kept longer than he said.

use lifecycle::testing::{advance, clock, isolated};
use lifecycle::{
    Health, Rejected, SingletonError, before_snapshot_blocking, health, invocation, on_restore_blocking, rate_limit,
    shutdown, singleton, warm_up_within,
};
use lifecycle_tests::{ByHand, Gate};
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_nanos(1);
const HOUR: u64 = 3_600_000_000_000;

#[rate_limit("1/s", on_limit = wait("10s"))]
async fn limited() -> Result<(), Rejected> {
    Ok(())
}

/// The process sleeps, and its clock jumps to that time.
fn restored_at(nanos: u64) {
    before_snapshot_blocking();
    clock().set_mono(nanos);
    assert!(on_restore_blocking().is_clean());
}

#[test]
fn waits_for_permits_get_no_longer_when_the_clock_goes_back_and_keep_their_distances() {
    isolated(|| {
        clock().set_mono(2 * HOUR);
        assert!(ByHand::new(limited()).poll().is_ready());
        let mut first = ByHand::new(limited());
        assert!(first.poll().is_pending());
        advance(SECOND / 2);
        let mut second = ByHand::new(limited());
        assert!(second.poll().is_pending());
        restored_at(HOUR);
        assert!(first.is_woken() && second.is_woken(), "to measure again");
        assert!(first.poll().is_pending() && second.poll().is_pending());
        // Half a second was left of the first wait.
        advance(SECOND / 2);
        assert!(!first.is_woken());
        advance(STEP);
        assert!(first.is_woken() && !second.is_woken());
        assert_eq!(first.poll(), Poll::Ready(Ok(())));
        advance(SECOND);
        assert!(!second.is_woken(), "a second after the first one");
        advance(STEP);
        assert!(second.is_woken());
        assert_eq!(second.poll(), Poll::Ready(Ok(())));
    });
}

#[test]
fn without_a_restore_a_clock_that_goes_back_keeps_them_waiting() {
    isolated(|| {
        clock().set_mono(2 * HOUR);
        assert!(ByHand::new(limited()).poll().is_ready());
        let mut waits = ByHand::new(limited());
        assert!(waits.poll().is_pending());
        clock().set_mono(HOUR);
        advance(10 * SECOND);
        assert!(!waits.is_woken() && waits.poll().is_pending());
    });
}

#[test]
fn waits_end_at_once_when_the_clock_went_on() {
    isolated(|| {
        clock().set_mono(2 * HOUR);
        assert!(ByHand::new(limited()).poll().is_ready());
        let mut waits = ByHand::new(limited());
        assert!(waits.poll().is_pending());
        restored_at(3 * HOUR);
        assert!(waits.is_woken());
        assert_eq!(waits.poll(), Poll::Ready(Ok(())));
    });
}

#[test]
fn other_worlds_are_not_touched() {
    isolated(|| {
        clock().set_mono(2 * HOUR);
        assert!(ByHand::new(limited()).poll().is_ready());
        let mut waits = ByHand::new(limited());
        assert!(waits.poll().is_pending());
        isolated(|| restored_at(HOUR));
        assert!(!waits.is_woken());
        advance(SECOND + STEP);
        assert!(waits.is_woken() && waits.poll().is_ready());
    });
}

#[test]
fn the_patience_of_those_who_wait_for_a_factory_gets_no_longer() {
    static GATE: Gate = Gate::new();

    #[singleton(init_timeout = "5s")]
    async fn slow() -> Result<u8, SingletonError> {
        GATE.pass().await;
        Ok(7)
    }

    isolated(|| {
        clock().set_mono(2 * HOUR);
        let mut waits = ByHand::new(slow());
        assert!(waits.poll().is_pending());
        advance(SECOND);
        assert!(waits.poll().is_pending());
        restored_at(HOUR);
        assert!(waits.is_woken() && waits.poll().is_pending());
        advance(4 * SECOND - STEP);
        assert!(!waits.is_woken());
        advance(STEP);
        assert!(waits.is_woken());
        let Poll::Ready(Err(SingletonError::InitTimeout { waited, .. })) = waits.poll() else { panic!("it waits") };
        assert_eq!(waited, 5 * SECOND);
    });
}

#[test]
fn nor_does_a_limit_on_shutting_down() {
    #[singleton(shutdown = async |_: &u8| std::future::pending::<()>().await)]
    fn never_closes() -> u8 {
        7
    }

    isolated(|| {
        clock().set_mono(2 * HOUR);
        never_closes();
        let mut hangs = ByHand::new(invocation("req", std::future::pending::<()>()));
        assert!(hangs.poll().is_pending());
        let mut down = ByHand::new(shutdown(10 * SECOND));
        assert!(down.poll().is_pending());
        restored_at(HOUR);
        assert!(down.poll_while_woken().is_pending());
        // Half of it is the invocation's, the other the hook's.
        advance(5 * SECOND);
        assert!(down.poll_while_woken().is_pending());
        advance(5 * SECOND);
        let Poll::Ready(report) = down.poll() else { panic!("it waits on") };
        assert_eq!((&*report.unfinished, report.hooks.len()), (&["req".to_owned()][..], 1));
        assert_eq!(report.hooks[0].outcome, lifecycle::HookOutcomeReport::TimedOut);
    });
}

#[test]
fn nor_does_a_limit_on_warming_up() {
    static GATE: Gate = Gate::new();

    static FIRST: Gate = Gate::new();

    #[singleton(eager)]
    async fn first() -> u8 {
        FIRST.pass().await;
        7
    }

    #[singleton(eager)]
    async fn eager() -> u8 {
        GATE.pass().await;
        7
    }

    isolated(|| {
        clock().set_mono(2 * HOUR);
        let mut warms = ByHand::new(warm_up_within(5 * SECOND));
        assert!(warms.poll().is_pending());
        restored_at(HOUR);
        assert!(warms.poll().is_pending());
        FIRST.open();
        assert!(warms.poll().is_pending());
        advance(5 * SECOND);
        let Poll::Ready(Err(error)) = warms.poll() else { panic!("it waits") };
        assert_eq!((error.ready, error.unfinished), (vec!["first".to_owned()], vec!["eager".to_owned()]));
        _ = (first, eager);
    });
}

#[test]
fn nor_does_a_limit_on_asking_how_things_are() {
    static FIRST: Gate = Gate::new();

    #[singleton(health = async |_: &u8| { FIRST.pass().await; true })]
    fn answers() -> u8 {
        7
    }

    #[singleton(health = async |_: &u8| { std::future::pending::<()>().await; true })]
    fn never_answers() -> u8 {
        7
    }

    isolated(|| {
        clock().set_mono(2 * HOUR);
        _ = (answers(), never_answers());
        let mut asks = ByHand::new(health(5 * SECOND));
        assert!(asks.poll().is_pending());
        advance(SECOND);
        restored_at(HOUR);
        assert!(asks.is_woken() && asks.poll().is_pending());
        // From here on it is another wait, for the other answer.
        FIRST.open();
        assert!(asks.poll_while_woken().is_pending());
        advance(5 * SECOND);
        assert!(asks.is_woken());
        let Poll::Ready(report) = asks.poll() else { panic!("it waits for an hour") };
        let late = Health::Down("the check took too long".to_owned());
        let told: Vec<_> = report.checks.into_iter().map(|check| (check.name, check.health)).collect();
        assert_eq!(told, [("answers".to_owned(), Health::Up), ("never_answers".to_owned(), late)]);
    });
}

mod hooks_that_hang {
    use super::*;
    use lifecycle::{
        HookOutcomeReport, HooksReport, before_snapshot_within, on_restore_blocking_within, on_restore_within,
        testing::events,
    };
    use lifecycle_tests::{driven, runtime, until, watched};
    use std::sync::Mutex;

    static THREAD: Gate = Gate::new();
    static TASK: Gate = Gate::new();
    static RAN: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    /// The tests of this module share what hooks note.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    fn ran(what: &'static str) {
        RAN.lock().unwrap().push(what);
    }

    struct Noted(&'static str);

    impl Drop for Noted {
        fn drop(&mut self) {
            ran(self.0);
        }
    }

    #[singleton(before_snapshot = |_: &u8| ran("first"), after_restore = |_: &u8| Err::<(), _>("no luck"))]
    fn first() -> u8 {
        1
    }

    #[singleton(
        before_snapshot = |_: &u8| { THREAD.pass_blocking(); ran("thread") },
        after_restore = |_: &u8| { THREAD.pass_blocking(); ran("thread") },
    )]
    fn hangs() -> u8 {
        *first()
    }

    #[singleton(
        before_snapshot = async |_: &u8| { let _dropped = Noted("dropped"); TASK.pass().await },
        after_restore = async |_: &u8| { let _dropped = Noted("dropped"); TASK.pass().await },
    )]
    fn hangs_too() -> u8 {
        *hangs()
    }

    #[singleton(after_restore = async |_: &u8| { tokio::time::sleep(Duration::from_nanos(1)).await; ran("last") })]
    fn last() -> u8 {
        *hangs_too()
    }

    fn of(report: &HooksReport) -> Vec<(&str, HookOutcomeReport)> {
        report.hooks.iter().map(|hook| (hook.name.as_str(), hook.outcome.clone())).collect()
    }

    /// The hooks on threads of their own have to get there before time passes.
    fn at_the_gate(call: &mut ByHand<impl Future<Output = HooksReport>>, gate: &Gate, before: usize) {
        until(|| {
            assert!(call.poll().is_pending());
            gate.arrived() == before + 1
        });
    }

    #[test]
    fn take_their_share_of_the_limit_and_are_named() {
        let _alone = ONE_AT_A_TIME.lock();
        isolated(|| {
            _ = (last(), RAN.lock().unwrap().clear());
            let (threads, tasks) = (THREAD.arrived(), TASK.arrived());
            let mut call = ByHand::new(before_snapshot_within(9 * SECOND));
            at_the_gate(&mut call, &TASK, tasks);
            advance(3 * SECOND - STEP);
            assert!(call.poll_while_woken().is_pending());
            advance(STEP);
            assert!(call.is_woken());
            at_the_gate(&mut call, &THREAD, threads);
            assert_eq!(*RAN.lock().unwrap(), ["dropped"]);
            advance(3 * SECOND - STEP);
            assert!((0..100).all(|_| call.poll().is_pending()));
            advance(STEP);
            let report = driven(&mut call);
            let late = HookOutcomeReport::TimedOut;
            let expected = [("hangs_too", late.clone()), ("hangs", late), ("first", HookOutcomeReport::Done)];
            assert_eq!(of(&report), expected);
            assert_eq!(report.hooks[0].took, 3 * SECOND);
            let text = report.to_string();
            assert!(!report.is_clean() && text.contains("; `hangs_too` not done after 3s; `hangs` not"), "{text}");
            let told = |hook: &&str| events().iter().any(|event| event.component == **hook);
            assert!(["hangs", "hangs_too"].iter().all(told));
            // What blocks goes on where it is.
            THREAD.open();
            until(|| RAN.lock().unwrap().contains(&"thread"));
            assert_eq!(*RAN.lock().unwrap(), ["dropped", "first", "thread"]);
            THREAD.close();
        });
    }

    #[test]
    fn do_not_keep_a_process_from_coming_back() {
        let _alone = ONE_AT_A_TIME.lock();
        // What has to be awaited is so where its runtime is.
        let back = || {
            runtime().block_on(lifecycle::testing::isolated_async(async {
                _ = (last(), RAN.lock().unwrap().clear());
                let before = [THREAD.arrived(), TASK.arrived()];
                let passing = async {
                    for (gate, before) in [&THREAD, &TASK].into_iter().zip(before) {
                        while gate.arrived() == before {
                            tokio::task::yield_now().await;
                        }
                        // Nobody has more than a third of it.
                        advance(34 * SECOND);
                    }
                    std::future::pending::<()>().await;
                };
                let report = tokio::select! {
                    report = on_restore_within(100 * SECOND) => report,
                    () = passing => unreachable!(),
                };
                let late = HookOutcomeReport::TimedOut;
                let failed = HookOutcomeReport::Failed("no luck".to_owned());
                let expected = [("first", failed), ("hangs", late.clone()), ("hangs_too", late)];
                assert_eq!(of(&report)[..3], expected);
                assert_eq!(of(&report)[3..], [("last", HookOutcomeReport::Done)]);
                THREAD.open();
                until(|| RAN.lock().unwrap().contains(&"thread"));
                THREAD.close();
            }));
        };
        watched(back);
        isolated(|| assert!(on_restore_blocking_within(SECOND).is_clean()));
    }
}

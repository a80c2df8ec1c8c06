//! `shutdown` while something is under way: another call of it, a factory.

use lifecycle::{
    Context, HookOutcomeReport, ShutdownReport, SingletonError, shutdown, shutdown_blocking, singleton, testing,
};
use lifecycle_tests::{ByHand, Gate, ended, gives_way, started, until};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(1000);
const SECOND: Duration = Duration::from_secs(1);

fn names(report: &ShutdownReport) -> Vec<&str> {
    report.hooks.iter().map(|hook| hook.name.as_str()).collect()
}

#[track_caller]
fn outcome<'a>(report: &'a ShutdownReport, name: &str) -> &'a HookOutcomeReport {
    &report.hooks.iter().find(|hook| hook.name == name).unwrap_or_else(|| panic!("no `{name}`: {report:?}")).outcome
}

mod called_again {
    use super::*;

    static RUNS: AtomicUsize = AtomicUsize::new(0);
    static GATE: Gate = Gate::new();
    static THREADS_GATE: Gate = Gate::new();

    #[singleton(shutdown = |_: &u8| { RUNS.fetch_add(1, Ordering::SeqCst); GATE.pass() })]
    fn gated() -> u8 {
        1
    }
    #[singleton(shutdown = |_: &u8| { RUNS.fetch_add(1, Ordering::SeqCst); THREADS_GATE.pass_blocking() })]
    fn gated_thread() -> u8 {
        1
    }
    #[singleton(shutdown = |_: &u8| _ = RUNS.fetch_add(1, Ordering::SeqCst))]
    fn below() -> u8 {
        2
    }
    #[singleton(depends_on(below, gated_thread))]
    fn above() -> u8 {
        2
    }

    #[test]
    fn a_call_that_was_dropped_is_gone_on_with_and_one_that_comes_later_is_told_the_same() {
        testing::isolated(|| {
            _ = (gated(), gated_thread(), below(), above());
            let mut dropped = ByHand::new(shutdown(LONG));
            // `gated` begins on a thread, which gives its future; `gated_thread` is a level below it.
            until(|| dropped.poll().is_pending() && GATE.arrived() == 1);
            let mut impatient = ByHand::new(shutdown(SECOND));
            assert!(impatient.poll().is_pending());
            testing::advance(SECOND);
            let Poll::Ready(told) = impatient.poll() else { panic!("it waits on") };
            assert_eq!(outcome(&told, "gated"), &HookOutcomeReport::TimedOut);
            assert!(!told.is_clean(), "what is under way is not done");
            drop(dropped);
            let mut second = ByHand::new(shutdown(LONG));
            assert!(second.poll().is_pending());
            GATE.open();
            assert!(second.is_woken());
            // On to the next level, where a thread is at it.
            until(|| second.poll().is_pending() && THREADS_GATE.arrived() == 1);
            drop(second);
            let mut third = ByHand::new(shutdown(LONG));
            let mut fourth = ByHand::new(shutdown(LONG));
            assert!(third.poll().is_pending() && fourth.poll().is_pending());
            THREADS_GATE.open();
            let report = loop {
                if let Poll::Ready(report) = third.poll() {
                    break report;
                }
                std::thread::yield_now();
            };
            assert_eq!((report.is_clean(), RUNS.load(Ordering::SeqCst)), (true, 3), "{report}");
            assert_eq!(fourth.poll(), Poll::Ready(report.clone()));
            assert_eq!(shutdown_blocking(SECOND), report);
        });
    }
}

mod under_way {
    use super::*;

    #[test]
    fn a_factory_somebody_waits_for_may_end() {
        #[singleton(shutdown = |_: &u8| ())]
        async fn ends() -> Result<u8, SingletonError> {
            gives_way(6).await;
            Ok(7)
        }
        for polls in 1..=6 {
            testing::isolated(|| {
                let mut caller = ByHand::new(ends());
                (0..polls).for_each(|_| assert!(caller.poll().is_pending()));
                let mut call = ByHand::new(shutdown(LONG));
                assert!(call.poll().is_pending(), "{polls}");
                assert!(matches!(caller.poll_while_woken(), Poll::Ready(Ok(7))), "after {polls} polls");
                let report = loop {
                    if let Poll::Ready(report) = call.poll() {
                        break report;
                    }
                };
                assert_eq!((names(&report), &*report.abandoned), (vec!["ends"], &[] as &[String]));
            });
        }
    }

    #[test]
    fn somebody_who_was_just_woken_still_counts_as_waiting() {
        static FIRST: Gate = Gate::new();
        static SECOND: Gate = Gate::new();

        #[singleton]
        async fn gated() -> Result<u8, SingletonError> {
            FIRST.pass().await;
            SECOND.pass().await;
            Ok(7)
        }
        testing::isolated(|| {
            let mut caller = ByHand::new(gated());
            assert!(caller.poll().is_pending());
            FIRST.open();
            assert!(caller.is_woken() && caller.poll().is_pending());
            let mut call = ByHand::new(shutdown(LONG));
            assert!(call.poll().is_pending());
            SECOND.open();
            assert!(matches!(caller.poll_while_woken(), Poll::Ready(Ok(7))));
            assert!(matches!(call.poll_while_woken(), Poll::Ready(report) if report.is_clean()));
        });
    }

    #[test]
    fn one_that_nobody_waits_for_is_given_up_at_once() {
        #[singleton]
        async fn left_alone() -> Result<u8, SingletonError> {
            std::future::pending().await
        }
        testing::isolated(|| {
            assert!(ByHand::new(left_alone()).poll().is_pending());
            assert!(watched_report().abandoned.is_empty());
        });

        fn watched_report() -> ShutdownReport {
            match ByHand::new(shutdown(LONG)).poll_while_woken() {
                Poll::Ready(report) => report,
                Poll::Pending => panic!("it waits"),
            }
        }
    }

    #[test]
    fn what_does_not_end_in_time_is_given_up_counted_and_not_kept() {
        static GATE: Gate = Gate::new();
        static DROPPED: AtomicUsize = AtomicUsize::new(0);

        #[derive(Debug)]
        struct Noted;
        impl Drop for Noted {
            fn drop(&mut self) {
                DROPPED.fetch_add(1, Ordering::SeqCst);
            }
        }

        #[singleton(shutdown = |_: &Noted| -> () { panic!("never to exist") })]
        fn blocked() -> Result<Noted, SingletonError> {
            GATE.pass_blocking();
            Ok(Noted)
        }
        #[singleton]
        async fn pending() -> Result<u8, SingletonError> {
            std::future::pending().await
        }

        testing::isolated(|| {
            let context = Context::capture();
            let thread = started(move || context.run(|| blocked().map(|_| ())));
            until(|| GATE.arrived() == 1);
            let mut task = ByHand::new(pending());
            assert!(task.poll().is_pending());
            let mut call = ByHand::new(shutdown(10 * SECOND));
            assert!(call.poll_while_woken().is_pending());
            testing::advance(5 * SECOND);
            assert!(call.is_woken(), "half of the time is theirs");
            let Poll::Ready(report) = call.poll_while_woken() else { panic!("it waits on") };
            assert_eq!(report.abandoned, ["blocked", "pending"]);
            assert_eq!((report.is_clean(), report.hooks.len()), (false, 0));
            let text = report.to_string();
            assert!(text.contains(": 0 hooks, 2 factories abandoned\n`blocked` was not created when"), "{text}");
            assert!(task.is_woken());
            assert!(matches!(task.poll(), Poll::Ready(Err(SingletonError::ShuttingDown { .. }))));
            GATE.open();
            assert!(matches!(ended(&thread), Err(SingletonError::ShuttingDown { .. })));
            assert_eq!(DROPPED.load(Ordering::SeqCst), 1);
        });
    }
}

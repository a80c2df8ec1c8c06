//! `health`, `reset` and `pressure` hooks: of what exists, all of them, whatever one of them does.

use lifecycle::{
    Health, HealthReport, health, health_blocking, run_pressure_hooks, run_reset_hooks, singleton, testing,
};
use lifecycle_tests::{ByHand, Gate, gives_way, watched};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

mod of_health {
    use super::*;

    static GATE: Gate = Gate::new();

    #[singleton(health = |_: &u8| true)]
    fn up() -> u8 {
        1
    }
    #[singleton(health = |_: &u8| Health::Degraded("slow".to_owned()))]
    fn degraded() -> u8 {
        2
    }
    #[singleton(health = |_: &u8| Err::<(), _>("no disk"))]
    fn down() -> u8 {
        3
    }
    #[singleton(health = |_: &u8| -> bool { panic!("no luck") })]
    fn panics() -> u8 {
        4
    }
    #[singleton(health = |_: &u8| async { gives_way(3).await; true })]
    async fn up_later() -> u8 {
        5
    }
    #[singleton(health = |_: &u8| async { GATE.pass().await; true })]
    fn gated() -> u8 {
        6
    }
    #[singleton(health = |_: &u8| async { assert!(lifecycle_tests::not_ever(), "no luck later"); true })]
    fn panics_later() -> u8 {
        7
    }
    #[singleton(health = |_: &u8| -> bool { panic!("it does not exist") })]
    #[allow(dead_code)]
    fn unused() -> u8 {
        8
    }
    #[singleton(keyed, health = |ping: &u8| *ping > 1)]
    fn replica(number: u8) -> u8 {
        number
    }
    #[singleton(swap, health = |level: &u8| if *level > 1 { Ok(()) } else { Err("too low") })]
    fn level() -> u8 {
        1
    }

    fn of<'a>(report: &'a HealthReport, name: &str) -> &'a Health {
        &report.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no {name}")).health
    }

    fn words(health: &Health) -> &str {
        match health {
            Health::Down(why) | Health::Degraded(why) => why,
            _ => "",
        }
    }

    #[test]
    fn the_worst_of_what_exists_is_the_whole_s() {
        watched(|| {
            testing::isolated(|| {
                assert_eq!(health_blocking(SECOND), health_blocking(SECOND));
                assert_eq!((health_blocking(SECOND).status, health_blocking(SECOND).checks.len()), (Health::Up, 0));
                up();
                assert!(ByHand::new(up_later()).poll().is_ready());
                assert_eq!((health_blocking(SECOND).status, health_blocking(SECOND).checks.len()), (Health::Up, 2));
                degraded();
                assert_eq!(health_blocking(SECOND).status, Health::Degraded(String::new()));
                _ = (down(), panics(), panics_later(), replica(1), replica(2), level());
                let report = health_blocking(SECOND);
                assert_eq!(report.status, Health::Down(String::new()));
                let names: Vec<&str> = report.checks.iter().map(|check| check.name.as_str()).collect();
                assert_eq!(
                    names,
                    [
                        "degraded",
                        "down",
                        "level",
                        "panics",
                        "panics_later",
                        "replica[1]",
                        "replica[2]",
                        "up",
                        "up_later"
                    ]
                );
                assert_eq!((words(of(&report, "degraded")), words(of(&report, "down"))), ("slow", "no disk"));
                assert_eq!(words(of(&report, "panics")), "the check panicked: no luck");
                assert_eq!(words(of(&report, "panics_later")), "the check panicked: no luck later");
                assert_eq!(
                    (of(&report, "replica[1]"), of(&report, "replica[2]")),
                    (&Health::Down(String::new()), &Health::Up)
                );
                lifecycle::handle(level).unwrap().replace(2).unwrap();
                assert_eq!(of(&health_blocking(SECOND), "level"), &Health::Up);
                assert_eq!(lifecycle::handle(up).unwrap().stats().accesses, 1, "a check is no access");
            });
        });
    }

    #[test]
    fn a_check_that_takes_too_long_is_down_and_holds_nobody_up() {
        testing::isolated(|| {
            _ = (up(), gated());
            assert!(ByHand::new(up_later()).poll().is_ready());
            let mut call = ByHand::new(health(SECOND));
            assert!(call.poll_while_woken().is_pending());
            testing::advance(SECOND);
            assert!(call.is_woken());
            let Poll::Ready(report) = call.poll() else { panic!("it waits on") };
            assert_eq!(words(of(&report, "gated")), "the check took too long");
            assert_eq!((of(&report, "up"), of(&report, "up_later")), (&Health::Up, &Health::Up));
            GATE.open();
            assert_eq!(of(&health_blocking(SECOND), "gated"), &Health::Up);
        });
    }
}

mod of_reset {
    use super::*;

    #[singleton(reset = |seen: &Mutex<Vec<u8>>| seen.lock().unwrap().clear())]
    fn seen() -> Mutex<Vec<u8>> {
        Mutex::new(vec![1])
    }
    #[singleton(reset = |_: &u8| Err("no disk"))]
    fn fails() -> u8 {
        1
    }
    #[singleton(reset = |_: &u8| -> () { panic!("no luck") })]
    fn panics() -> u8 {
        2
    }
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    #[singleton(keyed, reset = |_: &u8| _ = RUNS.fetch_add(1, Ordering::SeqCst))]
    fn keyed(number: u8) -> u8 {
        number
    }
    #[singleton(reset = |_: &u8| -> () { panic!("it does not exist") })]
    #[allow(dead_code)]
    fn unused() -> u8 {
        3
    }

    #[test]
    fn all_run_and_those_that_fail_are_told() {
        testing::isolated(|| {
            assert!(run_reset_hooks().is_clean());
            _ = (fails(), panics(), keyed(1), keyed(2));
            let before = seen();
            let mut failed = run_reset_hooks().failed;
            failed.sort();
            let failed: Vec<_> = failed.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            assert_eq!(failed, [("fails", "no disk"), ("panics", "it panicked: no luck")]);
            assert!(std::ptr::eq(before, seen()) && seen().lock().unwrap().is_empty());
            assert_eq!(RUNS.load(Ordering::SeqCst), 2);
        });
    }
}

mod of_pressure {
    use super::*;

    #[singleton(pressure = |_: &u8| 1000_usize)]
    fn cache() -> u8 {
        1
    }
    #[singleton(pressure = |_: &u8| ())]
    fn silent() -> u8 {
        2
    }
    #[singleton(pressure = |_: &u8| -> usize { panic!("no luck") })]
    fn panics() -> u8 {
        3
    }
    #[singleton(pressure = |_: &u8| usize::MAX)]
    fn boasts() -> u8 {
        4
    }
    #[singleton(keyed, pressure = |size: &usize| *size)]
    fn table(size: usize) -> usize {
        size
    }

    #[test]
    fn what_they_freed_is_added_up() {
        testing::isolated(|| {
            assert_eq!(run_pressure_hooks(), 0);
            _ = (cache(), silent(), panics(), table(10), table(20));
            assert_eq!(run_pressure_hooks(), 1030);
            boasts();
            assert_eq!(run_pressure_hooks(), usize::MAX);
        });
    }
}

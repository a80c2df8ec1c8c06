//! What the public API cannot reach; the rest is in `tests/tests/breaker.rs`.

use super::*;

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(seconds * 1_000_000_000)
}

fn config(threshold: u32, half_open: u32, successes: u32) -> BreakerConfig {
    let base = BreakerConfig::new().threshold(threshold).timeout(Duration::from_secs(5));
    base.half_open_calls(half_open).success_threshold(successes)
}

fn opened(config: &BreakerConfig) -> Machine {
    let mut machine = Machine::new();
    machine.settle(config, Outcome::Failure, 0, None, at(0));
    assert_eq!(machine.state, State::Open);
    machine
}

#[test]
fn the_word_keeps_its_three_parts_apart() {
    for state in [State::Closed, State::Open, State::HalfOpen, State::ForcedOpen, State::Disabled, State::ObserveOnly] {
        let word = Word::new(state, GENERATION_MASK, u32::MAX);
        assert_eq!((word.state(), word.generation(), word.failures()), (state, GENERATION_MASK, u32::MAX));
        assert_eq!(word.with_failures(7).generation(), GENERATION_MASK);
    }
    assert_eq!(Machine::new().word(), Word::CLOSED);
}

#[test]
fn a_probe_that_outlives_its_lease_is_superseded_and_its_result_is_late() {
    let config = config(1, 1, 1);
    let mut machine = opened(&config);
    let (Admission::Admitted { probe: first }, _) = machine.admit(&config, at(5)) else { panic!() };
    assert!(
        matches!(machine.admit(&config, at(9)).0, Admission::HalfOpenFull(left) if left == Some(Duration::from_secs(1)))
    );
    let (Admission::Admitted { probe: second }, _) = machine.admit(&config, at(10)) else { panic!() };
    let generation = machine.generation;
    assert_eq!(machine.settle(&config, Outcome::Failure, generation, first, at(10)), None);
    assert_eq!(machine.settle(&config, Outcome::Success, generation, second, at(10)).unwrap().to, State::Closed);
}

#[test]
fn no_more_probes_run_than_can_still_be_needed() {
    // gobreaker's TestCustomCircuitBreaker, scenario C1.
    let config = config(1, 3, 3);
    let mut machine = opened(&config);
    for _ in 0..2 {
        let (Admission::Admitted { probe }, _) = machine.admit(&config, at(5)) else { panic!() };
        assert_eq!(machine.settle(&config, Outcome::Success, machine.generation, probe, at(5)), None);
    }
    let (Admission::Admitted { probe }, _) = machine.admit(&config, at(5)) else { panic!() };
    assert!(matches!(machine.admit(&config, at(5)).0, Admission::HalfOpenFull(_)));
    assert_eq!(machine.settle(&config, Outcome::Success, machine.generation, probe, at(5)).unwrap().to, State::Closed);
}

#[test]
fn a_timeout_of_all_time_never_expires() {
    let config = config(1, 1, 1).timeout(Duration::MAX);
    let mut machine = opened(&config);
    assert!(matches!(machine.admit(&config, Moment::NEVER).0, Admission::Open(None)));
}

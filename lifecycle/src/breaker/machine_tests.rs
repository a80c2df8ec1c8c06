//! What the public API cannot reach, and the machine beside a naive model of it; the rest is in `tests/tests/breaker*.rs`.

use super::*;
use crate::breaker::{Backoff, Window};
use proptest::prelude::*;

fn at(seconds: u64) -> Moment {
    Moment::from_nanos(seconds * 1_000_000_000)
}

fn config(threshold: u32, half_open: u32, successes: u32) -> BreakerConfig {
    let base = BreakerConfig::new().threshold(threshold).timeout(Duration::from_secs(5));
    base.half_open_calls(half_open).success_threshold(successes)
}

fn machine(config: BreakerConfig) -> Machine {
    let mut machine = Machine::new();
    machine.configure(config, 7, at(0));
    machine
}

impl Machine {
    fn end(&mut self, outcome: Outcome, probe: Option<u64>, now: Moment) -> Option<Change> {
        let generation = self.generation;
        self.settle(outcome, false, Ticket { generation, probe }, now, || now)
    }
}

fn opened(config: BreakerConfig) -> Machine {
    let mut machine = machine(config);
    machine.end(Outcome::Failure, None, at(0));
    assert_eq!(machine.state, State::Open);
    machine
}

#[test]
fn the_word_keeps_its_parts_apart() {
    for state in [State::Closed, State::Open, State::HalfOpen, State::ForcedOpen, State::Disabled, State::ObserveOnly] {
        for plain in [true, false] {
            let word = Word::new(state, plain, GENERATION_MASK, u32::MAX);
            assert_eq!((word.state(), word.generation(), word.failures()), (state, GENERATION_MASK, u32::MAX));
            assert_eq!((word.is_plain(), word.without_failures().generation()), (plain, GENERATION_MASK));
        }
    }
    assert_eq!(Machine::new().word(), Word::INITIAL);
    assert!(machine(config(1, 1, 1)).word().is_plain_without_failures());
}

#[test]
fn a_probe_that_outlives_its_lease_is_superseded_and_its_result_is_late() {
    let mut machine = opened(config(1, 1, 1));
    let (Admission::Admitted { probe: first }, _) = machine.admit(at(5)) else { panic!() };
    assert!(matches!(machine.admit(at(9)).0, Admission::HalfOpenFull(left) if left == Some(Duration::from_secs(1))));
    let (Admission::Admitted { probe: second }, _) = machine.admit(at(10)) else { panic!() };
    assert_eq!(machine.end(Outcome::Failure, first, at(10)), None);
    assert_eq!(machine.end(Outcome::Success, second, at(10)).unwrap().to, State::Closed);
}

#[test]
fn no_more_probes_run_than_can_still_be_needed() {
    // gobreaker's TestCustomCircuitBreaker, scenario C1.
    let mut machine = opened(config(1, 3, 3));
    for _ in 0..2 {
        let (Admission::Admitted { probe }, _) = machine.admit(at(5)) else { panic!() };
        assert_eq!(machine.end(Outcome::Success, probe, at(5)), None);
    }
    let (Admission::Admitted { probe }, _) = machine.admit(at(5)) else { panic!() };
    assert!(matches!(machine.admit(at(5)).0, Admission::HalfOpenFull(_)));
    assert_eq!(machine.end(Outcome::Success, probe, at(5)).unwrap().to, State::Closed);
}

#[test]
fn a_timeout_of_all_time_never_expires() {
    let machine = opened(config(1, 1, 1).timeout(Duration::MAX));
    assert!(matches!(machine.look(Moment::NEVER), Admission::Open(None)));
}

#[test]
fn jitter_stays_within_its_percentage_and_below_the_cap() {
    let backoff = Backoff::exponential().cap(Duration::from_secs(30)).jitter(20);
    let mut machine = opened(config(1, 1, 1).timeout(Duration::from_secs(10)).backoff(backoff));
    let mut seen = std::collections::HashSet::new();
    for again in 0..200 {
        let open = machine.open_until.since(machine.opened_at);
        let expected = [10.0, 20.0, 30.0][again.min(2)];
        assert!(
            open.as_secs_f64() >= expected * 0.8 && open.as_secs_f64() <= (expected * 1.2_f64).min(30.0),
            "{open:?}"
        );
        seen.insert(open);
        let now = machine.open_until;
        let (Admission::Admitted { probe }, _) = machine.admit(now) else { panic!() };
        machine.end(Outcome::Failure, probe, now);
    }
    assert!(seen.len() > 20, "no jitter: {seen:?}");
}

/// The breaker as one would write it down who has all the time and memory of the world: every call is remembered for ever, and
/// every question is answered by going through all of them.
struct Naive {
    config: BreakerConfig,
    state: State,
    /// Ended calls since the last entry into the state: when, failed, slow.
    calls: Vec<(u64, bool, bool)>,
    /// The start of the window, in calls: what was before a close does not count.
    opened: u64,
    open_for: u64,
    reopened: u32,
    /// Probes under way: ticket, end of its lease.
    probes: Vec<(u64, u64)>,
    successes: u32,
    era: u32,
}

impl Naive {
    fn enter(&mut self, state: State) {
        self.state = state;
        self.era += 1;
        self.probes.clear();
        self.successes = 0;
    }

    fn admit(&mut self, now: u64) -> bool {
        if self.state == State::Open && now - self.opened >= self.open_for {
            self.enter(State::HalfOpen);
        }
        match self.state {
            State::Closed => true,
            State::HalfOpen => {
                self.probes.retain(|(_, ends)| now < *ends);
                let most = self.config.half_open_calls.max(self.config.success_threshold) - self.successes;
                (self.probes.len() as u32) < self.config.half_open_calls.min(most)
            }
            _ => false,
        }
    }

    fn open(&mut self, now: u64) {
        self.opened = now;
        self.open_for = 5 * 2_u64.pow(self.reopened.min(3)).min(4);
        self.enter(State::Open);
    }

    fn settle(&mut self, outcome: Outcome, slow: bool, era: u32, ticket: Option<u64>, now: u64) {
        if era != self.era {
            return;
        }
        if self.state == State::HalfOpen {
            let Some(at) = self.probes.iter().position(|(held, _)| Some(*held) == ticket) else { return };
            self.probes.remove(at);
            match outcome {
                Outcome::Neutral => {}
                Outcome::Success if !slow => {
                    self.successes += 1;
                    if self.successes >= self.config.success_threshold {
                        self.calls.clear();
                        self.reopened = 0;
                        self.enter(State::Closed);
                    }
                }
                _ => {
                    self.reopened += 1;
                    self.open(now);
                }
            }
            return;
        }
        let failed = match outcome {
            Outcome::Neutral => return,
            Outcome::Success => false,
            Outcome::Failure => true,
        };
        self.calls.push((now, failed, slow));
        let in_row = self.calls.iter().rev().take_while(|(_, failed, _)| *failed).count() as u32;
        let by_row = failed && self.config.consecutive().is_some_and(|threshold| in_row >= threshold);
        let window: Vec<_> = match self.config.rate_window() {
            Window::Calls(calls) => self.calls.iter().rev().take(calls as usize).collect(),
            Window::Time(length) => self.calls.iter().filter(|(at, ..)| now - at < length.as_secs()).collect(),
        };
        let enough = window.len() as u32 >= self.config.calls_needed();
        let share = |count: usize, percent: Option<u32>| {
            percent.is_some_and(|percent| count * 100 >= percent as usize * window.len())
        };
        let by_failures =
            failed && enough && share(window.iter().filter(|call| call.1).count(), self.config.failure_rate);
        let by_slow = slow && enough && share(window.iter().filter(|call| call.2).count(), self.config.slow_call_rate);
        if by_row || by_failures || by_slow {
            self.open(now);
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Begin,
    End { which: usize, outcome: Outcome, slow: bool },
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![3 => Just(Outcome::Failure), 3 => Just(Outcome::Success), 1 => Just(Outcome::Neutral)];
    let end = (0_usize..4, outcome, prop::bool::weighted(0.3)).prop_map(|(which, outcome, slow)| Step::End {
        which,
        outcome,
        slow,
    });
    let step = prop_oneof![4 => Just(Step::Begin), 4 => end, 2 => (0_u64..7).prop_map(Step::Wait)];
    prop::collection::vec(step, 1..120)
}

fn configs() -> impl Strategy<Value = BreakerConfig> {
    let window = prop_oneof![
        (1_u32..12).prop_map(Window::Calls),
        (1_u64..20).prop_map(|s| Window::Time(Duration::from_secs(s)))
    ];
    let rate = || prop::option::of(1_u32..=100);
    (prop::option::of(1_u32..4), rate(), rate(), window, 1_u32..6, 1_u32..3, 1_u32..3).prop_map(
        |(threshold, failures, slow, window, needed, probes, successes)| {
            let backoff = Backoff::exponential().cap(Duration::from_secs(20));
            let mut config = config(1, probes, successes).half_open_timeout(Duration::from_secs(9)).backoff(backoff);
            config.threshold = threshold;
            config.failure_rate = failures;
            config.slow_call_rate = slow;
            if config.has_rates() {
                let most = match window {
                    Window::Calls(calls) => calls,
                    Window::Time(_) => u32::MAX,
                };
                config = config.window(window).minimum_calls(needed.min(most));
            }
            config
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_machine_does_what_the_naive_model_does(config in configs(), steps in steps()) {
        prop_assert!(config.validate("b").is_ok());
        let mut real = machine(config);
        let mut naive = Naive {
            config, state: State::Closed, calls: Vec::new(), opened: 0, open_for: 0, reopened: 0, probes: Vec::new(),
            successes: 0, era: 0,
        };
        // Calls under way, with the era of the model they began in.
        let mut calls: Vec<(Ticket, u32)> = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Wait(seconds) => now += seconds,
                Step::Begin => {
                    let looked = real.look(at(now));
                    let (answer, _) = real.admit(at(now));
                    prop_assert_eq!(
                        matches!(looked, Admission::Admitted { .. }), matches!(answer, Admission::Admitted { .. })
                    );
                    let admitted = naive.admit(now);
                    prop_assert_eq!(admitted, matches!(answer, Admission::Admitted { .. }), "at {}: {:?}", now, answer);
                    if let Admission::Admitted { probe } = answer {
                        if let Some(probe) = probe {
                            naive.probes.push((probe, now + 9));
                        }
                        calls.push((Ticket { generation: real.generation, probe }, naive.era));
                    }
                }
                Step::End { which, outcome, slow } => {
                    if calls.is_empty() {
                        continue;
                    }
                    let (ticket, era) = calls.remove(which % calls.len());
                    // Without a slow-call rate nobody measures.
                    let slow = slow && config.slow_call_rate.is_some();
                    real.settle(outcome, slow, ticket, at(now), || at(now));
                    naive.settle(outcome, slow, era, ticket.probe, now);
                }
            }
            prop_assert_eq!(real.state, naive.state, "at {}", now);
        }
    }
}

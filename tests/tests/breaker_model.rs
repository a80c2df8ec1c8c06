//! The circuit breaker against the naive rules, over random sequences of operations and clock steps.

use lifecycle::clock::ManualClock;
use lifecycle::{BreakerConfig, CircuitBreaker, State};
use std::sync::Arc;
use std::time::Duration;

fn breaker(config: BreakerConfig) -> (CircuitBreaker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (CircuitBreaker::builder("test").config(config).clock(clock.clone()).build().unwrap(), clock)
}

/// What can happen; a number picks one of the calls in flight.
#[derive(Debug, Clone, Copy)]
enum Op {
    Acquire,
    Success(usize),
    Failure(usize),
    Drop(usize),
    Advance(u64),
}

/// The rules of the default policy, written down the naive way.
#[derive(Default)]
struct Naive {
    open_until: Option<u64>,
    half_open: bool,
    failures: u32,
    generation: u64,
    /// (id, lease end)
    probes: Vec<(usize, u64)>,
    successes: u32,
}

impl Naive {
    fn admit(&mut self, id: usize, now: u64, config: (u32, u64, u32, u32)) -> bool {
        let (_, timeout, half, successes) = config;
        if let Some(until) = self.open_until {
            if now < until {
                return false;
            }
            *self =
                Self { half_open: true, failures: self.failures, generation: self.generation + 1, ..Self::default() };
        }
        if self.half_open {
            self.probes.retain(|(_, end)| now < *end);
            let in_flight = self.probes.len() as u32;
            if in_flight >= half || in_flight + self.successes >= successes.max(half) {
                return false;
            }
            self.probes.push((id, now + timeout));
        }
        true
    }

    fn settle(&mut self, id: usize, generation: u64, outcome: Option<bool>, now: u64, config: (u32, u64, u32, u32)) {
        let (threshold, timeout, _, successes) = config;
        if generation != self.generation || self.open_until.is_some() {
            return;
        }
        if self.half_open {
            let Some(at) = self.probes.iter().position(|(probe, _)| *probe == id) else {
                return;
            };
            self.probes.remove(at);
        }
        match outcome {
            None => {}
            Some(true) if self.half_open => {
                self.successes += 1;
                if self.successes >= successes {
                    *self = Self { generation: self.generation + 1, ..Self::default() };
                }
            }
            Some(true) => self.failures = 0,
            Some(false) => {
                self.failures += u32::from(!self.half_open);
                if self.half_open || self.failures >= threshold {
                    let generation = self.generation + 1;
                    *self = Self {
                        open_until: Some(now + timeout),
                        failures: self.failures,
                        generation,
                        ..Self::default()
                    };
                }
            }
        }
    }

    fn state(&self) -> State {
        match (self.open_until, self.half_open) {
            (Some(_), _) => State::Open,
            (None, true) => State::HalfOpen,
            (None, false) => State::Closed,
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(400))]

    #[test]
    fn random_sequences_agree_with_the_naive_rules(
        threshold in 1_u32..4, timeout in 1_u64..5, half in 1_u32..4, successes in 1_u32..4,
        ops in proptest::collection::vec(proptest::strategy::Strategy::prop_map((0_u8..5, 0_usize..4), |(kind, n)| match kind {
            0 => Op::Acquire, 1 => Op::Success(n), 2 => Op::Failure(n), 3 => Op::Drop(n), _ => Op::Advance(n as u64),
        }), 1..120),
    ) {
        let config = (threshold, timeout, half, successes);
        let numbers = BreakerConfig::new().threshold(threshold).timeout(Duration::from_nanos(timeout));
        let (breaker, clock) = breaker(numbers.half_open_calls(half).success_threshold(successes));
        let mut naive = Naive::default();
        let (mut now, mut next) = (0, 0);
        let mut in_flight = Vec::new();
        for op in ops {
            match op {
                Op::Acquire => {
                    next += 1;
                    let permit = breaker.try_acquire().ok();
                    proptest::prop_assert_eq!(permit.is_some(), naive.admit(next, now, config));
                    in_flight.extend(permit.map(|permit| (next, naive.generation, permit)));
                }
                Op::Success(n) | Op::Failure(n) | Op::Drop(n) if n < in_flight.len() => {
                    let (id, generation, permit) = in_flight.remove(n);
                    let outcome = match op {
                        Op::Success(_) => { permit.success(); Some(true) }
                        Op::Failure(_) => { permit.failure(); Some(false) }
                        _ => { drop(permit); None }
                    };
                    naive.settle(id, generation, outcome, now, config);
                }
                Op::Advance(by) => {
                    now += by;
                    clock.advance(Duration::from_nanos(by));
                }
                _ => {}
            }
            proptest::prop_assert_eq!(breaker.state(), naive.state());
            if naive.open_until.is_none() && !naive.half_open {
                proptest::prop_assert_eq!(breaker.metrics().failures, naive.failures);
            }
        }
    }
}

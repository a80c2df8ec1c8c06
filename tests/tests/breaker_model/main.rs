//! The circuit breaker beside rules written down the naive way, which remember every call for ever: a hundred thousand random
//! sequences of calls, late results, cancellations, movements by hand and steps of the clock, always the same ones.

mod naive;

use lifecycle::clock::ManualClock;
use lifecycle::{CircuitBreaker, Permit, RejectedKind, State};
use naive::{Begun, Counted, Naive, Numbers, Outcome, time};
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

const SEQUENCES: u64 = 100_000;

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }

    /// From 1 to `n`.
    fn some(&mut self, n: u32) -> u32 {
        self.below(u64::from(n)) as u32 + 1
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| value(self))
    }
}

/// A call under way.
enum Flying<'b> {
    Permit(Permit<'b>),
    Future(#[expect(dead_code, reason = "it is there to be dropped")] Pin<Box<dyn Future<Output = ()> + 'b>>),
}

fn begin<'b>(breaker: &'b CircuitBreaker, future: bool) -> Result<Flying<'b>, (RejectedKind, Option<Duration>)> {
    if !future {
        let permit = breaker.try_acquire().map_err(|refused| (refused.kind, refused.retry_after))?;
        return Ok(Flying::Permit(permit));
    }
    let refused = std::rc::Rc::new(std::cell::Cell::new(None));
    let tell = refused.clone();
    let mut call = Box::pin(async move {
        if let Err(lifecycle::CallError::Rejected(refused)) = breaker.call_async(pending::<Result<(), ()>>()).await {
            tell.set(Some((refused.kind, refused.retry_after)));
        }
    });
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    refused.take().map_or(Ok(Flying::Future(call)), Err)
}

/// One sequence. Futures end by being dropped, permits in every way.
fn sequence(seed: u64) {
    let mut random = Random(seed);
    let numbers = Numbers::any(&mut random);
    let clock = Arc::new(ManualClock::new());
    let breaker = CircuitBreaker::builder("test").config(numbers.config()).clock(clock.clone()).build().unwrap();
    let mut naive = Naive::new(numbers);
    let mut flying: Vec<(Begun, Flying<'_>)> = Vec::new();
    let mut now = 0;
    for step in 0..12 + random.below(16) {
        match random.below(40) {
            0..14 => {
                let begun = Begun { id: step, era: 0, at: now, future: random.below(5) == 0 };
                let (is, wanted) = (begin(&breaker, begun.future), naive.admit(step, now));
                assert_eq!(is.as_ref().map(|_| ()), wanted.as_ref().copied(), "seed {seed}, step {step}: {naive:?}");
                match is {
                    Ok(call) => flying.push((Begun { era: naive.era, ..begun }, call)),
                    Err(_) => naive.counted.refused += 1,
                }
            }
            14..29 if !flying.is_empty() => {
                let (begun, call) = flying.swap_remove(random.below(flying.len() as u64) as usize);
                let mut outcome =
                    [Outcome::Success, Outcome::Failure, Outcome::Failure, Outcome::Ignored, Outcome::Dropped]
                        [random.below(5) as usize];
                match (call, outcome) {
                    (Flying::Permit(permit), Outcome::Success) => permit.success(),
                    (Flying::Permit(permit), Outcome::Failure) => permit.failure(),
                    (Flying::Permit(permit), Outcome::Ignored) => permit.ignore(),
                    (dropped, _) => {
                        outcome = Outcome::Dropped;
                        drop(dropped);
                    }
                }
                naive.end(begun, outcome, now);
            }
            29 if !flying.is_empty() => std::mem::forget(flying.pop()),
            30..36 => {
                let by = random.below(5);
                now += by;
                clock.advance(time(by));
            }
            36 => {
                let how_long = random.below(5);
                // What is open already is open for another time, not once more.
                let again = u64::from(naive.state == State::Open);
                breaker.open_for(time(how_long));
                naive.open(now + how_long);
                naive.counted.opened -= again;
            }
            37 => match random.below(3) {
                0 => {
                    breaker.force_open();
                    naive.force(State::ForcedOpen);
                }
                1 => {
                    breaker.disable();
                    naive.force(State::Disabled);
                }
                _ => {
                    breaker.observe_only();
                    naive.force(State::ObserveOnly);
                }
            },
            38 => {
                breaker.reset();
                naive.force(State::Closed);
            }
            _ => {}
        }
        assert_eq!(breaker.state(), naive.state, "seed {seed}, step {step}: {naive:?}");
    }
    agree(seed, &breaker, &naive, now);
    // What is under way still ends without a trace in the numbers: they were read.
    drop(flying);
}

/// All the numbers that one can see.
fn agree(seed: u64, breaker: &CircuitBreaker, naive: &Naive, now: u64) {
    let seen = breaker.metrics();
    let statistics = &seen.statistics;
    let counted = Counted {
        succeeded: statistics.successful_calls,
        failed: statistics.failed_calls,
        ignored: statistics.ignored_calls,
        cancelled: statistics.cancelled_calls,
        refused: statistics.rejected_calls,
        opened: statistics.times_opened,
    };
    assert_eq!(counted, naive.counted, "seed {seed}: {naive:?}");
    if !matches!(naive.state, State::Closed | State::ObserveOnly) {
        return;
    }
    if naive.numbers.threshold.is_some() {
        assert_eq!(seen.failures, naive.in_row(), "seed {seed}: {naive:?}");
    }
    if let Some(rates) = seen.rates {
        let window = naive.window(now);
        let slow = window.iter().filter(|call| call.slow).count();
        let failed = window.iter().filter(|call| call.failed).count();
        let wanted = (window.len() as u32, failed as u32, slow as u32);
        assert_eq!((rates.calls, rates.failures, rates.slow_calls), wanted, "seed {seed}: {naive:?}");
    }
}

#[test]
fn random_sequences_agree_with_the_naive_rules() {
    let threads = 2;
    std::thread::scope(|scope| {
        for part in 0..threads {
            scope.spawn(move || (0..SEQUENCES).filter(|seed| seed % threads == part).for_each(sequence));
        }
    });
}

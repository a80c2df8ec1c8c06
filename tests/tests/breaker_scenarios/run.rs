//! Runs a row: see `notation.rs`. On the clock of a test world.

use crate::notation::{self, End, finished, polled, time, yield_once};
use lifecycle::clock::{Clock, ManualClock};
use lifecycle::{BreakerConfig, CallError, CircuitBreaker, Permit, Rejected, RejectedKind, State, testing};
use lifecycle_tests::said;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) config: BreakerConfig,
    pub(crate) script: &'static str,
}

/// What a guarded function is given: does what the row says, and gives its error.
pub(crate) type Body = Pin<Box<dyn Future<Output = Result<(), Failed>>>>;
pub(crate) type Guarded = fn(Body) -> Body;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error("down")]
    Down,
    #[error("not found")]
    NotOurs,
}

/// The way its calls take.
#[derive(Clone, Copy)]
pub(crate) enum How {
    Call,
    Permits,
    Futures,
    /// A function with the attribute, and its breaker's name.
    Attribute(Guarded, &'static str),
}

/// A call under way.
enum Flying {
    Permit(Permit<'static>),
    Future(Pin<Box<dyn Future<Output = Result<(), CallError<()>>>>>, Rc<Cell<Option<End>>>),
}

/// Counted so far: total, succeeded, failed, ignored, refused.
type Counted = [u64; 5];

struct Run<'r> {
    row: &'r Row,
    how: How,
    breaker: &'static CircuitBreaker,
    clock: Arc<ManualClock>,
    flying: BTreeMap<String, Flying>,
    /// Those begun in the present state.
    fresh: usize,
    state: State,
    base: Counted,
    told: Arc<Mutex<Vec<(State, State)>>>,
    refused: Option<Rejected>,
    step: String,
}

/// Runs a row that way.
pub(crate) fn run(row: &Row, how: How) {
    testing::isolated(|| {
        let told = Arc::default();
        let breaker = match how {
            How::Attribute(_, name) => lifecycle::breaker(name).unwrap().as_static().expect("it is declared"),
            _ => made(row.config),
        };
        assert_eq!(
            breaker.config().to_string(),
            row.config.to_string(),
            "{}: the function has the row's numbers",
            row.id
        );
        let mut run = Run {
            row,
            how,
            breaker,
            clock: testing::clock(),
            flying: BTreeMap::new(),
            fresh: 0,
            state: State::Closed,
            base: [0; 5],
            told,
            refused: None,
            step: String::new(),
        };
        run.listen();
        for step in row.script.split_whitespace() {
            let (step, times) = step.split_once('*').unwrap_or((step, "1"));
            for _ in 0..times.parse().expect("a number of times") {
                run.step = step.to_owned();
                run.step(step);
            }
        }
        run.step = "(the end)".to_owned();
        run.moved();
    });
}

/// A breaker that nothing owns: permits in flight outlive the step that began them.
fn made(config: BreakerConfig) -> &'static CircuitBreaker {
    Box::leak(Box::new(CircuitBreaker::builder("row").config(config).build().unwrap()))
}

impl Run<'_> {
    #[track_caller]
    fn check<T: PartialEq + std::fmt::Debug>(&self, is: T, wanted: T) {
        let how = match self.how {
            How::Call => "calls",
            How::Permits => "permits",
            How::Futures => "futures",
            How::Attribute(..) => "a guarded function",
        };
        assert!(is == wanted, "{} by {how}, at `{}`: {is:?}, not {wanted:?}", self.row.id, self.step);
    }

    fn listen(&self) {
        let told = self.told.clone();
        self.breaker.on_transition(move |change| told.lock().unwrap().push((change.from, change.to)));
    }

    fn counted(&self) -> Counted {
        let counts = self.breaker.metrics().statistics;
        [counts.total_calls, counts.successful_calls, counts.failed_calls, counts.ignored_calls, counts.rejected_calls]
    }

    /// Notes a change of state: each one is told once, and none that is none.
    fn moved(&mut self) {
        let state = self.breaker.state();
        let last = self.told.lock().unwrap().last().copied();
        self.check(last.map_or(State::Closed, |(_, to)| to), state);
        let chained = self.told.lock().unwrap().windows(2).all(|pair| pair[0].1 == pair[1].0 && pair[1].0 != pair[1].1);
        self.check(chained, true);
        if state != self.state {
            (self.state, self.base, self.fresh) = (state, self.counted(), 0);
        }
    }

    fn step(&mut self, step: &str) {
        if let Some(state) = step.strip_prefix('=') {
            return self.check(self.breaker.state(), notation::state(state));
        }
        if let Some(by) = step.strip_prefix('+') {
            return self.clock.advance(time(by));
        }
        if let Some(by) = step.strip_prefix('-') {
            return self.clock.set_mono(self.clock.now_mono().saturating_sub(time(by).as_nanos() as u64));
        }
        if let Some(counts) = step.strip_prefix('{') {
            return self.counts(counts.strip_suffix('}').expect("a closing brace"));
        }
        if let Some((what, wanted)) = step.split_once('=') {
            return self.value(what, wanted);
        }
        let (word, argument) = match step.split_once('(') {
            Some((word, argument)) => (word, time(argument.strip_suffix(')').expect("a closing parenthesis"))),
            None => (step, Duration::ZERO),
        };
        match word {
            "force" => self.breaker.force_open(),
            "disable" => self.breaker.disable(),
            "observe" => self.breaker.observe_only(),
            "reset" => self.breaker.reset(),
            "open" => self.breaker.open_for(argument),
            "saved" => self.saved(),
            _ if word.starts_with('w') => return self.window(&word[1..]),
            _ if word.starts_with('R') => self.refused(word),
            _ => match (End::of(word), word.split_at(1)) {
                (Some(end), _) => self.call(end, argument),
                (None, ("A", id)) => self.begin(id),
                (None, (end, id)) => self.end(end, id),
            },
        }
        self.moved();
    }

    /// A call; `None` when it ran. Inside it the state is looked at, since a probe's admission has changed it.
    fn through(&mut self, end: End, takes: Duration) -> Result<(), Rejected> {
        let (breaker, clock) = (self.breaker, self.clock.clone());
        match self.how {
            How::Call => {
                let inside = || {
                    self.moved();
                    clock.advance(takes);
                    end.value()
                };
                breaker.call_with(inside, End::verdict).map(|_| ())
            }
            How::Permits => {
                let permit = breaker.try_acquire()?;
                self.moved();
                clock.advance(takes);
                match end.value() {
                    End::Success => permit.success(),
                    End::Ignored => permit.ignore(),
                    _ => permit.failure(),
                }
                Ok(())
            }
            How::Futures => {
                let inside = async {
                    self.moved();
                    yield_once().await;
                    clock.advance(takes);
                    end.value()
                };
                finished(Box::pin(breaker.call_async_with(inside, End::verdict))).map(|_| ())
            }
            How::Attribute(call, _) => {
                // Told from inside: the function's body cannot borrow the run.
                let (state, seen) = (Rc::new(Cell::new(None)), Rc::new(Cell::new([0; 5])));
                let (tell, counted) = (state.clone(), self.breaker);
                let look = seen.clone();
                let body = async move {
                    tell.set(Some(counted.state()));
                    let counts = counted.metrics().statistics;
                    look.set([
                        counts.total_calls,
                        counts.successful_calls,
                        counts.failed_calls,
                        counts.ignored_calls,
                        counts.rejected_calls,
                    ]);
                    yield_once().await;
                    clock.advance(takes);
                    match end.value() {
                        End::Success => Ok(()),
                        End::Ignored => Err(Failed::NotOurs),
                        _ => Err(Failed::Down),
                    }
                };
                let result = catch_unwind(AssertUnwindSafe(|| finished(call(Box::pin(body)))));
                if let Some(state) = state.get().filter(|state| *state != self.state) {
                    (self.state, self.base, self.fresh) = (state, seen.get(), 0);
                }
                match result.unwrap_or_else(|panic| resume_unwind(panic)) {
                    Err(Failed::Refused(rejected)) => Err(rejected),
                    result => {
                        self.check(result.is_ok(), end == End::Success);
                        Ok(())
                    }
                }
            }
        }
    }

    fn call(&mut self, end: End, takes: Duration) {
        match catch_unwind(AssertUnwindSafe(|| self.through(end, takes))) {
            Ok(ran) => self.check((ran.err(), false), (None, end == End::Panic)),
            Err(panic) if end == End::Panic => self.check(said(&*panic).as_str(), "as the row says"),
            Err(other) => resume_unwind(other),
        }
    }

    fn refused(&mut self, word: &str) {
        let rejected = match catch_unwind(AssertUnwindSafe(|| self.through(End::Panic, Duration::ZERO))) {
            Ok(Err(rejected)) => rejected,
            _ => panic!("{} at `{}`: a call ran that must be refused", self.row.id, self.step),
        };
        let kind = match word {
            "R" => rejected.kind,
            "R:open" => RejectedKind::Open,
            "R:full" => RejectedKind::HalfOpenFull,
            "R:forced" => RejectedKind::ForcedOpen,
            _ => panic!("no refusal: {word}"),
        };
        self.check(rejected.kind, kind);
        self.refused = Some(rejected);
    }

    fn begin(&mut self, id: &str) {
        let flying = if matches!(self.how, How::Futures) {
            let end = Rc::new(Cell::new(None::<End>));
            let told = end.clone();
            let inside = poll_fn(move |_| told.get().map_or(Poll::Pending, Poll::Ready));
            let call = self.breaker.call_async_with(inside, End::verdict);
            let mut future = Box::pin(async { call.await.map(|_| ()).map_err(CallError::Rejected) });
            self.check(polled(future.as_mut()).is_pending(), true);
            Flying::Future(future, end)
        } else {
            Flying::Permit(self.breaker.try_acquire().unwrap())
        };
        self.moved();
        self.fresh += 1;
        self.flying.insert(id.to_owned(), flying);
    }

    fn end(&mut self, letter: &str, id: &str) {
        let flying = self.flying.remove(id).unwrap_or_else(|| panic!("no such step: {letter}{id}"));
        self.fresh = self.fresh.saturating_sub(1);
        match (flying, End::of(letter)) {
            (Flying::Permit(permit), Some(end)) => permit.settle(end.verdict()),
            (Flying::Future(mut future, told), Some(end)) => {
                told.set(Some(end));
                self.check(polled(future.as_mut()).is_ready(), true);
            }
            (Flying::Permit(permit), None) if letter == "L" => std::mem::forget(permit),
            (Flying::Future(future, _), None) if letter == "L" => std::mem::forget(future),
            (dropped, None) => {
                assert_eq!(letter, "D", "no such step");
                drop(dropped);
            }
        }
    }

    fn saved(&mut self) {
        let saved = serde_json::to_string(&self.breaker.snapshot()).unwrap();
        self.breaker = made(self.row.config);
        self.breaker.restore(&serde_json::from_str(&saved).unwrap());
        self.listen();
        self.base = self.counted();
    }

    fn counts(&self, wanted: &str) {
        let (now, base) = (self.counted(), self.base);
        let (seen, probes) = (self.breaker.metrics(), self.breaker.snapshot().successes);
        // Failures in a row are told where they are looked at, and matter while closed.
        let in_row = seen.threshold.filter(|_| self.state == State::Closed).map_or(0, |_| seen.failures);
        let is = [
            ("n", now[0] - base[0] + self.fresh as u64),
            ("s", now[1] - base[1]),
            ("f", now[2] - base[2]),
            ("x", now[3] - base[3]),
            ("cf", u64::from(in_row)),
            ("cs", u64::from(probes)),
        ];
        for part in wanted.split(',').filter(|part| !part.is_empty()) {
            let known = is.iter().any(|(name, _)| part.starts_with(name));
            assert!(known, "no such count: {part}");
        }
        for (name, is) in is {
            let wanted = wanted.split(',').find_map(|part| part.strip_prefix(name)?.parse().ok()).unwrap_or(0);
            self.check((name, is), (name, wanted));
        }
    }

    fn window(&self, wanted: &str) {
        let rates = self.breaker.metrics().rates.expect("a window");
        let parts: Vec<u32> = wanted.split('/').map(|part| part.parse().expect("a number")).collect();
        let is = [rates.calls, rates.failures, rates.slow_calls];
        self.check(&is[..parts.len()], &parts);
    }

    fn value(&self, what: &str, wanted: &str) {
        let number = || wanted.parse::<u64>().expect("a number");
        let percent = |rate: Option<f64>| rate.map_or("?".to_owned(), |rate| rate.to_string());
        let rates = || self.breaker.metrics().rates.expect("a window");
        match what {
            "rate" => self.check(percent(rates().failure_rate).as_str(), wanted),
            "slow" => self.check(percent(rates().slow_call_rate).as_str(), wanted),
            "np" => self.check(self.counted()[4] - self.base[4], number()),
            "ra" => {
                let wanted = (wanted != "never").then(|| time(wanted));
                self.check(self.refused.as_ref().expect("a refusal").retry_after, wanted);
            }
            "told" => self.check(self.told.lock().unwrap().len() as u64, number()),
            "would" => {
                let would = |event: &&testing::EventRecord| event.name == "lifecycle.circuit_breaker.would_open";
                self.check(testing::events().iter().filter(would).count() as u64, number());
            }
            _ => panic!("no such value: {what}"),
        }
    }
}

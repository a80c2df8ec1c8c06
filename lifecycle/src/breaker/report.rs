//! What a breaker looks like from outside, and its state put away and put back.

use super::handle::{BreakerState, CANCELLED, CircuitBreaker, FAILED, IGNORED, REJECTED, SUCCEEDED};
use super::machine::Machine;
use super::samples::{Aged, Tally};
use super::state::State;
use crate::clock::{Moment, nanos, unix_seconds};
use crate::registry::{BreakerRates, BreakerSnapshot, BreakerStatistics};
use crate::settings::BreakerSettings;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A breaker's state as a value, to be kept somewhere and given to [`restore`](CircuitBreaker::restore) by another process, or
/// by this one after it was thawed. Times are seconds since 1970, so that they mean the same elsewhere.
///
/// Numbers and statistics are not in it: numbers belong to the program, statistics to the process.
///
/// ```
/// use lifecycle::{CircuitBreaker, SavedBreaker, State};
/// use std::time::Duration;
///
/// let breaker = CircuitBreaker::builder("db").build()?;
/// breaker.open_for(Duration::from_secs(600));
/// let saved: SavedBreaker = breaker.snapshot();
/// assert_eq!((saved.name.as_str(), saved.state), ("db", State::Open));
/// let open_for = saved.open_until.unwrap() - saved.opened_at.unwrap();
/// assert!((599.9..600.1).contains(&open_for)); // both since 1970
/// # Ok::<(), lifecycle::Error>(())
/// ```
///
/// [`restore`](CircuitBreaker::restore) and [`snapshot`](CircuitBreaker::snapshot) show it on its way through JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedBreaker {
    /// The breaker's name.
    pub name: String,
    /// Where it stood.
    pub state: State,
    /// Failures in a row.
    pub failures: u32,
    /// When it opened, if it was open or half-open.
    pub opened_at: Option<f64>,
    /// Until when it refuses, if it was open; missing: until somebody resets it.
    pub open_until: Option<f64>,
    /// How often it had opened again without closing: what the backoff goes by.
    #[serde(default)]
    pub reopened: u32,
    /// Probes that had succeeded in a row, if it was half-open.
    #[serde(default)]
    pub successes: u32,
    /// It was opened by hand, for a time that somebody gave; a new configuration leaves that alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// The calls its rates looked at, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<SavedCalls>,
}

/// Calls of a window, equal or of one moment.
///
/// ```
/// use lifecycle::{CircuitBreaker, Window};
///
/// let breaker = CircuitBreaker::builder("db").failure_rate(50).window(Window::Calls(100)).build()?;
/// for succeeds in [true, true, false] {
///     assert_eq!(breaker.call(|| if succeeds { Ok(()) } else { Err("down") }).is_ok(), succeeds);
/// }
/// let calls: Vec<_> = breaker.snapshot().calls.iter().map(|one| (one.calls, one.failures)).collect();
/// assert_eq!(calls, [(2, 0), (1, 1)]); // oldest first
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedCalls {
    /// When they ended; missing for a window of calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// How many.
    pub calls: u32,
    /// How many of them failed.
    #[serde(default)]
    pub failures: u32,
    /// How many of them were slow.
    #[serde(default)]
    pub slow: u32,
}

/// A monotonic and a wall reading of one moment, to turn the one kind of time into the other.
#[derive(Clone, Copy)]
struct Both {
    mono: Moment,
    wall: SystemTime,
}

impl Both {
    /// Now, by the state's clock. The two cannot be read at once, so their difference is kept from look to look, that the wall time
    /// of a moment stays the same; until the wall clock was set, or has run differently for long.
    fn now(state: &BreakerState) -> Self {
        const SET: u64 = 5_000_000;
        let mono = state.clock.now();
        let wall = state.clock.wall();
        let since_1970 = nanos(wall.duration_since(UNIX_EPOCH).unwrap_or_default());
        let apart = since_1970.saturating_sub(mono.as_nanos());
        let kept = state.wall_apart.load(Ordering::Relaxed);
        if kept == 0 || kept.abs_diff(apart) >= SET {
            state.wall_apart.store(apart, Ordering::Relaxed);
            return Self { mono, wall };
        }
        let wall = Duration::from_nanos(mono.as_nanos().saturating_add(kept));
        Self { mono, wall: UNIX_EPOCH.checked_add(wall).unwrap_or(UNIX_EPOCH) }
    }

    /// A past or future moment on the wall.
    fn wall(self, at: Moment) -> f64 {
        let past = self.wall.checked_sub(self.mono.since(at)).unwrap_or(self.wall);
        unix_seconds(past.checked_add(at.since(self.mono)).unwrap_or(past))
    }

    /// The moment of a wall time. What was before the clock's beginning, which may be that of the process, was at its beginning.
    fn mono(self, at: f64) -> Moment {
        let ahead = seconds(at - unix_seconds(self.wall));
        Moment::from_nanos(self.mono.as_nanos().saturating_sub(nanos(self.age(at)))).after(ahead)
    }

    /// The wall time so many nanoseconds ago.
    fn ago(self, age: u64) -> f64 {
        unix_seconds(self.wall.checked_sub(Duration::from_nanos(age)).unwrap_or(self.wall))
    }

    /// How long ago a wall time was.
    fn age(self, at: f64) -> Duration {
        seconds(unix_seconds(self.wall) - at)
    }
}

impl CircuitBreaker {
    /// State, failures and statistics.
    ///
    /// ```
    /// let breaker = lifecycle::CircuitBreaker::builder("db").build()?;
    /// breaker.call(|| Ok::<_, ()>(())).unwrap();
    /// let seen = breaker.metrics();
    /// assert_eq!((seen.state.as_str(), seen.statistics.successful_calls), ("closed", 1));
    /// # Ok::<(), lifecycle::Error>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> BreakerSnapshot {
        let state = self.resolve();
        let now = Both::now(&state);
        let read = |which| state.counts.read(which);
        let (successful, failed, cancelled, ignored) = (read(SUCCEEDED), read(FAILED), read(CANCELLED), read(IGNORED));
        state.cell.look(|word, machine| {
            let open = matches!(word.state(), State::Open | State::ForcedOpen);
            let config = &machine.config;
            let tally = machine.tally(now.mono);
            BreakerSnapshot {
                name: self.name().to_owned(),
                state: word.state().as_str().to_owned(),
                failures: match tally {
                    // Looking at rates only, failures in a row mean nothing.
                    Some(tally) if config.consecutive().is_none() => tally.failures,
                    _ => word.failures(),
                },
                threshold: config.consecutive(),
                timeout: config.timeout.as_secs_f64(),
                last_failure_time: state.cell.last_failure().map(|at| now.wall(at)),
                opened_at: open.then(|| now.wall(machine.opened_at)),
                retry_after_seconds: match word.state() {
                    State::Open => machine.open_until().until(now.mono).map(|left| left.as_secs_f64()),
                    _ => None,
                },
                statistics: BreakerStatistics {
                    total_calls: successful + failed + cancelled + ignored,
                    successful_calls: successful,
                    failed_calls: failed,
                    rejected_calls: read(REJECTED),
                    cancelled_calls: cancelled,
                    ignored_calls: ignored,
                    times_opened: machine.times_opened,
                    last_state_change: machine.changed_at.map(|at| now.wall(at)),
                },
                rates: tally.map(|tally| BreakerRates {
                    window: config.rate_window().to_string(),
                    calls: tally.calls,
                    failures: tally.failures,
                    slow_calls: tally.slow,
                    minimum_calls: config.calls_needed(),
                    failure_rate: enough(tally, config.calls_needed(), tally.failures),
                    slow_call_rate: enough(tally, config.calls_needed(), tally.slow),
                    opens_at_failure_rate: config.failure_rate,
                    opens_at_slow_call_rate: config.slow_call_rate,
                }),
                settings: Vec::new(),
                path: self.descriptor.path(),
                declared_at: self.descriptor.declared_at(),
            }
        })
    }

    /// [`metrics`](Self::metrics) with the settings, for [`snapshot`](crate::snapshot()).
    pub(crate) fn observe(&self) -> BreakerSnapshot {
        BreakerSnapshot { settings: self.settings(), ..self.metrics() }
    }

    /// Closed at `now`, with no failure counted: its state could be made anew.
    pub(super) fn is_pristine(&self, now: Moment) -> bool {
        self.process().cell.look(|word, machine| {
            let tally = machine.tally(now).unwrap_or_default();
            // Looking at rates only, failures in a row mean nothing.
            let in_a_row = if machine.config.consecutive().is_some() { word.failures() } else { 0 };
            word.state() == State::Closed && in_a_row == 0 && tally.failures == 0 && tally.slow == 0
        })
    }

    /// One of many that can be given up for another: [pristine](Self::is_pristine), in nobody's hands, and nobody gave it
    /// numbers (but those `given` to all) or a listener, which would be gone without a word.
    pub(super) fn is_idle(self: &Arc<Self>, now: Moment, given: Option<&Arc<BreakerSettings>>) -> bool {
        let state = self.process();
        Arc::strong_count(self) == 1
            && Arc::weak_count(self) == 0
            && state.layers.lock().is_reconfigured_to(given)
            && state.listeners.is_empty()
            && self.is_pristine(now)
    }

    /// Nothing ever went through it, and nobody moved it.
    pub(super) fn is_unused(&self) -> bool {
        let seen = self.metrics();
        let counts = &seen.statistics;
        seen.state == State::Closed.as_str()
            && seen.failures == 0
            && seen.rates.is_none_or(|rates| rates.calls == 0)
            && counts.total_calls + counts.rejected_calls + counts.times_opened == 0
    }

    /// Its state as a value: see [`SavedBreaker`].
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, SavedBreaker, State};
    ///
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// let _ = breaker.call(|| Err::<(), _>("down"));
    /// let saved = serde_json::to_string(&breaker.snapshot())?;
    ///
    /// // in the next process
    /// let breaker = CircuitBreaker::builder("db").threshold(1).build()?;
    /// breaker.restore(&serde_json::from_str::<SavedBreaker>(&saved)?);
    /// assert_eq!(breaker.state(), State::Open);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> SavedBreaker {
        let state = self.resolve();
        let now = Both::now(&state);
        state.cell.look(|word, machine| {
            let was_open = matches!(word.state(), State::Open | State::ForcedOpen | State::HalfOpen);
            let until = machine.open_until();
            let timed = machine.samples.as_ref().is_some_and(|samples| samples.is_timed());
            let entries = machine.samples.as_ref().map(|samples| samples.entries(now.mono)).unwrap_or_default();
            SavedBreaker {
                name: self.name().to_owned(),
                state: word.state(),
                failures: word.failures(),
                opened_at: was_open.then(|| now.wall(machine.opened_at)),
                open_until: (word.state() == State::Open && until != Moment::NEVER).then(|| now.wall(until)),
                reopened: machine.reopened,
                successes: machine.successes,
                by_hand: machine.by_hand && word.state() == State::Open,
                calls: entries
                    .into_iter()
                    .map(|Aged { age, tally: Tally { calls, failures, slow } }| SavedCalls {
                        at: timed.then(|| now.ago(age)),
                        calls,
                        failures,
                        slow,
                    })
                    .collect(),
            }
        })
    }

    /// Takes over a state that was put away. It may be that of a breaker of another name: the name is there to be read, and is not
    /// compared, so that a breaker can be renamed, or one saved state be given to several. Calls under way no longer count; the change
    /// is told as any other. A time to stay open that lies further ahead than it was long is cut: the other machine's wall clock was
    /// wrong. [`snapshot`](Self::snapshot) shows both ways, through JSON; a state can be written by hand, too:
    ///
    /// ```
    /// use lifecycle::{CircuitBreaker, SavedBreaker, State};
    ///
    /// let breaker = CircuitBreaker::builder("db").build()?;
    /// let saved: SavedBreaker = serde_json::from_str(r#"{ "name": "db", "state": "forced_open", "failures": 0 }"#)?;
    /// breaker.restore(&saved);
    /// assert_eq!(breaker.state(), State::ForcedOpen);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restore(&self, saved: &SavedBreaker) {
        let state = self.resolve();
        let now = Both::now(&state);
        let ((), change) = state.cell.transition(|machine| ((), machine.restore(saved, now)));
        if let Some(change) = change {
            self.tell(&state, change);
        }
    }
}

/// A difference of wall times; one that is none is nothing.
fn seconds(difference: f64) -> Duration {
    if difference > 0.0 { Duration::try_from_secs_f64(difference).unwrap_or(Duration::MAX) } else { Duration::ZERO }
}

/// A rate, once there are calls enough to say it.
fn enough(tally: Tally, needed: u32, part: u32) -> Option<f64> {
    (tally.calls >= needed).then(|| tally.rate(part))
}

impl Machine {
    fn restore(&mut self, saved: &SavedBreaker, now: Both) -> Option<super::answer::Change> {
        let change = self.enter(saved.state, "restored", now.mono);
        self.failures = saved.failures;
        self.reopened = saved.reopened;
        self.successes = saved.successes;
        self.by_hand = saved.by_hand;
        self.opened_at = saved.opened_at.map_or(now.mono, |at| now.mono(at)).min(now.mono);
        self.open_until = match (saved.opened_at, saved.open_until) {
            (Some(from), Some(to)) => {
                let longest = seconds(to - from);
                now.mono(to).min(now.mono.after(longest))
            }
            (_, Some(to)) => now.mono(to).min(now.mono.after(self.config.timeout)),
            (_, None) => Moment::NEVER,
        };
        if let Some(samples) = &mut self.samples {
            samples.clear();
            let timed = samples.is_timed();
            let entries = saved.calls.iter().filter(|calls| calls.at.is_some() == timed).map(|calls| Aged {
                // By the wall: the clock may be younger than they are.
                age: calls.at.map_or(0, |at| nanos(now.age(at))),
                tally: Tally {
                    calls: calls.calls,
                    failures: calls.failures.min(calls.calls),
                    slow: calls.slow.min(calls.calls),
                },
            });
            samples.refill(entries.collect(), now.mono);
        }
        change
    }
}

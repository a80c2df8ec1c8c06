//! What a limiter decides by: the ring, or what is chosen instead of it, with a clock of the house.

use super::buckets::{self, Buckets};
use super::gcra::{self, Gcra};
use super::ring::{Outcome, Ring, Time};
use crate::clock::{COARSE_TICK, ClockHandle, nanos};
use std::time::Duration;

/// The largest limit that is kept permit by permit: eight bytes each.
pub(super) const MOST_EXACT: u32 = 1 << 20;

/// The numbers of a limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) limit: u32,
    pub(crate) window: Duration,
    /// Permits at once, in the mode that counts by a mean rate.
    pub(super) burst: Option<u32>,
    /// By the clock's cheap reading, in a window that is longer by what it may lag behind.
    pub(super) coarse: bool,
}

impl Rule {
    /// At most `limit` permits in any `window`.
    pub(crate) const fn exact(limit: u32, window: Duration) -> Self {
        Self { limit, window, burst: None, coarse: false }
    }

    const fn lag(&self) -> u64 {
        if self.coarse { nanos(COARSE_TICK) } else { 0 }
    }

    /// The window in nanoseconds, as it is counted.
    const fn counted(&self, window: Duration) -> u64 {
        nanos(window).saturating_add(self.lag())
    }

    /// Can a limiter that was made with these numbers go by others? If not, why. (Whether they are any good is another question.)
    pub(crate) fn can_become(&self, limit: u32, window: Duration) -> Result<(), String> {
        match self.burst {
            Some(burst) => gcra::check(limit, self.counted(window), burst),
            None if self.limit > MOST_EXACT => {
                buckets::check((self.limit, self.counted(self.window)), limit, self.counted(window))
            }
            None if limit > MOST_EXACT => Err(format!(
                "a limit of {limit} is counted in another way than one up to {MOST_EXACT}, which this limiter was made with; \
                 make a new limiter"
            )),
            None => Ok(()),
        }
    }

    /// The numbers of a declaration, checked when it is compiled.
    pub(super) const fn declared(limit: u32, window: Duration, burst: Option<u32>) -> Self {
        assert!(limit > 0, "a rate limit of 0 would refuse everything; the smallest is 1");
        assert!(limit <= MOST_EXACT, "the largest rate limit is 1,048,576 permits in a window");
        assert!(!window.is_zero(), "a rate limit needs a window longer than nothing");
        if let Some(burst) = burst {
            assert!(burst > 0, "a burst of 0 permits would refuse everything; the smallest is 1");
            assert!(limit as u128 <= window.as_nanos(), "with `gcra` permits are at least a nanosecond apart");
        }
        Self { burst, ..Self::exact(limit, window) }
    }
}

/// A limit that any number of threads share.
#[derive(Debug)]
pub(crate) struct LimiterCell {
    engine: Engine,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "the largest is what nearly all are")]
enum Engine {
    Ring(Ring, Lag),
    Buckets(Buckets, Lag),
    Gcra(Gcra, Lag),
}

/// What the clock's readings may lag behind, in nanoseconds, if the cheap ones are taken. It stands in each variant, where it takes no
/// room: there may be a limiter for each of many keys.
type Lag = u64;

impl LimiterCell {
    pub(crate) const fn new(rule: Rule) -> Self {
        let (lag, window) = (rule.lag(), rule.counted(rule.window));
        let engine = match rule.burst {
            Some(burst) => Engine::Gcra(Gcra::new(rule.limit, window, burst), lag),
            None if rule.limit <= MOST_EXACT => Engine::Ring(Ring::new(rule.limit, window), lag),
            None => Engine::Buckets(Buckets::new(rule.limit, window), lag),
        };
        Self { engine }
    }

    const fn lag(&self) -> u64 {
        match &self.engine {
            Engine::Ring(_, lag) | Engine::Buckets(_, lag) | Engine::Gcra(_, lag) => *lag,
        }
    }

    /// Takes one permit, if nothing is in the way; otherwise nothing has happened.
    #[inline(always)]
    pub(crate) fn try_one(&self, clock: &ClockHandle) -> bool {
        match &self.engine {
            Engine::Ring(ring, _) => ring.try_one(|| self.read(clock)),
            _ => false,
        }
    }

    /// Takes `permits`, all or none, to be used at most `patience` nanoseconds later. While others are being `refused`, a cheap
    /// look at the clock comes first: for most that is enough.
    #[inline]
    pub(crate) fn acquire(&self, permits: u32, patience: u64, clock: &ClockHandle, refused: bool) -> Outcome {
        match &self.engine {
            Engine::Ring(ring, 0) => ring.acquire(permits, patience, OfHouse { clock, refused }),
            other => other.acquire(permits, patience, clock, self.lag()),
        }
    }

    /// The permits of the limit that are taken now.
    pub(crate) fn used(&self, clock: &ClockHandle) -> u32 {
        let clock = || self.read(clock);
        match &self.engine {
            Engine::Ring(ring, _) => ring.used(&clock),
            Engine::Buckets(buckets, _) => buckets.used(&clock),
            Engine::Gcra(gcra, _) => gcra.used(clock()),
        }
    }

    /// How long until a permit can be had; zero when there is one now.
    pub(crate) fn wait(&self, clock: &ClockHandle) -> Duration {
        let clock = || self.read(clock);
        let wait = match &self.engine {
            Engine::Ring(ring, _) => ring.wait(1, &clock),
            Engine::Buckets(buckets, _) => buckets.wait(&clock),
            Engine::Gcra(gcra, _) => gcra.wait(clock()),
        };
        wait.map_or(Duration::MAX, Duration::from_nanos)
    }

    /// The limit and the window.
    pub(crate) fn limit(&self) -> (u32, Duration) {
        let (limit, window) = self.numbers();
        (limit, Duration::from_nanos(if window == u64::MAX { window } else { window - self.lag() }))
    }

    /// As they are counted.
    fn numbers(&self) -> (u32, u64) {
        match &self.engine {
            Engine::Ring(ring, _) => (ring.limit(), ring.window()),
            Engine::Buckets(buckets, _) => buckets.limit(),
            Engine::Gcra(gcra, _) => gcra.limit(),
        }
    }

    /// Are these the numbers?
    pub(super) fn goes_by(&self, limit: u32, window: Duration) -> bool {
        self.numbers() == (limit, nanos(window).saturating_add(self.lag()))
    }

    /// Other numbers from now on, which [it can go by](Rule::can_become).
    pub(crate) fn reconfigure(&self, limit: u32, window: Duration, clock: &ClockHandle) {
        let (window, clock) = (nanos(window).saturating_add(self.lag()), || self.read(clock));
        match &self.engine {
            Engine::Ring(ring, _) => ring.reconfigure(limit, window, &clock),
            Engine::Buckets(buckets, _) => buckets.reconfigure(limit, &clock),
            Engine::Gcra(gcra, _) => gcra.reconfigure(limit, window),
        }
    }

    /// As if no permit had been given.
    pub(crate) fn reset(&self, clock: &ClockHandle) {
        let clock = || self.read(clock);
        match &self.engine {
            Engine::Ring(ring, _) => ring.reset(&clock),
            Engine::Buckets(buckets, _) => buckets.reset(&clock),
            Engine::Gcra(gcra, _) => gcra.reset(),
        }
    }

    #[inline(always)]
    fn read(&self, clock: &ClockHandle) -> u64 {
        if self.lag() == 0 { clock.now().as_nanos() } else { clock.coarse().as_nanos() }
    }

    /// Does nothing count, so that a fresh one would decide the same?
    pub(super) fn is_idle(&self, now: u64) -> bool {
        match &self.engine {
            Engine::Ring(ring, _) => ring.is_idle(now),
            Engine::Buckets(buckets, _) => buckets.is_idle(now),
            Engine::Gcra(gcra, _) => gcra.is_idle(now),
        }
    }
}

struct OfHouse<'a> {
    clock: &'a ClockHandle,
    refused: bool,
}

impl Time for OfHouse<'_> {
    #[inline(always)]
    fn now(&self) -> u64 {
        self.clock.now().as_nanos()
    }

    #[inline(always)]
    fn glance(&self) -> Option<u64> {
        (self.refused && self.clock.is_system()).then(|| self.clock.coarse().as_nanos())
    }
}

impl Engine {
    #[inline]
    fn acquire(&self, permits: u32, patience: u64, clock: &ClockHandle, lag: u64) -> Outcome {
        let read = || if lag == 0 { clock.now().as_nanos() } else { clock.coarse().as_nanos() };
        let outcome = match self {
            Self::Ring(ring, _) => ring.acquire(permits, patience, read),
            Self::Buckets(buckets, _) => buckets.acquire(permits, patience, read),
            Self::Gcra(gcra, _) => gcra.acquire(permits, patience, read()),
        };
        match outcome {
            // By then the clock will show it.
            Outcome::Refused { reading, wait: Some(wait) } if clock.is_system() => {
                Outcome::Refused { reading, wait: Some(wait.saturating_add(lag)) }
            }
            other => other,
        }
    }
}

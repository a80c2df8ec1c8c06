//! What a limiter decides by: the ring, or what is chosen instead of it, with a clock of the house.

use super::buckets::{self, Buckets};
use super::gcra::{self, Gcra};
use super::ring::{Outcome, Ring, Straight, Time};
use crate::clock::{COARSE_TICK, ClockHandle, Moment, QUICK_ERROR, nanos};
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
    pub(super) source: Source,
}

/// Which reading of its clock a limiter goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// By the system's clock only.
    Quick,
    Exact,
    Coarse,
}

impl Source {
    /// That of a limiter with this clock.
    const fn of(self, clock: &ClockHandle) -> Self {
        match (self, clock) {
            (Self::Quick, ClockHandle::Custom(_)) => Self::Exact,
            _ => self,
        }
    }

    /// After a refusal of the quick reading, by whatever reading its wait is over then.
    #[inline(always)]
    pub(super) const fn settled(wait: u64) -> u64 {
        wait.saturating_add(Self::Quick.slack())
    }

    /// Two readings may differ by so many nanoseconds more or less than their times do. A window is counted as so much longer,
    /// that it is never shorter.
    const fn slack(self) -> u64 {
        match self {
            Self::Quick => 2 * nanos(QUICK_ERROR),
            Self::Exact => 0,
            Self::Coarse => nanos(COARSE_TICK),
        }
    }
}

impl Rule {
    /// At most `limit` permits in any `window`.
    pub(crate) const fn exact(limit: u32, window: Duration) -> Self {
        Self { limit, window, burst: None, source: Source::Quick }
    }

    /// Can a limiter that was made with these numbers go by others? If not, why. (Whether they are any good is another question.)
    pub(crate) fn can_become(&self, limit: u32, window: Duration) -> Result<(), String> {
        match self.burst {
            Some(burst) => gcra::check(limit, nanos(window), burst),
            None if self.limit > MOST_EXACT => buckets::check((self.limit, nanos(self.window)), limit, nanos(window)),
            None if limit > MOST_EXACT => Err(format!(
                "a limit of {limit} is counted in another way than one up to {MOST_EXACT}, which this limiter was made with; \
                 make a new limiter"
            )),
            None => Ok(()),
        }
    }

    /// What limiters with these numbers read of such a clock, in nanoseconds.
    pub(super) fn reading(&self, clock: &ClockHandle) -> u64 {
        OfHouse { clock, source: self.source.of(clock) }.now()
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
    /// By the quick reading, in a straight line where nothing is in the way: what nearly all are, so one look tells it.
    Quick(Ring),
    // The reading stands in each variant, where it takes no room: there may be a limiter for each of many keys.
    Ring(Ring, Source),
    Buckets(Buckets, Source),
    Gcra(Gcra, Source),
}

impl LimiterCell {
    /// One that is asked by [`acquire`](Self::acquire) only: of each permit there is more to be done.
    pub(super) const fn of_key(rule: Rule, clock: &ClockHandle) -> Self {
        Self::made(rule, clock, false)
    }

    pub(crate) const fn new(rule: Rule, clock: &ClockHandle) -> Self {
        Self::made(rule, clock, true)
    }

    const fn made(rule: Rule, clock: &ClockHandle, is_straight: bool) -> Self {
        let source = rule.source.of(clock);
        let window = nanos(rule.window).saturating_add(source.slack());
        let engine = match rule.burst {
            Some(burst) => Engine::Gcra(Gcra::new(rule.limit, window, burst), source),
            None if rule.limit > MOST_EXACT => Engine::Buckets(Buckets::new(rule.limit, window), source),
            None if is_straight && matches!(source, Source::Quick) => Engine::Quick(Ring::new(rule.limit, window)),
            None => Engine::Ring(Ring::new(rule.limit, window), source),
        };
        Self { engine }
    }

    const fn source(&self) -> Source {
        match &self.engine {
            Engine::Quick(_) => Source::Quick,
            Engine::Ring(_, source) | Engine::Buckets(_, source) | Engine::Gcra(_, source) => *source,
        }
    }

    /// Takes one permit or refuses it, if nothing is in the way; otherwise nothing has happened, and [`acquire`](Self::acquire) finds
    /// out.
    #[inline(always)]
    pub(crate) fn try_one(&self) -> Straight {
        match &self.engine {
            // It has the system's clock (`Source::of`).
            Engine::Quick(ring) => ring.try_one(|| ClockHandle::glance().map(Moment::as_nanos)),
            _ => Straight::Unsure,
        }
    }

    /// The permits given in its life; `None`: it does not count them.
    pub(super) fn given(&self) -> Option<u64> {
        match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => Some(ring.given()),
            Engine::Buckets(..) | Engine::Gcra(..) => None,
        }
    }

    pub(super) const fn counts_given(&self) -> bool {
        matches!(&self.engine, Engine::Quick(_) | Engine::Ring(..))
    }

    /// Takes `permits`, all or none, to be used at most `patience` nanoseconds later.
    #[inline]
    pub(crate) fn acquire(&self, permits: u32, patience: u64, clock: &ClockHandle) -> Outcome {
        let time = self.time(clock);
        let outcome = match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => ring.acquire(permits, patience, time),
            Engine::Buckets(buckets, _) => buckets.acquire(permits, patience, &time),
            Engine::Gcra(gcra, _) => gcra.acquire(permits, patience, time.now()),
        };
        match outcome {
            // By then whatever reading will show it.
            Outcome::Refused { reading, wait: Some(wait) } => {
                Outcome::Refused { reading, wait: Some(wait.saturating_add(time.jitter())) }
            }
            other => other,
        }
    }

    /// The permits of the limit that are taken now.
    pub(crate) fn used(&self, clock: &ClockHandle) -> u32 {
        let time = self.time(clock);
        match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => ring.used(&time),
            Engine::Buckets(buckets, _) => buckets.used(&time),
            Engine::Gcra(gcra, _) => gcra.used(time.now()),
        }
    }

    /// How long until a permit can be had; zero when there is one now.
    pub(crate) fn wait(&self, clock: &ClockHandle) -> Duration {
        let time = self.time(clock);
        let wait = match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => ring.wait(1, &time),
            Engine::Buckets(buckets, _) => buckets.wait(&time),
            Engine::Gcra(gcra, _) => gcra.wait(time.now()),
        };
        wait.map_or(Duration::MAX, Duration::from_nanos)
    }

    /// The limit and the window.
    pub(crate) fn limit(&self) -> (u32, Duration) {
        let (limit, window) = self.numbers();
        (limit, Duration::from_nanos(if window == u64::MAX { window } else { window - self.source().slack() }))
    }

    /// The window as it is counted, in nanoseconds.
    pub(super) fn window(&self) -> u64 {
        self.numbers().1
    }

    /// As they are counted.
    fn numbers(&self) -> (u32, u64) {
        match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => (ring.limit(), ring.window()),
            Engine::Buckets(buckets, _) => buckets.limit(),
            Engine::Gcra(gcra, _) => gcra.limit(),
        }
    }

    /// Are these the numbers?
    pub(super) fn goes_by(&self, limit: u32, window: Duration) -> bool {
        self.numbers() == (limit, nanos(window).saturating_add(self.source().slack()))
    }

    /// Other numbers from now on, which [it can go by](Rule::can_become).
    pub(crate) fn reconfigure(&self, limit: u32, window: Duration, clock: &ClockHandle) {
        let (window, time) = (nanos(window).saturating_add(self.source().slack()), self.time(clock));
        match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => ring.reconfigure(limit, window, &time),
            Engine::Buckets(buckets, _) => buckets.reconfigure(limit, &time),
            Engine::Gcra(gcra, _) => gcra.reconfigure(limit, window),
        }
    }

    /// As if no permit had been given.
    pub(crate) fn reset(&self, clock: &ClockHandle) {
        let time = self.time(clock);
        match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => ring.reset(&time),
            Engine::Buckets(buckets, _) => buckets.reset(&time),
            Engine::Gcra(gcra, _) => gcra.reset(),
        }
    }

    /// Does nothing count, so that a fresh one would decide the same?
    pub(super) fn is_idle(&self, now: u64) -> bool {
        match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => ring.is_idle(now),
            Engine::Buckets(buckets, _) => buckets.is_idle(now),
            Engine::Gcra(gcra, _) => gcra.is_idle(now),
        }
    }

    /// The permits that were taken at `now`, a [reading](Rule::reading) that may be a while old; `None`, if one is newer, is for later
    /// or is just being given. A look, which asks no clock.
    pub(super) fn taken(&self, now: u64) -> Option<u32> {
        match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => ring.taken(now),
            Engine::Buckets(buckets, _) => buckets.taken(now),
            Engine::Gcra(gcra, _) => gcra.taken(now),
        }
    }

    /// Can so many permits be had at once?
    pub(super) fn holds(&self, permits: u32) -> bool {
        permits
            <= match &self.engine {
                Engine::Quick(ring) | Engine::Ring(ring, _) => ring.limit(),
                Engine::Buckets(buckets, _) => buckets.most(),
                Engine::Gcra(gcra, _) => gcra.most(),
            }
    }

    /// Begins with so many permits taken at `now`, which it [holds](Self::holds). Asks no clock.
    pub(super) fn begin_with(&self, taken: u32, now: u64) {
        _ = match &self.engine {
            Engine::Quick(ring) | Engine::Ring(ring, _) => ring.acquire(taken, 0, || now),
            Engine::Buckets(buckets, _) => buckets.acquire(taken, 0, &|| now),
            Engine::Gcra(gcra, _) => gcra.acquire(taken, 0, now),
        };
    }

    #[inline(always)]
    const fn time<'a>(&self, clock: &'a ClockHandle) -> OfHouse<'a> {
        OfHouse { clock, source: self.source() }
    }
}

#[derive(Clone, Copy)]
struct OfHouse<'a> {
    clock: &'a ClockHandle,
    source: Source,
}

impl Time for OfHouse<'_> {
    #[inline(always)]
    fn now(&self) -> u64 {
        match self.source {
            // It has the system's clock (`Source::of`).
            Source::Quick => ClockHandle::System.quick(),
            Source::Exact => self.clock.now(),
            Source::Coarse => self.clock.coarse(),
        }
        .as_nanos()
    }

    #[inline(always)]
    fn jitter(&self) -> u64 {
        if self.clock.is_system() { self.source.slack() } else { 0 }
    }
}

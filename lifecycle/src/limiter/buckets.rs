//! Limits above 2^20: the ring gives permits by the block, of which it keeps up to 65,536; what is left of a block lasts until the
//! end of its tick, a 256th of the window.
//!
//! A block counts from the end of its tick, so at or after the use of all its permits, and for a window and a tick: never more than
//! the limit in any window, as exactly as the ring. What this gives away is a tick of every 257, and the rest of a block in each
//! tick (a 256th of the limit at most): less than a hundredth together, where the window is 256 us or longer. Shorter ones
//! have ticks of a microsecond.

use super::ring::{Outcome, Ring, Time};
use crate::sync::atomic::{AtomicU64, Ordering};

/// Blocks in a window, at most.
const BLOCKS: u32 = 1 << 16;
const TICKS: u64 = 256;
const SHORTEST_TICK: u64 = 1_000;

#[derive(Debug)]
pub(super) struct Buckets {
    /// Of blocks. Its clock shows the end of each tick.
    ring: Ring,
    /// Permits in a block.
    size: u32,
    /// `tick:44 | left:20`: what is left of the blocks taken in that tick.
    open: AtomicU64,
    /// Nanoseconds in a tick, the window and the limit as given.
    tick: AtomicU64,
    window: AtomicU64,
    limit: AtomicU64,
}

const LEFT: u64 = (1 << 20) - 1;

const fn tick(window: u64) -> u64 {
    let tick = window.div_ceil(TICKS);
    if tick < SHORTEST_TICK { SHORTEST_TICK } else { tick }
}

/// The window of the ring: whole ticks, and one more.
const fn period(window: u64) -> u64 {
    // It counts a nanosecond longer than the window: closed windows.
    let ticks = (window / tick(window)).saturating_add(2);
    ticks.saturating_mul(tick(window)).saturating_sub(1)
}

/// Permits in a block of a limiter that is made with that limit.
const fn size(limit: u32) -> u32 {
    limit.div_ceil(BLOCKS)
}

/// Why a limiter made with such a limit and window cannot have others, if so: it must be within what its blocks allow, by the same
/// window.
pub(super) fn check(made: (u32, u64), limit: u32, window: u64) -> Result<(), String> {
    let size = size(made.0);
    let most = u64::from(size) * (1 << 20);
    if window != made.1 {
        return Err(
            "the window of a limiter of more than 1048576 permits cannot be changed; make a new limiter".to_owned()
        );
    }
    if limit < size || u64::from(limit) > most {
        return Err(format!("this limiter counts {size} permits at a time: its limit can be {size} to {most}"));
    }
    Ok(())
}

/// The ends of ticks.
struct Ends<'a> {
    clock: &'a dyn Time,
    tick: u64,
}

impl Time for Ends<'_> {
    fn now(&self) -> u64 {
        Buckets::end(self.clock.now(), self.tick)
    }

    /// A reading that is a little early may be in the tick before.
    fn jitter(&self) -> u64 {
        if self.clock.jitter() == 0 { 0 } else { self.tick.max(self.clock.jitter()) }
    }
}

impl Buckets {
    pub(super) const fn new(limit: u32, window: u64) -> Self {
        let size = size(limit);
        Self {
            ring: Ring::new(limit / size, period(window)),
            size,
            open: AtomicU64::new(0),
            tick: AtomicU64::new(tick(window)),
            window: AtomicU64::new(window),
            limit: AtomicU64::new(limit as u64),
        }
    }

    /// The end of the tick.
    fn end(reading: u64, tick: u64) -> u64 {
        (reading / tick).saturating_add(1).saturating_mul(tick)
    }

    /// What is left of the tick's blocks, if that is enough.
    fn take_left(&self, permits: u32, at: u64) -> bool {
        let more = |open: u64| (open >> 20 == at && open & LEFT >= permits.into()).then(|| open - u64::from(permits));
        self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    /// Leaves the rest of a block for others in this tick; nothing in a later one.
    fn leave(&self, rest: u64, at: u64) {
        let more = |open: u64| {
            let left = if open >> 20 == at { open & LEFT } else { 0 };
            (open >> 20 <= at).then(|| at << 20 | (left + rest).min(LEFT))
        };
        _ = self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
    }

    /// As the ring's.
    pub(super) fn acquire(&self, permits: u32, patience: u64, clock: &dyn Time) -> Outcome {
        let (tick, reading) = (self.tick.load(Ordering::Acquire), clock.now());
        let at = (reading / tick) << 20 >> 20;
        if self.take_left(permits, at) {
            return Outcome::Given { reading, wait: 0 };
        }
        let end = Self::end(reading, tick);
        // The permits of a block given for later can be used from the beginning of its tick.
        let patience = patience.saturating_add(tick.saturating_sub(end - reading));
        let blocks = permits.div_ceil(self.size);
        match self.ring.acquire(blocks, patience, Ends { clock, tick }) {
            Outcome::Given { wait: 0, reading: end } => {
                let rest = u64::from(blocks) * u64::from(self.size) - u64::from(permits);
                // It may have become later meanwhile.
                let at = (end / tick).saturating_sub(1) << 20 >> 20;
                if rest > 0 {
                    self.leave(rest, at);
                }
                Outcome::Given { reading, wait: 0 }
            }
            Outcome::Given { wait, reading: end } => {
                Outcome::Given { reading, wait: (end - reading).saturating_add(wait).saturating_sub(tick) }
            }
            Outcome::Refused { wait, reading: end } => {
                let wait = wait.map(|wait| (end - reading).saturating_add(wait).saturating_sub(tick).max(1));
                Outcome::Refused { reading, wait }
            }
        }
    }

    pub(super) fn used(&self, clock: &dyn Time) -> u32 {
        let (tick, reading) = (self.tick.load(Ordering::Acquire), clock.now());
        let open = self.open.load(Ordering::Acquire);
        let left = if open >> 20 == (reading / tick) << 20 >> 20 { (open & LEFT) as u32 } else { 0 };
        (self.ring.used(&|| Self::end(reading, tick)) * self.size).saturating_sub(left)
    }

    /// As the ring's, by whole blocks.
    pub(super) fn taken(&self, now: u64) -> Option<u32> {
        let end = Self::end(now, self.tick.load(Ordering::Acquire));
        Some(self.ring.taken(end)? * self.size)
    }

    /// Permits that can be had at once.
    pub(super) fn most(&self) -> u32 {
        self.ring.limit() * self.size
    }

    pub(super) fn wait(&self, clock: &dyn Time) -> Option<u64> {
        let (tick, reading) = (self.tick.load(Ordering::Acquire), clock.now());
        let open = self.open.load(Ordering::Acquire);
        if open >> 20 == (reading / tick) << 20 >> 20 && open & LEFT > 0 {
            return Some(0);
        }
        let end = Self::end(reading, tick);
        let wait = self.ring.wait(1, &|| end)?;
        Some(if wait == 0 { 0 } else { (end - reading).saturating_add(wait).saturating_sub(tick).max(1) })
    }

    pub(super) fn limit(&self) -> (u32, u64) {
        (self.limit.load(Ordering::Relaxed) as u32, self.window.load(Ordering::Relaxed))
    }

    /// [`check`] comes first: blocks are as large, and a tick as long, as they were made.
    pub(super) fn reconfigure(&self, limit: u32, clock: &dyn Time) {
        let (tick, window) = (self.tick.load(Ordering::Acquire), self.window.load(Ordering::Relaxed));
        self.ring.reconfigure(limit / self.size, period(window), &Ends { clock, tick });
        self.limit.store(limit.into(), Ordering::Relaxed);
    }

    /// Who takes a block before this and leaves a rest of it after: that rest can be had beyond the limit (`RateLimiter::reset` says so).
    pub(super) fn reset(&self, clock: &dyn Time) {
        let tick = self.tick.load(Ordering::Acquire);
        self.ring.reset(&Ends { clock, tick });
        self.open.store(0, Ordering::Release);
    }

    pub(super) fn is_idle(&self, now: u64) -> bool {
        self.ring.is_idle(Self::end(now, self.tick.load(Ordering::Acquire)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn take(buckets: &Buckets, permits: u32, patience: u64, now: u64) -> Result<u64, Option<u64>> {
        match buckets.acquire(permits, patience, &|| now) {
            Outcome::Given { wait, .. } => Ok(wait),
            Outcome::Refused { wait, .. } => Err(wait),
        }
    }

    #[test]
    fn any_window_has_the_limit_at_most_and_nearly_all_of_it_is_given() {
        const LIMIT: u32 = 10_000_000;
        let buckets = Buckets::new(LIMIT, SECOND);
        // (time, permits); a greedy caller every 0.1 ms, by batches of a size that fits no block.
        let mut given: Vec<(u64, u64)> = Vec::new();
        let (mut total, mut in_window, mut oldest, mut most) = (0_u64, 0, 0, 0);
        for step in 0..40_000_u64 {
            let now = 7 + step * 100_000;
            let mut here = 0;
            while here < 50_000 && take(&buckets, 97, 0, now).is_ok() {
                here += 97;
            }
            given.push((now, here));
            (total, in_window) = (total + here, in_window + here);
            while now - given[oldest].0 > SECOND {
                in_window -= given[oldest].1;
                oldest += 1;
            }
            most = most.max(in_window);
        }
        assert!(most <= LIMIT.into(), "{most}");
        let expected = u64::from(LIMIT) * 4;
        assert!(total * 100 > expected * 98, "{total} of {expected}");
    }

    #[test]
    fn retries_succeed_when_it_says_and_waits_are_kept() {
        let buckets = Buckets::new(2 << 20, SECOND);
        assert_eq!(take(&buckets, 2 << 20, 0, 5), Ok(0));
        assert!(buckets.used(&|| 5) >= (2 << 20) - 64);
        let wait = take(&buckets, 1, 0, 5).unwrap_err().unwrap();
        assert!((SECOND..SECOND + SECOND / 100).contains(&wait), "{wait}");
        assert!(take(&buckets, 1, 0, 5 + wait - 1).is_err());
        assert_eq!(buckets.wait(&|| 5), Some(wait));
        assert_eq!(take(&buckets, 1, 2 * SECOND, 5), Ok(wait));
        assert_eq!(take(&buckets, 1, 0, 5 + wait), Ok(0));
        buckets.reset(&|| 5 + wait);
        assert!(take(&buckets, (2 << 20) - 64, 0, 5 + wait).is_ok());
        assert_eq!(take(&buckets, u32::MAX, u64::MAX, 5 + wait), Err(None));
    }

    #[test]
    fn the_ends_of_the_numbers() {
        let largest = Buckets::new(u32::MAX, u64::MAX);
        assert_eq!(take(&largest, u32::MAX - 131_072, 0, u64::MAX), Ok(0));
        _ = (take(&largest, u32::MAX, u64::MAX, 0), largest.used(&|| 0), largest.wait(&|| u64::MAX));
        let short = Buckets::new(u32::MAX, 1);
        assert_eq!(take(&short, 5, 0, 0), Ok(0));
        assert!(check((u32::MAX, u64::MAX), 1, u64::MAX).is_err());
        assert!(check((u32::MAX, 1), 1 << 22, 1).is_ok());
        short.reconfigure(1 << 22, &|| 0);
        assert_eq!(short.limit(), (1 << 22, 1));
    }
}

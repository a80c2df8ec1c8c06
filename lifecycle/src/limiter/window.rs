//! The exact sliding window, as arithmetic: no clock, no lock.
//!
//! The times of the newest `limit` permits stand in a ring, oldest first. A permit counts while its age is at most the
//! window (the *closed* window: a permit exactly that old still counts), so another one is possible exactly when the ring
//! has room or its oldest time has expired. Every decision is O(1); refusals change nothing.

use crate::clock::nanos;
use std::collections::VecDeque;
use std::time::Duration;

/// Times in nanoseconds of some clock; they never go back within the ring.
#[derive(Debug)]
pub(super) struct Window {
    limit: u32,
    window: u64,
    /// At most `limit` times, oldest first. Allocated by the first permits, as many as it takes.
    times: VecDeque<u64>,
}

impl Window {
    pub(super) const fn new(limit: u32, window: Duration) -> Self {
        Self { limit, window: nanos(window), times: VecDeque::new() }
    }

    pub(super) fn limit(&self) -> (u32, Duration) {
        (self.limit, Duration::from_nanos(self.window))
    }

    /// When the newest permit was given; zero when there is none.
    pub(super) fn newest(&self) -> u64 {
        self.times.back().copied().unwrap_or(0)
    }

    /// Gives `permits` permits at `now`, all or none; else the time after which they can be had, if ever.
    pub(super) fn try_acquire(&mut self, permits: u32, now: u64) -> Result<(), Option<u64>> {
        if permits > self.limit {
            return Err(None);
        }
        // A caller that read its clock before another was served is served at the other's time.
        let now = now.max(self.newest());
        let surplus = (self.times.len() + permits as usize).saturating_sub(self.limit as usize);
        // That many of the oldest have to go. They go in order, so the youngest of them decides.
        if let Some(&decisive) = surplus.checked_sub(1).and_then(|last| self.times.get(last)) {
            if !self.expired(decisive, now) {
                return Err(Some(self.wait(decisive, now)));
            }
        }
        self.times.drain(..surplus);
        self.times.extend(std::iter::repeat_n(now, permits as usize));
        Ok(())
    }

    /// The permits that count at `now`.
    pub(super) fn used(&self, now: u64) -> u32 {
        let gone = self.times.partition_point(|&time| self.expired(time, now));
        (self.times.len() - gone) as u32
    }

    /// How long until `permits` can be had, were nobody else to ask; `None`: never.
    pub(super) fn wait_for(&self, permits: u32, now: u64) -> Option<u64> {
        if permits > self.limit {
            return None;
        }
        let surplus = (self.times.len() + permits as usize).saturating_sub(self.limit as usize);
        let decisive = surplus.checked_sub(1).and_then(|last| self.times.get(last));
        Some(decisive.filter(|&&time| !self.expired(time, now)).map_or(0, |&time| self.wait(time, now)))
    }

    /// The clock went back to `now`: the newest permit counts as given now and the others keep their distances, so that
    /// nothing expires by the step and everything has expired a window later.
    pub(super) fn step_back(&mut self, now: u64) {
        let step = self.newest().saturating_sub(now);
        for time in &mut self.times {
            *time = time.saturating_sub(step);
        }
    }

    /// Another limit and window from now on. The newest permits go on counting.
    pub(super) fn reconfigure(&mut self, limit: u32, window: Duration) {
        // Those beyond a lower limit still count, should a higher one come back; the next permit drops them.
        (self.limit, self.window) = (limit, nanos(window));
    }

    pub(super) fn clear(&mut self) {
        self.times.clear();
    }

    fn expired(&self, time: u64, now: u64) -> bool {
        now.saturating_sub(time) > self.window
    }

    /// From `now` until `time` has expired: one nanosecond after it is a window old.
    fn wait(&self, time: u64, now: u64) -> u64 {
        time.saturating_add(self.window).saturating_add(1).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Obviously right and slow: keeps every permit ever given.
    struct Model {
        limit: usize,
        window: u64,
        given: Vec<u64>,
    }

    impl Model {
        fn counting(&self, now: u64) -> Vec<u64> {
            self.given.iter().copied().filter(|time| now - time <= self.window).collect()
        }

        fn try_acquire(&mut self, permits: usize, now: u64) -> Result<(), Option<u64>> {
            let counting = self.counting(now);
            if permits > self.limit {
                return Err(None);
            }
            if counting.len() + permits <= self.limit {
                self.given.extend(std::iter::repeat_n(now, permits));
                return Ok(());
            }
            let decisive = counting[counting.len() + permits - self.limit - 1];
            Err(Some(decisive + self.window + 1 - now))
        }
    }

    /// xorshift: the same numbers in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }
    }

    #[test]
    fn agrees_with_a_model_that_keeps_every_permit() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        for _ in 0..300 {
            let (limit, window) = (1 + numbers.below(9) as u32, 1 + numbers.below(40));
            let mut ring = Window::new(limit, Duration::from_nanos(window));
            let mut model = Model { limit: limit as usize, window, given: Vec::new() };
            let mut now = 0;
            for _ in 0..200 {
                now += numbers.below(window / 2 + 2);
                let permits = if numbers.below(3) == 0 { numbers.below(u64::from(limit) + 2) as u32 } else { 1 };
                let (wait, expected) = (ring.wait_for(permits, now), model.try_acquire(permits as usize, now));
                assert_eq!(ring.try_acquire(permits, now), expected);
                assert_eq!(wait, expected.map_or_else(|wait| wait, |()| Some(0)));
                assert_eq!(ring.used(now) as usize, model.counting(now).len());
            }
            let spans = model.given.windows(limit as usize + 1);
            assert!(
                spans.into_iter().all(|span| span[limit as usize] - span[0] > window),
                "more than {limit} in {window}"
            );
        }
    }

    #[test]
    fn a_permit_exactly_a_window_old_still_counts() {
        let mut ring = Window::new(1000, Duration::from_secs(1));
        (0..1000).for_each(|_| ring.try_acquire(1, 0).unwrap());
        assert_eq!(ring.try_acquire(1, SECOND), Err(Some(1)));
        assert_eq!(ring.try_acquire(1, SECOND + 1), Ok(()));
    }

    #[test]
    fn the_wait_it_names_is_exact_for_batches_too() {
        let mut ring = Window::new(3, Duration::from_nanos(100));
        (0..3).for_each(|at| ring.try_acquire(1, at * 10).unwrap());
        let wait = ring.try_acquire(2, 50).unwrap_err().unwrap();
        assert_eq!(ring.try_acquire(2, 50 + wait - 1), Err(Some(1)));
        assert_eq!(ring.try_acquire(2, 50 + wait), Ok(()));
        assert_eq!(ring.try_acquire(4, u64::MAX), Err(None), "more than the limit can never be had");
    }

    #[test]
    fn a_clock_that_went_back_locks_out_for_a_window_at_most() {
        let mut ring = Window::new(2, Duration::from_nanos(100));
        ring.try_acquire(1, 1_000).unwrap();
        ring.try_acquire(1, 1_060).unwrap();
        ring.step_back(500);
        assert_eq!(ring.try_acquire(1, 500), Err(Some(41)), "distances are kept: the older one is 60 old");
        assert_eq!(ring.try_acquire(1, 541), Ok(()));
        ring.step_back(0);
        assert_eq!(ring.used(0), 2);
        assert_eq!(ring.try_acquire(2, 101), Ok(()));
    }

    #[test]
    fn endless_windows_and_the_end_of_time_do_not_overflow() {
        let mut ring = Window::new(1, Duration::MAX);
        ring.try_acquire(1, u64::MAX).unwrap();
        assert_eq!(ring.try_acquire(1, u64::MAX), Err(Some(0)));
        ring.step_back(0);
        assert_eq!(ring.try_acquire(1, u64::MAX), Err(Some(0)));
    }

    #[test]
    fn a_lower_limit_holds_at_once_and_a_higher_one_adds_room() {
        let mut ring = Window::new(3, Duration::from_nanos(100));
        (0..3).for_each(|at| ring.try_acquire(1, at * 10).unwrap());
        ring.reconfigure(2, Duration::from_nanos(100));
        assert_eq!(ring.try_acquire(1, 105), Err(Some(6)));
        assert_eq!(ring.try_acquire(1, 111), Ok(()));
        ring.reconfigure(4, Duration::from_nanos(100));
        assert_eq!(ring.try_acquire(2, 111), Ok(()));
        assert_eq!(ring.used(111), 4);
    }
}

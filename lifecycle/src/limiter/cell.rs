//! The window shared by threads: the ring behind a mutex, and the episode of refusals that telemetry tells of.

use super::window::Window;
use crate::clock::ClockHandle;
use crate::sync::Mutex;
use std::time::Duration;

/// What an acquisition came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Given. When it ends an episode of refusals, how many of them followed the first.
    Given {
        /// Refusals after the first, in the episode that is over.
        recovered: Option<u64>,
    },
    /// Refused: nothing was taken.
    Refused {
        /// After this a retry can succeed; `None`: never, more was asked for than a window holds.
        retry_after: Option<Duration>,
        /// It begins an episode of refusals.
        first: bool,
    },
}

/// A window that any number of threads share.
#[derive(Debug)]
pub(crate) struct WindowCell(Mutex<Shared>);

#[derive(Debug)]
struct Shared {
    window: Window,
    /// Refusals in the present episode, and when the last of them was.
    refused: u64,
    refused_at: u64,
}

impl WindowCell {
    const_unless_loom! {
        pub(crate) fn new(limit: u32, window: Duration) -> Self {
            Self(Mutex::new(Shared { window: Window::new(limit, window), refused: 0, refused_at: 0 }))
        }
    }

    /// Takes `permits`, all or none.
    ///
    /// The clock may be the user's, so it is read without the lock. A reading older than the newest permit then means one of
    /// two things: another thread was served in between (decide at its time), or the clock went back. A second reading, made
    /// after that permit was seen, tells them apart.
    pub(crate) fn try_acquire(&self, permits: u32, clock: &ClockHandle) -> Decision {
        let mut now = clock.now().as_nanos();
        let mut shared = self.0.lock();
        let seen = shared.window.newest();
        if now < seen {
            drop(shared);
            now = clock.now().as_nanos();
            shared = self.0.lock();
            if now < seen {
                shared.window.step_back(now);
                shared.refused_at = shared.refused_at.min(now);
            }
        }
        shared.decide(permits, now)
    }

    /// The permits that count now.
    pub(crate) fn used(&self, clock: &ClockHandle) -> u32 {
        let now = clock.now().as_nanos();
        self.0.lock().window.used(now)
    }

    /// How long until a permit can be had; zero when there is one now.
    pub(crate) fn wait(&self, clock: &ClockHandle) -> Duration {
        let now = clock.now().as_nanos();
        self.0.lock().window.wait_for(1, now).map_or(Duration::MAX, Duration::from_nanos)
    }

    pub(crate) fn limit(&self) -> (u32, Duration) {
        self.0.lock().window.limit()
    }

    pub(crate) fn reconfigure(&self, limit: u32, window: Duration) {
        self.0.lock().window.reconfigure(limit, window);
    }

    /// Empties the window and ends the episode, silently.
    pub(crate) fn reset(&self) {
        let mut shared = self.0.lock();
        shared.window.clear();
        shared.refused = 0;
    }
}

impl Shared {
    fn decide(&mut self, permits: u32, now: u64) -> Decision {
        match self.window.try_acquire(permits, now) {
            Ok(()) => Decision::Given { recovered: self.end_of_episode(now) },
            Err(wait) => {
                let first = self.refused == 0;
                self.refused = self.refused.saturating_add(1);
                self.refused_at = self.refused_at.max(now);
                Decision::Refused { retry_after: wait.map(Duration::from_nanos), first }
            }
        }
    }

    /// An episode is over with the first permit after a window without refusals. Ending it with the first permit at all
    /// would, under steady overload, make every permit an event.
    fn end_of_episode(&mut self, now: u64) -> Option<u64> {
        if self.refused == 0 {
            return None;
        }
        let (_, window) = self.window.limit();
        let quiet = Duration::from_nanos(now.saturating_sub(self.refused_at)) > window;
        quiet.then(|| std::mem::take(&mut self.refused) - 1)
    }
}

//! A core's limit on its by-name operations.

use crate::clock::ClockHandle;
use crate::error::Error;
use crate::limiter::{LimiterCell, Outcome, Rule};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Operations a window allows, unless set otherwise.
const LIMIT: u32 = 1000;
const WINDOW: Duration = Duration::from_millis(1000);

/// Charges one permit an operation, and counts what it refuses.
#[derive(Debug)]
pub(crate) struct Gate {
    manager: &'static str,
    clock: ClockHandle,
    cell: LimiterCell,
    /// Switched off by `set_rate_limit(None)`.
    unlimited: AtomicBool,
    rejected: AtomicU64,
}

impl Gate {
    const_unless_loom! {
        /// The gate of a process-wide core.
        pub(crate) fn new(manager: &'static str) -> Self {
            Self::for_universe(manager, ClockHandle::System)
        }

        /// A gate on a clock of its own: a test world's, or an isolated core's.
        pub(crate) fn for_universe(manager: &'static str, clock: ClockHandle) -> Self {
            Self {
                manager,
                cell: LimiterCell::new(Rule::exact(LIMIT, WINDOW), &clock),
                clock,
                unlimited: AtomicBool::new(false),
                rejected: AtomicU64::new(0),
            }
        }
    }

    /// Of an isolated core, with a limit of its own; `None` is no limit.
    #[cfg(not(loom))]
    pub(crate) fn limited(
        manager: &'static str,
        clock: ClockHandle,
        limit: Option<(u32, Duration)>,
    ) -> Result<Self, Error> {
        let gate = Self::for_universe(manager, clock);
        gate.set_rate_limit(limit)?;
        Ok(gate)
    }

    /// Pays for one operation.
    #[inline]
    pub(crate) fn charge(&self) -> Result<(), Error> {
        if self.unlimited.load(Ordering::Relaxed) { Ok(()) } else { self.charge_limited() }
    }

    fn charge_limited(&self) -> Result<(), Error> {
        let Outcome::Refused { wait, .. } = self.cell.acquire(1, 0, &self.clock) else {
            return Ok(());
        };
        self.rejected.fetch_add(1, Ordering::Relaxed);
        let (limit, window) = self.cell.limit();
        Err(Error::RateLimited {
            manager: self.manager,
            limit,
            window,
            retry_after: wait.map_or(Duration::MAX, Duration::from_nanos),
        })
    }

    /// Empties the window and forgets the refusals.
    pub(crate) fn reset(&self) {
        self.cell.reset(&self.clock);
        self.rejected.store(0, Ordering::Relaxed);
    }

    /// The clock may read anything now: the window is empty.
    #[cfg(not(loom))]
    pub(crate) fn restored(&self) {
        self.cell.reset(&self.clock);
    }

    /// Operations refused since the last reset.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// (Operations in the window that ends now, how many it allows, the window).
    pub(crate) fn usage(&self) -> (u32, u32, Duration) {
        let (limit, window) = self.cell.limit();
        (self.cell.used(&self.clock), limit, window)
    }

    /// Sets the limit and the window; `None` takes the limit away. What the present window has admitted still counts.
    pub(crate) fn set_rate_limit(&self, limit: Option<(u32, Duration)>) -> Result<(), Error> {
        if let Some((limit, window)) = limit {
            crate::limiter::check_limit(self.manager, limit, window)?;
            let invalid = |reason| Error::InvalidConfig { name: self.manager.to_owned(), reason };
            Rule::exact(LIMIT, WINDOW).can_become(limit, window).map_err(invalid)?;
            self.cell.reconfigure(limit, window, &self.clock);
        }
        self.unlimited.store(limit.is_none(), Ordering::Relaxed);
        Ok(())
    }
}

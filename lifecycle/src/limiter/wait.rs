//! Waiting for a permit: it is taken at once, for the time at which it can be used, and then that time is waited for.
//!
//! So there is no queue: who asks first is first, and whoever would have to wait too long is told so at once. Tasks are woken by the
//! clock (`Clock::wake_at`): by default from one thread that all such waits of the process share, since a runtime's own timer
//! cannot be named without depending on that runtime; a test's clock wakes by its own time.

use super::handle::RateLimiter;
use crate::clock::{Moment, nanos};
use crate::error::Rejected;
use crate::timer::{self, Limit};
use std::time::Duration;

impl RateLimiter {
    /// Takes one permit, and waits until it can be used, `max` at most; if it would be longer, it is refused at once.
    ///
    /// Waiters come in the order in which they were first polled, also before those who
    /// [do not wait](Self::try_acquire).
    ///
    /// **Dropping** the future while it waits does not give the permit back: others have been promised times after it. It counts as
    /// used at its time.
    ///
    /// It works in any runtime and in none: the wake-up comes from the limiter's [clock](crate::clock::Clock::wake_at), for the
    /// system's from a thread that is started with the first wait and shared by all.
    ///
    /// ```
    /// use lifecycle::{RateLimiter, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = Arc::new(ManualClock::new()); // by the system's the second is waited for
    /// let limiter = RateLimiter::per_second(1)?.with_clock(clock.clone());
    /// limiter.acquire_within(Duration::ZERO).await?; // there is one
    /// assert!(limiter.acquire_within(Duration::from_millis(500)).await.is_err()); // refused at once: it would be too late
    ///
    /// let (permit, ()) = tokio::join!(limiter.acquire_within(Duration::from_secs(5)), async {
    ///     clock.advance(Duration::from_millis(1001)); // a second passes while the other waits
    /// });
    /// assert!(permit.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] as for [`try_acquire`](Self::try_acquire).
    pub async fn acquire_within(&self, max: Duration) -> Result<(), Rejected> {
        self.acquire_n_within(1, max).await
    }

    /// [`acquire_within`](Self::acquire_within) for several permits at once: all of them or none.
    ///
    /// ```
    /// use lifecycle::{RateLimiter, clock::ManualClock};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = Arc::new(ManualClock::new());
    /// let limiter = RateLimiter::per_second(10)?.with_clock(clock.clone());
    /// limiter.acquire_n_within(8, Duration::ZERO).await?;
    /// assert!(limiter.acquire_n_within(3, Duration::from_millis(500)).await.is_err()); // a second until then
    /// limiter.acquire_n_within(2, Duration::ZERO).await?; // the refusal took nothing
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] as for [`try_acquire_n`](Self::try_acquire_n).
    pub async fn acquire_n_within(&self, permits: u32, max: Duration) -> Result<(), Rejected> {
        let state = self.state();
        let (reading, wait) = self.reserve(&state, permits, nanos(max))?;
        if wait > 0 {
            let until = Moment::from_nanos(reading.saturating_add(wait));
            let mut limit = Box::new(Limit::at(until, &state.clock));
            timer::within(std::future::pending::<()>(), &state.clock, &mut limit).await;
        }
        Ok(())
    }

    /// [`acquire_within`](Self::acquire_within) for threads: blocks this one.
    ///
    /// ```
    /// use lifecycle::RateLimiter;
    /// use std::time::{Duration, Instant};
    ///
    /// let limiter = RateLimiter::new(1, Duration::from_millis(5))?;
    /// let start = Instant::now();
    /// limiter.acquire_blocking_within(Duration::from_secs(1))?;
    /// limiter.acquire_blocking_within(Duration::from_secs(1))?;
    /// assert!(start.elapsed() >= Duration::from_millis(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] as for [`try_acquire`](Self::try_acquire).
    pub fn acquire_blocking_within(&self, max: Duration) -> Result<(), Rejected> {
        self.acquire_n_blocking_within(1, max)
    }

    /// [`acquire_blocking_within`](Self::acquire_blocking_within) for several permits at once: all of them or none.
    ///
    /// ```
    /// use lifecycle::RateLimiter;
    /// use std::time::Duration;
    ///
    /// let limiter = RateLimiter::new(10, Duration::from_secs(3600))?;
    /// limiter.acquire_n_blocking_within(10, Duration::ZERO)?;
    /// assert!(limiter.acquire_n_blocking_within(1, Duration::from_secs(60)).is_err()); // at once: it would take an hour
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`] as for [`try_acquire_n`](Self::try_acquire_n).
    pub fn acquire_n_blocking_within(&self, permits: u32, max: Duration) -> Result<(), Rejected> {
        let state = self.state();
        let (reading, wait) = self.reserve(&state, permits, nanos(max))?;
        if wait > 0 {
            let until = Moment::from_nanos(reading.saturating_add(wait));
            timer::block_on_until(std::future::pending::<()>(), &state.clock, until);
        }
        Ok(())
    }
}

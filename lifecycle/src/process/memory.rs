//! What the process takes of its memory, and what is done when that becomes too much.

use super::hooks::run_pressure_hooks;
use crate::clock::{ClockHandle, unix_seconds};
use crate::scope::{Scoped, StateRef, Universe};
use crate::telemetry;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The variable in which AWS Lambda says how much memory a function has, in MiB.
const LAMBDA_LIMIT: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// From where on memory is short.
///
/// ```
/// use lifecycle::MemoryThreshold;
///
/// assert_eq!(MemoryThreshold::from(400 << 20), MemoryThreshold::Bytes(400 << 20));
/// assert_eq!(MemoryThreshold::from(0.8), MemoryThreshold::OfFunction(0.8));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum MemoryThreshold {
    /// More than so many bytes.
    Bytes(u64),
    /// More than this part, from 0 to 1, of what the AWS Lambda function has (`AWS_LAMBDA_FUNCTION_MEMORY_SIZE`). Where that is
    /// not set there is no threshold.
    OfFunction(f64),
}

impl From<u64> for MemoryThreshold {
    fn from(bytes: u64) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<f64> for MemoryThreshold {
    fn from(part: f64) -> Self {
        Self::OfFunction(part)
    }
}

impl MemoryThreshold {
    fn bytes(self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::OfFunction(part) if part.is_nan() => None,
            Self::OfFunction(part) => {
                let mib: u64 = std::env::var(LAMBDA_LIMIT).ok()?.trim().parse().ok()?;
                let all = mib.saturating_mul(1 << 20) as f64;
                // A float becomes the nearest whole number there is.
                Some((all * part.clamp(0.0, 1.0)) as u64)
            }
        }
    }
}

/// A look at the memory of the process; from [`on_memory_pressure`], and in [`snapshot`](crate::snapshot) the last one.
///
/// ```
/// let reading = lifecycle::on_memory_pressure(u64::MAX);
/// assert!(!reading.is_short());
/// # #[cfg(target_os = "linux")]
/// assert!(reading.resident.unwrap() > 0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryReading {
    /// When it was, in seconds since 1970.
    pub timestamp: f64,
    /// Resident memory in bytes, as the hooks found it; `None` where the system does not say (it does on Linux).
    pub resident: Option<u64>,
    /// The threshold in bytes, if there was one.
    pub threshold: Option<u64>,
    /// If it was exceeded: the bytes that the `pressure` hooks say they freed.
    pub freed: Option<u64>,
}

impl MemoryReading {
    /// Was there more than the threshold, so that hooks ran?
    ///
    /// ```
    /// assert!(!lifecycle::on_memory_pressure(u64::MAX).is_short());
    /// ```
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.freed.is_some()
    }
}

#[derive(Debug)]
struct State {
    last: Option<MemoryReading>,
    /// What tests say there is.
    stand_in: Option<Option<u64>>,
}

static MEMORY: Scoped<Mutex<State>> = Scoped::declared(Mutex::new(State { last: None, stand_in: None }));

fn in_force() -> StateRef<'static, Mutex<State>> {
    MEMORY.resolve(|_: &Universe| Mutex::new(State { last: None, stand_in: None }))
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks at the process's memory, and runs the `pressure` hooks ([`run_pressure_hooks`](crate::run_pressure_hooks)) if it takes
/// more than `threshold`: bytes as an integer, or as a float the part of what the AWS Lambda function has. Gives what it saw, which
/// [`snapshot`](crate::snapshot) shows as the last reading.
///
/// Nothing calls it but you, at the end of each invocation for example. A look takes some microseconds: it reads a file of the
/// system's.
///
/// ```
/// use lifecycle::singleton;
/// use std::sync::Mutex;
///
/// #[singleton(pressure = |cache: &Mutex<Vec<u8>>| std::mem::take(&mut *cache.lock().unwrap()).capacity())]
/// fn thumbnails() -> Mutex<Vec<u8>> {
///     Mutex::new(Vec::with_capacity(4096))
/// }
///
/// # #[cfg(target_os = "linux")] {
/// thumbnails();
/// let reading = lifecycle::on_memory_pressure(1); // more than one byte is too much
/// assert!(reading.freed.unwrap() >= 4096);
/// assert_eq!(thumbnails().lock().unwrap().capacity(), 0);
/// # }
/// ```
#[allow(clippy::must_use_candidate, reason = "done is done")]
pub fn on_memory_pressure(threshold: impl Into<MemoryThreshold>) -> MemoryReading {
    let state = in_force();
    let stand_in = lock(&state).stand_in;
    let resident = stand_in.unwrap_or_else(resident);
    let threshold = threshold.into().bytes();
    let is_short = resident.zip(threshold).is_some_and(|(resident, threshold)| resident > threshold);
    let freed = is_short.then(|| run_pressure_hooks() as u64);
    let reading = MemoryReading { timestamp: unix_seconds(ClockHandle::in_force().wall()), resident, threshold, freed };
    if let (Some(resident), Some(threshold), Some(freed)) = (resident, threshold, freed) {
        telemetry::memory_short(resident, threshold, freed);
    }
    lock(&state).last = Some(reading.clone());
    reading
}

/// The last reading.
pub(crate) fn last_reading() -> Option<MemoryReading> {
    lock(&in_force()).last.clone()
}

/// What the process is said to take, in this world.
#[cfg(feature = "testing")]
pub(crate) fn stand_in(resident: Option<u64>) {
    lock(&in_force()).stand_in = Some(resident);
}

/// Resident memory in bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    // Its second number is the resident pages.
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    // SAFETY: it takes a number and gives one; it touches no memory of ours.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    Some(pages.saturating_mul(u64::try_from(page).ok()?))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn resident() -> Option<u64> {
    None
}

//! The six states, and the word that holds one.

use serde::{Deserialize, Serialize};

/// Where a breaker stands.
///
/// ```
/// use lifecycle::{CircuitBreaker, State};
///
/// let breaker = CircuitBreaker::builder("db").build()?;
/// assert_eq!(breaker.state(), State::Closed);
/// assert_eq!(State::HalfOpen.as_str(), "half_open"); // as on the wire
/// # Ok::<(), lifecycle::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// Calls run; failures are counted.
    Closed,
    /// Calls are refused until the timeout is over; then the next call is a probe.
    Open,
    /// Probes are under way; their outcome decides.
    HalfOpen,
    /// Opened by hand: refused until reset, whatever the time.
    ForcedOpen,
    /// Switched off by hand: every call runs, nothing is recorded.
    Disabled,
    /// Watching only: every call runs and is recorded, none is refused.
    ObserveOnly,
}

impl State {
    /// The state's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::ObserveOnly => "observe_only",
        }
    }

    /// The state of a word's code. Codes come from [`Word::new`] alone; an unknown one would read as closed.
    const fn from_code(code: u64) -> Self {
        match code {
            1 => Self::Open,
            2 => Self::HalfOpen,
            3 => Self::ForcedOpen,
            4 => Self::Disabled,
            5 => Self::ObserveOnly,
            _ => Self::Closed,
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// State (4 bits), failures (32 bits) and generation (28 bits) in one word: what the lock-free paths work on.
///
/// The top bit says that the word alone does not decide: every state but closed has it, so has a closed breaker that looks at
/// more than failures in a row, one that has not been configured yet, and one whose machine is being changed. So the two
/// questions of the hot path are one comparison each: without that bit the breaker is closed, and without anything above the
/// generation it has no failures either.
///
/// The generation goes up with every change of state, so that a result is known to be late. It wraps after 2^28 changes; a
/// call would have to stay in flight through exactly that many to be taken for a current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) u64);

const GENERATION_BITS: u32 = 28;
pub(crate) const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;

impl Word {
    /// The bit that sends everybody to the lock.
    pub(crate) const LOCKED: u64 = 1 << 63;
    /// Closed, and not configured yet.
    pub(crate) const INITIAL: Self = Self(Self::LOCKED);

    pub(crate) const fn new(state: State, plain: bool, generation: u32, failures: u32) -> Self {
        let word =
            ((state as u64) << 60) | ((failures as u64) << GENERATION_BITS) | (generation & GENERATION_MASK) as u64;
        Self(if plain { word } else { word | Self::LOCKED })
    }

    /// Of a permit that was not given on the hot path: it keeps the generation only.
    #[inline(always)]
    pub(crate) const fn off_path(generation: u32) -> Self {
        Self(Self::LOCKED | generation as u64)
    }

    #[inline(always)]
    pub(crate) const fn state(self) -> State {
        State::from_code((self.0 >> 60) & 7)
    }

    /// Closed, and the word is all there is to it.
    #[inline(always)]
    pub(crate) const fn is_plain(self) -> bool {
        (self.0 as i64) >= 0
    }

    #[inline(always)]
    pub(crate) const fn is_plain_without_failures(self) -> bool {
        self.0 >> GENERATION_BITS == 0
    }

    /// Open, until its time is over.
    #[inline(always)]
    pub(crate) const fn is_open(self) -> bool {
        self.0 >> 60 == (Self::LOCKED >> 60) | State::Open as u64
    }

    #[inline(always)]
    pub(crate) const fn generation(self) -> u32 {
        self.0 as u32 & GENERATION_MASK
    }

    #[inline(always)]
    pub(crate) const fn failures(self) -> u32 {
        (self.0 >> GENERATION_BITS) as u32
    }

    /// The same state and generation with no failures.
    #[inline(always)]
    pub(crate) const fn without_failures(self) -> Self {
        Self(self.0 & !((u32::MAX as u64) << GENERATION_BITS))
    }

    /// The same with one failure more: not for a count that is at its end.
    #[inline(always)]
    pub(crate) const fn with_one_more(self) -> Self {
        Self(self.0.wrapping_add(1 << GENERATION_BITS))
    }
}

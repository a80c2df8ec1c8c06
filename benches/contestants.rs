//! Who is measured, and against whom.

use failsafe::CircuitBreaker as _;
use governor::clock::{DefaultClock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use lifecycle::{Flag, circuit_breaker, init_flag, rate_limit, singleton};
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One way to do the work.
#[derive(Debug, Clone, Copy)]
pub struct Contestant {
    /// Its row in the table.
    pub name: &'static str,
    /// The work, once. What it is given and what it gives only keeps the compiler from leaving work out.
    pub once: fn(&Peers, u64) -> u64,
    /// The work that many times: inlined into a loop of its own.
    pub often: fn(&Peers, u64),
}

/// Both forms of a contestant. The work is written out twice: called twice it might not be inlined.
macro_rules! contestant {
    ($name:literal, |$peers:pat_param, $number:pat_param| $work:expr) => {
        Contestant {
            name: $name,
            once: |$peers, $number| $work,
            often: |peers, times| crate::measure::repeat_inlined(|$peers, $number| $work, peers, times),
        }
    };
}

/// One kind of work, and who does it.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// What is done.
    pub operation: &'static str,
    /// What is subtracted.
    pub base: Base,
    /// `lifecycle` first, then whom it is compared with (ratio 1), then the others.
    pub contestants: &'static [Contestant],
    /// What each of them gives for a number, if that is known: see [`rehearse`].
    pub gives: Option<fn(u64) -> u64>,
    /// The instructions that `lifecycle` may take.
    pub budget: Option<Budget>,
}

/// What is none of a contestant's own cost.
#[derive(Debug, Clone, Copy)]
pub enum Base {
    /// The loop and the call of the contestant.
    Loop,
    /// These and the function that is guarded.
    Unguarded,
}

/// A number of instructions.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    /// That many more than the base.
    OverBase(u64),
    /// That many more than whom `lifecycle` is compared with.
    OverReference(u64),
}

/// The [`Base`]s, in its order.
static BASES: [Contestant; 2] =
    [contestant!("nothing", |_, number| number), contestant!("the call, unguarded", |_, number| outcome(work(number)))];

/// See [`groups`].
static GROUPS: &[Group] = &[
    Group {
        operation: "singleton read",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[singleton]`, counted", |_, _| address(Settings::instance())),
            contestant!("std `LazyLock`", |_, _| address(&SETTINGS_STD)),
            contestant!("once_cell `Lazy`", |_, _| address(&SETTINGS_ONCE_CELL)),
        ],
        gives: None,
        budget: Some(Budget::OverBase(13)),
    },
    Group {
        operation: "flag read",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[init_flag]`", |_, number| choice(USE_CACHE.get(), number)),
            contestant!("`AtomicBool`, relaxed load", |_, number| {
                choice(USE_CACHE_ATOMIC.load(Ordering::Relaxed), number)
            }),
        ],
        gives: Some(|number| number),
        budget: Some(Budget::OverReference(4)),
    },
    Group {
        operation: "closed breaker, call succeeds",
        base: Base::Unguarded,
        contestants: &[
            contestant!("**lifecycle** `#[circuit_breaker]`, counted", |_, number| outcome(guarded(number))),
            contestant!("failsafe, consecutive failures", |peers, number| {
                outcome(peers.failsafe.call(|| work(number)).map_err(of_failsafe))
            }),
            contestant!("recloser", |peers, number| {
                outcome(peers.recloser.call(|| work(number)).map_err(of_recloser))
            }),
        ],
        gives: Some(|number| number),
        budget: Some(Budget::OverBase(30)),
    },
    Group {
        operation: "limiter admits, 1000 in 5 us",
        base: Base::Unguarded,
        contestants: &[
            contestant!("**lifecycle** `#[rate_limit]`, exact, counted", |_, number| outcome(generous(number))),
            contestant!("governor, its default clock (quanta)", |peers, number| governed(&peers.generous, number)),
            contestant!("governor, `Instant` as clock", |peers, number| governed(&peers.generous_instant, number)),
        ],
        gives: Some(|number| number),
        budget: None,
    },
    Group {
        operation: "limiter refuses",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[rate_limit]`, exact, counted", |_, number| outcome(strict(number))),
            contestant!("governor, its default clock (quanta)", |peers, number| governed(&peers.strict, number)),
            contestant!("governor, `Instant` as clock", |peers, number| governed(&peers.strict_instant, number)),
        ],
        gives: Some(|_| REFUSED),
        budget: None,
    },
];

/// Everything that is measured. Behind a function: were the table public, so were in effect the statics it leads to, and they
/// would be loaded by way of a table of addresses, as nobody's own statics are.
#[inline(never)]
#[must_use]
pub fn groups() -> &'static [Group] {
    GROUPS
}

/// Makes sure that what is measured is what the table says: that breakers are closed, and limiters admit or refuse.
///
/// # Errors
/// The contestants of whom this is not so.
pub fn rehearse(peers: &Peers) -> Result<(), String> {
    let mut strays = Vec::new();
    for group in GROUPS {
        let Some(gives) = group.gives else { continue };
        for contestant in group.contestants {
            (contestant.often)(peers, crate::measure::WARM_UP);
            let strayed =
                (0..crate::measure::WARM_UP).filter(|number| (contestant.once)(peers, *number) != gives(*number));
            let strayed = strayed.count();
            if strayed > 0 {
                strays.push(format!("{}, {}: {strayed} times not", group.operation, contestant.name));
            }
        }
    }
    if strays.is_empty() { Ok(()) } else { Err(strays.join("; ")) }
}

/// Every function that is measured.
#[must_use]
pub fn all() -> Vec<Contestant> {
    BASES.iter().chain(GROUPS.iter().flat_map(|group| group.contestants)).copied().collect()
}

/// From what was measured, in the order of [`all`]: what each contestant of each group costs over the group's base.
#[must_use]
pub fn costs(measured: &[f64]) -> Vec<Vec<f64>> {
    let (bases, mut rest) = measured.split_at(BASES.len());
    let mut costs = Vec::new();
    for group in GROUPS {
        let (own, others) = rest.split_at(group.contestants.len());
        costs.push(own.iter().map(|value| value - bases[group.base as usize]).collect());
        rest = others;
    }
    costs
}

/// What the peers need at hand. They get it by reference, as a field of an application's state would be: in statics they would
/// pay for a `LazyLock` beside their own work.
#[derive(Debug)]
pub struct Peers {
    failsafe: failsafe::StateMachine<failsafe::failure_policy::ConsecutiveFailures<failsafe::backoff::Constant>, ()>,
    recloser: recloser::Recloser,
    generous: Direct<DefaultClock>,
    strict: Direct<DefaultClock>,
    generous_instant: Direct<MonotonicClock>,
    strict_instant: Direct<MonotonicClock>,
}

type Direct<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as governor::clock::Clock>::Instant>>;

impl Default for Peers {
    fn default() -> Self {
        // Were it never stored to, the compiler would be free to know its value.
        USE_CACHE_ATOMIC.store(black_box(true), Ordering::Relaxed);
        let policy =
            failsafe::failure_policy::consecutive_failures(5, failsafe::backoff::constant(Duration::from_secs(60)));
        let burst = const { NonZeroU32::new(1000).unwrap() };
        let each = Duration::from_nanos(5);
        let generous = Quota::with_period(each).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let strict = Quota::per_hour(NonZeroU32::MIN);
        Self {
            failsafe: failsafe::Config::new().failure_policy(policy).build(),
            recloser: recloser::Recloser::custom().build(),
            generous: RateLimiter::direct(generous),
            strict: RateLimiter::direct(strict),
            generous_instant: RateLimiter::direct_with_clock(generous, MonotonicClock),
            strict_instant: RateLimiter::direct_with_clock(strict, MonotonicClock),
        }
    }
}

// ---- The call that is guarded

/// Why a call gives no number.
#[derive(Debug)]
enum Failure {
    Refused,
    Broken,
}

impl From<lifecycle::Rejected> for Failure {
    fn from(_: lifecycle::Rejected) -> Self {
        Self::Refused
    }
}

/// Succeeds, which the compiler does not know. Not inlined, as what one guards is not.
#[inline(never)]
fn work(number: u64) -> Result<u64, Failure> {
    if black_box(number) == u64::MAX { Err(Failure::Broken) } else { Ok(number) }
}

const REFUSED: u64 = u64::MAX;

/// Keeps both outcomes apart, so that none is left out.
#[inline(always)]
fn outcome(result: Result<u64, Failure>) -> u64 {
    match result {
        Ok(number) => number,
        Err(Failure::Refused) => REFUSED,
        Err(Failure::Broken) => u64::MAX - 1,
    }
}

// ---- Singletons: the reference is handed out, not read through

#[singleton]
#[derive(Debug, Default)]
struct Settings {
    numbers: [u64; 4],
}

static SETTINGS_STD: LazyLock<Settings> = LazyLock::new(|| black_box(Settings::default()));
static SETTINGS_ONCE_CELL: once_cell::sync::Lazy<Settings> =
    once_cell::sync::Lazy::new(|| black_box(Settings::default()));

#[inline(always)]
fn address(settings: &'static Settings) -> u64 {
    settings.numbers.as_ptr().addr() as u64
}

// ---- Flags

#[init_flag(env = "LIFECYCLE_BENCHES_USE_CACHE")]
static USE_CACHE: Flag<bool> = true;

static USE_CACHE_ATOMIC: AtomicBool = AtomicBool::new(true);

#[inline(always)]
fn choice(flag: bool, number: u64) -> u64 {
    if flag { number } else { !number }
}

// ---- Guards. All are inlined into the loop; what they guard is not.

#[circuit_breaker]
#[inline(always)]
fn guarded(number: u64) -> Result<u64, Failure> {
    work(number)
}

#[inline(always)]
fn of_failsafe(error: failsafe::Error<Failure>) -> Failure {
    match error {
        failsafe::Error::Inner(inner) => inner,
        failsafe::Error::Rejected => Failure::Refused,
    }
}

#[inline(always)]
fn of_recloser(error: recloser::Error<Failure>) -> Failure {
    match error {
        recloser::Error::Inner(inner) => inner,
        recloser::Error::Rejected => Failure::Refused,
    }
}

/// Never refuses at the speed of this loop.
#[rate_limit("1000/5us")]
#[inline(always)]
fn generous(number: u64) -> Result<u64, Failure> {
    work(number)
}

/// Refuses nearly always.
#[rate_limit("1/h")]
#[inline(always)]
fn strict(number: u64) -> Result<u64, Failure> {
    work(number)
}

#[inline(always)]
fn governed<C: governor::clock::Clock>(limiter: &Direct<C>, number: u64) -> u64 {
    outcome(limiter.check().map_err(|_| Failure::Refused).and_then(|()| work(number)))
}

//! Circuit breakers. What they guard is [`work`], which is not inlined; the wrappers are.

use super::guards::{self, Failure, REFUSED, outcome, work};
use super::{Base, Budget, Contestant, Group, awaited, contestant, singletons};
use circuitbreaker_rs::BreakerError;
use failsafe::backoff::{Constant, constant};
use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures};
use failsafe::{CircuitBreaker as _, Config, Error as Failsafe, StateMachine};
use lifecycle::circuit_breaker;
use nobreak::CircuitError;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Duration;
use tower::{Service, service_fn, util::ServiceFn};
use tower_resilience_circuitbreaker::{
    CircuitBreaker as Tower, CircuitBreakerError, CircuitBreakerLayer, DefaultClassifier, SlidingWindowType,
};

pub(super) static GROUPS: &[Group] = &[
    Group {
        operation: "closed breaker, call succeeds",
        base: Base::Unguarded,
        contestants: &[
            contestant!("**lifecycle** `#[circuit_breaker]`, counted", |_, number| outcome(guarded(number))),
            contestant!("failsafe, consecutive failures", |peers, number| {
                outcome(peers.breakers.failsafe.call(|| work(number)).map_err(of_failsafe))
            }),
            contestant!("recloser, last 100 calls", |peers, number| {
                outcome(peers.breakers.recloser.call(|| work(number)).map_err(of_recloser))
            }),
            contestant!("nobreak", |peers, number| {
                outcome(peers.breakers.nobreak.call(|| work(number)).map_err(of_nobreak))
            }),
            contestant!("circuitbreaker-rs", |peers, number| {
                outcome(peers.breakers.rs.call(|| work(number)).map_err(of_rs))
            }),
        ],
        gives: Some(|number| number),
        budget: Some(Budget::OverBase(26)),
    },
    Group {
        operation: "closed breaker, call fails",
        base: Base::Unguarded,
        contestants: &[
            contestant!("**lifecycle** `#[circuit_breaker]`, counted", |_, number| outcome(patient(number))),
            contestant!("failsafe, consecutive failures", |peers, number| {
                outcome(peers.breakers.failsafe_patient.call(|| fails(number)).map_err(of_failsafe))
            }),
            contestant!("nobreak", |peers, number| {
                outcome(peers.breakers.nobreak_patient.call(|| fails(number)).map_err(of_nobreak))
            }),
        ],
        gives: Some(|_| BROKEN),
        budget: None,
    },
    Group {
        operation: "open breaker refuses",
        base: Base::Loop,
        contestants: &[
            contestant!("**lifecycle** `#[circuit_breaker]`, counted", |_, number| outcome(open(number))),
            contestant!("failsafe", |peers, number| {
                outcome(peers.breakers.failsafe_open.call(|| work(number)).map_err(of_failsafe))
            }),
            contestant!("nobreak", |peers, number| {
                outcome(peers.breakers.nobreak_open.call(|| work(number)).map_err(of_nobreak))
            }),
            contestant!("circuitbreaker-rs", |peers, number| {
                outcome(peers.breakers.rs_open.call(|| work(number)).map_err(of_rs))
            }),
        ],
        gives: Some(|_| REFUSED),
        budget: None,
    },
    Group {
        operation: "rate over the last 100 calls, call succeeds",
        base: Base::Unguarded,
        contestants: &[
            contestant!("**lifecycle** `failure_rate`, exact, counted", |_, number| outcome(by_count(number))),
            contestant!("recloser", |peers, number| {
                outcome(peers.breakers.recloser.call(|| work(number)).map_err(of_recloser))
            }),
            contestant!("tower-resilience, a clone a call", |peers, number| towered(
                &peers.breakers.tower_count,
                number
            )),
        ],
        gives: Some(|number| number),
        budget: None,
    },
    Group {
        operation: "rate over the last 10 s, call succeeds",
        base: Base::Unguarded,
        contestants: &[
            contestant!("**lifecycle** `failure_rate`, sliding, counted", |_, number| outcome(by_time(number))),
            contestant!("tower-resilience, a clone a call", |peers, number| towered(
                &peers.breakers.tower_time,
                number
            )),
        ],
        gives: None,
        budget: None,
    },
    Group {
        operation: "closed breaker, async call succeeds at once",
        base: Base::Unguarded,
        contestants: &[
            awaited!("**lifecycle** `#[circuit_breaker] async fn`, counted", guarded_async(black_box(7)) => wide),
            awaited!(
                "nobreak `call_async`",
                async { NOBREAK.call_async(|| unguarded_async(black_box(7))).await.map_err(|error| error.into_inner().unwrap_or(Wide(REFUSED))) } => wide
            ),
            awaited!("the async function, unguarded", unguarded_async(black_box(7)) => wide),
        ],
        gives: None,
        budget: None,
    },
];

static NOBREAK: LazyLock<nobreak::CircuitBreaker> = LazyLock::new(nobreak::breaker);

/// What the peers need at hand.
pub struct Breakers {
    failsafe: StateMachine<ConsecutiveFailures<Constant>, ()>,
    failsafe_patient: StateMachine<ConsecutiveFailures<Constant>, ()>,
    failsafe_open: StateMachine<ConsecutiveFailures<Constant>, ()>,
    recloser: recloser::Recloser,
    nobreak: nobreak::CircuitBreaker,
    nobreak_patient: nobreak::CircuitBreaker,
    nobreak_open: nobreak::CircuitBreaker,
    rs: circuitbreaker_rs::CircuitBreaker<circuitbreaker_rs::DefaultPolicy, Failure>,
    rs_open: circuitbreaker_rs::CircuitBreaker<circuitbreaker_rs::DefaultPolicy, Failure>,
    tower_count: Towered,
    tower_time: Towered,
}

type Towered = Tower<ServiceFn<fn(u64) -> Ready<Result<u64, Failure>>>, DefaultClassifier>;

impl std::fmt::Debug for Breakers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Breakers")
    }
}

impl Default for Breakers {
    fn default() -> Self {
        guards::prepare();
        const HOUR: Duration = Duration::from_secs(3600);
        let failsafe = |failures| {
            let policy = consecutive_failures(failures, constant(HOUR));
            Config::new().failure_policy(policy).build()
        };
        let nobreak = |failures| nobreak::builder().with_failure_threshold(failures).with_open_duration(HOUR).build();
        let rs = || {
            circuitbreaker_rs::CircuitBreaker::<circuitbreaker_rs::DefaultPolicy, Failure>::builder()
                .cooldown(HOUR)
                .build()
        };
        let tower = |window| {
            let layer = CircuitBreakerLayer::builder()
                .failure_rate_threshold(0.5)
                .sliding_window_type(window)
                .sliding_window_size(100)
                .sliding_window_duration(Duration::from_secs(10))
                .minimum_number_of_calls(10)
                .build();
            let inner: fn(u64) -> Ready<Result<u64, Failure>> = |number| ready(work(number));
            layer.expect("it is a good configuration").layer_fn(service_fn(inner))
        };
        let this = Self {
            failsafe: failsafe(5),
            failsafe_patient: failsafe(u32::MAX),
            failsafe_open: failsafe(1),
            recloser: recloser::Recloser::custom().build(),
            nobreak: nobreak(5),
            nobreak_patient: nobreak(usize::MAX),
            nobreak_open: nobreak(1),
            rs: rs(),
            rs_open: rs(),
            tower_count: tower(SlidingWindowType::CountBased),
            tower_time: tower(SlidingWindowType::TimeBased),
        };
        _ = this.failsafe_open.call(|| fails(0));
        _ = this.nobreak_open.call(|| fails(0));
        this.rs_open.force_open();
        this
    }
}

const BROKEN: u64 = u64::MAX - 1;

/// Fails, which the compiler does not know.
#[inline(never)]
fn fails(number: u64) -> Result<u64, Failure> {
    if black_box(number) == u64::MAX { Ok(number) } else { Err(Failure::Broken) }
}

#[circuit_breaker]
#[inline(always)]
fn guarded(number: u64) -> Result<u64, Failure> {
    work(number)
}

#[circuit_breaker(threshold = 4_294_967_295)]
#[inline(always)]
fn patient(number: u64) -> Result<u64, Failure> {
    fails(number)
}

#[circuit_breaker(threshold = 1, timeout = 3600)]
#[inline(always)]
fn open(number: u64) -> Result<u64, Failure> {
    fails(number)
}

#[circuit_breaker(failure_rate = 50, window = "100 calls")]
#[inline(always)]
fn by_count(number: u64) -> Result<u64, Failure> {
    work(number)
}

#[circuit_breaker(failure_rate = 50, window = "10s")]
#[inline(always)]
fn by_time(number: u64) -> Result<u64, Failure> {
    work(number)
}

/// An error of the size that errors have: with one of a byte, moving the result stalls more than everything else takes.
struct Wide(u64);

impl From<lifecycle::Rejected> for Wide {
    fn from(_: lifecycle::Rejected) -> Self {
        Self(REFUSED)
    }
}

#[circuit_breaker]
async fn guarded_async(number: u64) -> Result<u64, Wide> {
    unguarded_async(number).await
}

async fn unguarded_async(number: u64) -> Result<u64, Wide> {
    work(number).map_err(|_| Wide(BROKEN))
}

fn wide(result: Result<u64, Wide>) -> u64 {
    result.unwrap_or_else(|error| error.0)
}

#[inline(always)]
fn of_failsafe(error: Failsafe<Failure>) -> Failure {
    match error {
        Failsafe::Inner(inner) => inner,
        Failsafe::Rejected => Failure::Refused,
    }
}

#[inline(always)]
fn of_recloser(error: recloser::Error<Failure>) -> Failure {
    match error {
        recloser::Error::Inner(inner) => inner,
        recloser::Error::Rejected => Failure::Refused,
    }
}

#[inline(always)]
fn of_nobreak(error: CircuitError<Failure>) -> Failure {
    match error {
        CircuitError::Failed { error } => error,
        CircuitError::Open => Failure::Refused,
    }
}

#[inline(always)]
fn of_rs(error: BreakerError<Failure>) -> Failure {
    match error {
        BreakerError::Operation(inner) => inner,
        _ => Failure::Refused,
    }
}

/// As tower does for each request.
#[inline(always)]
fn towered(service: &Towered, number: u64) -> u64 {
    let mut service = service.clone();
    let answer = singletons::polled(service.call(number));
    outcome(answer.unwrap_or(Err(CircuitBreakerError::OpenCircuit)).map_err(|error| match error {
        CircuitBreakerError::Inner(inner) => inner,
        CircuitBreakerError::OpenCircuit => Failure::Refused,
    }))
}

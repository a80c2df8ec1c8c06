//! What a call says to its limiter: `permits`, `on_limit`, `mode`; and how it gets on with a breaker.
//!
//! Seen to fail with the limiter asked before the breaker: `an_open_breaker_spends_no_permits..` and `a_call_of_one_permit..`.

#![allow(
    clippy::iter_count,
    clippy::let_and_return,
    reason = "bodies that move their arguments, in the shapes people write"
)]

use lifecycle::testing::{advance, isolated};
use lifecycle::{CircuitBreaker, Context, RateLimiter, Rejected, RejectedKind, State, circuit_breaker, rate_limit};
use lifecycle_tests::{ByHand, ended, runtime, started, until};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// A permit that is exactly a window old still counts.
const LATER: Duration = Duration::from_nanos(1_000_000_001);

#[derive(Debug, thiserror::Error, PartialEq)]
enum Error {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error("down")]
    Down,
}

fn refusal<T>(result: Result<T, Error>) -> (RejectedKind, Option<Duration>) {
    match result {
        Err(Error::Refused(rejected)) => (rejected.kind, rejected.retry_after),
        _ => panic!("it was not refused"),
    }
}

fn used(name: &str) -> u32 {
    lifecycle::limiter(name).unwrap().usage().used
}

// ---- permits

#[derive(Debug)]
struct Batch {
    rows: Vec<u8>,
}

#[rate_limit("10/s", permits = u32::try_from(batch.rows.len()).unwrap_or(u32::MAX))]
fn store(batch: Batch) -> Result<usize, Error> {
    let Batch { rows } = batch;
    Ok(rows.into_iter().count())
}

fn batch(rows: usize) -> Batch {
    Batch { rows: vec![0; rows] }
}

#[test]
fn a_call_takes_the_permits_of_its_arguments_all_or_none() {
    isolated(|| {
        assert_eq!(store(batch(8)), Ok(8));
        assert_eq!(refusal(store(batch(3))), (RejectedKind::RateLimited, Some(LATER)));
        assert_eq!(store(batch(2)), Ok(2), "the refusal took nothing");
        assert_eq!(store(batch(0)), Ok(0), "none are always there");
        assert_eq!(used("store"), 10);
        advance(LATER);
        assert_eq!(refusal(store(batch(11))), (RejectedKind::RateLimited, None), "more than a window ever holds");
        assert_eq!((store(batch(10)), used("store")), (Ok(10), 10));
    });
}

#[rate_limit("10/s")]
static SHARED: RateLimiter;

static ASKED: AtomicUsize = AtomicUsize::new(0);

struct Client {
    limiter: Arc<RateLimiter>,
    cost: u32,
}

impl Client {
    fn cost(&mut self) -> u32 {
        ASKED.fetch_add(1, Ordering::SeqCst);
        self.cost += 1;
        self.cost
    }

    #[rate_limit(self.limiter, permits = self.cost())]
    fn grows(&mut self) -> Result<u32, Error> {
        self.cost += 10;
        Ok(self.cost)
    }

    #[rate_limit(SHARED, permits = 5, fallback = Self::instead)]
    async fn falls_back(&self, (_, name): (u8, &str)) -> Result<String, Error> {
        Ok(name.to_owned())
    }

    async fn instead(&self, (_, name): (u8, &str)) -> Result<String, Error> {
        Ok(format!("instead of {name}"))
    }
}

#[test]
fn the_expression_is_asked_once_and_may_change_what_it_sees() {
    isolated(|| {
        let limiter = Arc::new(RateLimiter::per_second(13).unwrap());
        let mut client = Client { limiter: limiter.clone(), cost: 0 };
        assert_eq!((client.grows(), limiter.usage().used), (Ok(11), 1));
        assert_eq!((client.grows(), limiter.usage().used), (Ok(22), 13));
        assert!(client.grows().is_err());
        assert_eq!(ASKED.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn a_shared_limiter_gives_each_function_its_own_number() {
    isolated(|| {
        let client = Client { limiter: Arc::new(RateLimiter::per_second(1).unwrap()), cost: 0 };
        let call = || ByHand::new(client.falls_back((1, "x"))).poll();
        assert_eq!(call(), Poll::Ready(Ok("x".to_owned())));
        assert_eq!((call(), used("shared")), (Poll::Ready(Ok("x".to_owned())), 10));
        assert_eq!(call(), Poll::Ready(Ok("instead of x".to_owned())));
    });
}

#[rate_limit("3/s", key = client, permits = cost)]
fn of_client(client: &str, cost: u32) -> Result<(), Error> {
    Ok(())
}

#[rate_limit(SHARED, permits = rows.len() as u32)]
fn builds(rows: Vec<u8>) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + Send>> {
    let boxed = Box::pin(async move { Ok(rows.len()) });
    boxed
}

#[test]
fn keyed_limiters_and_bodies_that_build_a_future_take_them_too() {
    isolated(|| {
        assert!(of_client("a", 3).is_ok() && of_client("b", 2).is_ok());
        assert!(of_client("a", 1).is_err() && of_client("b", 2).is_err() && of_client("b", 1).is_ok());
        let mut future = ByHand::new(builds(vec![0; 7]));
        assert_eq!(SHARED.usage().used, 0, "before the first poll nothing is decided");
        assert_eq!((future.poll(), SHARED.usage().used), (Poll::Ready(Ok(7)), 7));
    });
}

// ---- on_limit

const PATIENCE: Duration = Duration::from_nanos(2_000_000_002);

#[rate_limit("1/s", on_limit = wait(PATIENCE))]
async fn polite(number: u32) -> Result<u32, Error> {
    Ok(number)
}

#[test]
fn calls_wait_in_their_order_and_one_that_would_wait_too_long_is_refused_at_once() {
    isolated(|| {
        assert_eq!(ByHand::new(polite(0)).poll(), Poll::Ready(Ok(0)));
        let mut waiters = [1, 2].map(|number| ByHand::new(polite(number)));
        waiters.iter_mut().for_each(|waiter| assert!(waiter.poll().is_pending()));
        let Poll::Ready(refused) = ByHand::new(polite(3)).poll() else { panic!("it waits") };
        assert_eq!(refusal(refused), (RejectedKind::RateLimited, Some(LATER * 3)));
        for turn in 0..2 {
            advance(SECOND);
            assert!(waiters.iter_mut().all(|waiter| !waiter.is_woken()), "not a nanosecond early");
            advance(LATER - SECOND);
            assert!(waiters[turn].is_woken());
            assert_eq!(waiters[turn].poll(), Poll::Ready(Ok(turn as u32 + 1)));
        }
        let seen = lifecycle::limiter("polite").unwrap().observe();
        assert_eq!((seen.allowed, seen.limited), (3, 1));
    });
}

#[test]
fn a_call_that_is_given_up_while_it_waits_wastes_its_permit_and_no_other() {
    isolated(|| {
        assert!(ByHand::new(polite(0)).poll().is_ready());
        let (mut given_up, mut behind) = (ByHand::new(polite(1)), ByHand::new(polite(2)));
        assert!(given_up.poll().is_pending() && behind.poll().is_pending());
        drop(given_up);
        advance(LATER);
        assert!(behind.poll().is_pending(), "it keeps its time");
        advance(LATER);
        assert_eq!(behind.poll(), Poll::Ready(Ok(2)));
        advance(LATER);
        assert!(ByHand::new(polite(3)).poll().is_ready());
    });
}

#[rate_limit("4/s", permits = rows, on_limit = wait("1m"))]
fn blocking(rows: u32) -> Result<u32, Error> {
    Ok(rows)
}

#[test]
fn a_thread_waits_for_all_its_permits() {
    isolated(|| {
        assert_eq!(blocking(3), Ok(3));
        let context = Context::capture();
        let waiting = started(move || context.run(|| blocking(2)));
        // It is given its permits at once, for later.
        until(|| lifecycle::limiter("blocking").unwrap().observe().allowed == 5);
        advance(SECOND);
        assert!(waiting.recv_timeout(Duration::from_millis(2)).is_err(), "not a nanosecond early");
        advance(LATER - SECOND);
        assert_eq!(ended(&waiting), Ok(2));
        assert!(blocking(5).is_err(), "that would be never");
    });
}

#[circuit_breaker(threshold = 1, timeout = 60)]
static DOWNSTREAM: CircuitBreaker;

#[rate_limit("2/s")]
static BUDGET: RateLimiter;

#[rate_limit(BUDGET, permits = 2, on_limit = wait("10s"))]
#[circuit_breaker(DOWNSTREAM)]
async fn both(ok: bool) -> Result<(), Error> {
    if ok { Ok(()) } else { Err(Error::Down) }
}

#[circuit_breaker(DOWNSTREAM)]
#[rate_limit(BUDGET, permits = 2)]
fn both_at_once(ok: bool) -> Result<(), Error> {
    if ok { Ok(()) } else { Err(Error::Down) }
}

#[circuit_breaker(DOWNSTREAM)]
#[rate_limit(BUDGET, permits = 2, on_limit = wait("10s"))]
fn both_blocking() -> Result<(), Error> {
    Ok(())
}

#[test]
fn an_open_breaker_spends_no_permits_and_does_not_wait() {
    isolated(|| {
        assert_eq!(both_at_once(false), Err(Error::Down));
        assert_eq!(DOWNSTREAM.state(), State::Open);
        advance(LATER);
        let Poll::Ready(refused) = ByHand::new(both(true)).poll() else { panic!("it waits") };
        assert_eq!(refusal(refused).0, RejectedKind::Open);
        let context = Context::capture();
        let blocking = started(move || context.run(both_blocking));
        assert_eq!(refusal(ended(&blocking)).0, RejectedKind::Open);
        assert_eq!(refusal(both_at_once(true)).0, RejectedKind::Open);
        assert_eq!(BUDGET.usage().used, 0);
        DOWNSTREAM.reset();
        assert_eq!(both_at_once(true), Ok(()));
        assert_eq!(refusal(both_at_once(true)).0, RejectedKind::RateLimited);
        let context = Context::capture();
        let waiting = started(move || context.run(both_blocking));
        until(|| BUDGET.observe().allowed == 4 + 2);
        advance(LATER);
        assert_eq!(ended(&waiting), Ok(()));
        assert_eq!(DOWNSTREAM.metrics().statistics.failed_calls, 1, "refusals of the limiter are no failures");
    });
}

#[test]
fn a_breaker_that_opens_while_a_call_waits_refuses_it_when_its_time_has_come() {
    isolated(|| {
        assert_eq!(ByHand::new(both(true)).poll(), Poll::Ready(Ok(())));
        let (mut fails, mut behind) = (ByHand::new(both(false)), ByHand::new(both(true)));
        assert!(fails.poll().is_pending() && behind.poll().is_pending());
        assert_eq!(DOWNSTREAM.state(), State::Closed, "a call that waits is not under way");
        advance(LATER);
        assert_eq!(fails.poll(), Poll::Ready(Err(Error::Down)));
        advance(LATER);
        let Poll::Ready(refused) = behind.poll() else { panic!("it waits") };
        assert_eq!(refusal(refused).0, RejectedKind::Open);
    });
}

#[test]
fn a_call_that_waits_for_the_limiter_leaves_the_probe_to_others() {
    isolated(|| {
        assert_eq!(both_at_once(false), Err(Error::Down));
        advance(Duration::from_secs(60));
        BUDGET.try_acquire_n(2).unwrap();
        let mut waiting = ByHand::new(both(true));
        assert!(waiting.poll().is_pending());
        let probe = DOWNSTREAM.try_acquire().expect("nobody has it");
        // It asks the breaker when its permits can be used, and not before: then the probe is another's.
        advance(LATER);
        let Poll::Ready(refused) = waiting.poll() else { panic!("it waits") };
        assert_eq!(refusal(refused).0, RejectedKind::HalfOpenFull);
        probe.ignore();
        // One that is given up while it waits has never begun.
        advance(LATER);
        BUDGET.try_acquire_n(2).unwrap();
        let mut given_up = ByHand::new(both(true));
        assert!(given_up.poll().is_pending());
        drop(given_up);
        advance(LATER * 2);
        assert_eq!(ByHand::new(both(true)).poll(), Poll::Ready(Ok(())), "the probe, which nobody held");
        assert_eq!(DOWNSTREAM.state(), State::Closed);
        let seen = DOWNSTREAM.metrics().statistics;
        assert_eq!((seen.cancelled_calls, seen.failed_calls), (0, 1));
    });
}

#[circuit_breaker(DOWNSTREAM)]
#[rate_limit(BUDGET)]
fn both_by_one() -> Result<(), Error> {
    Ok(())
}

#[test]
fn a_call_of_one_permit_spends_none_at_an_open_breaker_either() {
    isolated(|| {
        DOWNSTREAM.force_open();
        assert_eq!(refusal(both_by_one()).0, RejectedKind::ForcedOpen);
        assert_eq!((BUDGET.usage().used, BUDGET.observe().limited), (0, 0));
    });
}

struct Patient;

trait HasPatience {
    const PATIENCE: Duration;
}

impl HasPatience for Patient {
    const PATIENCE: Duration = SECOND;
}

struct Generic<T>(T);

#[rate_limit("1/s", name = "patient block", on_limit = wait(T::PATIENCE))]
impl<T: HasPatience + Sync> Generic<T> {
    async fn of_the_block(&self) -> Result<u8, Error> {
        Ok(1)
    }

    #[rate_limit(include, on_limit = wait("1h"))]
    async fn more_patient(&self) -> Result<u8, Error> {
        Ok(2)
    }

    #[rate_limit(include, on_limit = reject)]
    async fn impatient(&self) -> Result<u8, Error> {
        Ok(3)
    }
}

#[test]
fn a_block_says_it_for_its_methods_and_a_method_for_itself() {
    isolated(|| {
        let service = Generic(Patient);
        assert!(ByHand::new(service.of_the_block()).poll().is_ready());
        assert!(ByHand::new(service.of_the_block()).poll().is_ready(), "a second is too short: refused");
        assert!(ByHand::new(service.impatient()).poll().is_ready());
        let mut patient = ByHand::new(service.more_patient());
        assert!(patient.poll().is_pending());
        advance(LATER);
        assert_eq!(patient.poll(), Poll::Ready(Ok(2)));
        assert_eq!(lifecycle::limiter("patient block").unwrap().observe().limited, 2);
    });
}

#[test]
fn waiting_calls_can_be_spawned() {
    fn spawned<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    runtime().block_on(async {
        let task = tokio::spawn(spawned(async {
            let service = Generic(Patient);
            (both(true).await, service.of_the_block().await, polite(1).await)
        }));
        let (both, of_the_block, polite) = task.await.unwrap();
        assert!(both.is_ok() && of_the_block.is_ok() && polite.is_ok());
    });
}

// ---- mode

const BURST: u32 = 3;

#[rate_limit("10/s", mode = gcra(burst = BURST))]
static EVEN: RateLimiter;

#[rate_limit(EVEN)]
fn evenly() -> Result<(), Error> {
    Ok(())
}

#[rate_limit("10/s", key = client, mode = gcra(burst = 2), on_limit = wait("100ms"))]
fn evenly_each(client: &str) -> Result<(), Error> {
    Ok(())
}

#[test]
fn a_burst_and_then_an_even_pace_in_each_world() {
    for _ in 0..2 {
        isolated(|| {
            assert_eq!((0..5).filter(|_| evenly().is_ok()).count(), 3);
            assert_eq!(refusal(evenly()).1, Some(Duration::from_millis(100)));
            advance(Duration::from_millis(100));
            assert!(evenly().is_ok() && evenly().is_err());
            assert_eq!(EVEN.usage().limit, 10);
        });
    }
}

#[test]
fn each_key_has_its_burst() {
    isolated(|| {
        assert!(["a", "a", "b", "b"].iter().all(|client| evenly_each(client).is_ok()));
        let context = Context::capture();
        let waiting = started(move || context.run(|| evenly_each("a")));
        until(|| lifecycle::limiter("evenly_each[a]").unwrap().observe().allowed == 3);
        assert_eq!(refusal(evenly_each("a")).1, Some(Duration::from_millis(200)));
        advance(Duration::from_millis(100));
        assert_eq!(ended(&waiting), Ok(()));
    });
}

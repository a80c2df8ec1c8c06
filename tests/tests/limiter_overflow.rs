//! Keys that found no room and get a limiter of their own later: at each moment another thread may be anywhere in it.

use lifecycle::clock::{Clock, ManualClock};
use lifecycle::{KeyedRateLimiter, RateLimiter};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, SystemTime};

const SECOND: Duration = Duration::from_secs(1);

/// A sixteenth of the window: so often a family without room looks for a key to give up.
const A_WHILE: Duration = Duration::from_nanos(62_500_001);

/// What happens elsewhere, at one of the points where this thread runs the user's code.
struct Elsewhere {
    /// Points that are left before it.
    left: usize,
    does: Box<dyn FnOnce()>,
}

thread_local! {
    static ELSEWHERE: RefCell<Option<Elsewhere>> = const { RefCell::new(None) };
}

/// Where the user's code runs: whatever another thread does may fall between what was before and what comes after.
fn point() {
    let due = ELSEWHERE.with_borrow_mut(|elsewhere| match elsewhere {
        Some(Elsewhere { left: 0, .. }) => elsewhere.take(),
        Some(other) => {
            other.left -= 1;
            None
        }
        None => None,
    });
    if let Some(due) = due {
        (due.does)();
    }
}

/// A key that is hashed, compared, copied and written by the user's code.
#[derive(Debug, Eq)]
struct Key(&'static str);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        point();
        self.0 == other.0
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        point();
        self.0.hash(state);
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        point();
        Self(self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        point();
        f.write_str(self.0)
    }
}

struct Watch(Arc<ManualClock>);

impl Clock for Watch {
    fn now_mono(&self) -> u64 {
        let now = self.0.now_mono();
        point();
        now
    }

    fn now_wall(&self) -> SystemTime {
        self.0.now_wall()
    }
}

type Clients = Arc<KeyedRateLimiter<Key>>;

/// What is begun elsewhere before there is room, and goes on while a key gets its own limiter: how many permits it is given then.
type Begins = fn(Clients) -> Box<dyn FnOnce() -> u32>;

fn one(clients: &Clients) -> u32 {
    u32::from(clients.of(&Key("second")).try_acquire().is_ok())
}

/// Has its limiter in its hands already.
fn holding(clients: Clients) -> Box<dyn FnOnce() -> u32> {
    let held = clients.of(&Key("second"));
    Box::new(move || u32::from(held.try_acquire().is_ok()))
}

/// Every point of the first call after there is room, with `elsewhere` done there. Gives how many points there were.
fn at_each_point(limit: u32, begins: Begins, moves: Duration) -> usize {
    for at in 0..1000 {
        let clock = Arc::new(ManualClock::new());
        let each = RateLimiter::builder("client").per_second(limit).clock(Arc::new(Watch(clock.clone())));
        let clients: Clients = Arc::new(KeyedRateLimiter::from_builder(each).unwrap().max_keys(1));
        clients.of(&Key("first")).try_acquire().unwrap();
        clock.advance(SECOND);
        assert_eq!(one(&clients), 1);
        assert_eq!(clients.of(&Key("second")).name(), "client[*]");
        let elsewhere = begins(clients.clone());
        clock.advance(A_WHILE);
        // From here on "first" counts no more.
        let given = Rc::new(Cell::new(1));
        let (theirs, time) = (given.clone(), clock.clone());
        let does = Box::new(move || {
            time.advance(moves);
            theirs.set(theirs.get() + elsewhere());
        });
        ELSEWHERE.set(Some(Elsewhere { left: at, does }));
        let here = one(&clients);
        let missed = ELSEWHERE.take().is_some();
        let all = given.get() + here + (0..=limit).map(|_| one(&clients)).sum::<u32>();
        assert_eq!(all, limit, "where the other came at point {at}");
        // And in the windows after it, whoever it shares with or not.
        clock.advance(SECOND - moves);
        let later = (0..=limit).map(|_| one(&clients)).sum::<u32>();
        assert!(later <= limit, "{later} of {limit} later, where the other came at point {at}");
        if missed {
            return at;
        }
    }
    panic!("there is no end of points");
}

#[test]
fn another_thread_may_take_permits_at_any_point_while_a_key_gets_its_own() {
    for moves in [Duration::ZERO, Duration::from_millis(5)] {
        let points = at_each_point(3, |clients| Box::new(move || one(&clients)), moves);
        assert!(points > 5, "hash, clock, copy, text: {points} points");
        at_each_point(2, |clients| Box::new(move || one(&clients) + one(&clients)), moves);
        at_each_point(3, holding, moves);
        // One that goes on, and one that comes anew.
        let both = |clients: Clients| -> Box<dyn FnOnce() -> u32> {
            let held = holding(clients.clone());
            Box::new(move || held() + one(&clients))
        };
        at_each_point(3, both, moves);
    }
}

#[test]
fn a_limiter_that_is_kept_is_as_exact() {
    let clock = Arc::new(ManualClock::new());
    let each = RateLimiter::builder("client").per_second(2).clock(clock.clone());
    let clients: KeyedRateLimiter = KeyedRateLimiter::from_builder(each).unwrap().max_keys(1);
    clients.try_acquire("first").unwrap();
    clock.advance(SECOND);
    let kept = clients.at("second");
    assert_eq!(kept.name(), "client[*]");
    clock.advance(A_WHILE);
    // There is room by now; but who keeps the shared one may be about to take a permit of it, as this one does.
    let asked = clients.at("second");
    let given = [&kept, &asked, &kept, &asked].into_iter().filter(|one| one.try_acquire().is_ok()).count();
    assert_eq!((given, asked.name()), (2, "client[*]"));
    drop((kept, asked));
    let own = clients.at("second");
    assert_eq!((own.name(), own.usage().used), ("client[second]", 2));
    // One that is its own is not given up while it is kept.
    clock.advance(SECOND * 9);
    assert_eq!(clients.at("third").name(), "client[*]");
    let weak = Arc::downgrade(&own);
    drop(own);
    clock.advance(A_WHILE);
    assert_eq!(clients.at("third").name(), "client[*]", "it may be taken up again");
    drop(weak);
    clock.advance(A_WHILE);
    assert_eq!(clients.at("third").name(), "client[third]");
}

#[test]
fn what_the_shared_one_gave_beyond_the_limit_of_a_key_is_not_forgotten() {
    let clock = Arc::new(ManualClock::new());
    let each = RateLimiter::builder("client").per_second(2).clock(clock.clone());
    let clients: KeyedRateLimiter = KeyedRateLimiter::from_builder(each).unwrap().max_keys(1);
    clients.try_acquire("first").unwrap();
    clock.advance(SECOND);
    clients.at("second").set_limit(5, SECOND).unwrap();
    clients.at("second").try_acquire_n(4).unwrap();
    clock.advance(A_WHILE);
    assert_eq!(clients.at("second").name(), "client[*]", "four are more than its own could count");
    clock.advance(SECOND);
    assert_eq!((clients.at("second").name(), clients.at("second").usage().used), ("client[second]", 0));
}

#[test]
fn a_burst_longer_than_the_limit_goes_with_its_key() {
    let clock = Arc::new(ManualClock::new());
    let each = RateLimiter::builder("client").per_second(10).gcra(30).clock(clock.clone());
    let clients: KeyedRateLimiter = KeyedRateLimiter::from_builder(each).unwrap().max_keys(1);
    clients.try_acquire("first").unwrap();
    clients.at("second").try_acquire_n(30).unwrap();
    clock.advance(A_WHILE * 2);
    let own = clients.at("second");
    assert_eq!(own.name(), "client[second]");
    assert_eq!((0..50).filter(|_| own.try_acquire().is_ok()).count(), 1, "one in a tenth of a second");
}

#[test]
fn a_limit_that_is_counted_in_blocks_goes_with_its_key() {
    const LIMIT: u32 = 2 << 20;
    let clock = Arc::new(ManualClock::new());
    let each = RateLimiter::builder("client").per_second(LIMIT).clock(clock.clone());
    let clients: KeyedRateLimiter = KeyedRateLimiter::from_builder(each).unwrap().max_keys(1);
    clients.try_acquire("first").unwrap();
    clock.advance(SECOND);
    clients.at("second").try_acquire_n(LIMIT / 2).unwrap();
    clock.advance(A_WHILE);
    let own = clients.at("second");
    assert_eq!(own.name(), "client[second]");
    assert!(own.try_acquire_n(LIMIT / 2 + 1).is_err());
    own.try_acquire_n(LIMIT / 2 - LIMIT / 100).unwrap();
}

/// Threads that find a key's limiter, stop for a while and take a permit of it, while there is room and is none, on a clock that
/// stands still but for between the rounds.
#[test]
fn threads_that_are_stopped_with_a_limiter_in_their_hands() {
    const THREADS: usize = 3;
    const ROUNDS: usize = 800;
    const KEYS: usize = 3;
    const LIMIT: u32 = 2;
    let clock = Arc::new(ManualClock::new());
    let each = RateLimiter::builder("client").per_second(LIMIT).clock(clock.clone());
    let clients: KeyedRateLimiter<usize> = KeyedRateLimiter::from_builder(each).unwrap().max_keys(1);
    let given: Vec<[AtomicU32; KEYS]> = (0..ROUNDS).map(|_| [const { AtomicU32::new(0) }; KEYS]).collect();
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (clock, clients, given, barrier) = (&clock, &clients, &given, &barrier);
            scope.spawn(move || {
                for (round, given) in given.iter().enumerate() {
                    barrier.wait();
                    for step in 0..6 {
                        let key = (round / 7 + thread * step) % KEYS;
                        let limiter = clients.of(&key);
                        (0..(round * 31 + thread * 17 + step) % 40).for_each(|_| std::thread::yield_now());
                        if limiter.try_acquire().is_ok() {
                            given[key].fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    if barrier.wait().is_leader() {
                        // A whole number of rounds is a window, and at its end its first permit still counts.
                        clock.advance(SECOND / 4);
                    }
                }
            });
        }
    });
    assert!(clients.usage().overflowed > 0);
    for key in 0..KEYS {
        let of_round: Vec<u32> = given.iter().map(|given| given[key].load(Ordering::Relaxed)).collect();
        assert!(of_round.iter().sum::<u32>() > 0);
        for (round, window) in of_round.windows(5).enumerate() {
            assert!(window.iter().sum::<u32>() <= LIMIT, "key {key} from round {round} on: {window:?}");
        }
    }
}

#[test]
fn permits_of_the_shared_one_count_against_its_key_and_are_counted_once() {
    let clock = Arc::new(ManualClock::new());
    let each = RateLimiter::builder("client").per_second(3).clock(clock.clone());
    let clients: KeyedRateLimiter<u32> = KeyedRateLimiter::from_builder(each).unwrap().max_keys(1);
    clients.of(&1).try_acquire().unwrap();
    clock.advance(SECOND);
    clients.of(&2).try_acquire_n(2).unwrap();
    assert_eq!(clients.of(&2).name(), "client[*]");
    // "1" counts no more: "2" gets its own.
    clock.advance(A_WHILE);
    let own = clients.of(&2);
    assert_eq!((own.name(), own.usage().used, own.observe().allowed), ("client[2]", 2, 0));
    own.try_acquire().unwrap();
    own.try_acquire().unwrap_err();
    assert_eq!((own.observe().allowed, own.observe().limited), (1, 1));
    assert_eq!(clients.usage().allowed, 4);
}

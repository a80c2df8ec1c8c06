//! What an invocation is: its id, count and deadline, who sees it, and when it is over.

use lifecycle::testing::{advance, isolated, isolated_async};
use lifecycle::{Context, Deadline, InvocationConfig, current_invocation, invocation, invocation_blocking};
use lifecycle_tests::{ByHand, Gate, gives_way, runtime};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

fn id() -> Option<String> {
    current_invocation().map(|invocation| invocation.id().to_owned())
}

fn count() -> u64 {
    current_invocation().map_or(0, |invocation| invocation.count())
}

#[test]
fn the_id_comes_as_text_or_with_a_deadline() {
    isolated(|| {
        let owned = "c".to_owned();
        assert_eq!(invocation_blocking("a", id).as_deref(), Some("a"));
        assert_eq!(invocation_blocking("b".to_owned(), id).as_deref(), Some("b"));
        assert_eq!(invocation_blocking(&owned, id).as_deref(), Some("c"));
        assert_eq!(invocation_blocking(InvocationConfig::new("d"), id).as_deref(), Some("d"));
        assert_eq!(invocation_blocking("", id).as_deref(), Some(""));
        assert_eq!(id(), None);
    });
}

#[test]
fn the_first_of_a_world_is_cold_and_worlds_count_for_themselves() {
    let ask = || {
        let invocation = current_invocation().unwrap();
        (invocation.is_cold(), invocation.count())
    };
    for _ in 0..2 {
        isolated(|| {
            assert_eq!(invocation_blocking("a", ask), (true, 1));
            assert_eq!(invocation_blocking("b", ask), (false, 2));
            isolated(|| assert_eq!(invocation_blocking("c", ask), (true, 1)));
            assert_eq!(invocation_blocking("d", ask), (false, 3));
        });
    }
}

#[test]
fn one_begins_with_its_first_poll() {
    isolated(|| {
        let mut late = ByHand::new(invocation("late", async { count() }));
        drop(invocation("never", async {}));
        assert_eq!(invocation_blocking("early", count), 1);
        assert_eq!(late.poll(), Poll::Ready(2));
    });
}

#[test]
fn what_is_left_until_a_deadline_is_told_by_the_clock_of_the_world() {
    isolated(|| {
        let left = || current_invocation().unwrap().remaining();
        assert_eq!(invocation_blocking("a", left), None);
        let in_three = InvocationConfig::new("b").deadline(Duration::from_secs(3));
        invocation_blocking(in_three, || {
            assert_eq!(left(), Some(Duration::from_secs(3)));
            advance(Duration::from_secs(2));
            assert_eq!(left(), Some(Duration::from_secs(1)));
            assert_eq!(current_invocation().unwrap().elapsed(), Duration::from_secs(2));
            advance(Duration::from_secs(2));
            assert_eq!(left(), Some(Duration::ZERO));
        });
        // As Lambda says it: milliseconds since 1970, by the wall clock of the world.
        let wall = lifecycle::clock::Clock::now_wall(&*lifecycle::testing::clock());
        let at = InvocationConfig::new("c").deadline(Deadline::At(wall + Duration::from_secs(5)));
        assert_eq!(invocation_blocking(at, left), Some(Duration::from_secs(5)));
        let past = InvocationConfig::new("d").deadline(SystemTime::UNIX_EPOCH);
        assert_eq!(invocation_blocking(past, left), Some(Duration::ZERO));
        let never = InvocationConfig::new("e").deadline(Duration::MAX);
        assert!(invocation_blocking(never, left).unwrap() > Duration::from_secs(500 * 365 * 86_400));
    });
}

#[test]
fn two_at_a_time_see_their_own_at_every_poll() {
    isolated(|| {
        let ask = |times| async move {
            let mut all = Vec::new();
            for _ in 0..times {
                all.push(id().unwrap());
                gives_way(1).await;
            }
            all
        };
        let (mut one, mut other) = (ByHand::new(invocation("one", ask(3))), ByHand::new(invocation("other", ask(3))));
        for _ in 0..3 {
            assert!(one.poll().is_pending() && other.poll().is_pending());
            assert_eq!(id(), None);
        }
        assert_eq!(one.poll(), Poll::Ready(vec!["one".to_owned(); 3]));
        assert_eq!(other.poll(), Poll::Ready(vec!["other".to_owned(); 3]));
    });
}

#[test]
fn an_inner_one_hides_the_one_around_it() {
    isolated(|| {
        invocation_blocking("outer", || {
            assert_eq!(invocation_blocking("inner", id).as_deref(), Some("inner"));
            assert_eq!(id().as_deref(), Some("outer"));
        });
    });
}

#[test]
fn a_world_hides_the_one_around_it() {
    invocation_blocking("outer", || {
        isolated(|| {
            assert_eq!(id(), None);
            assert_eq!(invocation_blocking("inner", id).as_deref(), Some("inner"));
        });
        assert_eq!(id().as_deref(), Some("outer"));
    });
}

#[test]
fn a_context_brings_it_to_threads_and_tasks() {
    isolated(|| {
        invocation_blocking("a", || {
            let context = Context::capture();
            assert_eq!(std::thread::spawn(id).join().unwrap(), None);
            let there = std::thread::spawn(move || context.run(id));
            assert_eq!(there.join().unwrap().as_deref(), Some("a"));
        });
    });
    runtime().block_on(isolated_async(async {
        let ids = invocation("b", async {
            let inside = tokio::spawn(Context::capture().wrap(async { id() })).await.unwrap();
            (inside, tokio::spawn(async { id() }).await.unwrap())
        });
        assert_eq!(ids.await, (Some("b".to_owned()), None));
    }));
}

#[test]
fn what_outlives_it_is_told_so() {
    isolated(|| {
        let (context, handle) = invocation_blocking("a", || (Context::capture(), current_invocation().unwrap()));
        assert!(handle.has_ended());
        assert!(context.run(|| current_invocation().unwrap().has_ended()));
        // Its room is not the next one's.
        invocation_blocking("b", || assert_eq!(handle.id(), "a"));
        assert_eq!((handle.id(), handle.count()), ("a", 1));
    });
}

#[test]
fn it_is_over_after_a_panic_too() {
    isolated(|| {
        let panicked = std::panic::catch_unwind(|| invocation_blocking("a", || panic!("in the handler")));
        assert!(panicked.is_err());
        assert_eq!(id(), None);
        assert_eq!(lifecycle::snapshot().invocations.active, 0);
        let mut future = ByHand::new(invocation("b", async {
            if !lifecycle_tests::not_ever() {
                panic!("in the handler")
            }
        }));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| future.poll())).is_err());
        assert_eq!(id(), None);
        drop(future);
        assert_eq!(lifecycle::snapshot().invocations.active, 0);
        assert_eq!(lifecycle::snapshot().invocations.begun, 2);
    });
}

#[test]
fn those_under_way_are_counted_until_they_end_or_are_dropped() {
    isolated(|| {
        let active = || lifecycle::snapshot().invocations.active;
        let gate = Arc::new(Gate::new());
        let wait = |gate: &Arc<Gate>| {
            let gate = gate.clone();
            ByHand::new(invocation("a", async move { gate.pass().await }))
        };
        let (mut one, mut other) = (wait(&gate), wait(&gate));
        assert!(one.poll().is_pending() && other.poll().is_pending());
        assert_eq!(active(), 2);
        drop(other);
        assert_eq!(active(), 1);
        gate.open();
        assert!(one.poll().is_ready());
        assert_eq!(active(), 0);
    });
}

#[test]
fn events_inside_carry_its_id() {
    let seen = lifecycle_tests::watched(|| {
        let sink = ids::Sink::default();
        let kept = sink.clone();
        lifecycle_tests::told(sink, || {
            let breaker = lifecycle::CircuitBreaker::builder("correlated").build().unwrap();
            invocation_blocking("req-1", || {
                breaker.force_open();
                lifecycle::with_correlation_id("inner", || breaker.reset());
                breaker.force_open();
            });
            breaker.reset();
        });
        kept.all()
    });
    assert!(seen.contains(&"req-1".to_owned()) && seen.contains(&"inner".to_owned()), "{seen:?}");
    // force_open tells two events, reset one or two; those outside have no id at all.
    assert!(seen.iter().all(|id| id == "req-1" || id == "inner"), "{seen:?}");
}

/// A subscriber that keeps the correlation ids.
mod ids {
    use std::sync::{Arc, Mutex};
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    #[derive(Clone, Default)]
    pub(crate) struct Sink(Arc<Mutex<Vec<String>>>);

    impl Sink {
        pub(crate) fn all(&self) -> Vec<String> {
            self.0.lock().unwrap().clone()
        }
    }

    impl Visit for Sink {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            if field.name() == "correlation_id" {
                self.0.lock().unwrap().push(format!("{value:?}").trim_matches('"').to_owned());
            }
        }
    }

    impl Subscriber for Sink {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }
}

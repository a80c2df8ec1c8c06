//! What lives as long as the process is made without a look at the invocation that happens to ask for it, or to drive its factory.

use lifecycle::testing::{isolated, isolated_async};
use lifecycle::{
    Context, InitConfig, current_invocation, init_flag, initialize, initialize_async, invocation, invocation_blocking,
    singleton, warm_up,
};
use lifecycle_tests::{ByHand, Gate, runtime};
use std::task::Poll;

fn id() -> Option<String> {
    current_invocation().map(|invocation| invocation.id().to_owned())
}

#[singleton]
fn made() -> Option<String> {
    id()
}

#[singleton]
async fn made_later() -> (Option<String>, Option<String>) {
    let before = id();
    lifecycle_tests::gives_way(1).await;
    (before, id())
}

#[singleton(keyed)]
fn made_for(_key: u8) -> Option<String> {
    id()
}

/// What lives for an invocation sees it, also when it is asked for by name.
#[singleton(scope = invocation)]
async fn bound() -> Option<String> {
    lifecycle_tests::gives_way(1).await;
    id()
}

#[test]
fn a_process_wide_factory_sees_none() {
    isolated(|| {
        invocation_blocking("req-1", || {
            assert_eq!(id().as_deref(), Some("req-1"));
            assert_eq!((made(), made_for(7).as_ref()), (&None, &None));
            assert_eq!(id().as_deref(), Some("req-1"), "outside of it the invocation goes on");
        });
    });
}

#[test]
fn nor_does_a_future_whoever_drives_it() {
    isolated(|| {
        let mut one = ByHand::new(invocation("req-1", async { made_later().await.clone() }));
        assert!(one.poll().is_pending());
        // Its caller goes; another one, in an invocation of its own, drives it on.
        let mut other = ByHand::new(invocation("req-2", async { made_later().await.clone() }));
        drop(one);
        assert_eq!(other.poll_while_woken(), Poll::Ready((None, None)));
    });
}

#[test]
fn nor_what_runs_on_its_behalf_elsewhere() {
    #[singleton]
    fn asks_a_thread() -> Option<String> {
        let context = Context::capture();
        std::thread::spawn(move || context.run(id)).join().unwrap()
    }

    isolated(|| invocation_blocking("req-1", || assert_eq!(asks_a_thread(), &None)));
}

#[test]
fn an_invocation_of_its_own_is_seen_all_the_same() {
    #[singleton]
    fn tries_itself() -> Option<String> {
        invocation_blocking("self-test", id)
    }

    isolated(|| invocation_blocking("req-1", || assert_eq!(tries_itself().as_deref(), Some("self-test"))));
}

#[test]
fn neither_steps_nor_warming_up_see_one() {
    static STEP: Gate = Gate::new();

    #[init_flag(on_initialize)]
    fn step() {
        assert_eq!(id(), None);
        STEP.open();
    }

    #[singleton(eager)]
    fn eager() -> Option<String> {
        id()
    }

    isolated(|| invocation_blocking("req-1", || _ = initialize(InitConfig::new()).unwrap()));
    runtime().block_on(isolated_async(invocation("req-1", async {
        warm_up().await.unwrap();
        assert_eq!(eager(), &None);
        initialize_async(InitConfig::new()).await.unwrap();
    })));
    runtime().block_on(STEP.pass());
    step();
}

#[test]
fn what_lives_for_one_sees_it() {
    isolated(|| {
        let mut one = ByHand::new(invocation("req-1", async { bound().await.clone() }));
        let mut other = ByHand::new(invocation("req-2", async { bound().await.clone() }));
        assert!(one.poll().is_pending());
        assert_eq!(other.poll_while_woken(), Poll::Ready(Some("req-2".to_owned())));
        assert_eq!(one.poll_while_woken(), Poll::Ready(Some("req-1".to_owned())));
    });
}

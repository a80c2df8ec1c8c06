//! No lock is held while user code runs: factories, hooks, destructors, wakers and subscribers may ask for the very singleton
//! they are called for.

use lifecycle::{Current, Singleton, SingletonError, singleton, testing};
use lifecycle_tests::{ByHand, Gate, gives_way, watched};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use tracing::{Event, Metadata, Subscriber, span};

/// Everything that looks at everything.
fn look_around() {
    let _ = lifecycle::snapshot().to_string();
    let _ = lifecycle::singletons().get_stats();
    let _ = lifecycle::singletons().declared();
    let _ = lifecycle::run_reset_hooks();
    let _ = lifecycle::run_pressure_hooks();
    let _ = lifecycle::health_blocking(std::time::Duration::from_secs(1));
}

/// In a world of its own, with an eye on the clock.
fn alone<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    watched(move || testing::isolated(f))
}

#[test]
fn a_factory_may_ask_all_but_for_its_own_instance() {
    #[singleton(factory = Nosy::make)]
    struct Nosy(u8);
    impl Nosy {
        fn make() -> Self {
            look_around();
            assert!(Nosy::get().is_none() && !Nosy::is_created() && Nosy::stats().accesses == 0);
            assert!(!Nosy::delete());
            assert!(matches!(Nosy::try_instance(), Err(SingletonError::Cycle { .. })));
            assert!(Nosy::replace(Self(2)).is_none());
            assert_eq!(Nosy::instance().0, 2);
            Self(1)
        }
    }
    alone(|| assert_eq!(Nosy::instance().0, 2, "what was put in its place wins"));

    #[singleton]
    async fn nosy() -> u8 {
        look_around();
        gives_way(1).await;
        let handle = lifecycle::handle(nosy).unwrap();
        assert!(!handle.is_created() && handle.get().is_none() && !handle.delete());
        handle.replace(2).unwrap();
        assert_eq!(nosy().await, &2);
        1
    }
    alone(|| assert_eq!(ByHand::new(nosy()).poll_while_woken(), Poll::Ready(&2)));
}

mod of_hooks {
    use super::*;

    static RAN: Mutex<Vec<&str>> = Mutex::new(Vec::new());

    thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });

    fn ran(hook: &'static str) {
        RAN.lock().unwrap().push(hook);
        // `look_around` runs hooks.
        if !INSIDE.replace(true) {
            look_around();
            assert_eq!(*busy(), 7);
            INSIDE.set(false);
        }
    }

    #[singleton(
        swap,
        reset = |_: &u8| ran("reset"),
        pressure = |_: &u8| ran("pressure"),
        health = |_: &u8| { ran("health"); true },
        memory = |_: &u8| { ran("memory"); 0 },
        shutdown = |_: &u8| ran("shutdown"),
        on_change = |_: &u8, _: &u8| ran("on_change"),
        on_retire = |_: &u8| ran("on_retire"),
    )]
    fn busy() -> u8 {
        7
    }

    #[test]
    fn a_hook_may_ask_for_what_it_is_of() {
        alone(|| {
            let _: Current<u8> = busy();
            look_around();
            lifecycle::handle(busy).unwrap().replace(7).unwrap();
            lifecycle::handle(busy).unwrap().reload().unwrap();
            assert!(lifecycle::shutdown_blocking(std::time::Duration::from_secs(1000)).is_clean());
            let mut ran = RAN.lock().unwrap().clone();
            ran.sort_unstable();
            ran.dedup();
            assert_eq!(ran, ["health", "memory", "on_change", "on_retire", "pressure", "reset", "shutdown"]);
        });
    }
}

mod of_destructors {
    use super::*;

    static DROPS: AtomicUsize = AtomicUsize::new(0);

    /// Asks for everything when it goes.
    #[derive(Debug)]
    struct Curious;

    impl Drop for Curious {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::SeqCst);
            look_around();
            let singletons = lifecycle::singletons();
            let _ = singletons.get::<Curious>("curious");
            let _ = singletons.has("curious");
            let _ = lifecycle::handle(abandoned).unwrap().stats();
            let _ = ByHand::new(abandoned()).poll();
        }
    }

    #[singleton]
    async fn abandoned() -> Result<u8, Curious> {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        // Two drops are this future's; the third run is asked for by them.
        let curious = (RUNS.fetch_add(1, Ordering::SeqCst) == 0).then_some(Curious);
        std::future::pending::<()>().await;
        curious.map_or(Ok(1), Err)
    }

    impl From<SingletonError> for Curious {
        fn from(_: SingletonError) -> Self {
            Curious
        }
    }

    #[test]
    fn what_goes_may_ask_for_what_it_was_of() {
        alone(|| {
            let singletons = lifecycle::singletons();
            // A factory's value that another one beat.
            let made = singletons.get_or_create("curious", || {
                singletons.set("curious", Curious).unwrap();
                Curious
            });
            assert_eq!(DROPS.load(Ordering::SeqCst), 1);
            drop(made.unwrap());
            assert!(singletons.set("curious", Curious).unwrap().is_some());
            assert_eq!(DROPS.load(Ordering::SeqCst), 2);
            assert!(singletons.delete("curious").unwrap());
            assert_eq!(DROPS.load(Ordering::SeqCst), 3);
            // An error nobody wants, and a future that is given up.
            let _ = singletons.get_or_try_create("curious", || Err::<Curious, _>("no"));
            assert!(ByHand::new(abandoned()).poll().is_pending());
            lifecycle::handle(abandoned).unwrap().replace(7).unwrap();
            assert_eq!(DROPS.load(Ordering::SeqCst), 4);
            assert!(matches!(ByHand::new(abandoned()).poll(), Poll::Ready(Ok(7))));
        });
    }
}

mod of_wakers {
    use super::*;

    static GATE: Gate = Gate::new();

    #[singleton]
    async fn gated() -> u8 {
        GATE.pass().await;
        7
    }

    type Polled = Pin<Box<dyn Future<Output = &'static u8> + Send>>;

    /// An executor without a queue: it polls where it is woken.
    struct AtOnce {
        future: Mutex<Option<Polled>>,
        found: AtomicUsize,
    }

    impl AtOnce {
        fn start() -> Arc<Self> {
            let this = Arc::new(Self { future: Mutex::new(Some(Box::pin(gated()))), found: AtomicUsize::new(0) });
            this.clone().wake();
            this
        }
    }

    impl Wake for AtOnce {
        fn wake(self: Arc<Self>) {
            look_around();
            // Somebody new comes along too.
            let _ = ByHand::new(gated()).poll();
            let Some(mut future) = self.future.lock().unwrap().take() else { return };
            match future.as_mut().poll(&mut Context::from_waker(&Waker::from(self.clone()))) {
                Poll::Ready(found) => self.found.store(usize::from(*found), Ordering::SeqCst),
                Poll::Pending => *self.future.lock().unwrap() = Some(future),
            }
        }
    }

    #[test]
    fn a_waker_may_poll_where_it_is_woken() {
        watched(|| {
            let all = [AtOnce::start(), AtOnce::start(), AtOnce::start()];
            GATE.open();
            let mut last = ByHand::new(gated());
            assert_eq!(last.poll_while_woken(), Poll::Ready(&7));
            assert!(all.iter().any(|one| one.found.load(Ordering::SeqCst) == 7));
        });
    }
}

mod of_subscribers {
    use super::*;

    static EVENTS: AtomicUsize = AtomicUsize::new(0);

    #[singleton]
    async fn told_of() -> Result<u8, SingletonError> {
        gives_way(1).await;
        Ok(1)
    }

    #[singleton]
    async fn failing() -> Result<u8, SingletonError> {
        Err(SingletonError::ShuttingDown { what: "singleton", name: "no".to_owned() })
    }

    fn use_it() {
        let _ = ByHand::new(told_of()).poll_while_woken();
        let _ = ByHand::new(failing()).poll_while_woken();
        let _ = lifecycle::handle(told_of).map(|handle| handle.replace(1));
        let _ = lifecycle::snapshot().to_string();
    }

    struct Calls;

    thread_local!(static DEPTH: Cell<usize> = const { Cell::new(0) });

    fn nested() {
        EVENTS.fetch_add(1, Ordering::SeqCst);
        if DEPTH.get() < 3 {
            DEPTH.set(DEPTH.get() + 1);
            use_it();
            DEPTH.set(DEPTH.get() - 1);
        }
    }

    impl Subscriber for Calls {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target().starts_with("lifecycle")
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            nested();
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, _: &Event<'_>) {
            nested();
        }
        fn enter(&self, _: &span::Id) {
            nested();
        }
        fn exit(&self, _: &span::Id) {
            nested();
        }
    }

    #[test]
    fn a_subscriber_may_use_an_async_singleton_while_it_is_told_of_it() {
        watched(|| {
            // Only on this thread, but seen at every place: a scoped one is not told inside of itself.
            lifecycle_tests::told(Calls, || {
                for _ in 0..3 {
                    lifecycle::handle(told_of).unwrap().delete();
                    use_it();
                }
            });
            assert!(EVENTS.load(Ordering::SeqCst) > 10);
        });
    }
}

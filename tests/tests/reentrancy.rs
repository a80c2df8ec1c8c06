//! No lock is held while user code runs: a tracing subscriber may call everything back.

use lifecycle::{Flag, circuit_breaker, init_flag, rate_limit, singleton};
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::{Event, Metadata, Subscriber, span};

#[singleton]
fn reachable() -> u8 {
    1
}

#[init_flag]
static NOTED: Flag<bool> = false;

#[circuit_breaker(threshold = 1, timeout = 30)]
#[rate_limit("3/s")]
fn guarded(ok: bool) -> anyhow::Result<()> {
    if ok { Ok(()) } else { anyhow::bail!("down") }
}

static EVENTS: AtomicUsize = AtomicUsize::new(0);

/// Uses the framework from inside each event.
struct CallsBack;

impl Subscriber for CallsBack {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("lifecycle")
    }

    fn event(&self, _: &Event<'_>) {
        EVENTS.fetch_add(1, Ordering::SeqCst);
        // Events told meanwhile are not delivered again: tracing sees to that.
        use_everything();
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn use_everything() {
    let _ = reachable();
    NOTED.set(!NOTED.get());
    let _ = guarded(false);
    let _ = guarded(true);
    lifecycle::breaker("guarded").unwrap().reset();
    let _ = lifecycle::singletons().get_or_create("by_name", || 1_u8);
    let _ = lifecycle::singletons().clear();
    let _ = lifecycle::breakers().call("by_name", || Ok::<_, ()>(()));
    let _ = lifecycle::snapshot().to_string();
}

#[test]
fn a_subscriber_may_use_the_framework_from_inside_its_events() {
    tracing::subscriber::with_default(CallsBack, || {
        for _ in 0..3 {
            use_everything();
        }
    });
    assert!(EVENTS.load(Ordering::SeqCst) > 5);
}

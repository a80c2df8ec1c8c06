//! A Lambda-like loop: one process, many invocations, several at a time.
//! `cargo run --example invocation_handler`
//!
//! What lives as long as the process is made once; what belongs to a request is made in it, is nobody else's, and is gone after it.

use lifecycle::{Context, Current, InvocationConfig, Singleton, current_invocation, invocation, singleton};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

/// What the platform gives with each event.
struct Event {
    request_id: &'static str,
    deadline_ms: u64,
    user: &'static str,
}

static CONNECTED: AtomicU32 = AtomicU32::new(0);
static SENT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Lives as long as the process: made by the cold invocation, found by the warm ones.
#[singleton]
async fn database() -> &'static str {
    CONNECTED.fetch_add(1, SeqCst);
    tokio::time::sleep(Duration::from_millis(2)).await;
    "db"
}

/// Lives for one invocation: its lines are sent together when that ends.
#[singleton(scope = invocation, shutdown = Trace::send)]
#[derive(Default)]
struct Trace(Mutex<Vec<String>>);

impl Trace {
    fn note(line: impl Into<String>) {
        Self::current().0.lock().expect("nobody panics with it").push(line.into());
    }

    async fn send(&self) {
        tokio::task::yield_now().await;
        let id = current_invocation().map_or(String::new(), |it| it.id().to_owned());
        let lines = self.0.lock().expect("nobody panics with it").join(", ");
        SENT.lock().expect("nobody panics with it").push(format!("{id}: {lines}"));
    }
}

/// Looked up once in an invocation, by whichever part of the handler asks first.
#[singleton(scope = invocation)]
async fn profile() -> String {
    let database = database().await;
    Trace::note("profile looked up");
    format!("profile of {} from {database}", current_invocation().map_or(String::new(), |it| it.id().to_owned()))
}

async fn handler(user: &'static str) -> String {
    let this = current_invocation().expect("run by `serve`");
    Trace::note(if this.is_cold() { "cold" } else { "warm" });
    // Parts of a handler in tasks of their own: the context brings the invocation along.
    let part = tokio::spawn(Context::capture().wrap(async { profile().await.len() }));
    let profile: Current<String> = profile().await;
    assert_eq!(part.await.expect("it does not panic"), profile.len());
    let in_time = this.remaining().is_none_or(|left| left > Duration::from_millis(100));
    Trace::note(format!("for {user}"));
    if in_time { format!("{user} with {}", *profile) } else { format!("{user}: no time left") }
}

async fn serve(event: Event) -> String {
    let deadline = SystemTime::UNIX_EPOCH + Duration::from_millis(event.deadline_ms);
    invocation(InvocationConfig::new(event.request_id).deadline(deadline), handler(event.user)).await
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let now = u64::try_from(now.as_millis()).expect("before the end of time");
    let event = |request_id, user, seconds: u64| Event { request_id, deadline_ms: now + seconds * 1000, user };

    println!("{}", serve(event("r-1", "ann", 60)).await);
    println!("{}", serve(event("r-2", "bob", 0)).await);
    // Managed Instances: many at a time in one process.
    let [three, four, five] = ["r-3", "r-4", "r-5"].map(|id| tokio::spawn(serve(event(id, "cleo", 60))));
    for answer in [three.await, four.await, five.await] {
        println!("{}", answer.expect("it does not panic"));
    }

    let mut sent = SENT.lock().expect("nobody panics with it").clone();
    sent.sort();
    println!("\nwhat each invocation sent at its end:\n  {}", sent.join("\n  "));
    assert_eq!(sent[0], "r-1: cold, profile looked up, for ann");
    assert_eq!(sent[1], "r-2: warm, profile looked up, for bob");
    assert_eq!(sent.len(), 5);
    assert_eq!(CONNECTED.load(SeqCst), 1, "one connection for all of them");

    let snapshot = lifecycle::snapshot();
    println!("\n{snapshot}");
    assert_eq!((snapshot.invocations.begun, snapshot.invocations.active), (5, 0));
    assert_eq!(Trace::stats().alive, Some(0));
    assert!(Trace::try_current().is_err(), "there is none outside");
}

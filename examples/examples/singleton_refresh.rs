//! Parameters that change while the process runs: `swap`, `refresh`, `reload`, `replace`, `on_change`.
//! `cargo run --example singleton_refresh`
//!
//! `PARAMETER_STORE` stands in for whatever holds them: a parameter store, a secret manager, a file.

use lifecycle::{BoxError, Current, Singleton, singleton, testing};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// Stand-in: holds the parameter, or is out of order.
static PARAMETER_STORE: Mutex<Result<u32, &str>> = Mutex::new(Ok(10));

/// What the `on_change` hook saw.
static CHANGES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Read on first use, and again by the first to ask 5 minutes later: no thread, no timer. If reading fails then, the old one
/// stays.
#[singleton(swap, try_factory = Limits::read, refresh = "5m", on_change = Limits::changed)]
struct Limits {
    per_user: u32,
}

impl Limits {
    fn read() -> Result<Self, BoxError> {
        let stored = PARAMETER_STORE.lock().map_err(|_| "poisoned")?;
        Ok(Self { per_user: (*stored)? })
    }

    fn changed(old: &Self, new: &Self) {
        println!("  on_change: {} -> {}", old.per_user, new.per_user);
        if let Ok(mut changes) = CHANGES.lock() {
            changes.push(format!("{} -> {}", old.per_user, new.per_user));
        }
    }
}

fn store(value: Result<u32, &'static str>) {
    println!("the store now says {value:?}");
    if let Ok(mut stored) = PARAMETER_STORE.lock() {
        *stored = value;
    }
}

/// Take it, read, let it go: each request sees one consistent value, the newest there is.
fn limit() -> Result<u32, BoxError> {
    Ok(Limits::try_current()?.per_user)
}

fn story() -> Result<(), BoxError> {
    println!("first use reads: {}", limit()?);
    assert_eq!(limit()?, 10);

    store(Ok(20));
    testing::advance(Duration::from_secs(299));
    println!("after 4:59 it is {}", limit()?);
    assert_eq!(limit()?, 10);
    testing::advance(Duration::from_secs(1));
    println!("after 5:00 it is {}", limit()?);
    assert_eq!(limit()?, 20);

    // A refresh that fails changes nothing for those who ask; the failure is counted and told.
    store(Err("the parameter store is down"));
    testing::advance(Duration::from_secs(300));
    println!("after 10:00 it is still {}", limit()?);
    assert_eq!(limit()?, 20);
    let failed = testing::events().into_iter().find(|event| event.name.ends_with("init_failed"));
    println!("  event: {}", failed.ok_or("a failed refresh is told")?.detail);
    // Asked for by hand, an error is the answer, and the old one stays.
    assert!(Limits::reload().is_err() && limit()? == 20);

    // Not to be waited for: a webhook says that something changed.
    store(Ok(30));
    Limits::reload()?;
    println!("after `reload` it is {}", limit()?);
    assert_eq!(limit()?, 30);

    // Who holds one keeps what it had, and frees it when the last one lets go.
    let held: Current<Limits> = Limits::try_current()?;
    let shared: Arc<Limits> = held.to_arc();
    let weak: Weak<Limits> = Arc::downgrade(&shared);
    Limits::replace(Limits { per_user: 40 });
    assert_eq!((held.per_user, shared.per_user, limit()?), (30, 30, 40));
    drop(held);
    assert!(weak.upgrade().is_some());
    drop(shared);
    assert!(weak.upgrade().is_none(), "nobody holds it: it is freed, not retired");
    println!("after `replace` it is {}; the one before is freed, {} are retired", limit()?, Limits::stats().retired);
    assert_eq!(Limits::stats().retired, 0);

    let changes = CHANGES.lock().map_err(|_| "poisoned")?;
    assert_eq!(*changes, ["10 -> 20", "20 -> 30", "30 -> 40"]);
    Ok(())
}

fn main() -> Result<(), BoxError> {
    // In a world, for its clock: the minutes pass at once.
    testing::isolated(story)
}

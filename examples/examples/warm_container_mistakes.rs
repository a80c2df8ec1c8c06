//! The mistakes of a process that is used again, and what prevents each of them.
//! `cargo run --example warm_container_mistakes`
//!
//! A warm container keeps what was global: in each pair below the first function is the mistake, the second is the way out.

use lifecycle::{
    BoxError, Singleton, SingletonError, current_invocation, invocation_blocking, reset_all_managers, singleton,
};
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

// 1. Mutable global state: the next invocation is served the last one's user.

static USER: Mutex<Option<String>> = Mutex::new(None);

fn greet_from_a_global(who: &str) -> String {
    // "It is looked up only once" – once in the life of the process.
    lock(&USER).get_or_insert_with(|| who.to_owned()).clone()
}

#[singleton(scope = invocation)]
#[derive(Default)]
struct User(Mutex<Option<String>>);

fn greet(who: &str) -> String {
    lock(&User::current().0).get_or_insert_with(|| who.to_owned()).clone()
}

fn a_global_user() {
    let ask = |greet: fn(&str) -> String| ["ann", "bob"].map(|who| invocation_blocking(who, || greet(who)));
    assert_eq!(ask(greet_from_a_global), ["ann", "ann"]);
    assert_eq!(ask(greet), ["ann", "bob"]);
    println!("1. a global greets bob as ann; `scope = invocation` does not");
}

// 2. A "first request" flag: set before the work it stands for, it stays set when that work fails.

static DOWNLOADS: AtomicU32 = AtomicU32::new(0);
static FIRST_REQUEST: AtomicBool = AtomicBool::new(true);
static MODEL: Mutex<Option<u32>> = Mutex::new(None);

fn download() -> Result<u32, BoxError> {
    match DOWNLOADS.fetch_add(1, SeqCst) {
        0 => Err("connection reset".into()),
        _ => Ok(7),
    }
}

fn predict_after_a_flag() -> Result<u32, BoxError> {
    if FIRST_REQUEST.swap(false, SeqCst) {
        *lock(&MODEL) = Some(download()?);
    }
    lock(&MODEL).ok_or_else(|| "no model".into())
}

#[singleton]
fn model() -> Result<u32, BoxError> {
    download()
}

fn predict() -> Result<u32, BoxError> {
    Ok(*model()?)
}

fn a_first_request_flag() {
    let three = |predict: fn() -> Result<u32, BoxError>| {
        DOWNLOADS.store(0, SeqCst);
        ["a", "b", "c"].map(|id| invocation_blocking(id, || predict().ok()))
    };
    assert_eq!(three(predict_after_a_flag), [None, None, None], "broken until the container dies");
    assert_eq!(three(predict), [None, Some(7), Some(7)], "tried again after the error, made once");
    // And whether an invocation is the first is nobody's flag:
    assert!(invocation_blocking("d", || !current_invocation().expect("one").is_cold()));
    println!("2. after a failed first request a flag stays set; a singleton tries again");
}

// 3. A list that grows: each invocation leaves something behind.

static TEMP_FILES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static NUMBER: AtomicU32 = AtomicU32::new(0);

fn scratch() -> std::io::Result<PathBuf> {
    let number = NUMBER.fetch_add(1, SeqCst);
    let path = std::env::temp_dir().join(format!("warm_container_{}_{number}", std::process::id()));
    File::create(&path)?;
    Ok(path)
}

fn work_with_a_global_list() -> std::io::Result<PathBuf> {
    let path = scratch()?;
    lock(&TEMP_FILES).push(path.clone());
    Ok(path)
}

/// Gone with the invocation, whichever way that ends.
#[singleton(scope = invocation)]
#[derive(Default)]
struct Scratch(Mutex<Vec<PathBuf>>);

impl Drop for Scratch {
    fn drop(&mut self) {
        for path in lock(&self.0).drain(..) {
            _ = std::fs::remove_file(path);
        }
    }
}

fn work() -> std::io::Result<PathBuf> {
    let path = scratch()?;
    lock(&Scratch::current().0).push(path.clone());
    Ok(path)
}

fn a_growing_list() -> std::io::Result<()> {
    for number in 0..3 {
        invocation_blocking(format!("req-{number}"), work_with_a_global_list)?;
    }
    assert_eq!(lock(&TEMP_FILES).iter().filter(|path| path.exists()).count(), 3, "for ever");
    for path in lock(&TEMP_FILES).drain(..) {
        std::fs::remove_file(path)?;
    }

    let path = invocation_blocking("req-3", || {
        let path = work();
        assert!(path.as_ref().is_ok_and(|path| path.exists()));
        path
    })?;
    assert!(!path.exists());
    // A handler that panics leaves nothing either.
    let path = Mutex::new(PathBuf::new());
    let panicked = std::panic::catch_unwind(|| {
        invocation_blocking("req-4", || {
            *lock(&path) = work().expect("a file");
            std::panic::resume_unwind(Box::new("the handler fails"));
        });
    });
    assert!(panicked.is_err() && !lock(&path).exists());
    println!("3. a global list of files grows; a list that lives for an invocation cleans up after itself");
    Ok(())
}

// 4. Resetting everything at the beginning of a handler: right with one at a time, and wrong with two.

#[singleton(reset = |basket: &Mutex<Vec<u32>>| lock(basket).clear())]
fn basket() -> Mutex<Vec<u32>> {
    Mutex::default()
}

fn resets() {
    invocation_blocking("alone", || assert!(reset_all_managers().is_clean()));
    invocation_blocking("one", || {
        lock(basket()).push(1);
        // Another one begins meanwhile, as on a thread of its own.
        let report = invocation_blocking("another", reset_all_managers);
        println!("4. {report}");
        assert!(!report.is_clean() && lock(basket()).is_empty());
    });
}

// 5. What lives as long as the process and remembers an invocation: refused, instead of being the first caller's for ever.

#[singleton]
fn mailer() -> Result<String, SingletonError> {
    Ok(format!("mails for {:?}", *lock(&User::try_current()?.0)))
}

fn a_captured_invocation() {
    let error = invocation_blocking("ann", || {
        greet("ann");
        mailer().map(String::as_str)
    });
    let error = error.expect_err("it would be ann's for ever");
    println!("5. {error}");
}

fn main() -> std::io::Result<()> {
    println!("The lesson of the warm container:\n");
    a_global_user();
    a_first_request_flag();
    a_growing_list()?;
    resets();
    a_captured_invocation();
    assert!(!User::is_created(), "nothing is left");
    Ok(())
}

//! Dependency injection without a container: one singleton of a trait object, replaced by a mock where a test wants one.
//! `cargo run --example singleton_injection`

use lifecycle::{BoxError, Context, singleton, testing};
use std::collections::HashMap;
use std::sync::Mutex;

trait Repo {
    fn user(&self, id: u32) -> Option<String>;
    fn rename(&self, id: u32, name: &str);
}

/// The real one. Its callers know the trait only; `&'static Box<dyn Repo + Send + Sync>` is used as the trait object itself.
#[singleton]
fn repo() -> Box<dyn Repo + Send + Sync> {
    Box::new(InMemory(Mutex::new(HashMap::from([(1, "ada".to_owned()), (2, "grace".to_owned())]))))
}

struct InMemory(Mutex<HashMap<u32, String>>);

impl Repo for InMemory {
    fn user(&self, id: u32) -> Option<String> {
        self.0.lock().ok()?.get(&id).cloned()
    }

    fn rename(&self, id: u32, name: &str) {
        if let Ok(mut users) = self.0.lock() {
            users.insert(id, name.to_owned());
        }
    }
}

// What is tested: it takes nothing, so nothing has to be passed through the layers above it.

fn greeting(id: u32) -> String {
    repo().user(id).map_or_else(|| "who are you?".to_owned(), |name| format!("hello {name}"))
}

/// Something that itself is a singleton and needs the repo: it gets the mock, too.
#[singleton]
fn front_page() -> String {
    format!("{}!", greeting(1))
}

/// A mock: knows one user, and writes down what is asked of it.
struct Mock {
    name: &'static str,
    asked: &'static Mutex<Vec<String>>,
}

impl Repo for Mock {
    fn user(&self, id: u32) -> Option<String> {
        self.asked.lock().ok()?.push(format!("user {id}"));
        Some(self.name.to_owned())
    }

    fn rename(&self, id: u32, name: &str) {
        if let Ok(mut asked) = self.asked.lock() {
            asked.push(format!("rename {id} to {name}"));
        }
    }
}

/// A test with a mock of its own; in your crate: `#[lifecycle::test] fn greets() -> Result<(), BoxError> { .. }`.
fn greets(name: &'static str) -> Result<usize, BoxError> {
    testing::isolated(|| {
        let asked: &'static Mutex<Vec<String>> = Box::leak(Box::default());
        let _mock = lifecycle::handle(repo)?.override_with(Box::new(Mock { name, asked }))?;
        assert_eq!(greeting(7), format!("hello {name}"));
        assert_eq!(*front_page(), format!("hello {name}!"));
        repo().rename(7, "nobody");
        // Threads see it if they are given the context.
        let context = Context::capture();
        let there = std::thread::spawn(move || context.run(|| greeting(8))).join().map_err(|_| "a thread panicked")?;
        assert_eq!(there, format!("hello {name}"));
        let asked = asked.lock().map_err(|_| "poisoned")?;
        assert_eq!(*asked, ["user 7", "user 1", "rename 7 to nobody", "user 8"]);
        Ok(asked.len())
    })
}

fn main() -> Result<(), BoxError> {
    println!("for real: {}, {}", greeting(1), greeting(3));
    assert_eq!((greeting(1).as_str(), greeting(3).as_str()), ("hello ada", "who are you?"));

    // Two tests at the same time, with different mocks of the same function.
    std::thread::scope(|scope| -> Result<(), BoxError> {
        let tests = ["alan", "kurt"].map(|name| (name, scope.spawn(move || greets(name).map_err(|e| e.to_string()))));
        for (name, test) in tests {
            let calls = test.join().map_err(|_| "a test panicked")??;
            println!("with the mock that knows `{name}` only: {calls} calls, as expected");
        }
        Ok(())
    })?;

    // An override needs no world: outside it holds for this thread, until its guard goes.
    let stand_in = lifecycle::handle(repo)?.override_with(Box::new(InMemory(Mutex::default())))?;
    assert_eq!(greeting(1), "who are you?");
    assert_eq!(std::thread::spawn(|| greeting(1)).join().map_err(|_| "a thread panicked")?, "hello ada");
    drop(stand_in);
    repo().rename(1, "ada lovelace");
    println!("for real again: {}", greeting(1));
    assert_eq!(*front_page(), "hello ada lovelace!");
    Ok(())
}

//! Pattern 2, explicit registration: `main` decides what there is, everybody else only asks for it.
//! `cargo run --example singleton_registration`
//!
//! Two ways: under a name of your own (`singletons().set`), or by putting the value where a declared singleton's factory would
//! have put it (`replace`).

use lifecycle::{Args, BoxError, Error, Singleton, SingletonError, singleton, singletons};
use std::sync::{Mutex, PoisonError};

/// What the application talks to; which one it is depends on how it was started.
trait Mailer {
    fn send(&self, to: &str) -> String;
}

/// A shared trait object needs a name, so that both sides mean the same type.
type AnyMailer = Box<dyn Mailer + Send + Sync>;

struct Outbox(Mutex<Vec<String>>);

impl Mailer for Outbox {
    fn send(&self, to: &str) -> String {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(to.to_owned());
        format!("mail {} to {to}", sent.len())
    }
}

/// Comes from the command line, so no factory can make it: asking too early is an error that says so.
#[singleton(try_factory = || Err::<Options, _>("`main` registers the options before anybody needs them"))]
struct Options {
    sender: String,
}

fn welcome(user: &str) -> Result<String, BoxError> {
    let mailer = singletons().get::<AnyMailer>("mailer")?.ok_or("no mailer is registered")?;
    Ok(format!("{}: {}", Options::try_instance()?.sender, mailer.send(user)))
}

fn main() -> Result<(), BoxError> {
    // Too early: one is a miss, the other an error. Neither is remembered.
    assert_eq!(welcome("ada").unwrap_err().to_string(), "no mailer is registered");
    let early = Options::try_instance().err();
    assert!(matches!(early, Some(SingletonError::Factory { .. })));

    // Registration.
    let before = singletons().set::<AnyMailer>("mailer", Box::new(Outbox(Mutex::default())))?;
    assert!(before.is_none());
    Options::replace(Options { sender: "noreply@example.com".to_owned() });

    println!("{}", welcome("ada")?);
    println!("{}", welcome("grace")?);
    assert_eq!(welcome("edsger")?, "noreply@example.com: mail 3 to edsger");

    // The type is a part of the agreement: an error, not a panic, for who gets it wrong.
    let wrong = singletons().get::<String>("mailer").unwrap_err();
    assert!(matches!(wrong, Error::TypeMismatch { .. }));
    println!("{wrong}");

    // To register again replaces. Whoever holds the old one keeps it; it is freed with its last holder.
    let held = singletons().get::<AnyMailer>("mailer")?.ok_or("there was one")?;
    singletons().set::<AnyMailer>("mailer", Box::new(Outbox(Mutex::default())))?;
    assert_eq!(welcome("barbara")?, "noreply@example.com: mail 1 to barbara");
    assert_eq!(held.send("donald"), "mail 4 to donald");

    // The same face as JSON, for an admin endpoint.
    let there = singletons().execute("has", Args::new().with("name", "mailer"))?;
    assert_eq!(there, true);
    println!("{}", singletons().execute("get", Args::new().with("name", "mailer"))?);
    assert!(singletons().delete("mailer")? && !singletons().has("mailer"));
    Ok(())
}

//! Limits changed while the process runs; what was given still counts. `cargo run --example limiter_changed_while_running`
//!
//! Nobody gets a window's worth on top because the numbers changed: a permit is given only where the new window, with what was
//! given before, holds no more than the new limit.

use lifecycle::settings::RateLimiterSettings;
use lifecycle::{BoxError, KeyedRateLimiter, RateLimiter, Rejected, rate_limit};
use std::process::Command;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// What the provider's contract said when this was written.
#[rate_limit("5/min")]
fn send_mail(_to: &str) -> Result<(), Rejected> {
    Ok(())
}

#[rate_limit("1/min")]
fn export() -> Result<(), Rejected> {
    Ok(())
}

/// How many mails go out now, and what the next one is told.
fn send_all_that_may_go() -> usize {
    let sent = (0..1000).take_while(|_| send_mail("somebody@example.org").is_ok()).count();
    match send_mail("somebody@example.org") {
        Err(refused) => println!("  {sent} mails sent, then: {refused}"),
        Ok(()) => println!("  {sent} mails sent, and more to come"),
    }
    sent
}

fn show(limiter: &RateLimiter) {
    let usage = limiter.usage();
    println!("  {}: {} of {} in {:?}", limiter.name(), usage.used, usage.limit, usage.window);
}

/// What an operator wrote, as part of a file or of a request to an admin route; `limit = 8, window = "1min"` would do, too.
fn change(limiter: &RateLimiter, text: &str) -> Result<(), BoxError> {
    let wanted: RateLimiterSettings = toml::from_str(text)?;
    let now = limiter.usage();
    limiter.set_limit(wanted.limit.unwrap_or(now.limit), wanted.window.unwrap_or(now.window))?;
    println!("{}: {text}", limiter.name());
    Ok(())
}

/// What the same program does where somebody said something in the environment.
fn in_another_environment() -> Result<(), BoxError> {
    assert_eq!(send_all_that_may_go(), 2);
    Ok(())
}

fn main() -> Result<(), BoxError> {
    if std::env::args().nth(1).is_some() {
        return in_another_environment();
    }
    let limiter = lifecycle::limiter("send_mail")?;
    println!("as written:");
    assert_eq!(send_all_that_may_go(), 5);

    // Raised: there is room at once, for the difference and not for eight more.
    change(&limiter, r#"rate = "8/min""#)?;
    assert_eq!(send_all_that_may_go(), 3);
    show(&limiter);

    // Lowered: eight were given within the minute, so nothing goes until six of them are a minute old. And raised again: that
    // eight were given is not forgotten for having been more than the limit in between.
    change(&limiter, r#"rate = "3/min""#)?;
    assert_eq!(send_all_that_may_go(), 0);
    change(&limiter, r#"rate = "10/min""#)?;
    assert_eq!(send_all_that_may_go(), 2);
    show(&limiter);

    // Another window: it goes by when they were given, and soon that was earlier.
    change(&limiter, r#"rate = "3/10ms""#)?;
    std::thread::sleep(Duration::from_millis(20));
    show(&limiter);
    assert_eq!(limiter.usage().used, 0);
    send_mail("somebody@example.org")?;

    // What cannot be is refused, and changes nothing.
    for wrong in [r#"rate = "0/min""#, r#"rate = "8 per minute""#, r#"rte = "8/min""#] {
        let error = change(&limiter, wrong).unwrap_err();
        println!("{wrong} is refused: {}", error.to_string().trim());
    }
    assert_eq!(limiter.usage().limit, 3);

    // From a file, by name: what `set_limit` said counts more, until it is taken back.
    let file: toml::Table = toml::from_str("[export]\nrate = \"4/min\"")?;
    let configured = lifecycle::configure(&file)?;
    println!("{configured}");
    assert_eq!(configured.applied, ["export"]);
    assert_eq!((0..10).filter(|_| export().is_ok()).count(), 4);

    println!("the same program, with another rate in its environment:");
    let mut program = Command::new(std::env::current_exe()?);
    program.env("LIFECYCLE__SEND_MAIL__RATE", "2/min").arg("in another environment");
    assert!(program.status()?.success());

    // One for each tenant: all of them at once, or one that pays for more.
    let tenants = KeyedRateLimiter::new("tenant", 2, MINUTE)?;
    for tenant in ["acme", "initech"] {
        tenants.at(tenant).try_acquire()?;
    }
    println!("all tenants:");
    tenants.set_limit(3, MINUTE)?;
    tenants.limiters().iter().for_each(|tenant| show(tenant));
    assert!(tenants.limiters().iter().all(|tenant| tenant.usage().used == 1 && tenant.usage().limit == 3));
    println!("one of them:");
    tenants.at("acme").set_limit(100, MINUTE)?;
    tenants.limiters().iter().for_each(|tenant| show(tenant));
    assert_eq!((tenants.at("acme").usage().limit, tenants.at("new").usage().limit), (100, 3));
    Ok(())
}

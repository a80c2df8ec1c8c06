//! A breaker for each host: one that is down leaves the others alone, and strangers' host names do not fill the memory.
//! `cargo run --example breaker_per_host`

#[path = "stand_ins/http.rs"]
mod http;

use http::{HttpError, Mode, Service};
use lifecycle::{BoxError, Rejected, RejectedKind, circuit_breaker};
use std::net::SocketAddr;

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Two failures in a row at a host: that host is left alone for half a minute. At most a hundred hosts are kept.
#[circuit_breaker(threshold = 2, timeout = 30, key = host, max_keys = 100)]
async fn fetch(names: &Names, host: &str, path: &str) -> Result<String, FetchError> {
    Ok(http::get(names.resolve(host), path).await?)
}

/// Stands in for DNS: one host is a machine of its own, all others are another.
struct Names {
    inventory: Service,
    others: Service,
}

impl Names {
    fn resolve(&self, host: &str) -> SocketAddr {
        if host == "inventory.example" { self.inventory.address } else { self.others.address }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let names = Names { inventory: Service::start().await?, others: Service::start().await? };
    let ask = async |host| {
        let answer = fetch(&names, host, "stock").await;
        println!("  {host:18} {}", answer.as_ref().map_or_else(ToString::to_string, Clone::clone));
        answer
    };

    println!("both answer:");
    ask("inventory.example").await?;
    ask("prices.example").await?;

    println!("one is down:");
    names.inventory.switch(Mode::Fails);
    for _ in 0..2 {
        assert!(matches!(ask("inventory.example").await, Err(FetchError::Http(_))));
    }
    println!("from now on it is not asked; the other one is:");
    let asked = names.inventory.requests();
    let Err(FetchError::Refused(refused)) = ask("inventory.example").await else {
        return Err("the breaker of the host that is down refuses".into());
    };
    assert_eq!((refused.kind, &*refused.name), (RejectedKind::Open, "fetch[inventory.example]"));
    ask("prices.example").await?;
    assert_eq!(names.inventory.requests(), asked);

    println!("a thousand other hosts that answer:");
    for number in 0..1000 {
        fetch(&names, &format!("shop-{number}.example"), "stock").await?;
    }
    let family = lifecycle::snapshot().keyed_breakers.remove(0);
    println!("  `{}` keeps {} breakers, at most {}; worth a look are:", family.name, family.keys, family.max_keys);
    for one in &family.noteworthy {
        println!("    {}: {}, {} failures in a row", one.name, one.state, one.failures);
    }
    assert!(family.keys <= 100 && family.overflowed == 0);
    // Hosts that answer make room for each other; one that fails is never forgotten for that.
    let noteworthy: Vec<_> = family.noteworthy.iter().map(|one| (&*one.name, &*one.state)).collect();
    assert_eq!(noteworthy, [("fetch[inventory.example]", "open")]);

    println!("it is up again:");
    names.inventory.switch(Mode::Answers);
    // One that failed long ago, or that an operator knows to be up, can be asked for by its name.
    lifecycle::breaker("fetch[inventory.example]")?.reset();
    ask("inventory.example").await?;
    assert!(lifecycle::snapshot().keyed_breakers[0].noteworthy.is_empty());
    Ok(())
}

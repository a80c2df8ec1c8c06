//! Recipe: retries, with `backon`, OUTSIDE of the guarded function. `cargo run --example recipe_retry`
//!
//! Outside, the breaker sees each attempt, and a retry asks it again: once it is open, attempts cost nothing, and the refusal
//! says when the next one makes sense. (Inside, five attempts would be one call to it, and it would open five times too late.)

#[path = "stand_ins/http.rs"]
mod http;

use backon::{ExponentialBuilder, Retryable};
use http::{HttpError, Mode, Service};
use lifecycle::{BoxError, Rejected, State, circuit_breaker};
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl ShopError {
    /// Another attempt can go better: not where the question is wrong, nor where somebody opened the breaker by hand.
    fn may_pass(&self) -> bool {
        match self {
            Self::Refused(refused) => refused.retry_after.is_some(),
            Self::Http(HttpError::Status(status)) => status.is_server_error(),
            Self::Http(_) => true,
        }
    }

    /// Before that time another attempt would only be refused.
    fn retry_after(&self) -> Option<Duration> {
        if let Self::Refused(refused) = self { refused.retry_after } else { None }
    }
}

#[circuit_breaker(threshold = 3, timeout = "2s")]
async fn order(shop: SocketAddr, item: &str) -> Result<String, ShopError> {
    Ok(http::get(shop, item).await?)
}

/// Waits 20 ms, 40 ms, 80 ms, .. with some jitter, but never less than the refusal says, and gives up where that is too long.
async fn order_patiently(shop: SocketAddr, item: &str, patience: Duration) -> Result<String, ShopError> {
    let attempt = || order(shop, item);
    attempt
        .retry(ExponentialBuilder::default().with_min_delay(Duration::from_millis(20)).with_max_times(6).with_jitter())
        .when(ShopError::may_pass)
        .adjust(|error, pause| {
            let pause = pause?.max(error.retry_after().unwrap_or_default());
            (pause <= patience).then_some(pause)
        })
        .notify(|error, pause| println!("  {error}; again in {} ms", pause.as_millis()))
        .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let shop = Service::start().await?;
    let breaker = lifecycle::breaker("order")?;
    let patience = Duration::from_secs(5);

    println!("the shop is down for a moment:");
    shop.switch(Mode::Fails);
    let (ordered, ()) = tokio::join!(order_patiently(shop.address, "tea", patience), async {
        while shop.requests() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        shop.switch(Mode::Answers);
    });
    println!("  ordered {}, in {} attempts", ordered?, shop.requests());
    assert_eq!((breaker.state(), shop.requests()), (State::Closed, 3));

    println!(
        "it is down for longer; the fourth attempt is refused, and the fifth waits for the breaker to let it through:"
    );
    shop.switch(Mode::Fails);
    let (ordered, ()) = tokio::join!(order_patiently(shop.address, "cake", patience), async {
        while breaker.metrics().statistics.rejected_calls == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        shop.switch(Mode::Answers);
    });
    let counts = breaker.metrics().statistics;
    println!("  ordered {}; of its 5 attempts {} reached the shop", ordered?, shop.requests() - 3);
    assert_eq!((shop.requests() - 3, counts.rejected_calls), (4, 1));

    println!("somebody is in a hurry:");
    breaker.open_for(Duration::from_secs(60));
    let error = order_patiently(shop.address, "jam", Duration::from_millis(500)).await.unwrap_err();
    println!("  {error}: not waited for");

    println!("maintenance, for nobody knows how long:");
    breaker.force_open();
    let error = order_patiently(shop.address, "jam", patience).await.unwrap_err();
    println!("  {error}: not tried again");
    assert_eq!(breaker.metrics().statistics.rejected_calls, 3);
    Ok(())
}

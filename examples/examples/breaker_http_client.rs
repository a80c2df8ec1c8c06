//! An HTTP client that spares a service in trouble, and answers from memory meanwhile: `threshold`, `ignore`, `fallback`.
//! `cargo run --example breaker_http_client`
//!
//! The service is a real one on a loopback port: it answers, fails and recovers.

#[path = "stand_ins/http.rs"]
mod http;

use http::{HttpError, Mode, Service};
use lifecycle::{BoxError, Lazy, RejectedKind, State, circuit_breaker, singleton};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

#[derive(Debug, PartialEq)]
enum Forecast {
    Fresh(String),
    /// What was the last answer for that city.
    LastKnown(String),
}

#[derive(Debug, thiserror::Error)]
enum WeatherError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("no forecast for {0} so far")]
    NothingKnown(String),
}

impl WeatherError {
    /// 404 and the like say that the question was wrong, not that the service is.
    fn is_the_callers(&self) -> bool {
        matches!(self, Self::Http(HttpError::Status(status)) if status.is_client_error())
    }
}

/// The last answers.
#[singleton]
static LAST_KNOWN: Lazy<Mutex<HashMap<String, String>>> = Mutex::default();

/// Three failures in a row open the breaker: for two seconds nobody is asked, and `last_known` answers.
///
/// `timeout` is how long it stays open, not a limit on the call (for that see the example `recipe_time_limit`).
#[circuit_breaker(threshold = 3, timeout = "2s", ignore = WeatherError::is_the_callers, fallback = last_known)]
async fn forecast(service: SocketAddr, city: &str) -> Result<Forecast, WeatherError> {
    let forecast = http::get(service, city).await?;
    LAST_KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(city.to_owned(), forecast.clone());
    Ok(Forecast::Fresh(forecast))
}

/// Answers the calls that the breaker refuses. It has the same arguments; they were not used up, since the call never began.
async fn last_known(_service: SocketAddr, city: &str) -> Result<Forecast, WeatherError> {
    let known = LAST_KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(city).cloned();
    known.map(Forecast::LastKnown).ok_or_else(|| WeatherError::NothingKnown(city.to_owned()))
}

/// For who wants the last answer also where a call ran and failed. `fallback` is not for that: a breaker that hid failures from
/// its callers would hide them from their logs, too.
async fn forecast_in_any_case(service: SocketAddr, city: &str) -> Result<Forecast, WeatherError> {
    match forecast(service, city).await {
        Err(error) if !error.is_the_callers() => last_known(service, city).await.map_err(|_| error),
        other => other,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let service = Service::start().await?;
    let breaker = lifecycle::breaker("forecast")?;
    let ask = async |city| {
        let forecast = forecast(service.address, city).await;
        match &forecast {
            Ok(forecast) => println!("  {city:8} {forecast:?}"),
            Err(error) => println!("  {city:8} {error}"),
        }
        forecast
    };

    println!("the service answers:");
    assert_eq!(ask("lisbon").await?, Forecast::Fresh("lisbon".to_owned()));

    println!("questions that are wrong do not count, however many:");
    for _ in 0..4 {
        assert!(ask("nowhere").await.is_err_and(|error| error.is_the_callers()));
    }
    assert_eq!((breaker.state(), breaker.metrics().statistics.ignored_calls), (State::Closed, 4));

    println!("the service fails; each failure is the caller's to see:");
    service.switch(Mode::Fails);
    for _ in 0..2 {
        assert!(ask("lisbon").await.is_err());
    }
    let forecast = forecast_in_any_case(service.address, "lisbon").await?;
    println!("  {:8} {forecast:?} (by `forecast_in_any_case`, of a call that failed)", "lisbon");
    assert_eq!(forecast, Forecast::LastKnown("lisbon".to_owned()));
    assert_eq!(breaker.state(), State::Open);

    println!("three in a row: the breaker is open, nobody is asked:");
    let asked = service.requests();
    assert_eq!(ask("lisbon").await?, Forecast::LastKnown("lisbon".to_owned()));
    assert!(matches!(ask("porto").await, Err(WeatherError::NothingKnown(_))));
    assert_eq!(service.requests(), asked);
    // Who serves HTTP itself, and has no last answer, passes on what the breaker says.
    let refused = breaker.try_acquire().map(drop).err().ok_or("it is open")?;
    println!("  to its own callers: {}, Retry-After: {:?}", refused.http_status(), refused.retry_after_secs());
    assert_eq!((refused.http_status(), refused.kind), (503, RejectedKind::Open));

    println!("the service is back; as soon as the two seconds are over, the next call is the probe:");
    service.switch(Mode::Answers);
    tokio::time::sleep(refused.retry_after.unwrap_or_default()).await;
    assert_eq!(ask("porto").await?, Forecast::Fresh("porto".to_owned()));
    assert_eq!(breaker.state(), State::Closed);

    let counts = breaker.metrics().statistics;
    println!("{} calls reached the service, {} were refused", counts.total_calls, counts.rejected_calls);
    assert_eq!((counts.total_calls, counts.rejected_calls), (service.requests(), 3));
    Ok(())
}

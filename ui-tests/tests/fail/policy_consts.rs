use lifecycle::{Window, circuit_breaker};
use std::time::Duration;

const NONE: u32 = 0;
const MUCH: u32 = 200;
const FEW: Window = Window::Calls(10);
const LESS_THAN_ONE: f64 = 0.5;

#[circuit_breaker(failure_rate = NONE)]
fn none() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(slow_call_rate = MUCH)]
fn much() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 50, window = Window::Time(Duration::ZERO))]
fn no_window() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 50, window = FEW, minimum_calls = 20)]
fn small_window() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 50, minimum_calls = MUCH)]
fn many_calls() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(backoff = exponential(factor = LESS_THAN_ONE))]
fn shrinks() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(failure_rate = 50, window = MUCH, backoff = FEW)]
fn wrong_types() -> anyhow::Result<u8> {
    Ok(1)
}

const SHRINKS: lifecycle::Backoff = lifecycle::Backoff::exponential().factor(0.5);

#[circuit_breaker(backoff = SHRINKS)]
fn shrinks_too() -> anyhow::Result<u8> {
    Ok(1)
}

#[circuit_breaker(backoff = lifecycle::Backoff::exponential().factor(f64::NAN))]
fn no_number() -> anyhow::Result<u8> {
    Ok(1)
}

fn main() {}

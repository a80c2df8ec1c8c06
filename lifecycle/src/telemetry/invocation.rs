//! Events of invocations.

use super::{correlation, emitting, heard, micros, record};
use crate::error::printable;
use crate::scope::InvocationState;
use tracing::Level;

/// The span of an invocation, in which its code runs.
#[inline]
pub(crate) fn invocation_span(invocation: &InvocationState) -> tracing::Span {
    if !heard(Level::INFO) {
        return tracing::Span::none();
    }
    let Some(_emitting) = emitting() else {
        return tracing::Span::none();
    };
    tracing::info_span!(
        target: "lifecycle::invocation", "invocation", invocation.id = printable(invocation.id()),
        invocation.count = invocation.number(), cold = invocation.number() == 1,
    )
}

#[inline]
pub(crate) fn invocation_began(invocation: &InvocationState) {
    if heard(Level::DEBUG) {
        tell_invocation_began(invocation);
    }
}

#[cold]
#[inline(never)]
fn tell_invocation_began(invocation: &InvocationState) {
    let (id, count) = (invocation.id(), invocation.number());
    record("lifecycle.invocation.began", id, || count.to_string());
    event!(
        name: "lifecycle.invocation.began", target: "lifecycle::invocation", Level::DEBUG,
        invocation.id = printable(id), invocation.count = count, cold = count == 1, correlation_id = correlation(),
        "invocation began"
    );
}

/// `outcome`: `done`, `dropped` or `panicked`.
#[inline]
pub(crate) fn invocation_ended(invocation: &InvocationState, outcome: &'static str) {
    if heard(Level::DEBUG) {
        tell_invocation_ended(invocation, outcome);
    }
}

#[cold]
#[inline(never)]
fn tell_invocation_ended(invocation: &InvocationState, outcome: &'static str) {
    let (id, count) = (invocation.id(), invocation.number());
    record("lifecycle.invocation.ended", id, || outcome.to_owned());
    event!(
        name: "lifecycle.invocation.ended", target: "lifecycle::invocation", Level::DEBUG,
        invocation.id = printable(id), invocation.count = count, cold = count == 1, outcome,
        duration_us = micros(invocation.elapsed()), correlation_id = correlation(), "invocation ended"
    );
}

/// The hooks of a shutdown run while it goes on.
pub(crate) fn invocation_unfinished(id: &str) {
    record("lifecycle.invocation.unfinished", id, String::new);
    event!(
        name: "lifecycle.invocation.unfinished", target: "lifecycle::invocation", Level::WARN,
        invocation.id = printable(id), correlation_id = correlation(),
        "invocation did not end within the time that the shutdown has for that"
    );
}

/// What an invocation is at goes into the snapshot with it.
pub(crate) fn snapshot_while_active(active: usize) {
    record("lifecycle.invocation.snapshot_while_active", "invocations", || active.to_string());
    event!(
        name: "lifecycle.invocation.snapshot_while_active", target: "lifecycle::invocation", Level::WARN,
        invocations.active = active, correlation_id = correlation(),
        "a snapshot is prepared while invocations are under way: what they are at goes on in every copy of it"
    );
}

/// Reset hooks run while several invocations may be using what they reset.
pub(crate) fn reset_while_active(active: usize) {
    record("lifecycle.invocation.reset_while_active", "invocations", || active.to_string());
    event!(
        name: "lifecycle.invocation.reset_while_active", target: "lifecycle::invocation", Level::WARN,
        invocations.active = active, correlation_id = correlation(),
        "reset hooks run while several invocations are under way: what belongs to one is `scope = invocation`"
    );
}

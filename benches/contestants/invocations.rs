//! An invocation with nothing in it, and what is asked inside one.

use super::{Base, Budget, Contestant, Group, contestant, singletons};
use lifecycle::singleton;
use std::hint::black_box;

const ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

pub(super) static GROUPS: &[Group] = &[Group {
    operation: "invocation with nothing in it",
    base: Base::Loop,
    contestants: &[
        contestant!("**lifecycle** `invocation_blocking`, the id of 36 bytes copied", |_, number| {
            lifecycle::invocation_blocking(ID, || black_box(number))
        }),
        contestant!("tokio `task_local!`, `sync_scope` with a `String`", |_, number| {
            ID_TOKIO.sync_scope(ID.to_owned(), || black_box(number))
        }),
        contestant!("**lifecycle** `invocation`, polled once", |_, number| {
            singletons::polled(lifecycle::invocation(ID, async { black_box(number) })).unwrap_or_default()
        }),
        contestant!("tokio `task_local!`, `scope` polled once", |_, number| {
            singletons::polled(ID_TOKIO.scope(ID.to_owned(), async { black_box(number) })).unwrap_or_default()
        }),
        contestant!("**lifecycle** with one singleton made and asked for twice", |_, number| {
            lifecycle::invocation_blocking(ID, || {
                black_box(seen());
                black_box(seen());
                number
            })
        }),
    ],
    gives: Some(|number| number),
    // Under valgrind the quick clock, by which one begins, takes some 200 more than elsewhere.
    budget: Some(Budget::OverBase(800)),
}];

tokio::task_local! {
    static ID_TOKIO: String;
}

#[singleton(scope = invocation)]
fn seen() -> [u64; 4] {
    black_box([0; 4])
}

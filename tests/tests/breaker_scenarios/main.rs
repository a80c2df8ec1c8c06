//! The conformance scenarios: what the tests of the breakers that people trust demand, row by row under its id, with each kind of
//! call. Where we take another policy the row says `ours` and what the source does instead.

mod notation;
mod rows;
mod run;

use lifecycle::circuit_breaker;
use rows::{ROWS, row};
use run::{Body, Failed, Guarded, How, run};

#[test]
fn every_row_by_calls() {
    ROWS.iter().for_each(|row| run(row, How::Call));
}

#[test]
fn every_row_by_permits() {
    ROWS.iter().for_each(|row| run(row, How::Permits));
}

#[test]
fn every_row_by_futures() {
    ROWS.iter().for_each(|row| run(row, How::Futures));
}

/// Functions with the numbers of rows; the names are theirs.
mod guarded {
    use super::*;

    #[circuit_breaker(threshold = 6, timeout = 60)]
    pub(super) async fn a1(body: Body) -> Result<(), Failed> {
        body.await
    }

    #[circuit_breaker(threshold = 3, timeout = 60)]
    pub(super) async fn a4(body: Body) -> Result<(), Failed> {
        body.await
    }

    #[circuit_breaker(threshold = 1, timeout = 60)]
    pub(super) async fn c13(body: Body) -> Result<(), Failed> {
        body.await
    }

    #[circuit_breaker(threshold = 1, timeout = 60, half_open_calls = 3, success_threshold = 3)]
    pub(super) async fn c1(body: Body) -> Result<(), Failed> {
        body.await
    }

    #[circuit_breaker(threshold = 2, timeout = 5)]
    pub(super) async fn d1(body: Body) -> Result<(), Failed> {
        body.await
    }
}

#[test]
fn rows_by_functions_with_the_attribute() {
    macro_rules! by {
        ($($name:ident: $($id:literal)*;)*) => {$($(
            let call: Guarded = |body| Box::pin(guarded::$name(body));
            run(row($id), How::Attribute(call, stringify!($name)));
        )*)*};
    }
    by! {
        a1: "A1";
        a4: "A4" "A20";
        c13: "B10" "B11" "C12" "C13" "E1" "E5" "E8";
        c1: "C1";
        d1: "D1" "D2" "D7" "D9" "D12";
    }
}

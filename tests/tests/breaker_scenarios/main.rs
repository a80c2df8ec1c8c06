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

/// Functions with the numbers of rows, named after one of them.
mod guarded {
    use super::*;

    macro_rules! functions {
        ($($name:ident($($options:tt)*))*) => {$(
            #[circuit_breaker($($options)*, ignore = |error| matches!(error, Failed::NotOurs))]
            pub(super) async fn $name(body: Body) -> Result<(), Failed> {
                body.await
            }
        )*};
    }

    functions! {
        a1(threshold = 6, timeout = 60)
        a4(threshold = 3, timeout = 60)
        a10(failure_rate = 50, window = "10s", minimum_calls = 4, timeout = 60)
        a11(failure_rate = 50, window = "10 calls", minimum_calls = 10, timeout = 60)
        a15(slow_call_rate = 50, slow_call = "4s", window = "100 calls", minimum_calls = 5)
        a18(threshold = 5)
        b6(threshold = 1, timeout = 10, backoff = exponential(cap = "100s"))
        c1(threshold = 1, timeout = 60, half_open_calls = 3, success_threshold = 3)
        c4(threshold = 1, half_open_calls = 4, success_threshold = 4)
        c13(threshold = 1, timeout = 60)
        c14(threshold = 1, half_open_timeout = "1s")
        d1(threshold = 2, timeout = 5)
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
        a10: "A10" "A12" "A13";
        a11: "A11";
        a15: "A15" "A16" "A16, at the limit";
        a18: "A18";
        b6: "B6";
        c1: "C1";
        c4: "C4" "C5" "C10";
        c13: "A19" "B10" "B11" "C12" "C13" "C13, nobody came" "C18" "E1" "E5" "E8" "E10";
        c14: "C14";
        d1: "D1" "D2" "D7" "D9" "D12";
    }
}

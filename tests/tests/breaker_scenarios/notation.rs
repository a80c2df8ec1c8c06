//! The notation of breaker-scenarios.md, as it is written here.
//!
//! Calls: `S` ok, `F` fails, `X` ignored, `P` panics; `S(5s)` the call takes that long; `R` must be refused without running (`R:open`,
//! `R:full`, `R:forced` say how). `A1` begins a call, `S1 F1 X1 D1` end it (D: dropped), `L1` leaks it. `F*3` is three times.
//! Time: `+5s` (`+1h30m`, `+59.999s`, `+1m+1ns`), `-1h` the clock goes back.
//! By hand: `force disable observe reset open(2h)`; `saved`: the state goes through JSON into a breaker made anew.
//! Checks: `=C =O =H =FO =DIS =MO` the state; `{n5,s1,f4,x0,cf4,cs0}` what was counted since the last change of state (unnamed = 0;
//! `cf` the failures in a row, `cs` the probes that succeeded); `w4/3/1` calls, failures, slow calls in the window; `rate=60` and
//! `slow=60` percent (`?`: too few calls); `np=2` refused since the last change; `ra=30s` the last refusal's retry-after; `told=2`
//! changes told so far, the last of them `O>H`; `would=1` events that it would have opened.

use lifecycle::{State, Verdict};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    Failure,
    Ignored,
    Panic,
}

impl End {
    pub(crate) fn of(letter: &str) -> Option<Self> {
        Some(match letter {
            "S" => Self::Success,
            "F" => Self::Failure,
            "X" => Self::Ignored,
            "P" => Self::Panic,
            _ => return None,
        })
    }

    /// The end as a value; a panic is one here.
    pub(crate) fn value(self) -> Self {
        assert!(self != Self::Panic, "as the row says");
        self
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Success => Verdict::Success,
            Self::Ignored => Verdict::Ignored,
            _ => Verdict::Failure,
        }
    }
}

/// The state of that sign.
pub(crate) fn state(sign: &str) -> State {
    match sign {
        "C" => State::Closed,
        "O" => State::Open,
        "H" => State::HalfOpen,
        "FO" => State::ForcedOpen,
        "DIS" => State::Disabled,
        "MO" => State::ObserveOnly,
        _ => panic!("no state: {sign}"),
    }
}

/// Once pending, once not.
pub(crate) async fn yield_once() {
    let mut first = true;
    poll_fn(|_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

pub(crate) fn polled<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn finished<F: Future + ?Sized>(mut future: Pin<Box<F>>) -> F::Output {
    loop {
        if let Poll::Ready(output) = polled(future.as_mut()) {
            return output;
        }
    }
}

/// `1h`, `30m`, `59.999s`, `1ns`, and sums of them.
pub(crate) fn time(text: &str) -> Duration {
    let one = |part: &str| {
        let unit = part.find(|c: char| c.is_alphabetic()).expect("a unit");
        let (number, unit) = part.split_at(unit);
        let nanos = match unit {
            "h" => 3.6e12,
            "m" => 6e10,
            "s" => 1e9,
            "ms" => 1e6,
            "ns" => 1.0,
            _ => panic!("no unit: {unit}"),
        };
        Duration::from_nanos((number.parse::<f64>().expect("a number") * nanos).round() as u64)
    };
    text.split('+').map(one).sum()
}

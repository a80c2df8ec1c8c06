//! The table. Ids and sources are those of breaker-scenarios.md. Not here, since no call of ours says them: C16 (threads: see
//! `breaker_faults.rs`), D6 (nobody can ask for half-open), E7 (`breaker_listeners.rs`), E9 (`breaker_faults.rs`), E12 (nothing of
//! ours runs in the background).

use crate::run::Row;
use lifecycle::{Backoff, BreakerConfig, Window};
use std::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// So many failures in a row open it for a minute.
const fn row_of(failures: u32) -> BreakerConfig {
    BreakerConfig::new().threshold(failures).timeout(secs(60))
}

const fn probes(calls: u32, successes: u32) -> BreakerConfig {
    row_of(1).half_open_calls(calls).success_threshold(successes)
}

const fn rate(percent: u32, window: Window, needed: u32) -> BreakerConfig {
    BreakerConfig::new().failure_rate(percent).window(window).minimum_calls(needed).timeout(secs(60))
}

const fn slow() -> BreakerConfig {
    BreakerConfig::new().slow_call(secs(4)).slow_call_rate(50).window(Window::Calls(100)).minimum_calls(5)
}

const fn backoff(first: u64, cap: u64) -> BreakerConfig {
    row_of(1).timeout(secs(first)).backoff(Backoff::exponential().cap(secs(cap)))
}

const TEN: Window = Window::Time(secs(10));
const FOREVER: Duration = Duration::MAX;

/// The row of that id.
pub(crate) fn row(id: &str) -> &'static Row {
    ROWS.iter().find(|row| row.id == id).unwrap_or_else(|| panic!("no row {id}"))
}

macro_rules! rows {
    ($($id:literal $config:expr => $script:literal;)*) => {
        pub(crate) static ROWS: &[Row] = &[$(Row { id: $id, config: $config, script: $script }),*];
    };
}

rows! {
    // A. Closed: what opens it.
    "A1" row_of(6) => "F*5 =C {n5,f5,cf5} S =C {n6,s1,f5} F {n7,s1,f6,cf1} F*5 =O {} R*2 {} np=2 told=1 +59.999s =O R:open ra=1ms
        +1s A1 =H F1 =O {} +60s+1ns A2 =H S2 =C {} told=5";
    // Ours slides: the source throws its window away as a whole and opens one failure earlier.
    "A2" rate(60, Window::Time(secs(30)), 3) => "S F X S F X S F X S F X S F X =C {n15,s5,f5,x5} w10/5 rate=50
        +29.999s S {n16,s6,f5,x5} w11/5 +1s w1/0 F =C w2/1 rate=? S F =C w4/2 rate=50 told=0 F =O {} told=1";
    "A4" row_of(3) => "F S F F =C {n4,s1,f3,cf2} F =O";
    // Ours counts the calls; the source weighs them by their age. A success rate of 1.0 is any failure.
    "A5" rate(1, Window::Time(secs(30)), 5).timeout(secs(5)) => "+30s F*4 =C rate=? F =O R ra=5s";
    // Ours waits for calls enough; the source for the window's length to pass.
    "A7" rate(50, Window::Time(secs(30)), 2) => "F =C rate=? +29s F =O";
    "A7, far apart" rate(50, Window::Time(secs(30)), 2) => "F =C +30s F =C w1/1 F =O";
    // Ours: a success opens nothing (nor does it in A10); the source opens with the second success.
    "A8" rate(50, Window::Time(secs(20)), 5) => "F*3 S =C rate=? w4/3 S =C rate=60 told=0 F =O R np=1 told=1";
    "A10" rate(50, TEN, 4) => "F*3 S =C rate=75 F =O";
    // Ours looks at the tenth call as soon as it has ended; the source with the eleventh.
    "A11" rate(50, Window::Calls(10), 10) => "F*9 =C rate=? F =O rate=100 R told=1";
    "A12" rate(50, TEN, 4) => "S S F w3/1 +10s w0 F =C w1/1";
    "A13" rate(50, TEN, 4) => "S S +9.999999999s w2 F w3/1 +1ns w1/1 F =C w2/2 rate=?";
    "A15" slow() => "F(5s) S(5s) F(.1s) S(.1s) =C w4/2/2 slow=? S(5s) =O w5/2/3 slow=60 rate=40";
    "A15, in time" slow().window(Window::Time(secs(60))) => "F(5s) S(5s) F(.1s) S(.1s) =C w4/2/2 S(4s) =O w5/2/3 slow=60";
    "A16" slow() => "S(5s)*2 S(1s)*2 =C S(5s) =O told=1";
    "A16, at the limit" slow() => "S(4s)*2 S(3.999s)*2 =C w4/0/2 S(4s) =O";
    "A18" row_of(5) => "X*3 {n3,x3} S*3 {n6,s3,x3} F*2 {n8,s3,f2,x3,cf2} X {n9,s3,f2,x4,cf2} =C";
    "A19" row_of(1) => "X*2 =C F =O";
    "A20" row_of(3) => "P {n1,f1,cf1} =C P P =O";

    // B. Open.
    "B1" row_of(1).timeout(secs(5)) => "F =O R +3s R =O np=2 ra=2s +3s =O A1 =H {n1} np=0 S1 =C";
    "B2" row_of(3) => "open(2h) =O told=1 +1h R ra=1h +1h+1s A1 =H S1 =C";
    "B3" row_of(3) => "open(30m) +15m R ra=15m +15m+1s A1 =H S1 =C";
    "B5" backoff(5, 300).threshold(3) => "S*10 F F =C F =O R*10 np=10 +2s R +4s A1 =H F1 =O R ra=10s +5s R ra=5s +6s A2 =H S2 =C
        F*3 =O R ra=5s reset =C S";
    "B6" backoff(10, 100) => "F R ra=10s +10s F R ra=20s +20s F R ra=40s +40s F R ra=80s +80s F R ra=100s +100s F R ra=100s";
    "B6, to 60" backoff(5, 60) => "F R ra=5s +5s F R ra=10s +10s F R ra=20s +20s F R ra=40s +40s F R ra=60s +60s F R ra=60s";
    "B7" backoff(1, 5) => "F R ra=1s +1s F R ra=2s +2s F R ra=4s +4s F R ra=5s +5s F R ra=5s +5s S =C F R ra=1s";
    "B9" row_of(1) => "+9999999h F =O R ra=never +9999999h R =O reset =C S";
    "B9, for ever" row_of(1).timeout(FOREVER).half_open_timeout(FOREVER) => "F =O R ra=never +5000000h R ra=never";
    "B10" row_of(1) => "A1 F =O told=1 {} +10s F1 =O told=1 {n1,f1} R ra=50s +50s A2 =H S2 =C";
    "B11" row_of(1) => "A1 F =O S1 =O told=1 R ra=60s";
    "B13" row_of(1) => "F =O +75s saved =O A1 =H S1 =C";

    // C. Half-open: who may probe, and what the probes decide.
    "C1" probes(3, 3) => "F =O +60s S S =H {n2,s2,cs2} A1 {n3,s2,cs2} R:full S1 =C {} told=3";
    "C3" probes(2, 2) => "F +60s A1 A2 =H R:full*2 X1 X2 S =H F =O +60s+1ns S =H S =C";
    "C4" probes(4, 4) => "F +60s A1 A2 A3 A4 R:full*2 F1 =O S2 =O +60s A5 A6 A7 A8 R:full*2 F3 D4 =H R:full S5 S6 S7 =H S8 =C";
    "C5" probes(4, 4) => "F +60s A1 A2 A3 A4 R:full*2 D1 A5 R:full X5 A6 R:full";
    // Ours: any failure opens it again; the source closes as long as the probes' failures stay below the rate.
    "C7" rate(50, Window::Calls(10), 1).half_open_calls(4).success_threshold(4) => "F =O +60s F =O +60s S*3 =H {n3,s3,cs3} S =C {}
        w0 S {n1,s1} w1/0";
    // Ours: the first slow probe opens it again; the source takes four and their slow-call rate.
    "C8" slow().minimum_calls(1).half_open_calls(4).success_threshold(4) => "S(5s) =O told=1 +60s S(1s)*2 =H S(4s) =O told=3";
    // Without a slow-call rate a slow probe that succeeds has succeeded.
    "C8, rates off" probes(1, 1).slow_call(secs(4)) => "F +60s S(5s) =C";
    "C10" probes(4, 4) => "F +60s X*4 =H {n4,x4} S*3 =H {n7,s3,x4,cs3} S =C";
    // Ours looks at the second call, and the first failed probe decides; the source needs one more of each.
    "C11" rate(50, Window::Calls(2), 2).timeout(secs(1)).half_open_calls(2).success_threshold(2) => "F =C F =O R +1.5s S =H F =O R
        ra=1s +1.5s S =H S =C told=5";
    "C12" row_of(1) => "F +60s A1 =H R:full ra=60s +59s R:full ra=1s";
    "C13" row_of(1) => "F +60s A1 =H R:full +60s A2 =H R:full S1 =H S2 =C";
    "C13, the first fails" row_of(1) => "F +60s A1 +60s A2 F1 =H S2 =C";
    // It loses its slot to the next caller, not before.
    "C13, nobody came" row_of(1) => "F +60s A1 +5h =H S1 =C";
    // Ours: the time of a probe decides nothing by itself; the source opens or closes then.
    "C14" row_of(1).half_open_timeout(secs(1)) => "F +60s A1 =H +1s =H told=2 S =C told=3";
    "C15" probes(1, 2) => "F +60s A1 R:full D1 =H {n1} S =H {n2,s1,cs1} S =C";
    "C15, leaked" probes(1, 2) => "F +60s A1 R:full L1 R:full +60s S =H {n1,s1,cs1} S =C";
    "C17" rate(50, Window::Calls(10), 2) => "F =C F =O +60s A1 =H {n1} F1 =O";
    // Ours: nothing is decided (as C10); the source closes.
    "C18" row_of(1) => "F +60s X =H {n1,x1} told=2 S =C";

    // D. By hand, and what is told.
    "D1" row_of(2).timeout(secs(5)) => "force =FO R:forced ra=never +6s R:forced =FO np=2 told=1";
    "D2" row_of(2).timeout(secs(5)) => "force +5s R:forced reset =C S told=2";
    // Ours tells that it was disabled; calls tell nothing.
    "D4" row_of(2) => "disable told=1 S F*4 =DIS {} told=1 reset =C {} F =C F =O";
    // Ours would open with a failure only (as A8).
    "D5" rate(50, Window::Calls(100), 5) => "observe =MO F*3 S*2 =MO rate=60 would=0 F would=1 F would=1 =MO told=1 {n7,s2,f5}
        reset observe would=1 F*5 would=2";
    // Ours: the statistics stay, the failures go.
    "D7" row_of(2).timeout(secs(5)) => "F F =O told=1 reset =C {} F {n1,f1,cf1} reset =C {n1,f1} told=2 F =C F =O";
    "D8" row_of(2) => "open(5s) told=1 open(9s) =O told=1 R ra=9s force told=2 force =FO told=2 reset told=3 reset =C told=3
        disable told=4 disable told=4 observe told=5 F*9 observe =MO told=5 reset told=6 F F =O told=7 +60s A3 =H told=8
        D3 A4 X4 =H told=8 F =O told=9";
    "D9" row_of(2).timeout(secs(5)) => "F F =O R reset =C S";
    // Saved times are wall times, exact to a microsecond.
    "D11" row_of(6).timeout(secs(2)).half_open_calls(3).success_threshold(3) => "F*3 saved F*3 =O saved R +2s+1ms saved S =H saved S
        saved =H S =C saved F*5 =C saved F =O";
    "D12" row_of(2).timeout(secs(5)) => "F F =O force =FO +1h R:forced =FO told=2";

    // E. What the others forgot.
    "E1" row_of(1) => "A1 A3 F =O +60s A2 =H S1 =H F3 =H R:full S2 =C told=3";
    "E3" probes(2, 2).half_open_timeout(secs(1)) => "F +60s S =H +5s S =C";
    "E3, one hangs" probes(2, 2).half_open_timeout(secs(1)) => "F +60s A1 S =H R:full +5s S =C S1 =C";
    "E4" rate(50, Window::Calls(100), 10) => "S*10000 F*49 =C rate=49 F =O rate=50";
    "E5" row_of(1) => "F +60s P =O told=3 R ra=60s +60s S =C";
    "E8" row_of(1) => "+2h F =O -1h R ra=61m =O +61m A1 =H S1 =C";
    "E10" row_of(1) => "F =O +5000h =O told=1 A1 =H S1 =C";
}

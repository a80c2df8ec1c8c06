//! Nanoseconds: `cargo bench -p lifecycle-benches --bench yardstick`. Nothing is asserted: a clock is not evidence.

use lifecycle_benches::{Peers, contestants, markdown, measure, windows};
use std::process::ExitCode;
use std::time::Duration;

/// How many samples, how long each. On a busy machine two threads seldom run at the same time: more and shorter ones find it.
const SAMPLES: [(usize, Duration); 2] = [(200, Duration::from_micros(50)), (1000, Duration::from_micros(20))];

/// A reference faster than this is not there to be measured: a ratio to it says nothing.
const NEGLIGIBLE: f64 = 0.15;

fn main() -> ExitCode {
    let peers = Peers::default();
    if let Err(why) = contestants::rehearse(&peers) {
        eprintln!("yardstick: {why}");
        return ExitCode::FAILURE;
    }
    println!(
        "\nNanoseconds an operation: the fastest of many short samples, the contestants taking turns; the loop and the \
         guarded function itself are subtracted.\n"
    );
    let mut columns = Vec::new();
    for (threads, (samples, sample)) in (1..).zip(SAMPLES) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if threads > cores {
            eprintln!("skipped: {threads} threads on {cores} core");
            continue;
        }
        let measured = measure::nanoseconds(&contestants::all(), &peers, threads, samples, sample);
        columns.push((threads, contestants::costs(&measured)));
    }
    let mut header = vec!["operation".to_owned(), "by".to_owned()];
    for (threads, _) in &columns {
        let threads = if *threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads sharing it") };
        header.extend([format!("{threads}: ns"), "ratio".to_owned()]);
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    println!("{}", markdown(2, &header, &rows(&columns)));
    println!("What that speed of limiters is for\n\n{}", windows::table());
    ExitCode::SUCCESS
}

fn rows(columns: &[(usize, Vec<Vec<f64>>)]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (at, group) in contestants::groups().enumerate() {
        for (which, contestant) in group.contestants.iter().enumerate() {
            let mut row =
                vec![if which == 0 { group.operation.to_owned() } else { String::new() }, contestant.name.to_owned()];
            for (_, costs) in columns {
                // What costs less than the noise of the empty loop comes out as anything around zero.
                let (own, reference) = (costs[at][which].max(0.0), costs[at][1]);
                row.push(if own < 0.1 { "<0.1".to_owned() } else { format!("{own:.1}") });
                row.push(if reference < NEGLIGIBLE { "–".to_owned() } else { format!("{:.2}", own / reference) });
            }
            rows.push(row);
        }
    }
    rows
}

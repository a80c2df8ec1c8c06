//! Instructions an operation, by callgrind: `cargo bench -p lifecycle-benches --bench instructions`. They are the same in every
//! run, so with `-- --check` what is over its budget fails.
//!
//! The program runs itself under valgrind with N and 2N repetitions of one contestant; only the loop is counted. Under valgrind
//! a clock is read by a system call, whose inside is not counted.

use lifecycle_benches::{Budget, Contestant, Peers, contestants, markdown, measure};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

const REPETITIONS: u64 = 10_000;

/// The function that hands its argument back does it by one instruction that is none of the loop's.
const OF_NOTHING: f64 = 1.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, which, times] = arguments.as_slice()
        && mode == "--repeat"
    {
        return match (which.parse(), times.parse()) {
            (Ok(which), Ok(times)) => under_valgrind(which, times),
            _ => ExitCode::FAILURE,
        };
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("\n==== instructions: SKIPPED: no valgrind ====\n");
        return ExitCode::SUCCESS;
    }
    match report() {
        Ok((table, broken)) => {
            println!(
                "\nInstructions an operation; the loop and the guarded function itself are subtracted.\n\n{table}"
            );
            broken.iter().for_each(|broken| eprintln!("over budget: {broken}"));
            let failed = !broken.is_empty() && arguments.iter().any(|argument| argument == "--check");
            if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(why) => {
            eprintln!("instructions: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What valgrind runs: everything but the loop happens outside the count.
fn under_valgrind(which: usize, times: u64) -> ExitCode {
    let peers = Peers::default();
    let Some(contestant) = contestants::all().get(which).copied() else { return ExitCode::FAILURE };
    // `measure::repeat` is what is counted; this is another loop.
    // For so long that the rate of the quick clock is found: until then a limiter reads the exact one.
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(100) {
        (contestant.often)(&peers, measure::WARM_UP);
    }
    measure::repeat(contestant.once, &peers, times);
    ExitCode::SUCCESS
}

/// The table, and what is over its budget.
fn report() -> Result<(String, Vec<String>), String> {
    let all = contestants::all();
    let mut counts =
        all.iter().enumerate().map(|(which, contestant)| each(which, contestant)).collect::<Result<Vec<_>, _>>()?;
    counts[0] -= OF_NOTHING;
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    for (group, costs) in contestants::groups().zip(contestants::costs(&counts)) {
        let limit = group.budget.map(|budget| match budget {
            Budget::OverBase(most) => most as f64,
            Budget::OverReference(most) => costs[1] + most as f64,
        });
        for (which, (contestant, cost)) in group.contestants.iter().zip(&costs).enumerate() {
            let limit = limit.filter(|_| which == 0);
            rows.push(vec![
                if which == 0 { group.operation.to_owned() } else { String::new() },
                contestant.name.to_owned(),
                format!("{cost:.0}"),
                limit.map_or(String::new(), |limit| format!("{limit:.0}")),
            ]);
            if limit.is_some_and(|limit| cost.round() > limit.round()) {
                broken.push(format!("{}: {cost:.1}", group.operation));
            }
        }
    }
    Ok((markdown(2, &["operation", "by", "instructions", "budget"], &rows), broken))
}

/// Instructions of one repetition, the loop included.
fn each(which: usize, contestant: &Contestant) -> Result<f64, String> {
    let (once, twice) = (collected(which, REPETITIONS)?, collected(which, 2 * REPETITIONS)?);
    if twice <= once {
        return Err(format!("callgrind counted nothing for {}", contestant.name));
    }
    Ok((twice - once) as f64 / REPETITIONS as f64)
}

fn collected(which: usize, times: u64) -> Result<u64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=lifecycle_benches::measure::repeat",
        ])
        .arg(own)
        .args(["--repeat", &which.to_string(), &times.to_string()])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind gave no count:\n{text}"))
}

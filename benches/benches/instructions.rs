//! Instructions an operation, by callgrind: `cargo bench -p lifecycle-benches --bench instructions`. They are the same in every
//! run, so with `-- --check` what is over its budget fails.
//!
//! The program runs itself under valgrind with N and 2N repetitions of one contestant; only the loop is counted. Under valgrind
//! a clock is read by a system call, whose inside is not counted.
//!
//! A limiter goes by the processor's counter once that could be read together with the clock within a microsecond. Valgrind takes
//! longer, mostly, and then each of its readings is a system call: that is what is counted here, and no run counts more. A run that
//! was lucky counts less, so what looks wrong is counted again, and the most of N and of 2N repetitions is what holds.

use lifecycle_benches::{Budget, Peers, contestants, markdown, measure};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

const REPETITIONS: u64 = 10_000;
/// So often what is over its budget, or less than nothing, is counted again.
const TRIES: usize = 5;

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
    let mut counted = vec![Counted::NOTHING; all.len()];
    for (which, counted) in counted.iter_mut().enumerate() {
        counted.again(which)?;
    }
    let mut tries = TRIES;
    loop {
        let (rows, broken) = judge(&costs(&counted));
        if broken.is_empty() || tries == 0 {
            let broken = broken.into_iter().map(|(_, text)| text).collect();
            return Ok((markdown(2, &["operation", "by", "instructions", "budget"], &rows), broken));
        }
        tries -= 1;
        for (which, _) in broken {
            counted[which].again(which)?;
        }
    }
}

fn costs(counted: &[Counted]) -> Vec<Vec<f64>> {
    let mut each: Vec<f64> = counted.iter().map(Counted::each).collect();
    each[0] -= OF_NOTHING;
    contestants::costs(&each)
}

/// The rows, and which contestants are over their budget.
fn judge(costs: &[Vec<f64>]) -> (Vec<Vec<String>>, Vec<(usize, String)>) {
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    // Before the first group stand the bases.
    let mut which = contestants::all().len() - costs.iter().map(Vec::len).sum::<usize>();
    for (group, costs) in contestants::groups().zip(costs) {
        let limit = group.budget.map(|budget| match budget {
            Budget::OverBase(most) => most as f64,
            Budget::OverReference(most) => costs[1] + most as f64,
        });
        for (place, (contestant, cost)) in group.contestants.iter().zip(costs).enumerate() {
            let limit = limit.filter(|_| place == 0);
            rows.push(vec![
                if place == 0 { group.operation.to_owned() } else { String::new() },
                contestant.name.to_owned(),
                format!("{cost:.0}"),
                limit.map_or(String::new(), |limit| format!("{limit:.0}")),
            ]);
            // Nor is it less than nothing: then the runs went by different clocks.
            if limit.is_some_and(|limit| cost.round() > limit.round() || *cost < -OF_NOTHING) {
                broken.push((which, format!("{}: {cost:.1}", group.operation)));
            }
            which += 1;
        }
    }
    (rows, broken)
}

/// The most instructions seen of N and of 2N repetitions.
#[derive(Clone)]
struct Counted {
    once: u64,
    twice: u64,
}

impl Counted {
    const NOTHING: Self = Self { once: 0, twice: 0 };

    fn again(&mut self, which: usize) -> Result<(), String> {
        self.once = self.once.max(collected(which, REPETITIONS)?);
        self.twice = self.twice.max(collected(which, 2 * REPETITIONS)?);
        Ok(())
    }

    /// Instructions of one repetition, the loop included.
    fn each(&self) -> f64 {
        (self.twice as f64 - self.once as f64) / REPETITIONS as f64
    }
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

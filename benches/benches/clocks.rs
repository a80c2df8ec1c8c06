//! What reading the clock costs, first and later, and how far the quick reading is off: `cargo bench -p lifecycle-benches --bench clocks`.
//! Nothing is asserted.
//!
//! First uses are timed in fresh processes, this program run again. The quick reading is compared with exact ones just before
//! and after it, on two threads that work, pause and are moved between processors by the system.

use governor::Quota;
use lifecycle::clock::{Clock, SystemClock};
use lifecycle::{RateLimiter, rate_limit};
use lifecycle_benches::markdown;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

#[rate_limit("1000/s")]
fn limited() -> Result<u64, lifecycle::Rejected> {
    Ok(7)
}

/// Its row in the table, and how it is done.
type Named<T> = (&'static str, fn() -> T);

/// What is done first in a process.
static FIRST: &[Named<bool>] = &[
    ("**lifecycle** `#[rate_limit]`, first call", || limited().is_ok()),
    ("**lifecycle** `RateLimiter::per_second(1000)`, made and asked", || {
        RateLimiter::per_second(1000).is_ok_and(|limiter| limiter.try_acquire().is_ok())
    }),
    ("governor, its default clock, made and asked", || {
        governor::RateLimiter::direct(Quota::per_second(NonZeroU32::MIN)).check().is_ok()
    }),
    ("governor, `Instant` as clock, made and asked", || {
        let quota = Quota::per_second(NonZeroU32::MIN);
        governor::RateLimiter::direct_with_clock(quota, governor::clock::MonotonicClock).check().is_ok()
    }),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, which] = arguments.as_slice()
        && mode == "--first"
    {
        return first(which.parse().unwrap_or(0));
    }
    let rows: Vec<_> = FIRST.iter().enumerate().map(|(which, (name, _))| firsts(which, name)).collect();
    println!("\n{}", markdown(1, &["in a fresh process", "least, us", "median, us"], &rows));

    // By now its rate is known.
    let until = Instant::now() + Duration::from_millis(60);
    while Instant::now() < until {
        black_box(SystemClock.now_quick());
    }
    let readings: [Named<u64>; 4] = [
        ("`Instant::now()`", || black_box(Instant::now()).elapsed().subsec_nanos().into()),
        ("`SystemClock::now_mono`, exact", || SystemClock.now_mono()),
        ("`SystemClock::now_quick`", || SystemClock.now_quick()),
        ("`SystemClock::now_coarse`", || SystemClock.now_coarse()),
    ];
    let rows: Vec<_> = readings.iter().map(|(name, read)| vec![(*name).to_owned(), cost(*read)]).collect();
    println!("{}", markdown(1, &["a reading (`Instant` twice)", "ns"], &rows));

    let off: Vec<Off> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| compare(Duration::from_secs(20)))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let rows: Vec<_> = off
        .iter()
        .map(|off| {
            let each = [off.compared, off.before, off.after, off.back];
            each.iter().map(ToString::to_string).collect()
        })
        .collect();
    println!(
        "The quick reading beside exact ones before and after it; 20 s, a thread a row\n\n{}",
        markdown(0, &["compared", "at most before, ns", "at most after, ns", "went back, times"], &rows)
    );
    ExitCode::SUCCESS
}

/// What a fresh process does: times the first use, and prints the nanoseconds.
fn first(which: usize) -> ExitCode {
    let Some((_, first)) = FIRST.get(which) else { return ExitCode::FAILURE };
    // So that the clock is there.
    let start = (Instant::now(), Instant::now()).1;
    let given = first();
    let took = start.elapsed();
    println!("{}", took.as_nanos());
    if given { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn firsts(which: usize, name: &str) -> Vec<String> {
    let own = std::env::current_exe().unwrap_or_default();
    let once = || {
        let output = Command::new(&own).args(["--first", &which.to_string()]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse::<f64>().ok()
    };
    let mut times: Vec<f64> = (0..200).filter_map(|_| once()).collect();
    times.sort_by(f64::total_cmp);
    let micros = |at: usize| times.get(at).map_or("–".to_owned(), |nanos| format!("{:.1}", nanos / 1e3));
    vec![name.to_owned(), micros(0), micros(times.len() / 2)]
}

/// The least of many samples.
fn cost(read: fn() -> u64) -> String {
    let sample = || {
        let start = Instant::now();
        for _ in 0..1000 {
            black_box(read());
        }
        start.elapsed().as_nanos() as f64 / 1000.0
    };
    format!("{:.1}", (0..2000).map(|_| sample()).fold(f64::INFINITY, f64::min))
}

#[derive(Debug, Default)]
struct Off {
    compared: u64,
    /// Nanoseconds before the earlier exact reading, after the later one.
    before: u64,
    after: u64,
    back: u64,
}

fn compare(time: Duration) -> Off {
    let (mut off, mut last) = (Off::default(), 0);
    let until = Instant::now() + time;
    let mut round = 0_u64;
    while Instant::now() < until {
        round += 1;
        for _ in 0..1000 {
            let earlier = SystemClock.now_mono();
            let quick = SystemClock.now_quick();
            let later = SystemClock.now_mono();
            off.compared += 1;
            off.before = off.before.max(earlier.saturating_sub(quick));
            off.after = off.after.max(quick.saturating_sub(later));
            off.back += u64::from(quick < last);
            last = quick;
        }
        match round % 64 {
            0 => std::thread::sleep(Duration::from_millis(20)),
            8 | 16 | 24 => std::thread::sleep(Duration::from_micros(300)),
            _ => {}
        }
    }
    off
}

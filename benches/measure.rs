//! How it is measured.

use crate::contestants::{Contestant, Peers};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Calls `once` that many times. One compiled loop for all contestants; callgrind counts while it runs.
#[inline(never)]
pub fn repeat(once: fn(&Peers, u64) -> u64, peers: &Peers, times: u64) {
    let once = black_box(once);
    for number in 0..times {
        black_box(once(peers, number));
    }
}

/// Does `work` that many times, in a loop for this work alone.
#[inline(always)]
pub(crate) fn repeat_inlined(work: impl Fn(&Peers, u64) -> u64, peers: &Peers, times: u64) {
    for number in 0..times {
        black_box(work(peers, number));
    }
}

/// More than enough to bring every contestant to its steady state on a thread: created, listed, its window full.
pub const WARM_UP: u64 = 5_000;

/// One operation in nanoseconds, the loop included: for each contestant the fastest of `samples` short samples.
///
/// With two threads both run the same contestant at once; a sample lasts from the first start to the last end, so that threads
/// which did not overlap show as slow and not as fast. The contestants take turns, so that a noisy moment hits all alike.
#[must_use]
pub fn nanoseconds(
    contestants: &[Contestant],
    peers: &Peers,
    threads: usize,
    samples: usize,
    sample: Duration,
) -> Vec<f64> {
    let times: Vec<u64> = contestants.iter().map(|contestant| repetitions(contestant, peers, sample)).collect();
    let gate = Gate { threads, arrived: AtomicUsize::new(0) };
    // Every thread goes through the same programme; the gate holds them together.
    let programme = || {
        contestants.iter().for_each(|contestant| (contestant.often)(peers, WARM_UP));
        let mut spans = Vec::with_capacity(samples * contestants.len());
        for _ in 0..samples {
            for (contestant, times) in contestants.iter().zip(&times) {
                // Each thread finds its own data in its cache again.
                (contestant.often)(peers, times / 10 + 1);
                gate.pass();
                let start = Instant::now();
                (contestant.often)(peers, *times);
                spans.push((start, Instant::now()));
            }
        }
        spans
    };
    let spans: Vec<Vec<(Instant, Instant)>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(programme)).collect();
        let mut spans = vec![programme()];
        spans.extend(others.into_iter().filter_map(|other| other.join().ok()));
        spans
    });
    let mut fastest = vec![f64::INFINITY; contestants.len()];
    for sample in 0..samples * contestants.len() {
        let which = sample % contestants.len();
        let start = spans.iter().map(|spans| spans[sample].0).min();
        let end = spans.iter().map(|spans| spans[sample].1).max();
        let (Some(start), Some(end)) = (start, end) else { continue };
        fastest[which] = fastest[which].min((end - start).as_nanos() as f64 / times[which] as f64);
    }
    fastest
}

/// How many repetitions take about `sample` on one thread.
fn repetitions(contestant: &Contestant, peers: &Peers, sample: Duration) -> u64 {
    (contestant.often)(peers, WARM_UP);
    let mut times = 256;
    loop {
        let start = Instant::now();
        (contestant.often)(peers, times);
        if start.elapsed() >= sample || times > 1 << 30 {
            return times;
        }
        times += times / 2;
    }
}

/// Lets threads pass together; they spin, because being woken takes longer than a sample.
struct Gate {
    threads: usize,
    arrived: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        let arrived = self.arrived.fetch_add(1, Ordering::AcqRel);
        let complete = (arrived / self.threads + 1) * self.threads;
        let mut spins = 0_u32;
        while self.arrived.load(Ordering::Acquire) < complete {
            spins += 1;
            if spins.is_multiple_of(4096) {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
    }
}

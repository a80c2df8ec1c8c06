//! Faults of the platform: a process that is stopped and goes on, flags that are read before anything is initialized, and which copy of
//! the library answers.

use lifecycle::clock::{Clock, SystemClock};
use lifecycle::flag::FlagSource;
use lifecycle::testing::isolated;
use lifecycle::{Error, Flag, InitConfig, RateLimiter, init_flag, initialization, initialize, snapshot};
use std::time::Duration;

/// A process that gets SIGSTOP and SIGCONT again and again: its clock goes on meanwhile, so windows pass and waits end, but never too
/// early and never with a burst.
#[cfg(target_os = "linux")]
mod stopped {
    use super::*;
    use lifecycle_tests::is_child;
    use std::io::{Read, Write};
    use std::process::{Child, Command, Stdio};
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    const NAME: &str = "stopped::a_process_that_is_stopped_and_goes_on_exceeds_no_limit";
    const LIMIT: usize = 5;
    const WINDOW: Duration = Duration::from_millis(10);
    const STOPS: usize = 8;

    #[test]
    fn a_process_that_is_stopped_and_goes_on_exceeds_no_limit() {
        if is_child(NAME) {
            return child();
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", NAME, "--nocapture", "--test-threads=1"]).env("LIFECYCLE_TEST_CHILD", NAME);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let mut read = [0; 1];
        let mut seen = Vec::new();
        // It says so when it is at work.
        while !seen.ends_with(b"at work\n") {
            out.read_exact(&mut read).unwrap();
            seen.push(read[0]);
        }
        for _ in 0..STOPS {
            signal(&child, "STOP");
            lifecycle_tests::until(|| state(&child) == 'T');
            // Longer than what is left of a window, at times.
            std::thread::sleep(Duration::from_millis(6));
            signal(&child, "CONT");
            std::thread::sleep(Duration::from_millis(3));
        }
        drop(child.stdin.take());
        out.read_to_end(&mut seen).unwrap();
        let output = child.wait_with_output().unwrap();
        let told = (String::from_utf8_lossy(&seen), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && told.0.contains("1 passed"), "{}{}", told.0, told.1);
    }

    fn signal(child: &Child, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
        assert!(sent.success());
    }

    /// As the system has it: `T` is stopped.
    fn state(child: &Child) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    }

    fn child() {
        static OVER: AtomicBool = AtomicBool::new(false);
        let limiter = RateLimiter::new(u32::try_from(LIMIT).unwrap(), WINDOW).unwrap();
        // Between which readings each permit was given.
        let mut given: Vec<(u64, u64)> = Vec::new();
        limiter.try_acquire().unwrap();
        println!("at work");
        std::io::stdout().flush().unwrap();
        let ends = std::thread::spawn(|| {
            _ = std::io::stdin().read_to_end(&mut Vec::new());
            OVER.store(true, SeqCst);
        });
        let mut waits = 0;
        while !OVER.load(SeqCst) {
            let before = SystemClock.now_mono();
            // By turns: refused at once, and waited for.
            let outcome = if given.len() & 1 == 0 {
                limiter.try_acquire()
            } else {
                waits += 1;
                limiter.acquire_blocking_within(Duration::from_secs(100))
            };
            let after = SystemClock.now_mono();
            if outcome.is_ok() {
                given.push((before, after));
            }
        }
        ends.join().unwrap();
        assert!(given.len() > LIMIT && waits > 0, "{given:?}");
        for neighbours in given.windows(LIMIT + 1) {
            // The first was given not before the one reading, the last not after the other.
            let (first, last) = (neighbours[0].0, neighbours[LIMIT].1);
            assert!(u128::from(last - first) >= WINDOW.as_nanos(), "a burst: {neighbours:?}");
        }
    }
}

/// There is no "not initialized" for flags: a declared one has its default in the code, which is what its author wants before
/// `initialize` as well, and who asks by name for one that nobody set is told that there is none.
#[test]
fn a_flag_that_is_read_before_initialize_has_its_default_and_says_so() {
    #[init_flag]
    static EARLY: Flag<u8> = 3;

    isolated(|| {
        assert!(matches!(initialization().config(), Err(Error::NotInitialized)));
        assert_eq!((EARLY.get(), EARLY.source()), (3, FlagSource::Default));
        assert_eq!(initialization().flag::<u8>("early").unwrap(), Some(3));
        assert_eq!(initialization().flag::<u8>("never_set").unwrap(), None, "no default that nobody asked for");
        assert_eq!(initialization().flag_or("never_set", 7), 7);
        // What was read or set before stays: initializing touches no flag.
        EARLY.set(4);
        initialize(InitConfig::new().with("early", 5)).unwrap();
        assert_eq!((EARLY.get(), EARLY.source()), (4, FlagSource::Set));
    });
}

#[test]
fn the_snapshot_tells_which_copy_of_the_library_it_is_of() {
    assert_eq!(snapshot().version, "0.1.0");
    let json = serde_json::to_value(snapshot()).unwrap();
    assert_eq!(json["version"], "0.1.0");
}

//! Pattern 1, lazy get: whoever asks first creates, everybody else gets the very same instance.
//! `cargo run --example singleton_lazy_get`
//!
//! The four ways to write it: a type, a function, a static, and a name that is chosen at run time.

use lifecycle::{BoxError, Lazy, Singleton, singleton, singletons};
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

static READ: AtomicU32 = AtomicU32::new(0);

/// A type: `Dictionary::instance()`.
#[singleton(factory = Dictionary::read)]
struct Dictionary {
    words: BTreeSet<&'static str>,
}

impl Dictionary {
    fn read() -> Self {
        READ.fetch_add(1, Relaxed);
        std::thread::sleep(Duration::from_millis(20)); // a large file
        Self { words: "lazy once same".split(' ').collect() }
    }
}

/// A function: the body runs once. That it needs the dictionary is seen, nobody has to declare it.
#[singleton]
fn longest() -> Result<&'static str, BoxError> {
    let words = &Dictionary::try_instance()?.words;
    words.iter().copied().max_by_key(|word| word.len()).ok_or_else(|| "no words".into())
}

/// A static: `std::sync::LazyLock`, listed and counted.
#[singleton]
static LETTERS: Lazy<usize> = Dictionary::instance().words.iter().map(|word| word.len()).sum();

fn main() -> Result<(), BoxError> {
    assert!(!Dictionary::is_created() && Dictionary::get().is_none(), "nothing is created before somebody asks");

    // Eight threads ask at the same moment: one creates, seven wait for it.
    let together = Barrier::new(8);
    let began = Instant::now();
    let found: Vec<&'static Dictionary> = std::thread::scope(|scope| {
        let ask = || {
            together.wait();
            Dictionary::instance()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let first = began.elapsed();
    assert_eq!((READ.load(Relaxed), found.len()), (1, 8));
    assert!(found.iter().all(|one| std::ptr::eq(*one, found[0])), "all got the same");

    let began = Instant::now();
    let later = (0..1000).map(|_| Dictionary::instance().words.len()).sum::<usize>();
    let each = began.elapsed() / 1000;
    assert_eq!(later, 3000);
    println!("8 threads asked at once: {} factory run, the same instance for all after {first:?}", READ.load(Relaxed));
    println!("every later access: {each:?}");

    assert_eq!(longest()?.len(), 4);
    assert_eq!(*LETTERS, 12);
    // By name, where the name is known at run time only. Another type under that name would be an error.
    let seen = singletons().get_or_create("seen:lazy", || AtomicU32::new(0))?;
    seen.fetch_add(1, Relaxed);
    let again = singletons().get_or_create("seen:lazy", || AtomicU32::new(0))?;
    assert_eq!(again.load(Relaxed), 1);

    let stats = lifecycle::handle(longest)?.stats();
    println!("`{}` was seen to need {:?}", stats.name, stats.depends_on);
    assert_eq!(stats.depends_on, ["dictionary"]);
    println!("\n{}", lifecycle::snapshot());
    Ok(())
}

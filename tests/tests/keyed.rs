//! Keyed singletons: one instance a key, bounded, seen by name, and each key for itself.

use lifecycle::{Args, Error, SingletonError, singleton, testing};
use serde_json::json;
use std::future::Future;
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready"),
    }
}

#[test]
fn each_key_is_created_once_whoever_asks() {
    static RUNS: [AtomicU32; 8] = [const { AtomicU32::new(0) }; 8];

    #[singleton(keyed)]
    fn shard(n: usize) -> usize {
        thread::yield_now();
        RUNS[n].fetch_add(1, Ordering::SeqCst);
        n
    }

    let barrier = Barrier::new(8);
    let handed: Vec<Vec<Arc<usize>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|shift| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    (0..8).map(|n| shard((n + shift) % 8)).collect()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(RUNS.iter().all(|runs| runs.load(Ordering::SeqCst) == 1));
    assert!(handed.iter().flatten().all(|got| Arc::ptr_eq(got, &shard(**got))));
    let stats = lifecycle::singleton::<usize>("shard").unwrap().stats();
    assert_eq!((stats.accesses, stats.keys), (64 + 64, Some(8)));
}

#[test]
fn a_key_that_is_being_created_holds_up_no_other_and_keys_may_need_each_other() {
    static INSIDE: Barrier = Barrier::new(2);

    #[singleton(keyed)]
    fn slow(n: u32) -> u32 {
        if n == 0 {
            INSIDE.wait();
            INSIDE.wait();
        }
        // A key needs the one below it, down to 1.
        if n > 1 { *slow(n - 1) + 1 } else { n }
    }

    let creator = thread::spawn(|| *slow(0));
    INSIDE.wait();
    assert_eq!(*slow(5), 5);
    INSIDE.wait();
    assert_eq!(creator.join().unwrap(), 0);
}

#[test]
fn a_key_that_needs_itself_is_told_with_its_key() {
    #[singleton(keyed)]
    fn tail(n: u32) -> Result<u32, SingletonError> {
        tail(n % 2 + 1).map(|other| *other)
    }

    let text = tail(1).unwrap_err().to_string();
    assert!(text.contains("tail[1] (") && text.contains("-> tail[2] (") && text.ends_with("-> tail[1]"), "{text}");
    assert!(text.contains("keyed.rs:"), "{text}");
}

#[test]
fn errors_and_panics_are_not_kept_and_are_of_their_key_alone() {
    static FAIL: AtomicBool = AtomicBool::new(true);

    #[singleton(keyed)]
    fn number(text: &str) -> Result<u32, std::num::ParseIntError> {
        assert!(text != "panics" || !FAIL.load(Ordering::SeqCst), "not now");
        if text == "later" && FAIL.load(Ordering::SeqCst) { "".parse() } else { Ok(text.len() as u32) }
    }

    testing::isolated(|| {
        assert!(number("later").is_err() && number("later").is_err());
        let in_a_world = testing::Context::capture();
        assert!(catch_unwind(|| in_a_world.run(|| number("panics"))).is_err());
        assert_eq!(*number("fine").unwrap(), 4);
        let handle = lifecycle::singleton::<u32>("number").unwrap();
        assert_eq!(handle.keys().iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["number[fine]"]);
        FAIL.store(false, Ordering::SeqCst);
        assert_eq!((*number("later").unwrap(), *number("panics").unwrap()), (5, 6));
        assert_eq!(handle.stats().keys, Some(3));
    });
}

#[test]
fn beyond_max_keys_each_call_gets_an_instance_of_its_own_and_that_is_told_once() {
    #[singleton(keyed, max_keys = 3)]
    fn few(n: u32) -> u32 {
        n
    }

    testing::isolated(|| {
        let kept: Vec<_> = (0..3).map(few).collect();
        let (a, b) = (few(3), few(3));
        assert!(!Arc::ptr_eq(&a, &b) && (*a, *b) == (3, 3));
        assert!(kept.iter().all(|one| Arc::ptr_eq(one, &few(**one))), "those that are kept stay");
        few(4);
        let stats = lifecycle::singleton::<u32>("few").unwrap().stats();
        assert_eq!((stats.keys, stats.unkept, stats.accesses), (Some(3), 3, 9));
        let told: Vec<_> =
            testing::events().into_iter().filter(|event| event.name == "lifecycle.singleton.full").collect();
        assert_eq!(told.iter().map(|event| event.detail.as_str()).collect::<Vec<_>>(), ["3"]);
        assert!(lifecycle::singletons().delete("few[1]").unwrap());
        assert!(Arc::ptr_eq(&few(3), &few(3)), "there is room again");
    });
}

#[test]
fn keys_that_only_ever_failed_make_room_for_others() {
    #[singleton(keyed, max_keys = 2)]
    fn picky(n: u32) -> Result<u32, String> {
        if n < 100 { Err("too small".to_owned()) } else { Ok(n) }
    }

    testing::isolated(|| {
        (0..50).for_each(|n| assert!(picky(n).is_err()));
        assert!(Arc::ptr_eq(&picky(100).unwrap(), &picky(100).unwrap()));
        assert!(Arc::ptr_eq(&picky(101).unwrap(), &picky(101).unwrap()));
        assert_eq!(lifecycle::singleton::<u32>("picky").unwrap().stats().keys, Some(2));
    });
}

#[test]
fn by_name_a_key_stands_in_brackets() {
    #[singleton(keyed)]
    fn table(name: &str, n: u8) -> String {
        format!("{name}/{n}")
    }

    testing::isolated(|| {
        let core = lifecycle::singletons();
        assert!(core.get::<String>("table[users, 1]").unwrap().is_none() && !core.has("table[users, 1]"));
        let users = table("users", 1);
        table("odd]key[", 2);
        let named = core.get::<String>("table[users, 1]").unwrap().unwrap();
        assert!(std::ptr::eq(&*named, &*users));
        assert_eq!(*core.get::<String>("table[odd]key[, 2]").unwrap().unwrap(), "odd]key[/2");
        assert!(matches!(core.get::<u8>("table[users, 1]"), Err(Error::TypeMismatch { .. })));
        assert!(matches!(core.get::<String>("table"), Err(Error::Singleton(SingletonError::NotReachable { .. }))));
        let stats = core.get_stats();
        assert_eq!(stats.singleton_names, ["table[users, 1]", "table[odd]key[, 2]"]);
        assert_eq!(stats.access_counts[0].1, 2, "the call and the successful look-up by name");
        let wire = lifecycle::execute_singleton_operation("get", Args::new().with("name", "table[users, 1]")).unwrap();
        assert_eq!(wire, json!({"name": "table[users, 1]", "type": "String"}));
        assert!(core.delete("table[users, 1]").unwrap() && !core.delete("table[users, 1]").unwrap());
        assert_eq!(core.clear().unwrap(), 1);
        assert!(!Arc::ptr_eq(&users, &table("users", 1)));
    });
}

#[test]
fn the_snapshot_has_the_whole_and_then_each_key() {
    #[singleton(keyed, memory = |text: &String| text.capacity())]
    fn listed(name: &str) -> String {
        let mut text = String::with_capacity(100);
        text.push_str(name);
        text
    }

    testing::isolated(|| {
        listed("b");
        listed("a");
        listed("b");
        let all = lifecycle::snapshot();
        let mine: Vec<_> = all.singletons.iter().filter(|one| one.name.starts_with("listed")).collect();
        let shown: Vec<_> = mine.iter().map(|one| (one.name.as_str(), one.created, one.accesses, one.heap)).collect();
        assert_eq!(
            shown,
            [("listed", false, 3, None), ("listed[b]", true, 2, Some(100)), ("listed[a]", true, 1, Some(100))]
        );
        assert_eq!((mine[0].keys, mine[1].keys), (Some(2), None));
        assert!(mine[1].path.ends_with("keyed::listed[b]") && mine[1].declared_at == mine[0].declared_at);
        assert!(mine[1].order < mine[2].order && mine[1].creation_us.is_some());
        assert_eq!(lifecycle::singletons().get_stats().estimated_memory_bytes, 2 * (size_of::<String>() + 100));
    });
}

#[test]
fn an_async_key_is_created_once_whoever_drives_it() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static GATE: AtomicBool = AtomicBool::new(false);

    #[singleton(keyed)]
    async fn remote(name: &str, n: u32) -> Result<String, SingletonError> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if name == "fast" || GATE.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Ok(format!("{name}{n}"))
    }

    let mut cx = Context::from_waker(Waker::noop());
    let mut first = Box::pin(remote("slow", 1));
    assert!(first.as_mut().poll(&mut cx).is_pending());
    let mut second = Box::pin(remote("slow", 1));
    assert!(second.as_mut().poll(&mut cx).is_pending());
    assert_eq!(*ready(remote("fast", 2)).unwrap(), "fast2", "another key does not wait");
    drop(first);
    GATE.store(true, Ordering::SeqCst);
    let Poll::Ready(Ok(got)) = second.as_mut().poll(&mut cx) else { panic!("nobody drives it") };
    assert!(*got == "slow1" && Arc::ptr_eq(&got, &ready(remote("slow", 1)).unwrap()));
    assert_eq!(RUNS.load(Ordering::SeqCst), 2);
    let core = lifecycle::singletons();
    assert!(Arc::ptr_eq(&got, &ready(remote("slow", 1)).unwrap()) && core.has("remote[slow, 1]"));
}

#[test]
fn a_deleted_key_is_retired_and_its_holders_keep_it() {
    static RETIRED: Mutex<Vec<u32>> = Mutex::new(Vec::new());

    #[singleton(keyed, on_retire = |n: &u32| { RETIRED.lock().unwrap().push(*n); assert_ne!(*n, 2, "it panics") })]
    fn entry(n: u32) -> u32 {
        n
    }

    testing::isolated(|| {
        let held: Vec<_> = (1..=3).map(entry).collect();
        let handle = lifecycle::singleton::<u32>("entry").unwrap();
        assert!(handle.is_created() && handle.delete() && !handle.is_created() && !handle.delete());
        assert_eq!(*RETIRED.lock().unwrap(), [3, 2, 1], "the newest first, and a panic stops none");
        assert_eq!(held.iter().map(|one| **one).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(
            testing::events()
                .iter()
                .any(|event| { event.name == "lifecycle.singleton.hook_failed" && event.component == "entry[2]" })
        );
    });
}

#[test]
fn a_delete_during_a_creation_does_not_lose_it() {
    #[singleton(keyed)]
    fn stubborn(n: u32) -> u32 {
        assert!(!lifecycle::singletons().delete("stubborn[1]").unwrap());
        n
    }
    testing::isolated(|| assert!(Arc::ptr_eq(&stubborn(1), &stubborn(1))));
}
